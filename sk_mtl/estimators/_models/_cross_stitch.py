"""Cross-stitch networks."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import sk_mtl.nn as nn
from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import LAYER_SIZES
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class CrossStitch(WiringChoice):
    """Cross-stitch network: each layer learns how much the tasks share.

    Every task has its own network and embeddings. After each hidden layer a
    cross-stitch unit mixes the results of all tasks' layers by a learnt matrix:

    ``h_k = sum_j a_kj * layer_j(...)``.

    With the identity matrix the tasks are separate; with equal entries they share
    everything. `net_.module_.wiring.units` holds the matrices after training.

    Parameters
    ----------
    self_weight : float, default=0.9
        Initial weight of a task's own layer in its mixture, in [0, 1]; the other tasks
        share the rest equally. 1 starts with separate tasks; values closer to one over
        the number of tasks start with more sharing.

    hidden_sizes : int or tuple of int, default=(256,)
        Widths of the layers of each task's network, at least one; a unit follows each
        layer.

    References
    ----------
    Misra, I. et al. (2016). Cross-stitch Networks for Multi-task Learning. CVPR.
    https://doi.org/10.1109/CVPR.2016.433
    """

    wiring_class = nn.CrossStitch
    _wiring_name = "cross_stitch"
    _parameter_constraints: ClassVar[dict] = {
        "self_weight": [Interval(Real, 0, 1, closed="both")],
        "hidden_sizes": LAYER_SIZES,
    }

    self_weight: float = 0.9
    hidden_sizes: int | tuple[int, ...] = (256,)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class CrossStitchClassifier(CrossStitch, MultiTaskClassifier):
    """Cross-stitch network for classes of several tasks.

    See Also
    --------
    SingleTaskClassifier : The same without cross-stitch units.
    MMOEClassifier : Mixtures that depend on the row.

    Examples
    --------
    Two layers, and a unit behind each.

    >>> from sk_mtl import CrossStitchClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = CrossStitchClassifier(hidden_sizes=(64, 32), max_epochs=3).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class CrossStitchRegressor(CrossStitch, MultiTaskRegressor):
    """Cross-stitch network for several numbers.

    See Also
    --------
    CrossStitchClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import CrossStitchRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = CrossStitchRegressor(hidden_sizes=(64, 32), max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """
