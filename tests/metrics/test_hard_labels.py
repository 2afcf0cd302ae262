import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl.metrics import task_metric, task_scores

RNG = np.random.default_rng(0)
Y = pd.DataFrame(RNG.integers(0, 2, (40, 2)), columns=["a", "b"])
LABELS = np.where(RNG.random((40, 2)) < 0.8, Y, 1 - Y)
PROBA = RNG.random((40, 2))
BOTH = [np.column_stack([1 - p, p]) for p in LABELS.T]


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS.astype(bool),
        LABELS.astype(float),
        LABELS.astype(object),
        LABELS.tolist(),
        np.where(LABELS, "yes", "no"),
        pd.DataFrame(LABELS, columns=["a", "b"]),
        pd.DataFrame(LABELS, columns=["a", "b"]).astype(float),
        pd.DataFrame(LABELS, columns=["a", "b"]).astype("Int64"),
        pd.DataFrame(LABELS, columns=["a", "b"]).astype("category"),
        pd.DataFrame(LABELS, columns=["a", "b"]).astype(str),
        pd.DataFrame({"a": LABELS[:, 0], "b": PROBA[:, 1]}),
        pl.DataFrame(LABELS, schema=["a", "b"]),
        pa.table({"a": LABELS[:, 0], "b": LABELS[:, 1]}),
        list(LABELS.T),
        [LABELS[:, 0], BOTH[1]],
        [LABELS[:, 0].astype(float), PROBA[:, 1]],
        [pd.Series(LABELS[:, 0]), BOTH[1]],
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_labels_of_several_tasks_are_no_probabilities(labels):
    message = (
        r"y_proba must hold probabilities; found labels: \[.*output of predict_proba"
    )
    with pytest.raises(ValueError, match=message):
        task_scores(Y, labels)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS[:, 0],
        LABELS[:, 0].astype(float),
        LABELS[:, :1],
        LABELS[:, 0].tolist(),
        pd.Series(LABELS[:, 0]),
        pl.Series(LABELS[:, 0]),
        np.where(LABELS[:, 0], "yes", "no"),
        pd.DataFrame({"a": LABELS[:, 0]}),
        [LABELS[:, 0]],
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_labels_of_one_task_are_no_probabilities(labels):
    with pytest.raises(ValueError, match="y_proba must hold probabilities; found lab"):
        task_scores(Y["a"], labels)
    with pytest.raises(ValueError, match="y_pred must hold probabilities; found lab"):
        task_metric("log_loss")(Y["a"], labels)


def test_certain_probabilities_of_both_classes_are_scored():
    right = (LABELS == Y).mean()
    for proba in (BOTH, np.array(BOTH), [p.astype(float) for p in BOTH]):
        assert task_scores(Y, proba, "accuracy")["accuracy"].tolist() == right.tolist()
    for proba in (BOTH[0], BOTH[0].astype(float), pd.DataFrame(BOTH[0])):
        found = task_scores(Y["a"], proba, "accuracy")
        assert found.loc["a", "accuracy"] == right["a"]


@pytest.mark.parametrize(
    "proba",
    [
        PROBA,
        PROBA.tolist(),
        PROBA.astype(object),
        pd.DataFrame(PROBA, columns=["a", "b"]).astype("Float64"),
        np.where(np.arange(80).reshape(40, 2) > 3, LABELS, PROBA),
    ],
    ids=["array", "list", "objects", "nullable", "nearly all certain"],
)
def test_probabilities_of_one_class_are_scored(proba):
    assert task_scores(Y, proba, "brier").notna().to_numpy().all()


@pytest.mark.parametrize("proba", [BOTH, [BOTH[0], None]])
def test_probabilities_are_no_predictions(proba):
    with pytest.raises(ValueError, match="from predict_proba"):
        task_scores(Y, y_pred=proba)


def test_classes_with_gaps_are_not_scored_as_numbers():
    y = pd.DataFrame({"churn": Y["a"].astype(float), "hours": RNG.random(40) * 40})
    y.loc[::3, "churn"] = np.nan
    pred = pd.DataFrame({"churn": LABELS[:, 0].astype(float), "hours": y["hours"] + 1})
    message = (
        r"of tasks of numbers; .*predictions of \['churn'\] are.*y_proba=\[None, None\]"
    )
    with pytest.raises(ValueError, match=message):
        task_scores(y, y_pred=pred)
    said = task_scores(y, [None, None], y_pred=pred, metrics="mean_absolute_error")
    assert said.loc["hours", "mean_absolute_error"] == pytest.approx(1)
    table = task_scores(y, [BOTH[0], None], y_pred=pred, metrics=("roc_auc", "r2"))
    assert table.isna().to_numpy().tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize(
    ("labels", "pred"),
    [
        ([0, 0, 0, 0], [0, 1, 0, 0]),
        ([3, 4, 3, 4, 5, 5], [4, 4, 4, 4, 3, 5]),
        ([True, False, True, True], [True, False, False, True]),
    ],
)
def test_predictions_that_all_are_labels_are_those_of_classes(labels, pred):
    with pytest.raises(ValueError, match="y_pred alone must be of tasks of numbers"):
        task_scores(labels, y_pred=pred)


def test_counts_beside_means_and_without_rows_are_numbers():
    for labels, pred in [
        ([0, 1, 0, 1], [0.0, 1.0, 0.5, 1.0]),
        ([0, 9, 0, 9], [3.0, 6.0, 3.0, 9.0]),
        ([1, 2, 3], [1, 2, 2]),
    ]:
        assert task_scores(labels, y_pred=pred, metrics="r2").notna().all(axis=None)
    counts = RNG.poisson(3, 40)
    assert task_scores(counts, y_pred=counts + 0.5, metrics="r2").notna().all(axis=None)
    with pytest.warns(UndefinedMetricWarning):
        task_scores([np.nan, np.nan], y_pred=[0.0, 1.0], metrics="r2")
