from functools import partial

import numpy as np
import pytest
import sklearn.metrics

from sk_mtl.metrics import TaskScorer, make_task_scorer, task_metric

Y, P = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.4, 0.6])
BOTH = np.column_stack([1 - P, P])


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("roc_auc_score", "roc_auc"),
        ("average_precision_score", "average_precision"),
        ("accuracy_score", "accuracy"),
        ("balanced_accuracy_score", "balanced_accuracy"),
        ("f1_score", "f1"),
        ("precision_score", "precision"),
        ("recall_score", "recall"),
        ("matthews_corrcoef", "matthews_corrcoef"),
        ("top_k_accuracy_score", "top_k_accuracy"),
        ("log_loss", "log_loss"),
        ("brier_score_loss", "brier"),
        ("r2_score", "r2"),
        ("mean_squared_error", "mean_squared_error"),
        ("root_mean_squared_error", "root_mean_squared_error"),
        ("mean_absolute_error", "mean_absolute_error"),
        ("mean_absolute_percentage_error", "mean_absolute_percentage_error"),
        ("mean_pinball_loss", "mean_pinball_loss"),
        ("mean_poisson_deviance", "mean_poisson_deviance"),
        ("mean_gamma_deviance", "mean_gamma_deviance"),
    ],
)
def test_functions_that_have_a_name_here(function, name):
    function = getattr(sklearn.metrics, function)
    assert task_metric(function) == task_metric(name)
    direction = task_metric(name).greater_is_better
    assert task_metric(function, greater_is_better=direction) == task_metric(name)
    with pytest.raises(ValueError, match="greater_is_better must be None"):
        task_metric(function, greater_is_better=not direction)
    other = {"class": "number", "number": "class"}[task_metric(name).kind]
    with pytest.raises(ValueError, match=f"{name}' is of tasks of"):
        task_metric(function, kind=other)


@pytest.mark.parametrize(
    ("metric", "name", "greater", "kind"),
    [
        (sklearn.metrics.median_absolute_error, "median_absolute_error", False, "n"),
        (sklearn.metrics.max_error, "max_error", False, "n"),
        (sklearn.metrics.mean_tweedie_deviance, "mean_tweedie_deviance", False, "n"),
        (sklearn.metrics.explained_variance_score, "explained_variance_score", 1, "n"),
        (sklearn.metrics.d2_log_loss_score, "d2_log_loss_score", True, "c"),
        (partial(sklearn.metrics.log_loss, labels=[0, 1]), "log_loss", False, "c"),
        (
            partial(sklearn.metrics.mean_pinball_loss, alpha=0.1),
            "mean_pinball_loss",
            False,
            "n",
        ),
    ],
)
def test_direction_and_kind_of_other_functions(metric, name, greater, kind):
    found = task_metric(metric)
    kinds = {"n": "number", "c": "class"}
    assert (found.name, found.kind) == (name, kinds[kind])
    assert found.greater_is_better == greater
    answers = BOTH if kind == "c" else P
    assert found(Y, answers) == pytest.approx(metric(Y, answers))


def test_function_of_scores_with_its_options():
    auc = partial(sklearn.metrics.roc_auc_score, multi_class="ovr")
    y, proba = [0, 1, 2], np.array([[0.6, 0.2, 0.2], [0.2, 0.5, 0.3], [0.5, 0.3, 0.2]])
    assert task_metric(auc)(y, proba) == pytest.approx(auc(y, proba))


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            sklearn.metrics.jaccard_score,
            r"jaccard_score, which takes predicted labels, not probabilities\. Wrap "
            r"it: lambda y, p: jaccard_score\(y, p\.argmax\(1\)\)",
        ),
        (
            partial(sklearn.metrics.f1_score, average="macro"),
            "f1_score, which takes predicted labels",
        ),
        (sklearn.metrics.cohen_kappa_score, "takes predicted labels"),
        (sklearn.metrics.zero_one_loss, "takes predicted labels"),
        (sklearn.metrics.ndcg_score, r"of one class\. Wrap it: .*\(y, p\[:, 1\]\)"),
        (sklearn.metrics.silhouette_score, "silhouette_score, which takes something"),
        (TaskScorer, r"the class TaskScorer\. Give an instance, TaskScorer\(\.\.\.\)"),
        (make_task_scorer("brier"), r"a scorer, make_task.*estimator\. Pass 'brier'\."),
        (sklearn.metrics.get_scorer("f1"), "which is called with an estimator"),
    ],
)
def test_callables_that_are_no_metric_of_a_task(metric, message):
    with pytest.raises(ValueError, match=message):
        task_metric(metric)
    with pytest.raises(ValueError, match=message):
        make_task_scorer(metric)


def test_wrapped_functions_are_the_users_own():
    def f1_score(y, p):
        return sklearn.metrics.f1_score(y, p.argmax(1))

    expected = sklearn.metrics.f1_score(Y, BOTH.argmax(1))
    assert task_metric(f1_score)(Y, BOTH) == expected
    loss = task_metric(partial(lambda y, p, k: k, k=2))
    assert (loss.name, loss(Y, BOTH)) == ("<lambda>", 2)
