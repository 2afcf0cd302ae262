"""Events of a fit for scikit-learn's callbacks: its beginning, epochs and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FitTasks:
    """Tells of a fit those callbacks that `set_callbacks` has set.

    scikit-learn has them since version 1.9, and calls a fit and each of its epochs a
    task. Earlier versions have no callbacks.

    Parameters
    ----------
    estimator : MultiTaskModel
        The estimator whose `fit` is called.

    fitted : callable
        Returns the attributes of the estimator as if its fit ended now.

    told : dict
        What the callbacks are given: ``X``, ``y`` and ``metadata``.
    """

    def __init__(self, estimator, fitted: Callable[[], dict[str, Any]], **told) -> None:
        self._given = {"estimator": estimator, **told}
        self._fitted = fitted
        self._fit = self._epoch = None
        if hasattr(estimator, "_init_callback_context"):
            n_epochs = estimator.max_epochs
            self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
            self._fit.call_on_fit_task_begin(**self._given)

    def begin_epoch(self) -> None:
        """Tell of the beginning of an epoch."""
        if self._fit is not None:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._given)

    def end_epoch(self) -> bool:
        """Tell of the end of an epoch; return whether a callback asks to stop."""
        return self._end(self._epoch, self._fitted)

    def end(self) -> None:
        """Tell of the end of the fit, whose attributes the estimator has by now."""
        self._end(self._fit, dict)

    def _end(self, task, fitted) -> bool:
        if task is None:
            return False
        return task.call_on_fit_task_end(
            **self._given, reconstruction_attributes=fitted
        )
