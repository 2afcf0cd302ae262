"""Codes behind another step than their encoder."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    HashingEncoder,
    NumericScaler,
    SequenceEncoder,
    make_tabular_preprocessor,
)

RNG = np.random.default_rng(0)
N = 60
X = pd.DataFrame(
    {
        "n": RNG.normal(size=N),
        "c": RNG.choice(list("abcdef"), N),
        "d": RNG.choice(list("xy"), N),
        "h": [RNG.integers(0, 9, RNG.integers(1, 4)).tolist() for _ in range(N)],
    }
)
Y = (X["c"] > "c").astype(int)


class Same(TransformerMixin, BaseEstimator):
    """A step of the user's own, which says nothing about its columns."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.asarray(X)


class Reversed(Same):
    def transform(self, X):
        return np.asarray(X)[:, ::-1]


class WithoutFirst(Same):
    def transform(self, X):
        return np.asarray(X)[:, 1:]


class Renamed(Same):
    def transform(self, X):
        return pd.DataFrame(np.asarray(X), columns=list("pqr"))


class PlusOne(Same):
    def transform(self, X):
        return np.asarray(X) + 1


class WithSquares(Same):
    def __init__(self, positions):
        self.positions = positions

    def transform(self, X):
        more = np.asarray(X)[:, self.positions] ** 2
        if not hasattr(X, "columns"):
            return np.hstack([X, more])
        names = [f"square{j}" for j in self.positions]
        frame = pd.DataFrame(np.asarray(X), columns=list(X.columns))
        return pd.concat([frame, pd.DataFrame(more, columns=names)], axis=1)


def columns(*more):
    steps = [("cat", CategoryEncoder(), ["c", "d"]), ("num", StandardScaler(), ["n"])]
    return ColumnTransformer([*steps, *more])


def sequences():
    return columns(("seq", SequenceEncoder(max_length=5), ["h"]))


def by(step, where):
    return ColumnTransformer([("s", step, where)], remainder="passthrough")


def read(preprocessor, table=X):
    encoded = preprocessor.fit_transform(table, Y)
    return FeatureSchema.from_preprocessor(preprocessor, encoded, table)


def names_of(schema):
    return schema.categorical_names, schema.sequence_names, schema.numeric_names


BOTH = (["c", "d"], [], ["n"])
KEPT = {
    "constants dropped": (make_pipeline(columns(), VarianceThreshold()), BOTH),
    "names one to one": (
        make_pipeline(columns(), FunctionTransformer(feature_names_out="one-to-one")),
        BOTH,
    ),
    "without names": (make_pipeline(columns(), FunctionTransformer()), BOTH),
    "selected": (make_pipeline(columns(), SelectKBest(k=2)), (["c"], [], ["n"])),
    "no gaps to impute": (make_pipeline(columns(), SimpleImputer()), BOTH),
    "own step": (make_pipeline(columns(), Same()), BOTH),
    "own step, other order": (
        make_pipeline(columns(), Reversed()),
        (["d", "c"], [], ["n"]),
    ),
    "own names": (make_pipeline(columns(), Renamed()), (["p", "q"], [], ["r"])),
    "two steps": (make_pipeline(columns(), VarianceThreshold(), Same()), BOTH),
    "frames": (
        make_pipeline(columns(), VarianceThreshold()).set_output(transform="pandas"),
        BOTH,
    ),
    "by position": (
        make_pipeline(columns(), by(MinMaxScaler(), [2])),
        (["c", "d"], [], ["num__n"]),
    ),
    "by name": (
        make_pipeline(
            columns().set_output(transform="pandas"), by(MinMaxScaler(), ["num__n"])
        ),
        (["c", "d"], [], ["num__n"]),
    ),
    "by slice": (
        make_pipeline(
            columns(), ColumnTransformer([("p", "passthrough", slice(1, 3))])
        ),
        (["d"], [], ["n"]),
    ),
    "inside a step": (
        ColumnTransformer(
            [("a", make_pipeline(CategoryEncoder(), VarianceThreshold()), ["c", "d"])]
        ),
        (["c", "d"], [], []),
    ),
    "inside a union": (
        make_union(make_pipeline(columns(), VarianceThreshold()), columns()),
        None,
    ),
    "ordinal": (
        make_pipeline(by(OrdinalEncoder(), ["c"]), Same()),
        None,
    ),
    "hashed": (
        make_pipeline(
            ColumnTransformer([("h", HashingEncoder(9), ["c"])]), VarianceThreshold()
        ),
        (["c"], [], []),
    ),
    "encoded again": (
        make_pipeline(
            ColumnTransformer([("c", CategoryEncoder(), ["c", "d"])]), CategoryEncoder()
        ),
        None,
    ),
    "sequences": (
        make_pipeline(sequences(), FunctionTransformer()),
        (["c", "d"], ["h"], ["n"]),
    ),
    "sequences without their constant places": (
        make_pipeline(sequences(), VarianceThreshold()),
        (["c", "d"], ["h"], ["n"]),
    ),
    "the default": (
        make_pipeline(make_tabular_preprocessor(), VarianceThreshold()),
        (["c", "d"], ["h"], ["n"]),
    ),
}


