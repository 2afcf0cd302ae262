"""Losses of numbers: errors, deviances and a density."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

from sk_mtl._sklearn_compat import Interval, StrOptions
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.losses import (
    AbsoluteErrorOutput,
    GammaOutput,
    HuberOutput,
    PoissonOutput,
    QuantileOutput,
    SquaredErrorOutput,
    TaskOutput,
    ZILNOutput,
)


class _NumberLoss(Loss):
    """A loss with the settings of its output."""

    _output: ClassVar[type[TaskOutput]]

    @property
    def domain(self) -> str:
        """The targets that the loss takes."""
        return self._output.domain

    def make_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the output of a task of numbers."""
        return self._output(**self.get_params(deep=False))


@dataclass(eq=False, repr=False)
class SquaredError(_NumberLoss):
    """The squared error of a number; the prediction is the conditional mean.

    Parameters
    ----------
    transform : {"auto", "standard", "log", "quantile"} or None, default="auto"
        The units in which the network learns the number. ``"standard"``: mean 0 and
        standard deviation 1. For long tails, in which a few numbers would outweigh all
        others, a curve comes first: ``"log"``, the signed logarithm
        ``sign(y) * log(1 + abs(y) / s)`` with the median size s, or ``"quantile"``, the
        normal score of the rank, which no outlier can stretch. The squared error is
        then that of the bent numbers. Predictions are still means in the target's own
        units: Duan's smearing estimator averages the number behind the answer plus an
        error over the errors of the training rows, which it takes to be alike in all
        rows. The mean prediction on the training rows is then made equal to the mean of
        their targets, and no prediction leaves the range of the training targets. None
        takes numbers as they are; they should then be scaled already. ``"auto"`` is
        ``"standard"``.

    References
    ----------
    N. Duan (1983). Smearing Estimate: A Nonparametric Retransformation Method. Journal
    of the American Statistical Association 78(383), 605-610.

    Examples
    --------
    Incomes have a long tail.

    >>> from sk_mtl import MMOERegressor, SquaredError
    >>> model = MMOERegressor(loss={"income": SquaredError("log")})
    """

    _parameter_constraints: ClassVar[dict] = {
        "transform": [StrOptions({"auto", "standard", "log", "quantile"}), None],
    }
    _output: ClassVar[type[TaskOutput]] = SquaredErrorOutput

    transform: str | None = "auto"

    def make_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the output, which is the same for all transforms."""
        return SquaredErrorOutput()


@dataclass(eq=False, repr=False)
class AbsoluteError(_NumberLoss):
    """The absolute error of a number; the prediction is the conditional median.

    Numbers are standardised. Outliers need no `transform`: an error counts in
    proportion to its size.
    """

    _output: ClassVar[type[TaskOutput]] = AbsoluteErrorOutput


@dataclass(eq=False, repr=False)
class Huber(_NumberLoss):
    """The Huber loss of a number, squared for small errors and linear for large ones.

    Numbers are standardised, and have no `transform` as in `SquaredError`.

    Parameters
    ----------
    delta : float, default=1.0
        Largest error that is squared, in standard deviations of the target. Larger is
        closer to the squared error.

    References
    ----------
    P. J. Huber (1964). Robust Estimation of a Location Parameter. Annals of
    Mathematical Statistics 35(1), 73-101.

    Examples
    --------
    Another width for one of two tasks.

    >>> from sk_mtl import Huber, MMOERegressor
    >>> model = MMOERegressor(loss={"hours": Huber(0.5), "age": "huber"})
    """

    _parameter_constraints: ClassVar[dict] = {
        "delta": [Interval(Real, 0, None, closed="neither")],
    }
    _output: ClassVar[type[TaskOutput]] = HuberOutput

    delta: float = 1.0


@dataclass(eq=False, repr=False)
class Quantile(_NumberLoss):
    """The mean pinball loss of several quantiles of a number, which cannot cross.

    The prediction is the quantile of the level nearest to 1/2, such as the median;
    `predict_quantiles` returns all quantiles. Numbers are standardised, and have no
    `transform` as in `SquaredError`.

    Parameters
    ----------
    levels : sequence of float, default=(0.1, 0.5, 0.9)
        Shares of the targets below each quantile, between 0 and 1 and strictly
        increasing.

    References
    ----------
    R. Koenker and G. Bassett (1978). Regression Quantiles. Econometrica 46(1), 33-50.

    Examples
    --------
    The bounds of an interval that is to hold nine hours of work in ten.

    >>> from sk_mtl import MMOERegressor, Quantile
    >>> from sk_mtl.datasets import load_adult
    >>> X, _ = load_adult(return_X_y=True)
    >>> X = X[:600].copy()
    >>> hours = X.pop("hours_per_week")
    >>> model = MMOERegressor(loss=Quantile((0.05, 0.5, 0.95)), max_epochs=2)
    >>> model.fit(X, hours).predict_quantiles(X).shape
    (600, 3)
    """

    _parameter_constraints: ClassVar[dict] = {"levels": ["array-like"]}
    _output: ClassVar[type[TaskOutput]] = QuantileOutput

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    def _check_settings(self, parameter: str) -> None:
        """Raise `ValueError` for levels that are out of order or of range."""
        levels = self.levels
        if isinstance(levels, Real | str | Set | Mapping | None):
            raise ValueError(
                f"levels of {parameter}=Quantile must be a sequence of numbers between "
                f"0 and 1, strictly increasing; found {levels!r}. Write them as a "
                "tuple, such as (0.5,) or (0.1, 0.9)."
            )
        super()._check_settings(parameter)
        self.make_output()


@dataclass(eq=False, repr=False)
class Poisson(_NumberLoss):
    """Half the Poisson deviance of a count (>= 0); the prediction is its mean.

    Numbers are scaled to mean 1. The network learns the logarithm of the mean, so there
    is no `transform` as in `SquaredError`.
    """

    _output: ClassVar[type[TaskOutput]] = PoissonOutput


@dataclass(eq=False, repr=False)
class Gamma(_NumberLoss):
    """Half the gamma deviance of a number (> 0); the prediction is its mean.

    Numbers are scaled to mean 1. The network learns the logarithm of the mean, so there
    is no `transform` as in `SquaredError`.
    """

    _output: ClassVar[type[TaskOutput]] = GammaOutput


@dataclass(eq=False, repr=False)
class ZILN(_NumberLoss):
    """The zero-inflated log-normal loss of many zeros and a few large numbers.

    The prediction is the mean; `predict_proba_positive` returns the chance that a
    number is not zero. Numbers are scaled to mean 1, and their logarithm is learnt, so
    there is no `transform` as in `SquaredError`.

    References
    ----------
    X. Wang, T. Liu and J. Miao (2019). A Deep Probabilistic Model for Customer Lifetime
    Value Prediction. arXiv:1912.07753.
    """

    _output: ClassVar[type[TaskOutput]] = ZILNOutput
