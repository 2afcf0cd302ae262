"""Reading of soft labels: arrays by hand, and forms that are refused."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import MMOEClassifier, MMOERegressor, MultiTaskEstimator, Quantile
from sk_mtl.estimators._rows._soft_labels import SoftLabels
from tests.estimators.common import QUICK, class_targets, refuse

TARGETS = class_targets(["a", "b"], [[0, 1], ["x", "y", "z"]])
THREE = [[0.5, 0.25, 0.25], [np.nan] * 3, [0, 0, 1]]


def read(given, weight=None, targets=TARGETS):
    return SoftLabels.read(given, 3, weight, targets)


def test_tables_and_weights():
    soft = read({"a": [0.25, np.nan, 1.0], "b": THREE})
    assert soft.tables[0].tolist() == [[0.75, 0.25], [0, 0], [0, 1]]
    assert soft.tables[1].tolist() == [[0.5, 0.25, 0.25], [0, 0, 0], [0, 0, 1]]
    assert soft.weight.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert soft.take(np.array([2])).tables[0].tolist() == [[0, 1]]
    weighted = read({"a": [0.25, 0.5, 1.0]}, np.array([[2, 1], [0, 1], [3, 1]]))
    assert weighted.tables[1] is None
    assert weighted.weight.tolist() == [[2, 0], [0, 0], [3, 0]]


def test_missing_values_of_pandas_and_masked_arrays():
    soft = read({"a": pd.array([0.25, None, 1.0], dtype="Float64")})
    assert soft.weight[:, 0].tolist() == [1, 0, 1]
    soft = read({"a": np.ma.array([0.25, 0.5, 1.0], mask=[0, 1, 0])})
    assert soft.weight[:, 0].tolist() == [1, 0, 1]
    assert read({"a": [np.nan] * 3}) is None
    assert read(None) is None


def test_weights_of_classes_weigh_their_probabilities():
    soft = read({"a": [0.25, 0.5, 1.0], "b": THREE})
    weighted = soft.weight_classes([np.array([0.0, 3.0]), None])
    assert weighted.tables[0].tolist() == [[0, 1], [0, 1], [0, 1]]
    assert weighted.weight.tolist() == [[0.75, 1], [1.5, 0], [3, 1]]
    assert soft.weight_classes(None) is soft


def test_shares_of_both_of_one_and_of_none():
    codes = np.array([[1, np.nan], [0, 2], [np.nan, np.nan]])
    soft = read({"a": [0.25, np.nan, 1.0]})
    proba, kept, weight = soft.targets_of_classes(codes, 0.25, TARGETS)
    assert proba.shape == (3, 5)
    assert kept.tolist() == [[0.75, 1], [1, 1], [0, 1]]
    assert weight.tolist() == [[0.25, 0], [0, 0], [1, 0]]


SUMS = [[0.5, 0.5, 0.5], [0, 0, 1], [0, 0, 1]]
PARTLY = [[0.5, 0.5, np.nan], [0, 0, 1], [0, 0, 1]]
WRONG = {
    "outside": (
        {"a": [0.5, 1.5, 0.0]},
        "soft_labels of task 'a' must be probabilities from 0 to 1; found 1.5 in row "
        "1. Give what predict_proba returns, not logits or labels.",
    ),
    "negative": (
        np.column_stack([[0.5, 0.5, -0.1], np.full(3, np.nan)]),
        "soft_labels of task 'a' must be probabilities from 0 to 1; found -0.1 in row "
        "2. Give what predict_proba returns, not logits or labels.",
    ),
    "infinite": (
        {"a": [0.5, np.inf, 0.0]},
        "soft_labels of task 'a' must be probabilities from 0 to 1; found inf in row "
        "1. Give what predict_proba returns, not logits or labels.",
    ),
    "sums": (
        {"b": SUMS},
        "soft_labels of task 'b' must sum to 1 in each row; found 1.5 in row 0. "
        "Divide each row by its sum.",
    ),
    "partly": (
        {"b": PARTLY},
        "soft_labels of task 'b' must hold the probabilities of all classes of a row, "
        "or NaN for all; found NaN for some in row 0. Fill the row in, or set all of "
        "it to NaN.",
    ),
    "length": (
        {"a": [0.5, 0.5]},
        "X and soft_labels must have the same number of samples; found: X has 3, "
        "soft_labels has 2. Give one row of each per sample.",
    ),
    "length of a table": (
        np.full((4, 2), 0.5),
        "X and soft_labels must have the same number of samples; found: X has 3, "
        "soft_labels has 4. Give one row of each per sample.",
    ),
    "columns": (
        np.full((3, 4), 0.5),
        "soft_labels must have 2 column(s), one per task ['a', 'b']; found 4. Give "
        "one column per task.",
    ),
    "tables": (
        [np.full((3, 2), 0.5)],
        "soft_labels must hold one entry per task ['a', 'b']; found 1 entries. Give "
        "what predict_proba returns, a table of 3 rows with a column per task, or a "
        "dict by task name.",
    ),
    "classes": (
        {"b": np.full((3, 2), 0.5)},
        "soft_labels of task 'b' must have a column for each of its 3 classes ['x', "
        "'y', 'z']; found 2. Give what predict_proba returns.",
    ),
    "two classes": (
        {"a": np.full((3, 3), 1 / 3)},
        "soft_labels of task 'a' must have a column for each of its 2 classes [0, 1], "
        "or one for the positive class; found 3. Give what predict_proba returns.",
    ),
    "unknown": (
        {"c": [0.5] * 3},
        "soft_labels must be keyed by task names ['a', 'b']; found ['c']. Correct the "
        "names; tasks left out have no soft labels.",
    ),
    "text": (
        {"a": ["x", "y", "z"]},
        "soft_labels of task 'a' must hold numbers; found 'x'. Give probabilities.",
    ),
    "frame": (
        pd.DataFrame({"a": [0.5] * 3, "c": [0.5] * 3}),
        "soft_labels must have the columns ['a', 'b'], one per task; found ['a', "
        "'c']. Rename the columns, or give those that are missing.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_refused(case):
    given, message = WRONG[case]
    refuse(lambda: read(given), message)


X, NUMBERS = np.arange(40.0)[:, None] % 7, np.arange(40.0)


@pytest.mark.parametrize(
    ("loss", "name"),
    [("ziln", "'ziln'"), (Quantile(levels=(0.1, 0.5)), "Quantile(levels=(0.1, 0.5))")],
    ids=["ziln", "quantile"],
)
def test_tasks_of_which_a_mixed_number_is_no_observation(loss, name):
    model = MMOERegressor(**QUICK, loss=loss)
    message = (
        "soft_labels must be of tasks of classes, or of numbers that are learnt as a "
        f"mean or a median; found some for task 'task_0' with loss={name}, for which "
        "a mixed number is not an observation. Leave the task out of soft_labels, or "
        "use another loss."
    )
    refuse(lambda: model.fit(X, NUMBERS, soft_labels=NUMBERS), message)
    model.fit(X, NUMBERS, soft_labels=np.full(40, np.nan))


def test_numbers_outside_the_domain():
    model = MMOERegressor(**QUICK, loss="gamma")
    message = (
        "soft_labels of task 'task_0' must hold numbers > 0 for loss='gamma'; the "
        "smallest found is 0. Use another loss, or correct the numbers."
    )
    refuse(lambda: model.fit(X, NUMBERS + 1, soft_labels=NUMBERS), message)


def test_probabilities_of_a_number():
    model = MultiTaskEstimator(**QUICK, task_types="regression")
    message = (
        "soft_labels of task 'task_0' must be one number per row; found 2 columns. "
        "Give a predicted number, not probabilities."
    )
    refuse(lambda: model.fit(X, NUMBERS, soft_labels=np.ones((40, 2))), message)


def test_a_soft_number_may_equal_the_missing_label():
    y = np.r_[NUMBERS[1:], 1.0]
    model = MMOERegressor(**QUICK, missing_label=0).fit(X, y, soft_labels=0 * y)
    plain = MMOERegressor(**QUICK, missing_label=0).fit(X, y)
    assert not np.array_equal(model.predict(X), plain.predict(X))


@pytest.mark.parametrize("share", [-0.1, 1.5, "half", None])
def test_distillation_is_a_share(share):
    y = (NUMBERS % 2).astype(int)
    with pytest.raises(ValueError, match="'distillation' parameter of MMOEClassifier"):
        MMOEClassifier(distillation=share).fit(X, y)
