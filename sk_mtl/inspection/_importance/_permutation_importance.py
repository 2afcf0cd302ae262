"""Permutation importance of the columns for every task."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from sk_mtl.inspection._importance._permuted_rows import PermutedColumns
from sk_mtl.metrics._fitted_tasks import FittedTasks
from sk_mtl.metrics._scored_tasks import metrics_of_tasks


def permutation_importance_by_task(
    estimator, X, y, *, scoring=None, n_repeats=5, sample_weight=None, random_state=None
):
    """Return how much each task's score falls when a column is permuted.

    The numbers equal scikit-learn's `permutation_importance` with a scorer of each task
    and the same `random_state`. It takes a fraction of the time: one set of
    permutations serves all tasks, rows are encoded once, because to permute a column is
    to permute the features that are made of it, and rows that get their own value or
    one seen before are not answered again. Where a step of the preprocessing mixes
    columns, and for pipelines and other estimators, the column of X is permuted,
    encoded and answered anew.

    Columns that carry the same information hide each other: permuting one leaves the
    other, and both look unimportant.

    Parameters
    ----------
    estimator : estimator
        Fitted; a multi-task model, a pipeline or search of one, or any estimator of
        several outputs.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
        Rows that the estimator was not fitted to.
    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left out.
    scoring : str, callable, TaskMetric or TaskScorer, default=None
        As :func:`~sk_mtl.metrics.make_task_scorer` takes or returns. Tasks that the
        metric is not of are left out. None takes the area under the ROC curve for
        classes and R² for numbers.
    n_repeats : int, default=5
        Permutations of each column.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
            default=None
        Weights of the rows in the scores.
    random_state : int, RandomState instance or None, default=None
        Decides on the permutations.

    Returns
    -------
    result : Bunch
        `importances` : ndarray of shape (n_tasks, n_features, n_repeats), the score
        less the score with the permuted column, in the units of the metric; its sign is
        turned where less is better. `importances_mean` and `importances_std` : ndarray
        of shape (n_tasks, n_features). `frame` : DataFrame with the columns `task`,
        `column`, `metric`, `mean` and `std`. `task_names`, `feature_names` : list.

    See Also
    --------
    ImportanceDisplay : Draws the result.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import permutation_importance_by_task
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X.iloc[:600, :3], y[:600]
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X[:400], y[:400])
    >>> result = permutation_importance_by_task(
    ...     model, X[400:], y[400:], n_repeats=2, random_state=0
    ... )
    >>> result.importances.shape
    (2, 3, 2)
    >>> result.frame["column"].tolist()[:3] == list(X)
    True
    """
    check_is_fitted(estimator)
    if not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(
            f"n_repeats must be an integer >= 1; found {n_repeats!r}. Give a number of "
            "permutations."
        )
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    model = estimator if hasattr(estimator, "predictor_") else None
    tasks = FittedTasks(estimator, y)
    metrics = metrics_of_tasks(tasks, scoring)
    pos_label = getattr(scoring, "pos_label", None)
    columns = PermutedColumns(estimator, X, model)

    def scores(respond):
        rows = tasks.rows(X, list(metrics), sample_weight, respond, pos_label)
        return np.array(
            [
                metric.of_rows(own) * (1 if metric.greater_is_better else -1)
                for metric, own in zip(metrics.values(), rows, strict=True)
            ]
        )

    baseline = scores(columns.answer())
    orders = _orders(len(y), n_repeats, random_state)
    importances = np.stack(
        [
            np.stack([baseline - scores(each) for each in columns.permuted(j, orders)])
            for j in range(len(columns.names))
        ]
    ).T.swapaxes(1, 2)
    names = [tasks.names[k] for k in metrics]
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=2),
        importances_std=importances.std(axis=2),
        frame=_frame(importances, names, columns.names, metrics.values()),
        task_names=names,
        feature_names=columns.names,
    )


def _orders(n_samples, n_repeats, random_state):
    """Return the permutations that scikit-learn's function applies to each column."""
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max + 1)
    generator = np.random.RandomState(seed)
    shuffled, order = np.arange(n_samples), np.arange(n_samples)
    orders = []
    for _ in range(n_repeats):
        generator.shuffle(shuffled)
        # There, the column that was permuted before is permuted once more.
        order = order[shuffled]
        orders.append(order)
    return orders


def _frame(importances, task_names, columns, metrics):
    tables = []
    for own, task, metric in zip(importances, task_names, metrics, strict=True):
        named = pd.Series([task] * len(columns), dtype=object)
        values = {"mean": own.mean(axis=1), "std": own.std(axis=1)}
        tables.append(
            pd.DataFrame(
                {"task": named, "column": columns, "metric": metric.name, **values}
            )
        )
    return pd.concat(tables, ignore_index=True)
