"""The members that are averaged, chosen by hand-made errors."""

import numpy as np
import pytest

from sk_mtl.estimators._training._member_selection import select_members


def select(errors):
    """Choose among members with these errors, by the square of the mean error."""
    errors = np.array(errors, dtype=float)
    return select_members(errors**2, lambda picks: errors[picks].mean() ** 2).tolist()


@pytest.mark.parametrize(
    ("errors", "counts"),
    [
        # The best three have the mean error 1, and -1 improves it, three times to 0.
        ([1, 1, 1, -1], [1, 1, 1, 3]),
        # The mean of 1, 1.1 and 1.2 falls with each of the two that cancel it.
        ([1.2, 1.1, 1.0, -3.3], [1, 1, 1, 1]),
        # No mean of the others is better than the best few.
        ([0, 0, 0, 5], [1, 1, 1, 0]),
        ([2, -1], [1, 2]),
    ],
    ids=["ties", "cancelling", "useless", "two"],
)
def test_members_that_improve_the_average(errors, counts):
    assert select(errors) == counts


def test_no_member_outweighs_the_others():
    assert max(select([1, 5, 6, 7, 8])) == 3


def test_a_single_member_is_kept():
    assert 0 < select([3.0])[0] <= 3
