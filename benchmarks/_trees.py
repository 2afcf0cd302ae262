"""Gradient boosting as a practitioner fits it: one model per label, stopped early.

Every model keeps the rounds up to the best one on the validation rows, by `stop_on`:
their AUC, which is what the tables compare, or their log-loss, the better guide where
they are few, because the AUC of a handful of positives moves in steps. Categories are
native categories. `fit_lightgbm` and `fit_catboost` fit one label; `fit_per_label`
makes one model of several labels out of either.

Needs the extra `bench`.
"""

from collections.abc import Callable

import catboost
import lightgbm
import numpy as np
import pandas as pd

N_THREADS = 2
# Below it, LightGBM gets one thread: two would wait for each other for longer than they
# work, and on a busy machine a hundred times as long.
FEW_ROWS = 20_000
# Above it, CatBoost gets a larger learning rate, fewer trees and no combinations of
# categories: with its own settings a label of Census-Income (KDD) takes far longer.
MANY_ROWS = 100_000
Predict = Callable[[pd.DataFrame], np.ndarray]


def fit_per_label(
    fit: Callable[..., Predict],
    X: pd.DataFrame,
    y: pd.DataFrame,
    X_val: pd.DataFrame,
    y_val: pd.DataFrame,
    seed: int,
    **options,
) -> Callable[[pd.DataFrame], list[np.ndarray]]:
    """Fit one model per column of y, and return their common `predict_proba`."""
    models = [fit(X, y[name], X_val, y_val[name], seed, **options) for name in y]
    return lambda rows: [predict(rows) for predict in models]


def fit_lightgbm(
    X: pd.DataFrame,
    y_column: pd.Series,
    X_val: pd.DataFrame,
    y_val_column: pd.Series,
    seed: int,
    slow: bool = False,
    stop_on: str = "auc",
    n_threads: int = N_THREADS,
) -> Predict:
    """Fit LightGBM to one label; `slow` takes small steps with larger trees.

    Without sampling of rows or features the seed only decides of which 200,000 rows the
    bins of the features are made. No table here has more, so every seed gives the same
    model.
    """
    # Only what the training part shows counts as a category; what it does not show is
    # missing.
    dtypes = {
        name: pd.CategoricalDtype(column.cat.remove_unused_categories().cat.categories)
        for name, column in X.select_dtypes("category").items()
    }
    train = lightgbm.Dataset(X.astype(dtypes), y_column)
    valid = lightgbm.Dataset(X_val.astype(dtypes), y_val_column, reference=train)
    parameters = {
        "objective": "binary",
        "metric": {"auc": "auc", "log_loss": "binary_logloss"}[stop_on],
        "learning_rate": 0.02 if slow else 0.05,
        "num_leaves": 63 if slow else 31,
        "num_threads": n_threads if len(X) > FEW_ROWS else 1,
        "seed": seed,
        "verbosity": -1,
    }
    patience = 100 if slow else 50
    booster = lightgbm.train(
        parameters,
        train,
        num_boost_round=4000 if slow else 2000,
        valid_sets=[valid],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )

    def predict(rows: pd.DataFrame) -> np.ndarray:
        positive = booster.predict(rows.astype(dtypes), num_threads=n_threads)
        return np.column_stack([1 - positive, positive])

    return predict


def fit_catboost(
    X: pd.DataFrame,
    y_column: pd.Series,
    X_val: pd.DataFrame,
    y_val_column: pd.Series,
    seed: int,
    stop_on: str = "auc",
) -> Predict:
    """Fit CatBoost to one label; the seed decides the order of rows and their weights.

    CatBoost counts labels by category itself and has a prior for categories that it
    never saw, so it gets them as text, a missing one as a category.
    """
    names = list(X.select_dtypes("category"))

    def as_text(rows: pd.DataFrame) -> pd.DataFrame:
        text = rows[names].astype(object).fillna("missing").astype(str)
        return rows.assign(**text.astype(object))

    if len(X) > MANY_ROWS:
        size = {"learning_rate": 0.12, "iterations": 700, "max_ctr_complexity": 1}
    else:
        size = {"learning_rate": 0.08, "iterations": 2000}
    model = catboost.CatBoostClassifier(
        **size,
        eval_metric={"auc": "AUC", "log_loss": "Logloss"}[stop_on],
        cat_features=names,
        random_seed=seed,
        thread_count=N_THREADS,
        allow_writing_files=False,
        verbose=False,
    )
    model.fit(
        as_text(X),
        y_column,
        eval_set=(as_text(X_val), y_val_column),
        early_stopping_rounds=50,
        use_best_model=True,
    )
    return lambda rows: model.predict_proba(as_text(rows), thread_count=N_THREADS)
