"""Preprocessors whose steps learn from labels."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_classif,
)
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from sk_mtl import MMOEClassifier, MMOERegressor, MultiTaskEstimator
from sk_mtl.estimators._features._supervised_steps import (
    LabelledOnly,
    fit_transform_labelled,
    needs_labels,
)
from sk_mtl.estimators._training._random import isolated_random_state
from sk_mtl.preprocessing import CategoryEncoder, make_tabular_preprocessor
from tests.estimators.common import QUICK, assert_equal_proba

N = 240


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "n": rng.normal(size=N),
            "m": rng.normal(size=N),
            "c": rng.choice(list("abcd"), N),
        }
    )
    # More than one category tells the label, by its rate.
    rates = {"a": 0.1, "b": 0.4, "c": 0.6, "d": 0.9}
    a = np.where(rng.random(N) < X["c"].map(rates), "v", "u")
    return X, pd.DataFrame({"a": a, "b": rng.integers(0, 2, N)})


def columns():
    return ColumnTransformer(
        [("n", StandardScaler(), ["n"]), ("t", TargetEncoder(), ["c"])],
        verbose_feature_names_out=False,
    )


class Supervised(TransformerMixin, BaseEstimator):
    """A step that does not tell that it learns from labels."""

    def fit(self, X, y=None):
        self.labels_ = None if y is None else list(y)
        return self

    def transform(self, X):
        return np.asarray(X)[:, :1]


@pytest.mark.parametrize(
    "step",
    [
        TargetEncoder(),
        SelectKBest(k=1),
        SelectFromModel(LogisticRegression()),
        RFE(LogisticRegression()),
        SequentialFeatureSelector(LogisticRegression()),
        LinearDiscriminantAnalysis(),
        make_pipeline(StandardScaler(), SelectKBest(f_classif)),
        FeatureUnion([("a", StandardScaler()), ("b", SelectKBest())]),
        ColumnTransformer([("a", "passthrough", [0])], remainder=TargetEncoder()),
    ],
    ids=lambda step: type(step).__name__,
)
def test_steps_that_learn_from_labels(step):
    assert needs_labels(step)


@pytest.mark.parametrize(
    "step",
    [
        StandardScaler(),
        VarianceThreshold(),
        CategoryEncoder(),
        OneHotEncoder(),
        IterativeImputer(),
        SelectKBest(lambda X: X.var(axis=0)),
        make_tabular_preprocessor(),
        "passthrough",
        None,
        Supervised(),
    ],
    ids=lambda step: type(step).__name__,
)
def test_steps_that_do_not(step):
    assert not needs_labels(step)


def test_a_target_encoder_crosses_folds_on_the_training_rows(table):
    X, y = table
    seen = []

    class Spy(TargetEncoder):
        def fit_transform(self, X, y):
            seen.append(super().fit_transform(X, y))
            return seen[-1]

    steps = [("n", StandardScaler(), ["n"]), ("t", Spy(), ["c"])]
    model = MMOEClassifier(preprocessor=ColumnTransformer(steps), **QUICK).fit(X, y)
    encoder = model.preprocessor_.named_transformers_["t"]
    assert encoder.classes_.tolist() == ["u", "v"]
    plain = TargetEncoder().fit(X[["c"]], y["a"])
    np.testing.assert_array_equal(encoder.encodings_[0], plain.encodings_[0])
    difference = np.abs(seen[0] - plain.transform(X[["c"]]))
    assert 0.001 < difference.mean() < 0.1, "no row is encoded by its own label"


def test_the_first_task_is_the_default(table):
    X, y = table
    encodings = {}
    for task in (None, "a", "b"):
        model = MMOEClassifier(
            preprocessor=columns(), target_for_preprocessor=task, **QUICK
        )
        encoder = model.fit(X, y).preprocessor_["t"]
        encodings[task] = encoder.encodings_[0]
    np.testing.assert_array_equal(encodings[None], encodings["a"])
    assert np.abs(encodings["a"] - encodings["b"]).max() > 0.05


@pytest.mark.parametrize("by", ["missing label", "weight 0"])
def test_rows_without_a_label_are_transformed_only(table, by):
    X, y = table
    labelled, weight = np.arange(N) % 3 > 0, None
    if by == "weight 0":
        weight = np.column_stack([labelled, np.ones(N)])
    else:
        y = y.assign(a=y["a"].where(labelled))
    model = MMOEClassifier(preprocessor=columns(), **QUICK)
    fitted = model.fit(X, y, sample_weight=weight).preprocessor_
    expected = TargetEncoder().fit(X.loc[labelled, ["c"]], y.loc[labelled, "a"])
    assert type(fitted["t"]) is TargetEncoder
    assert type(fitted.transformers[1][1]) is TargetEncoder
    np.testing.assert_array_equal(fitted["t"].encodings_[0], expected.encodings_[0])
    assert fitted["n"].n_samples_seen_ == N, "steps without labels see every row"


def test_labelled_rows_are_crossed_and_the_others_transformed(table):
    X, y = table
    labels = np.array(y["a"], dtype=object)
    labels[::3] = None
    known = np.arange(N) % 3 > 0
    processor = torch.device("cpu")
    with isolated_random_state(0, processor):
        preprocessor, encoded = fit_transform_labelled(
            columns(), X, labels, named=False
        )
    found, plain = encoded[:, 1:], preprocessor.transform(X)[:, 1:]
    np.testing.assert_array_equal(found[~known], plain[~known])
    with isolated_random_state(0, processor):
        crossed = TargetEncoder().fit_transform(X.loc[known, ["c"]], y["a"][known])
    np.testing.assert_array_equal(found[known], crossed)


@pytest.mark.parametrize("output", ["array", "sparse", "pandas"])
def test_rows_stay_in_order(output):
    class Doubled(Supervised):
        def transform(self, X):
            if output == "sparse":
                return sparse.csr_matrix(np.asarray(X) * 2)
            return X * 2

    X = pd.DataFrame({"x": np.arange(1.0, 9.0)}, index=list("abcdefgh"))
    y = np.array([0, None, 1, None, None, 0, 1, None], dtype=object)
    step = LabelledOnly(Doubled())
    doubled = step.fit_transform(X if output != "array" else X.to_numpy(), y)
    if output == "pandas":
        pd.testing.assert_frame_equal(doubled, X * 2)
    doubled = doubled.toarray() if output == "sparse" else np.asarray(doubled)
    np.testing.assert_array_equal(doubled[:, 0], np.arange(1, 9) * 2)
    assert step.transformer_.labels_ == [0, 1, 0, 1]


SELECTORS = {
    "alone": lambda: SelectKBest(k=1),
    "pipeline": lambda: make_pipeline(StandardScaler(), SelectKBest(k=1)),
    "model": lambda: SelectFromModel(LogisticRegression(), max_features=1),
    "union": lambda: FeatureUnion([("a", SelectKBest(k=1)), ("b", StandardScaler())]),
    "nested": lambda: ColumnTransformer(
        [("n", make_pipeline(StandardScaler(), SelectKBest(k=1)), ["n", "m"])]
    ),
}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", SELECTORS)
def test_selectors(table, kind, missing):
    X, y = table[0][["n", "m"]], table[1]
    y = y.assign(a=np.where(X["m"] > 0, "v", "u"))
    if missing:
        y.loc[::2, "a"] = None
    model = MMOEClassifier(preprocessor=SELECTORS[kind](), check_leaks=False, **QUICK)
    model.fit(X, y)
    assert model.schema_.numeric_names[0].endswith("m")
    assert "LabelledOnly" not in repr(vars(model.preprocessor_))
    assert model.predict(X).shape == (N, 2)


def test_steps_that_ignore_labels_are_fitted_as_before(table):
    X, y = table
    plain = MMOEClassifier(preprocessor=make_tabular_preprocessor(), **QUICK).fit(X, y)
    named = MMOEClassifier(
        preprocessor=make_tabular_preprocessor(), target_for_preprocessor="b", **QUICK
    ).fit(X, y)
    assert_equal_proba(plain.predict_proba(X), named.predict_proba(X))


def test_a_named_task_is_handed_to_steps_that_do_not_tell(table):
    X, y = table[0][["n", "m"]], table[1].copy()
    y.loc[::2, "a"] = None
    silent = MMOEClassifier(preprocessor=Supervised(), **QUICK).fit(X, y)
    assert silent.preprocessor_.labels_ is None
    named = silent.set_params(target_for_preprocessor="a").fit(X, y)
    assert named.preprocessor_.labels_ == y["a"].dropna().tolist()


def test_numbers_as_labels(table):
    X, _ = table
    noise = np.random.default_rng(1).normal(size=(N, 2))
    y = pd.DataFrame(noise * 100 + 500, columns=["price", "size"])
    model = MMOERegressor(preprocessor=columns(), **QUICK).fit(X, y)
    assert model.preprocessor_["t"].target_type_ == "continuous"
    assert 400 < model.preprocessor_["t"].target_mean_ < 600
    y.insert(0, "kind", table[1]["a"])
    mixed = MultiTaskEstimator(preprocessor=columns(), **QUICK).fit(X, y)
    assert mixed.preprocessor_["t"].target_type_ == "binary"


def test_partial_fit_learns_from_the_first_rows(table):
    X, y = table
    model = MMOEClassifier(preprocessor=columns(), **QUICK).partial_fit(X, y)
    encodings = model.preprocessor_["t"].encodings_[0].copy()
    model.partial_fit(X[:50], y[:50])
    np.testing.assert_array_equal(model.preprocessor_["t"].encodings_[0], encodings)


def test_the_seed_decides_the_folds(table):
    X, y = table
    pre = ColumnTransformer([("t", TargetEncoder(), ["c"])], remainder="drop")
    first, second = (MMOEClassifier(preprocessor=pre, **QUICK).fit(X, y) for _ in "ab")
    assert_equal_proba(first.predict_proba(X), second.predict_proba(X))


def test_a_target_that_is_no_task(table):
    X, y = table
    model = MMOEClassifier(
        preprocessor=columns(), target_for_preprocessor="click", **QUICK
    )
    message = (
        r"target_for_preprocessor must be None or one .* \['a', 'b'\]; found 'click'"
    )
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_a_first_call_without_a_label_of_the_task(table):
    X, y = table
    y = y.assign(a=pd.Series([None] * N, dtype=object))
    model = MMOEClassifier(preprocessor=columns(), **QUICK)
    message = "must have rows with a label of task 'a'; found none. Name another task"
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, y, classes=[["u", "v"], [0, 1]])
