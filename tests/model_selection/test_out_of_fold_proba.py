import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl import SharedBottomClassifier
from sk_mtl.model_selection import TaskStratifiedKFold, out_of_fold_proba
from tests.metrics.common import (
    MixedModel,
    OneModelPerTask,
    mixed_tasks,
    random_tasks,
)

X, Y = random_tasks(200)
BINARY = Y[["click"]].assign(other=(Y["stars"] > 1).astype(int))


class Rates(OneModelPerTask):
    """Predicts each task's class shares among the training rows."""

    def fit(self, X, y, sample_weight=None):
        y = pd.DataFrame(y)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        self.classes_, self.shares_ = [], []
        for name in y:
            known = y[name].notna().to_numpy()
            labels = y[name].to_numpy()[known].tolist()
            classes, codes = np.unique(labels, return_inverse=True)
            self.classes_.append(classes)
            self.shares_.append(np.bincount(codes, weight[known]) / weight[known].sum())
        return self

    def predict_proba(self, X):
        return [np.tile(share, (len(X), 1)) for share in self.shares_]


def assert_equal(found, expected):
    assert type(found) is type(expected)
    np.testing.assert_equal(found, expected)


def test_shares_worked_by_hand():
    y = pd.DataFrame({"a": [0, 0, 1, 1], "b": ["x", None, "x", "y"]})
    a, b = out_of_fold_proba(Rates(), np.zeros((4, 1)), y, cv=KFold(4))
    np.testing.assert_allclose(a[:, 1], [2 / 3, 2 / 3, 1 / 3, 1 / 3])
    # A row's own label does not count, and the missing one counts nowhere.
    np.testing.assert_allclose(b[:, 0], [1 / 2, 2 / 3, 1 / 2, 1])


def test_class_that_a_fold_never_saw_has_probability_zero():
    y = np.array([[3], [1], [1], [2]])
    (proba,) = out_of_fold_proba(Rates(), np.zeros((4, 1)), y, cv=KFold(4))
    expected = [
        [2 / 3, 1 / 3, 0],
        [1 / 3, 1 / 3, 1 / 3],
        [1 / 3] * 3,
        [2 / 3, 0, 1 / 3],
    ]
    np.testing.assert_allclose(proba, expected)


@pytest.mark.parametrize("n_splits", [None, 3])
def test_several_tasks_are_stratified(n_splits):
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    found = out_of_fold_proba(forest, X, BINARY, cv=n_splits)
    folds = TaskStratifiedKFold(n_splits or 5)
    assert_equal(found, out_of_fold_proba(forest, X, BINARY, cv=folds))


@pytest.mark.parametrize("cv", [KFold(3), KFold(4, shuffle=True, random_state=1)])
def test_several_tasks_without_gaps_equal_cross_val_predict(cv):
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    expected = cross_val_predict(forest, X, BINARY, cv=cv, method="predict_proba")
    assert_equal(out_of_fold_proba(forest, X, BINARY, cv=cv), expected)


@pytest.mark.parametrize("column", ["click", "like", "stars"])
@pytest.mark.parametrize("cv", [None, 3, KFold(4, shuffle=True, random_state=1)])
def test_one_task_equals_cross_val_predict(column, cv):
    args = (GaussianNB(), X, Y[column])
    expected = cross_val_predict(*args, cv=cv, method="predict_proba")
    assert_equal(out_of_fold_proba(*args, cv=cv), expected)


def test_y_keeps_names_types_and_gaps():
    proba = out_of_fold_proba(OneModelPerTask(), X, Y, cv=KFold(2))
    assert [p.shape for p in proba] == [(200, n) for n in (2, 2, 3, 2)]
    half = OneModelPerTask().fit(X[100:], Y[100:])
    assert half.task_names_ == ["click", "like", "stars", "buy"]
    for found, expected in zip(proba, half.predict_proba(X[:100]), strict=True):
        np.testing.assert_array_equal(found[:100], expected)
    wrong = cross_val_predict(
        OneModelPerTask(), X, Y[["buy"]], cv=KFold(2), method="predict_proba"
    )
    assert wrong[0].shape == (200, 3), "scikit-learn no longer makes a class of a gap"