def table_for(kind):
    has_all = "sequences" in kind or kind == "the default"
    return X if has_all else X[["c", "n"]] if kind == "ordinal" else X[["n", "c", "d"]]


@pytest.mark.parametrize("kind", KEPT)
def test_codes_that_a_step_hands_on_stay_codes(kind):
    preprocessor, expected = KEPT[kind]
    table = table_for(kind)
    schema = read(preprocessor, table)
    if expected is not None:
        assert names_of(schema) == expected
    expected = CategoryEncoder().fit_transform(X[["c"]])[:, 0]
    codes = schema.transform(preprocessor, table).codes.T
    names = schema.categorical_names
    if kind not in ("by slice", "hashed"):
        assert any(np.array_equal(column, expected) for column in codes), names


def test_sequences_and_unseen_categories_are_read_as_without_the_step():
    plain, behind = sequences(), make_pipeline(sequences(), VarianceThreshold())
    expected, found = read(plain), read(behind)
    rows = X[:6].assign(c="unseen", h=[[1, 2], [99], [], None, [3], [4, 5, 6]])
    for table in (X, rows):
        left = expected.transform(plain, table)
        right = found.transform(behind, table)
        np.testing.assert_array_equal(left.codes, right.codes)
        np.testing.assert_array_equal(left.sequences[0], right.sequences[0])
        np.testing.assert_allclose(left.numeric, right.numeric)


def test_codes_behind_a_step_share_a_vocabulary():
    table = pd.DataFrame({"item": ["tea", "ink"] * 9, "last": ["tea", "pen"] * 9})
    preprocessor = make_pipeline(CategoryEncoder(), VarianceThreshold())
    schema, preprocessor = read(preprocessor, table).share_vocabularies(
        preprocessor, [["item", "last"]], table
    )
    new = pd.DataFrame({"item": ["pen", "ink"], "last": ["pen", "fan"]})
    assert schema.transform(preprocessor, new).codes.tolist() == [[2, 2], [1, 0]]


@pytest.mark.parametrize(
    ("handle_unknown", "text"),
    [("ignore", "a later step computes 'item_1'"), ("error", "a later step refuses")],
)
def test_codes_that_numbers_are_made_of_do_not_share(handle_unknown, text):
    """The numbers would change with the codes."""
    table = pd.DataFrame({"item": ["ink", "tea"] * 9, "last": ["ant", "bee"] * 9})
    one_hot = OneHotEncoder(handle_unknown=handle_unknown, sparse_output=False)
    preprocessor = make_pipeline(
        CategoryEncoder(),
        ColumnTransformer(
            [("codes", "passthrough", [0, 1]), ("numbers", one_hot, [0])]
        ),
    )
    schema = read(preprocessor, table)
    assert schema.categorical_names == ["item", "last"]
    match = rf"read by the network alone; found that {text}.*Give that step the raw"
    with pytest.raises(ValueError, match=match):
        schema.share_vocabularies(preprocessor, [["item", "last"]], table)


