"""Folds in which every class of every task has its share."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length, check_random_state

from sk_mtl._groups import group_numbers
from sk_mtl._labels import is_missing, plain_values, read_labels
from sk_mtl._stratification import stratified_group_parts, stratified_parts


class TaskStratifiedKFold(BaseCrossValidator):
    """K folds that hold the classes of several tasks in equal shares.

    :class:`~sklearn.model_selection.StratifiedKFold` takes one task without gaps. Here
    each class of each task is spread over the folds as evenly as the other tasks allow,
    the rare ones first, as in iterative stratification [1]_; so are the missing labels
    of each task. A class of at least `n_splits` rows is in every fold, as a rule, and
    the folds differ by at most one row in size.

    With `groups` whole groups are placed, the largest first, each in the fold that
    misses its labels most. The sizes of the folds then depend on the groups.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether to draw which rows of equal labels go into which fold. Without it, rows
        of equal labels keep their order from fold to fold.
    random_state : int, RandomState instance or None, default=None
        Decides on the draw where `shuffle` is True.

    See Also
    --------
    compare_tasks : Takes these folds for several tasks.
    sklearn.model_selection.StratifiedGroupKFold : One task, with groups.

    References
    ----------
    .. [1] Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-label
       Data", ECML PKDD 2011.

    Examples
    --------
    Each of two tasks has two positives among twelve rows, each fold one of each.

    >>> import numpy as np
    >>> from sk_mtl.model_selection import TaskStratifiedKFold
    >>> y = np.zeros((12, 2))
    >>> y[[0, 1], 0] = y[[1, 2], 1] = 1
    >>> for train, test in TaskStratifiedKFold(n_splits=2).split(y, y):
    ...     print(len(test), y[test].sum(axis=0))
    6 [1. 1.]
    6 [1. 1.]
    """

    # `groups` may be routed here, and need not be.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None):
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not used.

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def split(self, X, y, groups=None):
        """Yield the training and the test rows of each fold.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Not read.
        y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
            Labels of any type; NaN and None are missing. Of a task of numbers with
            fractions, only the missing labels are spread.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group, for instance of one user, are in the same fold.

        Yields
        ------
        train, test : ndarray of int
            Positions of the rows.
        """
        yield from super().split(X, y, groups)

    def _iter_test_masks(self, X=None, y=None, groups=None):
        parts = self._parts(y, groups)
        for part in range(self.n_splits):
            yield parts == part

    def _parts(self, y, groups):
        """Return the fold in which each row is tested."""
        labels = np.column_stack([_label_numbers(c) for c in read_labels(y).columns])
        check_consistent_length(labels, groups)
        rng = check_random_state(self.random_state) if self.shuffle else None
        if groups is None:
            self._check_enough(len(labels), "rows")
            sizes = np.full(self.n_splits, len(labels) // self.n_splits)
            sizes[: len(labels) % self.n_splits] += 1
            return stratified_parts(labels, sizes, rng=rng)
        member = group_numbers(groups)
        self._check_enough(member.max() + 1, "groups")
        shares = np.full(self.n_splits, 1 / self.n_splits)
        return stratified_group_parts(labels, member, shares, rng=rng)

    def _check_enough(self, n_found, what):
        if not isinstance(self.n_splits, Integral) or self.n_splits < 2:
            raise ValueError(
                f"n_splits must be an integer >= 2; found {self.n_splits!r}. Give a "
                "number of folds."
            )
        if n_found < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} folds need at least as many {what}; found "
                f"{n_found}. Take fewer folds."
            )


def _label_numbers(column):
    """Number the classes of a column, -1 where the label is missing."""
    missing = is_missing(column)
    labels = plain_values(column[~missing])
    numbers = np.full(len(missing), -1)
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        numbers[~missing] = 0
    else:
        numbers[~missing] = pd.factorize(labels)[0]
    return numbers
