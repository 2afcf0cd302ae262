"""Embeddings of numbers, which stand beside the numbers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._bin_embedding import BinEmbedding
from sk_mtl.nn._encoding._bins import quantile_bins

# A bin narrower than this share of the numbers' magnitude would be computed as the
# difference of two numbers that single precision hardly tells apart.
_NARROWEST_BIN = 1e-5


def make_numeric_embedding(
    kinds: Sequence[str],
    numeric: Tensor,
    columns: Sequence[int],
    indicators: Mapping[int, int],
    *,
    n_bins: int = 64,
    width: int = 8,
) -> nn.Module | None:
    """Return a module that embeds numeric columns, made from the training rows.

    The module takes numeric columns (n, n_numeric) to fields (n, n_fields, width),
    kind by kind and within a kind column by column.

    Parameters
    ----------
    kinds : sequence of str
        One or more of

        - ``"bins"``: `BinEmbedding` on the edges of `quantile_bins`,
        - ``"ple"``: a piecewise-linear function of the number that bends at the same
          edges,
        - ``"periodic"``: sines and cosines of learned frequencies and a dense layer.
    numeric : Tensor of shape (n_samples, n_numeric)
        The training rows, which decide the edges.
    columns : sequence of int
        The positions of the columns to embed.
    indicators : mapping of int to int
        By the position of a column, the position of the one that is 1 where the number
        was missing. Such rows have no say in the edges, and a bin of their own.
    n_bins : int, default=64
        The largest number of bins of a column.
    width : int, default=8
        The width of the embedding of each number, for each kind.

    Returns
    -------
    embedding : Module or None
        With attributes ``n_fields`` and ``width``. None if there is no column.

    References
    ----------
    Y. Gorishniy, I. Rubachev and A. Babenko (2022). On Embeddings for Numerical
    Features in Tabular Deep Learning. NeurIPS. Piecewise-linear and periodic
    embeddings are those of their package, rtdl_num_embeddings.

    Examples
    --------
    Two kinds for two columns make four fields.

    >>> import torch
    >>> from sk_mtl.nn import make_numeric_embedding
    >>> rows = torch.arange(20.0).view(10, 2)
    >>> embedding = make_numeric_embedding(("bins", "ple"), rows, [0, 1], {}, width=3)
    >>> embedding(rows).shape
    torch.Size([10, 4, 3])
    """
    makers = {"bins": _make_bins, "ple": _make_ple, "periodic": _make_periodic}
    unknown = [kind for kind in kinds if kind not in makers]
    if unknown or not len(kinds):
        raise ValueError(
            f"kinds must hold one or more of {list(makers)}; found {list(kinds)}. "
            "Choose among these names."
        )
    if not len(columns):
        return None
    values = [_observed(numeric, column, indicators) for column in columns]
    edges = partial(quantile_bins, n_bins=n_bins)
    parts = [makers[kind](values, edges, columns, indicators, width) for kind in kinds]
    return SideBySide(parts).to(numeric.dtype)


class SideBySide(nn.Module):
    """numeric (n, n_numeric) -> (n, n_fields, width), the parts' fields in a row."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.n_fields = sum(part.n_fields for part in parts)
        self.width = parts[0].width

    def forward(self, numeric: Tensor) -> Tensor:
        """Embed the numbers in every way."""
        fields = [part(numeric) for part in self.parts]
        return fields[0] if len(fields) == 1 else torch.cat(fields, 1)


class OfColumns(nn.Module):
    """numeric (n, n_numeric) -> (n, n_fields, width), by an embedding of some columns.

    Parameters
    ----------
    columns : sequence of int
        The columns that the embedding gets.
    embedding : Module
        Takes (n, n_fields) to (n, n_fields, width).
    width : int
    bounds : Tensor of shape (2, n_fields) or None, default=None
        The least and the largest number of each column; what lies outside is moved to
        the nearer one.
    """

    columns: Tensor
    bounds: Tensor | None

    def __init__(
        self,
        columns: Sequence[int],
        embedding: nn.Module,
        width: int,
        bounds: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.n_fields, self.width = len(columns), width
        self.embedding = embedding
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.register_buffer("bounds", bounds)

    def forward(self, numeric: Tensor) -> Tensor:
        """Embed the columns."""
        x = numeric.index_select(1, self.columns)
        if self.bounds is not None:
            x = torch.clamp(x, self.bounds[0], self.bounds[1])
        return self.embedding(x)


def _observed(
    numeric: Tensor, column: int, indicators: Mapping[int, int]
) -> np.ndarray:
    """Return a column's numbers without those that were missing."""
    values = numeric[:, column]
    if column in indicators:
        values = values[numeric[:, indicators[column]] != 1]
    return values.detach().cpu().numpy()


_Edges = Callable[[np.ndarray], np.ndarray]


def _make_bins(
    values: list[np.ndarray],
    edges: _Edges,
    columns: Sequence[int],
    indicators: Mapping[int, int],
    width: int,
) -> nn.Module:
    found = [torch.from_numpy(edges(column)) for column in values]
    return BinEmbedding(found, columns, width, indicators=indicators)


def _make_ple(
    values: list[np.ndarray],
    edges: _Edges,
    columns: Sequence[int],
    indicators: Mapping[int, int],
    width: int,
) -> nn.Module:
    """Version B, the authors' recommendation, starts as a linear embedding.

    Beyond the outermost training numbers its last piece would go on with its slope,
    which in a narrow bin is steep; the numbers themselves stand beside the embedding
    and tell how far outside they are.
    """
    from rtdl_num_embeddings import PiecewiseLinearEmbeddings

    points = [torch.from_numpy(_breakpoints(column, edges)) for column in values]
    embedding = PiecewiseLinearEmbeddings(points, width, activation=False, version="B")
    bounds = torch.stack([torch.stack([p[0], p[-1]]) for p in points], 1)
    return OfColumns(columns, embedding, width, bounds)


def _make_periodic(
    values: list[np.ndarray],
    edges: _Edges,
    columns: Sequence[int],
    indicators: Mapping[int, int],
    width: int,
) -> nn.Module:
    from rtdl_num_embeddings import PeriodicEmbeddings

    embedding = PeriodicEmbeddings(len(columns), width, lite=False)
    return OfColumns(columns, embedding, width)


def _breakpoints(values: np.ndarray, edges: _Edges) -> np.ndarray:
    """Return where a piecewise-linear function may bend, the two ends included.

    At least three, at distances that single precision resolves; a constant column gets
    some around it.
    """
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    magnitude = max(abs(low), abs(high))
    least = _NARROWEST_BIN * magnitude
    if high - low <= 2 * least:
        half = max(magnitude, 1) / 2
        return np.array([low - half, low, low + half], dtype=values.dtype)
    points = [low]
    for edge in edges(values):
        if min(edge - points[-1], high - edge) > least:
            points.append(edge)
    if len(points) == 1:
        points.append((low + high) / 2)
    return np.array([*points, high], dtype=values.dtype)
