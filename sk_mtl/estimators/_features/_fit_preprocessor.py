"""The preprocessor of an estimator, fitted on its training rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral

import numpy as np
from sklearn.base import clone

from sk_mtl._task_names import find_task
from sk_mtl.estimators._automatic._auto_choice import is_auto
from sk_mtl.estimators._choices._interactions import resolve_interaction
from sk_mtl.estimators._choices._numeric_embeddings import resolve_numeric_embeddings
from sk_mtl.estimators._features._feature_parameters import FeatureParameters
from sk_mtl.estimators._features._huge_numbers import watching_for_overflow
from sk_mtl.estimators._features._left_out_numbers import leave_out_numbers
from sk_mtl.estimators._features._shared_embeddings import shared_groups
from sk_mtl.estimators._features._supervised_steps import (
    fit_transform_labelled,
    needs_labels,
)
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.preprocessing import FeatureSchema
from sk_mtl.preprocessing._tabular import preprocessor_for
from sk_mtl.preprocessing._tabular_preprocessor import fit_transform_unjoined


def fit_preprocessor(
    wanted: FeatureParameters, X, codes: np.ndarray, columns: Sequence, dtype=np.float32
):
    """Return a fitted preprocessor, its schema, and the encoded training rows.

    Columns that share an embedding have one vocabulary in it.

    Parameters
    ----------
    wanted : FeatureParameters

    X : data frame or array of shape (n_samples, n_features)

    codes : ndarray of shape (n_samples, n_tasks)
        Labels as numbers, NaN where one is missing.

    columns : sequence of TargetColumn
        The columns of y, one per task.

    dtype : {np.float32, np.float64}, default=np.float32
        Type of the encoded numbers.
    """
    _check_choices(wanted)
    preprocessor = _unfitted(wanted, X, codes, columns)
    labels = _labels_for(preprocessor, wanted.target_for_preprocessor, codes, columns)
    preprocessor, transformed = _fit_transform(wanted, preprocessor, X, labels)
    own = FeatureSchema.from_preprocessor(preprocessor, transformed, X)
    arrays = own.split(transformed, dtype=dtype)
    groups = shared_groups(wanted.shared_embedding, own)
    if not groups:
        return preprocessor, own, arrays
    schema, preprocessor = own.share_vocabularies(preprocessor, groups, X)
    return preprocessor, schema, schema.recode(arrays, own)


def _fit_transform(wanted: FeatureParameters, preprocessor, X, labels):
    with watching_for_overflow(X):
        if labels is None:
            return preprocessor, fit_transform_unjoined(preprocessor, X)
        named = wanted.target_for_preprocessor is not None
        return fit_transform_labelled(preprocessor, X, labels, named=named)


def _check_choices(wanted: FeatureParameters) -> None:
    """Raise for choices from which no encoder can be made.

    The check comes first, since preprocessing many rows takes long.
    """
    if not is_auto(wanted.numeric_embedding):
        resolve_numeric_embeddings(wanted.numeric_embedding)
    if not is_auto(wanted.interaction):
        resolve_interaction(wanted.interaction)


def _unfitted(
    wanted: FeatureParameters, X, codes: np.ndarray, columns: Sequence[TargetColumn]
):
    if wanted.preprocessor is None:
        named = _named_columns(wanted)
        preprocessor = preprocessor_for(X, wanted.categorical_features, wanted=named)
        return leave_out_numbers(preprocessor, X, codes, columns, named)
    if wanted.categorical_features is not None:
        raise ValueError(
            "categorical_features must be None where a preprocessor is given, which "
            f"decides itself; found {wanted.categorical_features!r}. Drop one of the "
            "two."
        )
    return clone(wanted.preprocessor)


def _named_columns(wanted: FeatureParameters) -> set:
    """Return the names and positions of columns that parameters name."""
    found = set()
    for parameter in (wanted.embedding_dim, wanted.sequence_pooling):
        if isinstance(parameter, Mapping):
            found |= set(parameter)
    targets = wanted.sequence_target or {}
    lists = [targets, targets.values(), *(wanted.shared_embedding or ())]
    lists += (wanted.feature_groups or {}).values()
    for columns in lists:
        # A value that is not a list is refused later, where the parameter is read.
        if isinstance(columns, Iterable) and not isinstance(columns, str):
            found |= {c for c in columns if isinstance(c, str | Integral)}
    return found


def _labels_for(preprocessor, task, codes: np.ndarray, columns: Sequence):
    """Return labels for the preprocessor, None in rows without; None if it needs none.

    Parameters
    ----------
    preprocessor : transformer

    task : object
        Name of a task, or None.
    """
    names = [column.name for column in columns]
    position = 0 if task is None else find_task(task, names)
    if position is None:
        raise ValueError(
            f"target_for_preprocessor must be None or one of the tasks {names}; found "
            f"{task!r}. Correct the name."
        )
    if task is None and not needs_labels(preprocessor):
        return None
    column, codes = columns[position], codes[:, position]
    labelled = ~np.isnan(codes)
    if not labelled.any():
        raise ValueError(
            "The preprocessor learns from labels and must have rows with a label of "
            f"task {column.name!r}; found none. Name another task in "
            "target_for_preprocessor, or give labelled rows first."
        )
    known = column.labels_of(codes[labelled])
    if labelled.all():
        return known
    labels = np.full(len(codes), None, dtype=object)
    labels[labelled] = known.tolist()
    return labels
