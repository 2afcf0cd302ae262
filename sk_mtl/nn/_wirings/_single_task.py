"""The wiring of single tasks."""

from collections.abc import Sequence
from typing import Unpack

from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._layers import BatchedMLP, LayerOptions
from sk_mtl.nn._wirings._wiring import Wiring


class SingleTask(Wiring):
    r"""per_task (n, n_tasks, in_width) -> (n, n_tasks, hidden_sizes[-1]).

    Every task :math:`k` has a perceptron :math:`f^k` that reads the task's own row
    :math:`x^k`, from the task's own encoder, and the task's tower :math:`h^k` reads its
    result,

    .. math:: y^k = h^k(f^k(x^k)).

    Nothing is shared: trained on the sum of the tasks' losses, each task learns what a
    network for it alone would learn, since no weight gets a gradient from two losses.
    This is the baseline that sharing has to beat. The tasks are in one network only so
    that one batched product computes a layer of all tasks.

    Parameters
    ----------
    in_width : int
        The width of each task's row.
    n_tasks : int
        The number of tasks, one perceptron each.
    hidden_sizes : sequence of int, default=(256,)
        The layers of every perceptron. More and wider layers learn more features and
        need more rows. With ``()`` the towers read the encoders' rows.
    **layers
        `LayerOptions` of the perceptrons.

    Attributes
    ----------
    out_width : int
        The last of ``hidden_sizes``, or ``in_width`` if there are none.

    References
    ----------
    R. Caruana (1997). Multitask Learning. Machine Learning 28, 41-75.

    Examples
    --------
    Two tasks, each with its own row and layers.

    >>> import torch
    >>> from sk_mtl.nn import Encoded, SingleTask
    >>> wiring = SingleTask(5, 2, hidden_sizes=(16, 8))
    >>> wiring(Encoded(None, per_task=torch.ones(7, 2, 5))).shape
    torch.Size([7, 2, 8])
    """

    embedding_sets = "per_task"
    shared_by_members = ("perceptrons",)

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        hidden_sizes: Sequence[int] = (256,),
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.perceptrons = BatchedMLP(n_tasks, in_width, hidden_sizes, **layers)
        self.out_width = self.perceptrons.out_features

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the result of each task's perceptron for the task's row."""
        return self.perceptrons(encoded.per_task.transpose(0, 1)).transpose(0, 1)
