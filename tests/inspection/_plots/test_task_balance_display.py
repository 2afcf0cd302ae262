"""Relative losses and task weights."""

import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from sk_mtl import MMOEClassifier
from sk_mtl.inspection import TaskBalanceDisplay
from tests.estimators.common import PLAIN, QUICK, refuse

ONE = {**QUICK, **PLAIN, "max_epochs": 2, "n_members": 1}


def test_losses_are_relative_to_the_first_epoch(model):
    display = TaskBalanceDisplay.from_estimator(model)
    rows = display.frame().query("task == 'buy'")
    losses = model.history_["train_loss_buy"]
    assert rows["loss"].tolist() == losses.tolist()
    assert rows["relative_loss"].tolist() == (losses / losses[0]).tolist()
    assert "weight" not in rows
    assert len(display.axes_) == 1


def test_recorded_weights_are_drawn_beside_the_losses(model):
    class Weighted(type(model)):
        """A model whose fit recorded weights."""

    weighted = Weighted()
    vars(weighted).update(vars(model))
    weights = {"task_weight_churn": [1.0, 1.5, 2.0], "task_weight_buy": 0.5}
    weighted.history_ = model.history_.assign(**weights)
    display = TaskBalanceDisplay.from_estimator(weighted)
    table = display.frame()
    assert table.query("task == 'churn'")["weight"].tolist() == [1.0, 1.5, 2.0]
    assert len(display.axes_) == 2
    assert display.axes_[1].get_ylabel() == "task weight"


def test_loss_that_can_be_negative_has_no_share(model):
    history = pd.DataFrame({"epoch": [1, 2], "train_loss_a": [-1.0, -2.0]})
    history["train_loss_b"] = [1.0, 0.5]

    class Fitted(BaseEstimator):
        """A model with a history."""

        task_names_, history_ = ["a", "b"], history

        def fit(self):
            """Do nothing."""

        def __sklearn_is_fitted__(self):
            return True

    table = TaskBalanceDisplay.from_estimator(Fitted()).frame()
    assert table.query("task == 'a'")["relative_loss"].isna().all()


def test_one_task_is_refused(table):
    X, y = table
    model = MMOEClassifier(**ONE).fit(X, y[["buy"]])
    refuse(
        lambda: TaskBalanceDisplay.from_estimator(model),
        "TaskBalanceDisplay compares the losses of tasks and needs two or more; found "
        "one, 'buy'. Fit a model of several tasks.",
    )


@pytest.mark.parametrize("n_tasks", [2, 7])
def test_many_tasks_get_panels(n_tasks):
    table = pd.DataFrame(
        {
            "task": [f"task_{k}" for k in range(n_tasks) for _ in range(2)],
            "epoch": [1, 2] * n_tasks,
            "relative_loss": [1.0, 0.5] * n_tasks,
            "weight": 1.0,
        }
    )
    display = TaskBalanceDisplay(table).plot()
    assert len(display.axes_) == (2 if n_tasks == 2 else 2 * n_tasks)
