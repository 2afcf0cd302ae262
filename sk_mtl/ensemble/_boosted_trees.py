"""Boosted trees for one label of a table as it comes."""

import time
from collections.abc import Mapping
from importlib.util import find_spec
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import assert_all_finite, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sk_mtl._frames import as_pandas, is_frame
from sk_mtl._groups import group_numbers
from sk_mtl._sklearn_compat import Interval, StrOptions, _fit_context
from sk_mtl._stratification import stratified_group_parts, stratified_parts
from sk_mtl._versions import VersionedPickle
from sk_mtl._weights import read_weights
from sk_mtl.ensemble._boosting_libraries import (
    LIBRARIES,
    Boosting,
    TreeRows,
    catboost_table,
    count_rounds,
)
from sk_mtl.ensemble._tree_table import TreeTable

# Fewer rows leave too few to decide when to stop.
_FEW_ROWS = 50
_ROUNDS_OF_FEW = 50

_LOSSES = {"squared_error", "poisson", "gamma"}
_CONSTRAINTS = {
    "library": [StrOptions(set(LIBRARIES))],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "library_params": [dict, None],
    "time_limit": [Interval(Real, 0, None, closed="neither"), None],
    "random_state": ["random_state"],
}


class BoostedTrees(VersionedPickle, BaseEstimator):
    """Base of boosted trees for one label: a table of any columns, early stopping."""

    _parameter_constraints = _CONSTRAINTS

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Grow trees until the loss on held-out rows no longer falls.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Raw columns: numbers, text, categories, times, lists. NaN is allowed.

        y : array-like of shape (n_samples,)

        sample_weight : array-like of shape (n_samples,), default=None

        groups : array-like of shape (n_samples,), default=None
            Rows of one group are kept together when rows are held out.

        Returns
        -------
        self : object
        """
        check_library(self.library)
        start = time.monotonic()
        X = self._checked(X, reset=True)
        y = self._learn_labels(column_or_1d(y, warn=True))
        check_consistent_length(X, y, groups)
        weight = None
        if sample_weight is not None:
            weight = read_weights(sample_weight, len(y), ["y"])[:, 0]
        random_state = check_random_state(self.random_state)
        train, valid = self._split(y, groups, random_state)
        table = TreeTable(int(random_state.randint(2**31 - 1)))
        rows = as_pandas(X)
        targets = self._targets(y)
        trained = TreeRows(
            table.fit_transform(rows.iloc[train], targets[train]),
            y[train],
            None if weight is None else weight[train],
        )
        stopped = None
        if len(valid):
            stopped = TreeRows(
                table.transform(rows.iloc[valid]),
                y[valid],
                None if weight is None else weight[valid],
            )
        boosting = Boosting(
            table.n_categories_,
            self._loss(),
            self.learning_rate,
            self.max_iter if len(valid) else min(self.max_iter, _ROUNDS_OF_FEW),
            self.n_iter_no_change,
            self.library_params or {},
            int(random_state.randint(2**31 - 1)),
            None if self.time_limit is None else start + self.time_limit,
        )
        model = LIBRARIES[self.library](boosting, trained, stopped)
        self.table_, self.model_, self.n_iter_ = table, model, count_rounds(model)
        return self

    def _loss(self):
        """Return the loss of numbers, None for classes."""
        return None

    def _answer(self, X, method):
        check_is_fitted(self)
        table = self.table_.transform(self._checked(X, reset=False))
        if self.library == "catboost":
            table = catboost_table(table, self.table_.n_categories_)
        return np.asarray(getattr(self.model_, method)(table))

    def _checked(self, X, *, reset):
        """Return X, checked where it is no frame."""
        if is_frame(X):
            X = as_pandas(X)
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return validate_data(
            self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan"
        )

    def _split(self, y, groups, random_state):
        """Return the positions of the rows that train and of those that stop."""
        n_valid = round(self.validation_fraction * len(y))
        strata = self._strata(y)[:, None]
        member = None if groups is None else group_numbers(groups)
        too_few = member is not None and member.max() < 1
        if len(y) < _FEW_ROWS or n_valid < 1 or too_few:
            return np.arange(len(y)), np.arange(0)
        if member is None:
            sizes = [len(y) - n_valid, n_valid]
            parts = stratified_parts(strata, sizes, rng=random_state)
        else:
            shares = [1 - self.validation_fraction, self.validation_fraction]
            parts = stratified_group_parts(strata, member, shares, rng=random_state)
        # A class that no training row has cannot be compared with.
        known = np.isin(strata[:, 0], strata[parts == 0, 0])
        return np.flatnonzero(parts == 0), np.flatnonzero((parts == 1) & known)

    def __sklearn_tags__(self):
        """Return scikit-learn's tags of the estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags


