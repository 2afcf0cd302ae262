"""Parts of an ensemble, fitted: multi-task models, and single-label models per task."""

import inspect
from typing import Any, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from sk_mtl._labels import as_numbers, class_codes, plain_values
from sk_mtl.ensemble._frequent_categories import adapted
from sk_mtl.ensemble._part_settings import answered_tasks, is_multi_task
from sk_mtl.metrics._number_rows import prediction_columns

# Smaller probabilities count as this one: single precision does not tell a larger
# one from certainty, and a mean of logarithms must not be decided by one zero.
_LEAST = 1e-7


class FittedPart(NamedTuple):
    """A fitted part of an ensemble.

    Attributes
    ----------
    name : str
    estimator : estimator, or dict of task name to estimator
        A multi-task model, or the fitted clones of a single-label estimator.
    positions : list of int
        The tasks that it answers.
    """

    name: str
    estimator: Any
    positions: list

    def answers(self, X, tasks):
        """Return the answers for each task, None where the part has none.

        The answers of classes are log-probabilities of shape (n_samples, n_classes), of
        a step given that the step before was reached; of numbers they are predictions
        of shape (n_samples,).
        """
        if isinstance(self.estimator, dict):
            found = _answer_each(self.estimator, X, tasks)
        else:
            found = _answer_together(self.estimator, X, tasks, self.positions)
        return [found.get(k) for k in range(len(tasks.names))]


def fit_part(name, estimator, rows, tasks, classes=None):
    """Return a clone of a part, fitted to the rows.

    Parameters
    ----------
    name : str
    estimator : estimator
    rows : VotedRows
    tasks : VotedTasks
    classes : list of (ndarray or None), default=None
        All classes of each task, for multi-task models of rows that may miss a class.
    """
    positions = answered_tasks(estimator, tasks)
    if not positions:
        return FittedPart(name, {}, [])
    if is_multi_task(estimator):
        given = {"sample_weight": rows.weight, "groups": rows.groups}
        if given["sample_weight"] is not None:
            weight = rows.weight[:, positions]
            given["sample_weight"] = weight[:, 0] if tasks.one_dimensional else weight
        if classes is not None:
            own = [classes[k] for k in positions]
            given["classes"] = own[0] if tasks.one_dimensional else own
        if not any(k in positions for k in tasks.class_tasks):
            given.pop("classes", None)
        fitted = clone(estimator).fit(
            rows.X, rows.y_of(tasks, positions), **keywords_of_fit(estimator, given)
        )
        return FittedPart(name, fitted, positions)
    fitted = {}
    reached = tasks.reached(rows.codes)
    for k in positions:
        keep = np.flatnonzero(reached[:, k] & ~np.isnan(rows.codes[:, k]))
        if tasks.classes[k] is not None and len(np.unique(rows.codes[keep, k])) < 2:
            # One class alone teaches nothing: the other parts decide the task.
            continue
        fitted[tasks.names[k]] = _fit_task(name, estimator, rows.take(keep), tasks, k)
    return FittedPart(name, fitted, [k for k in positions if tasks.names[k] in fitted])


def _fit_task(name, estimator, rows, tasks, k):
    """Return a clone of a single-label estimator, fitted to the rows of one task."""
    labels = plain_values(rows.columns[k])
    if tasks.classes[k] is None:
        labels = rows.codes[:, k]
    estimator = adapted(estimator, rows.X, tasks.names[k])
    given = {"sample_weight": _weight_of(rows, k)}
    if given["sample_weight"] is not None and not _takes(estimator, "sample_weight"):
        raise TypeError(
            "Weights other than 0 and 1 need estimators whose fit takes sample_weight; "
            f"found {name!r}, {type(estimator).__name__}, which does not. Leave "
            "sample_weight out, or set this estimator to 'drop'."
        )
    if _takes(estimator, "groups"):
        given["groups"] = rows.groups
    try:
        return clone(estimator).fit(rows.X, labels, **keywords_of_fit(estimator, given))
    except Exception as error:
        error.add_note(f"In the fit of {name!r} to task {tasks.names[k]!r}.")
        raise


def _weight_of(rows, k):
    if rows.weight is None or (rows.weight[:, k] == 1).all():
        return None
    return rows.weight[:, k]


def keywords_of_fit(estimator, given):
    """Return keywords of `fit` that are not None, named for a pipeline's last step."""
    steps, last = [], estimator
    while isinstance(last, Pipeline) and not get_config()["enable_metadata_routing"]:
        step, last = last.steps[-1]
        steps.append(step)
    return {
        "__".join([*steps, name]): value
        for name, value in given.items()
        if value is not None
    }


def _takes(estimator, name):
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    if name == "groups":
        return name in inspect.signature(estimator.fit).parameters and hasattr(
            estimator, "predict"
        )
    return has_fit_parameter(estimator, name)


def _answer_each(fitted, X, tasks):
    """Return the answers of single-label models by the positions of their tasks."""
    answers = {}
    for name, model in fitted.items():
        k = tasks.names.index(name)
        if tasks.classes[k] is None:
            answers[k] = np.asarray(model.predict(X), dtype=float).reshape(-1)
        else:
            proba = _aligned(model.predict_proba(X), model.classes_, tasks.classes[k])
            answers[k] = _log(proba)
    return answers


def _answer_together(model, X, tasks, positions):
    """Return the answers of a multi-task model by the positions of its tasks."""
    answers = {}
    numbers = [k for k in positions if tasks.classes[k] is None]
    if numbers:
        predicted = model.predict(X)
        names = [tasks.names[k] for k in positions]
        columns = prediction_columns(predicted, names, len(predicted))
        for k in numbers:
            column = columns[positions.index(k)]
            answers[k] = as_numbers(
                column, f"The predictions of {tasks.names[k]!r}", ""
            )
    if len(numbers) == len(positions):
        return answers
    steps = tasks.parents is not None
    conditional = steps and hasattr(model, "predict_conditional_proba")
    answer = model.predict_conditional_proba if conditional else model.predict_proba
    probas, classes = answer(X), model.classes_
    if tasks.one_dimensional:
        probas, classes = [probas], [classes]
    each = {
        k: _aligned(probas[j], classes[j], tasks.classes[k])
        for j, k in enumerate(positions)
        if k not in numbers
    }
    if steps and not conditional:
        each = _conditional(each, tasks)
    return {**answers, **{k: _log(proba) for k, proba in each.items()}}


def _aligned(proba, found, classes):
    """Return probabilities with a column for each of the classes of a task."""
    columns = class_codes(plain_values(np.asarray(found)), classes)
    aligned = np.zeros((len(proba), len(classes)))
    aligned[:, columns] = proba
    return aligned


def _conditional(probas, tasks):
    """Return the rates of steps, given the one before, from their own probabilities."""
    rates = {}
    for k, proba in probas.items():
        positive, parent = tasks.positive[k], tasks.parents[k]
        rate = proba[:, positive]
        if parent is not None:
            before = probas[parent][:, tasks.positive[parent]]
            rate = np.minimum(rate / np.maximum(before, _LEAST), 1)
        pair = np.column_stack([1 - rate, rate])
        rates[k] = pair if positive else pair[:, ::-1]
    return rates


def _log(proba):
    return np.log(np.clip(proba, _LEAST, 1))
