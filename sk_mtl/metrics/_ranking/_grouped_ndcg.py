"""Normalised discounted cumulative gain within groups."""

import numpy as np

from sk_mtl.metrics._ranking._ranked_groups import (
    PositiveGains,
    RankedGroups,
    check_ranking_options,
)


def grouped_ndcg(
    y_true,
    y_score,
    groups,
    k=None,
    sample_weight=None,
    *,
    average="groups",
    pos_label=None,
):
    """Compute the mean normalised discounted cumulative gain of groups (NDCG@k).

    A ranking is shown to one user, or answers one query, at a time, and its top is what
    is seen. With :math:`y_i` the relevance of the row in place i of a group,

    .. math:: DCG@k = \\sum_{i=1}^{k} y_i / \\log_2(i + 1)

    and NDCG@k is DCG@k divided by its largest value, reached by the order of relevance.
    Groups without a relevant row cannot be ranked well or badly and do not count.
    Where scores tie, DCG is the mean over all orders of the tied rows, as in
    :func:`sklearn.metrics.ndcg_score`. One sort serves all groups; relevances of more
    than two values take a second one, for the best order.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Relevances, numbers >= 0 such as 0 and 1 or grades, or labels of two classes of
        which the positive one is relevant. NaN and None are skipped: these rows take no
        place in the ranking. For the exponential gain of some papers pass
        ``2**y_true - 1``.
    y_score : array-like of shape (n_samples,) or (n_samples, 2)
        Scores that rise with relevance, any real numbers, or both classes'
        probabilities as `predict_proba` returns them for the task.
    groups : array-like of shape (n_samples,)
        The group of every row, such as its user or query, of any type.
    k : int, default=None
        Places of the ranking that count; None counts all of them.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows. Within a group they multiply the relevances. Rows of
        weight 0 take no place.
    average : {"groups", "rows"}, default="groups"
        What a group counts: the mean of its rows' weights, so that without weights all
        groups count the same, or their sum, so that a group counts by its rows, as in
        :func:`grouped_roc_auc`.
    pos_label : label, default=None
        The relevant one of two classes, also where labels are numbers. None reads
        numbers as relevances; of two other labels it takes the one that sorts last,
        with a `PositiveClassWarning`.

    Returns
    -------
    ndcg : float
        Between 0 and 1; NaN, with an `UndefinedMetricWarning`, where no group has a
        relevant row.

    References
    ----------
    .. [1] Järvelin and Kekäläinen, "Cumulated Gain-based Evaluation of IR Techniques",
       ACM Transactions on Information Systems, 2002.
    .. [2] McSherry and Najork, "Computing Information Retrieval Performance Measures
       Efficiently in the Presence of Tied Scores", ECIR 2008.

    Examples
    --------
    User a's only click stands in the first place, user b's in the third.

    >>> from sk_mtl.metrics import grouped_ndcg
    >>> y = [1, 0, 0, 0, 1]
    >>> score = [0.9, 0.2, 0.8, 0.7, 0.6]
    >>> groups = ["a", "a", "b", "b", "b"]
    >>> grouped_ndcg(y, score, groups)
    0.75
    >>> grouped_ndcg(y, score, groups, k=2)
    0.5
    """
    k = check_ranking_options(k, average, needs_k=False)
    gains = _Relevances("grouped_ndcg", pos_label)
    ranked = RankedGroups(y_true, y_score, groups, sample_weight, gains)
    gain = ranked.gains * ranked.weight
    n_places = ranked.group_size.max(initial=0)
    discounts = 1 / np.log2(np.arange(2, n_places + 2))
    # By number of places, the sum of the discounts of that many places from the top.
    summed = np.append(0.0, np.cumsum(discounts))
    first = np.minimum(ranked.block_rank, k).astype(int)
    own = summed[first + ranked.places(k).astype(int)] - summed[first]
    gained = ranked.sums_of_blocks(ranked.block_sums(gain) / ranked.block_size * own)
    best = _best_gains(ranked, gain, summed, k)
    ndcg = np.full(len(best), np.nan)
    np.divide(gained, best, out=ndcg, where=best > 0)
    weight = ranked.group_weight(average)
    return ranked.mean(ndcg, weight, "grouped_ndcg", "a relevant labelled row")


class _Relevances(PositiveGains):
    """Relevances as floats; of two classes that are no numbers, 0 and 1."""

    def __call__(self, labels, both_classes):
        try:
            relevance = labels.astype(np.float64)
        except (TypeError, ValueError):
            relevance = None
        if relevance is None or self._pos_label is not None:
            positive, position = super().__call__(labels, both_classes)
            return positive.astype(np.float64), position
        is_right = np.isfinite(relevance) & (relevance >= 0)
        if not is_right.all():
            raise ValueError(
                "y_true must hold finite relevances >= 0; found "
                f"{relevance[~is_right][0]}. Replace it, or mark it as missing with "
                "NaN."
            )
        return relevance, 1


def _best_gains(ranked, gain, summed, k):
    """Return the DCG of each group in the order of its gains."""
    relevant = gain > 0
    values = gain[relevant]
    if not len(values) or values.min() == values.max():
        n_relevant = ranked.group_sums(relevant.astype(int))
        scale = values[0] if len(values) else 1.0
        return scale * summed[np.minimum(n_relevant, k).astype(int)]
    place = np.arange(len(gain)) - np.repeat(ranked.group_start, ranked.group_size)
    # Groups come one after the other, so that their numbers only grow.
    group = np.repeat(np.arange(len(ranked.group_start)), ranked.group_size)
    order = np.lexsort((-gain, group))
    discount = np.where(place < k, summed[place + 1] - summed[place], 0.0)
    return ranked.group_sums(gain[order] * discount)
