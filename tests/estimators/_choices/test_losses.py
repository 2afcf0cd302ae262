"""Losses as objects, of the package and of a user's own."""

import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from sk_mtl import (
    CrossEntropy,
    Focal,
    Huber,
    Loss,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    Quantile,
    TopK,
)
from sk_mtl.estimators._choices._task_losses import LOSSES, name_of
from sk_mtl.losses import AbsoluteErrorOutput, ClassOutput, TaskOutput
from tests.estimators.common import (
    FULL_BATCH,
    PLAIN,
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)

ONE_EPOCH = {**QUICK, "max_epochs": 1}


@dataclass(frozen=True)
class Relative(TaskOutput):
    """The squared error of logarithms: an output of the user's own."""

    domain = "positive"
    width = 1

    def row_losses(self, heads, y):
        return (heads.squeeze(2) - y.log()).square()

    def answers(self, heads):
        return heads.exp()

    def combine(self, heads):
        return heads.mean(0)


@dataclass(frozen=True)
class Square(ClassOutput):
    """The Brier score of classes: an output of the user's own."""

    def row_losses(self, heads, y):
        truth = torch.nn.functional.one_hot(y.long(), self.n_classes)
        return (self.answers(heads).exp() - truth).square().sum(2)


@dataclass(eq=False, repr=False)
class Brier(Loss):
    """The Brier score for any number of classes: a loss of the user's own."""

    domain: ClassVar[str] = "classes"

    def make_output(self, n_classes=None):
        return Square(n_classes)


class Homeless(Brier):
    """A loss of a domain that there is not."""

    domain = "nowhere"


class Mistaken(Brier):
    """A loss whose output is of another domain."""

    domain = "real"

    def make_output(self, n_classes=None):
        return Relative()


@pytest.fixture(scope="module")
def table():
    X, y = mixed_table(300)
    y = y.assign(age=X["age"].clip(1) + X["visits"], visits=X["visits"] + 0.5)
    return X[["town", "age"]], y


@pytest.mark.parametrize("name", LOSSES)
def test_a_name_stands_for_an_object_with_its_defaults(name):
    loss = LOSSES[name]
    assert name_of(type(loss)()) == repr(name)
    output = loss.make_output(2 if loss.domain == "classes" else None)
    assert output.domain == loss.domain
    assert output == clone(loss).make_output(2 if loss.domain == "classes" else None)


def test_losses_are_listed_and_reached_into_by_a_search(table):
    X, y = table
    grid = [
        {"loss": ["log_loss", Focal(1)]},
        {"loss": [Focal()], "loss__gamma": [0, 2.0]},
    ]
    options = {**FULL_BATCH, **PLAIN, "random_state": 0, "max_epochs": 2}
    search = GridSearchCV(
        MMOEClassifier(**options), grid, cv=KFold(2), scoring=lambda model, X, y: 0.0
    )
    search.fit(X[["age"]], y[["churn", "buy"]])
    assert search.best_params_ == {"loss": "log_loss"}
    assert len(search.cv_results_["params"]) == 4
    by_name, focal = (
        MMOEClassifier(**options, loss=loss).fit(X[["age"]], y[["churn", "buy"]])
        for loss in ("log_loss", Focal(0))
    )
    assert_equal_proba(
        by_name.predict_proba(X[["age"]]), focal.predict_proba(X[["age"]])
    )


def test_settings_that_change_later_change_no_fitted_model(table):
    X, y = table
    loss = Quantile()
    model = MMOERegressor(**ONE_EPOCH, loss=loss, warm_start=True).fit(X, y["visits"])
    before = model.predict_quantiles(X)
    model.set_params(loss__levels=(0.1, 0.9))
    np.testing.assert_array_equal(model.predict_quantiles(X), before)
    with pytest.raises(ValueError, match="must keep the network of"):
        model.fit(X, y["visits"])
    model.set_params(loss__levels=(0.1, 0.5, 0.9)).fit(X, y["visits"])


def test_a_name_has_no_settings():
    with pytest.raises(ValueError, match="loss__gamma must lead to a parameter"):
        MMOEClassifier().set_params(loss__gamma=2)


@pytest.mark.parametrize("n_members", [1, 2])
def test_an_output_of_ones_own_learns_in_its_domain(table, n_members):
    X, y = table
    y = y[["visits", "age"]].assign(visits=1e6 * y["visits"])
    y.loc[::3, "visits"] = np.nan
    options = {**ONE_EPOCH, "n_members": n_members, "early_stopping": True}
    model = MMOERegressor(**options, loss={"visits": Relative()}).fit(X, y)
    column = model.predictor_.targets.columns[0]
    assert column.shift == 0
    assert column.scale == pytest.approx(y["visits"].mean(), rel=0.1)
    predicted = pickle.loads(pickle.dumps(clone(model).fit(X, y))).predict(X)
    np.testing.assert_array_equal(predicted, model.predict(X))
    assert np.isfinite(model.history_.to_numpy()).all()
    assert 1e5 < predicted[:, 0].mean() < 1e8
    with pytest.raises(ValueError, match=r"> 0 for loss=Relative\(\); the smallest"):
        MMOERegressor(loss=Relative()).fit(X, -y["age"])


