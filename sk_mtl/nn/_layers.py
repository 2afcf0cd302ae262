"""Building blocks, with many small dense layers multiplied at once."""

from collections.abc import Sequence
from typing import TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
}

ACTIVATIONS: tuple[str, ...] = tuple(_ACTIVATIONS)
"""The names that every ``activation`` parameter accepts."""


def make_activation(name: str) -> nn.Module:
    """Return a new activation module by its name, one of ``ACTIVATIONS``.

    Examples
    --------
    A rectifier keeps positive numbers.

    >>> import torch
    >>> from sk_mtl.nn import make_activation
    >>> make_activation("relu")(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if name not in _ACTIVATIONS:
        raise ValueError(
            f"activation must be one of {list(ACTIVATIONS)}; found {name!r}. "
            "Choose one of these names."
        )
    return _ACTIVATIONS[name]()


class LayerOptions(TypedDict, total=False):
    """The common settings of hidden layers, as keyword arguments.

    Attributes
    ----------
    activation : str, default="relu"
        One of `ACTIVATIONS`, after every layer.
    dropout : float, default=0.0
        The share of each layer's units that are zeroed in training.
    batch_norm : bool, default=False
        Whether layers are normalised over the batch before their activation.
    """

    activation: str
    dropout: float
    batch_norm: bool


class BatchedLinear(nn.Module):
    """(n_groups, n_samples, in) -> (n_groups, n_samples, out).

    One dense layer per group, each with its own weights. All groups are one batched
    product: a Python loop over ``nn.Linear`` modules launches one small product per
    group and spends most of its time on launching.

    Each group starts as its own ``nn.Linear`` would, uniform on
    +-in_features^-0.5, so no two groups are equal.

    Parameters
    ----------
    n_groups, in_features, out_features : int
        The number of layers and their common sizes.

    Attributes
    ----------
    weight : Parameter of shape (n_groups, in_features, out_features)
    bias : Parameter of shape (n_groups, 1, out_features)

    Examples
    --------
    Three layers from four features to two.

    >>> import torch
    >>> from sk_mtl.nn import BatchedLinear
    >>> layer = BatchedLinear(3, 4, 2)
    >>> layer(torch.ones(3, 5, 4)).shape
    torch.Size([3, 5, 2])
    """

    def __init__(self, n_groups: int, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_groups, in_features, out_features))
        self.bias = nn.Parameter(torch.empty(n_groups, 1, out_features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights and biases anew."""
        bound = self.weight.shape[1] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply every group's rows by the group's own weights."""
        return multiply_groups(self.bias, x, self.weight, training=self.training)

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        n_groups, in_features, out_features = self.weight.shape[-3:]
        return f"{n_groups=}, {in_features=}, {out_features=}"


# The smallest number of columns that kernels of batched products process at once.
_TOGETHER = 4


def multiply_groups(
    bias: Tensor, x: Tensor, weight: Tensor, *, training: bool
) -> Tensor:
    """Return ``bias + x @ weight`` of every group, (n_groups, n_samples, out).

    Outside training, columns of zeros are added up to a multiple of four. In remaining
    columns the order of sums would depend on the position of a row, and the last digit
    of its answer on the order of the rows.
    """
    width = weight.shape[2]
    lacking = -width % _TOGETHER
    if training or not lacking:
        return torch.baddbmm(bias, x, weight)
    bias, weight = (F.pad(each, (0, lacking)) for each in (bias, weight))
    return torch.baddbmm(bias, x, weight)[..., :width]


def mix_groups(weights: Tensor, groups: Tensor) -> Tensor:
    """Return (n_sums, n, width), each a weighted sum of (n_groups, n, width).

    The weights are (n_sums, n_groups). One product of this small matrix with long rows,
    n * width entries each: a product per sample would be n small ones.
    """
    return (weights @ groups.flatten(1)).unflatten(1, groups.shape[1:])


class BatchedHeads(BatchedLinear):
    """(n_groups, n_samples, in) -> (n_samples, n_groups * out).

    `BatchedLinear` with the groups' results side by side. Heads of width 1, as of
    binary tasks, are computed as a sum of products: a matrix product whose result has a
    single column uses a small part of the processor and is three times slower.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Multiply every group's rows by the group's own weights."""
        if self.weight.shape[2] == 1:
            return ((x * self.weight.mT).sum(2) + self.bias.squeeze(2)).t()
        return super().forward(x).transpose(0, 1).flatten(1)


class RowBatchNorm(nn.BatchNorm1d):
    """(n_samples, width) -> (n_samples, width).

    ``nn.BatchNorm1d``, but a training batch of one row, which has no variance, is
    normalised with the running statistics instead of raising. Only a table of one row
    has such a batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each column over the rows."""
        # Columns of a wider product take three times as long as a copy of them does.
        x = x.contiguous()
        if self.training and x.shape[0] < 2:
            return nn.functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False
            )
        return super().forward(x)

    def fold(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return weight and bias of a dense layer with this as its last step.

        The running statistics are used, as everywhere outside training.
        """
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        shift = (bias - self.running_mean) * scale + self.bias
        return weight * scale.unsqueeze(1), shift


