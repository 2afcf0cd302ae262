import datetime
import pickle
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import CategoryEncoder, SequenceEncoder
from tests.preprocessing._sample_tables import (
    column as named_column,
    import_polars,
    objects,
)

STR = "str" if int(pd.__version__.split(".")[0]) >= 3 else object

WORDS = [["tea", "milk"], None, ["rum"], [], ["tea", "tea", "ale"]]
WORD_CODES = [[4, 2, -1], [-1, -1, -1], [3, -1, -1], [-1, -1, -1], [4, 4, 1]]
NUMBERS = [[30, -1], None, [7], [], [30, 30, -9]]
NUMBER_CODES = [[4, 2, -1], [-1, -1, -1], [3, -1, -1], [-1, -1, -1], [4, 4, 1]]


def column(rows, dtype=object):
    """A frame of one column of sequences."""
    return named_column(rows, dtype, name="h")


def codes_of(X, max_length=3, **parameters):
    """Codes of the only column of the training rows."""
    encoder = SequenceEncoder(max_length=max_length, **parameters)
    return encoder.fit_transform(X).tolist()


def each(make, rows):
    """Rows that are no lists: each made by `make`, missing ones kept."""
    return column([row if row is None else make(row) for row in rows])


def polars_lists(kind):
    pl = import_polars()
    dtype = {
        "List": pl.List(pl.String),
        "List of Categorical": pl.List(pl.Categorical),
        "Object": pl.Object,
    }[kind]
    return pl.DataFrame({"h": pl.Series("h", WORDS, dtype=dtype)})


CONTAINERS = {
    "lists": lambda: column(WORDS),
    "tuples": lambda: each(tuple, WORDS),
    "object arrays": lambda: each(lambda row: np.array(row, dtype=object), WORDS),
    "text arrays": lambda: each(np.array, WORDS),
    "a mixture": lambda: column([*WORDS[:4], np.array(WORDS[4])]),
    "NaN for None": lambda: column([WORDS[0], np.nan, *WORDS[2:]]),
    "NA for None": lambda: column([WORDS[0], pd.NA, *WORDS[2:]]),
    "Arrow lists": lambda: column(WORDS, pd.ArrowDtype(pa.list_(pa.string()))),
    "large Arrow lists": lambda: column(
        WORDS, pd.ArrowDtype(pa.large_list(pa.large_string()))
    ),
    "polars List": lambda: polars_lists("List"),
    "polars List of Categorical": lambda: polars_lists("List of Categorical"),
    "polars Object": lambda: polars_lists("Object"),
    "array of lists": lambda: objects(WORDS)[:, None],
    "list of rows": lambda: [[row] for row in WORDS],
}


def test_codes_and_padding_by_hand():
    encoder = SequenceEncoder(max_length=3)
    codes = encoder.fit_transform(column(WORDS))
    assert codes.tolist() == WORD_CODES
    assert codes.dtype == np.int32
    assert codes.flags.c_contiguous
    assert encoder.categories_[0].tolist() == ["ale", "milk", "rum", "tea"]
    assert encoder.cardinalities_ == [5]
    assert encoder.infrequent_categories_ == [None]
    # Gin was never seen; its row is shorter than the block is wide.
    new = column([["gin", "tea"], ["gin"], None])
    assert encoder.transform(new).tolist() == [[0, 4, -1], [0, -1, -1], [-1, -1, -1]]


def test_over_long_sequences_lose_the_end_that_is_asked_for():
    X = column([list("abcde"), list("abc"), list("abcd"), []])
    head = [[1, 2, 3], [1, 2, 3], [2, 3, 4], [-1, -1, -1]]
    encoder = SequenceEncoder(max_length=3, truncate="tail").fit(X)
    assert encoder.categories_[0].tolist() == ["a", "b", "c", "d"][:3]
    assert encoder.transform(X).tolist() == [[1, 2, 3]] * 3 + [[-1, -1, -1]]
    encoder = SequenceEncoder(max_length=3, truncate="head").fit(X)
    assert encoder.categories_[0].tolist() == ["a", "b", "c", "d", "e"]
    assert encoder.transform(X).tolist() == [[3, 4, 5], *head[1:]]
    one = SequenceEncoder(max_length=1)
    assert one.fit_transform(X).tolist() == [[3], [1], [2], [-1]]
    assert one.categories_[0].tolist() == ["c", "d", "e"]


