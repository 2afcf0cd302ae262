import numpy as np
import pandas as pd
import pytest

from sk_mtl.metrics import funnel_scores, task_scores
from tests.estimators.common import refuse
from tests.metrics.common import MixedModel, mixed_tasks
from tests.metrics.test_funnel_scores import MODEL, X as FUNNEL_X, Y as FUNNEL_Y

Y = pd.DataFrame(
    {"click": [0, 1, 1, 0, 1, None], "like": ["n", "y", "n", "y", "y", "n"]}
)
P = np.array([[0.2, 0.3], [0.8, 0.6], [0.6, 0.1], [0.4, 0.9], [0.5, 0.5], [0.1, 0.2]])
DEVICE = pd.Series(["web", "web", "app", "app", "app", "web"], name="device")
OPTIONS = {"metrics": ("roc_auc", "log_loss"), "pos_label": {"like": "y"}}


def test_counts_calibration_and_metrics_of_every_segment():
    scores = task_scores(Y, P, by=DEVICE, **OPTIONS)
    assert scores.index.names == ["task", "device"]
    assert list(scores) == [
        *("n_rows", "n_positive", "calibration_ratio", "roc_auc", "log_loss"),
    ]
    app, web = DEVICE == "app", DEVICE == "web"
    found = scores.loc["click"]
    assert found["n_rows"].tolist() == [5, 3, 2]
    assert found["n_positive"].tolist() == [3, 2, 1]
    assert found["calibration_ratio"].tolist() == pytest.approx(
        [2.5 / 3, 1.5 / 2, 1.0 / 1]
    )
    metrics = OPTIONS["metrics"]
    for label, rows in (("all rows", app | web), ("app", app), ("web", web)):
        expected = task_scores(Y[rows], P[rows], **OPTIONS)
        pd.testing.assert_frame_equal(
            scores.xs(label, level="device")[list(metrics)], expected
        )


def test_weights_count_in_the_ratio_and_not_in_the_counts():
    weight = np.array([1, 2, 1, 0, 3, 1])
    scores = task_scores(Y, P, by=DEVICE, sample_weight=weight, **OPTIONS)
    app = scores.loc[("like", "app")]
    assert (app["n_rows"], app["n_positive"]) == (2, 1)
    assert app["calibration_ratio"] == pytest.approx((1 * 0.1 + 3 * 0.5) / 3)


def test_segments_of_any_type():
    for by in (DEVICE.tolist(), DEVICE.to_numpy(), DEVICE.astype("category")):
        pd.testing.assert_frame_equal(
            task_scores(Y, P, by=by, **OPTIONS).rename_axis(["task", "device"]),
            task_scores(Y, P, by=DEVICE, **OPTIONS),
        )
    assert (
        task_scores(Y, P, by=[1, 1, 2, 2, 2, 1], **OPTIONS).index.names[1] == "segment"
    )
    gap = DEVICE.mask(DEVICE == "web")
    labels = task_scores(Y, P, by=gap, **OPTIONS).loc["like"].index
    assert labels[:2].tolist() == ["all rows", "app"]
    assert pd.isna(labels[2])


def test_categories_keep_their_order():
    by = pd.Categorical(DEVICE, categories=["web", "app"])
    labels = task_scores(Y, P, by=by, **OPTIONS).loc["like"].index
    assert labels.tolist() == ["all rows", "web", "app"]


def test_tasks_of_numbers_and_of_more_classes():
    X, y = mixed_tasks()
    model = MixedModel(numbers=("spend", "visits")).fit(X, y)
    rows = (X["a"] > 0).rename("high")
    options = {"y_pred": model.predict(X), "metrics": ("accuracy", "r2")}
    scores = task_scores(y, model.predict_proba(X), by=rows, **options)
    own = scores.loc[("spend", True)]
    assert np.isnan(own["n_positive"])
    assert np.isnan(own["accuracy"])
    predicted = pd.DataFrame(model.predict(X), columns=y.columns)["spend"].astype(float)
    ratio = predicted[rows].mean() / y["spend"][rows].mean()
    assert own["calibration_ratio"] == pytest.approx(ratio)
    stars = task_scores([0, 1, 2], np.eye(3), "accuracy", by=[1, 1, 2])
    assert stars[["n_positive", "calibration_ratio"]].isna().all(axis=None)


def test_what_a_segment_leaves_undefined_is_nan_without_a_warning():
    scores = task_scores(Y["like"], P[:, 1], "roc_auc", pos_label="y", by=range(6))
    assert scores["roc_auc"].notna().tolist() == [True] + [False] * 6


@pytest.mark.parametrize(
    ("by", "found"),
    [("device", "the name 'device'"), (len, "the function <built-in function len>")],
)
def test_task_scores_have_no_table_to_look_a_column_up(by, found):
    refuse(
        lambda: task_scores(Y, P, by=by, **OPTIONS),
        f"by must hold one segment per row; found {found}. Give a column, for instance "
        "by=X['device'].",
    )


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (
            "devise",
            "by must be a column of X, a function of X, or one segment per row; found "
            "'devise', and columns ['ctr', 'cvr', 'device']. Did you mean 'device'?",
        ),
        (
            "os",
            "by must be a column of X, a function of X, or one segment per row; found "
            "'os', and columns ['ctr', 'cvr', 'device']. Name one of them, or give an "
            "array.",
        ),
        (
            ["a", "b"],
            "by must hold one segment per row, in shape (6,); found shape (2,). Give "
            "one column, or join several into one.",
        ),
        (
            FUNNEL_X[["ctr", "cvr"]],
            "by must hold one segment per row; found a table with the columns ['ctr', "
            "'cvr']. Give a column, for instance by=X['device'].",
        ),
    ],
)
def test_segments_that_are_not_there(by, message):
    refuse(lambda: funnel_scores(MODEL, FUNNEL_X, FUNNEL_Y, by=by), message)
