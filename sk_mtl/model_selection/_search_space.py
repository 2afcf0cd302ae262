"""Ranges of parameters that are worth a search."""

import inspect
import math
from collections.abc import Sequence
from numbers import Real

from scipy.stats import loguniform, rv_discrete, uniform
from sklearn.pipeline import Pipeline

import sk_mtl.estimators as estimators
from sk_mtl._equality import same_value
from sk_mtl.model_selection._one_estimator import check_one_estimator

# The rules of the default change at these numbers of rows (docs/defaults.md).
_FEW, _MEMBERS, _MANY = 10_000, 50_000, 100_000
# Stands for a number of rows that is not known.
_USUAL = 20_000

_SIZES = [(32,), (64,), (128,)]
# By the name of a parameter that some models have, its values.
_OF_MODELS = {
    "n_experts": [2, 4, 8],
    "n_task_experts": [1, 2],
    "n_shared_experts": [1, 2, 4],
    "n_subnetworks": [2, 4],
    "n_levels": [1, 2],
    "expert_hidden_sizes": _SIZES,
    "bottom_hidden_sizes": _SIZES,
    "wiring": ["single_task", "shared_bottom", "mmoe", "ple"],
}


def search_space(estimator, n_rows=None):
    """Return the parameters of a model that are worth a search, with their ranges.

    The ranges hold the default and the settings that gained on some tables and lost on
    others in the studies behind `docs/defaults.md`: on those no default can be right
    everywhere. Parameters of the model itself, such as `n_experts`, come first.

    Parameters
    ----------
    estimator : estimator or class
        A model of this package, or a pipeline that ends in one, whose parameters then
        have the name of the step before them. Parameters that an instance sets to other
        values than their defaults are left out, so that they stay.
    n_rows : int, default=None
        The number of training rows, which decides on epochs, batches and members. None
        takes the ranges of 20,000 rows.

    Returns
    -------
    space : SearchSpace
        A dict for `RandomizedSearchCV`, and `suggest(trial)` for Optuna.

    Raises
    ------
    TypeError
        If the estimator is no model of this package.
    ValueError
        If `n_rows` is not positive.

    Examples
    --------
    >>> from sklearn.model_selection import RandomizedSearchCV
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.metrics import make_task_scorer
    >>> from sk_mtl.model_selection import search_space
    >>> model = MMOEClassifier(numeric_embedding=None)
    >>> space = search_space(model, n_rows=5_000)
    >>> list(space)[:3], space["n_experts"]
    (['n_experts', 'expert_hidden_sizes', 'lr'], [2, 4, 8])
    >>> scorer = make_task_scorer("roc_auc")
    >>> search = RandomizedSearchCV(model, space, n_iter=20, scoring=scorer)
    """
    if n_rows is not None and not (isinstance(n_rows, Real) and n_rows >= 1):
        raise ValueError(
            f"n_rows must be a positive number of rows; found {n_rows!r}. Give the "
            "number of training rows, or None."
        )
    if isinstance(estimator, type):
        return SearchSpace(_ranges_of(estimator, n_rows))
    check_one_estimator("estimator", estimator, "Give a model or its class.")
    prefix, last = _last_step(estimator)
    given, defaults = last.get_params(deep=False), _defaults_of(type(last))
    return SearchSpace(
        {
            f"{prefix}{name}": values
            for name, values in _ranges_of(type(last), n_rows).items()
            if same_value(given[name], defaults[name])
        }
    )


