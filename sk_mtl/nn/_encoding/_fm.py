"""The pairwise term of a factorisation machine."""

import torch
from torch import Tensor, nn


class FactorizationMachine(nn.Module):
    r"""fields (n, n_fields, width) -> logit terms (n, n_heads).

    Each pair of fields adds the inner product of its embeddings :math:`v_f`,

    .. math:: w_h \sum_{f < g} v_f \cdot v_g =
              w_h \cdot \tfrac{1}{2} \sum_d \Big(\big(\sum_f v_{fd}\big)^2
              - \sum_f v_{fd}^2\Big),

    and the right-hand side costs as much as there are fields, not pairs. Every logit
    :math:`h` scales the sum by its own weight, which starts at zero: the network starts
    like a network without the term, and a task that gains nothing keeps a weight near
    zero.

    Parameters
    ----------
    n_heads : int
        The number of logits.

    Attributes
    ----------
    weight : Parameter of shape (n_heads,)

    References
    ----------
    S. Rendle (2010). Factorization Machines. ICDM.

    H. Guo, R. Tang, Y. Ye, Z. Li and X. He (2017). DeepFM: A Factorization-Machine
    based Neural Network for CTR Prediction. IJCAI.

    Examples
    --------
    Fields (1, 0), (2, 1) and (0, 3): the inner products are 2, 0 and 3.

    >>> import torch
    >>> from sk_mtl.nn import FactorizationMachine
    >>> machine = FactorizationMachine(n_heads=2)
    >>> machine.weight.data = torch.tensor([1.0, 10.0])
    >>> fields = torch.tensor([[[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]])
    >>> machine(fields).detach()
    tensor([[ 5., 50.]])
    """

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_heads))

    def forward(self, fields: Tensor) -> Tensor:
        """Return every logit's share of the pairwise term."""
        pairs = fields.sum(1).square() - fields.square().sum(1)
        return 0.5 * pairs.sum(1, keepdim=True) * self.weight

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        return f"n_heads={self.weight.shape[0]}"
