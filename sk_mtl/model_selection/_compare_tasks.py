"""A comparison of an estimator with one network per task."""

import time

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl._warnings import warn_user
from sk_mtl.metrics._fitted_tasks import FittedTasks, last_estimator
from sk_mtl.metrics._open_classes import warn_open_classes
from sk_mtl.metrics._scored_tasks import metrics_of_tasks
from sk_mtl.model_selection._baseline import single_task_baseline
from sk_mtl.model_selection._fit_arguments import fit_arguments
from sk_mtl.model_selection._folds import make_folds
from sk_mtl.model_selection._names import names_apart
from sk_mtl.model_selection._one_estimator import check_one_estimator
from sk_mtl.model_selection._task_comparison import TaskComparison

_REMEDY = "Give an estimator, or for `estimator` a list of estimators."


def compare_tasks(
    estimator,
    X,
    y,
    *,
    cv=5,
    scoring=None,
    baseline="single_task",
    groups=None,
    sample_weight=None,
    params=None,
    random_state=None,
    n_jobs=None,
):
    """Compare estimators with a network per task, task by task, on the same folds.

    Sharing weights helps some tasks and hurts others, the seesaw of multi-task
    learning, which a mean over tasks hides. All models are fitted to the same training
    rows and scored on the same test rows, so that differences between folds cancel in
    the difference of a task's scores.

    The interval of a difference is that of the corrected resampled t-test [1]_. The
    training parts of the folds overlap, so that their scores agree more than scores of
    independent samples would, and the plain t-test can find gains where there are none;
    the corrected one errs on the side of caution.
    With the differences :math:`d_1, ..., d_J` of J folds, their variance :math:`s^2`,
    and :math:`n_{test} / n_{train}` the ratio of rows, the interval is

    .. math:: \\bar d \\pm t_{J-1, 0.975}
              \\sqrt{\\Big(\\frac 1 J + \\frac{n_{test}}{n_{train}}\\Big) s^2}.

    It is for one estimator and one task at a time: among many that nothing helps, one
    or another will seem to gain or to lose.

    Networks of this package that encode rows alike (`shares_rows`) train on rows that
    are encoded once per fold.

    Parameters
    ----------
    estimator : estimator or list of estimators
        A multi-task model, or a pipeline that ends in one, or several of these. They
        are cloned and not changed, and named by their classes and by the parameters in
        which they differ.
    X : array-like or DataFrame of shape (n_samples, n_features)
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left to the estimators, and out of the scores. A fold whose
        training rows miss a class costs that task's score of the fold only.
    cv : int, splitter or iterable of (train, test), default=5
        A number makes shuffled folds, which keep `groups` together where they are
        given and spread the classes of every task evenly, as
        :class:`TaskStratifiedKFold` does. More folds narrow the intervals; for rows in
        the order of time take a :class:`~sklearn.model_selection.TimeSeriesSplit`.
    scoring : str, callable, TaskMetric or TaskScorer, default=None
        What :func:`~sk_mtl.metrics.make_task_scorer` takes or returns. Tasks that the
        metric is not of are left out. None takes the area under the ROC curve for
        classes and R² for numbers.
    baseline : "single_task" or estimator, default="single_task"
        What to compare with. ``"single_task"`` makes one network per task,
        `SingleTaskClassifier` or `SingleTaskRegressor`, with the estimator's own values
        of all parameters that both have: encoder, towers and budget. Of a list of
        estimators these are the values of the first.
    groups : array-like of shape (n_samples,), default=None
        Groups for the splitter, such as users whose rows must stay together, for a
        `fit` that takes `groups`, and for a metric that ranks within groups.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or dict, \
            default=None
        Weights for `fit` of all models, also by task name, cut to the training rows of
        each fold. The scores are not weighted.
    params : dict, default=None
        Further keywords of `fit` of all models, as of :func:`out_of_fold_proba`.
    random_state : int, RandomState instance or None, default=None
        Decides on the folds where `cv` is a number, and on every `random_state` of the
        models that is None: a seed per fold, the same for all.
    n_jobs : int, default=None
        Number of fits in parallel, through joblib; -1 uses all cores. Models that
        share encoded rows are fitted one after another. The seconds of fits that share
        cores are longer.

    Returns
    -------
    comparison : TaskComparison
        Printed, it is a table and a sentence on each estimator. `frame()` is the
        table, with an index of models and tasks for a list of estimators, `summary`
        the sentences.

    Raises
    ------
    TypeError
        If an estimator or the baseline is no instance of one, or the list is empty.
    ValueError
        If a task is one of classes for one model and of numbers for another.

    References
    ----------
    .. [1] Nadeau and Bengio, "Inference for the Generalization Error", Machine
       Learning, 2003.

    Examples
    --------
    Any estimator can be the baseline, here a random forest.

    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.model_selection import compare_tasks
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X.select_dtypes("number")[:300], y[:300]
    >>> comparison = compare_tasks(
    ...     MMOEClassifier(max_epochs=1), X, y, cv=2, random_state=0,
    ...     baseline=RandomForestClassifier(n_estimators=10),
    ... )
    >>> comparison.frame()[["difference", "lower", "upper"]].shape
    (2, 3)
    >>> print(comparison.summary)
    MMOEClassifier beside RandomForestClassifier, over 2 folds: ...
    """
    check_consistent_length(X, y, groups)
    is_list = isinstance(estimator, list | tuple)
    estimators = _checked(estimator if is_list else [estimator])
    if isinstance(baseline, str) and baseline == "single_task":
        baseline = single_task_baseline(estimators[0])
    check_one_estimator("baseline", baseline, "Give an estimator, or 'single_task'.")
    models = [*estimators, baseline]
    random_state = check_random_state(random_state)
    folds = make_folds(
        cv, estimators[0], X, y, groups, shuffle=True, random_state=random_state
    )
    given = {"groups": groups, "sample_weight": sample_weight, **(params or {})}
    seeds = random_state.randint(2**31 - 1, size=len(folds))
    sharing = _find_sharing(models)
    found = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_score)(
            [models[k] for k in together], X, y, given, train, test, seed, scoring
        )
        for together in sharing
        for (train, test), seed in zip(folds, seeds, strict=True)
    )
    fits = [[] for _ in models]
    for place, results in enumerate(found):
        for k, result in zip(sharing[place // len(folds)], results, strict=True):
            fits[k].append(result)
    names = names_apart(*models)
    _check_metrics(names, [own[0]["metrics"] for own in fits])
    tables = [_score_table(own) for own in fits]
    _warn_undefined(*tables)
    *names, baseline_name = names
    scores = tables[0]
    if is_list:
        by_name = dict(zip(names, tables[:-1], strict=True))
        scores = pd.concat(by_name, axis=1, names=["model", "task"])
    rows = [*(names if is_list else ["estimator"]), "baseline"]
    return TaskComparison(
        names=names,
        baseline_name=baseline_name,
        metrics=fits[0][0]["metrics"],
        scores=scores,
        baseline_scores=tables[-1],
        test_ratio=float(np.mean([len(test) / len(train) for train, test in folds])),
        costs=_cost_table(rows, fits, [*names, baseline_name]),
    )


def _checked(estimators):
    """Return the estimators, or raise where one of them is none."""
    if not estimators:
        raise TypeError(
            f"estimator must hold at least one estimator; found {estimators!r}. "
            f"{_REMEDY}"
        )
    for each in estimators:
        check_one_estimator("estimator", each, _REMEDY)
    return list(estimators)


def _check_metrics(names, metrics):
    """Raise where two models answer a task by another kind of number."""
    for name, own in zip(names, metrics, strict=True):
        for task, metric in metrics[0].items():
            found = own.get(task)
            if found is None or found.kind != metric.kind:
                other = "no metric" if found is None else found.name
                raise ValueError(
                    "All models must answer a task in classes, or all in numbers; "
                    f"found that {task!r} is scored by {metric.name} for {names[0]} "
                    f"and by {other} for {name}. Compare classifiers with classifiers, "
                    "and regressors with regressors."
                )


def _find_sharing(models):
    """Return lists of positions, of the models that train on the same encoded rows."""
    # Without a number, random_state gets one per fold, the same for all.
    seeded = [_seeded(clone(model), 0) for model in models]
    lists = []
    for k, model in enumerate(seeded):
        for positions in lists:
            first = seeded[positions[0]]
            if hasattr(first, "shares_rows") and first.shares_rows(model):
                positions.append(k)
                break
        else:
            lists.append([k])
    return lists


def _fit_and_score(estimators, X, y, given, train, test, seed, scoring):
    """Return for each model the scores of a fold by task, and the costs of the fit."""
    models = [_seeded(clone(each), int(seed)) for each in estimators]
    arguments = fit_arguments(models[0], X, y, train, **given)
    X_train, y_train = _safe_indexing(X, train), _safe_indexing(y, train)
    X_test, y_test = _safe_indexing(X, test), _safe_indexing(y, test)
    groups = given["groups"]
    groups = None if groups is None else _safe_indexing(groups, test)
    encode_seconds, encoded = 0.0, None
    if len(models) > 1:
        start = time.perf_counter()
        encoded = models[0].encode_rows(X_train, y_train, **arguments)
        encode_seconds = time.perf_counter() - start
    results = []
    for model in models:
        start = time.perf_counter()
        if encoded is None:
            model.fit(X_train, y_train, **arguments)
        else:
            model.fit_rows(*encoded)
        seconds = encode_seconds + time.perf_counter() - start
        scores = _score(model, X_test, y_test, y_train, scoring, groups)
        costs = {"fit_seconds": seconds, "n_parameters": _n_parameters(model)}
        results.append(scores | costs)
    return results


def _score(model, X_test, y_test, y_train, scoring, groups):
    """Return the scores of a fitted model by task, and their metrics."""
    tasks, trained = FittedTasks(model, y_test), FittedTasks(model, y_train)
    metrics = metrics_of_tasks(tasks, scoring)
    # A class that no training row has does not measure the model.
    defined = [k for k in metrics if tasks.classes_in_y(k) <= trained.classes_in_y(k)]
    pos_label = getattr(scoring, "pos_label", None)
    rows = tasks.rows(X_test, defined, pos_label=pos_label, groups=groups)
    values = dict.fromkeys(metrics, np.nan)
    for k, own in zip(defined, rows, strict=True):
        warn_open_classes([metrics[k]], {tasks.names[k]: own})
        values[k] = metrics[k].of_rows(own)
    return {
        "scores": {tasks.names[k]: value for k, value in values.items()},
        "metrics": {tasks.names[k]: metric for k, metric in metrics.items()},
    }


def _seeded(estimator, seed):
    """Return the estimator with a seed for every `random_state` that is None."""
    return estimator.set_params(
        **{
            name: seed
            for name, value in estimator.get_params().items()
            if name.split("__")[-1] == "random_state" and value is None
        }
    )


def _n_parameters(model):
    """Number of trained numbers of a network; NaN for other models."""
    net = getattr(last_estimator(model), "net_", None)
    if net is None:
        return np.nan
    return sum(parameter.numel() for parameter in net.module_.parameters())


def _score_table(fits):
    return pd.DataFrame(
        [list(fit["scores"].values()) for fit in fits],
        index=pd.RangeIndex(len(fits), name="fold"),
        columns=pd.Index(list(fits[0]["scores"]), tupleize_cols=False),
    )


def _cost_table(rows, fits, names):
    """Name and median costs of each model; the first fit of a process is slow."""
    columns = ("fit_seconds", "n_parameters")
    costs = {
        column: [np.median([fit[column] for fit in own]) for own in fits]
        for column in columns
    }
    return pd.DataFrame({"name": names, **costs}, index=rows)


def _warn_undefined(*tables):
    undefined = sum(table.isna().astype(int) for table in tables).sum()
    undefined = undefined[undefined > 0].index.tolist()
    if undefined:
        warn_user(
            f"The scores of {undefined} are undefined and NaN in some folds, which are "
            "left out of these tasks: the test rows do not define the metric, or hold "
            "a class that no training row has. Take fewer folds, or stratify them.",
            UndefinedMetricWarning,
        )
