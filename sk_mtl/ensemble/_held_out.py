"""Answers of parts on rows that they were not fitted to."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from sk_mtl._groups import group_numbers
from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl._stratification import stratified_group_parts, stratified_parts
from sk_mtl.ensemble._fitted_parts import fit_part


def held_out_answers(parts, rows, tasks, cv):
    """Return the answers of each part on held-out rows, and which rows have them.

    Parameters
    ----------
    parts : list of (str, estimator)
    rows : VotedRows
    tasks : VotedTasks
    cv : int, splitter or iterable of (train, test)

    Returns
    -------
    answers : list of list of (ndarray or None)
        By part and task, with NaN in rows that have no answer.
    """
    answers = [[None] * len(tasks.names) for _ in parts]
    for train, test in _folds(cv, rows, tasks):
        X = _safe_indexing(rows.X, test)
        for own, (name, part) in zip(answers, parts, strict=True):
            fitted = fit_part(name, part, rows.take(train), tasks, tasks.classes)
            for k, found in enumerate(fitted.answers(X, tasks)):
                if found is None:
                    continue
                if own[k] is None:
                    own[k] = np.full((len(rows), *found.shape[1:]), np.nan)
                own[k][test] = found
    return answers


def _folds(cv, rows, tasks):
    """Return the training and the test rows of each fold as positions."""
    if not isinstance(cv, Integral):
        y = rows.y_of(tasks, range(len(tasks.names)))
        every = np.arange(len(rows))
        folds = check_cv(cv).split(rows.X, y, rows.groups)
        return [(every[train], every[test]) for train, test in folds]
    parts = _drawn_parts(cv, rows, tasks)
    return [(np.flatnonzero(parts != k), np.flatnonzero(parts == k)) for k in range(cv)]


def _drawn_parts(cv, rows, tasks):
    """Return the fold of each row; classes are spread, and groups stay together."""
    labels = np.where(np.isnan(rows.codes), -1, 0)
    for k in tasks.class_tasks:
        labels[:, k] = np.where(labels[:, k] < 0, -1, np.nan_to_num(rows.codes[:, k]))
    # One draw for every fit, so that a clone finds the same weights.
    rng = check_random_state(0)
    member = None if rows.groups is None else group_numbers(rows.groups)
    n_units = len(rows) if member is None else member.max() + 1
    if cv < 2 or n_units < cv:
        what = "rows" if member is None else "groups"
        raise ValueError(
            f"cv={cv} must be at least 2 and at most the number of {what}; found "
            f"n_samples={n_units}. Take fewer folds, or give weights."
        )
    if member is not None:
        return stratified_group_parts(labels, member, np.full(cv, 1 / cv), rng=rng)
    sizes = np.full(cv, len(rows) // cv)
    sizes[: len(rows) % cv] += 1
    return stratified_parts(labels, sizes, rng=rng)
