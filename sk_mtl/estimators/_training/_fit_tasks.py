"""The events of a fit: its state, its epochs and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sk_mtl.estimators._automatic._auto_choice import is_auto


class FitTasks:
    """Reporter of a fit to scikit-learn's callbacks, which holds the state that trains.

    scikit-learn has had callbacks, set by `set_callbacks`, since version 1.9. It calls
    a fit and each of its epochs a task.

    Parameters
    ----------
    attributes_of : callable
        Returns the attributes that a state sets on the estimator.

    Attributes
    ----------
    state : FitState or None
        The state whose network trains, None before there is one.
    """

    def __init__(self, attributes_of: Callable[[Any], dict[str, Any]]) -> None:
        self.state: Any = None
        self._attributes_of = attributes_of
        self._given: dict[str, Any] = {}
        self._fit = self._epoch = None

    def begin(self, estimator, **given) -> None:
        """Announce a fit; callbacks receive ``X``, ``y`` and ``metadata``."""
        self._given = {"estimator": estimator, **given}
        if hasattr(estimator, "_init_callback_context"):
            # A number that the rows decide is not known yet.
            given = estimator.max_epochs
            n_epochs = None if is_auto(given) else given
            self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
            self._fit.call_on_fit_task_begin(**self._given)

    def begin_training(self, state: Any) -> None:
        """Record the state whose network is about to train."""
        self.state = state

    def begin_epoch(self) -> None:
        """Announce an epoch."""
        if self._fit is not None:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._given)

    def end_epoch(self) -> bool:
        """Announce the end of an epoch; return whether a callback asks to stop."""
        return self._end(self._epoch, lambda: self._attributes_of(self.state.so_far()))

    def end(self) -> None:
        """Announce the end of the fit, after the estimator has its attributes."""
        self._end(self._fit, dict)

    def _end(self, task, fitted: Callable[[], dict[str, Any]]) -> bool:
        if task is None:
            return False
        return task.call_on_fit_task_end(
            **self._given, reconstruction_attributes=fitted
        )
