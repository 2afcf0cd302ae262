"""The models of the suite: ours, and those of other libraries with fixed settings.

`fit_predict(table, train, test, seed)` of each fits the training rows and returns one
array per task for the test rows, as `_suite_scores.py` reads them. Models of one label
are fitted on the rows that have it. LightGBM, CatBoost, RealMLP and TabM hold out the
same random tenth of those, and stop by the task's own loss on it.

Other libraries are imported when their model is fitted.
"""

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _suite import SuiteTable, Task, n_repeats
from _suite_rechub import fit_predict_rechub
from pandas.api.types import is_numeric_dtype as is_numeric
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from sk_mtl import (
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    SingleTaskClassifier,
    SingleTaskRegressor,
)

PATIENCE = 50
MOST_CATEGORIES = 255
# A forest that saw no event in a leaf answers 0, which costs a count without end.
LEAST_SHARE_OF_MEAN = 1e-3
Answers = list[np.ndarray]
Predict = Callable[[pd.DataFrame], np.ndarray]
# (task, X, y, rows to fit, rows to stop by, seed) -> answers of a frame.
FitLabel = Callable[
    [Task, pd.DataFrame, pd.Series, np.ndarray, np.ndarray, int], Predict
]


def loss_names(table: SuiteTable) -> dict[str, str]:
    """Return the losses of a regressor by the task's type."""
    names = {"regression": "squared_error"}
    return {task.name: names.get(task.type, task.type) for task in table.tasks}


def make_default(table: SuiteTable, seed: int, wiring: str = "mmoe", **parameters: Any):
    """Return the default estimator for the types of the table's tasks.

    Parameters
    ----------
    wiring : {"mmoe", "single_task"}

    **parameters
        Differ from the defaults.
    """
    parameters["random_state"] = seed
    classifier, regressor = {
        "mmoe": (MMOEClassifier, MMOERegressor),
        "single_task": (SingleTaskClassifier, SingleTaskRegressor),
    }[wiring]
    kinds = {task.has_classes for task in table.tasks}
    if kinds == {True}:
        return classifier(**parameters)
    if kinds == {False}:
        return regressor(loss=loss_names(table), **parameters)
    types = {task.name: task.type for task in table.tasks}
    return MultiTaskEstimator(wiring=wiring, task_types=types, **parameters)


def read_answers(model, table: SuiteTable, X: pd.DataFrame) -> Answers:
    """Return what a fitted multi-task estimator answers, one array per task."""
    proba = numbers = None
    if any(task.has_classes for task in table.tasks):
        proba = model.predict_proba(X)
    if not all(task.has_classes for task in table.tasks):
        numbers = np.asarray(model.predict(X))
    return [
        proba[k] if task.has_classes else numbers[:, k].astype(float)
        for k, task in enumerate(table.tasks)
    ]


def fit_predict_default(
    table: SuiteTable,
    train: np.ndarray,
    test: np.ndarray,
    seed: int,
    wiring: str = "mmoe",
) -> Answers:
    model = make_default(table, seed, wiring)
    model.fit(table.X.iloc[train], table.y.iloc[train])
    return read_answers(model, table, table.X.iloc[test])


def fit_predict_single_task(
    table: SuiteTable, train: np.ndarray, test: np.ndarray, seed: int
) -> Answers:
    return fit_predict_default(table, train, test, seed, "single_task")


def fit_predict_best_of(
    table: SuiteTable, train: np.ndarray, test: np.ndarray, seed: int
) -> Answers:
    from sk_mtl.ensemble import best_of

    X, y = table.X.iloc[train], table.y.iloc[train]
    types = {task.name: task.type for task in table.tasks}
    model = best_of(X, y, task_types=types, random_state=seed).fit(X, y)
    return read_answers(model, table, table.X.iloc[test])


def fit_predict_forest(
    table: SuiteTable, train: np.ndarray, test: np.ndarray, seed: int
) -> Answers:
    """Fit one forest to all labels where each row has all and all are of one kind."""
    y = table.y.iloc[train]
    kinds = {task.has_classes for task in table.tasks}
    if len(kinds) > 1 or y.isna().any(axis=None):
        return fit_predict_per_label(_fit_forest, table, train, test, seed)
    forest = RandomForestClassifier if kinds == {True} else RandomForestRegressor
    model = make_pipeline(_encode_ordinal(), forest(random_state=seed))
    X = as_floats(table.X)
    if kinds == {True}:
        y = y.apply(lambda labels: pd.Index(sorted(set(labels))).get_indexer(labels))
    model.fit(X.iloc[train], y.to_numpy())
    if kinds == {True}:
        return model.predict_proba(X.iloc[test])
    return _floor_counts(table, train, list(model.predict(X.iloc[test]).T))


