"""Squeeze and excitation: fields rescaled by weights that depend on all fields."""

from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    r"""fields (n, n_fields, width) -> the same shape, rescaled.

    Each field is squeezed into the mean :math:`z_f` of its embedding, a perceptron
    with a narrow hidden layer reads all of them, and its results rescale the fields,

    .. math:: \tilde v_f = a_f v_f, \quad
              a = 2\, \sigma(W_2\, \mathrm{relu}(W_1 z + b_1) + b_2).

    So a row's fields together determine the weight of each. FiBiNET ends in a rectifier
    instead, which starts with half of the fields at zero and all others near it. The
    doubled sigmoid starts near one, so the network starts nearly like a network without
    the module.

    Parameters
    ----------
    n_fields : int
        The number of fields.
    reduction : int, default=3
        The number of fields for each unit of the hidden layer, which has at least one.
        3 is FiBiNET's own.

    Attributes
    ----------
    squeeze, excite : Linear
        :math:`W_1, b_1` and :math:`W_2, b_2`.

    References
    ----------
    T. Huang, Z. Zhang and J. Zhang (2019). FiBiNET: Combining Feature Importance and
    Bilinear Feature Interaction for Click-Through Rate Prediction. RecSys.

    Examples
    --------
    Three fields of width 2, by a perceptron of zeros: all are unchanged.

    >>> import torch
    >>> from sk_mtl.nn import SqueezeExcitation
    >>> module, fields = SqueezeExcitation(3), torch.ones(1, 3, 2)
    >>> module.excite.weight.data.zero_()
    tensor([[0.],
            [0.],
            [0.]])
    >>> module(fields).detach()
    tensor([[[1., 1.],
             [1., 1.],
             [1., 1.]]])
    """

    def __init__(self, n_fields: int, *, reduction: int = 3) -> None:
        super().__init__()
        hidden = max(1, n_fields // reduction)
        self.squeeze = nn.Linear(n_fields, hidden)
        self.excite = nn.Linear(hidden, n_fields)
        nn.init.zeros_(self.excite.bias)

    def forward(self, fields: Tensor) -> Tensor:
        """Rescale the fields."""
        return fields * self.field_weights(fields).unsqueeze(2)

    def field_weights(self, fields: Tensor) -> Tensor:
        """Return the factor of every field, (n, n_fields), from 0 to 2."""
        hidden = self.squeeze(fields.mean(2)).relu()
        return 2.0 * self.excite(hidden).sigmoid()
