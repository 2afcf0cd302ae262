"""A sequence's items weighed by a learned query."""

import torch
from torch import Tensor, nn


class AttentionPooling(nn.Module):
    r"""items (n, length, width), real (n, length) -> (n, width).

    The mean of a sequence's items, each weighed by how well it fits a learned query
    :math:`q`, which is the same for all rows,

    .. math:: \sum_j \alpha_j x_j, \quad
              \alpha = \mathrm{softmax}_j(q \cdot x_j / \sqrt{d}),

    with :math:`d` the width and the softmax over the real items. It tells items that
    say much of a row from those that say little. The query starts at zero, where the
    result is the plain mean.

    Parameters
    ----------
    width : int
        The width of an item's embedding.

    Attributes
    ----------
    query : Parameter of shape (width,)

    Examples
    --------
    At the start the two real items weigh the same, and the padded one nothing.

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
        """Weigh and add the items; zeros where no item is real."""
        scores = items @ (self.query * self.query.shape[0] ** -0.5)
        return weighted_sum(masked_softmax(scores, real), items)


def masked_softmax(scores: Tensor, real: Tensor) -> Tensor:
    """Return weights that sum to one over what is real; all zero where nothing is.

    The lowest finite number stands in for minus infinity: it too becomes a weight of
    exactly zero beside any real score, and a row of nothing else stays free of NaN, in
    the result as in the gradient.
    """
    lowest = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~real, lowest).softmax(1)
    return weights.masked_fill(~real, 0.0)


def weighted_sum(weights: Tensor, items: Tensor) -> Tensor:
    """Return the sum of items (n, length, width) by weights (n, length)."""
    return torch.bmm(weights.unsqueeze(1), items).squeeze(1)
