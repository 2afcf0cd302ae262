"""Pickles that carry the versions of the packages that made them."""

import sys
from importlib.metadata import version
from typing import ClassVar

from sk_mtl._version import __version__
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import VersionWarning

_KEY = "_sk_mtl_versions"


class VersionedPickle:
    """Mixin of objects whose pickles carry versions, before `BaseEstimator`.

    The versions enter the pickled state only: an object in memory has no attribute of
    them, and pickled again it carries the current ones.
    """

    #: Packages other than sk_mtl that the state depends on. scikit-learn's own objects
    #: inside carry its version themselves.
    _pickled_with: ClassVar[tuple[str, ...]] = ()

    def __getstate__(self):
        """Return the attributes and the versions."""
        return {**super().__getstate__(), _KEY: self._versions_now()}

    def __setstate__(self, state):
        """Take the attributes, and warn where they are of other versions."""
        state = dict(state)
        found, now = state.pop(_KEY, {}), self._versions_now()
        differ = {
            name: found.get(name, "of an unknown version")
            for name in now
            if _public(found.get(name)) != _public(now[name])
        }
        if differ:
            _warn(differ, now)
        super().__setstate__(state)

    def _versions_now(self):
        packages = {name: _installed(name) for name in self._pickled_with}
        return {"sk_mtl": __version__, **packages}


def _installed(name):
    """Return the version of a package, without importing it."""
    module = sys.modules.get(name)
    found = getattr(module, "__version__", None)
    return str(found) if found else version(name)


def _public(found):
    """Return a version without its build: a model fitted with CUDA serves on a CPU."""
    return None if found is None else found.partition("+")[0]


def _warn(found, now):
    # One text for all objects of a file, so that Python shows it once.
    made = ", ".join(f"{package} {each}" for package, each in found.items())
    here = ", ".join(f"{package} {now[package]}" for package in found)
    warn_user(
        "A pickle must be loaded with the versions that it was saved with; found "
        f"{made} in it, and {here} here. Answers may differ, or fail: install the "
        "versions of the pickle, or fit anew.",
        VersionWarning,
    )
