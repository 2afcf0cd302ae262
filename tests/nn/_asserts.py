"""Asserts and counters shared by the tests of networks."""

from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode


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
