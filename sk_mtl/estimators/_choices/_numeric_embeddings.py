"""Embeddings of numbers: what stands beside the numbers in a network's input."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from sk_mtl._equality import same_value
from sk_mtl._sklearn_compat import Interval, StrOptions
from sk_mtl.estimators._choices._choice import Choice, resolve_choice
from sk_mtl.estimators._choices._own_modules import take_module
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.nn import (
    ColumnEmbedding,
    NumericColumns,
    make_bin_embedding,
    make_piecewise_linear_embedding,
)

# Rows that a module is tried with.
_N_TRIED = 2


@dataclass(eq=False, repr=False)
class NumericEmbedding(Choice, ABC):
    """Base of embeddings of numbers, the objects that `numeric_embedding` takes.

    An embedding of your own needs no class: `numeric_embedding` takes any callable
    ``(values, width) -> torch.nn.Module``. A class has settings, which a search reaches
    as ``numeric_embedding__<setting>``: it is a dataclass (``eq=False, repr=False``)
    with a field per setting, and defines `make_module`.

    Parameters
    ----------
    width : int or "auto", default="auto"
        Width of the embedding of each number. ``"auto"`` is `embedding_dim` where that
        is one number for all columns, else 8.

    See Also
    --------
    Bins, PiecewiseLinear, Periodic : The embeddings of this package.

    Examples
    --------
    Powers of the number, each with a learned weight.

    >>> from dataclasses import dataclass
    >>> import torch
    >>> from sk_mtl import MMOEClassifier, NumericEmbedding
    >>> class PowersModule(torch.nn.Module):
    ...     def __init__(self, n_powers, width):
    ...         super().__init__()
    ...         self.register_buffer("powers", torch.arange(1.0, n_powers + 1))
    ...         self.linear = torch.nn.Linear(n_powers, width)
    ...
    ...     def forward(self, x):
    ...         return self.linear(x.tanh().unsqueeze(2) ** self.powers)
    >>> @dataclass(eq=False, repr=False)
    ... class Powers(NumericEmbedding):
    ...     n_powers: int = 3
    ...
    ...     def make_module(self, values, width):
    ...         return PowersModule(self.n_powers, width)
    >>> MMOEClassifier(numeric_embedding=["bins", Powers(4)]).numeric_embedding
    ['bins', Powers(n_powers=4)]
    """

    _parameter_constraints: ClassVar[dict] = {"width": [*COUNT, StrOptions({"auto"})]}

    width: int | str = field(default="auto", kw_only=True)

    @property
    def label(self) -> str:
        """Its name in the notes of `schema_`."""
        return type(self).__name__

    @abstractmethod
    def make_module(self, values: Tensor, width: int) -> nn.Module:
        """Return an untrained module, new at each call.

        Parameters
        ----------
        values : Tensor of shape (n_samples, n_numbers)
            The numbers of the training rows as the module will get them: the numeric
            columns after preprocessing, hence scaled and imputed, without the
            indicators of missing numbers.
        width : int
            The width of the embedding.

        Returns
        -------
        module : Module
            Takes (n, n_numbers) to (n, n_numbers, width).
        """

    def make_fields(self, columns: NumericColumns, width: int) -> nn.Module:
        """Return the module of the encoder, which picks its columns of all numbers."""
        values = columns.values
        module = take_module(
            self.make_module(values, width),
            values[:_N_TRIED],
            (values.shape[1], width),
            f"numeric_embedding={self!r}",
            "Make it for the columns of `values` and the `width` that it is given.",
        )
        return ColumnEmbedding(columns.positions, module, width)

    def resolve(self, n_rows: int, width: int) -> Self:
        """Return a copy with numbers in place of "auto".

        Parameters
        ----------
        n_rows : int
            The number of training rows.
        width : int
            The width that ``"auto"`` stands for.
        """
        resolved = copy.deepcopy(self)
        if self.width == "auto":
            resolved.width = width
        return resolved

    def describe(self) -> str:
        """Return its line below the table of `schema_`."""
        return f"{self.label}, width {self.width}"


@dataclass(eq=False, repr=False)
class _OfBins(NumericEmbedding):
    _parameter_constraints: ClassVar[dict] = {
        "n_bins": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"})]
    }

    n_bins: int | str = "auto"

    def make_module(self, values: Tensor, width: int) -> nn.Module:
        """Return the module of numbers that are never missing."""
        return self.make_fields(NumericColumns(values, range(values.shape[1])), width)

    def resolve(self, n_rows: int, width: int) -> Self:
        """Return a copy with numbers in place of "auto"."""
        resolved = super().resolve(n_rows, width)
        resolved.n_bins = resolve_n_bins(self.n_bins, n_rows)
        return resolved

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
        return make_bin_embedding(columns, width, n_bins=self.n_bins)


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
    Wide vectors for bins, and four functions beside them.

    >>> from sk_mtl import MMOEClassifier, PiecewiseLinear
    >>> embeddings = ["bins", PiecewiseLinear(width=4)]
    >>> MMOEClassifier(numeric_embedding=embeddings).numeric_embedding
    ['bins', PiecewiseLinear(width=4)]
    """

    label: ClassVar[str] = "ple"

    def make_fields(self, columns: NumericColumns, width: int) -> nn.Module:
        """Return the module of the encoder."""
        return make_piecewise_linear_embedding(columns, width, n_bins=self.n_bins)


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


@dataclass(eq=False, repr=False)
class _GivenCallable(NumericEmbedding):
    """A callable ``(values, width) -> torch.nn.Module`` as the user gave it."""

    make: Callable[[Tensor, int], nn.Module]

    def __repr__(self) -> str:
        """Return the name of what the user gave."""
        return self.label

    @property
    def label(self) -> str:
        """Its name in the notes of `schema_`."""
        return getattr(self.make, "__name__", type(self.make).__name__)

    def make_module(self, values: Tensor, width: int) -> nn.Module:
        """Return what the callable makes."""
        return self.make(values, width)


NUMERIC_EMBEDDINGS: dict[str, NumericEmbedding] = {
    "bins": Bins(),
    "ple": PiecewiseLinear(),
    "periodic": Periodic(),
}

# `resolve_numeric_embeddings` refuses wrong names and objects of another kind.
NUMERIC_EMBEDDING = [str, Choice, list, tuple, callable, None]


def resolve_numeric_embeddings(value: Any) -> tuple[NumericEmbedding, ...]:
    """Return the embeddings that the parameter `numeric_embedding` means, or raise."""
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
        return _GivenCallable(value)
    return resolve_choice(
        "numeric_embedding", value, NUMERIC_EMBEDDINGS, NumericEmbedding
    )


def resolve_n_bins(n_bins: int | str, n_rows: int) -> int:
    """Return the number of bins of each number.

    "auto" is the power of two nearest to one bin per 150 rows, from 4 to 64.
    """
    if n_bins != "auto":
        return int(n_bins)
    return max(4, min(64, 2 ** round(math.log2(max(n_rows, 1) / 150))))
