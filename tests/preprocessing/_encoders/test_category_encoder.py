import pickle
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils.estimator_checks import check_estimator

from sk_mtl.preprocessing import CategoryEncoder
from tests.preprocessing._sample_tables import column, import_polars, objects

PANDAS_3 = int(pd.__version__.split(".")[0]) >= 3
STR = "str" if PANDAS_3 else object

COLOURS = ["red", "blue", None, "red", "green"]
COLOUR_CODES = [3, 1, 4, 3, 2]
SIZES = [30, -1, -1, 7, 30]
SIZE_CODES = [3, 1, 1, 2, 3]


def codes_of(X, **parameters):
    """Codes of the only column of the training rows."""
    return CategoryEncoder(**parameters).fit_transform(X)[:, 0].tolist()


def pandas_frame(colour_dtype, size_dtype):
    return pd.DataFrame(
        {
            "colour": pd.Series(COLOURS, dtype=object).astype(colour_dtype),
            "size": pd.Series(SIZES).astype(size_dtype),
        }
    )


def polars_frame(colour_dtype):
    pl = import_polars()
    dtype = {
        "String": pl.String,
        "Categorical": pl.Categorical,
        "Enum": pl.Enum(["yellow", "red", "green", "blue"]),
        "Object": pl.Object,
    }[colour_dtype]
    return pl.DataFrame(
        {"colour": pl.Series(COLOURS, dtype=dtype), "size": pl.Series(SIZES)}
    )


def arrow_table():
    colours = pa.array(COLOURS).dictionary_encode()
    return pa.table({"colour": colours, "size": SIZES})


CONTAINERS = {
    "pandas category": lambda: pandas_frame("category", "category"),
    "pandas str": lambda: pandas_frame(STR, np.int32),
    "pandas object": lambda: pandas_frame(object, object),
    "pandas string[pyarrow]": lambda: pandas_frame("string[pyarrow]", "Int64"),
    "pandas string[python]": lambda: pandas_frame("string[python]", np.int8),
    "pandas ArrowDtype": lambda: pandas_frame("string[pyarrow]", "int64[pyarrow]"),
    "polars String": lambda: polars_frame("String"),
    "polars Categorical": lambda: polars_frame("Categorical"),
    "polars Enum": lambda: polars_frame("Enum"),
    "polars Object": lambda: polars_frame("Object"),
    "pyarrow": arrow_table,
    "object array": lambda: np.array([COLOURS, SIZES], dtype=object).T,
    "list of rows": lambda: [list(row) for row in zip(COLOURS, SIZES)],
}


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize("container", CONTAINERS)
def test_codes_are_the_same_in_every_container(container):
    X = CONTAINERS[container]()
    encoder = CategoryEncoder()
    codes = encoder.fit_transform(X)
    np.testing.assert_array_equal(codes, np.array([COLOUR_CODES, SIZE_CODES]).T)
    assert encoder.cardinalities_ == [5, 4]
    colours, sizes = encoder.categories_
    assert colours[:-1].tolist() == ["blue", "green", "red"]
    assert colours.dtype == object
    assert np.isnan(colours[-1])
    assert sizes.tolist() == [-1, 7, 30]
    assert sizes.dtype.kind == "i"
    assert encoder.infrequent_categories_ == [None, None]
    # Few rows take another way than many.
    single = [encoder.transform(X[i : i + 1])[0].tolist() for i in range(5)]
    assert single == codes.tolist()
    # One container encodes what another has learnt.
    names = [*CONTAINERS, *CONTAINERS]
    other = CONTAINERS[names[names.index(container) + 1]]()
    np.testing.assert_array_equal(encoder.transform(other), codes)


def test_unicode_bytes_and_bool_arrays():
    assert codes_of(np.array([["b"], ["ä"], ["a"], ["b"]])) == [2, 3, 1, 2]
    assert codes_of(np.array([[b"b"], [b"a"]])) == [2, 1]
    assert codes_of(np.array([[True], [False]])) == [2, 1]
    assert codes_of(np.array([[True], [True]])) == [1, 1]
    assert codes_of(column([True, None, False])) == [2, 3, 1]
    pl = import_polars()
    assert codes_of(pl.DataFrame({"c": [b"b", b"a"]})) == [2, 1]
    assert codes_of(pl.DataFrame({"c": [0.5, None, float("nan")]})) == [1, 2, 2]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, "Float64"])
