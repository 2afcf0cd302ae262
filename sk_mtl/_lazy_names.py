"""Names of a package that are imported at their first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import lazy_loader


def attach_names(
    package: str, file: str, *written: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__` and `__dir__` of a package, and the list of its lazy names.

    The names, and the files that they are imported from, are listed in the package's
    `__init__.pyi`, for the loader as for type checkers.

    Parameters
    ----------
    package, file : str
        `__name__` and `__file__` of the package.

    *written : str
        Public names that the package itself defines.
    """
    load, _, names = lazy_loader.attach_stub(package, file)
    # Threads that import packages with circular imports, such as scikit-learn, from
    # different ends at once can wait for each other. No file that a name is imported
    # from reads a name of the same package while it is imported, so the lock is never
    # wanted by its holder's import.
    loading = threading.RLock()

    def listed() -> list[str]:
        """Return the public names, imported or not."""
        return sorted([*written, *names])

    def get(name: str) -> Any:
        """Import a name at its first use, or raise with the names close to it."""
        if name in names:
            with loading:
                return load(name)
        from sk_mtl._close_names import did_you_mean

        message = f"module {package!r} has no attribute {name!r}."
        raise AttributeError(f"{message} {did_you_mean(name, listed())}".rstrip())

    return get, listed, names
