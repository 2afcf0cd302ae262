"""Losses of classes: cross-entropy and its focal form."""

from dataclasses import dataclass, field
from numbers import Real
from typing import ClassVar

from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.losses import ClassOutput, TaskOutput


@dataclass(eq=False, repr=False)
class CrossEntropy(Loss):
    """Cross-entropy, the loss of classes that ``"log_loss"`` names.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of every label that is spread over all classes, in [0, 1). Larger keeps
        probabilities away from 0 and 1.

    Examples
    --------
    Labels that are wrong now and then.

    >>> from sk_mtl import CrossEntropy, MMOEClassifier
    >>> MMOEClassifier(loss=CrossEntropy(label_smoothing=0.1)).loss
    CrossEntropy(label_smoothing=0.1)
    """

    _parameter_constraints: ClassVar[dict] = {
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }
    domain: ClassVar[str] = "classes"

    label_smoothing: float = field(default=0.0, kw_only=True)

    def make_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the output of a task of `n_classes` classes."""
        return ClassOutput(n_classes, label_smoothing=self.label_smoothing)


@dataclass(eq=False, repr=False)
class Focal(Loss):
    """The focal loss of classes, which gives easy rows less weight.

    Cross-entropy is multiplied by ``(1 - p) ** gamma``, with p the probability of the
    row's class. It was designed for detectors with very many easy negatives, and harms
    calibration.

    Parameters
    ----------
    gamma : float, default=2.0
        The power. A larger power gives easy rows less weight; 0 is cross-entropy.

    label_smoothing : float, default=0.0
        Share of every label that is spread over all classes, as in `CrossEntropy`.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár (2017). Focal Loss for Dense
    Object Detection. ICCV.

    Examples
    --------
    A search over the power.

    >>> from sk_mtl import Focal, MMOEClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> search = GridSearchCV(MMOEClassifier(loss=Focal()), {"loss__gamma": [0.5, 2.0]})
    """

    _parameter_constraints: ClassVar[dict] = {
        "gamma": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }
    domain: ClassVar[str] = "classes"

    gamma: float = 2.0
    label_smoothing: float = field(default=0.0, kw_only=True)

    def make_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the output of a task of `n_classes` classes."""
        return ClassOutput(
            n_classes, label_smoothing=self.label_smoothing, focal_gamma=self.gamma
        )