def test_distinct_floats_are_categories(dtype):
    X = column([0.5, -2.0, None, 0.5]).astype(dtype)
    encoder = CategoryEncoder().fit(X)
    assert encoder.transform(X)[:, 0].tolist() == [2, 1, 3, 2]
    np.testing.assert_array_equal(encoder.categories_[0], [-2.0, 0.5, np.nan])
    assert encoder.categories_[0].dtype.kind == "f"


@pytest.mark.parametrize(
    "values",
    [
        np.array([2**53 + 2, 2**53 + 1], dtype=np.int64),
        np.array([2**64 - 1, 0], dtype=np.uint64),
        np.array([2**63 - 1, -(2**63)], dtype=np.int64),
        np.array([127, -128], dtype=np.int8),
        objects([10**30, 1]),
        pd.Categorical([2**53 + 2, 2**53 + 1]),
    ],
    ids=repr,
)
def test_integers_are_never_rounded(values):
    X = pd.DataFrame({"id": values, "share": [0.5, 0.5]})
    encoder = CategoryEncoder().fit(X)
    assert encoder.transform(X)[:, 0].tolist() == [2, 1]
    assert encoder.categories_[0].tolist() == sorted(values)
    for row, code in ((0, 2), (1, 1)):
        assert encoder.transform(X.iloc[[row]])[0, 0] == code
    # Long enough for the way of whole columns, without a new learning.
    many = pd.concat([X] * 20)
    assert encoder.transform(many)[:, 0].tolist() == [2, 1] * 20
    assert codes_of(many) == [2, 1] * 20


def test_foreign_byte_order():
    for dtype in (">i4", ">u8", ">f8", ">U1"):
        assert codes_of(np.array([[2], [1]]).astype(dtype)) == [2, 1]


def test_integers_of_lists_beside_floats_are_never_rounded():
    assert codes_of([[2**53 + 1, 0.5], [2**53 + 2, 0.5]]) == [1, 2]


def test_widths_and_signs_of_integers_do_not_matter():
    encoder = CategoryEncoder().fit(np.array([[1], [300]], dtype=np.int64))
    for dtype in (np.int16, np.uint16, np.uint64, np.float64, object):
        X = np.array([[300], [1], [2]] * 3).astype(dtype)
        assert encoder.transform(X)[:3, 0].tolist() == [2, 1, 0]
        assert encoder.transform(X[:1]).tolist() == [[2]]
    big = np.array([[2**63]] * 9, dtype=np.uint64)
    assert encoder.transform(big)[:, 0].tolist() == [0] * 9


def test_a_float_is_no_neighbouring_integer():
    encoder = CategoryEncoder().fit(np.array([[2**53 + 1], [2]]))
    X = np.array([[2.0**53], [2.0], [2.5], [np.nan]] * 3)
    assert encoder.transform(X)[:4, 0].tolist() == [0, 1, 0, 0]
    encoder.fit(np.array([[2**63 - 1], [-(2**63)]]))
    X = np.array([[2.0**63], [-(2.0**63)], [1e300], [-1e300]] * 2)
    assert encoder.transform(X)[:4, 0].tolist() == [0, 1, 0, 0]


def test_only_categories_of_the_training_rows_count():
    X = column(["c", "a", "b", "c"], "category")
    encoder = CategoryEncoder().fit(X.iloc[[0, 1]])
    assert encoder.categories_[0].tolist() == ["a", "c"]
    assert encoder.cardinalities_ == [3]
    assert encoder.transform(X)[:, 0].tolist() == [2, 1, 0, 2]


def test_categories_are_sorted_by_value_not_by_declared_order():
    low_first = pd.CategoricalDtype(["low", "high"], ordered=True)
    encoder = CategoryEncoder().fit(column(["low", "high"], low_first))
    assert encoder.categories_[0].tolist() == ["high", "low"]


def test_declared_categories_may_change_between_calls():
    values = ["c", "a", None, "b"] * 3
    first, second = (
        pd.CategoricalDtype(["a", "b", "c"]),
        pd.CategoricalDtype(["new", "c", "b", "a", "newer"]),
    )
    encoder = CategoryEncoder()
    codes = encoder.fit_transform(column(values, first))
    for dtype in (second, first, second):
        np.testing.assert_array_equal(encoder.transform(column(values, dtype)), codes)


