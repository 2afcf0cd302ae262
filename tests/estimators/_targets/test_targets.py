"""The columns of y: names, classes, codes, and what may not be learnt from."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sk_mtl._labels import is_missing
from sk_mtl.estimators._targets._targets import learn_classes
from tests.estimators.common import class_targets


def learn(y, *, task_names=None, missing_label=None, classes=None):
    return learn_classes(
        y, task_names=task_names, missing_label=missing_label, classes=classes
    )


def likeliest(codes):
    """Return log-probabilities by which these classes are predicted."""
    return [np.log(0.1 + np.eye(3)[column]) for column in np.array(codes, int).T]


def test_a_frame_names_the_tasks():
    y = pd.DataFrame({"click": [0, 1], "buy": [0, 1]})
    targets = learn(y)
    assert targets.task_names == ["click", "buy"]
    assert targets.n_tasks == 2
    assert not targets.one_dimensional


def test_an_array_takes_the_given_names_or_numbers():
    y = [[0, 1], [1, 0]]
    assert learn(y).task_names == ["task_0", "task_1"]
    assert learn(y, task_names=["a", "b"]).task_names == ["a", "b"]
    assert learn(y, task_names=np.array(["a", "b"])).task_names == ["a", "b"]


def test_a_vector_is_one_task():
    assert learn([0, 1, 1]).one_dimensional
    assert learn([0, 1, 1]).task_names == ["task_0"]
    assert learn(pd.Series([0, 1], name="buy")).task_names == ["buy"]
    assert learn(pd.Series([0, 1], name="buy"), task_names=["own"]).task_names == [
        "own"
    ]
    assert not learn(pd.DataFrame({"buy": [0, 1]})).one_dimensional


def test_names_that_are_no_text_stay_what_they_are():
    y = np.array([[0, 1], [1, 0]])
    for names in ([0, 1], [7, 3], [("a", 1), ("a", 2)], [1.5, 2.5]):
        found = learn(pd.DataFrame(y, columns=names)).task_names
        assert found == names
        assert [type(name) for name in found] == [type(name) for name in names]
    assert learn(y, task_names=np.array([7, 3])).task_names == [7, 3]
    assert learn(y, task_names=[np.int64(7), "b"]).task_names == [7, "b"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([3, 1, 3], [1, 3]),
        ([1.0, np.nan, 0.0], [0.0, 1.0]),
        (["no", "yes", "no"], ["no", "yes"]),
        (["yes", None, "no"], ["no", "yes"]),
        ([True, False, True], [False, True]),
        (pd.Categorical(["b", "a", "b"], categories=["c", "b", "a"]), ["a", "b"]),
        (pd.array([2, None, 1], dtype="Int64"), [1, 2]),
        (pd.array(["y", None, "x"], dtype="string"), ["x", "y"]),
        (pd.array([True, None, False], dtype="boolean"), [False, True]),
    ],
)
def test_classes_are_sorted_in_the_labels_own_type(labels, classes):
    (found,) = learn(pd.DataFrame({"task": labels})).classes
    assert found.tolist() == classes
    assert type(found) is np.ndarray
    assert type(found.tolist()[0]) is type(classes[0])


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table])
def test_other_frames_give_what_pandas_gives(make):
    table = {"click": [0, 1, 1], "plan": ["b", None, "a"], "ok": [True, False, None]}
    ours, theirs = learn(make(table)), learn(pd.DataFrame(table))
    assert ours.task_names == theirs.task_names
    for a, b in zip(ours.classes, theirs.classes, strict=True):
        assert a.tolist() == b.tolist()
    encoded = ours.encode(make(table)), theirs.encode(pd.DataFrame(table))
    np.testing.assert_array_equal(*encoded)


@pytest.mark.parametrize("make", [pl.Series, pa.array, lambda y: pa.chunked_array([y])])
def test_other_columns_are_vectors(make):
    targets = learn(make(["b", None, "a"]))
    assert targets.one_dimensional
    assert targets.task_names == ["task_0"]
    assert targets.classes[0].tolist() == ["a", "b"]
    # Integers with gaps, which pandas turns into floats.
    large = learn(make([2**53 + 1, None, 2**53 + 2]))
    assert large.classes[0].tolist() == [2**53 + 1, 2**53 + 2]


def test_a_series_of_polars_may_have_a_name():
    assert learn(pl.Series("plan", ["b", "a"])).task_names == ["plan"]


def test_codes_count_the_classes_and_leave_gaps():
    y = pd.DataFrame({"a": ["x", None, "z", "y"], "b": [1.0, 0.0, np.nan, 1.0]})
    codes = learn(y).encode(y)
    np.testing.assert_array_equal(codes[:, 0], [0, np.nan, 2, 1])
    np.testing.assert_array_equal(codes[:, 1], [1, 0, np.nan, 1])


@pytest.mark.parametrize(
    ("labels", "missing_label"),
    [
        ([0, 1, -1, 1], -1),
        ([0.0, 1.0, -1.0, 1.0], -1),
        (["no", "yes", "?", "yes"], "?"),
        (np.array(["no", "yes", "?", "yes"]), "?"),
    ],
)
def test_missing_label_is_no_class(labels, missing_label):
    targets = learn(labels, missing_label=missing_label)
    assert len(targets.classes[0]) == 2
    codes = targets.encode(labels)
    np.testing.assert_array_equal(codes[:, 0], [0, 1, np.nan, 1])


def test_a_label_of_another_kind_than_the_missing_one_is_kept():
    np.testing.assert_array_equal(is_missing(np.array(["a", "b"]), -1), [False, False])
    np.testing.assert_array_equal(is_missing(np.array([1, 2]), "?"), [False, False])
    np.testing.assert_array_equal(is_missing(np.array([1.0, np.nan]), np.nan), [0, 1])
    np.testing.assert_array_equal(
        is_missing(pd.array([pd.NaT, "2020-01-01"], dtype="datetime64[ns]"), None),
        [True, False],
    )


def test_codes_do_not_depend_on_the_container():
    y = pd.DataFrame({"a": ["x", "y"], "b": [0, 1]})
    targets = learn(y)
    values = y.to_numpy()
    for other in (values, values.tolist(), y.astype(object), pl.from_pandas(y)):
        np.testing.assert_array_equal(targets.encode(other), [[0, 0], [1, 1]])


@pytest.mark.parametrize("labels", [[True, False], [1, 0], [1.0, 0.0]])
@pytest.mark.parametrize("dtype", [bool, int, float, object])
def test_truth_and_numbers_are_the_same_labels(labels, dtype):
    codes = learn(np.array([0, 1], dtype=dtype)).encode(labels)
    np.testing.assert_array_equal(codes, [[1], [0]])


def test_a_list_of_text_keeps_its_gaps_and_numbers():
    assert learn(["no", np.nan, "yes"]).classes[0].tolist() == ["no", "yes"]
    assert learn([["no", 1], ["yes", 0]]).classes[1].tolist() == [0, 1]


def test_the_columns_of_a_frame_are_found_by_name():
    y = pd.DataFrame({"a": [0, 1], "b": [1, 1]})
    targets = learn(y)
    np.testing.assert_array_equal(targets.encode(y[["b", "a"]]), targets.encode(y))
    # Names of frames that were made of arrays say nothing.
    unnamed = y.set_axis([0, 1], axis=1)
    np.testing.assert_array_equal(targets.encode(unnamed), targets.encode(y))
    np.testing.assert_array_equal(learn(y.to_numpy()).encode(y), targets.encode(y))


@pytest.mark.parametrize("columns", [["a", "c"], ["a"], ["a", "b", "c"]])
def test_a_frame_of_other_columns_is_refused(columns):
    y = pd.DataFrame({"a": [0, 1], "b": [0, 1], "c": [0, 1]})
    with pytest.raises(ValueError) as caught:
        learn(y[["a", "b"]]).encode(y[columns], what="y_val")
    assert str(caught.value) == (
        f"y_val must have the columns ['a', 'b'], one per task; found {columns}. "
        "Rename the columns, or give those that are missing."
    )


def test_another_number_of_columns_is_refused():
    message = (
        r"y must have 2 column\(s\), one per task \['task_0', 'task_1'\]; found 1. "
        "Give one column per task."
    )
    with pytest.raises(ValueError, match=message):
        learn([[0, 1], [1, 0]]).encode([0, 1])


def test_a_new_class_is_refused_or_counts_as_wrong():
    targets = learn(["no", "yes"])
    with pytest.raises(ValueError) as caught:
        targets.encode(["no", "maybe"])
    assert str(caught.value) == (
        "y of task 'task_0' must hold the classes ['no', 'yes']; found 'maybe'. Remove "
        "these rows, or give all classes at the first fit."
    )
    np.testing.assert_array_equal(
        targets.encode(["no", "maybe"], strict=False), [[0], [-1]]
    )


def test_messages_show_plain_numbers():
    with pytest.raises(ValueError, match=r"the classes \[0, 1\]; found 2\."):
        learn(np.array([0, 1])).encode(np.array([0, 2]))
    with pytest.raises(ValueError, match=r"task 'task_0' holds 0\.5\. Bin"):
        learn(np.array([0.0, 0.5]))


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (pd.DataFrame({"a": [0, 1], "b": [5, 7]}), "i"),
        (pd.DataFrame({"a": [True, False], "b": [False, True]}), "b"),
        (pd.DataFrame({"a": [0.0, 1.0], "b": [0, 1]}), "f"),
        (pd.DataFrame({"a": ["x", "y"], "b": ["no", "yes"]}), "O"),
        (pd.DataFrame({"a": ["x", "y"], "b": [0, 1]}), "O"),
        (pd.DataFrame({"a": [True, False], "b": [0, 1]}), "O"),
    ],
)
def test_decoding_gives_the_labels_back_in_their_type(y, kind):
    targets = learn(y)
    labels = targets.decode(likeliest(targets.encode(y)))
    assert labels.dtype.kind == kind
    assert labels.tolist() == y.to_numpy().tolist()


def test_decoding_a_mixed_table_turns_no_number_into_text():
    y = pd.DataFrame({"a": ["x", "y"], "b": [0, 1], "c": [True, False]})
    targets = learn(y)
    row = targets.decode(likeliest([[1, 1, 0]])).tolist()[0]
    assert row == ["y", 1, False]
    assert [type(value) for value in row] == [str, int, bool]


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        ([0, 2**63 + 5], "uint64"),
        ([2**60, 2**60 + 1], "int64"),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "datetime64[ns]"),
        (pd.to_timedelta([1, 2], "D"), "timedelta64[ns]"),
    ],
)
def test_decoding_a_mixed_table_rounds_no_number_and_keeps_times(labels, dtype):
    y = pd.DataFrame({"a": pd.Series(labels, dtype=dtype), "b": [0.0, 1.0]})
    targets = learn(y)
    decoded = targets.decode(likeliest(targets.encode(y)))
    assert decoded[:, 0].tolist() == list(labels)
    np.testing.assert_array_equal(targets.encode(decoded), [[0, 0], [1, 1]])


def test_messages_show_times_as_times():
    times = pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])).astype("M8[ns]")
    message = r"classes \[Timestamp\('2020-01-01 00:00:00'\), Timestamp.*found 3, which"
    with pytest.raises(ValueError, match=message):
        learn(times).encode([3])


def test_labels_of_half_precision_are_classes():
    targets = learn(np.array([0, np.nan, 1], np.float16))
    np.testing.assert_array_equal(targets.encode([1, 0, np.nan])[:, 0], [1, 0, np.nan])


def test_decoding_a_vector_gives_a_vector():
    targets = learn(["no", "yes"])
    assert targets.decode(likeliest([[1], [0]])).tolist() == ["yes", "no"]


def test_classes_may_be_given_where_y_shows_some_only():
    targets = learn([[0, 0]], classes=[[1, 0], [2, 0, 1]])
    assert [values.tolist() for values in targets.classes] == [[0, 1], [0, 1, 2]]
    assert learn([0], classes=["b", "a"]).classes[0].tolist() == ["a", "b"]
    assert learn([0], classes=np.array([0, 1])).classes[0].tolist() == [0, 1]


def refuse(y, message, error=ValueError, **options):
    with pytest.raises(error) as caught:
        learn(y, **options)
    assert str(caught.value) == message


def test_given_classes_must_fit_the_tasks():
    refuse(
        [[0, 1]],
        "classes must hold one entry per task ['task_0', 'task_1']; found 3: [[0, 1], "
        "[0, 1], [0, 1]]. Give one per task, or a dict by task name.",
        classes=[[0, 1], [0, 1], [0, 1]],
    )
    refuse(
        [[0, 1]],
        "classes of task 'task_0' must hold at least two classes; found [0]. Give a "
        "list with the classes of every task, such as [[0, 1], [0, 1]] for two tasks.",
        classes=[0, 1],
    )


def test_names_must_differ():
    frame = pd.DataFrame([[0, 1], [1, 0]], columns=["buy", "buy"])
    refuse(
        frame,
        "The task names in y must differ, also as text; found ['buy', 'buy']. Rename "
        "the columns.",
    )
    refuse(
        [[0, 1], [1, 0]],
        "The task names in task_names must differ, also as text; found ['a', 'a']. "
        "Rename the columns.",
        task_names=["a", "a"],
    )
    refuse(
        pd.DataFrame([[0, 1], [1, 0]], columns=[1, "1"]),
        "The task names in y must differ, also as text; found [1, '1']. Rename the "
        "columns.",
    )


def test_task_names_must_agree_with_y():
    refuse(
        [[0, 1], [1, 0]],
        "task_names must hold one name per column of y; found 1 names ['a'] for 2 "
        "column(s). Name every column.",
        task_names=["a"],
    )
    refuse(
        pd.DataFrame({"a": [0, 1], "b": [0, 1]}),
        "task_names must agree with the columns of y; found ['a', 'c'] and ['a', 'b']. "
        "Leave task_names=None where y carries its own names.",
        task_names=["a", "c"],
    )


def test_y_must_be_a_table_of_labels():
    refuse(
        None,
        "This estimator requires y to be passed, but the target y is None. Give one "
        "column of labels per task.",
    )
    refuse(
        np.zeros((2, 2, 2)),
        "y must have 1 dimension, or 2 dimensions with one column per task; found 3 "
        "dimensions. Reshape it.",
    )
    refuse(
        np.zeros((2, 0)),
        "y must have at least one column; found shape (2, 0). Give one column of "
        "labels per task.",
    )
    refuse(
        pd.DataFrame(index=[0, 1]),
        "y must have at least one column; found none. Give one column of labels per "
        "task.",
    )


@pytest.mark.parametrize(
    "y",
    [
        np.array([1j, 2]),
        pd.Series([1j, 2]),
        pd.DataFrame({"a": [0, 1], "b": [1j, 2]}),
    ],
)
def test_complex_labels_are_refused(y):
    refuse(
        y,
        "Complex data not supported: y must hold class labels; found complex128. Give "
        "real labels.",
    )


def test_numbers_that_are_no_classes_are_refused():
    refuse(
        [[0, 0.25], [1, 1.0]],
        "Unknown label type: continuous. A classifier needs discrete classes; task "
        "'task_1' holds 0.25. Bin the values, use a regressor, or MultiTaskEstimator "
        "for classes beside numbers.",
    )
    refuse(
        [[0, np.inf], [1, 1.0]],
        "Input y contains infinity: the labels of task 'task_1' must be finite. "
        "Replace the infinite labels, or mark them as missing with NaN.",
    )


def test_a_task_without_labels_is_named():
    refuse(
        pd.DataFrame({"a": [0, 1], "b": [np.nan, np.nan]}),
        "Task 'b' must have labelled rows; found none: all 2 labels are missing. Drop "
        "the column, or give its labels.",
    )


def test_two_classes_must_carry_weight():
    targets = class_targets(["a", "b"], [[0, 1], ["n", "y"]])
    codes = np.array([[0, 0], [1, 1], [1, np.nan]])
    targets.check_counts(codes, None)
    targets.check_counts(codes, np.array([[1, 1], [0, 1], [2, 1]]))
    with pytest.raises(ValueError) as caught:
        targets.check_counts(codes, np.array([[1, 1], [1, 0], [1, 1]]))
    assert str(caught.value) == (
        "Task 'b' must have at least two classes among its labelled rows of positive "
        "weight; found only one class: ['n']. Drop the task, or give rows of another "
        "class. Where other rows have one, name all classes by classes=."
    )


def test_classes_may_be_given_by_the_name_of_their_task():
    y = pd.DataFrame({"a": [0, 0], 2: ["x", "x"]})
    targets = learn(y, classes={2: ["y", "x"], "a": [1, 0]})
    assert [values.tolist() for values in targets.classes] == [[0, 1], ["x", "y"]]
    assert learn(y["a"], classes={"a": [0, 1]}).classes[0].tolist() == [0, 1]
    some = learn(y.assign(**{"b": [0, 1]})[["a", "b"]], classes={"a": [0, 1]})
    assert [values.tolist() for values in some.classes] == [[0, 1], [0, 1]]
    refuse(
        y,
        "classes must be keyed by task names ['a', 2]; found ['c']. Correct the names; "
        "tasks left out have the classes of y.",
        classes={"c": [0, 1]},
    )


@pytest.mark.parametrize(
    ("labels", "classes", "found"),
    [
        (["0", "1"], [0, 1], "'0', which is text"),
        ([0, "1"], [0, 1], "'1', which is text"),
        ([0.0, 0.5], [0, 1], "0.5, which is a number that is not whole"),
        ([0, 1], ["0", "1"], "0, which is a number"),
        ([b"x", b"y"], ["x", "y"], "b'x', which is bytes"),
        (
            pd.to_datetime(["2020-01-01", "2021-01-01"]),
            [0, 1],
            "Timestamp('2020-01-01 00:00:00'), which is a time",
        ),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_labels_of_another_type_are_refused(labels, classes, found, strict):
    with pytest.raises(ValueError) as caught:
        learn(classes).encode(labels, strict=strict)
    assert str(caught.value) == (
        f"y of task 'task_0' must hold labels of the type of the classes {classes}; "
        f"found {found}. Convert the labels to the type that they had in fit."
    )
