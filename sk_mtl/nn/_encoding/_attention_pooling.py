"""Attention pooling: a sequence's items weighed by a learned query."""

import torch
from torch import Tensor, nn


class AttentionPooling(nn.Module):
    r"""items (n, length, width), real (n, length) -> (n, width).

    The mean of a sequence's items, each weighed by how well it fits a learned query
    :math:`q`, which is the same for all rows,

    .. math:: \sum_j \alpha_j x_j, \quad
              \alpha = \mathrm{softmax}_j(q \cdot x_j / \sqrt{d}),

    with :math:`d` the width and the softmax over the real items. Informative items get
    larger weights. The query starts at zero, where the result is the plain mean.

    Parameters
    ----------
    width : int
        The width of an item's embedding.

    Attributes
    ----------
    query : Parameter of shape (width,)

    Examples
    --------
    At the start the two real items have equal weights, and the padded one has weight 0.

    >>> import torch
    >>> from sk_mtl.nn import AttentionPooling
    >>> items = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]]])
    >>> AttentionPooling(2)(items, torch.tensor([[True, True, False]])).detach()
    tensor([[2., 1.]])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    def forward(self, items: Tensor, real: Tensor) -> Tensor:
        """Weigh and add the items; the result is zero if no item is real."""
        scores = items @ (self.query * self.query.shape[0] ** -0.5)
        return weighted_sum(masked_softmax(scores, real), items)


def masked_softmax(scores: Tensor, real: Tensor) -> Tensor:
    """Return weights that sum to one over real items, or zeros if there are none.

    The lowest finite number replaces minus infinity: it also becomes a weight of
    exactly zero if there is a real score, and a row without real items has no NaN in
    its result or gradient.
    """
    lowest = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~real, lowest).softmax(1)
    return weights.masked_fill(~real, 0.0)


def weighted_sum(weights: Tensor, items: Tensor) -> Tensor:
    """Return the sum of items (n, length, width) by weights (n, length)."""
    return torch.bmm(weights.unsqueeze(1), items).squeeze(1)