CHANGED = {
    "scaled": (make_pipeline(columns(), StandardScaler()), ["c", "d"]),
    "shifted": (make_pipeline(columns(), PlusOne()), ["c", "d"]),
    "function": (make_pipeline(columns(), FunctionTransformer(np.square)), ["c", "d"]),
    "components": (make_pipeline(columns(), PCA(2)), ["c", "d"]),
    "one of them": (make_pipeline(columns(), by(MinMaxScaler(), [0])), ["c"]),
    "inside a step": (
        ColumnTransformer(
            [("a", make_pipeline(CategoryEncoder(), StandardScaler()), ["c", "d"])]
        ),
        ["c", "d"],
    ),
    "NumericScaler": (
        ColumnTransformer(
            [("a", make_pipeline(CategoryEncoder(), NumericScaler()), ["c", "d"])]
        ),
        ["c", "d"],
    ),
    "sequences": (make_pipeline(sequences(), PlusOne()), ["c", "d", "h"]),
    "ordinal": (
        ColumnTransformer(
            [("a", make_pipeline(OrdinalEncoder(), StandardScaler()), ["c", "d"])]
        ),
        ["c", "d"],
    ),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_codes_that_a_step_changes_are_named(kind):
    preprocessor, lost = CHANGED[kind]
    listed = ", ".join(map(repr, lost))
    message = (
        f"does not hand on the codes of {listed} as they are, so .* quantities. Let "
        "the encoder be the last step of its columns"
    )
    table = X if kind == "sequences" else X[["n", "c", "d"]]
    with pytest.warns(ColumnWarning, match=message) as caught:
        schema = read(preprocessor, table)
    assert len(caught) == 1
    assert not set(lost) & {*schema.categorical_names, *schema.sequence_names}


MIXED = {
    "products": (PolynomialFeatures(2, include_bias=False), ["c", "d"]),
    "own step": (WithSquares([0]), ["c"]),
}


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
@pytest.mark.parametrize("kind", MIXED)
def test_numbers_that_a_step_computes_from_codes_are_named(kind, container):
    if container == "polars":
        pytest.importorskip("polars")
    step, mixed = MIXED[kind]
    preprocessor = make_pipeline(columns().set_output(transform=container), step)
    named = f"{type(step).__name__} computes numbers from the codes of "
    named += ", ".join(map(repr, mixed))
    with pytest.warns(ColumnWarning, match=f"{named}, which count as quantities"):
        schema = read(preprocessor, X[["n", "c", "d"]])
    # The codes themselves are handed on.
    assert len(schema.categorical_names) == 2


SILENT = {
    "one-hot": make_pipeline(
        ColumnTransformer([("c", CategoryEncoder(), ["c", "d"])]), OneHotEncoder()
    ),
    "an order that was given": make_pipeline(
        ColumnTransformer([("c", OrdinalEncoder(categories=[list("abcdef")]), ["c"])]),
        StandardScaler(),
    ),
    "left out by a selector": make_pipeline(columns(), SelectKBest(f_classif, k=1)),
    "left out by a ColumnTransformer": make_pipeline(
        columns(), ColumnTransformer([("s", MinMaxScaler(), [2])])
    ),
    "left out without a word": make_pipeline(columns(), WithoutFirst()),
    "numbers of numbers": make_pipeline(columns(), WithSquares([2])),
    "flags of gaps": make_pipeline(columns(), SimpleImputer(add_indicator=True)),
    "numbers only": make_pipeline(
        ColumnTransformer([("n", StandardScaler(), ["n"])]), MinMaxScaler()
    ),
}


@pytest.mark.parametrize("kind", SILENT)
def test_steps_that_make_no_quantities_of_codes(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(SILENT[kind], X[["n", "c", "d"]])


def test_equal_values_under_another_name_are_no_codes():
    table = X[["c"]].assign(k=CategoryEncoder().fit_transform(X[["c"]])[:, 0])
    steps = [("cat", CategoryEncoder(), ["c"]), ("num", "passthrough", ["k"])]
    preprocessor = make_pipeline(
        ColumnTransformer(steps, verbose_feature_names_out=False),
        ColumnTransformer([("s", MinMaxScaler(), [0])], remainder="passthrough"),
    )
    with pytest.warns(ColumnWarning, match="the codes of 'c' as they are"):
        schema = read(preprocessor, table)
    assert schema.categorical_names == []


def test_without_the_training_rows_codes_behind_a_step_are_numbers():
    preprocessor = make_pipeline(columns(), VarianceThreshold())
    encoded = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, encoded)
    assert schema.n_categorical == 0


def test_arrays():
    table = np.column_stack([RNG.integers(0, 5, N), RNG.normal(size=N)])
    steps = [("cat", CategoryEncoder(), [0]), ("num", StandardScaler(), [1])]
    preprocessor = make_pipeline(ColumnTransformer(steps), VarianceThreshold())
    schema = read(preprocessor, table)
    assert names_of(schema) == (["x0"], [], ["x1"])


def test_names_stay_different():
    steps = [("a", CategoryEncoder(), ["c"]), ("b", CategoryEncoder(), ["c"])]
    preprocessor = make_pipeline(ColumnTransformer(steps), VarianceThreshold())
    schema = read(preprocessor, X[["c"]])
    assert schema.categorical_names == ["a__c", "b__c"]
