"""Area under the ROC curve within groups, such as the rows of one user."""

import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl.metrics._inputs import one_label_column, weight_columns
from sk_mtl.metrics._tasks import is_missing, is_second_class


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
    positive, score, weight, keep = _binary_scores(y, proba, sample_weight)
    group = _group_codes(groups, keep)
    order = np.lexsort((score, group))
    auc, size = _auc_of_sorted(
        positive[order], score[order], weight[order], group[order]
    )
    ranked = ~np.isnan(auc)
    if not ranked.any():
        warnings.warn(
            "grouped_roc_auc is undefined and NaN: no group holds labelled rows of "
            "both classes. Use larger groups or roc_auc.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return float("nan")
    return float(np.average(auc[ranked], weights=size[ranked]))


def _binary_scores(y, proba, sample_weight=None):
    """Labelled rows of one task with two classes, whose scores are any real numbers.

    Returns
    -------
    positive : ndarray of bool of shape (n_labelled,)
    score, weight : ndarray of shape (n_labelled,)
    keep : ndarray of bool of shape (n_samples,)
        The labelled rows of positive weight.
    """
    column = one_label_column(y)
    score = np.asarray(proba)
    if score.shape == (len(column), 2):
        score = score[:, 1]
    if score.shape != column.shape or not np.isfinite(score).all():
        raise ValueError(
            f"proba must hold finite numbers in shape ({len(column)},) or "
            f"({len(column)}, 2); found shape {np.shape(proba)}. Pass one task's "
            "probabilities, for instance predict_proba(X)[0]."
        )
    (weight,) = weight_columns(sample_weight, 1, len(column))
    weight = np.ones(len(column)) if weight is None else weight
    keep = ~is_missing(column) & (weight > 0)
    positive = is_second_class(column[keep])
    return positive, score[keep], weight[keep], keep


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


def _auc_of_sorted(positive, score, weight, group):
    """AUC of each group, NaN where one class lacks, and the groups' total weights.

    Rows are sorted by group, then by score. Rows of one group with equal scores form a
    block. A positive row wins against the negatives of its group in earlier blocks and
    draws with those of its own block; the former is the running sum of negatives at
    the start of its block less that at the start of its group.
    """
    if not len(group):
        return np.full(1, np.nan), np.zeros(1)
    new_group = np.append(True, group[1:] != group[:-1])
    new_block = new_group | np.append(True, score[1:] != score[:-1])
    group_start, block_start = np.flatnonzero(new_group), np.flatnonzero(new_block)
    group_of_block = np.cumsum(new_group)[block_start] - 1
    up, down = np.where(positive, weight, 0.0), np.where(positive, 0.0, weight)

    before = np.cumsum(down) - down
    beaten = before[block_start] - before[group_start][group_of_block]
    drawn = np.add.reduceat(down, block_start)
    wins = np.add.reduceat(up, block_start) * (beaten + drawn / 2)
    wins = np.bincount(group_of_block, wins)
    positives, negatives = (np.add.reduceat(w, group_start) for w in (up, down))
    pairs = positives * negatives
    auc = np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return auc, positives + negatives
