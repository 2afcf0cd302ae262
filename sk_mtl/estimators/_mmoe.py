"""The multi-gate mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._architecture import check_sizes
from sk_mtl.estimators._base import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._parameters import SharedParameters
from sk_mtl.nn import MMoE


@dataclass(kw_only=True, eq=False, repr=False)
class _MMOEParameters:
    _parameter_constraints: ClassVar[dict] = {
        "n_experts": [Interval(Integral, 1, None, closed="left")],
        "expert_hidden_sizes": ["array-like"],
        "gate_hidden_sizes": ["array-like"],
    }

    n_experts: int = 4
    expert_hidden_sizes: tuple[int, ...] = (64,)
    gate_hidden_sizes: tuple[int, ...] = ()


@share_documentation(SharedParameters, MultiTaskClassifier)
@dataclass(kw_only=True, eq=False, repr=False)
class MMOEClassifier(_MMOEParameters, MultiTaskClassifier):
    """Multi-gate mixture of experts (MMoE): tasks share experts as far as it helps.

    A network with one shared bottom forces related and unrelated tasks alike to read
    the same hidden layer. Here `n_experts` small networks (experts) read the input, and
    each task k mixes their outputs by a gate of its own, so that tasks which help each
    other use the same experts and others keep apart:

    ``f_k(x) = sum_e g_ke(x) * expert_e(x)``,  ``g_k(x) = softmax(W_k x)``,

    and a tower per task turns ``f_k(x)`` into that task's probabilities.

    Parameters
    ----------
    n_experts : int, default=4
        Number of experts. More let tasks keep further apart and cost time in
        proportion; 1 is a shared bottom.

    expert_hidden_sizes : tuple of int, default=(64,)
        Widths of the layers of each expert, at least one. Wider and deeper experts
        learn more complex features and overfit small tables sooner.

    gate_hidden_sizes : tuple of int, default=()
        Widths of hidden layers of the gates. ``()`` is the paper's linear gate; hidden
        layers let a task choose its experts by combinations of features.

    See Also
    --------
    ESMMClassifier : Steps of a funnel, such as click and conversion.

    References
    ----------
    Ma, J. et al. (2018). Modeling Task Relationships in Multi-task Learning with
    Multi-gate Mixture-of-Experts. KDD. https://doi.org/10.1145/3219819.3220007

    Examples
    --------
    Raw columns in, one array of probabilities per task out.

    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:1000], y[:1000]
    >>> model = MMOEClassifier(n_experts=4, max_epochs=3, random_state=0).fit(X, y)
    >>> income, married = model.predict_proba(X)
    >>> income.shape, married.shape
    ((1000, 2), (1000, 2))
    """

    def _make_wiring(self, in_width: int, n_tasks: int, **layers) -> MMoE:
        return MMoE(
            in_width,
            n_tasks,
            n_experts=self.n_experts,
            expert_hidden_sizes=check_sizes(self.expert_hidden_sizes),
            gate_hidden_sizes=check_sizes(self.gate_hidden_sizes),
            **layers,
        )

    def predict_gates(self, X) -> np.ndarray:
        """Return how each task mixes the experts, row by row.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        gates : ndarray of shape (n_samples, n_tasks, n_experts)
            Weights that sum to 1 over the experts. With several members, whose experts
            have nothing to do with each other, (n_samples, n_members, n_tasks,
            n_experts).
        """
        check_is_fitted(self)

        def gates(network, encoded):
            return network.wiring.gate_weights(encoded)

        return self._map_network(X, lambda module, *x: module.each(gates, *x))
