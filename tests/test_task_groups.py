import re

import pytest

from sk_mtl._task_groups import group_of_each_task


def test_each_task_has_its_group():
    assert group_of_each_task([[3, 0], [1], (2,)], range(4)) == [0, 1, 2, 0]
    assert group_of_each_task(None, range(3)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("groups", "fault"),
    [
        ([[0], [2]], "(missing: [1])"),
        ([[0, 1], [1, 2, 0]], "(more than once: [0, 1])"),
        ([[0, 1, 2, 1]], "(more than once: [1])"),
        ([[0, 1, 2], [3, -1]], "(not a task: [3, -1])"),
        ([[0, 1, 2], []], "(an empty group: [1])"),
        ([[0, 0], [5]], "(missing: [1, 2]; more than once: [0]; not a task: [5])"),
    ],
)
def test_what_is_wrong_with_groups_is_named(groups, fault):
    text = (
        "groups must hold every task of [0, 1, 2] in exactly one group; found "
        f"{groups} {fault}. Give each task one group"
    )
    with pytest.raises(ValueError, match=re.escape(text)):
        group_of_each_task(groups, range(3))
