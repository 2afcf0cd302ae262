"""What turns the scores of a gate into weights: all experts, or a few of them."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sk_mtl.nn._experts._penalty_weight import PenaltyWeight

# The width of the smooth step's slope, and how far from its middle selectors start.
_STEP_WIDTH = 1.0
_START = _STEP_WIDTH / 100

# Keeps the price of codes without an expert finite where all weight lies on them.
_LEAST_REACHED = 0.01


class GateHead(nn.Module, ABC):
    """scores (n, n_scores, n_gates) -> weights (n, n_experts, n_gates).

    The last step of gates. It has no parameters; the scores are what the last dense
    layer of each gate returns. Experts lie along the middle axis, where a softmax over
    a few numbers is several times faster than along the last one.

    Parameters
    ----------
    n_experts : int
    n_active : int
        The number of experts that a gate of this kind settles on.

    Attributes
    ----------
    n_scores : int
        How many scores each gate needs.
    """

    n_scores: int

    def __init__(self, n_experts: int, n_active: int) -> None:
        super().__init__()
        self.n_experts, self.n_active = n_experts, n_active
        self.n_scores = n_experts

    @abstractmethod
    def forward(self, scores: Tensor) -> Tensor:
        """Return each gate's weights."""

    def with_penalty(self, scores: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return each gate's weights, and what they add to the loss."""
        return self(scores), None

    def start(self, weight: Tensor, bias: Tensor) -> None:
        """Change how the layer that makes the scores starts; their axis is first."""

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        return f"n_experts={self.n_experts}, n_active={self.n_active}"


class SoftmaxHead(GateHead):
    """scores (n, n_experts, n_gates) -> weights of the same shape, none of them 0."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the softmax over the experts."""
        return torch.softmax(scores, 1)


class TopKHead(GateHead):
    r"""scores (n, n_experts, n_gates) -> weights of the same shape, most exactly 0.

    With the scores :math:`s` of a gate, and :math:`T` the :math:`k` = ``n_active``
    experts with the largest,

    .. math:: g_e = \frac{\exp(s_e)}{\sum_{j \in T} \exp(s_j)} \text{ for } e \in T,
              \quad g_e = 0 \text{ otherwise.}

    The paper adds noise to the scores in training, which is left out here: the choice
    is that of the scores in training, too. The choice itself has no slope: an expert
    outside of :math:`T` learns nothing from a row. With :math:`k` = 1 the one weight
    would always be 1, and nothing would train the gate; that is refused.

    References
    ----------
    N. Shazeer, A. Mirhoseini, K. Maziarz, A. Davis, Q. Le, G. Hinton and J. Dean
    (2017). Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts
    Layer. ICLR. arXiv:1701.06538.
    """

    def __init__(self, n_experts: int, n_active: int) -> None:
        super().__init__(n_experts, n_active)
        if n_active == 1 < n_experts:
            raise ValueError(
                "n_active_experts must be at least 2 with gate='top_k', since the "
                "weight of a single expert is always 1 and nothing would train the "
                f"gate; found {n_active}. Give 2 or more, or use gate='dselect_k'."
            )

    def forward(self, scores: Tensor) -> Tensor:
        """Return the softmax over the largest scores, and zeros."""
        largest, chosen = scores.topk(self.n_active, 1)
        weights = torch.softmax(largest, 1)
        # Where products are of fewer bits, a softmax returns more than it was given.
        return torch.zeros_like(scores, dtype=weights.dtype).scatter(1, chosen, weights)


class DSelectKHead(GateHead):
    r"""scores (n, n_scores, n_gates) -> weights (n, n_experts, n_gates).

    Differentiable selection of :math:`k` = ``n_active`` experts. A gate has :math:`k`
    selectors, each of which comes to choose a single expert by writing the expert's
    number with binary digits. Numbers from 0 to :math:`E - 1` take :math:`m = \lceil
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
    \mathrm{softmax}(w)_i \, r_{ie}`. The smooth step reaches 0 and 1, so that digits
    can be decided: then at most :math:`k` weights are not exactly 0. In contrast to
    `TopKHead` every step has a slope on the way there. All scores depend on the row.

    What decides the digits is a penalty, summed over the gates and averaged over the
    rows of the batch,

    .. math:: \lambda \sum_i \Big( \sum_{e=0}^{E-1} -r_{ie} \log r_{ie}
              + \frac{1 - R_i}{R_i + \epsilon} \Big), \quad
              R_i = \sum_{e=0}^{E-1} r_{ie},

    with :math:`\lambda` = ``penalty``. Its first part is the selectors' entropy. The
    second is there where :math:`E` is not a power of two. Then some codes are those of
    no expert, their weight is lost (weights sum to less than 1), and the penalty draws
    it away from them: it is 0 where all weight reaches experts. The paper's is
    :math:`1 / R_i` with a weight of its own; the 1 less changes no slope, and
    :math:`\epsilon` = 0.01 keeps it finite for a row whose selector has decided on a
    code of no expert. A large weight decides the foremost digit, and so against a part
    of the experts, before anything is learnt.

    Parameters
    ----------
    n_experts, n_active : int
    penalty : float
        :math:`\lambda`. The larger, the sooner selectors decide; at 0 they are free to
        remain undecided, and weight may stay lost.

    References
    ----------
    H. Hazimeh, Z. Zhao, A. Chowdhery, M. Sathiamoorthy, Y. Chen, R. Mazumder, L. Hong
    and E. H. Chi (2021). DSelect-k: Differentiable Selection in the Mixture of Experts
    with Applications to Multi-Task Learning. NeurIPS. arXiv:2106.03760.
    """

    digits: Tensor

    def __init__(self, n_experts: int, n_active: int, penalty: float) -> None:
        super().__init__(n_experts, n_active)
        self.penalty = PenaltyWeight(penalty)
        self.n_digits = (n_experts - 1).bit_length()
        self.sizes = [n_active * self.n_digits, n_active]
        self.n_scores = sum(self.sizes)
        places = 2 ** torch.arange(self.n_digits)
        digits = (torch.arange(n_experts).unsqueeze(1) // places) % 2 == 1
        self.register_buffer("digits", digits.unsqueeze(2), persistent=False)
        self.every_code_is_an_expert = n_experts == 2**self.n_digits

    def forward(self, scores: Tensor) -> Tensor:
        """Return each gate's weights."""
        return self._mix(scores)[0]

    def with_penalty(self, scores: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return each gate's weights, and the price of undecided and lost ones."""
        weights, selected, logarithms = self._mix(scores)
        if self.penalty.is_zero:
            return weights, None
        price = -(selected * logarithms).sum((1, 2, 3))
        if not self.every_code_is_an_expert:
            reached = selected.sum(2)
            price = price + ((1 - reached) / (reached + _LEAST_REACHED)).sum((1, 2))
        # Without rows there is no mean, and nothing to pay.
        n_rows = torch.ones_like(price).sum().clamp_min(1)
        return weights, self.penalty(price.sum() / n_rows)

    def start(self, weight: Tensor, bias: Tensor) -> None:
        """Start the digits' scores near the middle of the step, as in the paper.

        Wider apart many would start beyond its slope, where nothing moves them.
        """
        for each in (weight, bias):
            nn.init.uniform_(each[: self.sizes[0]], -_START, _START)

    def _mix(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weights, and (n, n_active, n_experts, n_gates) the selectors'.

        Third come the logarithms of the selectors' weights, 0 where the weight is.
        """
        of_digits, of_selectors = scores.split(self.sizes, 1)
        ones = smooth_step(of_digits.unflatten(1, (self.n_active, 1, self.n_digits)))
        factors = torch.where(self.digits, ones, 1 - ones)
        # A product as a sum of logarithms: the gradient of torch's own product asks the
        # device whether a factor is zero and waits for the answer. Where one is, its
        # digit is beyond the slope, so no gradient is lost with it.
        is_zero = factors <= 0
        logarithms = torch.where(is_zero, 1.0, factors).log().sum(3)
        never = is_zero.any(3)
        selected = logarithms.exp().masked_fill(never, 0.0)
        mixing = torch.softmax(of_selectors, 1).unsqueeze(2)
        return (mixing * selected).sum(1), selected, logarithms.masked_fill(never, 0.0)

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"{super().extra_repr()}, penalty={self.penalty.weight:g}"


def smooth_step(x: Tensor) -> Tensor:
    """Return 0 below half the width, 1 above it, and between them a cubic curve.

    It has no kink: where it meets 0 and 1 its slope is zero.
    """
    share = (x / _STEP_WIDTH + 0.5).clamp(0.0, 1.0)
    return share.square() * (3 - 2 * share)


#: The kinds of gates by name.
GATES: tuple[str, ...] = ("softmax", "top_k", "dselect_k")


def make_gate_head(
    gate: str, n_experts: int, n_active_experts: int, gate_penalty: float
) -> GateHead:
    """Return a new head of the kind that a gate's name says, one of `GATES`."""
    if gate not in GATES:
        raise ValueError(
            f"gate must be one of {list(GATES)}; found {gate!r}. Choose one of these "
            "names."
        )
    if gate == "softmax":
        return SoftmaxHead(n_experts, n_experts)
    if not 1 <= n_active_experts <= n_experts:
        raise ValueError(
            f"n_active_experts must be from 1 to n_experts, {n_experts}, with "
            f"gate={gate!r}; found {n_active_experts}. Give a smaller number, more "
            "experts, or gate='softmax'."
        )
    if gate == "top_k":
        return TopKHead(n_experts, n_active_experts)
    return DSelectKHead(n_experts, n_active_experts, gate_penalty)
