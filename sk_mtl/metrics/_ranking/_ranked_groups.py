"""The rows of every group in the order of their scores, from one sort.

What a metric of rankings needs is a sum over the rows of a group, or over those of them
that share a score. With all rows sorted by group and score these are sums of runs, so
that a million groups need no loop.
"""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl._warnings import warn_user
from sk_mtl.metrics._inputs import one_label_column, weight_columns
from sk_mtl.metrics._labels import is_missing


class RankedGroups:
    """Labelled rows of positive weight, by group, from the highest score down.

    The rows of one group that share a score are a block: nothing says which of them
    comes first.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    score : array-like of shape (n_samples,) or (n_samples, 2)
    groups : array-like of shape (n_samples,)
    sample_weight : array-like of shape (n_samples,) or None
    names : tuple of str
        What y and the score are called in errors.

    Attributes
    ----------
    labels, weight : ndarray of shape (n_ranked,)
        Of the rows in their order.
    group_start, block_start : ndarray of int
        Where the runs of the groups, and those of the blocks, begin.
    group_of_block : ndarray of shape (n_blocks,)
        Number of the group that a block belongs to.
    block_size, block_rank : ndarray of shape (n_blocks,)
        Rows of the block, and rows of its group above it.
    """

    def __init__(self, y, score, groups, sample_weight, names=("y_true", "y_score")):
        column = one_label_column(y, names[0])
        score = _finite_scores(score, len(column), names[1])
        (weight,) = weight_columns(sample_weight, 1, len(column))
        weight = np.ones(len(column)) if weight is None else weight
        keep = ~is_missing(column) & (weight > 0)
        score, group = score[keep], _group_codes(groups, keep)
        order = np.lexsort((score, group))[::-1]
        score, group = score[order], group[order]
        self.labels, self.weight = column[keep][order], weight[keep][order]
        new_group = np.ones(len(group), bool)
        new_group[1:] = group[1:] != group[:-1]
        new_block = new_group.copy()
        new_block[1:] |= score[1:] != score[:-1]
        self.group_start = np.flatnonzero(new_group)
        self.block_start = np.flatnonzero(new_block)
        self.group_of_block = np.cumsum(new_group)[self.block_start] - 1
        self.block_size = np.diff(self.block_start, append=len(group))
        self.block_rank = self.block_start - self.group_start[self.group_of_block]

    @property
    def group_size(self):
        """Number of rows of each group."""
        return np.diff(self.group_start, append=len(self.labels))

    def group_sums(self, values):
        """Sums of the values of rows over each group."""
        return np.add.reduceat(values, self.group_start)

    def block_sums(self, values):
        """Sums of the values of rows over each block."""
        return np.add.reduceat(values, self.block_start)

    def sums_of_blocks(self, values):
        """Sums of the values of blocks over each group."""
        return np.bincount(self.group_of_block, values, len(self.group_start))

    def places(self, k):
        """Number of places among the first k of its group that each block takes."""
        return np.clip(k - self.block_rank, 0, self.block_size)

    def mean(self, values, average, name, need):
        """Mean of the groups' values, without those that are NaN.

        Parameters
        ----------
        values : ndarray of shape (n_groups,)
        average : {"groups", "rows"}
            Whether a group counts by the mean weight of its rows or by the sum.
        name, need : str
            What the mean is called and which groups have a value, for the warning
            where there are none.
        """
        defined = ~np.isnan(values)
        if not defined.any():
            warn_user(
                f"{name} is undefined and NaN: no group holds {need}. Give more rows, "
                "or larger groups.",
                UndefinedMetricWarning,
            )
            return float("nan")
        weight = self.group_sums(self.weight)
        if average == "groups":
            weight = weight / self.group_size
        return float(np.average(values[defined], weights=weight[defined]))


def check_ranking_options(k, average, needs_k=True):
    """Return k, infinite where there is none, or raise in words."""
    if average not in ("groups", "rows"):
        raise ValueError(
            f"average must be 'groups' or 'rows'; found {average!r}. Use 'groups' to "
            "count every group once, 'rows' to count it by its rows."
        )
    if k is None and not needs_k:
        return np.inf
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise ValueError(
            f"k must be a whole number of at least 1; found {k!r}. Give the number of "
            "places of a ranking that count."
        )
    return k


def _finite_scores(score, n_samples, name):
    score = np.asarray(score)
    if score.shape == (n_samples, 2):
        score = score[:, 1]
    if score.shape != (n_samples,) or not np.isfinite(score).all():
        raise ValueError(
            f"{name} must hold finite numbers in shape ({n_samples},) or "
            f"({n_samples}, 2); found shape {np.shape(score)}. Pass one task's "
            "probabilities, for instance predict_proba(X)[0]."
        )
    return score


def _group_codes(groups, keep):
    """Consecutive integers that name the groups of the rows to keep."""
    groups = one_label_column(groups, "groups")
    if len(groups) != len(keep):
        raise ValueError(
            f"groups must have one entry per row of y ({len(keep)}); found "
            f"{len(groups)}."
        )
    codes, _ = pd.factorize(groups[keep])
    if (codes < 0).any():
        raise ValueError(
            f"groups must be known for every labelled row; found {(codes < 0).sum()} "
            "missing. Drop these rows, or give them a group of their own."
        )
    return codes
