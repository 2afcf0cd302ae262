"""Folds of rows, and the weights by which members leave out their own."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import KFold

from sk_mtl.estimators._rows._fold_weights import FoldWeights
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._member_folds import (
    MemberFolds,
    find_folds,
    leave_out_unlearnt,
)
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.losses import SoftTargets
from tests.estimators.common import class_targets, refuse

TARGETS = class_targets(["a", "b"], [[0, 1], [0, 1]])


def rows_of(codes, groups=None, index=None):
    codes = np.asarray(codes, dtype=float)
    X = pd.DataFrame({"x": range(len(codes))}, index=index)
    return LabelledRows(X, codes, None, groups)


def folds_of(rows, n_folds=3, method="random", seed=0, before=None):
    return find_folds(rows, TARGETS, method, n_folds, seed, before)


def test_each_fold_has_its_share_of_every_label():
    codes = np.zeros((12, 2))
    codes[:3, 0] = codes[2:5, 1] = 1
    codes[9:, 1] = np.nan
    folds = folds_of(rows_of(codes))
    assert np.bincount(folds).tolist() == [4, 4, 4]
    for rows in (codes[:, 0] == 1, codes[:, 1] == 1, np.isnan(codes[:, 1])):
        assert np.bincount(folds[rows]).tolist() == [1, 1, 1]


def test_folds_depend_on_the_seed():
    rows = rows_of(np.arange(40).reshape(20, 2) % 2)
    assert (folds_of(rows) == folds_of(rows)).all()
    assert (folds_of(rows) != folds_of(rows, seed=1)).any()


def test_a_group_is_in_one_fold():
    groups = np.array(list("aabbccddeeff"))
    folds = folds_of(rows_of(np.zeros((12, 2)), groups))
    assert (folds[::2] == folds[1::2]).all()
    assert np.bincount(folds).tolist() == [4, 4, 4]


def test_the_test_rows_of_a_splitter_are_the_folds():
    folds = folds_of(rows_of(np.zeros((6, 2))), method=KFold(3))
    assert folds.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("n_splits", [2, 4])
def test_a_splitter_with_another_number_of_splits(n_splits):
    refuse(
        lambda: folds_of(rows_of(np.zeros((8, 2))), method=KFold(n_splits)),
        "validation_split must test every row once, in a split per member, where "
        f"member_rows is 'folds'; found {n_splits} splits that test 8 of 8 rows for 3 "
        "members. Set n_members to the number of splits, or "
        "validation_split='random'.",
    )


def test_known_rows_keep_their_folds_and_new_rows_get_one():
    first = rows_of(np.zeros((6, 2)), index=list("abcdef"))
    folds = folds_of(first)
    known = MemberFolds.of(first, folds, 3)
    later = rows_of(np.zeros((5, 2)), index=list("fxaye"))
    assert known.find(later).tolist() == [folds[5], -1, folds[0], -1, folds[4]]
    found = folds_of(later, seed=1, before=known)
    assert found[[0, 2, 4]].tolist() == folds[[5, 0, 4]].tolist()
    assert set(found) <= {0, 1, 2}
    both = MemberFolds.of(later, found, 3).joined(known)
    assert (both.find(first) == folds).all()
    assert (both.find(later) == found).all()


def test_known_groups_keep_their_folds():
    first = rows_of(np.zeros((6, 2)), np.array(list("aabbcc")))
    known = MemberFolds.of(first, np.array([2, 2, 0, 0, 1, 1]), 3)
    later = rows_of(np.zeros((4, 2)), np.array(list("cbax")))
    assert known.find(later).tolist() == [1, 0, 2, -1]


def test_labels_of_a_class_of_one_fold_do_not_decide():
    codes = np.array([[0, 0], [1, 0], [1, 1], [0, np.nan]])
    left = leave_out_unlearnt(rows_of(codes), np.array([0, 1, 1, 1]), TARGETS)
    np.testing.assert_array_equal(
        left.codes, [[0, 0], [np.nan, 0], [np.nan, np.nan], [0, np.nan]]
    )


def test_weights_of_members_have_the_mean_of_all_rows():
    weight = torch.tensor([[1.0, 0.0], [2.0, 3.0], [3.0, 3.0]])
    empty = torch.zeros(3, 0)
    table = TensorTable(
        empty, empty, torch.zeros(3, 2), weight, fold=torch.tensor([0, 1, -1])
    )
    _, found, _ = FoldWeights(table, 2).labels_of(table)
    # The totals are 6 and 6. The first member lacks the first row, 1 and 0 of them,
    # the second one the second row, 2 and 3; the third row is in no fold.
    first = [[0.0, 0.0], [2 * 6 / 5, 3.0], [3 * 6 / 5, 3.0]]
    second = [[1 * 6 / 4, 0.0], [0.0, 0.0], [3 * 6 / 4, 6.0]]
    torch.testing.assert_close(found, torch.tensor([first, second]))
    torch.testing.assert_close(found.sum(1), torch.full((2, 2), 6.0))


def test_soft_labels_of_its_fold_do_not_train_a_member():
    empty, fold = torch.zeros(2, 0), torch.tensor([0, 1])
    weight = torch.tensor([[2.0], [4.0]])
    soft = SoftTargets(torch.ones(2, 2), torch.full((2, 1), 0.5), weight / 2)
    table = TensorTable(empty, empty, torch.zeros(2, 1), weight, soft=soft, fold=fold)
    _, found, softened = FoldWeights(table, 2).labels_of(table)
    # The rows count 2 and 4: half by labels, half by the probabilities.
    assert found.tolist() == [[[0.0], [6.0]], [[6.0], [0.0]]]
    assert softened.weight.tolist() == [[[0.0], [3.0]], [[3.0], [0.0]]]
    assert softened.kept is soft.kept


def test_a_task_with_labels_in_one_fold_alone_has_weight_zero_there():
    weight = torch.tensor([[1.0], [0.0]])
    empty, fold = torch.zeros(2, 0), torch.tensor([0, 1])
    table = TensorTable(empty, empty, torch.zeros(2, 1), weight, fold=fold)
    _, found, _ = FoldWeights(table, 2).labels_of(table)
    assert found.tolist() == [[[0.0], [0.0]], [[1.0], [0.0]]]
