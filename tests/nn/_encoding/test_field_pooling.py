import pytest
import torch

from sk_mtl.nn._encoding._field_pooling import FieldPooling
from sk_mtl.nn._encoding._fields import FieldStacks
from tests.nn._asserts import assert_close


def pool(blocks, block_fields, groups, mode):
    """Pool fields that come in blocks, each field a list of numbers per row."""
    widths = [block.shape[2] for block in blocks]
    field_widths = {f: w for fields, w in zip(block_fields, widths) for f in fields}
    stacks = FieldStacks(block_fields, widths)
    pooling = FieldPooling(
        stacks, [field_widths[f] for f in sorted(field_widths)], groups, mode
    )
    pooled = pooling(stacks([block.flatten(1) for block in blocks]))
    assert pooling.widths == [each.shape[1] for each in pooled]
    return pooled


@pytest.fixture
def fields(put):
    """Five fields of width 2: (0, 1), (2, 3), ... (8, 9), for one row."""
    return put(torch.arange(10.0).view(1, 5, 2))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", [[0 + 4, 1 + 5], [2 + 8, 3 + 9], [6, 7]]),
        ("mean", [[2, 3], [5, 6], [6, 7]]),
    ],
)
def test_groups_by_hand_and_the_rest_a_group_behind(mode, expected, fields):
    pooled = pool([fields], [[0, 1, 2, 3, 4]], [[0, 2], [4, 1]], mode)
    assert_close(torch.stack(pooled, 1), [expected])


def test_without_groups_all_fields_are_one(fields):
    (pooled,) = pool([fields], [[0, 1, 2, 3, 4]], None, "sum")
    assert_close(pooled, [[0 + 2 + 4 + 6 + 8, 1 + 3 + 5 + 7 + 9]])


def test_fields_are_found_in_whatever_block_they_stand(fields):
    blocks = [fields[:, [3, 1]], fields[:, [0]], fields[:, [4, 2]]]
    pooled = pool(blocks, [[3, 1], [0], [4, 2]], [[0, 1], [2, 3, 4]], "sum")
    assert_close(torch.stack(pooled, 1), [[[2, 4], [18, 21]]])


def test_widths_may_differ_between_groups_and_narrow_groups_come_first(fields, put):
    wide = put(100 + torch.arange(9.0).view(1, 3, 3))
    blocks, block_fields = [fields[:, :2], wide], [[1, 3], [0, 2, 4]]
    first, second, third = pool(blocks, block_fields, [[0, 4], [3, 1], [2]], "sum")
    assert_close(first, [[2, 4]])
    assert_close(second, [[206, 208, 210]])
    assert_close(third, [[103, 104, 105]])


def test_unequal_widths_in_a_group_name_the_fields(fields, put):
    wide = put(torch.zeros(1, 2, 3))
    message = r"'mean' in group 0 needs .* found, by position, 0 \(2\), 2 \(3\)\. Give"
    with pytest.raises(ValueError, match=message):
        pool([fields[:, :2], wide], [[0, 1], [2, 3]], [[0, 2]], "mean")


def test_unequal_widths_among_the_rest_name_them_too(fields, put):
    wide = put(torch.zeros(1, 1, 3))
    with pytest.raises(ValueError, match=r"in group 1 needs .* 1 \(2\), 2 \(3\)\. G"):
        pool([fields[:, :2], wide], [[0, 1], [2]], [[0]], "sum")


@pytest.mark.parametrize("groups", [[[0, 1], [1]], [[5]], [[-1]], [[0], []]])
def test_groups_name_each_field_once(groups, fields):
    with pytest.raises(
        ValueError, match=r"each of the 5 fields at most once.*found \["
    ):
        pool([fields], [[0, 1, 2, 3, 4]], groups, "sum")
