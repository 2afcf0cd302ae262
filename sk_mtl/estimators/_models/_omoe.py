"""The one-gate mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass

import sk_mtl.nn as nn
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._mmoe import MMoE
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class OMoE(MMoE):
    """One-gate mixture of experts: all tasks read one mixture.

    As in a multi-gate mixture, `n_experts` small networks read the input, but all tasks
    share one gate:

    ``f(x) = sum_e g_e(x) * expert_e(x)``,  ``g(x) = softmax(W x)``,

    and a tower per task turns ``f(x)`` into that task's answer. The experts specialise
    in rows and not in tasks: as a baseline, it measures how much of the gain of a
    multi-gate mixture comes from the mixture alone.

    References
    ----------
    Jacobs, R. A. et al. (1991). Adaptive Mixtures of Local Experts. Neural Computation
    3(1), 79-87. https://doi.org/10.1162/neco.1991.3.1.79
    """

    wiring_class = nn.OMoE
    _wiring_name = "omoe"


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class OMOEClassifier(OMoE, MultiTaskClassifier):
    """One-gate mixture of experts (OMoE) for classes of several tasks.

    See Also
    --------
    MMOEClassifier : A gate of its own for each task.

    Examples
    --------
    Two experts, with one mixture per row for both tasks.

    >>> from sk_mtl import OMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = OMOEClassifier(n_experts=2, max_epochs=3, random_state=0).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class OMOERegressor(OMoE, MultiTaskRegressor):
    """One-gate mixture of experts (OMoE) for several numbers.

    See Also
    --------
    OMOEClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import OMOERegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = OMOERegressor(n_experts=2, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """
