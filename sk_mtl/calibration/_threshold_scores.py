"""Scores of thresholds, from counts of right and wrong decisions."""

import inspect
from collections.abc import Mapping
from numbers import Real
from typing import NamedTuple

import numpy as np

#: What a dict of costs may name.
OUTCOMES = ("fp", "fn", "tp", "tn")


class Decisions(NamedTuple):
    """Weights of the rows with each outcome, by threshold; all (n_thresholds,)."""

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray

    @classmethod
    def count(cls, positive, proba, thresholds, weight=None):
        """Return the outcomes of deciding "positive" from each threshold on.

        Parameters
        ----------
        positive : ndarray of bool of shape (n_samples,)
        proba : ndarray of shape (n_samples,)
        thresholds : ndarray of shape (n_thresholds,)
        weight : ndarray of shape (n_samples,) or None
        """
        weight = np.ones(len(proba)) if weight is None else weight
        order = np.argsort(proba, kind="stable")
        starts = np.searchsorted(proba[order], thresholds)

        def at_least(counted):
            sums = np.r_[0.0, np.cumsum(np.where(counted, weight, 0.0)[order])]
            return sums[-1] - sums[starts], sums[starts]

        (tp, fn), (fp, tn) = at_least(positive), at_least(~positive)
        return cls(tp, fp, fn, tn)


def _ratio(above, below):
    """Return a ratio, 0 where it is undefined, as scikit-learn does."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _matthews(tp, fp, fn, tn):
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return _ratio(tp * tn - fp * fn, np.sqrt(product))


#: Functions of the outcomes by name; a greater value is better.
THRESHOLD_SCORES = {
    "f1": lambda tp, fp, fn, tn: _ratio(2 * tp, 2 * tp + fp + fn),
    "balanced_accuracy": lambda tp, fp, fn, tn: (
        (_ratio(tp, tp + fn) + _ratio(tn, tn + fp)) / 2
    ),
    "accuracy": lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn),
    "jaccard": lambda tp, fp, fn, tn: _ratio(tp, tp + fp + fn),
    "matthews_corrcoef": _matthews,
}


def candidate_thresholds(positive, proba, wanted):
    """Return the thresholds to be tried, in ascending order.

    The best threshold of every score that improves with each right decision is the
    probability of a positive row, so others are left out. Behind the largest one stands
    infinity, at which no row is positive.
    """
    if np.ndim(wanted):
        return np.unique(np.asarray(wanted, float))
    values = np.unique(proba[positive]).astype(float)
    if len(values) > wanted:
        values = values[np.linspace(0, len(values) - 1, wanted).round().astype(int)]
    return np.r_[values, np.inf]


def threshold_scores(scoring, rows, thresholds):
    """Return the score of each threshold.

    Parameters
    ----------
    scoring : str, callable or dict of costs
    rows : ClassRows
        Of two classes.
    thresholds : ndarray of shape (n_thresholds,)
    """
    proba, positive = rows.answers[:, rows.positive], rows.codes == rows.positive
    if callable(scoring):
        return _custom_scores(scoring, rows, proba, thresholds)
    decisions = Decisions.count(positive, proba, thresholds, rows.weight)
    if isinstance(scoring, Mapping):
        costs = sum(
            scoring.get(name, 0) * getattr(decisions, name) for name in OUTCOMES
        )
        return -costs / rows.total
    return THRESHOLD_SCORES[scoring](*decisions)


def _custom_scores(metric, rows, proba, thresholds):
    keywords, taken = {}, _parameters(metric)
    if "pos_label" in taken:
        keywords["pos_label"] = rows.pos_label
    if rows.weight is not None and "sample_weight" in taken:
        keywords["sample_weight"] = rows.weight
    chosen = rows.classes[rows.positive], rows.classes[1 - rows.positive]
    return np.array(
        [
            float(metric(rows.labels, np.where(proba >= each, *chosen), **keywords))
            for each in thresholds
        ]
    )


def _parameters(function):
    try:
        return set(inspect.signature(function).parameters)
    except ValueError:
        # Some functions written in C have no signature.
        return set()


def check_costs(costs, what="costs"):
    """Raise unless costs are numbers >= 0 by outcome."""
    wrong = [
        name
        for name, value in costs.items()
        if name not in OUTCOMES
        or not isinstance(value, Real)
        or not 0 <= value < np.inf
    ]
    if wrong or not costs:
        raise ValueError(
            f"{what} must hold numbers >= 0 by outcome, {list(OUTCOMES)}; found "
            f"{dict(costs)!r}. Give for example {{'fp': 1, 'fn': 8}}."
        )


def check_scoring(scoring, what="scoring"):
    """Raise unless a score of decisions is known, or is a function of labels."""
    if callable(scoring) and not hasattr(scoring, "set_score_request"):
        return
    if callable(scoring) or scoring not in THRESHOLD_SCORES:
        raise ValueError(
            f"{what} must be one of {list(THRESHOLD_SCORES)}, or a function of labels "
            f"and predicted labels; found {scoring!r}. Give the function itself, such "
            "as functools.partial(fbeta_score, beta=2)."
        )
