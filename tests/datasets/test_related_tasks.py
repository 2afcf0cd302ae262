import numpy as np
import pandas as pd
import pytest
from sklearn.utils import check_random_state

from sk_mtl.datasets import make_related_tasks
from sk_mtl.datasets._related_tasks import _mixing


def correlation_of_labels(**params):
    y = make_related_tasks(20_000, random_state=0, **params)[1]
    return y.corr().to_numpy()[np.triu_indices(y.shape[1], k=1)]


def test_two_directions_are_those_of_the_paper():
    np.testing.assert_allclose(_mixing(2, 0.6), [[1.0, 0.0], [0.6, 0.8]], atol=1e-15)


@pytest.mark.parametrize(
    ("n_tasks", "correlation"),
    [(1, 0.5), (2, -1), (2, 0), (2, 1), (3, -0.5), (4, 0.3), (6, -0.2), (5, 1)],
)
def test_every_two_directions_have_the_cosine(n_tasks, correlation):
    directions = _mixing(n_tasks, correlation)
    expected = np.full((n_tasks, n_tasks), float(correlation))
    np.fill_diagonal(expected, 1.0)
    np.testing.assert_allclose(directions @ directions.T, expected, atol=1e-12)


@pytest.mark.parametrize("task_type", ["regression", "classification"])
def test_correlation_of_the_labels_grows_with_the_parameter(task_type):
    grid = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1]
    got = [correlation_of_labels(correlation=c, task_type=task_type)[0] for c in grid]
    assert (np.diff(got) > 0.05).all()
    assert got[4] == pytest.approx(0, abs=0.02)
    assert got[-1] > 0.95
    assert got[0] < -0.95


def test_all_pairs_of_many_tasks_correlate_alike():
    low = correlation_of_labels(n_tasks=4, correlation=0.3)
    high = correlation_of_labels(n_tasks=4, correlation=0.8)
    assert np.ptp(low) < 0.05
    assert np.ptp(high) < 0.05
    assert low.max() < high.min()


def test_shapes_and_types():
    X, y = make_related_tasks(50, 7, n_tasks=3, random_state=0)
    assert list(X.columns) == [f"feature_{i}" for i in range(7)]
    assert list(y.columns) == ["task_0", "task_1", "task_2"]
    assert X.shape == (50, 7)
    assert y.shape == (50, 3)
    assert (X.dtypes == np.float64).all()
    assert (y.dtypes == np.float64).all()


def test_classification_halves_the_rows_of_the_regression_at_its_median():
    values = make_related_tasks(101, random_state=3)[1]
    labels = make_related_tasks(101, task_type="classification", random_state=3)[1]
    assert (labels.dtypes == np.int64).all()
    pd.testing.assert_frame_equal(labels, (values > values.median()).astype(np.int64))
    assert labels.sum().tolist() == [50, 50]


def test_noise_is_added_to_the_same_curve():
    clean = make_related_tasks(20_000, noise=0, random_state=0)[1]
    noisy = make_related_tasks(20_000, noise=0.5, random_state=0)[1]
    added = noisy - clean
    assert added.std().to_numpy() == pytest.approx([0.5, 0.5], rel=0.03)
    assert added.corr().iloc[0, 1] == pytest.approx(0, abs=0.03)


def test_random_state_alone_decides():
    shared = check_random_state(None)
    before = shared.get_state()[1].copy()
    X, y = make_related_tasks(100, random_state=5)
    again = make_related_tasks(100, random_state=np.random.RandomState(5))
    pd.testing.assert_frame_equal(X, again[0], check_exact=True)
    pd.testing.assert_frame_equal(y, again[1], check_exact=True)
    assert not make_related_tasks(100, random_state=6)[0].equals(X)
    # The features do not depend on how the tasks are related.
    assert make_related_tasks(100, correlation=0.9, random_state=5)[0].equals(X)
    assert (shared.get_state()[1] == before).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"n_features": 3, "n_tasks": 4},
            r"n_features must be at least n_tasks, 4, .* found 3. Ask for more",
        ),
        (
            {"n_tasks": 3, "correlation": -0.6},
            r"correlation must be at least .* = -0.5 for 3 tasks.* found -0.6. Raise",
        ),
        (
            {"correlation": 1.5},
            r"'correlation' .* in the range \[-1.0?, 1.0?\]. Got 1.5",
        ),
        ({"task_type": "ranking"}, r"'task_type' parameter .* Got 'ranking'"),
        ({"noise": -1}, r"'noise' parameter .* Got -1"),
        ({"n_tasks": 0}, r"'n_tasks' parameter .* Got 0"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make_related_tasks(10, **params)
