"""Gates that scale the columns of the experts' inputs."""

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import BatchedLinear


class FeatureGates(nn.Module):
    r"""rows (n, n_readers, width) -> (n, n_readers, width), every entry scaled.

    Readers of the same rows conflict if they need different columns. Each reader
    :math:`r` first scales the columns by its own gate, by factors between 0 and 2,

    .. math:: x \odot \sum_{j=1}^{J} \mathrm{softmax}_j(C^r x + c^r) \;
              2\,\sigma\big(A^r_j (B^r_j x + b^r_j)\big),

    a mixture of :math:`J` = ``n_gates`` gates of low rank: :math:`B^r_j x` has ``rank``
    numbers, so a gate has about 2 * ``rank`` * ``width`` weights, and not ``width``
    squared. The offsets :math:`b` let a gate weigh columns equally for all rows. A gate
    starts near 1, that is, open.

    Parameters
    ----------
    width, n_readers, n_gates, rank : int
    own_rows : bool
        Whether every reader has its own rows. If not, all read the same rows
        (n, 1, width), and their first layers are one dense layer.

    Examples
    --------
    Three readers of the same rows.

    >>> import torch
    >>> from sk_mtl.nn._experts._feature_gates import FeatureGates
    >>> gates = FeatureGates(5, 3, 2, 1, own_rows=False)
    >>> gates(torch.ones(7, 1, 5)).shape
    torch.Size([7, 3, 5])
    """

    def __init__(
        self, width: int, n_readers: int, n_gates: int, rank: int, *, own_rows: bool
    ) -> None:
        super().__init__()
        self.n_readers, self.n_gates, self.rank = n_readers, n_gates, rank
        self.own_rows = own_rows
        n_columns = n_gates * (rank + 1)
        if own_rows:
            self.first = BatchedLinear(n_readers, width, n_columns)
        else:
            self.first = nn.Linear(width, n_readers * n_columns)
        self.raised = nn.Parameter(torch.empty(n_readers * n_gates, rank, width))
        nn.init.uniform_(self.raised, -(rank**-0.5), rank**-0.5)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the scaled rows of each reader."""
        x = rows.transpose(0, 1) if self.own_rows else rows.squeeze(1)
        return self.finish(self.first(x), rows)

    def finish(self, first: Tensor, rows: Tensor) -> Tensor:
        """Return the scaled rows of each reader, given the first layers' product."""
        if not self.own_rows:
            first = first.unflatten(1, (self.n_readers, -1)).transpose(0, 1)
        low, scores = first.split([self.n_gates * self.rank, self.n_gates], 2)
        low = low.unflatten(2, (self.n_gates, self.rank)).transpose(1, 2).flatten(0, 1)
        gates = torch.sigmoid(torch.bmm(low, self.raised))
        gates = gates.unflatten(0, (self.n_readers, self.n_gates))
        weights = 2 * torch.softmax(scores.transpose(1, 2), 1)
        return rows * (weights.unsqueeze(3) * gates).sum(1).transpose(0, 1)

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        return f"n_readers={self.n_readers}, n_gates={self.n_gates}, rank={self.rank}"
