"""A low-rank cross layer."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CrossLayer(nn.Module):
    r"""(n, width) -> (n, width).

    One layer of the deep and cross network (DCN-v2), with a weight matrix of low rank,

    .. math:: x * (U V x + b) + x,

    where :math:`*` multiplies entry by entry. Each entry is multiplied by every other
    one, so the result holds products of two features, which a layer of rectifiers can
    only approximate by many pieces. :math:`V` starts near zero and :math:`b` at zero:
    the layer starts as the identity and learns to add helpful products.

    Parameters
    ----------
    width : int
        The width of the input and of the result.
    rank : int, default=32
        The rank of the weight matrix; smaller is faster and represents fewer products.
        A rank above half the width would cost more than the full matrix.

    Attributes
    ----------
    down, up : Linear
        :math:`V`, and :math:`U` with the bias :math:`b`.

    References
    ----------
    R. Wang, R. Shivanna, D. Cheng, S. Jain, D. Lin, L. Hong and E. Chi (2021). DCN V2:
    Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank
    Systems. WWW.

    Examples
    --------
    By hand, with rank 1: V x = 3, and x * (U 3 + b) + x.

    >>> import torch
    >>> from sk_mtl.nn import CrossLayer
    >>> layer = CrossLayer(2, rank=1)
    >>> layer.down.weight.data = torch.tensor([[1.0, 1.0]])
    >>> layer.up.weight.data = torch.tensor([[1.0], [0.0]])
    >>> layer(torch.tensor([[1.0, 2.0]])).detach()
    tensor([[4., 2.]])
    """

    def __init__(self, width: int, *, rank: int = 32) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(
                f"rank must be at least 1; found {rank}. Give for example 32."
            )
        self.down = nn.Linear(width, rank, bias=False)
        self.up = nn.Linear(rank, width)
        nn.init.normal_(self.down.weight, std=0.01)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Add the products of the entries to them."""
        low = self.down(x)
        if x.dtype == torch.bfloat16:
            # Here y + 1 would need more digits.
            return torch.addcmul(x, x, self.up(low))
        # x * y + x in one operation has a gradient with four passes over the batch in
        # place of two.
        if low.dtype == x.dtype:
            # Added to the bias, 1 takes no pass over the batch.
            return x * F.linear(low, self.up.weight, self.up.bias + 1)
        return x * self.up(low).to(x.dtype).add_(1)
