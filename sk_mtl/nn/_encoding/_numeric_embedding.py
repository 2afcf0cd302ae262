"""Embeddings of numbers, in addition to the numbers themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl.nn._encoding._bin_embedding import BinEmbedding
from sk_mtl.nn._encoding._bins import quantile_bins
from sk_mtl.nn._encoding._numeric_columns import NumericColumns
from sk_mtl.nn._layers import multiply_groups

# The width of a narrower bin, relative to the numbers' magnitude, would be the
# difference of two numbers that are nearly equal in single precision.
_NARROWEST_BIN = 1e-5


class ColumnEmbedding(nn.Module):
    """numeric (n, n_numeric) -> (n, n_fields, width), by a module for some columns.

    Parameters
    ----------
    positions : sequence of int
        The columns that the module gets.
    embedding : Module
        Takes (n, n_fields) to (n, n_fields, width).
    width : int
        The width of the embedding of each number.
    bounds : Tensor of shape (2, n_fields) or None, default=None
        The smallest and the largest number of each column, to which numbers outside are
        clipped.

    Attributes
    ----------
    n_fields : int
        The number of columns.

    Examples
    --------
    Every number times two weights.

    >>> import torch
    >>> from sk_mtl.nn import ColumnEmbedding
    >>> class Scaled(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.unsqueeze(2) * torch.tensor([1.0, 10.0])
    >>> embedding = ColumnEmbedding([1], Scaled(), width=2)
    >>> embedding(torch.tensor([[5.0, 2.0], [5.0, 3.0]]))
    tensor([[[ 2., 20.]],
            [[ 3., 30.]]])
    """

    columns: Tensor
    bounds: Tensor | None

    def __init__(
        self,
        positions: Sequence[int],
        embedding: nn.Module,
        width: int,
        bounds: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.n_fields, self.width = len(positions), width
        self.embedding = embedding
        self.register_buffer("columns", torch.tensor(positions), persistent=False)
        self.register_buffer("bounds", bounds)

    def forward(self, numeric: Tensor) -> Tensor:
        """Embed the columns."""
        return self.embedding(self.select(numeric))

    def select(self, numeric: Tensor) -> Tensor:
        """Return the columns, (n, n_fields), clipped to their bounds."""
        x = numeric.index_select(1, self.columns)
        if self.bounds is not None:
            x = torch.clamp(x, self.bounds[0], self.bounds[1])
        return x


def make_bin_embedding(
    columns: NumericColumns, width: int = 8, *, n_bins: int = 64
) -> BinEmbedding:
    """Return a `BinEmbedding` on the edges of `quantile_bins`.

    Parameters
    ----------
    columns : NumericColumns
        The training rows, which decide the edges.
    width : int, default=8
        The width of the embedding of each number.
    n_bins : int, default=64
        The largest number of bins of a column.

    Examples
    --------
    Two columns of ten rows.

    >>> import torch
    >>> from sk_mtl.nn import NumericColumns, make_bin_embedding
    >>> rows = torch.arange(20.0).view(10, 2)
    >>> make_bin_embedding(NumericColumns(rows, [0, 1]), width=3)(rows).shape
    torch.Size([10, 2, 3])
    """
    edges = [torch.from_numpy(quantile_bins(x, n_bins)) for x in columns.observed()]
    embedding = BinEmbedding(
        edges, columns.positions, width, indicators=columns.indicators
    )
    return embedding.to(columns.numeric.dtype)


def make_piecewise_linear_embedding(
    columns: NumericColumns, width: int = 8, *, n_bins: int = 64
) -> ColumnEmbedding:
    """Return piecewise-linear functions that bend at the edges of `quantile_bins`.

    Version B, the authors' recommendation, starts as a linear embedding. Beyond the
    outermost training numbers its last piece would continue with its slope, which in a
    narrow bin is steep. So numbers outside are clipped; the network also reads the
    numbers themselves, unclipped.

    Parameters
    ----------
    columns : NumericColumns
        The training rows, which decide the edges.
    width : int, default=8
        The width of the embedding of each number.
    n_bins : int, default=64
        The largest number of bins of a column.

    References
    ----------
    Y. Gorishniy, I. Rubachev and A. Babenko (2022). On Embeddings for Numerical
    Features in Tabular Deep Learning. NeurIPS. The module is that of the authors'
    package, rtdl_num_embeddings.

    Examples
    --------
    Two columns of ten rows.

    >>> import torch
    >>> from sk_mtl.nn import NumericColumns, make_piecewise_linear_embedding
    >>> rows = torch.arange(20.0).view(10, 2)
    >>> columns = NumericColumns(rows, [0, 1])
    >>> make_piecewise_linear_embedding(columns, width=3)(rows).shape
    torch.Size([10, 2, 3])
    """
    from rtdl_num_embeddings import PiecewiseLinearEmbeddings

    points = [torch.from_numpy(_breakpoints(x, n_bins)) for x in columns.observed()]
    embedding = PiecewiseLinearEmbeddings(points, width, activation=False, version="B")
    bounds = torch.stack([torch.stack([p[0], p[-1]]) for p in points], 1)
    made = _PiecewiseLinear(columns.positions, embedding, width, bounds)
    return made.to(columns.numeric.dtype)


class _PiecewiseLinear(ColumnEmbedding):
    """numeric (n, n_numeric) -> (n, n_fields, width), by piecewise-linear functions.

    The authors' module and its weights, with fewer passes over the batch: a number and
    its encoding, each entry of which is a clipped linear function of it, are the input
    of one product. With stacked weights the result is (n_members, n, n_fields, width),
    from one product, too: the encoding is equal for all members.
    """

    embeds_members = True
    lowest: Tensor
    highest: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lowest = torch.zeros(self.embedding.impl.get_max_n_bins() + 1)
        highest = torch.ones_like(lowest)
        # Below the first bin and above the last one, encodings continue; and the last
        # entry is the number itself.
        lowest[[0, -1]] = torch.finfo(lowest.dtype).min
        highest[[-2, -1]] = torch.finfo(highest.dtype).max
        self.register_buffer("lowest", lowest, persistent=False)
        self.register_buffer("highest", highest, persistent=False)

    def forward(self, numeric: Tensor) -> Tensor:
        """Embed the columns."""
        encoding, linear = self.embedding.impl, self.embedding.linear0
        x = self.select(numeric).t().unsqueeze(2)
        slope = F.pad(encoding.weight, (0, 1), value=1.0).unsqueeze(1)
        start = F.pad(encoding.bias, (0, 1)).unsqueeze(1)
        pieces = torch.addcmul(start, slope, x).clamp(self.lowest, self.highest)
        pieces_weight = self.embedding.linear.weight
        weight = torch.cat([pieces_weight, linear.weight.unsqueeze(-2)], -2)
        bias = linear.bias.unsqueeze(-2)
        if weight.dim() == 3:
            return self._multiply(bias, pieces, weight).transpose(0, 1)
        n_members, *_, width = weight.shape
        # The members' columns side by side.
        bias, weight = (each.movedim(0, 2).flatten(2) for each in (bias, weight))
        product = self._multiply(bias, pieces, weight)
        return product.unflatten(2, (n_members, width)).permute(2, 1, 0, 3)

    def _multiply(self, bias: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        return multiply_groups(bias, x, weight, training=self.training)


def _breakpoints(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the points where a piecewise-linear function may bend, and its ends.

    There are at least three, at distances that single precision resolves; a constant
    column gets some around its value.
    """
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    magnitude = max(abs(low), abs(high))
    least = _NARROWEST_BIN * magnitude
    if high - low <= 2 * least:
        half = max(magnitude, 1) / 2
        return np.array([low - half, low, low + half], dtype=values.dtype)
    points = [low]
    for edge in quantile_bins(values, n_bins):
        if min(edge - points[-1], high - edge) > least:
            points.append(edge)
    if len(points) == 1:
        points.append((low + high) / 2)
    return np.array([*points, high], dtype=values.dtype)