def test_polars_codes_of_earlier_frames_do_not_matter():
    pl = import_polars()
    pl.DataFrame({"c": ["z", "y"]}, schema={"c": pl.Categorical})
    X = pl.DataFrame({"c": ["y", "x", None, "z"]}, schema={"c": pl.Categorical})
    encoder = CategoryEncoder().fit(X)
    assert encoder.transform(X)[:, 0].tolist() == [2, 1, 4, 3]
    assert encoder.transform(X.filter(pl.col("c") == "z")).tolist() == [[3]]


def test_a_few_rows_of_a_large_dictionary():
    letters = pd.CategoricalDtype([f"{i:06d}" for i in range(50_000)])
    X = column(["000007", None, "049999", "000007"], letters)
    encoder = CategoryEncoder().fit(X)
    assert encoder.categories_[0][:-1].tolist() == ["000007", "049999"]
    many = pd.concat([X] * 5)
    assert encoder.transform(many)[:4, 0].tolist() == [1, 3, 2, 1]
    assert encoder.transform(many.dropna())[:2, 0].tolist() == [1, 2]


def test_a_few_rows_of_a_large_polars_dictionary():
    pl = import_polars()
    kind = pl.Enum([f"{i:06d}" for i in range(50_000)])
    X = pl.DataFrame({"c": ["000007", None, "049999"] * 3}, schema={"c": kind})
    encoder = CategoryEncoder().fit(X)
    assert encoder.categories_[0][:-1].tolist() == ["000007", "049999"]
    assert encoder.transform(X)[:3, 0].tolist() == [1, 3, 2]
    assert codes_of(X[1:2]) == [1]


@pytest.mark.parametrize("dtype", ["category", STR, object])
def test_a_missing_value_is_a_category_only_if_training_had_it(dtype):
    with_gap, without = column(["a", None, "b"], dtype), column(["a", "a", "b"], dtype)
    assert codes_of(with_gap) == [1, 3, 2]
    assert codes_of(with_gap, missing="unknown") == [1, 0, 2]
    for encoder in (
        CategoryEncoder().fit(without),
        CategoryEncoder(missing="unknown").fit(with_gap),
    ):
        assert encoder.cardinalities_ == [3]
        assert encoder.categories_[0].tolist() == ["a", "b"]
        assert encoder.transform(with_gap)[:, 0].tolist() == [1, 0, 2]
        assert encoder.transform(pd.concat([with_gap] * 3))[1, 0] == 0


def test_all_missing_values_are_one():
    values = ["a", None, np.nan, pd.NA, pd.NaT, float("nan")]
    assert codes_of(column(values)) == [1, 2, 2, 2, 2, 2]
    assert codes_of(column(values[1:])) == [1] * 5
    assert codes_of(column([3, None, 1, np.nan])) == [2, 3, 1, 3]


def test_a_column_without_values():
    for X in (column([None, np.nan]), column([None, None], "category")):
        encoder = CategoryEncoder().fit(X)
        assert encoder.cardinalities_ == [2]
        assert encoder.transform(X).tolist() == [[1], [1]]
        assert encoder.transform(column(["a", 1] * 5)).max() == 0
        assert encoder.transform(column(["a"])).tolist() == [[0]]
        unknown = CategoryEncoder(missing="unknown").fit(X)
        assert unknown.cardinalities_ == [1]
        assert unknown.transform(X).tolist() == [[0], [0]]
    pl = import_polars()
    assert codes_of(pl.DataFrame({"c": [None, None]})) == [1, 1]


RARE_VALUES = ["a"] * 5 + ["b"] * 20 + ["c"] * 10 + ["d"] * 3 + [None]


