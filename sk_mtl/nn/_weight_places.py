"""The places of weights in the modules of a network."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn


class WeightPlaces:
    """The places of some tensors in a network, in which others can stand for a while.

    `torch.func.functional_call` does the same for any module and any names. It walks
    through all modules several times in every call, which takes as long as a training
    step of a small network. Here the places are found once.

    Parameters
    ----------
    network : Module
    names : iterable of str
        The names of parameters or buffers, as in the network's state.

    Examples
    --------
    >>> import torch
    >>> from sk_mtl.nn._weight_places import WeightPlaces
    >>> layer = torch.nn.Linear(1, 1)
    >>> places = WeightPlaces(layer, ["weight", "bias"])
    >>> with places.filled([torch.tensor([[2.0]]), torch.tensor([5.0])]):
    ...     layer(torch.ones(1)).item()
    7.0
    """

    def __init__(self, network: nn.Module, names: Iterable[str]) -> None:
        self._places = [_place(network, name) for name in names]

    def read(self) -> list[Tensor]:
        """Return the tensors."""
        return [tensors[leaf] for tensors, leaf in self._places]

    @contextmanager
    def filled(self, tensors: Sequence[Tensor]) -> Iterator[None]:
        """Let the network compute with other tensors inside the block."""
        own = self.read()
        try:
            self._fill(tensors)
            yield
        finally:
            self._fill(own)

    def _fill(self, tensors: Sequence[Tensor]) -> None:
        # Attributes of a module would be checked to be parameters, which the slices of
        # stacked parameters are not.
        for (places, leaf), tensor in zip(self._places, tensors, strict=True):
            places[leaf] = tensor


def _place(network: nn.Module, name: str) -> tuple[dict[str, Tensor], str]:
    path, _, leaf = name.rpartition(".")
    module = network.get_submodule(path)
    parameters = module._parameters
    return (parameters if leaf in parameters else module._buffers), leaf
