"""What comes out of the checks of X and of weights, and what they say of the rest."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator

from sk_mtl.estimators._rows import _inputs
from sk_mtl.estimators._rows._inputs import check_same_length, check_weights, check_X


@pytest.fixture
def estimator():
    class Model(BaseEstimator):
        pass

    return Model()


def test_a_frame_stays_a_frame(estimator):
    X = pd.DataFrame({"age": [1.0, np.nan], "town": ["Oslo", None]})
    assert check_X(estimator, X, reset=True) is X
    assert estimator.n_features_in_ == 2
    assert estimator.feature_names_in_.tolist() == ["age", "town"]


def test_an_array_of_numbers_stays_an_array(estimator):
    X = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert check_X(estimator, X, reset=True) is X
    assert estimator.n_features_in_ == 2
    assert not hasattr(estimator, "feature_names_in_")


def test_an_array_of_objects_becomes_a_frame_of_its_types(estimator):
    X = np.array([[1.5, "Oslo", True], [2.5, "Rome", False]], dtype=object)
    frame = check_X(estimator, X, reset=True)
    assert [dtype.kind for dtype in frame.dtypes] == ["f", "O", "b"]


def test_a_list_of_numbers_and_text_keeps_the_numbers(estimator):
    frame = check_X(estimator, [[1, "Oslo"], [2, "Rome"]], reset=True)
    assert frame.iloc[:, 0].tolist() == [1, 2]
    assert frame.dtypes.iloc[0].kind == "i"


def test_an_array_of_text_becomes_a_frame(estimator):
    frame = check_X(estimator, np.array([["Oslo"], ["Rome"]]), reset=True)
    assert frame.iloc[:, 0].tolist() == ["Oslo", "Rome"]


def test_masked_entries_are_missing_values(estimator):
    X = np.ma.masked_array([[1, np.inf], [3, 4]], mask=[[0, 1], [0, 0]])
    found = check_X(estimator, X, reset=True)
    np.testing.assert_array_equal(found, [[1, np.nan], [3, 4]])
    frame = check_X(
        estimator, np.ma.masked_array([["Oslo"], ["x"]], mask=[[0], [1]]), reset=True
    )
    assert frame[0].isna().tolist() == [False, True]


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, pa.RecordBatch.from_pydict])
def test_other_frames_become_pandas(estimator, make):
    X = make({"id": [2**53 + 1, None, 2**53 + 2], "town": ["Oslo", "Rome", None]})
    frame = check_X(estimator, X, reset=True)
    assert isinstance(frame, pd.DataFrame)
    assert frame["id"].dropna().tolist() == [2**53 + 1, 2**53 + 2]
    assert frame["town"].tolist()[:2] == ["Oslo", "Rome"]
    assert frame.isna().sum().tolist() == [1, 1]
    assert estimator.feature_names_in_.tolist() == ["id", "town"]


@pytest.mark.parametrize("make", [pl.Series, pa.array])
def test_a_single_column_is_refused(estimator, make):
    with pytest.raises(ValueError, match=r"must be a table .*, which is one column"):
        check_X(estimator, make([1.0, 2.0]), reset=True)


@pytest.mark.parametrize("what", ["X", "X_valid"])
def test_a_lazy_frame_is_to_be_collected(estimator, what):
    lazy = pl.DataFrame({"age": [1.0, 2.0]}).lazy()
    with pytest.raises(TypeError) as caught:
        check_X(estimator, lazy, reset=True, what=what)
    assert str(caught.value) == (
        f"{what} must be a data frame or an array; found a LazyFrame of polars. Call "
        f"{what}.collect()."
    )


def test_an_array_after_a_frame_warns_and_takes_the_names(estimator):
    check_X(estimator, pd.DataFrame({"a": [1], "b": ["x"]}), reset=True)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        frame = check_X(estimator, np.array([[1, "x"]], dtype=object), reset=False)
    assert frame.columns.tolist() == ["a", "b"]
    assert frame.dtypes.iloc[0].kind == "i"


def test_a_new_fit_forgets_the_names(estimator):
    check_X(estimator, pd.DataFrame({"a": [1], "b": [2]}), reset=True)
    check_X(estimator, np.ones((1, 3)), reset=True)
    assert estimator.n_features_in_ == 3
    assert not hasattr(estimator, "feature_names_in_")


def test_huge_finite_numbers_pass(estimator):
    check_X(estimator, np.full((3, 2), 1e308), reset=True)
    check_X(estimator, pd.DataFrame({"a": [1e308, 1e308, np.nan]}), reset=True)


@pytest.mark.parametrize(
    ("X", "column", "row"),
    [
        (np.array([[0.0, 1.0], [np.inf, 1.0]]), "x0", 1),
        (np.array([[0.0, 1.0], [np.nan, -np.inf]]), "x1", 1),
        (np.array([[0.0, -np.inf]], dtype=np.float32), "x1", 0),
        (pd.DataFrame({"a": [1, 2], "b": [np.inf, 1.0]}), "b", 0),
        (pd.DataFrame({"a": pd.array([1.0, None, np.inf], "Float64")}), "a", 2),
        (pl.DataFrame({"a": [1.0, float("inf")]}), "a", 1),
        (pa.table({"a": [1.0, None, -float("inf")]}), "a", 2),
        ([["x", np.inf]], 1, 0),
    ],
)
def test_infinity_is_refused_with_its_place(estimator, X, column, row):
    with pytest.raises(ValueError) as caught:
        check_X(estimator, X, reset=True)
    assert str(caught.value) == (
        f"X must be finite or missing (NaN); found infinity in column {column!r}, row "
        f"{row}. Replace the infinite values, for instance by NaN."
    )


@pytest.mark.parametrize("n_together", [1, 5, 1000])
def test_the_first_infinite_column_is_named_however_many_are_read_at_once(
    estimator, monkeypatch, n_together
):
    monkeypatch.setattr(_inputs, "_CHECKED_TOGETHER", n_together)
    X = pd.DataFrame(np.zeros((3, 4)), columns=list("abcd")).astype({"b": "Float64"})
    X.insert(1, "town", ["x", "y", "z"])
    X.loc[2, "b"], X.loc[0, "d"] = -np.inf, np.inf
    with pytest.raises(ValueError, match="infinity in column 'b', row 2"):
        check_X(estimator, X, reset=True)
    X["b"] = pd.array([None, 1.0, 2.0], "Float64")
    with pytest.raises(ValueError, match="infinity in column 'd', row 0"):
        check_X(estimator, X, reset=True)
    X["d"] = np.nan
    assert check_X(estimator, X, reset=True) is X


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame(pd.arrays.SparseArray([0.0, 1.0]), columns=["a"]),
        pd.DataFrame(pd.arrays.SparseArray([0, 1]), columns=["a"]),
    ],
)
def test_sparse_columns_are_refused(estimator, X):
    with pytest.raises(TypeError) as caught:
        check_X(estimator, X, reset=True)
    assert str(caught.value) == (
        "Sparse data was passed for column 'a' of X, but dense data is required. Use "
        "X.sparse.to_dense()."
    )


@pytest.mark.parametrize(
    "X", [sparse.csr_matrix(np.eye(2)), sparse.coo_array(np.eye(2))]
)
def test_sparse_matrices_are_refused(estimator, X):
    message = (
        r"Sparse data was passed for X, but dense data is required\. Use '\.toarray"
    )
    with pytest.raises(TypeError, match=message):
        check_X(estimator, X, reset=True)


def test_complex_numbers_are_refused(estimator):
    with pytest.raises(ValueError) as caught:
        check_X(estimator, pd.DataFrame({"a": [1j, 2]}), reset=True)
    assert str(caught.value) == (
        "Complex data not supported: column 'a' of X must be real; found complex128. "
        "Give real and imaginary part as two columns."
    )
    for X in (np.array([[1j]]), [[1j, 2]]):
        with pytest.raises(ValueError) as caught:
            check_X(estimator, X, reset=True)
        assert str(caught.value) == (
            "Complex data not supported: X must be real; found complex numbers. Give "
            "real and imaginary parts as columns of their own."
        )


def test_repeated_columns_are_refused(estimator):
    X = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "b", "a", "b"])
    with pytest.raises(ValueError) as caught:
        check_X(estimator, X, reset=True)
    assert str(caught.value) == (
        "The columns of X must have different names; found ['a', 'b'] more than once. "
        "Rename or drop the repeated columns."
    )


@pytest.mark.parametrize(
    ("X", "what"),
    [
        (pd.DataFrame({"a": []}), r"0 sample\(s\) \(shape=\(0, 1\)\)"),
        (np.empty((0, 3)), r"0 sample\(s\) \(shape=\(0, 3\)\)"),
        (pd.DataFrame(index=[0, 1]), r"0 feature\(s\) \(shape=\(2, 0\)\)"),
        (np.empty((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\)"),
    ],
)
def test_an_empty_table_is_refused(estimator, X, what):
    with pytest.raises(ValueError, match=f"{what} while a minimum of 1 is required"):
        check_X(estimator, X, reset=True)


def test_weights_that_all_are_zero_are_refused():
    with pytest.raises(ValueError) as caught:
        check_weights([0, 0], 2, ["a", "b"], "own")
    assert str(caught.value) == (
        "own must hold a positive weight; found that every weight is zero. Give some "
        "row a weight above 0."
    )
    weight = check_weights([[0, 0], [0, 2]], 2, ["a", "b"])
    np.testing.assert_array_equal(weight, [[0, 0], [0, 2]])


def test_lengths_are_compared_by_name():
    check_same_length(X=[1, 2], y=[3, 4], groups=None)
    with pytest.raises(ValueError) as caught:
        check_same_length(X=[1, 2], groups=[1])
    assert str(caught.value) == (
        "X and groups must have the same number of samples; found: X has 2, groups has "
        "1. Give one row of each per sample."
    )
