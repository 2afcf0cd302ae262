"""Compilation of a network, if a compiler works."""

from __future__ import annotations

from torch import nn

from sk_mtl._warnings import warn_user
from sk_mtl.estimators._rows._tensor_table import TensorTable


def compile_in_place(module: nn.Module, sample: TensorTable) -> None:
    """Compile a module and try it on a few rows; warn and undo it if that fails."""
    module.compile(dynamic=True)
    module.eval()
    try:
        module(*sample.inputs).sum().backward()
    except Exception as error:
        # A missing or broken compiler can raise any error; the model is still valid.
        module._compiled_call_impl = None
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        warn_user(
            f"compile=True needs a working compiler; found {said}. Training continues "
            "without it. Install a C++ compiler, or set compile=False.",
            RuntimeWarning,
        )