def test_rare_categories_share_one_code_before_the_missing_one():
    encoder = CategoryEncoder(max_categories=3)
    codes = encoder.fit_transform(column(RARE_VALUES))[:, 0]
    assert codes.tolist() == [3] * 5 + [1] * 20 + [2] * 10 + [3] * 3 + [4]
    assert encoder.cardinalities_ == [5]
    assert encoder.infrequent_categories_[0].tolist() == ["a", "d"]
    assert encoder.categories_[0][:-1].tolist() == ["a", "b", "c", "d"]
    X = column(["a", "b", "c", "d", "e", None])
    assert encoder.transform(X)[:, 0].tolist() == [3, 1, 2, 3, 0, 4]
    single = [encoder.transform(X.iloc[[i]]).item() for i in range(6)]
    assert single == [3, 1, 2, 3, 0, 4]


@pytest.mark.parametrize(
    ("parameters", "rare"),
    [
        ({"min_frequency": 5}, ["d"]),
        ({"min_frequency": 3}, None),
        ({"min_frequency": 0.2}, ["a", "d"]),
        ({"min_frequency": 4, "max_categories": 2}, ["a", "c", "d"]),
        ({"max_categories": 4}, None),
        ({"max_categories": 9}, None),
        ({"max_categories": 1}, ["a", "b", "c", "d"]),
        ({"min_frequency": 100}, ["a", "b", "c", "d"]),
    ],
)
def test_which_categories_are_rare(parameters, rare):
    encoder = CategoryEncoder(**parameters).fit(column(RARE_VALUES, "category"))
    found = encoder.infrequent_categories_[0]
    assert (found if found is None else found.tolist()) == rare
    n_codes = 4 - len(rare) + 1 if rare else 4
    assert encoder.cardinalities_ == [1 + n_codes + 1]


@pytest.mark.parametrize(
    "parameters",
    [
        {"min_frequency": 10},
        {"max_categories": 12, "min_frequency": 0.03},
        {"max_categories": 1},
    ],
)
def test_rows_are_grouped_as_by_ordinal_encoder(parameters):
    rng = np.random.default_rng(0)
    X = rng.geometric(0.1, size=(400, 3))
    ours = CategoryEncoder(**parameters).fit_transform(X)
    peer = OrdinalEncoder(**parameters).fit_transform(X)
    np.testing.assert_array_equal(ours, peer + 1)


def test_without_rare_categories_codes_are_ordinal_encoders_plus_one():
    rng = np.random.default_rng(1)
    X = pd.DataFrame(
        {
            "text": rng.choice(["x", "yy", "Z", "é", ""], size=300),
            "id": rng.integers(-(10**12), 10**12, size=300),
            "share": rng.normal(size=300).round(1),
        }
    )
    X["kind"] = X["text"].astype("category")
    new = X.iloc[::-1].assign(id=X["id"] + 1)
    peer = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(X)
    encoder = CategoryEncoder().fit(X)
    for table in (X, new):
        np.testing.assert_array_equal(
            encoder.transform(table), peer.transform(table) + 1
        )
    for ours, theirs in zip(encoder.categories_, peer.categories_):
        np.testing.assert_array_equal(ours, theirs)


def test_single_values_of_unusual_types():
    X = pd.DataFrame({"share": [0.5, 1.5], "old": [True, False], "text": ["a", "b"]})
    encoder = CategoryEncoder().fit(X)
    assert encoder.transform(X.iloc[[1]]).tolist() == [[2, 1, 2]]
    new = X.astype(object).iloc[[0]].assign(text=None, share=2.5)
    assert encoder.transform(new).tolist() == [[0, 2, 0]]
    other = new.assign(share=np.float32(0.5), old=1, text=np.str_("b"))
    assert encoder.transform(other).tolist() == [[1, 2, 2]]


def test_equal_numbers_of_several_types_are_one_category():
    X = column([1, 1.0, np.int64(1), 2.5, True])
    assert codes_of(X) == [1, 1, 1, 2, 1]


def test_text_that_is_no_unicode():
    assert codes_of(column(["b", "\ud800", "a"])) == [2, 3, 1]


def test_values_with_equality_and_order_are_taken():
    X = pd.DataFrame({"age": pd.cut([1, 5, 9, 5], [0, 3, 6, 10])})
    encoder = CategoryEncoder().fit(X)
    assert encoder.transform(X)[:, 0].tolist() == [1, 2, 3, 2]
    assert encoder.transform(X.astype(object))[:, 0].tolist() == [1, 2, 3, 2]
    days = column(pd.to_datetime(["2024-02-01", "2024-01-01"]), "category")
    assert codes_of(days) == [2, 1]


