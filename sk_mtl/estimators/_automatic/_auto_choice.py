"""The value of a parameter that is "auto", with its reason."""

from __future__ import annotations

from typing import Any, NamedTuple


class AutoChoice(NamedTuple):
    """The value that a fit has chosen for a parameter that is "auto".

    Attributes
    ----------
    value : object
        The value with which the fit was made.

    reason : str
        The fact about the data that decided it, in a few words.
    """

    value: Any
    reason: str


def is_auto(value: Any) -> bool:
    """Return whether a value of a parameter is "auto"."""
    return isinstance(value, str) and value == "auto"