def test_items_that_are_cut_have_no_influence():
    long = column([["x"] * 9 + ["a", "b"], ["b"]])
    encoder = SequenceEncoder(max_length=2, min_frequency=2).fit(long)
    short = SequenceEncoder(max_length=2, min_frequency=2).fit(
        column([["a", "b"], ["b"]])
    )
    assert encoder.categories_[0].tolist() == ["a", "b"]
    assert encoder.infrequent_categories_[0].tolist() == ["a"]
    for X in (long, column([["x", "a"]])):
        np.testing.assert_array_equal(encoder.transform(X), short.transform(X))
    assert encoder.transform(column([["x", "a"]])).tolist() == [[0, 2]]


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize("container", CONTAINERS)
def test_codes_are_the_same_in_every_container(container):
    X = CONTAINERS[container]()
    encoder = SequenceEncoder(max_length=3)
    assert encoder.fit_transform(X).tolist() == WORD_CODES
    assert encoder.categories_[0].tolist() == ["ale", "milk", "rum", "tea"]
    assert encoder.transform(column(WORDS)).tolist() == WORD_CODES
    encoder.fit(column(WORDS))
    rows = [encoder.transform(X[i : i + 1]).tolist() for i in range(len(WORDS))]
    assert [row for (row,) in rows] == WORD_CODES


def test_columns_have_vocabularies_and_blocks_of_their_own():
    X = column(WORDS).assign(n=column(NUMBERS)["h"])
    encoder = SequenceEncoder(max_length=3)
    codes = encoder.fit_transform(X)
    np.testing.assert_array_equal(codes, np.hstack([WORD_CODES, NUMBER_CODES]))
    assert encoder.cardinalities_ == [5, 5]
    assert [c.tolist() for c in encoder.categories_] == [
        ["ale", "milk", "rum", "tea"],
        [-9, -1, 7, 30],
    ]
    wide = SequenceEncoder(max_length=6).fit_transform(X)
    np.testing.assert_array_equal(wide[:, :3], WORD_CODES)
    np.testing.assert_array_equal(wide[:, 6:9], NUMBER_CODES)
    assert (wide[:, [3, 4, 5, 9, 10, 11]] == -1).all()


# Numbers.


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64, object])
def test_arrays_of_numbers(dtype):
    assert codes_of(each(lambda row: np.array(row, dtype=dtype), NUMBERS)) == (
        NUMBER_CODES
    )


@pytest.mark.parametrize("dtype", [pa.int16(), pa.int64(), pa.float64()])
def test_arrow_lists_of_numbers(dtype):
    assert codes_of(column(NUMBERS, pd.ArrowDtype(pa.list_(dtype)))) == NUMBER_CODES


def test_an_empty_array_of_floats_beside_arrays_of_integers():
    X = column([np.array([2**53 + 1, 2**53 + 2]), np.array([])])
    encoder = SequenceEncoder(max_length=2)
    assert encoder.fit_transform(X).tolist() == [[1, 2], [-1, -1]]
    assert encoder.categories_[0].tolist() == [2**53 + 1, 2**53 + 2]


LARGE = {
    "lists": [[2**53 + 2, 2**53 + 1], [2**53 + 1]],
    "with a gap": [[2**53 + 2, 2**53 + 1, None], [2**53 + 1]],
    "beside a float": [[2**53 + 2, 2**53 + 1, 2.0**60], [2**53 + 1]],
    "beyond int64": [[2**63 + 2, 2**63 + 1], [2**63 + 1]],
    "beyond uint64": [[2**64 + 2, 2**64 + 1], [2**64 + 1]],
    "arrays": [np.array([2**53 + 2, 2**53 + 1]), np.array([2**53 + 1])],
    "unsigned arrays": [
        np.array([2**63 + 2, 2**63 + 1], dtype=np.uint64),
        np.array([2**63 + 1], dtype=np.uint64),
    ],
    "an array of floats too": [
        np.array([2**53 + 2, 2**53 + 1]),
        np.array([2**53 + 1]),
        np.array([4.0]),
    ],
}


@pytest.mark.parametrize("rows", LARGE.values(), ids=LARGE)
def test_integers_are_never_rounded(rows):
    encoder = SequenceEncoder(max_length=3)
    codes = encoder.fit_transform(column(rows))
    first, second = codes[0, 1], codes[0, 0]
    assert (second, codes[1, 0]) == (first + 1, first)
    assert encoder.categories_[0][first - 1] == rows[1][0]
    assert encoder.transform(column(rows[:1])).tolist() == codes[:1].tolist()


