"""Warnings that point at the user's line."""

import sys
import warnings

# Frames of these packages stand between a user's call and the place that warns.
_BETWEEN = frozenset(
    {
        *("sk_mtl", "sklearn", "skorch", "joblib", "torch"),
        *("contextlib", "copy", "pickle", "cloudpickle"),
    }
)


def warn_user(message, category):
    """Warn, naming the line outside the package that the call came from.

    Parameters
    ----------
    message : str
        Requirement, finding and remedy.
    category : type
        Class of the warning.
    """
    warnings.warn(message, category, stacklevel=_level_of_user())


def _level_of_user():
    """Return the `stacklevel` of the innermost frame that is not of a library.

    Counted for a call of `warnings.warn` in the caller of this function.
    """
    frame, level = sys._getframe(1), 1
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in _BETWEEN:
            return level
        frame, level = frame.f_back, level + 1
    # Only libraries on the stack: the caller of `warn_user` is nearest to the cause.
    return 2
