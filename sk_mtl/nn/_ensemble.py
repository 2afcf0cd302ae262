"""Ensembles: several networks in one, with stacked weights and batched products."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from sk_mtl._process_lock import ProcessLock
from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables
from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._layers import Dropout
from sk_mtl.nn._network import MultiTaskNetwork
from sk_mtl.nn._weight_places import WeightPlaces

MEMBER_SHARING: tuple[str, ...] = ("most", "embedding", "none")
"""Names of the parts that members can share."""

# While a network runs as one of its members, that member's weights replace the stacked
# ones. A second thread that predicts or copies would then use them, and so would the
# child of a fork.
_SWAPPING = ProcessLock(forks_wait=True)


class NetworkEnsemble(nn.Module):
    """codes, numeric, sequences -> logits (n_members, n, n_heads) in training.

    In evaluation it is (n, n_heads), the logits of the members' mean probabilities.

    A wrapper around a network of any wiring: `n_members` networks that read the same
    rows and are trained at once, each on its own loss. Averaging their probabilities
    reduces the randomness of a single network.

    The weights that differ between members are stacked along a first axis, in place of
    the network's own parameters, and `torch.func.vmap` runs the network's code over
    that axis: every product of a layer becomes one batched product over all members. So
    no wiring needs its own code for this. Dropout is drawn for every member separately.

    `sharing` names the parts that members share:

    - ``"none"``: nothing, a deep ensemble. Codes replaced by "unknown" are drawn once
      for all members.
    - ``"embedding"``: the encoder, which is run once; each member has its own wiring
      and towers.
    - ``"most"``: the encoder, and the parts of the wiring named in its
      ``shared_by_members``, without normalisations. A member's input is the encoder's
      row times the member's own scale, which starts as random signs and is the same for
      the rows of all tasks. Each member has its own towers and its own remaining parts
      of the wiring, such as gates.

    Parameters
    ----------
    networks : sequence of MultiTaskNetwork
        At least two networks of one architecture, each with its own start.
    combine : callable
        Maps logits (n_members, n, n_heads) to the logits (n, n_heads) of the mean
        probabilities.
    sharing : {"most", "embedding", "none"}, default="most"

    dropout : sequence of float or None, default=None
        The rate of each member in every `Dropout` layer. None keeps the layers' rates.

    Attributes
    ----------
    network : MultiTaskNetwork
        Its own parameters are stacked, (n_members, ...).
    n_members : int
    picks : Tensor of int or None
        The members that are averaged, some of them several times. None averages all.

    References
    ----------
    Lakshminarayanan, B., Pritzel, A. and Blundell, C. (2017). Simple and Scalable
    Predictive Uncertainty Estimation using Deep Ensembles. NIPS.

    Gorishniy, Y., Kotelnikov, A. and Babenko, A. (2025). TabM: Advancing Tabular Deep
    Learning with Parameter-Efficient Ensembling. ICLR.

    Examples
    --------
    Two networks; training returns the logits of each.

    >>> import torch
    >>> from sk_mtl.nn import (
    ...     FeatureEncoder, MMoE, MultiTaskNetwork, NetworkEnsemble, Towers
    ... )
    >>> def make():
    ...     encoder = FeatureEncoder([10], 2, embedding_dims=[4])
    ...     wiring = MMoE(encoder.width, 2)
    ...     towers = Towers(wiring.out_width, [(8,), (8,)], [1, 1])
    ...     return MultiTaskNetwork(encoder, wiring, towers)
    >>> ensemble = NetworkEnsemble(
    ...     [make(), make()], lambda logits: logits.mean(0), sharing="none"
    ... )
    >>> inputs = torch.tensor([[3], [9], [0]]), torch.ones(3, 2)
    >>> ensemble(*inputs).shape, ensemble.eval()(*inputs).shape
    (torch.Size([2, 3, 2]), torch.Size([3, 2]))
    """

    def __init__(
        self,
        networks: Sequence[MultiTaskNetwork],
        combine: Callable[[Tensor], Tensor],
        *,
        sharing: str = "most",
        dropout: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if sharing not in MEMBER_SHARING:
            raise ValueError(
                f"sharing must be one of {list(MEMBER_SHARING)}; found {sharing!r}. "
                "Choose one of these names."
            )
        if len(networks) < 2:
            raise ValueError(
                f"networks must hold at least two members; found {len(networks)}. Use "
                "a single network without an ensemble."
            )
        self.network, self.n_members = networks[0], len(networks)
        self.combine, self.sharing = combine, sharing
        self.penalty: Tensor | None = None
        for network, rate in zip(networks, () if dropout is None else dropout):
            _set_dropout(network, rate)
        own = [name for name in _names(self.network) if self._is_own(name)]
        _stack(networks, own)
        self._own, self._places = own, None
        self.picks: Tensor | None
        self.register_buffer("picks", None)
        self.scales = None
        if sharing == "most":
            signs = torch.randint(0, 2, (self.n_members, self.network.encoder.width))
            self.scales = nn.Parameter(signs * 2.0 - 1.0)
        if sharing == "none":
            for module in self.network.modules():
                if isinstance(module, EmbeddingTables):
                    module.batchable = True

    def _is_own(self, name: str) -> bool:
        part, _, inner = name.partition(".")
        if part == "encoder":
            return self.sharing == "none"
        if part == "wiring" and self.sharing == "most":
            # Every member has its own inputs, and so its own means and variances.
            module = self.network.get_submodule(name.rpartition(".")[0])
            shared = getattr(self.network.wiring, "shared_by_members", ())
            return _is_norm(module) or inner.split(".")[0] not in shared
        return True

    def forward(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Tensor:
        """Return the logits of each member, or outside training of their mean."""
        parts = self._each(MultiTaskNetwork.parts, codes, numeric, sequences)
        logits, *penalty = parts
        # As with the losses, each member is trained as it would be alone.
        self.penalty = penalty[0].sum() if penalty else None
        return logits if self.training else self.average(logits)

    def average(self, logits: Tensor) -> Tensor:
        """Return the logits (n, n_heads) of the mean of the picked members."""
        if self.picks is not None:
            logits = logits.index_select(0, self.picks)
        return self.combine(logits)

    @torch.no_grad()
    def keep(self, counts: Sequence[int]) -> None:
        """Drop members, and average the others by these counts.

        Parameters stay the same objects, with fewer members.
        """
        kept = [member for member, count in enumerate(counts) if count]
        device = next(self.network.parameters()).device
        rows = torch.tensor(kept, device=device)
        state = dict(_tensors(self.network))
        for name in self._own:
            state[name].data = state[name].index_select(0, rows)
        repeats = torch.tensor([counts[member] for member in kept], device=device)
        places = torch.arange(len(kept), device=device)
        self.picks = places.repeat_interleave(repeats)
        self.n_members = len(kept)

    def each(
        self,
        function: Callable[[MultiTaskNetwork, Encoded], list[Tensor]],
        codes: Tensor,
        numeric: Tensor,
        sequences: Sequence[Tensor] = (),
    ) -> list[Tensor]:
        """Return the tensors of a function of each member and its encoded rows.

        The members are along their second axis.
        """
        results = self._each(function, codes, numeric, sequences)
        return [each.transpose(0, 1) for each in results]

    def own_names(self) -> list[str]:
        """Return the names of the stacked tensors, as in the module's state."""
        scales = [] if self.scales is None else ["scales"]
        return [f"network.{name}" for name in self._own] + scales

    def member_logits(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Tensor:
        """Return the logits of each member, (n_members, n, n_heads), in any mode."""
        return self._each(MultiTaskNetwork.logits, codes, numeric, sequences)

    def logits_of(
        self,
        member: int,
        codes: Tensor,
        numeric: Tensor,
        sequences: Sequence[Tensor] = (),
    ) -> Tensor:
        """Return the logits (n, n_heads) of one member, in evaluation mode.

        The other members compute nothing, so that each of them can answer other rows.
        """
        if self.sharing != "none":
            raise ValueError(
                "sharing must be 'none' where members answer alone; found "
                f"{self.sharing!r}. Call `each`, which runs all members."
            )

        def logits(network: MultiTaskNetwork) -> Tensor:
            return network.logits(network.encoder(codes, numeric, sequences))

        with _SWAPPING.held():
            places = self._find_places()
            with places.filled([stacked[member] for stacked in places.read()]):
                return logits(self.network)

    def unstacked(self) -> list[MultiTaskNetwork]:
        """Return copies of the members, each a network of its own."""
        if self.sharing != "none":
            raise ValueError(
                "sharing must be 'none' where members become networks of their own; "
                f"found {self.sharing!r}. Call `each`, which runs all members."
            )
        with _SWAPPING.held():
            state = dict(_tensors(self.network))
            networks = [copy.deepcopy(self.network) for _ in range(self.n_members)]
        for member, network in enumerate(networks):
            own = {name: state[name].detach()[member].clone() for name in self._own}
            _set_tensors(network, own)
            for module in network.modules():
                if isinstance(module, EmbeddingTables):
                    module.batchable = False
        return networks

    def _each(
        self,
        function: Callable[[MultiTaskNetwork, Encoded], Tensor],
        codes: Tensor,
        numeric: Tensor,
        sequences: Sequence[Tensor],
    ) -> Tensor:
        if self.sharing != "none":
            encoded = self.network.encoder(codes, numeric, sequences)
            if self.scales is None:
                return self._map(lambda member: function(member, encoded))

            def scaled(member: MultiTaskNetwork, scale: Tensor) -> Tensor:
                return function(member, encoded.scale_rows(scale))

            return self._map(scaled, self.scales)
        encoder = self.network.encoder
        codes, sequences = encoder.with_unknown(codes, sequences)
        if encoder.embeds_members and not torch.compiler.is_compiling():
            with _SWAPPING.held():
                blocks = encoder.embed(codes, numeric, sequences)

            def joined(member: MultiTaskNetwork, *blocks: Tensor) -> Tensor:
                own = member.encoder
                return function(member, own.join(blocks, codes, numeric, sequences))

            return self._map(joined, *blocks)

        def own(member: MultiTaskNetwork) -> Tensor:
            return function(member, member.encoder.encode(codes, numeric, sequences))

        return self._map(own)

    def _map(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Return the stacked results of a function of each member and its inputs."""
        if torch.compiler.is_compiling():
            return self._map_captured(function, *inputs)
        with _SWAPPING.held():
            places = self._find_places()
            stacked = places.read()

            def member(*tensors: Tensor) -> Tensor:
                with places.filled(tensors[: len(stacked)]):
                    return function(self.network, *tensors[len(stacked) :])

            return vmap(member, randomness="different")(*stacked, *inputs)

    def _map_captured(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Return the results of `_map` where a compiler captures the calls."""
        bound = _Bound(self.network, function)
        each_member = vmap(
            lambda weights, *each: functional_call(bound, weights, each),
            randomness="different",
        )
        state = dict(_tensors(self.network))
        own = {f"network.{name}": state[name] for name in self._own}
        return each_member(own, *inputs)

    def _find_places(self) -> WeightPlaces:
        if self._places is None:
            self._places = WeightPlaces(self.network, self._own)
        return self._places

    def member_parameter_names(self) -> list[str]:
        """Return the names of the parameters whose first axis is the members."""
        scales = [] if self.scales is None else ["scales"]
        return [f"network.{name}" for name in self._own] + scales

    def sparse_parameter_names(self) -> list[str]:
        """Return the names of the parameters that get sparse gradients."""
        return [f"network.{name}" for name in self.network.sparse_parameter_names()]

    def sparse_rows(
        self, codes: Tensor, sequences: Sequence[Tensor] = ()
    ) -> dict[str, Tensor]:
        """Return which rows training on these codes can change, by parameter name."""
        rows = self.network.sparse_rows(codes, sequences)
        return {f"network.{name}": found for name, found in rows.items()}

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Return the stacked weights by name, also while another thread predicts."""
        with _SWAPPING.held():
            return super().state_dict(*args, **kwargs)

    def __getstate__(self):
        """Return the state for copies and pickles: the stacked weights.

        They are in separate modules, so another thread that predicts meanwhile cannot
        replace them by the weights of a member.
        """
        state = super().__getstate__()
        with _SWAPPING.held():
            same = {id(tensor): tensor for tensor in _all_tensors(self.network)}
            network = copy.deepcopy(self.network, same)
        modules = {**self._modules, "network": network}
        return {**state, "_modules": modules, "_places": None}

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"n_members={self.n_members}, sharing={self.sharing!r}"


class _Bound(nn.Module):
    """A function of a network in the form of a module, whose weights can be swapped."""

    def __init__(self, network: nn.Module, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.network, self.function = network, function

    def forward(self, *inputs: Any) -> Tensor:
        return self.function(self.network, *inputs)


def _names(network: nn.Module) -> list[str]:
    return [name for name, _ in _tensors(network)]


def _tensors(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors that differ between members: parameters and other states.

    Other states are the statistics of normalisations, and members' rates of dropout.

    Other buffers, such as the edges of bins, are computed from the data and equal in
    all members.
    """
    yield from network.named_parameters()
    for prefix, module in network.named_modules():
        if _is_norm(module) or isinstance(module, Dropout):
            yield from module.named_buffers(prefix, recurse=False)


def _set_dropout(network: nn.Module, rate: float) -> None:
    for module in network.modules():
        if isinstance(module, Dropout):
            module.member_rates = torch.tensor(float(rate))


def _all_tensors(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm)


def _stack(networks: Sequence[nn.Module], names: Sequence[str]) -> None:
    """Replace the weights of the first network by the stacked weights of all."""
    states = [dict(_tensors(network)) for network in networks]
    stacked = {
        name: torch.stack([state[name].detach() for state in states]) for name in names
    }
    _set_tensors(networks[0], stacked)


def _set_tensors(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Replace parameters and buffers by tensors of other shapes."""
    known = dict(_tensors(network))
    for name, tensor in tensors.items():
        path, _, leaf = name.rpartition(".")
        if isinstance(known[name], nn.Parameter):
            tensor = nn.Parameter(tensor)
        setattr(network.get_submodule(path), leaf, tensor)
