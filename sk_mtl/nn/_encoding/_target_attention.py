"""Target attention: a sequence's items weighed by comparison with one item."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._attention_pooling import masked_softmax, weighted_sum
from sk_mtl.nn._layers import make_activation


class TargetAttention(nn.Module):
    r"""items (n, length, width), real (n, length), target (n, width) -> (n, width).

    The local activation unit of the Deep Interest Network. The most informative items
    of a history are similar to the item in question, the *target* :math:`t`: a small
    perceptron compares each item :math:`x_j` with it and computes a weight,

    .. math:: \sum_j \alpha_j x_j, \quad
              \alpha = \mathrm{softmax}_j(
              \mathrm{MLP}([x_j,\; t,\; x_j - t,\; x_j * t])),

    with the softmax over the real items. The paper leaves the softmax out, so that a
    longer history gives a longer vector. With it, the result has the scale of one
    embedding for any length, like all other poolings except the sum, and it starts
    close to the plain mean, while unnormalised weights start as noise; on
    `make_conversion_funnel` it learns faster and reaches a higher accuracy.

    The four inputs are never concatenated. The first layer is linear, so the target's
    part is computed once per row, and item, difference and product share one batched
    product, by a matrix that depends on the target: this takes half the time, and no
    array of four times the items.

    Parameters
    ----------
    width : int
        The common width of items and target, which share their embedding table.
    hidden_sizes : sequence of int, default=(32,)
        The layers of the perceptron before the weight, at least one.
    activation : str, default="relu"
        One of `ACTIVATIONS`, after every hidden layer.

    Attributes
    ----------
    first : Linear
        The first layer, whose columns read item, target, difference and product, in
        this order.

    References
    ----------
    G. Zhou, X. Zhu, C. Song, Y. Fan, H. Zhu, X. Ma, Y. Yan, J. Jin, H. Li and K. Gai
    (2018). Deep Interest Network for Click-Through Rate Prediction. KDD.

    Examples
    --------
    Three rows with histories of up to five items.

    >>> import torch
    >>> from sk_mtl.nn import TargetAttention
    >>> items, real = torch.ones(3, 5, 4), torch.ones(3, 5, dtype=torch.bool)
    >>> TargetAttention(4)(items, real, torch.ones(3, 4)).shape
    torch.Size([3, 4])
    """

    def __init__(
        self,
        width: int,
        *,
        hidden_sizes: Sequence[int] = (32,),
        activation: str = "relu",
    ) -> None:
        super().__init__()
        if len(hidden_sizes) < 1:
            raise ValueError(
                "hidden_sizes must hold at least one layer width; found "
                f"{tuple(hidden_sizes)}. Give for example (32,)."
            )
        in_width, *deeper = hidden_sizes
        self.first = nn.Linear(4 * width, in_width)
        self.rest = nn.Sequential(make_activation(activation))
        for out_width in deeper:
            self.rest.append(nn.Linear(in_width, out_width))
            self.rest.append(make_activation(activation))
            in_width = out_width
        # The softmax cancels a bias of all scores.
        self.rest.append(nn.Linear(in_width, 1, bias=False))

    def forward(self, items: Tensor, real: Tensor, target: Tensor) -> Tensor:
        """Weigh the items by the target and add them; return zeros without items."""
        scores = self.rest(self._first_layer(items, target)).squeeze(2)
        return weighted_sum(masked_softmax(scores, real), items)

    def _first_layer(self, items: Tensor, target: Tensor) -> Tensor:
        """Return ``first([item, target, item - target, item * target])``."""
        width = target.shape[1]
        of_item, of_target, of_difference, of_product = self.first.weight.t().split(
            width
        )
        once = torch.addmm(self.first.bias, target, of_target - of_difference)
        by_row = (of_item + of_difference) + target.unsqueeze(2) * of_product
        return torch.baddbmm(once.unsqueeze(1), items, by_row)
