"""Embeddings of numbers, which join the numbers in a network's input."""

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar

from torch import Tensor, nn

from sk_mtl._equality import same_value
from sk_mtl._sklearn_compat import Interval, StrOptions
from sk_mtl.estimators._automatic._auto_choice import is_auto
from sk_mtl.estimators._automatic._auto_n_bins import auto_n_bins
from sk_mtl.estimators._choices._choice import Choice, resolve_choice
from sk_mtl.estimators._choices._numeric_embedding import (
    GivenCallable,
    NumericEmbedding,
)
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.nn import (
    ColumnEmbedding,
    NumericColumns,
    make_bin_embedding,
    make_piecewise_linear_embedding,
)


@dataclass(eq=False, repr=False)
class _OfBins(NumericEmbedding):
    """Base of embeddings that use the quantile bins of numbers."""

    _parameter_constraints: ClassVar[dict] = {
        "n_bins": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"})]
    }

    automatic_settings: ClassVar[tuple[str, ...]] = ("n_bins", "width")

    n_bins: int | str = "auto"

    def make_module(self, values: Tensor, width: int) -> nn.Module:
        """Return the module of numbers that are never missing."""
        return self.make_fields(NumericColumns(values, range(values.shape[1])), width)

    def _count_bins(self, columns: NumericColumns) -> int:
        """Return the number of bins of each number."""
        n_rows = len(columns.numeric)
        return auto_n_bins(n_rows) if is_auto(self.n_bins) else int(self.n_bins)

    def describe(self) -> str:
        """Return its line below the table of `schema_`."""
        return f"{super().describe()}, {self.n_bins} bins"


@dataclass(eq=False, repr=False)
class Bins(_OfBins):
    """A learned vector for each quantile bin of a number.

    It learns steps and peaks, functions of any form. A frequent value, such as 0, gets
    a bin of its own, and so do missing numbers.

    Parameters
    ----------
    n_bins : int or "auto", default="auto"
        Bins of each column. More follow finer structure and need more rows. ``"auto"``
        is the power of two nearest to one bin per 150 training rows, from 4 to 64.

    width : int or "auto", default="auto"
        Width of each vector. ``"auto"`` is `embedding_dim` where that is one number for
        all columns, else 8.

    Examples
    --------
    The number of bins can be searched.

    >>> from sk_mtl import Bins, MMOEClassifier
    >>> model = MMOEClassifier(numeric_embedding=Bins(16))
    >>> model.set_params(numeric_embedding__n_bins=32).numeric_embedding
    Bins(n_bins=32)
    """

    label: ClassVar[str] = "bins"

    def make_fields(self, columns: NumericColumns, width: int) -> nn.Module:
        """Return the module of the encoder."""
        return make_bin_embedding(columns, width, n_bins=self._count_bins(columns))


@dataclass(eq=False, repr=False)
class PiecewiseLinear(_OfBins):
    """Piecewise-linear functions of a number that bend at its quantiles.

    They start as straight lines and learn bends.

    Parameters
    ----------
    n_bins : int or "auto", default="auto"
        Pieces of each column. More follow finer structure and need more rows.
        ``"auto"`` is the power of two nearest to one bin per 150 training rows, from 4
        to 64.

    width : int or "auto", default="auto"
        Number of functions of each number. ``"auto"`` is `embedding_dim` where that is
        one number for all columns, else 8.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). On Embeddings for Numerical
    Features in Tabular Deep Learning. NeurIPS.
    https://doi.org/10.48550/arXiv.2203.05556

    Examples
    --------
    Vectors for bins, and four piecewise-linear functions.

    >>> from sk_mtl import MMOEClassifier, PiecewiseLinear
    >>> embeddings = ["bins", PiecewiseLinear(width=4)]
    >>> MMOEClassifier(numeric_embedding=embeddings).numeric_embedding
    ['bins', PiecewiseLinear(width=4)]
    """

    label: ClassVar[str] = "ple"

    def make_fields(self, columns: NumericColumns, width: int) -> nn.Module:
        """Return the module of the encoder."""
        n_bins = self._count_bins(columns)
        return make_piecewise_linear_embedding(columns, width, n_bins=n_bins)


@dataclass(eq=False, repr=False)
class Periodic(NumericEmbedding):
    """Sines and cosines of a number at learned frequencies, and a dense layer.

    Parameters
    ----------
    n_frequencies : int, default=48
        Frequencies of each number. More fit finer structure and cost more.

    frequency_scale : float, default=0.01
        Standard deviation of the frequencies at the start. Larger values start with
        faster waves, which follow jumps and overfit sooner. This setting matters most.

    width : int or "auto", default="auto"
        Width of the dense layer. ``"auto"`` is `embedding_dim` where that is one number
        for all columns, else 8.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). On Embeddings for Numerical
    Features in Tabular Deep Learning. NeurIPS.
    https://doi.org/10.48550/arXiv.2203.05556

    Examples
    --------
    Faster waves at the start.

    >>> from sk_mtl import MMOEClassifier, Periodic
    >>> model = MMOEClassifier(numeric_embedding=Periodic(frequency_scale=0.1))
    >>> model.get_params()["numeric_embedding__frequency_scale"]
    0.1
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_frequencies": COUNT,
        "frequency_scale": [Interval(Real, 0, None, closed="neither")],
    }

    label: ClassVar[str] = "periodic"

    n_frequencies: int = 48
    frequency_scale: float = field(default=0.01, kw_only=True)

    def make_module(self, values: Tensor, width: int) -> nn.Module:
        """Return the module of rtdl_num_embeddings."""
        from rtdl_num_embeddings import PeriodicEmbeddings

        return PeriodicEmbeddings(
            values.shape[1],
            width,
            n_frequencies=self.n_frequencies,
            frequency_init_scale=self.frequency_scale,
            lite=False,
        )

    def make_fields(self, columns: NumericColumns, width: int) -> nn.Module:
        """Return the module of the encoder."""
        module = self.make_module(columns.values, width).to(columns.numeric.dtype)
        return ColumnEmbedding(columns.positions, module, width)


NUMERIC_EMBEDDINGS: dict[str, NumericEmbedding] = {
    "bins": Bins(),
    "ple": PiecewiseLinear(),
    "periodic": Periodic(),
}


def resolve_numeric_embeddings(value: Any) -> tuple[NumericEmbedding, ...]:
    """Return the embeddings for the parameter `numeric_embedding`, or raise."""
    if value is None:
        return ()
    given = list(value) if isinstance(value, list | tuple) else [value]
    embeddings = [_resolve_one(each) for each in given]
    for position, embedding in enumerate(embeddings):
        if any(same_value(embedding, other) for other in embeddings[:position]):
            raise ValueError(
                "numeric_embedding must hold each embedding at most once; found "
                f"{given[position]!r} twice. Remove one, or give it other settings."
            )
    return tuple(embeddings)


def _resolve_one(value: Any) -> NumericEmbedding:
    if isinstance(value, nn.Module):
        raise ValueError(
            "numeric_embedding must take a callable (values, width) that makes a "
            f"module; found a module, {type(value).__name__}. Write a function that "
            "returns it."
        )
    is_choice = isinstance(value, type) and issubclass(value, Choice)
    if callable(value) and not is_choice:
        return GivenCallable(value)
    return resolve_choice(
        "numeric_embedding",
        value,
        NUMERIC_EMBEDDINGS,
        NumericEmbedding,
        "Use one of these names, an object of that kind, a callable that makes a "
        'torch.nn.Module, None for the numbers alone, or "auto" as the only value.',
    )
