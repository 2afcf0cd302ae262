import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from sk_mtl.metrics import NUMBER_METRICS, task_metric

Y = np.array([1.0, 2.0, 4.0, 5.0])
P = np.array([2.0, 2.0, 3.0, 5.0])
SKLEARN = {
    "r2": sklearn.metrics.r2_score,
    "mean_squared_error": sklearn.metrics.mean_squared_error,
    "root_mean_squared_error": sklearn.metrics.root_mean_squared_error,
    "mean_absolute_error": sklearn.metrics.mean_absolute_error,
    "mean_absolute_percentage_error": sklearn.metrics.mean_absolute_percentage_error,
    "mean_pinball_loss": sklearn.metrics.mean_pinball_loss,
    "mean_poisson_deviance": sklearn.metrics.mean_poisson_deviance,
    "mean_gamma_deviance": sklearn.metrics.mean_gamma_deviance,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # Squared errors 1, 0, 1, 0; squared distances from the mean 3 are 4, 1, 1, 4.
        ("r2", 1 - 2 / 10),
        ("mean_squared_error", 0.5),
        ("root_mean_squared_error", np.sqrt(0.5)),
        ("mean_absolute_error", 0.5),
        ("mean_absolute_percentage_error", (1 / 1 + 1 / 4) / 4),
        # Half the absolute errors at level 0.5; at 0.9 numbers above their prediction
        # count nine times as much as those below it.
        ("mean_pinball_loss", 0.25),
        ("mean_pinball_loss@0.9", (0.1 * 1 + 0.9 * 1) / 4),
        ("neg_mean_pinball_loss@0.8", -(0.2 * 1 + 0.8 * 1) / 4),
        # Twice y log(y / p) + p - y: the second and the fourth row are exact.
        ("mean_poisson_deviance", (np.log(1 / 2) + 1 + 4 * np.log(4 / 3) - 1) / 2),
        # Twice log(p / y) + y / p - 1.
        ("mean_gamma_deviance", (np.log(2) - 1 / 2 + np.log(3 / 4) + 1 / 3) / 2),
    ],
)
def test_value_worked_by_hand(name, value):
    assert task_metric(name)(Y, P) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SKLEARN)
def test_equals_sklearn(name, weighted):
    rng = np.random.default_rng(0)
    y, pred = rng.gamma(2.0, size=(2, 200))
    weight = rng.integers(0, 4, 200) if weighted else None
    expected = SKLEARN[name](y, pred, sample_weight=weight)
    assert task_metric(name)(y, pred, weight) == pytest.approx(expected, rel=1e-12)


def test_every_name_is_tried_and_losses_have_a_negative():
    losses = [name for name in SKLEARN if name != "r2"]
    assert set(NUMBER_METRICS) == {*SKLEARN, *(f"neg_{name}" for name in losses)}


@pytest.mark.parametrize("name", NUMBER_METRICS)
def test_weights_equal_repeated_rows_and_zero_equals_absence(name):
    rng = np.random.default_rng(3)
    y, pred = rng.gamma(2.0, size=(2, 60))
    weight = rng.integers(0, 4, 60)
    metric = task_metric(name)
    repeated = metric(y.repeat(weight), pred.repeat(weight))
    assert metric(y, pred, weight) == pytest.approx(repeated, rel=1e-12)


@pytest.mark.parametrize(
    "labels",
    [
        [1.0, None, 4.0, 5.0],
        np.array([1, np.nan, 4, 5], dtype=np.float32),
        np.array([1, None, 4, 5], dtype=object),
        pd.Series([1, None, 4, 5], dtype="Int64"),
        pd.Series([1, None, 4, 5], dtype="Float64"),
    ],
    ids=lambda labels: f"{type(labels).__name__}-{getattr(labels, 'dtype', '')}",
)
@pytest.mark.parametrize("name", NUMBER_METRICS)
def test_missing_labels_are_skipped_in_every_container(name, labels):
    known = [0, 2, 3]
    expected = task_metric(name)(Y[known], P[known])
    for answers in (P, P.astype(object), P.tolist(), P[:, None], pd.Series(P)):
        assert task_metric(name)(labels, answers) == pytest.approx(expected, rel=1e-14)


def test_prediction_of_a_row_that_does_not_count_may_lack():
    answers = [2.0, np.nan, 3.0, 5.0]
    error = task_metric("mean_absolute_error")
    assert error([1.0, None, 4.0, 5.0], answers) == pytest.approx(2 / 3)
    assert error(Y, answers, [1, 0, 1, 1]) == pytest.approx(2 / 3)


def test_missing_label_of_the_users_own():
    value = task_metric("mean_absolute_error")([1, -1, 4, 5], P, missing_label=-1)
    assert value == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", NUMBER_METRICS)
def test_no_labelled_row_is_nan(name):
    assert np.isnan(task_metric(name)([np.nan, np.nan], [0.2, 0.3]))


@pytest.mark.parametrize("y", [[3.0], [2.0, 2.0, 2.0]])
def test_equal_numbers_leave_no_variance_to_explain(y):
    assert np.isnan(task_metric("r2")(y, y))
    assert task_metric("mean_squared_error")(y, y) == 0


def test_deviances_are_nan_outside_the_range_of_their_labels():
    poisson, gamma = map(task_metric, ("mean_poisson_deviance", "mean_gamma_deviance"))
    assert np.isnan(poisson([-1.0, 2.0], [1.0, 2.0]))
    # A zero is a count and no positive number.
    assert poisson([0.0, 2.0], [1.0, 2.0]) == pytest.approx(1.0)
    assert np.isnan(gamma([0.0, 2.0], [1.0, 2.0]))


@pytest.mark.parametrize("prediction", [0.0, -1.0])
@pytest.mark.parametrize("name", ["mean_poisson_deviance", "mean_gamma_deviance"])
def test_mean_that_cannot_be_is_infinitely_bad(name, prediction):
    answers = [prediction, 2.0]
    assert task_metric(name)([1.0, 2.0], answers) == np.inf
    assert task_metric(f"neg_{name}")([1.0, 2.0], answers) == -np.inf


@pytest.mark.parametrize(
    ("y", "pred", "message"),
    [
        (Y, P[:3], r"predictions of 'y_true' must have shape \(4,\); found \(3,\)"),
        (Y, np.ones((4, 2)), r"must have shape \(4,\); found \(4, 2\)"),
        (Y, [1, np.nan, 2, 3], r"predictions .* must be finite; found nan\. Pass the"),
        (
            Y,
            ["a", 1, 2, 3],
            r"predictions .* must hold numbers; found 'a'\. Pass the o",
        ),
        (
            [1, "b", 2, 3],
            P,
            r"labels of 'y_true' must hold numbers; found 'b'\. Score",
        ),
        ([1, np.inf, 2, 3], P, r"labels of 'y_true' must be finite; found inf"),
        (np.ones((4, 2)), P, r"y_true must hold one task; found 2 columns"),
    ],
)
def test_bad_input_says_required_found_remedy(y, pred, message):
    y, pred = (
        np.array(a, dtype=object) if isinstance(a, list) else a for a in (y, pred)
    )
    with pytest.raises(ValueError, match=message):
        task_metric("r2")(y, pred)