class BoostedTreesClassifier(ClassifierMixin, BoostedTrees):
    """Boosted trees for one label of classes, of a table as it comes.

    Gradient boosting of scikit-learn, LightGBM or CatBoost with what a table with
    text, identifiers, times and lists needs. Categories are native categories, also
    where they come as text; a column of more than 250 keeps the frequent ones and gets
    the mean label of each category beside them, computed on other rows. Times become
    numbers and parts of the calendar, lists their length and the counts of frequent
    elements. Rounds are added until the log-loss on held-out rows no longer falls.

    Parameters
    ----------
    library : {"hist_gradient_boosting", "lightgbm", "catboost"}, \
            default="hist_gradient_boosting"
        The implementation: scikit-learn's, or another one that is installed.

    learning_rate : float, default=0.05
        The share of each tree's answer that is added. Smaller values take more rounds
        and are a little more accurate.

    max_iter : int, default=2000
        The most rounds.

    n_iter_no_change : int, default=30
        The rounds without a better loss on the held-out rows that end the fit.

    validation_fraction : float, default=0.1
        The share of the rows that is held out to stop. Below 50 rows none is, and 50
        rounds are made.

    library_params : dict, default=None
        Further parameters in the library's own words, such as ``{"max_depth": 4}``.

    time_limit : float, default=None
        The most seconds of a fit, about; the rounds so far are kept. None sets no
        limit.

    random_state : int, RandomState instance or None, default=None
        Decides on the rows that are held out.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The sorted classes.

    model_ : estimator
        The fitted model of the library.

    n_iter_ : int
        Rounds made.

    table_ : transformer
        From the columns of X to the model's inputs.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.

    See Also
    --------
    best_of : These trees and a network.

    Examples
    --------
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.ensemble import BoostedTreesClassifier
    >>> X, y = load_adult(return_X_y=True)
    >>> trees = BoostedTreesClassifier(max_iter=20, random_state=0)
    >>> bool(trees.fit(X[:2000], y["income"][:2000]).score(X, y["income"]) > 0.8)
    True
    """

    def __init__(
        self,
        *,
        library="hist_gradient_boosting",
        learning_rate=0.05,
        max_iter=2000,
        n_iter_no_change=30,
        validation_fraction=0.1,
        library_params=None,
        time_limit=None,
        random_state=None,
    ):
        self.library = library
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.library_params = library_params
        self.time_limit = time_limit
        self.random_state = random_state

    def predict_proba(self, X):
        """Return the probability of every class.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
        """
        return self._answer(X, "predict_proba")

    def predict(self, X):
        """Return the likeliest class.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        likeliest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[likeliest]

    def _learn_labels(self, y):
        if y.dtype.kind == "f":
            assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "y must have at least two classes; found only one class: "
                f"{self.classes_.tolist()}. Give rows of another class."
            )
        return codes

    def _targets(self, y):
        if len(self.classes_) == 2:
            return y[:, None].astype(float)
        return (y[:, None] == np.arange(len(self.classes_))).astype(float)

    def _strata(self, y):
        return y


class BoostedTreesRegressor(RegressorMixin, BoostedTrees):
    """Boosted trees for one label of numbers, of a table as it comes.

    As :class:`BoostedTreesClassifier`, for numbers.

    Parameters
    ----------
    library : {"hist_gradient_boosting", "lightgbm", "catboost"}, \
            default="hist_gradient_boosting"
        The implementation: scikit-learn's, or another one that is installed.

    loss : {"squared_error", "poisson", "gamma"} or dict, default="squared_error"
        ``"poisson"`` is for counts and other numbers >= 0, ``"gamma"`` for numbers > 0:
        both learn a positive mean and expect errors that grow with it. A dict by task
        name is for an ensemble of several tasks; tasks left out take
        ``"squared_error"``.

    learning_rate : float, default=0.05
        The share of each tree's answer that is added. Smaller values take more rounds
        and are a little more accurate.

    max_iter : int, default=2000
        The most rounds.

    n_iter_no_change : int, default=30
        The rounds without a better loss on the held-out rows that end the fit.

    validation_fraction : float, default=0.1
        The share of the rows that is held out to stop. Below 50 rows none is, and 50
        rounds are made.

    library_params : dict, default=None
        Further parameters in the library's own words, such as ``{"max_depth": 4}``.

    time_limit : float, default=None
        The most seconds of a fit, about; the rounds so far are kept. None sets no
        limit.

    random_state : int, RandomState instance or None, default=None
        Decides on the rows that are held out.

    Attributes
    ----------
    model_ : estimator
        The fitted model of the library.

    n_iter_ : int
        Rounds made.

    table_ : transformer
        From the columns of X to the model's inputs.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.

    Examples
    --------
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.ensemble import BoostedTreesRegressor
    >>> X, _ = load_adult(return_X_y=True)
    >>> X, hours = X[:2000].drop(columns="hours_per_week"), X["hours_per_week"][:2000]
    >>> trees = BoostedTreesRegressor(loss="poisson", max_iter=50, random_state=0)
    >>> bool(trees.fit(X, hours).predict(X).min() > 0)
    True
    """

    _parameter_constraints = {
        **_CONSTRAINTS,
        "loss": [StrOptions(_LOSSES), dict],
    }

    def __init__(
        self,
        *,
        library="hist_gradient_boosting",
        loss="squared_error",
        learning_rate=0.05,
        max_iter=2000,
        n_iter_no_change=30,
        validation_fraction=0.1,
        library_params=None,
        time_limit=None,
        random_state=None,
    ):
        self.library = library
        self.loss = loss
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.library_params = library_params
        self.time_limit = time_limit
        self.random_state = random_state

    def predict(self, X):
        """Return the mean.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : ndarray of shape (n_samples,)
        """
        return self._answer(X, "predict").astype(float)

    def for_task(self, name):
        """Return an unfitted copy for one task of several, with the task's own loss.

        Parameters
        ----------
        name : hashable
            The name of the task.

        Returns
        -------
        trees : BoostedTreesRegressor
        """
        loss = self.loss
        if isinstance(loss, Mapping):
            loss = loss.get(name, "squared_error")
        return clone(self).set_params(loss=loss)

    def _loss(self):
        if isinstance(self.loss, Mapping) or self.loss not in _LOSSES:
            raise ValueError(
                f"loss must be one of {sorted(_LOSSES)} for a single task; found "
                f"{self.loss!r}. Name one, or fit the trees in an ensemble."
            )
        return self.loss

    def _learn_labels(self, y):
        return np.asarray(y, dtype=float)

    def _targets(self, y):
        return y[:, None]

    def _strata(self, y):
        return np.zeros(len(y), dtype=int)


def check_library(library):
    """Raise where a library of boosted trees is not installed."""
    if library != "hist_gradient_boosting" and find_spec(library) is None:
        raise ImportError(
            f"{library} must be installed for trees of it; found no such package. Run "
            f"pip install {library}, or use 'hist_gradient_boosting'."
        )
