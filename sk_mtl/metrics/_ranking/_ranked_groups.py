"""The rows of every group in the order of their scores, from one sort.

Metrics of rankings need sums over the rows of a group, or over its rows that share a
score. With all rows sorted by group and score these are sums of runs, so
that a million groups need no loop.
"""

from numbers import Integral

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl._groups import group_numbers
from sk_mtl._labels import keep_labelled, one_label_column, plain_values
from sk_mtl._masked_arrays import without_mask
from sk_mtl._warnings import warn_user
from sk_mtl._weights import weight_columns
from sk_mtl.metrics._binary_labels import binary_labels


class PositiveGains:
    """Mask of the positive labelled rows, as the gains of `RankedGroups`.

    Parameters
    ----------
    metric : str
        What it is for, in warnings.
    pos_label : label or None
    name : str, default="y_true"
        What the labels are called.
    symmetric : bool, default=False
        Whether the metric is the same with both classes swapped, in labels and
        probabilities alike. Then only scores of one class leave a question.
    """

    def __init__(self, metric, pos_label, name="y_true", symmetric=False):
        self._metric, self._pos_label = metric, pos_label
        self._name, self._symmetric = name, symmetric

    def __call__(self, labels, both_classes):
        """Return the mask of the positive rows, and the position of their class."""
        read = binary_labels(labels, self._pos_label, self._name)
        if not (self._symmetric and both_classes):
            read.warn_if_open(self._metric, self._name)
        return read.positive, read.position


class RankedGroups:
    """Labelled rows of positive weight, by group, from the highest score down.

    The rows of one group that share a score are a block: their order within it is
    undefined.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    score : array-like of shape (n_samples,) or (n_samples, 2)
    groups : array-like of shape (n_samples,)
    sample_weight : array-like of shape (n_samples,) or None
    read_gains : callable
        ``read_gains(labels, both_classes)`` returns what a row of each label gains and
        which column of a score of both classes ranks the rows.
    names : tuple of str
        What y and the score are called in errors.

    Attributes
    ----------
    gains, weight : ndarray of shape (n_ranked,)
        Of the rows in their order.
    group_start, block_start : ndarray of int
        Where the runs of the groups and of the blocks begin.
    group_of_block : ndarray of shape (n_blocks,)
        Number of the group that a block belongs to.
    block_size, block_rank : ndarray of shape (n_blocks,)
        Rows of the block, and rows of its group above it.
    """

    def __init__(
        self,
        y,
        score,
        groups,
        sample_weight,
        read_gains,
        names=("y_true", "y_score"),
    ):
        column = one_label_column(y, names[0])
        score = _finite_scores(score, len(column), names[1])
        (weight,) = weight_columns(sample_weight, len(column), [names[0]])
        weight = np.ones(len(column)) if weight is None else weight
        keep, weight = keep_labelled(column, weight)
        labels = plain_values(column[keep])
        gains, position = read_gains(labels, score.ndim == 2)
        score = score[keep] if score.ndim == 1 else score[keep, position]
        group = group_numbers(groups, keep)
        order = np.lexsort((score, group))[::-1]
        score, group = score[order], group[order]
        self.gains, self.weight = gains[order], weight[order]
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
        return np.diff(self.group_start, append=len(self.weight))

    def group_sums(self, values):
        """Return the sums of the values of rows over each group."""
        return np.add.reduceat(values, self.group_start)

    def block_sums(self, values):
        """Return the sums of the values of rows over each block."""
        return np.add.reduceat(values, self.block_start)

    def sums_of_blocks(self, values):
        """Return the sums of the values of blocks over each group."""
        return np.bincount(self.group_of_block, values, len(self.group_start))

    def places(self, k):
        """Return how many of the first k places of its group each block takes."""
        return np.clip(k - self.block_rank, 0, self.block_size)

    def group_weight(self, average):
        """Return the weight of each group: the mean of its rows' weights, or their sum.

        Parameters
        ----------
        average : {"groups", "rows"}
        """
        weight = self.group_sums(self.weight)
        return weight / self.group_size if average == "groups" else weight

    def mean(self, values, weight, name, need):
        """Return the mean of the groups' values, without those that are NaN.

        Parameters
        ----------
        values, weight : ndarray of shape (n_groups,)
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
    """Return the scores of one class, or of both in two columns."""
    score = np.asarray(without_mask(score))
    found = f"shape {score.shape}"
    try:
        score = score if score.dtype.kind in "iuf" else score.astype(np.float64)
    except (TypeError, ValueError):
        found = f"values such as {score.ravel().tolist()[0]!r}"
    right = score.dtype.kind in "iuf" and score.shape in ((n_samples,), (n_samples, 2))
    if not (right and np.isfinite(score).all()):
        raise ValueError(
            f"{name} must hold finite numbers in shape ({n_samples},) or "
            f"({n_samples}, 2); found {found}. Pass one task's "
            "probabilities, for instance predict_proba(X)[0]."
        )
    return score