class BatchedBatchNorm(nn.Module):
    """(n_groups, n_samples, width) -> the same shape, contiguous per sample.

    Every unit of every group is normalised over the rows of the batch, as a batch
    normalisation in each group would; one normalisation over n_groups * width columns
    does it for all.
    """

    def __init__(self, n_groups: int, width: int) -> None:
        super().__init__()
        self.norm = RowBatchNorm(n_groups * width)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each unit of each group over the rows."""
        n_groups, n_samples, width = x.shape
        rows = x.transpose(0, 1).reshape(n_samples, n_groups * width)
        return self.norm(rows).view(n_samples, n_groups, width).transpose(0, 1)


class Dropout(nn.Module):
    """x -> the same shape; in training a share of the entries is zeroed.

    ``nn.Dropout`` with 16 random bits per entry. On the processor a full random number
    per entry, and a mask of floats drawn from it, take twice as long. The share is
    rounded to a multiple of 2^-16, and the remaining entries are divided by their
    rounded share, so the mean is exact.

    Parameters
    ----------
    rate : float
        In [0, 1).

    Attributes
    ----------
    member_rates : Tensor or None
        Replaces the rate. Of an ensemble it is (n_members,), and a scalar in the
        network of a member.

    Examples
    --------
    Half of the entries are zero, the others doubled.

    >>> import torch
    >>> from sk_mtl.nn import Dropout
    >>> dropped = Dropout(0.5)(torch.ones(1000, 1000))
    >>> sorted(dropped.unique().tolist()), round(dropped.mean().item(), 2)
    ([0.0, 2.0], 1.0)
    """

    member_rates: Tensor | None

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("member_rates", None)

    def forward(self, x: Tensor) -> Tensor:
        """Zero and rescale entries in training; return x unchanged otherwise."""
        if not self.training or self.rate == 0:
            return x
        if self.member_rates is not None:
            # A tensor, so that the members of an ensemble can have rates of their own.
            kept = torch.rand_like(x) >= self.member_rates
            return x * kept / (1 - self.member_rates)
        if torch.compiler.is_compiling():
            # torch's own dropout is not compiled inside an ensemble.
            return x * (torch.rand_like(x) >= self.rate) / (1 - self.rate)
        if x.device.type != "cpu":
            return F.dropout(x, self.rate)
        n, n_dropped = x.numel(), round(self.rate * 2**16)
        words = torch.randint(-(2**63), 2**63 - 1, (-(-n // 4),))
        bits = words.view(torch.int16)[:n].view(x.shape)
        # Integers become floats several times faster than booleans.
        kept = (bits >= n_dropped - 2**15).view(torch.int8).to(x.dtype)
        return x * kept.mul_(2**16 / (2**16 - n_dropped))

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"rate={self.rate}"


def after_linear(
    activation: str, dropout: float, norm: nn.Module | None = None
) -> nn.Sequential:
    """Return the layers after a dense layer: normalisation, activation, dropout."""
    modules = [] if norm is None else [norm]
    modules.append(make_activation(activation))
    if dropout > 0:
        modules.append(Dropout(dropout))
    return nn.Sequential(*modules)


class BatchedMLP(nn.Module):
    """(n_groups, n_samples, in) -> (n_groups, n_samples, hidden_sizes[-1]).

    One multilayer perceptron per group, all of the same sizes; every layer is followed
    by normalisation (if wanted), activation and dropout. With no hidden sizes the
    input passes unchanged.

    Parameters
    ----------
    n_groups, in_features : int
    hidden_sizes : sequence of int
        The width of each layer.
    activation : str, default="relu"
    dropout : float, default=0.0
    batch_norm : bool, default=False

    Attributes
    ----------
    out_features : int
        The width of the result.

    Examples
    --------
    Two perceptrons with layers of 8 and 3 units.

    >>> import torch
    >>> from sk_mtl.nn import BatchedMLP
    >>> BatchedMLP(2, 4, (8, 3))(torch.ones(2, 5, 4)).shape
    torch.Size([2, 5, 3])
    """

    def __init__(
        self,
        n_groups: int,
        in_features: int,
        hidden_sizes: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for width in hidden_sizes:
            norm = BatchedBatchNorm(n_groups, width) if batch_norm else None
            self.layers.append(BatchedLinear(n_groups, in_features, width))
            self.layers.append(after_linear(activation, dropout, norm))
            in_features = width
        self.out_features = in_features

    def forward(self, x: Tensor) -> Tensor:
        """Apply every group's layers to the group's rows."""
        return self.layers(x)
