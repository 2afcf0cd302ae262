"""Gates, which turn the scores of experts into the weights of a mixture."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from numbers import Real
from typing import ClassVar

from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._choices._choice import Choice, resolve_choice
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.nn import DSelectKHead, GateHead, SoftmaxHead, TopKHead


@dataclass(eq=False, repr=False)
class Gate(Choice, ABC):
    """Base of gates, the objects that the parameter `gate` takes.

    A gate of your own is a subclass, a dataclass (``eq=False, repr=False``) with a
    field per setting, which defines `make_gate`.

    See Also
    --------
    Softmax, TopK, DSelectK : The gates of this package.
    sk_mtl.nn.GateHead : The base of the modules that `make_gate` returns.

    Examples
    --------
    A softmax that is more or less even.

    >>> from dataclasses import dataclass
    >>> from sk_mtl import Gate
    >>> from sk_mtl.nn import GateHead
    >>> class TemperedHead(GateHead):
    ...     def __init__(self, n_experts, temperature):
    ...         super().__init__(n_experts)
    ...         self.temperature = temperature
    ...
    ...     def forward(self, scores):
    ...         return (scores / self.temperature).softmax(1)
    >>> @dataclass(eq=False, repr=False)
    ... class Tempered(Gate):
    ...     temperature: float = 1.0
    ...
    ...     def make_gate(self, n_experts):
    ...         return TemperedHead(n_experts, self.temperature)
    >>> Tempered(10.0)
    Tempered(temperature=10.0)
    """

    @abstractmethod
    def make_gate(self, n_experts: int) -> GateHead:
        """Return the torch module that turns scores into weights.

        Parameters
        ----------
        n_experts : int
            The number of experts that each gate weighs.

        Returns
        -------
        head : GateHead
            Maps scores of shape (n_samples, n_experts, n_gates) to weights of the same
            shape.
        """


@dataclass(eq=False, repr=False)
class Softmax(Gate):
    """A softmax over all experts.

    Examples
    --------
    The name means the same.

    >>> from sk_mtl import MMOEClassifier, Softmax
    >>> MMOEClassifier(gate=Softmax()).get_params()["gate"]
    Softmax()
    """

    def make_gate(self, n_experts: int) -> SoftmaxHead:
        """Return the module of `sk_mtl.nn` over a number of experts."""
        return SoftmaxHead(n_experts)


@dataclass(eq=False, repr=False)
class TopK(Gate):
    """A softmax over the largest scores of the row, and exact zeros elsewhere.

    The choice follows the scores in training, too: an expert learns nothing from rows
    that do not select it. The noise of the paper is left out.

    Parameters
    ----------
    n_active : int, default=2
        Number of experts with a weight, for each row and task: at least two, at most
        the number of experts. Fewer let tasks differ more.

    References
    ----------
    Shazeer, N. et al. (2017). Outrageously Large Neural Networks: The Sparsely-Gated
    Mixture-of-Experts Layer. ICLR. https://doi.org/10.48550/arXiv.1701.06538

    Examples
    --------
    The number of active experts can be searched.

    >>> from sk_mtl import MMOEClassifier, TopK
    >>> model = MMOEClassifier(n_experts=6, gate=TopK(3))
    >>> model.set_params(gate__n_active=4).gate
    TopK(n_active=4)
    """

    _parameter_constraints: ClassVar[dict] = {"n_active": COUNT}

    n_active: int = 2

    def make_gate(self, n_experts: int) -> TopKHead:
        """Return the module of `sk_mtl.nn` over a number of experts."""
        return TopKHead(n_experts, self.n_active)


@dataclass(eq=False, repr=False)
class DSelectK(Gate):
    """A selection of experts that is learnt by smooth steps.

    Experts that are not yet selected are trained, too. Weights are exactly zero once
    the selectors have decided. If the number of experts is not a power of two, weights
    may sum to less than 1.

    Parameters
    ----------
    n_active : int, default=2
        Number of experts selected for each row and task, at most the number of experts.
        Fewer let tasks differ more.

    penalty : float, default=0.01
        Weight in the loss of the selectors' entropy, and of weight that reaches no
        expert. A larger penalty makes selectors decide sooner, and too early if it is
        too large; with 0 weights need not become sparse.

    References
    ----------
    Hazimeh, H. et al. (2021). DSelect-k: Differentiable Selection in the Mixture of
    Experts with Applications to Multi-Task Learning. NeurIPS.
    https://doi.org/10.48550/arXiv.2106.03760

    Examples
    --------
    A single expert for each row and task, decided early.

    >>> from sk_mtl import DSelectK, MMOEClassifier
    >>> MMOEClassifier(gate=DSelectK(1, penalty=0.1)).gate
    DSelectK(n_active=1, penalty=0.1)
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_active": COUNT,
        "penalty": [Interval(Real, 0, None, closed="left")],
    }

    n_active: int = 2
    penalty: float = field(default=0.01, kw_only=True)

    def make_gate(self, n_experts: int) -> DSelectKHead:
        """Return the module of `sk_mtl.nn` over a number of experts."""
        return DSelectKHead(n_experts, self.n_active, self.penalty)


#: The gates by name.
GATES: dict[str, Gate] = {
    "softmax": Softmax(),
    "top_k": TopK(),
    "dselect_k": DSelectK(),
}


def resolve_gate(value) -> Gate:
    """Return the gate for the parameter `gate`, or raise."""
    return resolve_choice("gate", value, GATES, Gate)
