"""Multi-task learning on tables and recommender logs, as scikit-learn estimators."""

import threading

import lazy_loader

from sk_mtl._version import __version__

# The list of names is `__init__.pyi`, for the loader as for type checkers. A name is
# imported at its first use: a program that reads data, or predicts with an exported
# graph, imports neither torch nor scikit-learn.
_load, _, _names = lazy_loader.attach_stub(__name__, __file__)

# Threads that import packages with circular imports, such as scikit-learn, from
# different ends at once can wait for each other. No file of the package reads one of
# these names while it is imported, so the lock is never wanted by its holder's import.
_LOADING = threading.RLock()

# The folders, in small letters, are left out of `import *`: `metrics` and `datasets`
# would hide scikit-learn's.
__all__ = ["__version__", *(name for name in _names if not name.islower())]


def __getattr__(name: str):
    """Import a name at its first use, or raise with the names that are close to it."""
    if name in _names:
        with _LOADING:
            return _load(name)
    from sk_mtl._close_names import did_you_mean

    message = f"module {__name__!r} has no attribute {name!r}."
    raise AttributeError(f"{message} {did_you_mean(name, __dir__())}".rstrip())


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted(["__version__", *_names])
