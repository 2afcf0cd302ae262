"""Imports of a fit that Ctrl-C cannot leave incomplete."""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The packages that torch's optimisers import at their first use: some 800 modules.
_COMPILER = "torch._dynamo"


@contextmanager
def whole_imports() -> Iterator[None]:
    """Import the modules of a first fit; remove the rest of an interrupted import.

    Python drops a module whose import is interrupted and keeps its complete parts. The
    next import would find these and fail, at every later fit.
    """
    before = set(sys.modules)
    try:
        if _COMPILER not in before:
            _import_apart(_COMPILER)
        yield
    except KeyboardInterrupt:
        _forget_parts(sys.modules.keys() - before)
        raise


def _import_apart(name: str) -> None:
    """Import a module in a separate thread, which no signal interrupts."""
    raised = []

    def run() -> None:
        try:
            importlib.import_module(name)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _forget_parts(new: set[str]) -> None:
    """Remove the new modules of packages that were not imported completely."""
    cut_off = {
        name.partition(".")[0]
        for name in new
        if "." in name and name.rpartition(".")[0] not in sys.modules
    }
    for name in new:
        if name.partition(".")[0] in cut_off:
            sys.modules.pop(name, None)
