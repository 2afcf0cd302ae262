"""Steps of a preprocessor that learn from labels, of which some rows have none."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl.preprocessing._tabular_preprocessor import fit_transform_unjoined

# Packages whose steps declare whether they learn from labels.
_TELLING = {"sklearn", "sk_mtl"}


def needs_labels(transformer) -> bool:
    """Return whether a transformer, or a step of it, learns from labels."""
    if not hasattr(transformer, "fit") or isinstance(transformer, type):
        return False
    if _composed(transformer) is None:
        return _learns_from_labels(transformer)
    return any(needs_labels(step) for _, step in _composed(transformer))


def fit_transform_labelled(preprocessor, X, y, *, named: bool):
    """Fit a preprocessor on labels; return it and the transformed rows.

    Steps that learn from labels are fitted on the labelled rows. The result of their
    `fit_transform` for these rows is kept (a target encoder uses cross-fitting there),
    and the other rows are transformed. All other steps are fitted on every row.

    Parameters
    ----------
    preprocessor : transformer
        Fitted in place if it consists of steps.

    X : data frame or array of shape (n_samples, n_features)

    y : ndarray of shape (n_samples,)
        Labels; objects, None in a row without a label, if there are such rows.

    named : bool
        Whether the user named the task. If so, steps of other libraries, which may not
        declare that they learn from labels, are treated as if they did.
    """
    if y.dtype != object or all(label is not None for label in y):
        return preprocessor, fit_transform_unjoined(preprocessor, X, y)

    def on_labelled_rows(step):
        is_foreign = type(step).__module__.partition(".")[0] not in _TELLING
        learns = needs_labels(step) or (named and is_foreign)
        return LabelledOnly(step) if learns else step

    wrapped = _replace_steps(preprocessor, on_labelled_rows)
    encoded = fit_transform_unjoined(wrapped, X, y)
    return _replace_steps(wrapped, _unwrapped), encoded


class LabelledOnly(BaseEstimator):
    """A transformer that is fitted on the labelled rows and transforms all.

    Parameters
    ----------
    transformer : transformer
    """

    def __init__(self, transformer):
        self.transformer = transformer

    def fit_transform(self, X, y):
        """Return the transformed rows, in their order."""
        labelled = np.array([label is not None for label in y])
        rows = np.flatnonzero(labelled), np.flatnonzero(~labelled)
        self.transformer_ = clone(self.transformer)
        first = self.transformer_.fit_transform(
            _safe_indexing(X, rows[0]), np.array(y[rows[0]].tolist())
        )
        second = self.transformer_.transform(_safe_indexing(X, rows[1]))
        return _join(first, second, np.argsort(np.concatenate(rows), kind="stable"))

    def fit(self, X, y):
        """Fit the transformer."""
        self.fit_transform(X, y)
        return self

    def transform(self, X):
        """Return the transformed rows."""
        return self.transformer_.transform(X)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the transformer's output."""
        return self.transformer_.get_feature_names_out(input_features)


def _join(first, second, order: np.ndarray):
    if sparse.issparse(first):
        return sparse.vstack([first, second]).tocsr()[order]
    if hasattr(first, "iloc"):
        return pd.concat([first, second]).iloc[order]
    return np.concatenate([first, second])[order]


def _unwrapped(step):
    """Return the fitted transformer, or the transformer to fit if there is none."""
    if not isinstance(step, LabelledOnly):
        return step
    return getattr(step, "transformer_", step.transformer)


def _replace_steps(transformer, replace: Callable):
    """Return the transformer with every step replaced, in place."""
    steps = _composed(transformer)
    if steps is None:
        return replace(transformer) if hasattr(transformer, "fit") else transformer
    for container, attribute in (
        (Pipeline, "steps"),
        (FeatureUnion, "transformer_list"),
        (ColumnTransformer, "transformers"),
        (ColumnTransformer, "transformers_"),
    ):
        if isinstance(transformer, container) and hasattr(transformer, attribute):
            replaced = [
                (name, _replace_steps(step, replace), *columns)
                for name, step, *columns in getattr(transformer, attribute)
            ]
            setattr(transformer, attribute, replaced)
    if isinstance(transformer, ColumnTransformer):
        transformer.remainder = _replace_steps(transformer.remainder, replace)
    return transformer


def _composed(transformer):
    """Return names and steps of a transformer that is made of several, else None."""
    if isinstance(transformer, Pipeline):
        return transformer.steps
    if isinstance(transformer, FeatureUnion):
        return transformer.transformer_list
    if isinstance(transformer, ColumnTransformer):
        steps = [(name, step) for name, step, _ in transformer.transformers]
        return [*steps, ("remainder", transformer.remainder)]
    return None


def _learns_from_labels(step) -> bool:
    if is_classifier(step) or is_regressor(step) or _requires_y(step):
        return True
    inner = [
        value
        for value in step.get_params(deep=False).values()
        if hasattr(value, "get_params") and not isinstance(value, type)
    ]
    if isinstance(step, SelectorMixin):
        # The tags of scikit-learn's selectors also allow scores without labels.
        n_arguments = _n_required(getattr(step, "score_func", None))
        return n_arguments > 1 or any(map(_learns_from_labels, inner))
    # An imputer that predicts one column from others needs no labels of rows.
    return any(hasattr(part, "transform") and needs_labels(part) for part in inner)


def _requires_y(step) -> bool:
    if hasattr(step, "__sklearn_tags__") and get_tags(step).target_tags.required:
        return True
    return _n_required(getattr(step, "fit", None)) > 1


def _n_required(function) -> int:
    """Return the number of arguments that a function requires by position."""
    if not callable(function):
        return 0
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    return sum(
        parameter.kind in positional and parameter.default is inspect.Parameter.empty
        for parameter in parameters
    )
