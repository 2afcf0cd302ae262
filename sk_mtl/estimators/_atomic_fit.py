"""Fits that take effect as a whole, and answers that read the fit alone."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sk_mtl._equality import held_value
from sk_mtl._process_lock import ProcessLock
from sk_mtl._sklearn_compat import CallbackSupportMixin
from sk_mtl._versions import VersionedPickle
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._declared_parameters import DeclaredParameters
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.estimators._fit_state import BALANCE, FitState
from sk_mtl.estimators._fitted_network import FittedNetwork
from sk_mtl.estimators._rows._inputs import learnt_columns
from sk_mtl.estimators._training._device import available_device
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._whole_imports import whole_imports

# Held for the moment in which a fit becomes an estimator's own.
_KEEPING = ProcessLock()


class AtomicFit(CallbackSupportMixin, VersionedPickle, DeclaredParameters):
    """Base of estimators whose fit is one state, assigned last.

    Nothing of the estimator changes before a fit has succeeded. So a fit that fails
    leaves it as it was, and a thread that predicts meanwhile reads the old fit or the
    new one, never a mixture. Answers depend on the state and, of the parameters set
    since, on `device` only.
    """

    _pickled_with = ("torch",)

    @property
    def predictor_(self) -> FittedNetwork:
        """The trained network with the steps of a prediction, on the device set now."""
        check_is_fitted(self)
        state = self._state
        if str(self.device) != str(state.parameters.device):
            state = self._move(state)
        return FittedNetwork(state)

    @abstractmethod
    def _attributes_of(self, state: FitState) -> dict[str, Any]:
        """Return the attributes that the estimator has after a fit."""

    @contextmanager
    def _kept_if_interrupted(self, tasks: FitTasks) -> Iterator[None]:
        """Keep the weights so far where the user interrupts a fit, and raise."""
        try:
            with whole_imports():
                yield
        except KeyboardInterrupt:
            state = tasks.state
            if state is not None and state.net.best_epoch:
                self._keep(state)
                _warn_interrupted(state.net)
            raise

    def _keep(self, state: FitState) -> None:
        """Take over a state and the attributes that show it."""
        attributes, last = self._attributes_of(state), vars(self).get("_state")
        gone = set() if last is None else set(self._attributes_of(last))
        # The old values outlive the update, so that nothing runs in the middle of it.
        old = vars(self).copy()
        with _KEEPING.held():
            vars(self).update(attributes)
        for name in gone - attributes.keys():
            vars(self).pop(name, None)
        del old

    def _parameters_now(self, state: FitState | None) -> FitParameters:
        """Return an estimator that keeps the parameters of a fit unchanged.

        If the fit continues from a state, the estimator gets its columns of X;
        parameters that describe a different network raise.
        """
        parameters = self.get_params(deep=False)
        for name in parameters:
            if name in BALANCE or name not in self._changeable:
                parameters[name] = held_value(parameters[name])
        if state is None:
            return self._copy_with(parameters)
        held = self._copy_with(parameters | learnt_columns(state.parameters))
        state.check_same_network(held)
        return held

    def _move(self, state: FitState) -> FitState:
        """Return a state on the device set now; keep it unless another fit came."""
        parameters = copy.copy(state.parameters)
        parameters.device = self.device
        moved = state.on_device(available_device(self.device), parameters)
        with _KEEPING.held():
            if self._state is state:
                vars(self).update(net_=moved.net, _state=moved)
        return moved

    def _setting(self, name: str) -> Any:
        """Return a parameter of the fit, or of the estimator before there is one."""
        state = vars(self).get("_state")
        return getattr(self if state is None else state.parameters, name)

    def _copy_with(self, attributes: dict[str, Any]) -> AtomicFit:
        new = object.__new__(type(self))
        vars(new).update(attributes)
        return new

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a fit."""
        return "_state" in vars(self)

    def __copy__(self):
        """Return a copy with the same attributes, made without pickling."""
        return self._copy_with(vars(self).copy())

    def __deepcopy__(self, memo):
        """Return a deep copy that shares the caller's callbacks."""
        memo[id(self.callbacks)] = self.callbacks
        new = memo[id(self)] = self._copy_with({})
        vars(new).update(copy.deepcopy(vars(self).copy(), memo))
        return new

    def __getstate__(self):
        """Return the state to pickle, which omits callbacks after a fit.

        They are the caller's and may hold what cannot be pickled, such as a study.
        """
        state = super().__getstate__()
        if "_state" in state:
            state = {**state, "callbacks": None}
            state.pop("_skl_callbacks", None)
        return state

    def __sklearn_clone__(self):
        """Return an unfitted copy; name the callback that cannot be copied."""
        try:
            return super().__sklearn_clone__()
        except Exception:
            for callback in self.callbacks or []:
                _check_cloneable(callback)
            raise


def _check_cloneable(callback) -> None:
    try:
        clone(callback, safe=False)
    except Exception as error:
        bare = callback[-1] if isinstance(callback, tuple | list) else callback
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise TypeError(
            "Where an estimator is cloned, as in a cross-validation, its callbacks "
            f"must be, too; found that {type(bare).__name__} cannot be: {said}. Give "
            "the class instead of an instance, store each argument of the constructor "
            "under its own name, or call fit of this estimator itself."
        ) from error


def _warn_interrupted(net) -> None:
    # A filter that turns warnings into errors must not replace the interruption.
    with suppress(ConvergenceWarning):
        warn_user(
            f"Training was interrupted in epoch {net.n_epochs}; the weights of epoch "
            f"{net.best_epoch} are kept, and the estimator is fitted. Call fit again "
            "to train in full.",
            ConvergenceWarning,
        )
