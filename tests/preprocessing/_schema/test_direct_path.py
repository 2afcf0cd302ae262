"""Few rows take a shorter way through a preprocessor, to the same arrays."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    NumericScaler,
    make_tabular_preprocessor,
)
from tests.preprocessing._sample_tables import make_coded_array, make_mixed_frame
from tests.preprocessing._schemas import assert_same_arrays, columns, fit

NUMERIC = ["standard", "quantile", "robust", "both"]


def assert_rows_match(schema, preprocessor, X):
    """Assert that one to six rows alone are encoded as all rows together are."""
    whole = schema.split(preprocessor.transform(X))
    for n_rows in (1, 2, 4, 5, 6):
        for start in range(0, len(X) - n_rows, 7):
            rows = slice(start, start + n_rows)
            few = schema.transform(preprocessor, X[rows])
            expected = whole._replace(
                codes=whole.codes[rows], numeric=whole.numeric[rows]
            )
            assert_same_arrays(few, expected)


@pytest.mark.parametrize("numeric", NUMERIC)
def test_few_rows_of_a_frame_are_encoded_as_many(numeric):
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X, numeric=numeric)
    schema, _ = fit(preprocessor, X)
    assert_rows_match(schema, preprocessor, X)
    unseen = X.assign(town="Paris", age=-3, visits=pd.array([None] * len(X), "Int64"))
    assert_rows_match(schema, preprocessor, unseen)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, object])
def test_few_rows_of_an_array_are_encoded_as_many(dtype):
    X = np.nan_to_num(make_coded_array()).astype(dtype)
    preprocessor = columns(
        ("num", NumericScaler(), [0, 1]), ("cat", CategoryEncoder(), [2, 3])
    )
    schema, _ = fit(preprocessor, X)
    assert_rows_match(schema, preprocessor, X)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2**53 + 1, -(2**62), 4],
        [1.5, None, np.nan, 7],
        [True, False, 3, 2.5],
        [Decimal("0.1"), Decimal(3), 2, None],
        [np.float32(0.1), np.int8(-3), np.uint64(2**64 - 1), pd.NA],
    ],
)
def test_objects_are_read_as_numbers_in_the_same_way(values):
    X = pd.DataFrame({"x": pd.Series(values * 5, dtype=object)})
    preprocessor = columns(("num", NumericScaler("passthrough"), ["x"]))
    schema, _ = fit(preprocessor, X)
    with np.errstate(over="ignore"):
        assert_rows_match(schema, preprocessor, X)


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical([0.5, 1.5, None, 0.5]),
        pd.Categorical([True, False, True, True]),
        pd.cut([1.0, 2.0, 9.0, np.nan], [0, 5, 10]),
        pd.array([3, None, 2**62, 3], dtype="Int64"),
        np.array([b"a", b"b", b"a", b"c"], dtype=object),
    ],
)
def test_categories_of_every_type_are_read_in_the_same_way(values):
    X = pd.DataFrame({"c": values, "town": ["Oslo", "Rome", "Oslo", None]})
    X = pd.concat([X] * 5, ignore_index=True).astype({"c": X.dtypes["c"]})
    preprocessor = columns(("cat", CategoryEncoder(), ["c", "town"]))
    schema, _ = fit(preprocessor, X)
    assert_rows_match(schema, preprocessor, X)


@pytest.mark.parametrize(
    ("column", "value", "error", "message"),
    [
        ("age", np.inf, ValueError, "Column 'age' must hold finite numbers; found inf"),
        ("age", "old", ValueError, "Column 'age' must hold numbers; found the text"),
        ("town", ["Oslo"], TypeError, "Column 'town': one value per row"),
    ],
)
def test_errors_name_the_column_whatever_the_number_of_rows(
    column, value, error, message
):
    X = make_mixed_frame()[["town", "age"]]
    preprocessor = make_tabular_preprocessor(X)
    schema, _ = fit(preprocessor, X)
    for n_rows in (1, 10):
        rows = X[:n_rows].assign(**{column: pd.Series([value] * n_rows, dtype=object)})
        with pytest.raises(error, match=message):
            schema.transform(preprocessor, rows)


class Shifted(NumericScaler):
    def transform(self, X):
        return super().transform(X) + 1


class Reversed(CategoryEncoder):
    def transform(self, X):
        return max(self.cardinalities_) - super().transform(X)


def test_a_subclass_transforms_few_rows_itself():
    X = make_mixed_frame()
    preprocessor = columns(
        ("num", Shifted(), ["age"]), ("cat", Reversed(), ["member"])
    ).fit(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, preprocessor.transform(X))
    assert_rows_match(schema, preprocessor, X)


def test_no_rows_give_the_error_of_the_steps():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    schema, _ = fit(preprocessor, X)
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        schema.transform(preprocessor, X[:0])
