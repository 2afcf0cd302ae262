"""A network and trees for a table, ready to fit."""

from numbers import Real

from sk_mtl._labels import read_labels
from sk_mtl._task_names import per_task
from sk_mtl.ensemble._boosted_trees import (
    LIBRARIES,
    BoostedTreesClassifier,
    BoostedTreesRegressor,
    check_library,
)
from sk_mtl.ensemble._voted_tasks import is_funnel
from sk_mtl.ensemble._voting_classifier import MultiTaskVotingClassifier
from sk_mtl.ensemble._voting_estimator import MultiTaskVotingEstimator
from sk_mtl.ensemble._voting_regressor import MultiTaskVotingRegressor
from sk_mtl.estimators import (
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)

# Below it, one part is often far ahead of the other, and four fits of each take little
# time; above it, equal weights are as good on every table measured.
_LEARN_WEIGHTS_BELOW = 20_000

# What trees learn for the types of numbers that have a loss of their own. Of many zeros
# and a few large numbers, the Poisson loss learns the mean.
_TREE_LOSSES = {"poisson": "poisson", "gamma": "gamma", "ziln": "poisson"}


def best_of(
    X,
    y,
    task_types=None,
    structure="independent",
    time_limit=None,
    trees="hist_gradient_boosting",
    random_state=None,
):
    """Return a network and boosted trees for each label of a table, ready to fit.

    A network of all tasks and trees for each label err on different rows: the
    mean of their logits is better than either, and better than several networks or
    several kinds of trees. The estimator that this function returns has the default
    network and :class:`BoostedTreesClassifier` or :class:`BoostedTreesRegressor`, which
    stop early. It takes the table as it is: text, categories, identifiers, times, lists
    and missing values.

    Below 20,000 rows ``weights="auto"`` weighs both by held-out rows, as one of them
    may be far ahead on a small table; above, and under a time limit, they count the
    same.

    Parameters
    ----------
    X : {DataFrame, array-like} of shape (n_samples, n_features)
        The table; only its number of rows is read.

    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        The labels, of which the types of the tasks are inferred.

    task_types : str, list or dict, default=None
        The types of the tasks, as of :class:`~sk_mtl.MultiTaskEstimator`. None is
        "auto". Name ``"poisson"`` for counts: network and trees then learn them by that
        loss.

    structure : {"independent", "funnel"} or dict, default="independent"
        Meaning of the columns of y, as of a classifier. Steps of a funnel get ESMM as
        the network, and trees learn the rate of each step.

    time_limit : float, default=None
        The most seconds of a fit, about: half of them for the network, half for the
        trees, in equal shares for each label. None sets no limit.

    trees : {"hist_gradient_boosting", "lightgbm", "catboost"}, \
            default="hist_gradient_boosting"
        The library of the trees: scikit-learn's, or another one that is installed.

    random_state : int, RandomState instance or None, default=None
        Decides on network and trees.

    Returns
    -------
    estimator : MultiTaskVotingClassifier, MultiTaskVotingRegressor or \
            MultiTaskVotingEstimator
        Not fitted. By the types of the tasks: all classes, all numbers, or both. Its
        parts are "net", and "trees" or, for both types, "class_trees" and
        "number_trees".

    Examples
    --------
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.ensemble import best_of
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = best_of(X, y, random_state=0)
    >>> [name for name, _ in model.estimators]
    ['net', 'trees']
    >>> model.set_params(net__max_epochs=1, trees__max_iter=20, weights=None)
    MultiTaskVotingClassifier(...)
    >>> [proba.shape for proba in model.fit(X, y).predict_proba(X)]
    [(500, 2), (500, 2)]
    """
    _check(time_limit, trees)
    types = _types(y, "auto" if task_types is None else task_types)
    has_classes = [kind in ("class", "binary", "multiclass") for kind in types.values()]
    share = None if time_limit is None else time_limit / 2
    grown = {
        "library": trees,
        "random_state": random_state,
        "time_limit": None if share is None else share / len(types),
    }
    net = _network(types, has_classes, structure, random_state)
    net.set_params(time_limit=share)
    few = len(read_labels(y).columns[0]) < _LEARN_WEIGHTS_BELOW
    weights = "auto" if few and time_limit is None else None
    classifier = BoostedTreesClassifier(**grown)
    losses = {
        name: _TREE_LOSSES[kind] for name, kind in types.items() if kind in _TREE_LOSSES
    }
    regressor = BoostedTreesRegressor(**grown, loss=losses or "squared_error")
    if all(has_classes):
        parts = [("net", net), ("trees", classifier)]
        return MultiTaskVotingClassifier(parts, weights=weights)
    if not any(has_classes):
        parts = [("net", net), ("trees", regressor)]
        return MultiTaskVotingRegressor(parts, weights=weights)
    parts = [("net", net), ("class_trees", classifier), ("number_trees", regressor)]
    return MultiTaskVotingEstimator(parts, weights=weights)


def _check(time_limit, trees):
    if trees not in LIBRARIES:
        raise ValueError(
            f"trees must be one of {list(LIBRARIES)}; found {trees!r}. Use one of "
            "these names."
        )
    check_library(trees)
    if time_limit is not None and not (
        isinstance(time_limit, Real) and 0 < time_limit < float("inf")
    ):
        raise ValueError(
            f"time_limit must be a number of seconds > 0, or None; found "
            f"{time_limit!r}. Leave it out for a fit without a limit."
        )


def _types(y, task_types):
    """Return the type of each task by name; "class" or "regression" where inferred."""
    names = read_labels(y).task_names()
    found = MultiTaskEstimator(task_types=task_types).find_classes(y)
    found = found if isinstance(found, list) else [found]
    given = per_task(
        "task_types",
        task_types,
        names,
        is_single=lambda value: isinstance(value, str),
        default="auto",
        left_out="are 'auto'",
    )
    types = {}
    for name, classes, kind in zip(names, found, given, strict=True):
        inferred = "regression" if classes is None else "class"
        types[name] = inferred if kind == "auto" else kind
    return types


def _network(types, has_classes, structure, random_state):
    """Return the default network for tasks of these types."""
    steps = is_funnel(structure)
    if steps and not all(has_classes):
        raise ValueError(
            f"structure must be 'independent' where tasks hold numbers; found "
            f"{structure!r} and the types {types}. Leave out the numbers, or the "
            "structure."
        )
    if steps:
        return ESMMClassifier(structure=structure, random_state=random_state)
    if all(has_classes):
        return MMOEClassifier(structure=structure, random_state=random_state)
    if not any(has_classes):
        losses = {name: kind for name, kind in types.items() if kind in _TREE_LOSSES}
        return MMOERegressor(loss=losses or "squared_error", random_state=random_state)
    named = {name: kind for name, kind in types.items() if kind != "class"}
    # An inferred class stays inferred: two of them are "binary".
    return MultiTaskEstimator(task_types=named, random_state=random_state)