def test_inverse_transform():
    X = pd.DataFrame({"c": RARE_VALUES, "id": [2**53 + 1] * 38 + [2]})
    encoder = CategoryEncoder(min_frequency=4).fit(X)
    values = encoder.inverse_transform([[1, 1], [0, 2], [4, 0], [5, 1.0]])
    assert values.dtype == object
    assert values[:3].tolist() == [
        ["a", 2**53 + 1],
        [None, "infrequent_sklearn"],
        ["infrequent_sklearn", None],
    ]
    assert np.isnan(values[3, 0])


def test_inverse_transform_is_the_inverse():
    X = pandas_frame("category", np.int64)
    encoder = CategoryEncoder().fit(X)
    values = encoder.inverse_transform(encoder.transform(X))
    assert values[:, 0].tolist() == [*COLOURS[:2], values[2, 0], *COLOURS[3:]]
    assert np.isnan(values[2, 0])
    assert values[:, 1].tolist() == SIZES
    names = X.columns
    codes = encoder.transform(pd.DataFrame(values, columns=names, dtype=object))
    np.testing.assert_array_equal(codes, encoder.transform(X))


@pytest.mark.parametrize("code", [-1, 4, 1.5])
def test_inverse_transform_refuses_other_codes(code):
    encoder = CategoryEncoder().fit([["a"], ["b"], ["c"]])
    with pytest.raises(ValueError, match=r"integers from 0 to 3; found (-1|4|1.5)\. P"):
        encoder.inverse_transform([[1], [code]])
    with pytest.raises(ValueError, match="Codes of 1 columns are required; found 2"):
        encoder.inverse_transform([[1, 1]])


@pytest.mark.parametrize("dtype", [np.int8, "uint16", np.int64, np.float32])
def test_dtype_of_the_codes(dtype):
    encoder = CategoryEncoder(dtype=dtype)
    X = pandas_frame("category", np.int64)
    codes = encoder.fit_transform(X)
    assert codes.dtype == np.dtype(dtype)
    assert encoder.transform(X).dtype == np.dtype(dtype)
    assert encoder.transform(X[:1]).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(codes, np.array([COLOUR_CODES, SIZE_CODES]).T)


def test_dtype_that_cannot_hold_the_codes():
    X = pd.DataFrame({"id": np.arange(2049)})
    assert CategoryEncoder(dtype=np.float16).fit(X[:2048]).cardinalities_ == [2049]
    with pytest.raises(
        ValueError, match=r"'id': codes up to 2049 are required; .* 2048"
    ):
        CategoryEncoder(dtype=np.float16).fit(X)
    with pytest.raises(
        ValueError, match=r"up to 128 .* at most 127 exactly. Choose a w"
    ):
        CategoryEncoder(dtype=np.int8).fit(X[:128])
    for dtype in (bool, str, complex, object):
        with pytest.raises(ValueError, match="dtype must be an integer or float type"):
            CategoryEncoder(dtype=dtype).fit(X)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"min_frequency": 0}, "'min_frequency' parameter"),
        ({"min_frequency": 1.5}, "'min_frequency' parameter"),
        ({"max_categories": 0}, "'max_categories' parameter"),
        ({"missing": "nan"}, "'missing' parameter .* must be a str among"),
    ],
)
def test_values_out_of_range(parameters, match):
    with pytest.raises(ValueError, match=match):
        CategoryEncoder(**parameters).fit([["a"]])


def test_shapes_and_names_are_checked():
    X = pandas_frame("category", np.int64)
    encoder = CategoryEncoder()
    with pytest.raises(NotFittedError):
        encoder.transform(X)
    with pytest.raises(
        ValueError, match=r"0 sample\(s\) \(shape=\(0, 2\)\) while a min"
    ):
        encoder.fit(X[:0])
    with pytest.raises(
        ValueError, match=r"0 feature\(s\) \(shape=\(5, 0\)\) while a mi"
    ):
        encoder.fit(X[[]])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        encoder.fit(["a", "b"])
    with pytest.raises(TypeError, match=r"[Ss]parse data was passed"):
        encoder.fit(sparse.eye(3, format="csr"))
    encoder.fit(X)
    with pytest.raises(ValueError, match=r"has 1 features, but .* is expecting 2"):
        CategoryEncoder().fit([[1, 2]]).transform([[1]])
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X[["size", "colour"]])


