"""Recall and hit rate of the first places of each group's ranking."""

import numpy as np
from scipy.special import gammaln

from sk_mtl.metrics._ranking._ranked_groups import (
    PositiveGains,
    RankedGroups,
    check_ranking_options,
)

_NEED = "a labelled row of the positive class (pos_label)"


def grouped_recall_at_k(
    y_true,
    y_score,
    groups,
    k,
    sample_weight=None,
    *,
    average="groups",
    pos_label=None,
):
    """Compute the mean share of a group's positives in its first k places (recall@k).

    Of a user's clicks, how many were among the k items that were ranked highest for
    this user. Groups without a positive row have nothing to be recalled and do not
    count. Where scores tie about place k, the recall is the mean over all orders of the
    tied rows. One sort serves all groups.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels of one task with two classes; NaN and None are skipped: these rows take
        no place in the ranking.
    y_score : array-like of shape (n_samples,) or (n_samples, 2)
        Scores of the positive class, any real numbers, or both classes' probabilities
        as `predict_proba` returns them for the task.
    groups : array-like of shape (n_samples,)
        The group of every row, such as its user or query, of any type.
    k : int
        Places of the ranking that count. A group with more than k positives cannot
        reach 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows. Within a group the positives count by them. Rows of weight
        0 take no place.
    average : {"groups", "rows"}, default="groups"
        What a group counts: the mean of its rows' weights, so that without weights all
        groups count the same, or their sum, so that a group counts by its rows, as in
        :func:`grouped_roc_auc`.
    pos_label : label, default=None
        The positive class. None takes 1 of 0 and 1 or of -1 and 1; of other labels the
        one that sorts last, with a `PositiveClassWarning`.

    Returns
    -------
    recall : float
        NaN, with an `UndefinedMetricWarning`, where no group has a positive row.

    Examples
    --------
    Both clicks of user a are among the first two, and one of user b's two clicks is.

    >>> from sk_mtl.metrics import grouped_recall_at_k
    >>> y = [1, 1, 0, 1, 0, 1]
    >>> score = [0.9, 0.8, 0.1, 0.7, 0.6, 0.5]
    >>> grouped_recall_at_k(y, score, ["a", "a", "a", "b", "b", "b"], k=2)
    0.75
    """
    k = check_ranking_options(k, average)
    gains = PositiveGains("grouped_recall_at_k", pos_label)
    ranked = RankedGroups(y_true, y_score, groups, sample_weight, gains)
    positive = ranked.gains * ranked.weight
    share = ranked.places(k) / ranked.block_size
    recalled = ranked.sums_of_blocks(ranked.block_sums(positive) * share)
    total = ranked.group_sums(positive)
    recall = np.full(len(total), np.nan)
    np.divide(recalled, total, out=recall, where=total > 0)
    weight = ranked.group_weight(average)
    return ranked.mean(recall, weight, "grouped_recall_at_k", _NEED)


def grouped_hit_rate_at_k(
    y_true,
    y_score,
    groups,
    k,
    sample_weight=None,
    *,
    average="groups",
    pos_label=None,
):
    """Compute the share of groups with a positive in the first k places (hit rate@k).

    How many users found anything that they clicked among the k items that were ranked
    highest for them. Groups without a positive row cannot be hit and do not count.
    Where scores tie about place k, a group counts by the probability of a hit in a
    random order of the tied rows. One sort serves all groups.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels of one task with two classes; NaN and None are skipped: these rows take
        no place in the ranking.
    y_score : array-like of shape (n_samples,) or (n_samples, 2)
        Scores of the positive class, any real numbers, or both classes' probabilities
        as `predict_proba` returns them for the task.
    groups : array-like of shape (n_samples,)
        The group of every row, such as its user or query, of any type.
    k : int
        Places of the ranking that count.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, which decide the weight of their group. Rows of weight 0
        take no place.
    average : {"groups", "rows"}, default="groups"
        What a group counts: the mean of its rows' weights, so that without weights all
        groups count the same, or their sum, so that a group counts by its rows, as in
        :func:`grouped_roc_auc`.
    pos_label : label, default=None
        The positive class. None takes 1 of 0 and 1 or of -1 and 1; of other labels the
        one that sorts last, with a `PositiveClassWarning`.

    Returns
    -------
    hit_rate : float
        NaN, with an `UndefinedMetricWarning`, where no group has a positive row.

    Examples
    --------
    User a's click is in the first place. User b's is one of two rows that share the
    first two places, so that it comes first with probability one half.

    >>> from sk_mtl.metrics import grouped_hit_rate_at_k
    >>> y = [1, 0, 1, 0]
    >>> score = [0.9, 0.8, 0.5, 0.5]
    >>> grouped_hit_rate_at_k(y, score, ["a", "a", "b", "b"], k=1)
    0.75
    """
    k = check_ranking_options(k, average)
    gains = PositiveGains("grouped_hit_rate_at_k", pos_label)
    ranked = RankedGroups(y_true, y_score, groups, sample_weight, gains)
    positives = ranked.block_sums(ranked.gains.astype(int))
    missed = _chance_of_none(ranked.places(k), positives, ranked.block_size)
    first_blocks = np.flatnonzero(ranked.block_rank == 0)
    hit = 1 - np.multiply.reduceat(missed, first_blocks)
    hit[ranked.sums_of_blocks(positives) == 0] = np.nan
    weight = ranked.group_weight(average)
    return ranked.mean(hit, weight, "grouped_hit_rate_at_k", _NEED)


def _chance_of_none(n_drawn, n_positive, n_rows):
    """Return the probability that rows drawn without replacement hold no positive one.

    It is the number of draws from the negatives alone divided by the number of draws.
    """
    n_negative = n_rows - n_positive
    possible = n_drawn <= n_negative
    rest = np.maximum(n_negative - n_drawn, 0)
    log_chance = gammaln(n_negative + 1) - gammaln(rest + 1)
    log_chance -= gammaln(n_rows + 1) - gammaln(n_rows - n_drawn + 1)
    return np.where(possible, np.exp(log_chance), 0.0)