def test_one_task_with_gaps_is_stratified():
    proba = out_of_fold_proba(OneModelPerTask(), X, Y["buy"])
    folds = TaskStratifiedKFold()
    found = out_of_fold_proba(OneModelPerTask(), X, Y["buy"], cv=folds)
    np.testing.assert_array_equal(proba, found)


def test_a_number_of_folds_keeps_groups_together():
    groups = np.arange(len(X)) // 10
    for y in (Y["click"], Y):
        found = out_of_fold_proba(OneModelPerTask(), X, y, cv=4, groups=groups)
        folds = TaskStratifiedKFold(4)
        expected = out_of_fold_proba(OneModelPerTask(), X, y, cv=folds, groups=groups)
        assert_equal(found, expected)


def test_one_task_is_stratified_as_in_sklearn():
    y = np.sort(Y["click"])
    default = out_of_fold_proba(GaussianNB(), X, y)
    strata = out_of_fold_proba(GaussianNB(), X, y, cv=StratifiedKFold(5))
    np.testing.assert_array_equal(default, strata)


@pytest.mark.parametrize("container", [np.asarray, pl.DataFrame, list])
def test_containers_give_the_same(container):
    expected = out_of_fold_proba(GaussianNB(), X, Y["click"], cv=3)
    rows = X.to_numpy().tolist() if container is list else X
    labels = Y["click"].tolist() if container is list else Y["click"]
    found = out_of_fold_proba(GaussianNB(), container(rows), labels, cv=3)
    np.testing.assert_allclose(found, expected)


def test_polars_labels_and_sparse_rows():
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    expected = out_of_fold_proba(forest, X, BINARY, cv=3)
    rows, labels = sparse.csr_array(X.to_numpy()), pl.from_pandas(BINARY)
    for found, p in zip(out_of_fold_proba(forest, rows, labels, cv=3), expected):
        np.testing.assert_allclose(found, p)


def test_record_batches_are_tables():
    model = SharedBottomClassifier(max_epochs=1, random_state=0)
    batch = pa.RecordBatch.from_pandas(BINARY)
    proba = out_of_fold_proba(model, X, batch, cv=2, sample_weight=batch)
    expected = out_of_fold_proba(model, X, BINARY, cv=2, sample_weight=BINARY)
    np.testing.assert_array_equal(proba, expected)


