"""Gradient boosting of three libraries, stopped on validation rows."""

import inspect
import time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

# Rounds of a first fit under a time limit; each further one doubles them.
_FIRST_ROUNDS = 25
_FEW_ROWS = 20_000

_CATBOOST_LOSSES = {
    "squared_error": "RMSE",
    "poisson": "Poisson",
    "gamma": "Tweedie:variance_power=1.9",
}
_LIGHTGBM_LOSSES = {"squared_error": "l2", "poisson": "poisson", "gamma": "gamma"}


class TreeRows(NamedTuple):
    """Rows of a table for trees: floats, labels and weights or None."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None


class Boosting(NamedTuple):
    """Settings by which trees are grown.

    Attributes
    ----------
    n_categories : int
        The number of columns of codes, which come first.
    loss : str or None
        The loss of numbers, None for classes.
    learning_rate : float
    max_iter : int
    n_iter_no_change : int
        The rounds without a better loss on the validation rows that end a fit.
    params : dict
        Further parameters in the library's own words.
    random_state : int
    stop_at : float or None
        The time on the monotonic clock at which a fit must end.
    """

    n_categories: int
    loss: str | None
    learning_rate: float
    max_iter: int
    n_iter_no_change: int
    params: dict
    random_state: int
    stop_at: float | None


def fit_hist_gradient_boosting(boosting: Boosting, train: TreeRows, valid) -> Any:
    """Return scikit-learn's fitted model; `valid` is None without early stopping."""
    own, kind = {}, HistGradientBoostingClassifier
    if boosting.loss is not None:
        own, kind = {"loss": boosting.loss}, HistGradientBoostingRegressor
    model = kind(
        **{
            **own,
            "learning_rate": boosting.learning_rate,
            "max_iter": boosting.max_iter,
            "early_stopping": valid is not None,
            "n_iter_no_change": boosting.n_iter_no_change,
            "categorical_features": [*range(boosting.n_categories)],
            "random_state": boosting.random_state,
            **boosting.params,
        }
    )
    given = {}
    if valid is not None:
        given = {"X_val": valid.X, "y_val": valid.y, "sample_weight_val": valid.weight}
    if boosting.stop_at is None:
        return model.fit(train.X, train.y, train.weight, **given)
    return _fit_until(model, boosting, train, given)


def _fit_until(model, boosting, train, given):
    """Add rounds, twice as many each time, until the next ones would take too long."""
    model.set_params(warm_start=True)
    rounds = min(_FIRST_ROUNDS, boosting.max_iter)
    while True:
        start = time.monotonic()
        model.set_params(max_iter=rounds).fit(train.X, train.y, train.weight, **given)
        now = time.monotonic()
        is_over = now + 2 * (now - start) > boosting.stop_at
        if is_over or model.n_iter_ < rounds or rounds == boosting.max_iter:
            return model
        rounds = min(2 * rounds, boosting.max_iter)


def fit_lightgbm(boosting: Boosting, train: TreeRows, valid) -> Any:
    """Return LightGBM's fitted model; `valid` is None without early stopping."""
    import lightgbm

    is_class = boosting.loss is None
    kind = lightgbm.LGBMClassifier if is_class else lightgbm.LGBMRegressor
    own = {} if is_class else {"objective": _LIGHTGBM_LOSSES[boosting.loss]}
    model = kind(
        **{
            **own,
            "learning_rate": boosting.learning_rate,
            "n_estimators": boosting.max_iter,
            "random_state": boosting.random_state,
            "verbosity": -1,
            # On few rows, threads wait for each other for longer than they work.
            "n_jobs": 1 if len(train.y) < _FEW_ROWS else None,
            **boosting.params,
        }
    )
    callbacks, given = [], {}
    if valid is not None:
        stop = lightgbm.early_stopping(boosting.n_iter_no_change, verbose=False)
        callbacks.append(stop)
        # LightGBM 4.6 and before take pairs.
        if "eval_X" in inspect.signature(model.fit).parameters:
            given |= {"eval_X": valid.X, "eval_y": valid.y}
        else:
            given["eval_set"] = [(valid.X, valid.y)]
        given["eval_sample_weight"] = [valid.weight]
    if boosting.stop_at is not None:

        def stop_in_time(env):
            if time.monotonic() > boosting.stop_at:
                results = env.evaluation_result_list or []
                raise lightgbm.callback.EarlyStopException(env.iteration, results)

        callbacks.append(stop_in_time)
    categories = [*range(boosting.n_categories)]
    return model.fit(
        train.X,
        train.y,
        sample_weight=train.weight,
        categorical_feature=categories,
        callbacks=callbacks,
        **given,
    )


def fit_catboost(boosting: Boosting, train: TreeRows, valid) -> Any:
    """Return CatBoost's fitted model; `valid` is None without early stopping."""
    import catboost

    is_class = boosting.loss is None
    kind = catboost.CatBoostClassifier if is_class else catboost.CatBoostRegressor
    own = {} if is_class else {"loss_function": _CATBOOST_LOSSES[boosting.loss]}
    model = kind(
        **{
            **own,
            "learning_rate": boosting.learning_rate,
            "iterations": boosting.max_iter,
            "random_seed": boosting.random_state,
            "cat_features": [*range(boosting.n_categories)],
            "allow_writing_files": False,
            "verbose": False,
            **boosting.params,
        }
    )
    given = {}
    if valid is not None:
        pool = catboost.Pool(
            catboost_table(valid.X, boosting.n_categories),
            valid.y,
            weight=valid.weight,
            cat_features=[*range(boosting.n_categories)],
        )
        given = {
            "eval_set": pool,
            "early_stopping_rounds": boosting.n_iter_no_change,
            "use_best_model": True,
        }
    if boosting.stop_at is not None:
        given["callbacks"] = [_StopInTime(boosting.stop_at)]
    table = catboost_table(train.X, boosting.n_categories)
    return model.fit(table, train.y, sample_weight=train.weight, **given)


class _StopInTime:
    """A callback of CatBoost that ends a fit at a time of the monotonic clock."""

    def __init__(self, stop_at):
        self.stop_at = stop_at

    def after_iteration(self, info):
        """Return whether the fit continues."""
        return time.monotonic() < self.stop_at


def count_rounds(model):
    """Return the number of rounds of a fitted model of any of the libraries."""
    for name in ("n_iter_", "best_iteration_", "tree_count_"):
        if getattr(model, name, None):
            return int(getattr(model, name))
    return int(model.n_estimators_)


def catboost_table(X, n_categories):
    """Return a table with codes as integers, as CatBoost takes categories."""
    table = pd.DataFrame(X)
    return table.astype(dict.fromkeys(range(n_categories), int))


LIBRARIES = {
    "hist_gradient_boosting": fit_hist_gradient_boosting,
    "lightgbm": fit_lightgbm,
    "catboost": fit_catboost,
}