def test_a_loss_of_ones_own_decides_the_type_of_a_task(table):
    X, y = table
    losses = {"visits": Relative(), "churn": Brier()}
    model = MultiTaskEstimator(**ONE_EPOCH, loss=losses).fit(X, y)
    assert model.task_types_ == {
        "churn": "binary",
        "buy": "binary",
        "age": "regression",
        "visits": "regression",
    }
    kinds = [type(output).__name__ for output in model.predictor_.structure.outputs]
    assert kinds == ["Square", "ClassOutput", "SquaredErrorOutput", "Relative"]


def test_a_class_loss_of_ones_own_takes_any_number_of_classes(table):
    X, y = table
    y = y[["churn"]].assign(town=X["town"])
    model = MMOEClassifier(**ONE_EPOCH, loss=Brier()).fit(X[["age"]], y)
    assert [p.shape[1] for p in model.predict_proba(X[["age"]])] == [2, 3]
    X, y = funnel_table(200)
    steps = {"click": Square(2), "conversion": Focal(1)}
    model = MMOEClassifier(**ONE_EPOCH, structure="funnel", loss=steps).fit(X, y)
    click, conversion = (p[:, 1] for p in model.predict_proba(X))
    assert (conversion <= click).all()


def test_quantiles_hold_their_share_of_the_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    y = 100 + 20 * X[:, 0] + 10 * np.exp(X[:, 1] / 2) * rng.normal(size=2000)
    y = pd.DataFrame({"a": y, "b": -y, "c": y})
    levels = {"a": Quantile((0.1, 0.5, 0.9)), "b": Quantile((0.2, 0.3))}
    options = {"max_epochs": 8, "random_state": 0}
    model = MMOERegressor(**options, loss=levels).fit(X[:1000], y[:1000])
    a, b, c = model.predict_quantiles(X[1000:])
    assert c is None
    assert a.shape == (1000, 3)
    assert (np.diff(a) >= 0).all()
    held = (y["a"][1000:].to_numpy()[:, None] <= a).mean(0)
    np.testing.assert_allclose(held, [0.1, 0.5, 0.9], atol=0.05)
    predicted = model.predict(X[1000:])
    np.testing.assert_array_equal(predicted[:, :2], np.column_stack([a[:, 1], b[:, 1]]))
    assert model.task("a").score(X[1000:], y["a"][1000:]) > 0.5


def test_quantiles_need_a_task_of_quantiles(table):
    X, y = table
    model = MMOERegressor(**ONE_EPOCH).fit(X, y["age"])
    with pytest.raises(AttributeError) as caught:
        model.predict_quantiles  # noqa: B018
    assert "learnt by quantiles; found none" in str(caught.value.__cause__)
    model.set_params(loss=Quantile((0.3, 0.6))).fit(X, y["age"])
    assert model.predict_quantiles(X).shape == (300, 2)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            TopK(),
            r"or a Loss; found TopK\(\), a Gate\. Use one of these names",
        ),
        (torch.nn.functional.mse_loss, "functions and modules are not taken"),
        ("squared_eror", r"found 'squared_eror'\. Did you mean 'squared_error'"),
        (AbsoluteErrorOutput, r"AbsoluteErrorOutput\. Write AbsoluteErrorOutput\(\)"),
        (Huber, r"found the class Huber\. Write Huber\(\)"),
        (
            Focal(2),
            r"must be a loss of numbers, .*; found .focal., a loss of classes",
        ),
        ({"age": "log_loss"}, r"loss\['age'\] must be a loss of numbers, such as 'squ"),
        ({"agee": "huber"}, r"keyed by task names .*; found \['agee'\]\. Correct"),
        (["huber"], "one entry per task .* found 1:"),
        (Quantile((0.9, 0.1)), r"strictly increasing; found \(0\.9, 0\.1\)\. Sort"),
        (
            Homeless(),
            r"an attribute domain, .*found Homeless\(\) with domain",
        ),
        (
            Mistaken(),
            r"make_output must return a TaskOutput of the domain .real",
        ),
        (Huber(0), "'delta' parameter of loss=Huber must be a float in the range"),
        (Square(2), r"a loss of numbers, .*found Square\(.*\), a loss of classes"),
    ],
)
def test_what_is_no_loss_of_numbers_is_refused(table, loss, message):
    X, y = table
    with pytest.raises(ValueError, match=message):
        MMOERegressor(loss=loss).fit(X, y[["age", "visits"]])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("huber", "must be a loss of classes, .*; found 'huber', a loss of numbers"),
        (Relative(), r"found Relative\(\), a loss of numbers\. Use one that fits"),
        (Square(3), r"must be for its 2 classes; found Square\(n_classes=3"),
        (CrossEntropy(label_smoothing=1), "'label_smoothing' parameter of loss=CrossE"),
    ],
)
def test_what_is_no_loss_of_classes_is_refused(table, loss, message):
    X, y = table
    with pytest.raises(ValueError, match=message):
        MMOEClassifier(loss=loss).fit(X, y[["churn", "buy"]])
