"""Columns of lists, of text with a separator, and what is neither."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sk_mtl.preprocessing import SequenceEncoder
from tests.preprocessing._sample_tables import column as named_column, import_polars

STR = "str" if int(pd.__version__.split(".")[0]) >= 3 else object
WORDS = [["tea", "milk"], None, ["rum"], [], ["tea", "tea", "ale"]]
WORD_CODES = [[4, 2, -1], [-1, -1, -1], [3, -1, -1], [-1, -1, -1], [4, 4, 1]]
NUMBERS = [[30, -1], None, [7], [], [30, 30, -9]]


def column(rows, dtype=object):
    """A frame of one column of sequences."""
    return named_column(rows, dtype, name="h")


def codes_of(X, max_length=3, **parameters):
    """Codes of the only column of the training rows."""
    encoder = SequenceEncoder(max_length=max_length, **parameters)
    return encoder.fit_transform(X).tolist()


@pytest.mark.parametrize("rows", [[["b", "a"], None, ["a", None]], NUMBERS[:1]])
def test_polars_arrays(rows):
    pl = import_polars()
    kind = pl.String if rows[0][0] == "b" else pl.Int64
    X = pl.DataFrame({"h": pl.Series("h", rows, dtype=pl.Array(kind, 2))})
    expected = [[2, 1, -1], [-1, -1, -1], [1, 3, -1]]
    assert codes_of(X) == expected[: len(rows)]


def test_slices_of_arrays_of_fixed_length():
    rows = [[3, 2], None, [2, None]]
    X = column(rows, pd.ArrowDtype(pa.list_(pa.int64(), 2)))
    assert codes_of(X[1:]) == [[-1, -1, -1], [1, 2, -1]]
    pl = import_polars()
    if tuple(map(int, pl.__version__.split(".")[:2])) < (1, 10):
        pytest.skip("this polars hands over the wrong rows of such slices")
    X = pl.DataFrame({"h": pl.Series("h", rows, dtype=pl.Array(pl.Int64, 2))})
    assert codes_of(X[1:]) == [[-1, -1, -1], [1, 2, -1]]


def test_slices_of_arrow_lists():
    lists = pd.ArrowDtype(pa.list_(pa.string()))
    X = column(WORDS, lists).iloc[2:]
    assert codes_of(X) == [[2, -1, -1], [-1, -1, -1], [3, 3, 1]]
    # Two chunks.
    both = pd.concat([X, X])
    assert codes_of(both) == 2 * [[2, -1, -1], [-1, -1, -1], [3, 3, 1]]


# Empty columns.


@pytest.mark.parametrize(
    "X",
    [
        column([[], []]),
        column([None, np.nan]),
        column([np.array([]), ()]),
        column([[], None], pd.ArrowDtype(pa.list_(pa.int64()))),
        column([[], None], pd.ArrowDtype(pa.list_(pa.null()))),
        column([None, None], pd.ArrowDtype(pa.null())),
    ],
    ids=lambda X: f"{X['h'].dtype}: {X['h'].tolist()}",
)
def test_a_column_without_items(X):
    encoder = SequenceEncoder(max_length=2)
    assert encoder.fit_transform(X).tolist() == [[-1, -1], [-1, -1]]
    assert encoder.cardinalities_ == [1]
    assert encoder.categories_[0].tolist() == []
    assert encoder.infrequent_categories_ == [None]
    for items in (["a"], [1]):
        assert encoder.transform(column([items])).tolist() == [[0, -1]]
    # The reverse: a column with items meets one without.
    encoder.fit(column([["a"], ["b"]]))
    assert encoder.transform(X).tolist() == [[-1, -1], [-1, -1]]


def test_polars_columns_without_items():
    pl = import_polars()
    for values, dtype in (
        ([None, None], pl.Null),
        ([[], None], pl.List(pl.Null)),
        ([[], []], pl.List(pl.String)),
    ):
        X = pl.DataFrame({"h": pl.Series("h", values, dtype=dtype)})
        assert codes_of(X, max_length=1) == [[-1], [-1]]


# Text with a separator.


def text_frames(values):
    yield column(values)
    yield column(values, STR)
    yield column(values, "string[python]")
    yield column(values, "string[pyarrow]")
    yield column(values, "category")
    yield column(values, pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string())))
    pl = import_polars()
    yield pl.DataFrame({"h": values})
    yield pl.DataFrame({"h": pl.Series("h", values, dtype=pl.Categorical)})


TEXTS = ["tea|milk", None, "rum", "", "tea|tea|ale"]


@pytest.mark.parametrize("position", range(8))
def test_text_is_split_at_the_separator(position):
    X = list(text_frames(TEXTS))[position]
    encoder = SequenceEncoder(max_length=3, separator="|")
    assert encoder.fit_transform(X).tolist() == WORD_CODES
    assert encoder.categories_[0].tolist() == ["ale", "milk", "rum", "tea"]
    assert encoder.transform(X[:1]).tolist() == WORD_CODES[:1]


def test_white_space_and_empty_items_of_text():
    X = column([" tea |\tmilk\n", "tea|", "||rum| |", " ", "|"])
    encoder = SequenceEncoder(max_length=2, separator="|")
    codes = encoder.fit_transform(X).tolist()
    assert codes == [[3, 1], [3, -1], [2, -1], [-1, -1], [-1, -1]]
    assert encoder.categories_[0].tolist() == ["milk", "rum", "tea"]
    words = column(["a  b", "b", " "])
    assert codes_of(words, 2, separator=" ") == [[1, 2], [2, -1], [-1, -1]]
    # White space inside an item belongs to it; lists are left as they are.
    assert codes_of(column(["green tea, tea"]), 2, separator=",") == [[1, 2]]
    assert codes_of(column([["tea", " tea", ""]])) == [[3, 2, 1]]


def test_separators_are_taken_literally():
    for separator in (".", "||", "\t", "ä"):
        X = column([separator.join(["a", "b"])])
        assert codes_of(X, 2, separator=separator) == [[1, 2]]


def test_text_without_any_item():
    for X in (column(["", None]), column([None, None]), column(["", ""], STR)):
        assert codes_of(X, 2, separator="|") == [[-1, -1], [-1, -1]]
    null = column([None, None], pd.ArrowDtype(pa.null()))
    assert codes_of(null, 1, separator="|") == [[-1], [-1]]


def test_text_that_is_no_unicode():
    X = column([" b |\ud800|", "a", None])
    assert codes_of(X, 2, separator="|") == [[2, 3], [1, -1], [-1, -1]]


def test_numbers_in_text_are_text():
    encoder = SequenceEncoder(max_length=2, separator="|").fit(column(["10|9"]))
    assert encoder.categories_[0].tolist() == ["10", "9"]


# What the encoder refuses.

SCALAR = (
    "Column 'h': a sequence per row is required; found one value: {}. Encode single "
    "values with CategoryEncoder, or make them lists."
)
TEXT = (
    "Column 'h': a sequence per row is required; found text: 'tea'. Set `separator` to "
    "what stands between its items, or encode single values with CategoryEncoder."
)
UNORDERED = (
    "Column 'h': a sequence per row is required; found a set: {'a'}, whose items have "
    "no order. Make it a list."
)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (column([1, 2], np.int64), SCALAR.format(1)),
        (column([[1], 0.5]), SCALAR.format(0.5)),
        (column([None, 7], "Int64"), SCALAR.format(7)),
        (column([None, 7], pd.ArrowDtype(pa.int64())), SCALAR.format(7)),
        (column([[1], np.array(3)]), SCALAR.format("array(3)")),
        (column([b"tea"]), SCALAR.format("b'tea'")),
        (column([["milk"], "tea"]), TEXT),
        (column(["tea"], STR), TEXT),
        (column(["tea"], "category"), TEXT),
        (column(["tea"], pd.ArrowDtype(pa.string())), TEXT),
        (column([["a"], {"a"}]), UNORDERED),
    ],
)
def test_columns_that_hold_no_sequences(X, message):
    for call in (
        SequenceEncoder().fit,
        SequenceEncoder().fit(column([["a"]])).transform,
    ):
        with pytest.raises(TypeError) as caught:
            call(X)
        assert str(caught.value) == message


def test_polars_columns_that_hold_no_sequences():
    pl = import_polars()
    with pytest.raises(TypeError, match=r"found one value: 3. Encode single values"):
        SequenceEncoder().fit(pl.DataFrame({"h": [None, 3]}))
    with pytest.raises(TypeError, match=r"found text: 'tea'. Set `separator` to what"):
        SequenceEncoder().fit(pl.DataFrame({"h": ["tea"]}))


@pytest.mark.parametrize(
    "X",
    [
        column([[["a"], ["b"]]]),
        column(
            [[["a"]], [["b"], ["c"]]], pd.ArrowDtype(pa.list_(pa.list_(pa.string())))
        ),
        column([["a", ["b"]]]),
        column([[("a", "b")]]),
        column([np.ones((2, 2))]),
    ],
    ids=lambda X: f"{X['h'].dtype}: {X['h'].tolist()}",
)
def test_nested_sequences(X):
    message = (
        r"Column 'h': one value per item is required; found a (list|tuple|ndarray): .*"
        r"\. Join nested lists to one list per row\."
    )
    with pytest.raises(TypeError, match=message):
        SequenceEncoder().fit(X)


SEPARATED = (
    "Column 'h': text with '|' between its items is required, as `separator` is set; "
    "found a {}. Encode lists and arrays with a SequenceEncoder without a separator."
)


@pytest.mark.parametrize(
    ("X", "found"),
    [
        (column([["a"]]), "list: ['a']"),
        (column(["a", 1]), "int: 1"),
        (column([None, 2.5]), "float: 2.5"),
        (column([b"a"]), "bytes: b'a'"),
        (column([3, 4], np.int64), "int: 3"),
        (column([["a"]], pd.ArrowDtype(pa.list_(pa.string()))), "list: ['a']"),
    ],
)
def test_a_separator_for_what_is_no_text(X, found):
    with pytest.raises(TypeError) as caught:
        SequenceEncoder(separator="|").fit(X)
    assert str(caught.value) == SEPARATED.format(found)
