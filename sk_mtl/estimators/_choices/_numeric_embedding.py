"""The base class of embeddings of numbers."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from sk_mtl._sklearn_compat import StrOptions
from sk_mtl.estimators._automatic._auto_choice import is_auto
from sk_mtl.estimators._choices._choice import Choice
from sk_mtl.estimators._choices._own_modules import noted, take_module
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.nn import ColumnEmbedding, NumericColumns

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
        Width of the embedding of each number. ``"auto"`` is `embedding_dim` if that is
        one number for all columns, else 8.

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

    #: Settings for which "auto" is resolved by the data.
    automatic_settings: ClassVar[tuple[str, ...]] = ("width",)

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
            The numbers of the training rows in the form of the module's input: the
            numeric columns after preprocessing, hence scaled and imputed, without the
            indicators of missing numbers.
        width : int
            The width of the embedding.

        Returns
        -------
        module : Module
            Maps (n, n_numbers) to (n, n_numbers, width).
        """

    def make_fields(self, columns: NumericColumns, width: int) -> nn.Module:
        """Return the module of the encoder, which selects its columns of numbers."""
        values = columns.values
        module = take_module(
            self.make_module(values, width),
            values[:_N_TRIED],
            (values.shape[1], width),
            f"numeric_embedding={self!r}",
            "Make it for the columns of `values` and the `width` that it is given.",
        )
        return ColumnEmbedding(columns.positions, module, width)

    def resolve(self, **values: Any) -> Self:
        """Return a copy with values in place of "auto".

        Parameters
        ----------
        **values : dict
            The values that ``"auto"`` stands for, by the names of settings.
        """
        resolved = copy.deepcopy(self)
        for name in self.automatic_settings:
            if name in values and is_auto(getattr(self, name)):
                setattr(resolved, name, values[name])
        return resolved

    def describe(self) -> str:
        """Return its line below the table of `schema_`."""
        return f"{self.label}, width {self.width}"


@dataclass(eq=False, repr=False)
class GivenCallable(NumericEmbedding):
    """A callable ``(values, width) -> torch.nn.Module`` from the user."""

    make: Callable[[Tensor, int], nn.Module]

    def __repr__(self) -> str:
        """Return the name of the user's callable."""
        return self.label

    @property
    def label(self) -> str:
        """Its name in the notes of `schema_`."""
        return getattr(self.make, "__name__", type(self.make).__name__)

    def make_module(self, values: Tensor, width: int) -> nn.Module:
        """Return the module that the callable makes."""
        with noted(
            f"numeric_embedding={self!r} was called with the numbers of the training "
            f"rows, a tensor {tuple(values.shape)}, and the width {width}."
        ):
            return self.make(values, width)
