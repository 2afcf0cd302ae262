"""Asserts and counters shared by the tests of networks."""

import copy
from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sk_mtl.nn import FeatureEncoder, MultiTaskNetwork, NetworkEnsemble, SharedBottom


class _Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def operations(function, *args):
    """Return how often each tensor operation runs when the function is called."""
    with torch.no_grad(), _Recorder() as recorder:
        function(*args)
    return recorder.names


def assert_close(actual, expected):
    """Equal up to rounding, the expectation in any dtype on any device."""
    if not isinstance(expected, torch.Tensor):
        expected = torch.tensor(expected, dtype=actual.dtype)
    tolerance = 1e-5 if actual.dtype == torch.float32 else 1e-10
    torch.testing.assert_close(
        actual.detach(),
        expected.detach().to(actual),
        rtol=tolerance,
        atol=tolerance,
    )


def assert_every_parameter_learns(module, output):
    """Every parameter gets a gradient that is not zero everywhere."""
    module.zero_grad()
    weights = torch.linspace(1, 2, output.numel(), dtype=output.dtype)
    (output * weights.view(output.shape).to(output)).sum().backward()
    dead = [
        name
        for name, parameter in module.named_parameters()
        if parameter.grad is None or not bool(parameter.grad.to_dense().any())
    ]
    assert not dead, f"no gradient reaches {dead}"


def set_values(parameter, values):
    """Overwrite a parameter with numbers chosen by hand."""
    new = torch.as_tensor(values, dtype=parameter.dtype, device=parameter.device)
    assert new.shape == parameter.shape
    parameter.data.copy_(new)


def pad(codes, n_more):
    """Return sequences of codes with so many more padded places."""
    return torch.nn.functional.pad(codes, (0, n_more), value=-1)


def assert_exports(encoder, codes, numeric, sequences=()):
    """The graph of an encoder answers other rows and lengths as the encoder does."""
    encoder.eval()
    any_size = torch.export.Dim.DYNAMIC
    shapes = (
        {0: any_size},
        {0: any_size},
        tuple({0: any_size, 1: any_size} for _ in sequences),
    )
    inputs = (codes, numeric, tuple(sequences))
    program = torch.export.export(encoder, inputs, dynamic_shapes=shapes, strict=False)
    more = (
        torch.cat([codes, codes[:3]]),
        torch.cat([numeric, numeric[:3]]),
        tuple(pad(torch.cat([items, items[:3]]), 2) for items in sequences),
    )
    graph, eager = program.module()(*more), encoder(*more)
    assert_close(graph.shared, eager.shared)
    if eager.logit_terms is not None:
        assert_close(graph.logit_terms, eager.logit_terms)


def assert_members_are_networks_of_their_own(make_towers, in_width, n_tasks, sharing):
    """Two networks with the towers in an ensemble answer as each does alone.

    Where members share most, they are given the same encoder and bottom, and an
    ensemble whose inputs' scales are ones.
    """

    def make():
        encoder = FeatureEncoder([4], 2, embedding_dims=[3])
        bottom = SharedBottom(encoder.width, n_tasks, bottom_hidden_sizes=(in_width,))
        return MultiTaskNetwork(encoder, bottom, make_towers())

    members = [make().eval(), make().eval()]
    if sharing != "none":
        for part in ("encoder", "wiring"):
            state = getattr(members[0], part).state_dict()
            getattr(members[1], part).load_state_dict(state)
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), lambda logits: logits, sharing=sharing
    ).eval()
    if ensemble.scales is not None:
        torch.nn.init.ones_(ensemble.scales)
    inputs = torch.tensor([[0], [3], [1]]), torch.randn(3, 2)
    alone = torch.stack([member(*inputs) for member in members])
    assert not torch.allclose(alone[0], alone[1])
    assert_close(ensemble(*inputs), alone)


def assert_stage_exports(towers, n_tasks, in_width):
    """The graph of a tower stage answers other numbers of rows as the stage does."""
    hidden = torch.randn(3, n_tasks, in_width)
    shapes = ({0: torch.export.Dim.DYNAMIC},)
    program = torch.export.export(
        towers.eval(), (hidden,), dynamic_shapes=shapes, strict=False
    )
    more = torch.randn(7, n_tasks, in_width)
    assert_close(program.module()(more), towers(more))