def test_whole_floats_are_the_integers():
    encoder = SequenceEncoder(max_length=2).fit(column([[1, 2]]))
    X = column([np.array([2.0, np.nan]), [1.0, True], [1.5]])
    assert encoder.transform(X).tolist() == [[2, 0], [1, 1], [0, -1]]


# Missing items and rare ones.


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_a_missing_item_is_an_item(missing):
    with_gap = column([["b", missing], [missing], ["a"]])
    encoder = SequenceEncoder(max_length=2)
    assert encoder.fit_transform(with_gap).tolist() == [[2, 3], [3, -1], [1, -1]]
    assert encoder.cardinalities_ == [4]
    assert encoder.categories_[0][:2].tolist() == ["a", "b"]
    assert np.isnan(encoder.categories_[0][2])
    encoder.fit(column([["b", "a"]]))
    assert encoder.transform(with_gap).tolist() == [[2, 0], [0, -1], [1, -1]]


def test_missing_items_are_those_of_category_encoder():
    flat = ["b", None, "a", "b", None]
    categories = CategoryEncoder().fit(column(flat))
    sequences = SequenceEncoder(max_length=1).fit(column([[value] for value in flat]))
    for values in (flat, ["c", None, "a"]):
        np.testing.assert_array_equal(
            sequences.transform(column([[value] for value in values])),
            categories.transform(column(values)),
        )


RARE_ROWS = [["a", "b", "b"], ["b", "c", None], ["c", "b"], ["d"]]


@pytest.mark.parametrize(
    ("parameters", "rare", "codes"),
    [
        ({}, None, [2, 3, 5]),
        ({"min_frequency": 2}, ["a", "d"], [1, 2, 4]),
        ({"min_frequency": 0.3}, ["a", "c", "d"], [1, 2, 3]),
        ({"max_categories": 2}, ["a", "c", "d"], [1, 2, 3]),
        ({"max_categories": 3, "min_frequency": 3}, ["a", "c", "d"], [1, 2, 3]),
    ],
)
def test_rare_items_share_one_code(parameters, rare, codes):
    encoder = SequenceEncoder(max_length=3, **parameters).fit(column(RARE_ROWS))
    found = encoder.infrequent_categories_[0]
    assert (found if found is None else found.tolist()) == rare
    assert encoder.transform(column([["b", "c", None]])).tolist() == [codes]
    assert encoder.cardinalities_ == [codes[-1] + 1]
    new = column([["x", "d", "a"]])
    last = codes[-1] - 1
    assert encoder.transform(new).tolist() == [[0, last, last if rare else 1]]


# What the encoder refuses.


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        (["a", 1], TypeError, "that can be sorted, all text or all numbers, are requ"),
        (["a", b"a"], TypeError, "found the types bytes, str. Convert the column to"),
        ([{"a": 1}], TypeError, "must be a string or a number; found a dict"),
        ([1.0, np.inf], ValueError, "contains infinity. Replace infinity with NaN"),
        ([1j], ValueError, "Complex data not supported: column 'h'"),
        (np.array(["2024-01-01"], "M8[s]"), TypeError, "Take month, weekday and hour"),
    ],
    ids=repr,
)
def test_items_that_are_no_categories(items, error, message):
    with pytest.raises(error, match=message):
        SequenceEncoder().fit(column([items]))


def test_items_of_another_type_than_in_training_are_unseen():
    encoder = SequenceEncoder(max_length=3).fit(column([[1, 2], [3]]))
    rows = [["guest", 1], [3.0, None, b"a"], [pd.Timestamp("2024-01-01")], [True]]
    codes = encoder.transform(column(rows)).tolist()
    assert codes == [[0, 1, -1], [3, 0, 0], [0, -1, -1], [1, -1, -1]]
    assert encoder.transform(column([[1.5, 2.0]])).tolist() == [[0, 2, -1]]
    times = np.array(["2024-01-01"], "M8[ns]")
    assert encoder.transform(column([times])).tolist() == [[0, -1, -1]]
    text = column([["a"], None], pd.ArrowDtype(pa.list_(pa.string())))
    assert encoder.transform(text).tolist() == [[0, -1, -1], [-1, -1, -1]]


def test_polars_items_that_are_no_categories():
    pl = import_polars()
    with pytest.raises(TypeError, match=r"'h': text, numbers or .* found type date32"):
        SequenceEncoder().fit(pl.DataFrame({"h": [[datetime.date(2024, 1, 1)]]}))


