"""Warnings, which a user can filter by their class."""

__all__ = [
    "ColumnWarning",
    "FunnelWarning",
    "LeakWarning",
    "PositiveClassWarning",
    "PropensityWarning",
    "VersionWarning",
]


class ColumnWarning(UserWarning):
    """A column of X is of little use as it is, or is left out."""


class FunnelWarning(UserWarning):
    """The columns of y are not steps of a funnel: a later one without the earlier."""


class LeakWarning(UserWarning):
    """A feature equals a label, so that the model reads the answer off it."""


class PositiveClassWarning(UserWarning):
    """The positive class of two is not named, and the result depends on it."""


class PropensityWarning(UserWarning):
    """A few rows with a small chance of a click decide a counterfactual error."""


class VersionWarning(UserWarning):
    """A pickle of other versions of sk_mtl or torch, or of unknown ones, is loaded."""
