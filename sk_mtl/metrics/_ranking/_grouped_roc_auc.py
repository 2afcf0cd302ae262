"""Area under the ROC curve within groups, such as the rows of one user."""

import numpy as np

from sk_mtl.metrics._ranking._ranked_groups import PositiveGains, RankedGroups

_WEIGHTS = ("impressions", "users", "positives")


def grouped_roc_auc(
    y,
    proba,
    groups,
    sample_weight=None,
    *,
    weights="impressions",
    pos_label=None,
):
    """Compute the area under the ROC curve within each group, averaged (GAUC).

    A ranking is shown to one user at a time, so only the order of a user's own rows
    counts; rows of different users are never compared. With :math:`w_u` the weight of
    user u,

    .. math:: GAUC = \\sum_u w_u AUC_u / \\sum_u w_u

    over the users that have both classes, the only ones whose order can be right or
    wrong. One sort serves all groups; a million rows take about a second.

    Libraries differ in :math:`w_u`, and values of different weights cannot be compared:

    ================= ======================= =========================================
    `weights`         :math:`w_u`             default of
    ================= ======================= =========================================
    ``"impressions"`` labelled rows of u      Deep Interest Network [2]_, FuxiCTR's
                                              ``gAUC``, torch-rechub's ``gauc_score``
    ``"users"``       1, a plain mean         EasyRec's ``gauc`` (``"mean"``),
                                              TorchEasyRec's ``grouped_auc``, FuxiCTR's
                                              ``avgAUC``
    ``"positives"``   positive rows of u,     none of these; EasyRec offers it as
                      such as clicks          ``"mean_by_positive_num"``
    ================= ======================= =========================================

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of one task with two classes; NaN and None are skipped.
    proba : array-like of shape (n_samples,) or (n_samples, 2)
        Scores of the positive class, any real numbers, or both classes' probabilities
        as `predict_proba` returns them for the task. Ties count one half.
    groups : array-like of shape (n_samples,)
        The group of every row, of any type.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows within a group. A group of `weights` ``"impressions"`` or
        ``"positives"`` then counts by the sum of its rows' weights, one of ``"users"``
        by their mean.
    weights : {"impressions", "users", "positives"}, default="impressions"
        What a group counts, as in the table.
    pos_label : label, default=None
        The positive class. None takes 1 of 0 and 1 or of -1 and 1, and of other labels
        the one that sorts last. That decides only where `proba` holds scores of one
        class or `weights` is ``"positives"``, and draws a `PositiveClassWarning` there.

    Returns
    -------
    gauc : float
        NaN, with an `UndefinedMetricWarning`, where no group has both classes.

    References
    ----------
    .. [1] Zhu et al., "Optimized Cost per Click in Taobao Display Advertising",
       KDD 2017.
    .. [2] Zhou et al., "Deep Interest Network for Click-Through Rate Prediction",
       KDD 2018.

    Examples
    --------
    User a's two rows are in the right order, user b's three are not, user c never
    clicked and does not count.

    >>> from sk_mtl.metrics import grouped_roc_auc
    >>> y = [0, 1, 0, 1, 0, 0]
    >>> proba = [0.1, 0.2, 0.8, 0.7, 0.9, 0.3]
    >>> groups = ["a", "a", "b", "b", "b", "c"]
    >>> grouped_roc_auc(y, proba, groups)
    0.4
    >>> grouped_roc_auc(y, proba, groups, weights="users")
    0.5
    """
    if not isinstance(weights, str) or weights not in _WEIGHTS:
        raise ValueError(
            f"weights must be one of {list(_WEIGHTS)}; found {weights!r}. Use 'users' "
            "for a plain mean of the groups; weights of rows are sample_weight."
        )
    symmetric = weights != "positives"
    gains = PositiveGains("grouped_roc_auc", pos_label, "y", symmetric=symmetric)
    ranked = RankedGroups(y, proba, groups, sample_weight, gains, ("y", "proba"))
    positive = ranked.gains
    up, down = (np.where(w, ranked.weight, 0.0) for w in (positive, ~positive))
    # A negative row loses to the positives of its group in the blocks above it and
    # draws with the positives of its own block. The former are the running sum of
    # positives at the start of its block less the sum at the start of its group.
    above = np.cumsum(up) - up
    beaten = above[ranked.block_start] - _of_group(ranked, above)
    wins = ranked.block_sums(down) * (beaten + ranked.block_sums(up) / 2)
    n_positive = ranked.group_sums(up)
    pairs = n_positive * ranked.group_sums(down)
    auc = np.full(len(pairs), np.nan)
    np.divide(ranked.sums_of_blocks(wins), pairs, out=auc, where=pairs > 0)
    if weights == "positives":
        weight = n_positive
    else:
        weight = ranked.group_weight("rows" if weights == "impressions" else "groups")
    need = "labelled rows of both classes"
    return ranked.mean(auc, weight, "grouped_roc_auc", need)


def _of_group(ranked, values):
    """Return the value of the first row of the group of each block."""
    return values[ranked.group_start][ranked.group_of_block]
