"""Labels of every type in every container, as `fit` and the metrics read them."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sk_mtl._labels import (
    as_numbers,
    is_missing,
    one_label_column,
    plain_values,
    read_labels,
)
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._targets._targets import learn_classes, learn_numbers
from sk_mtl.metrics._read_tasks import read_tasks

T1, T2 = pd.Timestamp("2020-01-01"), pd.Timestamp("2021-06-01")
#: Two labels of a kind, and a third that may stand for a missing one.
KINDS = {
    "int": (0, 1, -1),
    "large": (2**60 + 1, 2**60 + 2, -1),
    "float": (0.0, 1.0, -1.0),
    "bool": (False, True, None),
    "text": ("no", "yes", "?"),
    "time": (T1, T2, pd.Timestamp("1970-01-01")),
}
NULLABLE = {
    "int": "Int64",
    "large": "Int64",
    "float": "Float64",
    "bool": "boolean",
    "text": "string",
    "time": "datetime64[ns]",
}
ARROW = {
    "int": "int64[pyarrow]",
    "large": "int64[pyarrow]",
    "float": "double[pyarrow]",
    "bool": "bool[pyarrow]",
    "text": "string[pyarrow]",
    "time": "timestamp[ns][pyarrow]",
}


def masked(values, kind):
    """Return a masked array; what is masked is a label that would be wrong."""
    mask = [value is None for value in values]
    filled = [values[0] if value is None else value for value in values]
    data = np.array(filled, dtype="M8[ns]" if kind == "time" else None)
    return np.ma.masked_array(data, mask=mask)


#: Each makes a column of values, None among them, of a kind.
CONTAINERS = {
    "list": lambda values, kind: values,
    "object": lambda values, kind: np.array(values, dtype=object),
    "masked": masked,
    "series": lambda values, kind: pd.Series(values),
    "nullable": lambda values, kind: pd.Series(values, dtype=NULLABLE[kind]),
    "nullable array": lambda values, kind: pd.array(values, dtype=NULLABLE[kind]),
    "arrow-backed": lambda values, kind: pd.Series(values, dtype=ARROW[kind]),
    "category": lambda values, kind: pd.Series(
        pd.Categorical(values, categories=list(dict.fromkeys(filter(known, values))))
    ),
    "polars": lambda values, kind: pl.Series(values),
    "polars category": lambda values, kind: pl.Series(
        [value if value is None else str(value) for value in values],
        dtype=pl.Categorical,
    ),
    "pyarrow": lambda values, kind: pa.array(values),
    "dictionary": lambda values, kind: pa.array(values).dictionary_encode(),
}


def known(value):
    return value is not None


def cases():
    for kind, (first, second, marker) in KINDS.items():
        for container in CONTAINERS:
            if container == "polars category" and kind != "text":
                continue
            if (container, kind) in [("list", "large"), ("series", "large")]:
                # Beside None, pandas and NumPy read such integers as floats.
                continue
            for missing in ("gap", "marker", "both"):
                if missing != "gap" and marker is None:
                    continue
                gap = None if missing == "gap" else marker
                values = [second, gap, first, second, first]
                if missing == "both":
                    values[3] = None
                yield pytest.param(
                    values, kind, container, marker, id=f"{kind}-{container}-{missing}"
                )


def expected_codes(values, kind):
    first, second, _ = KINDS[kind]
    codes = {first: 0.0, second: 1.0}
    return np.array([codes.get(value, np.nan) for value in values])


@pytest.mark.parametrize(("values", "kind", "container", "marker"), list(cases()))
def test_fit_and_metrics_read_the_same_labels(values, kind, container, marker):
    y = CONTAINERS[container](values, kind)
    expected = expected_codes(values, kind)
    targets = learn_classes(y, task_names=None, missing_label=marker)
    np.testing.assert_array_equal(targets.encode(y)[:, 0], expected)
    labelled = ~np.isnan(expected)
    weight = np.array([1.0, 2.0, 0.0, 3.0, 4.0])
    proba = np.full((5, 2), 0.5)
    _, (rows,) = read_tasks(y, [proba], weight, missing_label=marker)
    counted = labelled & (weight > 0)
    np.testing.assert_array_equal(rows.codes, expected[counted])
    np.testing.assert_array_equal(rows.weight, weight[counted])
    assert rows.classes.tolist() == targets.classes[0].tolist()


@pytest.mark.parametrize(("values", "kind", "container", "marker"), list(cases()))
def test_labels_of_one_container_are_those_of_another(values, kind, container, marker):
    plain = KINDS[kind][:2]
    if container == "polars category":
        plain = tuple(map(str, plain))
    targets = learn_classes(list(plain), task_names=None, missing_label=marker)
    codes = targets.encode(CONTAINERS[container](values, kind), strict=False)[:, 0]
    np.testing.assert_array_equal(codes, expected_codes(values, kind))


@pytest.mark.parametrize("kind", ["int", "float", "bool", "large"])
@pytest.mark.parametrize("container", sorted(CONTAINERS.keys() - {"polars category"}))
def test_fit_and_metrics_read_the_same_numbers(kind, container):
    first, second, _ = KINDS[kind]
    y = CONTAINERS[container]([second, None, first, second], kind)
    targets = learn_numbers(
        y, task_names=None, missing_label=None, loss="squared_error"
    )
    codes = targets.encode(y)[:, 0]
    np.testing.assert_array_equal(codes, [second, np.nan, first, second])
    _, (rows,) = read_tasks(y, [None], y_pred=np.zeros(4))
    np.testing.assert_array_equal(rows.labels, codes[[0, 2, 3]])


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("missing_label", [None, -1])
def test_fit_and_metrics_find_columns_by_name(make, missing_label):
    table = {"a": [0, 1, None, 1], "b": [1, None, 0, -1]}
    weight = {"a": [1.0, 2.0, 3.0, 4.0], "b": [5.0, 6.0, 7.0, 0.0]}
    y, given = make(table), make(weight)
    other = make({name: weight[name] for name in "ba"})
    X = np.zeros((4, 1))
    options = {"task_names": None, "missing_label": missing_label}
    targets = learn_classes(y, **options)
    expected = LabelledRows.check(X, y, given, None, targets)
    labels = make(dict(reversed(table.items())))
    flipped = LabelledRows.check(X, labels, other, None, targets)
    np.testing.assert_array_equal(flipped.codes, expected.codes)
    np.testing.assert_array_equal(flipped.weight, expected.weight)
    probas = [np.full((4, len(classes)), 0.5) for classes in targets.classes]
    probas = [proba / proba.sum(axis=1, keepdims=True) for proba in probas]
    for each in (given, other, weight):
        names, rows = read_tasks(
            y, probas, each, targets.classes, missing_label=missing_label
        )
        assert names == ["a", "b"]
        for k, own in enumerate(rows):
            counted = ~np.isnan(expected.codes[:, k])
            np.testing.assert_array_equal(own.codes, expected.codes[counted, k])
            np.testing.assert_array_equal(own.weight, expected.weight[counted, k])


@pytest.mark.parametrize("marker", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_a_marker_that_is_missing_itself_adds_nothing(marker):
    for column in (pd.array([1, None], dtype="Int64"), np.array([1.0, np.nan])):
        np.testing.assert_array_equal(is_missing(column, marker), [False, True])


@pytest.mark.parametrize(
    ("column", "marker"),
    [
        (np.array([1, 2]), "?"),
        (np.array(["a", "b"]), -1),
        (np.array(["-1", "b"], dtype=object), -1),
        (pd.array(["a", "b"], dtype="string"), -1),
        (pd.array([1, 2], dtype="Int64"), "?"),
        (pd.array([1, 2], dtype="int64[pyarrow]"), "1"),
        (pd.Categorical([1, 2]), "1"),
        (np.array(["2020-01-01"], "M8[ns]"), -1),
        (np.array([0], "M8[ns]"), 0),
        (np.array([True, False]), "True"),
        (pd.array([T1, T2]).tz_localize("UTC"), T1),
    ],
)
def test_a_marker_of_another_type_is_no_label(column, marker):
    assert not is_missing(column, marker).any()


@pytest.mark.parametrize(
    "marker", [T1, T1.to_pydatetime(), T1.to_datetime64(), dt.date(2020, 1, 1)]
)
@pytest.mark.parametrize("unit", ["ns", "us", "s"])
def test_a_time_is_a_marker_of_times(marker, unit):
    column = np.array(["2020-01-01", "2021-01-01", "NaT"], f"M8[{unit}]")
    np.testing.assert_array_equal(is_missing(column, marker), [True, False, True])


def test_several_markers_are_refused():
    with pytest.raises(ValueError) as caught:
        is_missing(np.array([1, 2]), [-1, -9])
    assert str(caught.value) == (
        "missing_label must be a single label; found [-1, -9]. Replace the other "
        "labels by NaN."
    )


def test_objects_of_one_type_are_given_in_it():
    for values, kind in [([1, 2], "i"), ([True, False], "b"), ([1, 0.5], "f")]:
        assert plain_values(np.array(values, dtype=object)).dtype.kind == kind
    assert plain_values(np.array([T1, T2], dtype=object)).dtype.kind == "M"
    assert plain_values(pd.array(["a"], dtype="string")).dtype == object
    mixed = plain_values(np.array(["a", 1], dtype=object))
    assert mixed.tolist() == ["a", 1]


def test_masked_rows_in_a_list_stay_masked():
    rows = [np.ma.masked_array([1, 2], mask=[0, 1]), np.ma.masked_array([3, 4])]
    first, second = read_labels(rows).columns
    assert is_missing(first).tolist() == [False, False]
    assert is_missing(second).tolist() == [True, False]


def refuse(y, message, error=ValueError):
    with pytest.raises(error) as caught:
        read_labels(y, "y_true")
    assert str(caught.value) == message


def test_what_holds_no_labels_is_refused():
    refuse(
        {"a": [0, 1]},
        "y_true must be a data frame or an array; found a dict. Give a "
        "DataFrame of pandas.",
        TypeError,
    )
    refuse(
        pl.DataFrame({"a": [0, 1]}).lazy(),
        "y_true must be a data frame or an array; found a LazyFrame of polars. Call "
        "y_true.collect().",
        TypeError,
    )
    refuse(
        [[0, 1], [1]],
        "y_true must have the same number of labels in every row; found rows of "
        "different lengths. Give one column of labels per task.",
    )
    refuse(
        np.array([(0, 1)], dtype=[("a", int), ("b", int)]),
        "y_true must be a data frame or an array of labels; found records of [('a', "
        "'<i8'), ('b', '<i8')]. Use pd.DataFrame(y_true).",
    )


def test_rows_that_are_dicts_are_a_frame():
    columns, names, is_vector = read_labels([{"a": 0, "b": "x"}, {"a": 1}])
    assert names == ["a", "b"]
    assert not is_vector
    assert columns[0].tolist() == [0, 1]
    assert is_missing(columns[1]).tolist() == [False, True]


def test_one_column_is_asked_for():
    assert one_label_column(pd.DataFrame({"a": [0, 1]})).tolist() == [0, 1]
    with pytest.raises(ValueError) as caught:
        one_label_column([[0, 1], [1, 0]], "y_true")
    assert str(caught.value) == (
        "y_true must hold one task; found 2 columns. Pass one of them, for instance "
        "y_true['click']."
    )


def test_numbers_are_no_times_and_no_text():
    with pytest.raises(ValueError, match=r"y must hold numbers; found 'b'\. Fix it\."):
        as_numbers(np.array([1, "b"], dtype=object), "y", "Fix it")
    with pytest.raises(ValueError, match="y must hold numbers; found datetime64"):
        as_numbers(np.array(["2020-01-01"], "M8[ns]"), "y", "Fix it")
