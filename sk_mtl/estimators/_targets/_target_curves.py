"""Curves that bend numbers of long tails before a network learns them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from scipy.special import ndtri

# Number of groups of equal weight that stand for a network's errors. For log-normal
# errors of standard deviation 1 the mean is then right to half a percent.
_GROUPS = 100

# Most rows on which predictions are centred, and halvings of the range of the constant.
_CENTRING_ROWS, _HALVINGS = 10_000, 20

# Most knots of the normal scores. Between them numbers are interpolated.
_KNOTS = 1_000


@dataclass(frozen=True, eq=False)
class TargetCurve(ABC):
    r"""An increasing function of a target, and the mean of the target behind it.

    A network that learns bent targets :math:`u = f(y)` by their squared error answers
    :math:`E[u]`, but :math:`f^{-1}(E[u])` is not the mean of y: for a logarithm it is
    nearer to the median. With the errors :math:`e_i` of the network on the training
    rows, Duan's smearing estimator of the mean is

    .. math:: E[y] = \sum_i w_i f^{-1}(u + e_i),

    where :math:`w_i` are the shares of the rows in the sum of the weights. It needs no
    distribution of errors, but assumes the same one for every row. Where large targets
    have other errors than small ones, the means would be too small or too large
    together; so a constant is added to all errors, with which the mean of the
    predictions on the training rows is the mean of their targets. Here groups of rows
    with neighbouring errors stand for the rows. Neither ``u`` nor ``u + e`` may leave
    the range of the training targets, so no mean is beyond the largest of them.

    Attributes
    ----------
    lowest, highest : float
        The range of the bent training targets.

    errors, shares : ndarray of shape (n_groups,)
        The errors of the network in units of ``u``, and their shares, which add up to
        1. Before training there is one error, 0.

    References
    ----------
    N. Duan (1983). Smearing Estimate: A Nonparametric Retransformation Method. Journal
    of the American Statistical Association 78(383), 605-610.
    """

    lowest: float
    highest: float
    errors: np.ndarray = field(default_factory=lambda: np.zeros(1), kw_only=True)
    shares: np.ndarray = field(default_factory=lambda: np.ones(1), kw_only=True)

    @classmethod
    @abstractmethod
    def fit(cls, values: np.ndarray, weight: np.ndarray | None) -> TargetCurve:
        """Return the curve for the training targets, of which none is missing."""

    @abstractmethod
    def bend(self, values: np.ndarray) -> np.ndarray:
        """Return bent targets; NaN stays NaN."""

    @abstractmethod
    def unbend(self, bent: np.ndarray) -> np.ndarray:
        """Return the targets behind bent ones of the training range."""

    def mean(self, bent: np.ndarray) -> np.ndarray:
        """Return the means of the targets, given the means of the bent ones."""
        inside = np.clip(bent, self.lowest, self.highest)
        places = np.clip(inside[..., None] + self.errors, self.lowest, self.highest)
        return self.unbend(places) @ self.shares

    def with_errors(
        self, answers: np.ndarray, bent: np.ndarray, weight: np.ndarray
    ) -> TargetCurve:
        """Return the curve with the errors of a network on rows of positive weight.

        Parameters
        ----------
        answers, bent : ndarray of shape (n_samples,)
            The network's answers and the targets, both bent.

        weight : ndarray of shape (n_samples,)
        """
        errors = bent - answers
        order = np.argsort(errors, kind="stable")
        each = weight[order] / weight.sum()
        groups = (_GROUPS * (each.cumsum() - each / 2)).astype(int).clip(0, _GROUPS - 1)
        shares = np.bincount(groups, each, _GROUPS)
        sums = np.bincount(groups, each * errors[order], _GROUPS)
        held = shares > 0
        curve = replace(self, errors=sums[held] / shares[held], shares=shares[held])
        return curve._centred(answers, bent, weight)

    def _centred(
        self, answers: np.ndarray, bent: np.ndarray, weight: np.ndarray
    ) -> TargetCurve:
        """Return the curve whose mean prediction for rows is their mean target."""
        rows = slice(None, None, -(-len(answers) // _CENTRING_ROWS))
        answers, weight = answers[rows], weight[rows]
        wanted = np.average(self.unbend(bent[rows]), weights=weight)
        low, high = -(self.highest - self.lowest), self.highest - self.lowest
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            curve = replace(self, errors=self.errors + middle)
            if np.average(curve.mean(answers), weights=weight) < wanted:
                low = middle
            else:
                high = middle
        return curve


@dataclass(frozen=True, eq=False)
class SignedLog(TargetCurve):
    r"""The curve :math:`\operatorname{sign}(y) \log(1 + |y| / s)`.

    It is a line near zero, and a logarithm far from it on either side.

    Attributes
    ----------
    unit : float
        The number s: the median size of the training targets other than 0.
    """

    unit: float

    @classmethod
    def fit(cls, values: np.ndarray, weight: np.ndarray | None) -> SignedLog:
        """Return the curve for the training targets."""
        sizes, filled = np.abs(values), values != 0
        weight = np.ones(len(values)) if weight is None else weight
        unit = 1.0
        if filled.any():
            unit = _weighted_median(sizes[filled], weight[filled])
        curve = cls(0.0, 0.0, unit=unit)
        ends = curve.bend(np.array([values.min(), values.max()]))
        return replace(curve, lowest=float(ends[0]), highest=float(ends[1]))

    def bend(self, values: np.ndarray) -> np.ndarray:
        """Return signed logarithms."""
        return np.sign(values) * np.log1p(np.abs(values) / self.unit)

    def unbend(self, bent: np.ndarray) -> np.ndarray:
        """Return the numbers behind signed logarithms."""
        return np.sign(bent) * self.unit * np.expm1(np.abs(bent))


@dataclass(frozen=True, eq=False)
class NormalScores(TargetCurve):
    """The quantiles of a normal distribution at the ranks of the targets.

    Equal targets share the middle of their ranks. The curve is linear between knots,
    which are all values of the training targets, or a thousand of these, evenly by
    rank. Numbers beyond the training targets are taken as the nearest of them.

    Attributes
    ----------
    knots, scores : ndarray of shape (n_knots,)
        Training targets, increasing, and their scores.
    """

    most_knots: ClassVar[int] = _KNOTS

    knots: np.ndarray
    scores: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray, weight: np.ndarray | None) -> NormalScores:
        """Return the curve for the training targets."""
        knots, which = np.unique(values, return_inverse=True)
        shares = np.bincount(which, weight)
        shares = shares / shares.sum()
        ranks = shares.cumsum() - shares / 2
        if len(knots) > cls.most_knots:
            wanted = np.linspace(ranks[0], ranks[-1], cls.most_knots)
            kept = np.unique(np.searchsorted(ranks, wanted).clip(max=len(knots) - 1))
            knots, ranks = knots[kept], ranks[kept]
        scores = ndtri(ranks)
        return cls(float(scores[0]), float(scores[-1]), knots=knots, scores=scores)

    def bend(self, values: np.ndarray) -> np.ndarray:
        """Return normal scores."""
        return np.interp(values, self.knots, self.scores)

    def unbend(self, bent: np.ndarray) -> np.ndarray:
        """Return the numbers behind normal scores."""
        return np.interp(bent, self.scores, self.knots)


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the smallest value with half of the weight up to it."""
    order = np.argsort(values, kind="stable")
    total = weight[order].cumsum()
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


#: The curves by the names that `SquaredError` gives them.
CURVES: dict[str, type[TargetCurve]] = {"log": SignedLog, "quantile": NormalScores}