def test_pipeline_passes_the_weights_to_its_last_step():
    weight = np.random.default_rng(0).random(200)
    plain = out_of_fold_proba(OneModelPerTask(), X, Y, sample_weight=weight)
    pipeline = make_pipeline("passthrough", OneModelPerTask())
    piped = out_of_fold_proba(pipeline, X, Y, sample_weight=weight)
    for found, expected in zip(piped, plain, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_pipeline_routes_the_weights_where_routing_is_enabled():
    weight = np.random.default_rng(0).random(200)
    plain = out_of_fold_proba(OneModelPerTask(), X, Y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler(with_mean=False, with_std=False)
        model = OneModelPerTask().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(scaler.set_fit_request(sample_weight=False), model)
        routed = out_of_fold_proba(pipeline, X, Y, sample_weight=weight)
    np.testing.assert_allclose(routed[2], plain[2])


def test_weights_are_cut_to_the_fold():
    y = np.array([[0], [1], [0], [1]])
    weight = [1.0, 1.0, 3.0, 4.0]
    (proba,) = out_of_fold_proba(
        Rates(), np.zeros((4, 1)), y, cv=2, sample_weight=weight
    )
    np.testing.assert_allclose(proba[:, 1], [4 / 7, 4 / 7, 1 / 2, 1 / 2])
    (same,) = out_of_fold_proba(
        Rates(), np.zeros((4, 1)), y, cv=2, params={"sample_weight": weight}
    )
    np.testing.assert_array_equal(same, proba)


def test_weights_per_task_reach_fit():
    class Recorder(Rates):
        shapes = []

        def fit(self, X, y, sample_weight=None):
            self.shapes.append(sample_weight.shape)
            return super().fit(X, y)

    out_of_fold_proba(Recorder(), X, Y, cv=4, sample_weight=np.ones((200, 4)))
    assert Recorder.shapes == [(150, 4)] * 4


def test_groups_stay_together():
    groups = np.repeat(np.arange(20), 10)
    y = np.column_stack([groups, groups % 2])
    proba, _ = out_of_fold_proba(
        Rates(), np.zeros((200, 1)), y, cv=GroupKFold(5), groups=groups
    )
    assert (proba[np.arange(200), groups] == 0).all()


@pytest.mark.slow
def test_folds_in_parallel_equal_folds_in_turn():
    turn = out_of_fold_proba(OneModelPerTask(), X, Y, cv=3)
    parallel = out_of_fold_proba(OneModelPerTask(), X, Y, cv=3, n_jobs=2)
    for found, expected in zip(parallel, turn, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_rows_in_any_order_of_folds_and_masks_as_indices():
    folds = np.random.default_rng(0).integers(0, 4, 200)
    masks = [(folds != k, folds == k) for k in (2, 0, 3, 1)]
    found = out_of_fold_proba(GaussianNB(), X, Y["click"], cv=masks)
    expected = out_of_fold_proba(GaussianNB(), X, Y["click"], cv=PredefinedSplit(folds))
    np.testing.assert_array_equal(found, expected)


def test_estimator_is_not_fitted():
    model = OneModelPerTask()
    out_of_fold_proba(model, X, Y, cv=2)
    assert not hasattr(model, "classes_")


def test_other_estimators_of_several_tasks():
    several = MultiOutputClassifier(GaussianNB())
    chain = ClassifierChain(GaussianNB())
    for model in (several, chain):
        proba = out_of_fold_proba(model, X, BINARY, cv=3)
        assert [p.shape for p in proba] == [(200, 2), (200, 2)]
        np.testing.assert_allclose([p.sum(axis=1) for p in proba], 1)


def test_tasks_of_numbers_have_no_probabilities():
    features, y = mixed_tasks(200)
    proba = out_of_fold_proba(MixedModel(("spend", "visits")), features, y, cv=2)
    assert [None if p is None else p.shape for p in proba] == [
        *[(200, 2)] * 2,
        *[None] * 2,
    ]


def test_probabilities_keep_their_precision():
    class Single(Rates):
        def predict_proba(self, X):
            return [p.astype(np.float32) for p in super().predict_proba(X)]

    proba = out_of_fold_proba(Single(), X, Y, cv=2)
    assert {p.dtype for p in proba} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("cv", "found"),
    [
        (TimeSeriesSplit(4), "40 rows that are never tested and 0 that are"),
        ([*KFold(2).split(X), *KFold(4).split(X)], "0 rows .* and 200 that are tested"),
        (
            ShuffleSplit(2, test_size=0.5, random_state=0),
            "[1-9].* never tested and [1-9]",
        ),
    ],
)
def test_splits_that_are_no_partition_raise(cv, found):
    message = rf"cv must test every row exactly once; found {found}.*Use KFold"
    with pytest.raises(ValueError, match=message):
        out_of_fold_proba(GaussianNB(), X, Y["click"], cv=cv)


def test_lengths_that_differ_raise():
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples.*200, 150"):
        out_of_fold_proba(GaussianNB(), X, Y["click"][:150])
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples"):
        out_of_fold_proba(GaussianNB(), X, Y["click"], sample_weight=np.ones(3))


def test_a_class_in_place_of_an_estimator_raises():
    with pytest.raises(TypeError) as caught:
        out_of_fold_proba(GaussianNB, *random_tasks(30))
    assert str(caught.value) == (
        f"estimator must be one estimator, an instance; found {GaussianNB!r}. Give an "
        "instance."
    )
