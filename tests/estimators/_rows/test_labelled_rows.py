"""From X, y and weights to tensors, and what is said about them on the way."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from sk_mtl.estimators._rows._labelled_rows import (
    LabelledRows,
    weight_classes,
)
from sk_mtl.preprocessing import FeatureArrays
from tests.estimators.common import class_targets

TARGETS = class_targets(["a", "b"], [np.array([0, 1])] * 2, False)
CPU = torch.device("cpu")


def arrays(n_rows):
    codes = np.arange(n_rows, dtype=np.int32)[:, None]
    return FeatureArrays(codes, np.ones((n_rows, 1), dtype=np.float32))


def tensors(y, weight=None, dtype=torch.float32):
    X = np.zeros((len(y), 1))
    rows = LabelledRows.check(X, y, weight, None, TARGETS)
    return replace(rows, X=arrays(len(y))).to_table(TARGETS, dtype, CPU)


def test_whole_labels_need_no_weights():
    table = tensors([[0, 1], [1, 1]])
    assert table.y.tolist() == [[0, 1], [1, 1]]
    assert table.weight is None
    assert tensors([[0, 1]], [1.0]).weight is None


def test_a_missing_label_is_a_zero_of_weight_zero():
    table = tensors([[np.nan, 1], [1, np.nan]])
    assert table.y.tolist() == [[0, 1], [1, 0]]
    assert table.weight.tolist() == [[0, 1], [1, 0]]
    table = tensors([[np.nan, 1], [1, 0]], [2, 3])
    assert table.weight.tolist() == [[0, 2], [3, 3]]


def test_precision_is_that_of_the_network():
    table = tensors([[np.nan, 1]], [0.1], torch.float64)
    assert table.y.dtype == table.numeric.dtype == table.weight.dtype == torch.float64
    assert table.codes.dtype == torch.int32
    assert table.weight[0, 1].item() == 0.1


@pytest.mark.parametrize("make", [pd.DataFrame, np.asarray])
def test_rows_are_taken_with_their_labels_and_weights(make):
    X, y = make(np.arange(6).reshape(3, 2)), [[0, 1], [1, 0], [1, 1]]
    rows = LabelledRows.check(X, y, [1, 2, 3], ["a", "b", "c"], TARGETS)
    taken = rows.take(np.array([2, 0]))
    assert len(taken) == 2
    assert np.asarray(taken.X).tolist() == [[4, 5], [0, 1]]
    assert taken.codes.tolist() == [[1, 1], [0, 1]]
    assert taken.weight.tolist() == [[3, 3], [1, 1]]
    assert taken.groups.tolist() == ["c", "a"]


def test_a_label_of_weight_zero_is_a_missing_label():
    rows = LabelledRows.check(
        np.zeros((2, 1)), [[0, 1], [1, 0]], [[0, 2], [1, 0]], None, TARGETS
    )
    np.testing.assert_array_equal(rows.codes, [[np.nan, 1], [1, np.nan]])
    weighted, none = weight_classes({"a": {1: 0}}, TARGETS, rows, None)
    np.testing.assert_array_equal(weighted.codes, [[np.nan, 1], [np.nan, np.nan]])
    assert none is None