class SearchSpace(dict):
    """Ranges of parameters, made by :func:`search_space`.

    It is a dict from the name of a parameter to a list of values or to a distribution
    of scipy: the `param_distributions` of `RandomizedSearchCV`. Entries may be changed,
    added and deleted.

    Parameters
    ----------
    ranges : dict, default=()
        The range of each parameter by its name.
    """

    def __init__(self, ranges=()):
        super().__init__(ranges)

    def suggest(self, trial):
        """Return a value for each parameter, chosen by a trial of Optuna.

        Parameters
        ----------
        trial : optuna.Trial

        Returns
        -------
        parameters : dict
            For `set_params` of the estimator, or for its constructor.

        Raises
        ------
        ValueError
            If a range is neither a list nor `randint`, `uniform` or `loguniform`.

        Notes
        -----
        Optuna stores values of lists as text. ``space.suggest(study.best_trial)``
        returns the best parameters as the model takes them.
        """
        return {name: _suggest(trial, name, values) for name, values in self.items()}

    def __repr__(self):
        """Return one line for each parameter."""
        width = max(map(len, self), default=0)
        lines = [f"{name:<{width}}  {_text(values)}" for name, values in self.items()]
        return "\n".join(lines)


def _ranges_of(cls, n_rows):
    """Return the ranges of the parameters that a class has."""
    models = (
        *(estimators.MultiTaskClassifier, estimators.MultiTaskRegressor),
        estimators.MultiTaskEstimator,
    )
    if not issubclass(cls, models):
        raise TypeError(
            f"estimator must be a model of sk_mtl; found {cls.__name__}. Give one such "
            "as MMOEClassifier, or a pipeline that ends in one."
        )
    n_rows = _USUAL if n_rows is None else n_rows
    ranges = {**_OF_MODELS, **_training_ranges(n_rows), **_FEATURE_RANGES}
    known = _defaults_of(cls)
    return {name: values for name, values in ranges.items() if name in known}


def _defaults_of(cls):
    parameters = inspect.signature(cls).parameters.values()
    return {each.name: each.default for each in parameters}


def _last_step(estimator):
    """Return the model at the end of pipelines, with the prefix of its parameters."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix, estimator


def _training_ranges(n_rows):
    """Return the ranges of training, which depend on the number of rows."""
    if n_rows <= _FEW:
        epochs = [5, 20, 60]
    else:
        epochs = [2, 4, 8] if n_rows > _MANY else [3, 5, 10]
    batch = 2 ** round(math.log2(2 * math.sqrt(n_rows)))
    sizes = sorted({min(max(batch * k // 2, 16), 1_024) for k in (1, 2, 4)})
    ranges = {
        # Half of the least default, and twice the largest, that of users and items.
        "lr": loguniform(0.002, 0.032),
        "max_epochs": epochs,
        "batch_size": sizes,
        "dropout": uniform(0.0, 0.3),
        "weight_decay": loguniform(1e-3, 1e-1),
        "tower_hidden_sizes": [(32,), (64,), (64, 32)],
    }
    if n_rows <= _MEMBERS:
        ranges["n_members"] = [1, 4]
    return ranges


_FEATURE_RANGES = {
    "embedding_dim": [4, 8, 16, 32],
    "numeric_embedding": [None, "bins", "ple", ["ple", "bins"]],
    "interaction": [None, "cross"],
}


def _suggest(trial, name, values):
    if not isinstance(values, Sequence):
        low, high = _bounds(name, values)
        if isinstance(values.dist, rv_discrete):
            return trial.suggest_int(name, int(low), int(high))
        is_log = values.dist.name in ("loguniform", "reciprocal")
        return trial.suggest_float(name, low, high, log=is_log)
    # Optuna stores choices as numbers, text or None.
    texts = [repr(value) for value in values]
    return values[texts.index(trial.suggest_categorical(name, texts))]


def _bounds(name, values):
    """Return the least and the greatest value of a distribution, or raise."""
    known = "randint", "uniform", "loguniform", "reciprocal"
    if getattr(getattr(values, "dist", None), "name", None) not in known:
        raise ValueError(
            f"The range of {name!r} must be a list of values, or randint, uniform or "
            f"loguniform of scipy.stats; found {values!r}. Give one of these, or leave "
            "the entry out and suggest it by the trial."
        )
    return map(float, values.support())


def _text(values):
    if isinstance(values, Sequence):
        return repr(list(values))
    if not hasattr(values, "support"):
        return repr(values)
    low, high = map(float, values.support())
    return f"{values.dist.name}({low:g}, {high:g})"
