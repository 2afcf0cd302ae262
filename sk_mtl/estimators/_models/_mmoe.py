"""The multi-gate mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import sk_mtl.nn as nn
from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import COUNT, LAYER_SIZES, SHARE
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._expert_parameters import GatedExperts
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class MMoE(GatedExperts):
    """Multi-gate mixture of experts: tasks share experts as far as it helps.

    A network with one shared bottom forces both related and unrelated tasks to read the
    same hidden layer. Here `n_experts` small networks (experts) read the input, and
    each task k mixes their outputs by its own gate. Tasks that help each other use the
    same experts, and other tasks use different ones:

    ``f_k(x) = sum_e g_ke(x) * expert_e(x)``,  ``g_k(x) = softmax(W_k x)``,

    and a tower per task turns ``f_k(x)`` into that task's answer.

    Parameters
    ----------
    n_experts : int, default=4
        Number of experts. More let tasks differ more and take proportionally more time;
        1 is a shared bottom.

    expert_hidden_sizes : int or tuple of int, default=(64,)
        Widths of the layers of each expert, at least one. Wider and deeper experts
        learn more complex features and overfit small tables sooner.

    gate_hidden_sizes : int or tuple of int, default=()
        Widths of hidden layers of the gates. ``()`` is the paper's linear gate; hidden
        layers let a task choose its experts by combinations of features.

    expert_dropout : float, default=0.0
        Share of the experts that are left out of a task's mixture in training, in
        [0, 1), drawn for each row and task; the weights of the others are scaled up.
        Larger makes tasks rely less on any single expert.

    load_balance : float, default=0.0
        Weight of a penalty for uneven use of the experts: the squared coefficient of
        variation of their summed weights over the batch, summed over the gates
        (https://doi.org/10.48550/arXiv.1701.06538). It keeps experts in use; a large
        weight prevents tasks from choosing between them.

    References
    ----------
    Ma, J. et al. (2018). Modeling Task Relationships in Multi-task Learning with
    Multi-gate Mixture-of-Experts. KDD. https://doi.org/10.1145/3219819.3220007

    Shazeer, N. et al. (2017). Outrageously Large Neural Networks: The Sparsely-Gated
    Mixture-of-Experts Layer. ICLR. https://doi.org/10.48550/arXiv.1701.06538
    """

    wiring_class = nn.MMoE
    _wiring_name = "mmoe"
    _parameter_constraints: ClassVar[dict] = {
        "n_experts": COUNT,
        "expert_hidden_sizes": LAYER_SIZES,
        "gate_hidden_sizes": LAYER_SIZES,
        "expert_dropout": SHARE,
        "load_balance": [Interval(Real, 0, None, closed="left")],
    }

    n_experts: int = 4
    expert_hidden_sizes: int | tuple[int, ...] = (64,)
    gate_hidden_sizes: int | tuple[int, ...] = ()
    expert_dropout: float = 0.0
    load_balance: float = 0.0


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class MMOEClassifier(MMoE, MultiTaskClassifier):
    """Multi-gate mixture of experts (MMoE): tasks share experts as far as it helps.

    See Also
    --------
    ESMMClassifier : Steps of a funnel, such as click and conversion.
    MMOERegressor : The same for numbers.

    Examples
    --------
    Raw columns in, one array of probabilities per task out.

    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = MMOEClassifier(n_experts=4, max_epochs=3, random_state=0).fit(X, y)
    >>> income, married = model.predict_proba(X)
    >>> income.shape, married.shape
    ((500, 2), (500, 2))
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class MMOERegressor(MMoE, MultiTaskRegressor):
    """Multi-gate mixture of experts (MMoE) for several numbers.

    See Also
    --------
    MMOEClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import MMOERegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = MMOERegressor(n_experts=4, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """
