"""Heads of gates that weigh all experts, or a few of them."""

import torch
from torch import Tensor, nn

from sk_mtl.nn._experts._gate_head import GateFactory, GateHead
from sk_mtl.nn._experts._penalty_weight import PenaltyWeight

# The width of the smooth step's slope, and the initial distance of selectors from its
# middle.
_STEP_WIDTH = 1.0
_START = _STEP_WIDTH / 100

# Keeps the penalty finite if all weight lies on codes without an expert.
_LEAST_REACHED = 0.01


class SoftmaxHead(GateHead):
    """scores (n, n_experts, n_gates) -> weights of the same shape, none of them 0.

    Parameters
    ----------
    n_experts : int
    """

    def forward(self, scores: Tensor) -> Tensor:
        """Return the softmax over the experts."""
        return torch.softmax(scores, 1)


class TopKHead(GateHead):
    r"""scores (n, n_experts, n_gates) -> weights of the same shape, most exactly 0.

    With the scores :math:`s` of a gate, and :math:`T` the :math:`k` = ``n_active``
    experts with the largest,

    .. math:: g_e = \frac{\exp(s_e)}{\sum_{j \in T} \exp(s_j)} \text{ for } e \in T,
              \quad g_e = 0 \text{ otherwise.}

    The paper adds noise to the scores in training. It is left out here, so training and
    predictions choose in the same way. The choice itself has no slope: an expert
    outside of :math:`T` learns nothing from a row. :math:`k` = 1 is refused: the one
    weight would always be 1, and nothing would train the gate.

    References
    ----------
    N. Shazeer, A. Mirhoseini, K. Maziarz, A. Davis, Q. Le, G. Hinton and J. Dean
    (2017). Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts
    Layer. ICLR. arXiv:1701.06538.
    """

    def __init__(self, n_experts: int, n_active: int = 2) -> None:
        super().__init__(n_experts)
        check_n_active("top_k", n_active, n_experts)
        if n_active == 1 < n_experts:
            raise ValueError(
                "n_active of the gate 'top_k' must be at least 2, since the weight of "
                "a single expert is always 1 and nothing would train the gate; found "
                f"{n_active}. Give 2 or more, or use gate='dselect_k'."
            )
        self.n_active = n_active

    def forward(self, scores: Tensor) -> Tensor:
        """Return the softmax over the largest scores, and zeros."""
        largest, chosen = scores.topk(self.n_active, 1)
        weights = torch.softmax(largest, 1)
        # With bfloat16 products, a softmax returns a wider type than its input's.
        return torch.zeros_like(scores, dtype=weights.dtype).scatter(1, chosen, weights)

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"{super().extra_repr()}, n_active={self.n_active}"


class DSelectKHead(GateHead):
    r"""scores (n, n_scores, n_gates) -> weights (n, n_experts, n_gates).

    Differentiable selection of :math:`k` = ``n_active`` experts. A gate has :math:`k`
    selectors, each of which learns to choose a single expert by the binary digits of
    the expert's number. Numbers from 0 to :math:`E - 1` have :math:`m = \lceil
    \log_2 E \rceil` digits; the digit :math:`b` of selector :math:`i` is a smooth step
    of a score,

    .. math:: t_{ib} = S(z_{ib}), \quad S(z) = 0 \text{ below } -\gamma / 2, \quad
              1 \text{ above } \gamma / 2, \quad
              -\frac{2}{\gamma^3} z^3 + \frac{3}{2 \gamma} z + \frac{1}{2}
              \text{ between,}

    with the width :math:`\gamma = 1`. With :math:`B(e)` the digits of :math:`e` that
    are 1, the selector gives expert :math:`e` the weight

    .. math:: r_{ie} = \prod_{b \in B(e)} t_{ib} \prod_{b \notin B(e)} (1 - t_{ib}),

    and further scores :math:`w` mix the selectors, :math:`g_e = \sum_i
    \mathrm{softmax}(w)_i \, r_{ie}`. The smooth step reaches 0 and 1, so digits can
    become exact; then at most :math:`k` weights are not exactly 0. In contrast to
    `TopKHead` every step has a slope until then. All scores depend on the row.

    A penalty of each gate and row decides the digits,

    .. math:: \lambda \sum_i \Big( \sum_{e=0}^{E-1} -r_{ie} \log r_{ie}
              + \frac{1 - R_i}{R_i + \epsilon} \Big), \quad
              R_i = \sum_{e=0}^{E-1} r_{ie},

    with :math:`\lambda` = ``penalty``. Its first part is the selectors' entropy. The
    second part applies if :math:`E` is not a power of two. Some codes then belong to no
    expert, their weight is lost (weights sum to less than 1), and the penalty moves
    weight away from them: it is 0 if all weight reaches experts. In the paper it is
    :math:`1 / R_i` with a separate weight; subtracting 1 changes no slope, and
    :math:`\epsilon` = 0.01 keeps it finite for a row whose selector has chosen a code
    of no expert. A large weight fixes the first digit, and thus excludes a part of the
    experts, before anything is learnt.

    Parameters
    ----------
    n_experts : int
    n_active : int, default=2
        :math:`k`, from 1 to ``n_experts``.
    penalty : float, default=0.01
        :math:`\lambda`. A larger penalty makes selectors decide sooner; at 0 they may
        stay undecided, and weight may stay lost.

    References
    ----------
    H. Hazimeh, Z. Zhao, A. Chowdhery, M. Sathiamoorthy, Y. Chen, R. Mazumder, L. Hong
    and E. H. Chi (2021). DSelect-k: Differentiable Selection in the Mixture of Experts
    with Applications to Multi-Task Learning. NeurIPS. arXiv:2106.03760.
    """

    digits: Tensor

    def __init__(
        self, n_experts: int, n_active: int = 2, penalty: float = 0.01
    ) -> None:
        check_n_active("dselect_k", n_active, n_experts)
        n_digits = (n_experts - 1).bit_length()
        sizes = [n_active * n_digits, n_active]
        super().__init__(n_experts, n_scores=sum(sizes))
        self.penalty = PenaltyWeight(penalty)
        self.n_active, self.n_digits, self.sizes = n_active, n_digits, sizes
        places = 2 ** torch.arange(self.n_digits)
        digits = (torch.arange(n_experts).unsqueeze(1) // places) % 2 == 1
        self.register_buffer("digits", digits.unsqueeze(2), persistent=False)
        self.every_code_is_an_expert = n_experts == 2**self.n_digits

    def forward(self, scores: Tensor) -> Tensor:
        """Return each gate's weights."""
        return self._mix(scores)[0]

    def with_penalty(self, scores: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return each gate's weights, and the penalty of undecided and lost ones."""
        weights, selected, logarithms = self._mix(scores)
        if self.penalty.is_zero:
            return weights, None
        price = -(selected * logarithms).sum((1, 2))
        if not self.every_code_is_an_expert:
            reached = selected.sum(2)
            price = price + ((1 - reached) / (reached + _LEAST_REACHED)).sum(1)
        return weights, self.penalty(price)

    def start(self, weight: Tensor, bias: Tensor) -> None:
        """Start the digits' scores near the middle of the step, as in the paper.

        Further away many would start outside its slope, without a gradient.
        """
        for each in (weight, bias):
            nn.init.uniform_(each[: self.sizes[0]], -_START, _START)

    def _mix(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weights, the selectors' weights, and logarithms of the latter.

        The selectors' weights are (n, n_active, n_experts, n_gates), and their
        logarithms are 0 for weights of 0.
        """
        of_digits, of_selectors = scores.split(self.sizes, 1)
        ones = smooth_step(of_digits.unflatten(1, (self.n_active, 1, self.n_digits)))
        factors = torch.where(self.digits, ones, 1 - ones)
        # A product as a sum of logarithms: for the gradient of its own product, torch
        # waits until the device has checked whether a factor is zero. The digit of such
        # a factor is outside the slope, so no gradient is lost.
        is_zero = factors <= 0
        logarithms = torch.where(is_zero, 1.0, factors).log().sum(3)
        never = is_zero.any(3)
        selected = logarithms.exp().masked_fill(never, 0.0)
        mixing = torch.softmax(of_selectors, 1).unsqueeze(2)
        return (mixing * selected).sum(1), selected, logarithms.masked_fill(never, 0.0)

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return (
            f"{super().extra_repr()}, n_active={self.n_active}, "
            f"penalty={self.penalty.weight:g}"
        )


def smooth_step(x: Tensor) -> Tensor:
    """Return 0 below half the width, 1 above it, and between them a cubic curve.

    It is smooth: at 0 and 1 its slope is zero.
    """
    share = (x / _STEP_WIDTH + 0.5).clamp(0.0, 1.0)
    return share.square() * (3 - 2 * share)


def check_n_active(gate: str, n_active: int, n_experts: int) -> None:
    """Raise if a gate cannot select that many of its experts."""
    if not 1 <= n_active <= n_experts:
        raise ValueError(
            f"n_active of the gate {gate!r} must be from 1 to the number of experts, "
            f"{n_experts}; found {n_active}. Give a smaller number, more experts, or "
            "gate='softmax'."
        )


#: The heads of gates by name.
GATES: dict[str, GateFactory] = {
    "softmax": SoftmaxHead,
    "top_k": TopKHead,
    "dselect_k": DSelectKHead,
}


def resolve_gate(gate: str | GateFactory) -> GateFactory:
    """Return the factory of the named head; a callable is one itself."""
    if isinstance(gate, str) and gate not in GATES:
        raise ValueError(
            f"gate must be one of {list(GATES)} or a callable that makes a GateHead; "
            f"found {gate!r}. Choose one of these names."
        )
    return GATES[gate] if isinstance(gate, str) else gate
