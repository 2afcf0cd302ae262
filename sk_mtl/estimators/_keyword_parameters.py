"""Constructors that suggest the right name for a mistyped one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from sk_mtl._close_names import did_you_mean


class KeywordParameters:
    """Mixin of dataclasses of parameters, before `BaseEstimator`.

    It refuses unknown arguments before the constructor does, so that subclasses with
    their own constructor suggest names, too.
    """

    def __new__(cls, *args: Any, **kwargs: Any):
        """Return a new object, or raise an error that explains a wrong argument."""
        _check_complete(cls)
        # The first one is the object itself.
        _, *taken = inspect.signature(cls.__init__).parameters.values()
        kinds = [parameter.kind for parameter in taken]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            names = [parameter.name for parameter in taken]
            _check_names(cls.__name__, kwargs, names)
        if inspect.Parameter.VAR_POSITIONAL not in kinds:
            _check_positions(cls.__name__, args, taken)
        return super().__new__(cls)

    def set_params(self, **params):
        """Set parameters; ``<parameter>__<name>`` sets one of an object inside.

        Parameters
        ----------
        **params : dict
            Values by the names of parameters.

        Returns
        -------
        self : object
            The same object.
        """
        names = self._get_param_names()
        for name in params:
            own = name.partition("__")[0]
            if own not in names:
                # scikit-learn's message, and the name that was meant.
                raise ValueError(
                    f"Invalid parameter {own!r} for estimator {self}. Valid parameters "
                    f"are: {names}. {did_you_mean(own, names)}".rstrip()
                )
        return super().set_params(**params)


def _check_complete(cls: type) -> None:
    """Raise for a class without its methods, or with settings that no code reads."""
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    # Users need not define the private methods that the package's own bases leave open.
    if missing and not any(name.startswith("_") for name in missing):
        raise TypeError(
            f"{cls.__name__} must define {' and '.join(missing)}; found none. Derive a "
            "class that defines it, as the documentation of the base shows."
        )
    if "__init__" in vars(cls):
        return
    known = inspect.signature(cls.__init__).parameters
    settings = [
        name
        for name, kind in vars(cls).get("__annotations__", {}).items()
        if "ClassVar" not in str(kind) and name not in known
    ]
    if settings:
        raise TypeError(
            f"{cls.__name__} must be a dataclass for its settings to count; found a "
            f"class whose constructor does not take {settings}. Write "
            "@dataclass(eq=False, repr=False) above it, or ClassVar where it is none."
        )


def _check_names(caller: str, given: Iterable[str], names: list[str]) -> None:
    unknown = [name for name in given if name not in names]
    if not unknown:
        return
    remedies = [did_you_mean(name, names) for name in unknown]
    if not all(remedies):
        remedies = [f"Its parameters are {sorted(names)}."]
    raise TypeError(
        f"Each keyword must name a parameter of {caller}; found "
        f"{', '.join(map(repr, unknown))}. {' '.join(remedies)}"
    )


def _check_positions(caller: str, given: tuple, taken: list[inspect.Parameter]) -> None:
    keyword = inspect.Parameter.KEYWORD_ONLY
    by_place = [each.name for each in taken if each.kind is not keyword]
    if len(given) <= len(by_place):
        return
    first = given[len(by_place)]
    by_name = [each.name for each in taken if each.kind is keyword]
    which = f"every parameter after {by_place[-1]!r}" if by_place else "every parameter"
    example = f"{caller}({by_name[0]}=...)" if by_name else f"{caller}()"
    raise TypeError(
        f"{caller} must get {which} by name; found a value of type "
        f"{type(first).__name__} without one. Write {example}."
    )
