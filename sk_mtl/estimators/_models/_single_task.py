"""A network for each task."""

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
class SingleTask(WiringChoice):
    """Single tasks: a separate network for each task, all trained in one pass.

    The tasks share neither layers nor embeddings,

    ``y_k = tower_k(network_k(embedding_k(x)))``,

    so each task learns what a network for it alone would learn, on the same rows and
    in the same steps. This is the baseline that a model with sharing has to beat, task
    by task. Only early stopping and `monitor` combine the tasks.

    Parameters
    ----------
    hidden_sizes : int or tuple of int, default=(256,)
        Widths of the layers of each task's network before its tower. Wider and deeper
        networks learn more features and overfit small tables sooner.

    References
    ----------
    Caruana, R. (1997). Multitask Learning. Machine Learning 28, 41-75.
    https://doi.org/10.1023/A:1007379606734
    """

    wiring_class = nn.SingleTask
    _wiring_name = "single_task"
    _parameter_constraints: ClassVar[dict] = {
        "hidden_sizes": LAYER_SIZES,
    }

    hidden_sizes: int | tuple[int, ...] = (256,)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SingleTaskClassifier(SingleTask, MultiTaskClassifier):
    """A network for each task, with nothing shared: the baseline for classes.

    See Also
    --------
    SharedBottomClassifier : One network for all tasks.

    Examples
    --------
    Two networks side by side, each with its own embeddings.

    >>> from sk_mtl import SingleTaskClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = SingleTaskClassifier(max_epochs=3, random_state=0).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SingleTaskRegressor(SingleTask, MultiTaskRegressor):
    """A network for each task, with nothing shared: the baseline for numbers.

    See Also
    --------
    SingleTaskClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import SingleTaskRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = SingleTaskRegressor(max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """
