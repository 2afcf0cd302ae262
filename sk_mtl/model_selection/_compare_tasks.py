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
from sk_mtl.metrics import TaskScorer, task_metric
from sk_mtl.metrics._fitted_tasks import FittedTasks, last_estimator
from sk_mtl.metrics._open_classes import warn_open_classes
from sk_mtl.model_selection._baseline import single_task_baseline
from sk_mtl.model_selection._fit_arguments import fit_arguments
from sk_mtl.model_selection._folds import make_folds
from sk_mtl.model_selection._names import names_apart
from sk_mtl.model_selection._one_estimator import check_one_estimator
from sk_mtl.model_selection._task_comparison import TaskComparison

_REMEDY = (
    "Compare two at a time, the second as `baseline`, with the same random_state for "
    "each pair."
)

_DEFAULT_METRICS = {"class": "roc_auc", "number": "r2"}


def compare_tasks(
    estimator,
    X,
    y,
    *,
    cv=5,
    scoring=None,
    baseline=None,
    groups=None,
    sample_weight=None,
    params=None,
    random_state=None,
    n_jobs=None,
):
    """Compare an estimator with a network per task, task by task, on the same folds.

    Sharing weights helps some tasks and hurts others, the seesaw of multi-task
    learning, which a mean over tasks hides. Both models are fitted to the same training
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

    It is for one task at a time: among many tasks that nothing helps, one or another
    will seem to gain or to lose.

    Parameters
    ----------
    estimator : estimator
        A multi-task model, or a pipeline that ends in one. It is cloned and not
        changed.
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
    baseline : estimator, default=None
        What to compare with. None makes one network per task, `SingleTaskClassifier` or
        `SingleTaskRegressor`, with the estimator's own values of all parameters that
        both have: encoder, towers and budget.
    groups : array-like of shape (n_samples,), default=None
        Groups for the splitter, such as users whose rows must stay together, and for a
        `fit` that takes `groups`.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or dict, \
            default=None
        Weights for `fit` of both models, also by task name, cut to the training rows of
        each fold. The scores are not weighted.
    params : dict, default=None
        Further keywords of `fit` of both models, as of :func:`out_of_fold_proba`.
    random_state : int, RandomState instance or None, default=None
        Decides on the folds where `cv` is a number, and on every `random_state` of the
        two models that is None: a seed per fold, the same for both.
    n_jobs : int, default=None
        Number of fits in parallel, through joblib; -1 uses all cores. The seconds of
        fits that share cores are longer.

    Returns
    -------
    comparison : TaskComparison
        Printed, it is a table and a sentence. `frame()` is the table, `summary` the
        sentence.

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
    check_one_estimator("estimator", estimator, _REMEDY)
    baseline = single_task_baseline(estimator) if baseline is None else baseline
    check_one_estimator("baseline", baseline, _REMEDY)
    random_state = check_random_state(random_state)
    folds = make_folds(
        cv, estimator, X, y, groups, shuffle=True, random_state=random_state
    )
    given = {"groups": groups, "sample_weight": sample_weight, **(params or {})}
    seeds = random_state.randint(2**31 - 1, size=len(folds))
    found = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_score)(model, X, y, given, train, test, seed, scoring)
        for model in (estimator, baseline)
        for (train, test), seed in zip(folds, seeds, strict=True)
    )
    own, others = found[: len(folds)], found[len(folds) :]
    scores, baseline_scores = _score_table(own), _score_table(others)
    _warn_undefined(scores, baseline_scores)
    names = names_apart(estimator, baseline)
    return TaskComparison(
        estimator_name=names[0],
        baseline_name=names[1],
        metrics=own[0]["metrics"],
        scores=scores,
        baseline_scores=baseline_scores,
        test_ratio=float(np.mean([len(test) / len(train) for train, test in folds])),
        costs=_cost_table({"estimator": own, "baseline": others}, names),
    )


def _fit_and_score(estimator, X, y, given, train, test, seed, scoring):
    """Return the scores of a fold by task, and the costs of the fit."""
    model = _seeded(clone(estimator), int(seed))
    arguments = fit_arguments(model, X, y, train, **given)
    y_train, y_test = _safe_indexing(y, train), _safe_indexing(y, test)
    start = time.perf_counter()
    model.fit(_safe_indexing(X, train), y_train, **arguments)
    seconds = time.perf_counter() - start
    tasks, trained = FittedTasks(model, y_test), FittedTasks(model, y_train)
    metrics = _metrics_of(tasks, scoring)
    # A class that no training row has does not measure the model.
    defined = [k for k in metrics if tasks.classes_in_y(k) <= trained.classes_in_y(k)]
    pos_label = getattr(scoring, "pos_label", None)
    rows = tasks.rows(_safe_indexing(X, test), defined, pos_label=pos_label)
    values = dict.fromkeys(metrics, np.nan)
    for k, own in zip(defined, rows, strict=True):
        warn_open_classes([metrics[k]], {tasks.names[k]: own})
        values[k] = metrics[k].of_rows(own)
    return {
        "scores": {tasks.names[k]: value for k, value in values.items()},
        "metrics": {tasks.names[k]: metric for k, metric in metrics.items()},
        "fit_seconds": seconds,
        "n_parameters": _n_parameters(model),
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


def _metrics_of(tasks, scoring):
    """By position, the metric of each task that is scored."""
    if scoring is None:
        return {
            k: task_metric(_DEFAULT_METRICS[kind]) for k, kind in enumerate(tasks.kinds)
        }
    task = None
    if isinstance(scoring, TaskScorer):
        scoring, task = scoring.metric, scoring.task
    metric = task_metric(scoring)
    return dict.fromkeys(tasks.scored_by(metric, task), metric)


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


def _cost_table(fits, names):
    """Name and median costs of each model; the first fit of a process is slow."""
    columns = ("fit_seconds", "n_parameters")
    costs = {
        column: [np.median([fit[column] for fit in own]) for own in fits.values()]
        for column in columns
    }
    return pd.DataFrame({"name": names, **costs}, index=list(fits))


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