def test_another_kind_of_items_than_in_training():
    message = "Column 'h' must hold text .*; found a number in all of them, such as 5,"
    for rows in ([[5, 6]] * 5, [np.full(10, 5)]):
        with pytest.warns(ColumnWarning, match=message):
            SequenceEncoder().fit(column([["a"]])).transform(column(rows))
    with pytest.warns(ColumnWarning, match=r"'h' must hold a number .*; found text"):
        SequenceEncoder().fit(column([[5]])).transform(column([["a"] * 10]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_length": 0}, r"'max_length' parameter .* range \[1, inf\). Got 0"),
        ({"max_length": 2.5}, "'max_length' parameter"),
        ({"max_length": None}, "'max_length' parameter"),
        ({"truncate": "left"}, "'truncate' parameter .* a str among {'(head|tail)', "),
        ({"separator": 1}, "'separator' parameter"),
        ({"separator": ""}, "separator must be text of .* found ''. Give what stands"),
        ({"min_frequency": 0}, "'min_frequency' parameter"),
        ({"max_categories": 0}, "'max_categories' parameter"),
        ({"dtype": np.uint8}, "dtype must hold -1, the padding; found uint8. Choose"),
        ({"dtype": str}, "dtype must be an integer or float type"),
    ],
)
def test_values_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        SequenceEncoder(**parameters).fit(column([["a"]]))


def test_dtype_of_the_codes():
    for dtype in (np.int8, np.int64, np.float64):
        codes = SequenceEncoder(max_length=3, dtype=dtype).fit_transform(column(WORDS))
        assert codes.dtype == dtype
        assert codes.tolist() == WORD_CODES
    X = column([list(range(128))])
    with pytest.raises(ValueError, match=r"'h': codes up to 128 .* at most 127 exact"):
        SequenceEncoder(max_length=200, dtype=np.int8).fit(X)
    SequenceEncoder(max_length=127, dtype=np.int8).fit(X)


def test_tables_of_another_shape():
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        SequenceEncoder().fit(objects(WORDS))
    with pytest.raises(ValueError, match=r"0 sample\(s\) \(shape=\(0, 1\)\)"):
        SequenceEncoder().fit(column(WORDS)[:0])
    with pytest.raises(
        TypeError, match=r"Column 0: .*found text: 'a'. Set `separator`"
    ):
        SequenceEncoder().fit([["a", "b"], ["c", "d"]])
    with pytest.raises(NotFittedError):
        SequenceEncoder().transform(column(WORDS))
    with pytest.raises(NotFittedError):
        SequenceEncoder().get_feature_names_out()


# Back from codes to items.


def test_inverse_transform():
    X = column(RARE_ROWS).assign(n=column([[2**53 + 1], [], None, [2]])["h"])
    encoder = SequenceEncoder(max_length=3, min_frequency=2).fit(X)
    values = encoder.inverse_transform(encoder.transform(X).astype(float))
    assert values.shape == (4, 2)
    assert values[0].tolist() == [
        ["infrequent_sklearn", "b", "b"],
        ["infrequent_sklearn"],
    ]
    assert values[2].tolist() == [["c", "b"], []]
    assert values[1, 0][:2] == ["b", "c"]
    assert np.isnan(values[1, 0][2])
    unknown = encoder.transform(X[:1].assign(h=[["x", "b"]]))
    assert encoder.inverse_transform(unknown)[0, 0] == [None, "b"]


def test_inverse_transform_is_the_inverse():
    rows = [["b", "a"], [], ["a"]]
    X = column(rows).assign(n=column([[2**53 + 1], [2**53 + 2] * 4, []])["h"])
    encoder = SequenceEncoder().fit(X)
    values = encoder.inverse_transform(encoder.transform(X))
    assert values.tolist() == X.to_numpy().tolist()


def test_inverse_transform_refuses_other_codes():
    encoder = SequenceEncoder(max_length=2).fit(column([["a", "b"]]))
    with pytest.raises(ValueError, match=r"from 0 to 2; found 3. Pass what transform"):
        encoder.inverse_transform([[3, -1]])
    with pytest.raises(
        ValueError, match=r"Codes of 2 columns are required; found 1. P"
    ):
        encoder.inverse_transform([[1]])


# The conventions of scikit-learn.


