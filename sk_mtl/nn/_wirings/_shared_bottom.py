"""The wiring of the shared bottom."""

from collections.abc import Sequence
from typing import Unpack

from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._experts._experts import Experts
from sk_mtl.nn._layers import LayerOptions
from sk_mtl.nn._wirings._wiring import Wiring


class SharedBottom(Wiring):
    r"""shared (n, in_width) -> (n, n_tasks, bottom_hidden_sizes[-1]), a view.

    One perceptron :math:`f` reads the encoder's row :math:`x`, and every task's tower
    :math:`h^k` reads the same result,

    .. math:: y^k = h^k(f(x)).

    The bottom learns common features from the labels of all tasks; tasks that need
    different features compete for the same units.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of towers that read the result.
    bottom_hidden_sizes : sequence of int, default=(256,)
        The layers of the perceptron, at least one.
    **layers
        `LayerOptions` of the perceptron.

    Attributes
    ----------
    out_width : int
        The last of ``bottom_hidden_sizes``.

    References
    ----------
    R. Caruana (1997). Multitask Learning. Machine Learning 28, 41-75.

    Examples
    --------
    Both tasks read the same numbers, without a copy.

    >>> import torch
    >>> from sk_mtl.nn import Encoded, SharedBottom
    >>> wiring = SharedBottom(5, 2, bottom_hidden_sizes=(8,))
    >>> wiring(Encoded(torch.ones(7, 5))).shape
    torch.Size([7, 2, 8])
    """

    shared_by_members = ("bottom",)

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        bottom_hidden_sizes: Sequence[int] = (256,),
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.bottom = Experts(
            in_width, 1, bottom_hidden_sizes, name="bottom_hidden_sizes", **layers
        )
        self.out_width = self.bottom.out_width

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the bottom's result for every task."""
        return self.bottom(encoded.shared).expand(-1, self.n_tasks, -1)
