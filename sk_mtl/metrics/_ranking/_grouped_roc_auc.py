"""Area under the ROC curve within groups, such as the rows of one user."""

import numpy as np

from sk_mtl.metrics._labels import is_second_class
from sk_mtl.metrics._ranking._ranked_groups import RankedGroups


def grouped_roc_auc(y, proba, groups, sample_weight=None):
    """Area under the ROC curve within each group, averaged (GAUC).

    A ranking is shown to one user at a time, so what counts is whether a user's own
    rows are in the right order; rows of different users are never compared. With
    :math:`n_u` rows (impressions) of user u, all of them labelled,

    .. math:: GAUC = \\sum_u n_u AUC_u / \\sum_u n_u

    over the users that have both classes, the only ones whose order can be right or
    wrong. One sort serves all groups; a million rows take about a second.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of one task with two classes; NaN and None are skipped.
    proba : array-like of shape (n_samples,) or (n_samples, 2)
        Scores of the second class, any real numbers, or both classes' probabilities as
        `predict_proba` returns them for the task. Ties count one half.
    groups : array-like of shape (n_samples,)
        The group of every row, of any type.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows within a group; :math:`n_u` is then their sum.

    Returns
    -------
    gauc : float
        NaN, with an `UndefinedMetricWarning`, where no group has both classes.

    References
    ----------
    .. [1] Zhu et al., "Optimized Cost per Click in Taobao Display Advertising",
       KDD 2017.

    Examples
    --------
    User a's two rows are in the right order, user b's three are not, user c never
    clicked and does not count.

    >>> from sk_mtl.metrics import grouped_roc_auc
    >>> y = [0, 1, 0, 1, 0, 0]
    >>> proba = [0.1, 0.2, 0.8, 0.7, 0.9, 0.3]
    >>> grouped_roc_auc(y, proba, groups=["a", "a", "b", "b", "b", "c"])
    0.4
    """
    ranked = RankedGroups(y, proba, groups, sample_weight, ("y", "proba"))
    positive = is_second_class(ranked.labels)
    up, down = (np.where(w, ranked.weight, 0.0) for w in (positive, ~positive))
    # A negative row loses to the positives of its group in the blocks above it and
    # draws with those of its own block. The former are the running sum of positives at
    # the start of its block less that at the start of its group.
    above = np.cumsum(up) - up
    beaten = above[ranked.block_start] - _of_group(ranked, above)
    wins = ranked.block_sums(down) * (beaten + ranked.block_sums(up) / 2)
    pairs = ranked.group_sums(up) * ranked.group_sums(down)
    auc = np.full(len(pairs), np.nan)
    np.divide(ranked.sums_of_blocks(wins), pairs, out=auc, where=pairs > 0)
    need = "labelled rows of both classes"
    return ranked.mean(auc, "rows", "grouped_roc_auc", need)


def _of_group(ranked, values):
    """Value of the first row of the group of each block."""
    return values[ranked.group_start][ranked.group_of_block]
