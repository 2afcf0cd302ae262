"""Partial dependence of every task's answer on a column."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.inspection import partial_dependence

from sk_mtl._close_names import did_you_mean
from sk_mtl._frames import as_pandas, column_names
from sk_mtl.inspection._plots._fitted_model import model_and_rows


def partial_dependence_by_task(
    estimator, X, features, *, grid_resolution=50, percentiles=(0.05, 0.95)
):
    """Return the mean answer of each task as a function of single columns.

    It is scikit-learn's `partial_dependence` of ``model.task(name)``, for all tasks: a
    column is set to one value in all rows, and the answers are averaged. Columns that
    go together with it keep their values, so that some of these rows may be impossible.

    Parameters
    ----------
    estimator : estimator
        Fitted; a multi-task model, or a pipeline or search of one.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
        Rows to average over. Some hundreds are enough.
    features : str or list of str
        Columns of X, ``"x0"``, ``"x1"`` and so on for an array. Columns of numbers get
        a grid of values, others all categories that they hold.
    grid_resolution : int, default=50
        Values of the grid.
    percentiles : tuple of float, default=(0.05, 0.95)
        Shares of the rows at which the grid starts and ends.

    Returns
    -------
    table : DataFrame
        Columns `task`, `class`, `feature`, `value` and `average`: the mean probability
        of the class, which is the positive one of two and each of several, or the mean
        prediction of a task of numbers, whose class is None.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import partial_dependence_by_task
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:400], y[:400]
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X, y)
    >>> table = partial_dependence_by_task(model, X[:50], "age", grid_resolution=3)
    >>> table.groupby("task", sort=False).size().to_dict()
    {'income': 3, 'married': 3}
    """
    model, X = model_and_rows("partial_dependence_by_task", estimator, X, "task")
    features = [features] if isinstance(features, str) else list(features)
    parts = []
    for feature in features:
        rows, options = _grid_of(X, feature)
        for task in model.task_names_:
            view = model.task(task)
            found = partial_dependence(
                view,
                rows,
                kind="average",
                grid_resolution=grid_resolution,
                percentiles=percentiles,
                **options,
            )
            values = np.asarray(found["grid_values"][0])
            for name, average in _averages(view, found["average"]):
                columns = {"task": task, "class": name, "feature": feature}
                parts.append(_table(columns, values, average))
    return pd.concat(parts, ignore_index=True)


def _grid_of(X, feature):
    """Return the rows and keywords of scikit-learn's function for one column."""
    names = column_names(X)
    if feature not in names:
        raise ValueError(
            f"features must be columns of X, among {names}; found {feature!r}. "
            + (did_you_mean(str(feature), names) or "Use one of these names.")
        )
    position = names.index(feature)
    if not hasattr(X, "columns"):
        return np.asarray(X, float), {"features": [position]}
    table = as_pandas(X).copy()
    column = table.iloc[:, position]
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        # The grid lies between the numbers of a column of integers, too.
        table.isetitem(position, column.astype(float))
        return table, {"features": [feature]}
    values = np.array(sorted(column.dropna().unique(), key=str), dtype=object)
    # Its own type may not hold what scikit-learn writes into the column.
    table.isetitem(position, column.astype(object))
    return table, {
        "features": [feature],
        "categorical_features": [feature],
        "custom_values": {feature: values},
    }


def _averages(view, average):
    """Yield the classes of a task and their averages; None for a task of numbers."""
    classes = getattr(view, "classes_", None)
    if classes is None:
        yield None, average[0]
    elif len(classes) > 2:
        yield from zip(classes.tolist(), average, strict=True)
    else:
        # scikit-learn answers for the class that sorts last.
        (positive,) = view.pos_label_.values() or (classes[1],)
        is_last = positive == classes[1]
        yield positive, average[0] if is_last else 1 - average[0]


def _table(columns, values, average):
    constant = {
        name: pd.Series([each] * len(values), dtype=object)
        for name, each in columns.items()
    }
    return pd.DataFrame({**constant, "value": values, "average": average})
