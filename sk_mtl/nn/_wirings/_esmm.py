"""The wiring of the entire-space multi-task model."""

from typing import Unpack

from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._layers import LayerOptions
from sk_mtl.nn._wirings._wiring import Wiring


class ESMM(Wiring):
    """shared (n, in_width) -> (n, n_tasks, in_width), a view.

    The wiring of the entire-space multi-task model: the tasks share only the
    embeddings, and each tower reads the encoder's row unchanged. The essence of the
    model is its structure, `sk_mtl.losses.FunnelStructure`, which multiplies the
    towers' probabilities.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of towers that read it.
    **layers
        Ignored, since there are no hidden layers.

    Attributes
    ----------
    out_width : int
        The same as ``in_width``.

    References
    ----------
    X. Ma, L. Zhao, G. Huang, Z. Wang, Z. Hu, X. Zhu and K. Gai (2018). Entire Space
    Multi-Task Model: An Effective Approach for Estimating Post-Click Conversion Rate.
    SIGIR.

    Examples
    --------
    Both tasks read the same numbers, without a copy.

    >>> import torch
    >>> from sk_mtl.nn import ESMM, Encoded
    >>> ESMM(3, 2)(Encoded(torch.tensor([[1.0, 2.0, 3.0]])))
    tensor([[[1., 2., 3.],
             [1., 2., 3.]]])
    """

    def __init__(
        self, in_width: int, n_tasks: int, **layers: Unpack[LayerOptions]
    ) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.out_width = in_width

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the same row for every task."""
        return encoded.shared.unsqueeze(1).expand(-1, self.n_tasks, -1)
