"""Interactions: products of features before the first layer."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from sk_mtl.estimators._choices._choice import Choice, resolve_choice
from sk_mtl.estimators._choices._own_modules import take_module
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.nn import CrossLayer, FactorizationMachine, InputSizes, SqueezeExcitation

PLACES = ("input", "fields", "logits")
# Rows that a module is tried with.
_N_TRIED = 2


@dataclass(eq=False, repr=False)
class Interaction(Choice, ABC):
    """Base of interactions, the objects that the parameter `interaction` takes.

    An interaction of your own is a subclass, a dataclass (``eq=False, repr=False``)
    with a field per setting. It defines `make_module`, and sets `place` if its modules
    do not read the whole input.

    Attributes
    ----------
    place : {"input", "fields", "logits"}, default="input"
        Place of its modules in the network. ``"input"`` maps the whole input of the
        network, (n, width), to the same shape. ``"fields"`` maps the embeddings,
        (n, n_fields, field_width), to the same shape, and ``"logits"`` maps them to
        terms that are added to the logits, (n, n_heads); these two need embeddings of
        equal width. `sk_mtl.nn.InputSizes` holds the sizes.

    See Also
    --------
    Cross, FM, SENet : The interactions of this package.

    Examples
    --------
    A gate for each entry of the input.

    >>> from dataclasses import dataclass
    >>> import torch
    >>> from sk_mtl import Interaction, MMOEClassifier
    >>> @dataclass(eq=False, repr=False)
    ... class Gated(Interaction):
    ...     def make_module(self, sizes):
    ...         linear = torch.nn.Linear(sizes.width, 2 * sizes.width)
    ...         return torch.nn.Sequential(linear, torch.nn.GLU())
    >>> MMOEClassifier(interaction=Gated()).interaction
    Gated()
    """

    place: ClassVar[str] = "input"

    @property
    def label(self) -> str:
        """Its name in the notes of `schema_`."""
        return type(self).__name__

    @abstractmethod
    def make_module(self, sizes: InputSizes) -> nn.Module:
        """Return an untrained module, new at each call.

        Parameters
        ----------
        sizes : InputSizes
            The sizes of the input and of the logits.

        Returns
        -------
        module : Module
            Takes and returns the shapes that `place` names.
        """

    def _check_settings(self, parameter: str) -> None:
        """Raise `ValueError` for a setting that is out of range, or a wrong place."""
        super()._check_settings(parameter)
        if self.place not in PLACES:
            raise ValueError(
                f"place of {type(self).__name__} must be one of {list(PLACES)}; found "
                f"{self.place!r}. Set it in the class."
            )

    def make_layer(self, sizes: InputSizes) -> nn.Module:
        """Return the module of the encoder, tried with rows of zeros."""
        fields = sizes.n_fields, sizes.field_width
        inputs = (sizes.width,) if self.place == "input" else fields
        outputs = (sizes.n_heads,) if self.place == "logits" else inputs
        return take_module(
            self.make_module(sizes),
            torch.zeros(_N_TRIED, *inputs),
            outputs,
            f"interaction={self!r}",
            "Make it for the sizes that it is given.",
        )

    def describe(self) -> str:
        """Return its line below the table of `schema_`."""
        return self.label


@dataclass(eq=False, repr=False)
class _Tried(Interaction):
    """Base of interactions of this package, whose modules need no trial."""

    def make_layer(self, sizes: InputSizes) -> nn.Module:
        """Return the module of the encoder."""
        return self.make_module(sizes)


@dataclass(eq=False, repr=False)
class Cross(_Tried):
    """A low-rank cross layer (DCN-v2) over the whole input.

    It multiplies each entry of the input by a weighted sum of all entries, and so
    learns joint effects of two columns.

    Parameters
    ----------
    rank : int, default=32
        Rank of the matrix of weights. Larger ranks cross more and cost more.

    References
    ----------
    Wang, R. et al. (2021). DCN V2: Improved Deep & Cross Network and Practical Lessons
    for Web-scale Learning to Rank Systems. WWW.
    https://doi.org/10.48550/arXiv.2008.13535

    Examples
    --------
    The rank can be searched.

    >>> from sk_mtl import Cross, MMOEClassifier
    >>> model = MMOEClassifier(interaction=Cross(16))
    >>> model.set_params(interaction__rank=64).interaction
    Cross(rank=64)
    """

    _parameter_constraints: ClassVar[dict] = {"rank": COUNT}

    place: ClassVar[str] = "input"
    label: ClassVar[str] = "cross"

    rank: int = 32

    def make_module(self, sizes: InputSizes) -> CrossLayer:
        """Return the module of `sk_mtl.nn`."""
        return CrossLayer(sizes.width, rank=self.rank)

    def describe(self) -> str:
        """Return its line below the table of `schema_`."""
        return f"{self.label}, rank {self.rank}"


@dataclass(eq=False, repr=False)
class FM(_Tried):
    """A factorisation machine: inner products of all pairs of embeddings.

    Their sum is added to each logit with a separate weight. It needs embeddings of
    equal width.

    References
    ----------
    Rendle, S. (2010). Factorization Machines. ICDM.

    Examples
    --------
    The name means the same.

    >>> from sk_mtl import FM, MMOEClassifier
    >>> MMOEClassifier(interaction=FM()).interaction
    FM()
    """

    place: ClassVar[str] = "logits"
    label: ClassVar[str] = "fm"

    def make_module(self, sizes: InputSizes) -> FactorizationMachine:
        """Return the module of `sk_mtl.nn`."""
        return FactorizationMachine(sizes.n_heads)


@dataclass(eq=False, repr=False)
class SENet(_Tried):
    """Squeeze and excitation: weights per embedding that depend on the row.

    It needs embeddings of equal width.

    Parameters
    ----------
    reduction : int, default=3
        Embeddings for each unit of the hidden layer that computes the weights. Smaller
        values cost more and let weights depend on finer patterns.

    References
    ----------
    Huang, T., Zhang, Z. and Zhang, J. (2019). FiBiNET: Combining Feature Importance and
    Bilinear Feature Interaction for Click-Through Rate Prediction. RecSys.
    https://doi.org/10.1145/3298689.3347043

    Examples
    --------
    A hidden unit for each embedding.

    >>> from sk_mtl import MMOEClassifier, SENet
    >>> MMOEClassifier(interaction=SENet(1)).interaction
    SENet(reduction=1)
    """

    _parameter_constraints: ClassVar[dict] = {"reduction": COUNT}

    place: ClassVar[str] = "fields"
    label: ClassVar[str] = "senet"

    reduction: int = 3

    def make_module(self, sizes: InputSizes) -> SqueezeExcitation:
        """Return the module of `sk_mtl.nn`."""
        return SqueezeExcitation(sizes.n_fields, reduction=self.reduction)


INTERACTIONS: dict[str, Interaction] = {"cross": Cross(), "fm": FM(), "senet": SENet()}


def resolve_interaction(value: Any) -> Interaction | None:
    """Return the interaction for the parameter `interaction`, or raise."""
    if value is None:
        return None
    return resolve_choice(
        "interaction",
        value,
        INTERACTIONS,
        Interaction,
        "Use one of these names, an object of that kind, None for no interaction, or "
        '"auto".',
    )