def test_names_and_containers_of_the_output():
    X = column(WORDS).assign(n=column(NUMBERS)["h"]).set_axis(list("abcde"))
    encoder = SequenceEncoder(max_length=2).set_output(transform="pandas").fit(X)
    names = ["h_0", "h_1", "n_0", "n_1"]
    assert encoder.get_feature_names_out().tolist() == names
    assert encoder.n_features_in_ == 2
    assert encoder.feature_names_in_.tolist() == ["h", "n"]
    for frame in (encoder.transform(X), encoder.fit_transform(X)):
        assert frame.columns.tolist() == names
        assert frame.index.tolist() == list("abcde")
        assert (frame.dtypes == np.int32).all()
    array = SequenceEncoder(max_length=1).fit(X.to_numpy())
    assert array.get_feature_names_out().tolist() == ["x0_0", "x1_0"]
    assert array.get_feature_names_out(["p", "q"]).tolist() == ["p_0", "q_0"]
    with pytest.raises(ValueError, match="input_features should have length equal to"):
        array.get_feature_names_out(["p"])


def test_names_and_numbers_of_columns_are_checked():
    X = column(WORDS).assign(n=column(NUMBERS)["h"])
    encoder = SequenceEncoder().fit(X)
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X[["n", "h"]])
    with pytest.raises(ValueError, match=r"has 1 features, but .* is expecting 2"):
        SequenceEncoder().fit(X.to_numpy()).transform(X[["h"]].to_numpy())
    with pytest.raises(ValueError, match="must be unique; found 'h' more than once"):
        encoder.fit(X.set_axis(["h", "h"], axis=1))


def test_inside_a_column_transformer():
    X = column(WORDS).assign(price=np.arange(5.0), town=list("abcab"))
    columns = ColumnTransformer(
        [
            ("num", "passthrough", ["price"]),
            ("cat", CategoryEncoder(), ["town"]),
            ("seq", SequenceEncoder(max_length=3), ["h"]),
        ],
        verbose_feature_names_out=False,
    )
    table = columns.fit_transform(X)
    np.testing.assert_array_equal(table[:, 0], X["price"])
    np.testing.assert_array_equal(table[:, 2:], WORD_CODES)
    names = ["price", "town", "h_0", "h_1", "h_2"]
    assert columns.get_feature_names_out().tolist() == names


def test_parameters_set_after_fit_do_not_act_before_the_next():
    encoder = SequenceEncoder(max_length=3).fit(column(WORDS))
    encoder.set_params(max_length=1, truncate="tail", separator="|", dtype=np.int64)
    codes = encoder.transform(column(WORDS))
    assert codes.tolist() == WORD_CODES
    assert codes.dtype == np.int32
    assert len(encoder.get_feature_names_out()) == 3
    assert len(encoder.inverse_transform(codes)) == 5


def test_a_failed_fit_leaves_a_fitted_encoder_at_work():
    encoder = SequenceEncoder(max_length=3).fit(column(WORDS))
    with pytest.raises(TypeError):
        encoder.set_params(max_length=9).fit(column(["a"]))
    assert encoder.transform(column(WORDS)).tolist() == WORD_CODES


def test_pickle_and_clone():
    X = column(WORDS)
    encoder = SequenceEncoder(max_length=3, min_frequency=2).fit(X)
    copy = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copy.transform(X), encoder.transform(X))
    assert clone(encoder).get_params() == encoder.get_params()


def test_input_is_left_as_it_was():
    for make in CONTAINERS.values():
        X, same = make(), make()
        SequenceEncoder(max_length=1).fit(X).transform(X)
        assert type(X) is type(same)
        assert repr(X) == repr(same)


def test_without_polars(monkeypatch):
    monkeypatch.delitem(sys.modules, "polars", raising=False)
    assert codes_of(column(WORDS)) == WORD_CODES
    assert "polars" not in sys.modules


class SequencesOfOne(SequenceEncoder):
    """Takes the single values that scikit-learn's checks pass, each as a sequence."""

    def _fit_codes(self, X):
        return super()._fit_codes(self._wrapped(X))

    def transform(self, X):
        return super().transform(self._wrapped(X))

    @staticmethod
    def _wrapped(X):
        if isinstance(X, pd.DataFrame):
            return X.map(lambda value: [value])
        if not (hasattr(X, "__array__") or isinstance(X, list)):
            return X
        values = np.array(X)
        if values.ndim != 2 or values.size == 0:
            return X
        return objects([[value] for value in values.ravel()]).reshape(values.shape)


@pytest.mark.filterwarnings("ignore:Estimator's parameters changed:UserWarning")
def test_every_check_of_scikit_learn_passes_on_sequences_of_one():
    results = check_estimator(SequencesOfOne(max_length=1), on_skip=None)
    status = pd.Series([result["status"] for result in results]).value_counts()
    assert status["passed"] >= 43
    assert set(status.index) <= {"passed", "skipped"}
