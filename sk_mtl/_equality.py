"""Equality of parameter values of any type."""

from collections.abc import Mapping
from numbers import Number

import numpy as np


def same_value(a, b):
    """Return whether two values of a parameter mean the same.

    Estimators and other objects with parameters are compared by these, arrays and
    frames by their entries; lists equal tuples, and NaN equals NaN. Functions and
    objects without an equality of their own are the same only where they are one.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_mtl._equality import same_value
    >>> same_value({"a": [np.arange(3)]}, {"a": (np.arange(3),)})
    True
    >>> same_value(1, True)
    False
    """
    if a is b:
        return True
    if _has_params(a) and _has_params(b):
        return type(a) is type(b) and same_value(_params(a), _params(b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _same_arrays(a, b)
    if isinstance(a, Number) and isinstance(b, Number):
        same_kind = isinstance(a, bool | np.bool_) == isinstance(b, bool | np.bool_)
        return same_kind and bool(a == b or (a != a and b != b))
    if type(a) is not type(b):
        return False
    if hasattr(a, "equals"):
        return bool(a.equals(b))
    return _compares_equal(a, b)


def _has_params(value):
    return hasattr(value, "get_params") and not isinstance(value, type)


def _params(value):
    return value.get_params(deep=False)


def _same_arrays(a, b):
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype == object:
        return all(map(same_value, a.ravel(), b.ravel()))
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"))


def _compares_equal(a, b):
    """Return the result of `==`, or False if it is no single boolean."""
    try:
        return bool(a == b)
    except Exception:
        return False


def held_value(value):
    """Return a parameter's current value, which later changes do not affect.

    Lists, dicts, arrays and objects with parameters are copied, as deep as they go;
    functions and other objects, which are the same only where they are one, are kept.

    Examples
    --------
    >>> from sk_mtl._equality import held_value
    >>> sizes = [32]
    >>> held = held_value({"a": sizes})
    >>> sizes.append(16)
    >>> held
    {'a': [32]}
    """
    if _has_params(value):
        return type(value)(**{k: held_value(v) for k, v in _params(value).items()})
    if isinstance(value, dict):
        return {k: held_value(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(held_value, value))
    return value.copy() if isinstance(value, np.ndarray) else value
