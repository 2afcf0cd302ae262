import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sk_mtl.preprocessing import CategoryEncoder, SequenceEncoder
from sk_mtl.preprocessing._schema._code_columns import CodeColumn
from sk_mtl.preprocessing._schema._fixed_vocabularies import HashedVocabulary
from sk_mtl.preprocessing._schema._sequence_block import SequenceBlock
from tests.preprocessing._sample_tables import import_polars
from tests.preprocessing._schemas import assert_same_arrays, columns, fit

HISTORY = [["tea", "ink"], [], ["pen"], None]
CODES = [[3, 1], [-1, -1], [2, -1], [-1, -1]]


def block(n_places, cardinality=10):
    column = CodeColumn(HashedVocabulary(cardinality - 1, 0), None, None)
    return SequenceBlock(np.arange(n_places), "history", column)


def read(rows, dtype=np.int32):
    rows = np.array(rows, dtype=dtype)
    return block(rows.shape[1]).read(rows)


def make_log():
    return pd.DataFrame(
        {
            "age": [30.0, 41.0, 52.0, 29.0],
            "item": ["tea", "pen", "tea", "ink"],
            "history": HISTORY,
            "seen": [["a"], ["b", "a", "c"], [], ["c"]],
        }
    )


def test_codes_are_cut_to_the_longest_sequence():
    codes = read([[3, 0, -1, -1], [-1, -1, -1, -1], [5, -1, -1, -1]])
    assert codes.tolist() == [[3, 0], [-1, -1], [5, -1]]
    assert codes.dtype == np.int32
    assert codes.flags.c_contiguous


def test_one_column_is_left_without_any_item():
    assert read([[-1, -1], [-1, -1]]).tolist() == [[-1], [-1]]
    assert block(3).read(np.empty((0, 3))).shape == (0, 1)


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.float32, np.float64, object])
def test_codes_of_any_numeric_type_are_read(dtype):
    codes = read([[1, 9], [0, -1]], dtype)
    assert codes.tolist() == [[1, 9], [0, -1]]
    assert codes.dtype == np.int32


@pytest.mark.parametrize("value", [-2, 10, 0.5, np.nan, np.inf])
def test_what_is_no_code_is_refused(value):
    match = rf"sequence 'history' must be integers from 0 to 9.*found {value}.*row 1"
    with pytest.raises(ValueError, match=match):
        read([[1, 2], [value, -1]], float)


def test_an_item_behind_padding_is_refused():
    with pytest.raises(ValueError, match="an item behind padding in row 1"):
        read([[1, 2, 3], [4, -1, 5]])


def test_codes_that_floats_may_have_rounded_are_refused():
    wide = block(1, cardinality=2**24 + 2)
    assert wide.read(np.array([[2.0**24 + 1]])).tolist() == [[2**24 + 1]]
    with pytest.raises(ValueError, match=r"'history' must pass.*codes in float32"):
        wide.read(np.array([[1]], dtype=np.float32))


def steps(max_length=5):
    return [
        ("num", StandardScaler(), ["age"]),
        ("cat", CategoryEncoder(), ["item"]),
        ("seq", SequenceEncoder(max_length=max_length), ["history", "seen"]),
    ]


PREPROCESSORS = {
    "plain": columns(*steps()),
    "encoder alone": columns(steps()[2]),
    "integers": columns(steps()[2], steps()[1]),
    "pipeline": columns(
        *steps()[:2],
        ("seq", make_pipeline("passthrough", SequenceEncoder()), ["history", "seen"]),
    ),
    "outer pipeline": make_pipeline(FunctionTransformer(), columns(*steps())),
    "nested": columns(
        ("inner", columns(*steps()[1:]), ["item", "history", "seen"]), steps()[0]
    ),
    "pandas output": columns(*steps()).set_output(transform="pandas"),
    "sparse output": columns(
        *steps(), ("hot", OneHotEncoder(), ["item"]), sparse_threshold=1
    ),
}


@pytest.mark.parametrize("name", PREPROCESSORS)
def test_sequences_are_found_wherever_the_encoder_stands(name):
    X, preprocessor = make_log(), PREPROCESSORS[name]
    schema, transformed = fit(preprocessor, X)
    assert sparse.issparse(transformed) == (name == "sparse output")
    inner = "seq__" if name == "nested" else ""
    assert schema.sequence_names == [f"{inner}history", f"{inner}seen"]
    assert schema.n_sequences == 2
    assert schema.embedded_names == schema.categorical_names + schema.sequence_names
    assert schema.cardinalities[-2:] == [4, 4]
    history, seen = schema.split(transformed).sequences
    assert history.tolist() == CODES
    assert seen.tolist() == [[1, -1, -1], [2, 1, 3], [-1, -1, -1], [3, -1, -1]]


@pytest.mark.parametrize("name", PREPROCESSORS)
def test_direct_and_ordinary_transformation_are_identical(name):
    X, preprocessor = make_log(), PREPROCESSORS[name]
    schema, transformed = fit(preprocessor, X)
    assert_same_arrays(schema.split(transformed), schema.transform(preprocessor, X))
    new = X.assign(history=[["new", "ink"], ["ink"] * 9, None, []])
    for rows in (X.iloc[[2]], X.iloc[::-1], new):
        ordinary = schema.split(preprocessor.transform(rows))
        assert_same_arrays(ordinary, schema.transform(preprocessor, rows))
    assert ordinary.sequences[0][0, :2].tolist() == [0, 1]


def test_each_call_is_cut_to_its_own_longest_sequence():
    X = make_log()
    preprocessor = PREPROCESSORS["plain"]
    schema, _ = fit(preprocessor, X)

    def widths(rows):
        arrays = schema.transform(preprocessor, X.iloc[rows])
        return [codes.shape[1] for codes in arrays.sequences]

    assert widths([0, 1, 2, 3]) == [2, 3]
    assert widths([2]) == [1, 1]
    assert widths([1, 3]) == [1, 3]


def test_sequences_of_an_array_are_named_by_position():
    X = np.empty((3, 2), dtype=object)
    X[:, 0] = [1.0, 2.0, 3.0]
    X[:, 1] = [["a"], ["b", "a"], []]
    steps = [("num", StandardScaler(), [0]), ("seq", SequenceEncoder(), [1])]
    schema, transformed = fit(columns(*steps), X)
    assert schema.sequence_names == ["x1"]
    codes = schema.split(transformed).sequences[0]
    assert codes.tolist() == [[1, -1], [2, 1], [-1, -1]]


def test_polars_rows_give_the_same_sequences():
    pl = import_polars()
    X, preprocessor = make_log(), PREPROCESSORS["plain"]
    schema, transformed = fit(preprocessor, X)
    other, _ = fit(columns(*steps()), pl.from_pandas(X))
    assert other.embedded_names == schema.embedded_names
    arrays = schema.transform(preprocessor, pl.from_pandas(X))
    assert_same_arrays(arrays, schema.split(transformed))


def test_polars_output_gives_the_same_sequences():
    import_polars()
    X = make_log()
    schema, transformed = fit(columns(*steps()), X)
    other, framed = fit(columns(*steps()).set_output(transform="polars"), X)
    assert_same_arrays(schema.split(transformed), other.split(framed))


def test_names_of_steps_stay_where_a_column_is_category_and_sequence():
    X = pd.DataFrame({"words": ["a b", "b", "a c"]})
    both = [
        ("cat", CategoryEncoder(), ["words"]),
        ("seq", SequenceEncoder(separator=" "), ["words"]),
    ]
    schema, _ = fit(columns(*both), X)
    assert schema.embedded_names == ["cat__words", "seq__words"]
    assert schema.names_of("words") == schema.embedded_names
    match = "different names; found 'words' for a sequence and for another column"
    with pytest.raises(ValueError, match=match):
        fit(columns(*both, verbose_feature_names_out=False), X)