def fit_predict_per_label(
    fit: FitLabel, table: SuiteTable, train: np.ndarray, test: np.ndarray, seed: int
) -> Answers:
    """Fit one model per label on the rows that have it.

    Classes are given as codes of the sorted classes of all training rows; those that
    the model has not met get probability 0.
    """
    X, answers = as_floats(table.X), []
    for task in table.tasks:
        labels = table.y[task.name]
        rows = train[labels.iloc[train].notna().to_numpy()]
        order = np.random.default_rng(seed).permutation(len(rows))
        n_stop = len(rows) // 10
        stop, fit_rows = rows[order[:n_stop]], rows[order[n_stop:]]
        if task.has_classes:
            classes = pd.Index(sorted(labels.iloc[rows].unique()))
            labels = pd.Series(classes.get_indexer(labels), labels.index)
        predict = fit(task, X, labels, fit_rows, stop, seed)
        answer = predict(X.iloc[test])
        if task.has_classes and answer.shape[1] < len(classes):
            met = np.unique(labels.iloc[fit_rows])
            full = np.zeros((len(test), len(classes)))
            full[:, met] = answer
            answer = full
        answers.append(answer)
    return _floor_counts(table, train, answers)


def as_floats(X: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nullable integers as floats, which every library reads."""
    nullable = X.select_dtypes(["Int64", "boolean"])
    return X.astype(dict.fromkeys(nullable, "float64"))


def _floor_counts(table: SuiteTable, train: np.ndarray, answers: Answers) -> Answers:
    return [
        np.clip(
            answer, LEAST_SHARE_OF_MEAN * table.y[task.name].iloc[train].mean(), None
        )
        if task.type == "poisson"
        else answer
        for task, answer in zip(table.tasks, answers, strict=True)
    ]


def _encode_ordinal():
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        max_categories=MOST_CATEGORIES,
    )
    return make_column_transformer(
        (encoder, make_column_selector(dtype_include=["category", object])),
        remainder="passthrough",
    )


def _fit_forest(task, X, y, fit_rows, stop, seed) -> Predict:
    forest = RandomForestClassifier if task.has_classes else RandomForestRegressor
    rows = np.concatenate([fit_rows, stop])
    model = make_pipeline(_encode_ordinal(), forest(random_state=seed))
    model.fit(X.iloc[rows], y.iloc[rows])
    return model.predict_proba if task.has_classes else model.predict


def fit_histogram(task, X, y, fit_rows, stop, seed) -> Predict:
    """Fit HistGradientBoosting, which splits off rows itself above 10,000 rows."""
    rows = np.concatenate([fit_rows, stop])
    categorical = np.arange(X.shape[1]) < len(X.select_dtypes(["category", object]).T)
    options = {"random_state": seed, "categorical_features": categorical}
    if task.has_classes:
        booster = HistGradientBoostingClassifier(**options)
    else:
        loss = "squared_error" if task.type == "regression" else "poisson"
        booster = HistGradientBoostingRegressor(loss=loss, **options)
    model = make_pipeline(_encode_ordinal(), booster).fit(X.iloc[rows], y.iloc[rows])
    return model.predict_proba if task.has_classes else model.predict


def fit_lightgbm(task, X, y, fit_rows, stop, seed) -> Predict:
    import lightgbm

    objective = {
        "binary": "binary",
        "multiclass": "multiclass",
        "regression": "regression",
        "poisson": "poisson",
        "ziln": "tweedie",
    }[task.type]
    parameters = {
        "objective": objective,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "seed": seed,
        "num_threads": 1,
        "verbosity": -1,
    }
    if task.type == "multiclass":
        parameters["num_class"] = y[y >= 0].nunique()
    data = lightgbm.Dataset(X.iloc[fit_rows], y.iloc[fit_rows])
    booster = lightgbm.train(
        parameters,
        data,
        num_boost_round=2000,
        valid_sets=[data.create_valid(X.iloc[stop], y.iloc[stop])],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    if task.type != "binary":
        return booster.predict

    def predict_proba(rows: pd.DataFrame) -> np.ndarray:
        positive = booster.predict(rows)
        return np.column_stack([1 - positive, positive])

    return predict_proba


def fit_catboost(task, X, y, fit_rows, stop, seed) -> Predict:
    import catboost

    names = [c for c in X if not is_numeric(X[c])]

    def as_text(rows: pd.DataFrame) -> pd.DataFrame:
        text = rows[names].astype(object).fillna("missing").astype(str)
        return rows.assign(**text.astype(object))

    objective = {
        "binary": "Logloss",
        "multiclass": "MultiClass",
        "regression": "RMSE",
        "poisson": "Poisson",
        "ziln": "Tweedie:variance_power=1.5",
    }[task.type]
    model_class = (
        catboost.CatBoostClassifier if task.has_classes else catboost.CatBoostRegressor
    )
    model = model_class(
        loss_function=objective,
        learning_rate=0.08,
        iterations=1000,
        max_ctr_complexity=1,
        cat_features=names,
        random_seed=seed,
        thread_count=1,
        allow_writing_files=False,
        verbose=False,
    )
    model.fit(
        as_text(X.iloc[fit_rows]),
        y.iloc[fit_rows],
        eval_set=(as_text(X.iloc[stop]), y.iloc[stop]),
        early_stopping_rounds=PATIENCE,
        use_best_model=True,
    )
    if task.has_classes:
        return lambda rows: model.predict_proba(as_text(rows), thread_count=1)
    # Without it, the answer of a Poisson model is the logarithm of the mean.
    kind = "Exponent" if task.type in ("poisson", "ziln") else "RawFormulaVal"
    return lambda rows: model.predict(
        as_text(rows), prediction_type=kind, thread_count=1
    )


def fit_pytabkit(
    classifier: str, regressor: str, task, X, y, fit_rows, stop, seed
) -> Predict:
    """Fit a network of pytabkit with its tuned defaults.

    Classes stop by the log-loss in place of the error rate, and without smoothed
    labels, as the library recommends where probabilities count. It refuses missing
    numbers, so they become the mean, beside a column that tells which were missing.
    """
    import pytabkit

    options = {"device": "cpu", "random_state": seed, "n_threads": 1}
    if task.has_classes:
        options["val_metric_name"] = "cross_entropy"
        if classifier.startswith("RealMLP"):
            options["use_ls"] = False
    name = classifier if task.has_classes else regressor
    model = getattr(pytabkit, name)(**options)
    categorical = list(X.columns[~np.array([is_numeric(X[c]) for c in X])])
    numbers = X.drop(columns=categorical)
    means = numbers.iloc[fit_rows].mean().fillna(0)
    gaps = numbers.columns[numbers.iloc[fit_rows].isna().any()]

    def fill(rows: pd.DataFrame) -> pd.DataFrame:
        missing = rows[gaps].isna().astype("float64").add_suffix(" missing")
        filled = rows[numbers.columns].astype("float64").fillna(means)
        return pd.concat([rows[categorical], filled, missing], axis=1)

    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        model.fit(
            fill(X.iloc[fit_rows]),
            y.iloc[fit_rows],
            X_val=fill(X.iloc[stop]),
            y_val=y.iloc[stop],
            cat_col_names=categorical,
        )

    def predict(rows: pd.DataFrame) -> np.ndarray:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            if task.has_classes:
                return model.predict_proba(fill(rows))
            return np.asarray(model.predict(fill(rows))).ravel()

    return predict


def per_label(fit: FitLabel, *names: str) -> Callable[..., Answers]:
    """Return the `fit_predict` of a model that is fitted label by label."""

    def fit_predict(table, train, test, seed) -> Answers:
        def fit_one(*arguments) -> Predict:
            return fit(*names, *arguments)

        return fit_predict_per_label(fit_one, table, train, test, seed)

    return fit_predict


DEFAULT, BEST_OF, LIGHTGBM = "default", "best_of", "LightGBM"
OURS = {
    DEFAULT: fit_predict_default,
    BEST_OF: fit_predict_best_of,
    "single task": fit_predict_single_task,
}
OTHERS = {
    LIGHTGBM: per_label(fit_lightgbm),
    "CatBoost": per_label(fit_catboost),
    "HistGradientBoosting": per_label(fit_histogram),
    "RandomForest": fit_predict_forest,
    "torch-rechub MMoE": fit_predict_rechub,
}
SLOW = {
    "RealMLP-TD": per_label(
        fit_pytabkit, "RealMLP_TD_Classifier", "RealMLP_TD_Regressor"
    ),
    "TabM-D": per_label(fit_pytabkit, "TabM_D_Classifier", "TabM_D_Regressor"),
}
MODELS = {**OURS, **OTHERS, **SLOW}
SLOW_BELOW = 5_000


def n_fits(model: str, n_rows: int) -> int:
    """Return how often a model is fitted to a table of so many rows."""
    if model in SLOW:
        return int(n_rows < SLOW_BELOW)
    return n_repeats(n_rows)
