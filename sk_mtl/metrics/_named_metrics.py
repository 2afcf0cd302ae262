"""Metrics by name, some with a setting behind an "@", as in "lift@0.05"."""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from sk_mtl.metrics._class_metrics import (
    ASYMMETRIC_METRICS,
    CLASS_GAINS,
    CLASS_LOSSES,
    DECISION_METRICS,
    GROUPED_METRICS,
)
from sk_mtl.metrics._number_metrics import NUMBER_GAINS, NUMBER_LOSSES


def _with_negated(gains, losses):
    return (*gains, *losses, *(f"neg_{name}" for name in losses))


#: Names of :func:`task_metric` for tasks of classes.
CLASS_METRICS = _with_negated(CLASS_GAINS, CLASS_LOSSES)
#: Names of :func:`task_metric` for tasks of numbers.
NUMBER_METRICS = _with_negated(NUMBER_GAINS, NUMBER_LOSSES)
#: Names that :func:`task_metric` accepts.
TASK_METRICS = (*CLASS_METRICS, *NUMBER_METRICS)

_GAINS = CLASS_GAINS | NUMBER_GAINS
_LOSSES = CLASS_LOSSES | NUMBER_LOSSES


class _Setting(NamedTuple):
    """A setting of a metric: its keyword, its type, its range and an example."""

    keyword: str
    read: Callable
    is_valid: Callable
    required: str
    example: str


def _whole(keyword, example):
    required = "a whole number of at least 1"
    return _Setting(keyword, int, lambda k: k >= 1, required, example)


_SETTINGS = {
    "top_k_accuracy": _whole("k", "3"),
    "grouped_ndcg": _whole("k", "10"),
    "grouped_recall": _whole("k", "10"),
    "grouped_hit_rate": _whole("k", "10"),
    "expected_calibration_error": _whole("n_bins", "15"),
    "lift": _Setting(
        "share", float, lambda s: 0 < s <= 1, "a share above 0, up to 1", "0.05"
    ),
    "mean_pinball_loss": _Setting(
        "level", float, lambda q: 0 < q < 1, "a level between 0 and 1", "0.9"
    ),
}


class NamedMetric(NamedTuple):
    """The function of a name, and its direction.

    Attributes
    ----------
    function : callable
    sign : int
        -1 for the names that begin with ``neg_``.
    greater_is_better : bool
    kind : {"class", "number"}
    """

    function: Callable
    sign: int
    greater_is_better: bool
    kind: str


def named_metric(name):
    """Return the metric of a name, or None where no metric is called so."""
    own, _, setting = name.partition("@")
    if own not in TASK_METRICS:
        return None
    base = _base(own)
    is_loss = base in _LOSSES
    function = (_LOSSES if is_loss else _GAINS)[base]
    if own != name:
        function = _with_setting(function, base, setting)
    sign = 1 if own == base else -1
    kind = "class" if own in CLASS_METRICS else "number"
    return NamedMetric(function, sign, sign < 0 or not is_loss, kind)


def is_asymmetric(name):
    """Return whether a named metric changes where two classes are swapped."""
    return _base(name) in ASYMMETRIC_METRICS


def is_of_decisions(name):
    """Return whether a named metric reads predicted classes only."""
    return _base(name) in DECISION_METRICS


def is_grouped(name):
    """Return whether a named metric needs the groups of rows."""
    return _base(name) in GROUPED_METRICS


def _base(name):
    return name.partition("@")[0].removeprefix("neg_")


# Cached, so that two metrics of one name are equal.
@cache
def _with_setting(function, base, text):
    if base not in _SETTINGS:
        raise ValueError(
            f"Only metrics with a setting, {list(_SETTINGS)}, may have one behind an "
            f"'@'; found '{base}@{text}'. Use {base!r}."
        )
    setting = _SETTINGS[base]
    try:
        value = setting.read(text)
    except ValueError:
        value = None
    if value is None or not setting.is_valid(value):
        raise ValueError(
            f"The setting of {base!r} must be {setting.required}; found "
            f"'{base}@{text}'. Write for instance '{base}@{setting.example}'."
        )
    return partial(function, **{setting.keyword: value})
