"""Tables of facts about a fitted model and the rows it is judged by."""

import platform
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl._labels import read_labels
from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl._version import __version__
from sk_mtl.inspection._plots._row_groups import row_groups
from sk_mtl.metrics import task_metric, task_scores
from sk_mtl.metrics._fitted_tasks import FittedTasks

_CLASS_METRICS = ("roc_auc", "average_precision", "log_loss")
_NUMBER_METRICS = ("r2", "mean_absolute_error")
_PACKAGES = ("torch", "scikit-learn", "skorch", "pandas", "numpy")


class JudgedRows:
    """Rows with labels and the model's answers, computed once.

    Parameters
    ----------
    model : MultiTaskModel
        Fitted.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
    """

    def __init__(self, model, X, y):
        self.model, self.X, self.y = model, X, y
        self.names, self.n_samples = model.task_names_, len(X)
        # The columns in the order of the tasks, whatever their order in y.
        columns = read_labels(y).columns_of(self.names)
        self.labels = pd.DataFrame(dict(enumerate(columns)))
        tasks = FittedTasks(model, self.labels)
        self.kinds = tasks.kinds
        wanted = {"class": "predict_proba", "number": "predict"}
        self._answers = {
            wanted[kind]: getattr(model, wanted[kind])(X) for kind in set(self.kinds)
        }

    def rows(self, chosen=None):
        """Return the labelled rows of each task, of all rows or of chosen positions."""
        if chosen is None:
            labels, answers = self.labels, self._answers
        else:
            labels = self.labels.iloc[chosen]
            answers = {
                method: _taken(each, chosen) for method, each in self._answers.items()
            }
        tasks = FittedTasks(self.model, labels)
        return tasks.rows(None, respond=answers.__getitem__)

    def tasks(self):
        """Return a row for each task: what it holds, and what is predicted of it."""
        table = [
            {"type": _type_of(kind, own), **_means(own)}
            for kind, own in zip(self.kinds, self.rows(), strict=True)
        ]
        return pd.DataFrame(table, index=_index(self.names))

    def scores(self):
        """Return a row for each task and a column for each metric."""
        metrics = []
        metrics += _CLASS_METRICS if "class" in self.kinds else ()
        metrics += _NUMBER_METRICS if "number" in self.kinds else ()
        with warnings.catch_warnings():
            # Tasks without both classes have no score, which the table shows.
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return task_scores(
                self.labels,
                self._answers.get("predict_proba"),
                metrics,
                task_names=self.names,
                y_pred=self._answers.get("predict"),
                classes=getattr(self.model, "classes_", None),
                missing_label=getattr(self.model, "missing_label", None),
                pos_label=getattr(self.model, "pos_label_", None) or None,
            )

    def segments(self, by):
        """Return a row for each task and group of rows, by one column of X.

        Parameters
        ----------
        by : str or array-like of shape (n_samples,)
        """
        name, groups = row_groups(by, self.X)
        tables = []
        for k, group in enumerate(groups.categories):
            chosen = np.flatnonzero(groups.codes == k)
            if not len(chosen):
                continue
            for task, own in zip(self.names, self.rows(chosen), strict=True):
                score = _score(own)
                tables.append({"task": task, name: group, **_means(own), **score})
        table = pd.DataFrame(tables)
        order = {task: k for k, task in enumerate(self.names)}
        return table.sort_values("task", key=lambda t: t.map(order), kind="stable")

    def has_binary_task(self):
        """Return whether a task of two classes has labels of both."""
        return any(
            own.kind == "class" and len(own.classes) == 2 and len(set(own.codes)) == 2
            for own in self.rows()
            if own.kind == "number" or own.classes is not None
        )


def _taken(answers, chosen):
    if isinstance(answers, list):
        return [None if each is None else each[chosen] for each in answers]
    return _safe_indexing(answers, chosen)


def _type_of(kind, rows):
    if kind == "number":
        return "number"
    n_classes = rows.answers.shape[1]
    return "binary" if n_classes == 2 else f"{n_classes} classes"


def _means(rows):
    """Return the number of labelled rows, the observed and the predicted mean."""
    means = {"labelled rows": len(rows.labels), "observed": np.nan}
    if not len(rows.labels):
        return {**means, "predicted": np.nan}
    if rows.kind == "number":
        observed, predicted = rows.labels.mean(), rows.answers.mean()
    elif rows.answers.shape[1] == 2:
        observed = (rows.codes == rows.positive).mean()
        predicted = rows.answers[:, rows.positive].mean()
    else:
        return {**means, "predicted": np.nan}
    return {**means, "observed": float(observed), "predicted": float(predicted)}


def _score(rows):
    """Return the score of some rows: the metric that fits the task."""
    name = "r2" if rows.kind == "number" else "roc_auc"
    if len(rows.labels) < 2:
        return {"metric": name, "score": np.nan}
    return {"metric": name, "score": task_metric(name).of_rows(rows)}


def _index(names):
    return pd.Index(names, name="task", tupleize_cols=False)


def versions():
    """Return the versions of the packages, by name."""
    found = {"sk_mtl": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def changed_parameters(model):
    """Return the parameters that differ from their defaults, as text."""
    defaults = type(model)().get_params(deep=False)
    return {
        name: repr(value)
        for name, value in model.get_params(deep=False).items()
        if repr(value) != repr(defaults.get(name))
    }