def test_column_names_are_unique():
    X = pandas_frame("category", np.int64).set_axis(["c", "c"], axis=1)
    with pytest.raises(ValueError, match="must be unique; found 'c' more than once"):
        CategoryEncoder().fit(X)


def test_names_and_containers_of_the_output():
    X = pandas_frame("category", np.int64).set_axis(list("abcde"))
    encoder = CategoryEncoder().fit(X)
    assert encoder.n_features_in_ == 2
    assert encoder.feature_names_in_.tolist() == ["colour", "size"]
    assert encoder.get_feature_names_out().tolist() == ["colour", "size"]
    for frame in (
        encoder.set_output(transform="pandas").transform(X),
        encoder.fit_transform(X),
    ):
        assert frame.columns.tolist() == ["colour", "size"]
        assert frame.index.tolist() == list("abcde")
        assert (frame.dtypes == np.int32).all()
    assert CategoryEncoder().fit([["a"]]).get_feature_names_out().tolist() == ["x0"]


def test_codes_lie_column_by_column_in_memory():
    X = pd.concat([pandas_frame("category", np.int64)] * 3)
    assert CategoryEncoder().fit_transform(X).flags.f_contiguous
    assert CategoryEncoder().fit(X).transform(X).flags.f_contiguous


def test_inside_a_column_transformer():
    X = pandas_frame("category", np.int64).assign(n=np.arange(5.0))
    columns = ColumnTransformer(
        [("num", "passthrough", ["n"]), ("cat", CategoryEncoder(), ["colour", "size"])],
        verbose_feature_names_out=False,
    )
    table = columns.fit_transform(X)
    np.testing.assert_array_equal(table.T, [np.arange(5), COLOUR_CODES, SIZE_CODES])
    assert columns.get_feature_names_out().tolist() == ["n", "colour", "size"]


def test_a_second_fit_forgets_the_first():
    encoder = CategoryEncoder(max_categories=2).fit(column(RARE_VALUES))
    encoder.fit(pandas_frame("category", np.int64)[["size"]])
    assert encoder.categories_[0].tolist() == [-1, 7, 30]
    assert encoder.feature_names_in_.tolist() == ["size"]


def test_a_failed_fit_leaves_a_fitted_encoder_at_work():
    X = column(["a", "b"])
    encoder = CategoryEncoder().fit(X)
    with pytest.raises(TypeError):
        encoder.fit(column([["a"], ["b"]]))
    assert encoder.transform(X)[:, 0].tolist() == [1, 2]


def test_parameters_set_after_fit_do_not_act_before_the_next():
    X = column(["a", None])
    encoder = CategoryEncoder().fit(X).set_params(dtype=np.int8, missing="unknown")
    assert encoder.transform(X).dtype == np.int32
    assert encoder.transform(X)[:, 0].tolist() == [1, 2]


def test_input_is_left_as_it_was():
    for make in CONTAINERS.values():
        X, same = make(), make()
        CategoryEncoder().fit(X).transform(X)
        assert type(X) is type(same)
        pd.testing.assert_frame_equal(
            pd.DataFrame(np.array(X, dtype=object)),
            pd.DataFrame(np.array(same, dtype=object)),
        )


def test_pickle_and_clone():
    X = pandas_frame("category", np.int64)
    encoder = CategoryEncoder(min_frequency=2).fit(X)
    copy = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copy.transform(X), encoder.transform(X))
    np.testing.assert_array_equal(copy.transform(X[:1]), encoder.transform(X[:1]))
    assert clone(encoder).get_params() == encoder.get_params()


def test_without_polars(monkeypatch):
    monkeypatch.delitem(sys.modules, "polars", raising=False)
    X = pandas_frame("category", np.int64)
    np.testing.assert_array_equal(
        CategoryEncoder().fit_transform(X), np.array([COLOUR_CODES, SIZE_CODES]).T
    )
    assert "polars" not in sys.modules


def test_every_check_of_scikit_learn_passes():
    results = check_estimator(CategoryEncoder(), on_skip=None)
    status = pd.Series([result["status"] for result in results]).value_counts()
    assert status["passed"] >= 44
    assert set(status.index) <= {"passed", "skipped"}
