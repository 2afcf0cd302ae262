"""Fits that take effect as a whole, and answers that read the fit alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sk_mtl._process_lock import ProcessLock
from sk_mtl._sklearn_compat import CallbackSupportMixin
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._training._resolved import available_device
from sk_mtl.estimators._training._whole_imports import whole_imports

# Held for the moment in which a fit becomes an estimator's own.
_KEEPING = ProcessLock()


@dataclass(frozen=True)
class _Fit:
    """A complete fit: the attributes it has set, and the parameters it was given."""

    attributes: dict[str, Any]
    parameters: dict[str, Any]


class AtomicFit(CallbackSupportMixin):
    """Mixin of estimators that train a copy of themselves, and assign last.

    Nothing of the estimator changes before a fit has succeeded. So a fit that fails
    leaves it as it was, and a thread that predicts meanwhile reads the old fit or the
    new one, never a part of both.
    """

    @contextmanager
    def _training_copy(self, *, resume: bool) -> Iterator[AtomicFit]:
        """Lend a copy to train, whose attributes are this estimator's afterwards.

        With `resume` the copy starts from the attributes of the previous fit. Where
        the user interrupts the training after an epoch, the attributes are kept
        before the interruption is raised.
        """
        rest, fit = self._without_fit()
        trained = self._copy_with(rest | fit.attributes if resume else rest)
        try:
            with whole_imports():
                yield trained
        except KeyboardInterrupt:
            net = vars(trained).get("net_")
            if net is None or net is fit.attributes.get("net_") or not net.best_epoch:
                raise
            trained._set_answers()
            self._keep(trained, rest, fit)
            _warn_interrupted(net)
            raise
        self._keep(trained, rest, fit)

    def _attributes_so_far(self, trained: AtomicFit) -> dict[str, Any]:
        """Return what a fit would set if its training ended now."""
        shown = trained._copy_with(vars(trained))
        shown.net_ = trained.net_.snapshot()
        shown._set_answers()
        fit = self._read_fit(shown, self._without_fit()[0])
        return fit.attributes | {"_fit": fit}

    def _without_fit(self) -> tuple[dict[str, Any], _Fit]:
        """Return the attributes that are not of the last fit, and that fit."""
        own = vars(self).copy()
        fit = own.pop("_fit", None) or _Fit({}, {})
        return {k: v for k, v in own.items() if k not in fit.attributes}, fit

    def _read_fit(self, trained: AtomicFit, before: dict[str, Any]) -> _Fit:
        """Return the fit of a training copy that has set attributes."""
        attributes = {
            name: value
            for name, value in vars(trained).items()
            if name not in before or value is not before[name]
        }
        names = self._get_param_names()
        parameters = {name: before[name] for name in names if name in before}
        # The caller's callbacks may hold what cannot be pickled, and answer nothing.
        return _Fit(attributes, parameters | {"callbacks": None})

    def _keep(self, trained: AtomicFit, before: dict[str, Any], last: _Fit) -> None:
        """Take over the attributes that a training copy has set."""
        fit = self._read_fit(trained, before)
        # The old values outlive the update, so that nothing runs in the middle of it.
        old = vars(self).copy()
        with _KEEPING.held():
            vars(self).update(fit.attributes, _fit=fit)
        for name in last.attributes.keys() - fit.attributes.keys():
            vars(self).pop(name, None)
        del old

    def _fitted(self) -> AtomicFit:
        """Return the estimator as it was when it was fitted, on the device set now."""
        check_is_fitted(self)
        if "_fit" not in vars(self):
            return self
        fit = self._fit
        if str(self.device) != str(fit.parameters["device"]):
            fit = self._move(fit)
        return self._copy_with(fit.parameters | fit.attributes)

    def _move(self, fit: _Fit) -> _Fit:
        """Return a fit on the device set now, and keep it unless another fit came."""
        net = fit.attributes["net_"].on_device(available_device(self.device))
        parameters = fit.parameters | {"device": self.device}
        moved = _Fit(fit.attributes | {"net_": net}, parameters)
        with _KEEPING.held():
            if self._fit is fit:
                vars(self).update(net_=net, _fit=moved)
        return moved

    def _setting(self, name: str) -> Any:
        """Return a parameter of the fit, or of the estimator before there is one."""
        fit = vars(self).get("_fit")
        return getattr(self, name) if fit is None else fit.parameters[name]

    def _copy_with(self, attributes: dict[str, Any]) -> AtomicFit:
        new = object.__new__(type(self))
        vars(new).update(attributes)
        return new

    def __copy__(self):
        """Return a copy with the same attributes, not by way of a pickle."""
        return self._copy_with(vars(self).copy())

    def __deepcopy__(self, memo):
        """Return a deep copy that shares the caller's callbacks."""
        memo[id(self.callbacks)] = self.callbacks
        new = memo[id(self)] = self._copy_with({})
        vars(new).update(copy.deepcopy(vars(self).copy(), memo))
        return new

    def __getstate__(self):
        """Return what a pickle holds: of a fitted estimator no callbacks.

        They are the caller's and may hold what cannot be pickled, such as a study.
        """
        state = super().__getstate__()
        if "_fit" in state:
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


def answer_from_fit(method: Callable) -> Callable:
    """Let a method read the estimator as it was when it was fitted.

    Parameters that were set since and a fit that ends meanwhile do not change what the
    method answers.
    """

    @wraps(method)
    def answer(self, *args, **kwargs):
        return method(self._fitted(), *args, **kwargs)

    return answer


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
