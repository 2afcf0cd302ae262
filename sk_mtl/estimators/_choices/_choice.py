"""The base class of objects that a parameter takes in place of a name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from sklearn.base import BaseEstimator

from sk_mtl._close_names import did_you_mean
from sk_mtl._equality import same_value
from sk_mtl._sklearn_compat import validate_parameter_constraints
from sk_mtl.estimators._keyword_parameters import KeywordParameters


# A dataclass without fields has a constructor without arguments.
@dataclass(eq=False, repr=False)
class Choice(KeywordParameters, BaseEstimator):
    """Base of a choice with its own settings, such as a gate or a loss.

    A parameter that takes a choice also takes its name, which stands for the choice
    with its default settings. A subclass is a dataclass (``eq=False, repr=False``) with
    a field per setting, which `get_params`, `set_params`, `clone` and searches over
    ``<parameter>__<setting>`` use. Two choices are equal if their class and their
    settings are equal.
    """

    _parameter_constraints: ClassVar[dict] = {}

    def __eq__(self, other: object) -> bool:
        """Return whether class and settings are the same."""
        if not isinstance(other, Choice):
            return NotImplemented
        return same_value(self, other)

    # A mutable object must not be hashed by its value.
    __hash__ = None

    def set_params(self, **params):
        """Set settings, or the settings of an object inside as ``<setting>__<name>``.

        Parameters
        ----------
        **params : dict
            Values by the names of settings.

        Returns
        -------
        self : object
            The choice.
        """
        refuse_names_inside_names(self, params)
        return super().set_params(**params)

    def _check_settings(self, parameter: str) -> None:
        """Raise `ValueError` for a setting that is out of range.

        Parameters
        ----------
        parameter : str
            The parameter of the estimator that holds the choice.
        """
        constraints: dict = {}
        for base in reversed(type(self).__mro__):
            constraints |= vars(base).get("_parameter_constraints", {})
        validate_parameter_constraints(
            constraints,
            self.get_params(deep=False),
            caller_name=f"{parameter}={type(self).__name__}",
        )


def refuse_names_inside_names(holder: BaseEstimator, params: Mapping) -> None:
    """Raise if ``<outer>__<name>`` leads into a value without parameters.

    `params` are those that are about to be set: an object may be given together with
    its parameters.
    """
    own = holder.get_params(deep=False)
    for name in params:
        outer, _, inner = name.partition("__")
        value = params.get(outer, own.get(outer))
        if inner and outer in own and not hasattr(value, "set_params"):
            raise ValueError(
                f"{name} must lead to a parameter of an object in {outer!r}; found "
                f"{outer}={value!r}, which has no parameters. {_object_first(outer)}"
            )


# Objects with settings, for parameters whose default is a name or None.
_EXAMPLES = {
    "gate": "TopK()",
    "interaction": "Cross()",
    "numeric_embedding": "Bins()",
    "preprocessor": "make_tabular_preprocessor()",
    "wiring": "MMoE()",
}


def _object_first(outer: str) -> str:
    """Return a remedy for setting a value inside a parameter that holds no object."""
    if outer in _EXAMPLES:
        return f"Give an object first, such as {outer}={_EXAMPLES[outer]}."
    return f"Set {outer} as a whole."


AnyChoice = TypeVar("AnyChoice", bound=Choice)


def resolve_choice(
    parameter: str,
    value: Any,
    named: Mapping[str, AnyChoice],
    kind: type[AnyChoice],
    remedy: str = "Use one of these names, or an object of that kind.",
) -> AnyChoice:
    """Return the choice for a value of a parameter, or raise.

    Parameters
    ----------
    parameter : str
        Its name, for messages.
    value : str or Choice
        A name, or an object of the kind.
    named : mapping of str to Choice
        The choices by their names.
    kind : type
        The base class of the parameter's choices.
    remedy : str
        The advice unless a more specific one applies.
    """
    if isinstance(value, str) and value in named:
        return named[value]
    if isinstance(value, kind):
        value._check_settings(parameter)
        return value
    raise ValueError(
        f"{parameter} must be one of {list(named)} or {_a(kind)}; found "
        f"{_describe(value)}. {_remedy(value, named, kind) or remedy}"
    )


def _describe(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, Choice):
        others = (base for base in type(value).__mro__ if base.__base__ is Choice)
        kind = next(others, type(value))
        return repr(value) if kind is type(value) else f"{value!r}, {_a(kind)}"
    return repr(value)


def _a(kind: type) -> str:
    """Return the name of a class with its article."""
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def _remedy(value: Any, named: Mapping[str, Choice], kind: type[Choice]) -> str:
    is_class = isinstance(value, type) and issubclass(value, kind)
    if is_class and not inspect.isabstract(value):
        return f"Write {value.__name__}()."
    return did_you_mean(value, named) if isinstance(value, str) else ""
