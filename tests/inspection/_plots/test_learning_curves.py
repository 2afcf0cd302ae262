"""Learning curves: the losses of the history, the kept epoch, refusals."""

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sk_mtl import MMOEClassifier
from sk_mtl.inspection import LearningCurves
from tests.estimators.common import refuse


def test_frame_holds_the_losses_of_the_history(model):
    table = LearningCurves.from_estimator(model).frame()
    history = model.history_
    for prefix, part in (("train", "training"), ("valid", "validation")):
        for task in ("churn", "buy"):
            rows = table[(table["task"] == task) & (table["part"] == part)]
            if part == "training" or f"{prefix}_loss_{task}" in history:
                assert rows["loss"].tolist() == list(history[f"{prefix}_loss_{task}"])
                assert rows["epoch"].tolist() == list(history["epoch"])


def test_kept_epoch_is_marked_in_each_panel(model):
    display = LearningCurves.from_estimator(make_pipeline("passthrough", model))
    assert display.best_epoch == model.best_epoch_
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["churn", "buy"]
    for lines in display.lines_.values():
        assert lines[-1].get_xdata()[0] == model.best_epoch_


def test_unfitted_model_is_refused():
    with pytest.raises(NotFittedError):
        LearningCurves.from_estimator(MMOEClassifier())


def test_other_models_and_classes_are_refused(table):
    X, y = table
    forest = RandomForestClassifier(n_estimators=1).fit(X[["age"]], y)
    refuse(
        lambda: LearningCurves.from_estimator(forest),
        "LearningCurves needs a multi-task model of sk_mtl, alone or at the end of a "
        "pipeline or search; found RandomForestClassifier, which has no history_. Give "
        "such a model.",
        TypeError,
    )
    refuse(
        lambda: LearningCurves.from_estimator(MMOEClassifier),
        "LearningCurves needs a fitted multi-task model; found <class "
        "'sk_mtl.estimators._models._mmoe.MMOEClassifier'>. Give the estimator itself.",
        TypeError,
    )
