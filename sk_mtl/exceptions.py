"""Warnings that a user may want to filter by their class."""

__all__ = [
    "FunnelWarning",
    "IdentifierWarning",
    "LeakWarning",
    "PositiveClassWarning",
    "PropensityWarning",
    "VersionWarning",
]


class FunnelWarning(UserWarning):
    """The columns of y are not steps of a funnel: a later one without the earlier."""


class IdentifierWarning(UserWarning):
    """A column of integers that looks like identifiers is treated as a quantity."""


class LeakWarning(UserWarning):
    """A feature equals a label, so that the model reads the answer off it."""


class PositiveClassWarning(UserWarning):
    """Nothing says which of two classes is positive, and the result depends on it."""


class PropensityWarning(UserWarning):
    """A few rows with a small chance of a click decide a counterfactual error."""


class VersionWarning(UserWarning):
    """A pickle of other versions of sk_mtl or torch, or of unknown ones, is loaded."""
