"""Rows spread over parts by the labels of several tasks."""

import time

import numpy as np
import pytest

from sk_mtl._stratification import (
    joint_labels,
    stratified_group_parts,
    stratified_parts,
)


def test_joint_labels_number_the_combinations():
    joint = joint_labels(np.array([[0, 0], [1, 0], [0, -1], [0, 0], [0, 1], [-1, -1]]))
    assert joint[0] == joint[3]
    assert sorted(set(joint.tolist())) == [0, 1, 2, 3, 4]


def test_joint_labels_of_many_tasks_do_not_overflow():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 10, size=(50, 40))
    joint = joint_labels(np.vstack([table, table]))
    assert len(set(joint.tolist())) == 50
    np.testing.assert_array_equal(joint[:50], joint[50:])


def counts_by_part(labels, parts, n_parts):
    """Rows of each label of each task, (n_labels, n_parts)."""
    return np.array(
        [
            np.bincount(parts[column == label], minlength=n_parts)
            for column in labels.T
            for label in np.unique(column)
        ]
    )


def sizes_of(n_samples, n_parts):
    return [n_samples // n_parts + (k < n_samples % n_parts) for k in range(n_parts)]


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("n_tasks", [1, 2, 14, 40])
def test_each_part_has_its_share_of_each_label(n_tasks, seed):
    rng = np.random.default_rng(0)
    labels = (rng.random((1203, n_tasks)) < rng.uniform(0.01, 0.4, n_tasks)).astype(int)
    labels[rng.random(labels.shape) < 0.1] = -1
    state = None if seed is None else np.random.RandomState(seed)
    parts = stratified_parts(labels, sizes_of(1203, 5), rng=state)
    assert np.bincount(parts).tolist() == [241, 241, 241, 240, 240]
    counts = counts_by_part(labels, parts, 5)
    assert np.abs(counts - counts.sum(axis=1, keepdims=True) / 5).max() < 6


def test_as_many_rows_of_a_class_as_parts_reach_every_part():
    rng = np.random.default_rng(0)
    labels = np.zeros((500, 3), dtype=int)
    for k in range(3):
        labels[rng.choice(500, 5, replace=False), k] = 1
    parts = stratified_parts(labels, [100] * 5)
    assert (counts_by_part(labels, parts, 5)[1::2] == 1).all()


def test_a_small_part_has_a_row_of_each_class():
    labels = np.zeros((100, 1), dtype=int)
    labels[[3, 50], 0] = 1
    parts = stratified_parts(labels, [95, 5])
    assert np.bincount(parts).tolist() == [95, 5]
    assert sorted(parts[[3, 50]]) == [0, 1]


def test_rows_keep_their_order_without_a_generator():
    parts = stratified_parts(np.zeros((10, 1), dtype=int), [4, 3, 3])
    assert parts.tolist() == [0] * 4 + [1] * 3 + [2] * 3


def test_the_generator_decides():
    labels = np.random.default_rng(0).integers(0, 3, size=(200, 2))
    first, again, other = (
        stratified_parts(labels, [50] * 4, rng=np.random.RandomState(seed))
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_groups_are_whole_and_their_labels_spread():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 150, 3000)
    labels = np.column_stack([rng.random(3000) < 0.02, rng.integers(0, 4, 3000)])
    parts = stratified_group_parts(labels.astype(int), groups, [0.25] * 4)
    assert all(len(set(parts[groups == group])) == 1 for group in range(150))
    counts = counts_by_part(labels, parts, 4)
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert np.abs(shares - 0.25).max() < 0.05
    assert np.abs(np.bincount(parts) - 750).max() < 25


@pytest.mark.slow
def test_large_tables_take_seconds():
    rng = np.random.default_rng(0)
    labels = np.column_stack(
        [rng.random(200_000) < 0.02, rng.integers(0, 999, 200_000)]
    )
    start = time.process_time()
    stratified_parts(labels.astype(int), [40_000] * 5)
    assert time.process_time() - start < 5
