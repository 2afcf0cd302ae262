"""A bottom that all tasks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sk_mtl.nn as nn
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import LAYER_SIZES
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SharedBottom(WiringChoice):
    """Shared bottom: one network for all tasks, and a tower for each.

    The classic model of multi-task learning (hard parameter sharing): one perceptron
    reads the input, and every task's tower reads its result,

    ``y_k = tower_k(bottom(x))``.

    The bottom learns common features from the labels of all tasks. Tasks that need
    different features compete for the same units: if they are only weakly related, one
    gains at the cost of another (the seesaw).

    Parameters
    ----------
    bottom_hidden_sizes : int or tuple of int, default=(256,)
        Widths of the layers of the shared perceptron, at least one. Wider and deeper
        bottoms learn more features and overfit small tables sooner.

    References
    ----------
    Caruana, R. (1997). Multitask Learning. Machine Learning 28, 41-75.
    https://doi.org/10.1023/A:1007379606734
    """

    wiring_class = nn.SharedBottom
    _wiring_name = "shared_bottom"
    _parameter_constraints: ClassVar[dict] = {
        "bottom_hidden_sizes": LAYER_SIZES,
    }

    bottom_hidden_sizes: int | tuple[int, ...] = (256,)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SharedBottomClassifier(SharedBottom, MultiTaskClassifier):
    """Shared bottom (hard parameter sharing) for classes of several tasks.

    See Also
    --------
    MMOEClassifier : Several experts, which each task mixes in its own way.
    SingleTaskClassifier : A network for each task, with nothing shared.

    Examples
    --------
    A wide bottom and, for each task, a linear tower.

    >>> from sk_mtl import SharedBottomClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = SharedBottomClassifier(tower_hidden_sizes=(), max_epochs=3).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SharedBottomRegressor(SharedBottom, MultiTaskRegressor):
    """Shared bottom (hard parameter sharing) for several numbers.

    See Also
    --------
    SharedBottomClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import SharedBottomRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = SharedBottomRegressor(tower_hidden_sizes=(), max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """
