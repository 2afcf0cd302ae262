"""Values become codes and come back, whatever they are and whatever holds them."""

import pickle

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from sk_mtl.preprocessing import CategoryEncoder, HashingEncoder, SequenceEncoder
from tests.preprocessing._sample_tables import import_polars, objects

pl = import_polars()
# Early versions of hypothesis look for its own generator among what garbage collection
# walks through; what was collected is frozen and not among it (conftest.py).
pytestmark = pytest.mark.filterwarnings(
    "ignore:It looks like `register_random`:hypothesis.errors.HypothesisWarning"
)
quick = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def pandas(dtype):
    return lambda values: pd.DataFrame({"c": pd.array(objects(values), dtype=dtype)})


def polars(dtype):
    return lambda values: pl.DataFrame({"c": pl.Series(values, dtype=dtype)})


def arrow(dtype):
    return lambda values: pa.table({"c": pa.array(values, dtype)})


ANY = [
    pandas(object),
    pandas("category"),
    lambda values: objects(values)[:, None],
    lambda values: [[value] for value in values],
]
TEXTS = [
    pandas("string[python]"),
    pandas("string[pyarrow]"),
    polars(pl.String),
    polars(pl.Categorical),
    arrow(pa.large_string()),
    lambda values: pa.table({"c": pa.array(values, pa.string()).dictionary_encode()}),
]
FLOATS = [pandas("float32"), pandas("Float64"), polars(pl.Float32), arrow(pa.float64())]
FLAGS = [pandas("boolean"), polars(pl.Boolean), arrow(pa.bool_())]
SIGNED = [pandas("Int64"), polars(pl.Int64), arrow(pa.int64())]
UNSIGNED = [pandas("UInt64"), polars(pl.UInt64), arrow(pa.uint64())]
SMALL = [pandas("Int8"), pandas("float64"), polars(pl.Int16), arrow(pa.int32())]

#: What a column holds, and the tables that hold it exactly, with missing values.
KINDS = {
    "text": (st.text("aäZ 0\0é日🙂", max_size=3), TEXTS),
    "floats": (st.floats(width=32, allow_nan=False, allow_infinity=False), FLOATS),
    "flags": (st.booleans(), FLAGS),
    "small integers": (st.integers(-5, 5), SMALL + SIGNED),
    # Floats merge neighbours beyond 2**53.
    "signed integers": (
        st.integers(2**53, 2**53 + 3) | st.integers(-(2**63), 2**63 - 1),
        SIGNED,
    ),
    "unsigned integers": (
        st.integers(2**63, 2**63 + 3) | st.integers(0, 2**64 - 1),
        UNSIGNED,
    ),
}


@st.composite
def columns(draw, kind):
    """Values of some kind, and two tables that hold them."""
    values, tables = KINDS[kind]
    column = draw(st.lists(values | st.none(), min_size=1, max_size=12))
    if all(value is None for value in column):
        column.append(draw(values))
    makers = st.sampled_from(tables + ANY)
    return column, draw(makers), draw(makers)


def same(found, expected):
    """Whether lists are equal, where None stands for any missing value."""
    return [None if pd.isna(value) else value for value in found] == expected


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@quick
def test_categories(kind, data):
    values, make, make_other = data.draw(columns(kind))
    encoder = CategoryEncoder()
    codes = encoder.fit_transform(make(values))
    known = sorted({value for value in values if value is not None})
    expected = {value: 1 + i for i, value in enumerate(known)} | {None: 1 + len(known)}
    assert codes[:, 0].tolist() == [expected[value] for value in values]
    assert encoder.cardinalities_ == [max(codes[:, 0].max(), len(known)) + 1]
    assert same(encoder.inverse_transform(codes)[:, 0], values)
    # Other tables, other orders and parts of the rows have the same codes.
    copy = pickle.loads(pickle.dumps(encoder))
    order = data.draw(st.permutations(range(len(values))))
    shuffled = copy.transform(make_other([values[i] for i in order]))
    assert shuffled.tolist() == codes[order].tolist()
    for i in range(len(values)):
        assert encoder.transform(make_other([values[i]])).item() == codes[i, 0]


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@quick
def test_values_that_training_did_not_hold(kind, data):
    values, make, make_other = data.draw(columns(kind))
    trained = values[: data.draw(st.integers(1, len(values)))]
    encoder = CategoryEncoder().fit(make(trained))
    codes = encoder.transform(make_other(values))[:, 0]
    assert (codes == 0).tolist() == [value not in trained for value in values]


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@quick
def test_hashes(kind, data):
    values, make, make_other = data.draw(columns(kind))
    encoder = HashingEncoder(2**31 - 1)
    codes = encoder.fit_transform(make(values))[:, 0].tolist()
    assert [code == 0 for code in codes] == [value is None for value in values]
    assert len(set(codes)) == len(set(values))
    rows = [encoder.transform(make([value])).item() for value in values]
    other = HashingEncoder(2**31 - 1).transform(make_other(values))[:, 0].tolist()
    assert rows == other == codes


LISTS = {
    "text": (pa.string(), pl.String),
    "floats": (pa.float64(), pl.Float64),
    "small integers": (pa.int16(), pl.Int32),
    "unsigned integers": (pa.uint64(), pl.UInt64),
}


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize("kind", LISTS)
@given(st.data())
@quick
def test_sequences(kind, data):
    item = KINDS[kind][0]
    if kind == "floats":
        item = item.map(round).map(float)
    rows = data.draw(
        st.lists(st.none() | st.lists(item | st.none(), max_size=4), min_size=1)
    )
    arrow_type, polars_type = LISTS[kind]
    makers = st.sampled_from(
        [
            pandas(object),
            pandas(pd.ArrowDtype(pa.list_(arrow_type))),
            polars(pl.List(polars_type)),
            arrow(pa.large_list(arrow_type)),
        ]
    )
    make, make_other = data.draw(makers), data.draw(makers)
    encoder = SequenceEncoder(max_length=4)
    codes = encoder.fit_transform(make(rows))
    decoded = encoder.inverse_transform(codes)[:, 0]
    assert all(same(row, items or []) for row, items in zip(decoded, rows))
    assert [sum(row != -1) for row in codes] == [len(row or []) for row in rows]
    copy = pickle.loads(pickle.dumps(encoder))
    assert copy.transform(make_other(rows[::-1])).tolist() == codes[::-1].tolist()
    one = data.draw(st.integers(0, len(rows) - 1))
    assert encoder.transform(make_other([rows[one]])).tolist() == [codes[one].tolist()]
    # Items that are cut have no influence.
    short = [row if row is None else row[-2:] for row in rows]
    cut = SequenceEncoder(max_length=2).fit_transform(make(rows))
    assert cut.tolist() == (
        SequenceEncoder(max_length=2).fit_transform(make_other(short)).tolist()
    )
