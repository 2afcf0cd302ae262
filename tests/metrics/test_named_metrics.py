import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl.metrics import (
    grouped_hit_rate_at_k,
    grouped_ndcg,
    grouped_recall_at_k,
    grouped_roc_auc,
    task_metric,
    task_scores,
)
from tests.estimators.common import refuse

RNG = np.random.default_rng(0)
Y, P = RNG.integers(0, 2, 60), RNG.random(60)
BOTH = np.column_stack([1 - P, P])
GROUPS = RNG.choice(["a", "b", "c"], 60)
WEIGHT = RNG.random(60)
FUNCTIONS = {
    "grouped_roc_auc": grouped_roc_auc,
    "grouped_ndcg": grouped_ndcg,
    "grouped_ndcg@3": partial(grouped_ndcg, k=3),
    "grouped_recall": partial(grouped_recall_at_k, k=10),
    "grouped_recall@3": partial(grouped_recall_at_k, k=3),
    "grouped_hit_rate": partial(grouped_hit_rate_at_k, k=10),
    "grouped_hit_rate@1": partial(grouped_hit_rate_at_k, k=1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_grouped_metric_is_its_function(name):
    metric, function = task_metric(name), FUNCTIONS[name]
    assert metric.needs_groups
    assert metric.greater_is_better
    expected = function(Y, P, GROUPS)
    assert metric(Y, P, groups=GROUPS) == expected
    weighted = function(Y, P, GROUPS, sample_weight=WEIGHT)
    assert metric(Y, P, WEIGHT, groups=GROUPS) == weighted
    custom = task_metric(function)
    assert custom.needs_groups
    assert custom(Y, BOTH, groups=GROUPS) == expected
    swapped = metric(1 - Y, BOTH[:, ::-1], groups=GROUPS, pos_label=0)
    assert swapped == pytest.approx(expected)


def test_groups_of_rows_without_a_label_do_not_count():
    y = Y.astype(object)
    y[:20] = None
    groups = GROUPS.astype(object)
    groups[:20] = None
    found = task_metric("grouped_roc_auc")(y, P, groups=groups)
    assert found == grouped_roc_auc(Y[20:], P[20:], GROUPS[20:])


def test_several_classes_are_ranked_each_against_the_rest():
    y, proba = RNG.integers(0, 3, 60), RNG.dirichlet(np.ones(3), 60)
    each = [grouped_roc_auc((y == k) * 1, proba[:, k], GROUPS) for k in range(3)]
    found = task_metric("grouped_roc_auc")(y, proba, groups=GROUPS)
    assert found == pytest.approx(np.mean(each))


@pytest.mark.parametrize("metric", ["grouped_roc_auc", grouped_roc_auc])
def test_groups_that_are_not_given_are_asked_for(metric):
    refuse(
        lambda: task_metric(metric)(Y, P),
        "The metric 'grouped_roc_auc' must be given the groups of rows; found none. "
        "Pass groups=; a search hands them to its scorer where scikit-learn's "
        "enable_metadata_routing is on.",
    )


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"one entry per row of y \(60\); found 3"):
        task_metric("grouped_roc_auc")(Y, P, groups=GROUPS[:3])


def test_a_callable_may_do_without_groups():
    def n_groups(y, proba, groups=None):
        return 0 if groups is None else len(set(groups))

    metric = task_metric(n_groups)
    assert not metric.needs_groups
    assert (metric(Y, P), metric(Y, P, groups=GROUPS)) == (0, 3)


def test_groups_of_one_class_each_are_undefined_with_one_warning():
    message = r"grouped_roc_auc is undefined and NaN for \['y'\]: no group of"
    with pytest.warns(UndefinedMetricWarning, match=message) as record:
        table = task_scores(
            Y, P, metrics="grouped_roc_auc", task_names=["y"], groups=range(60)
        )
    assert np.isnan(table.loc["y", "grouped_roc_auc"])
    assert len(record) == 1


def test_metrics_of_one_name_are_equal_and_can_be_pickled():
    lift = task_metric("lift@0.2")
    assert lift == task_metric("lift@0.2")
    assert lift != task_metric("lift@0.3")
    assert pickle.loads(pickle.dumps(lift))(Y, P) == lift(Y, P)
    assert lift.name == "lift@0.2"
    assert task_metric("neg_mean_pinball_loss@0.2").greater_is_better


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "top_k_accuracy@0",
            "The setting of 'top_k_accuracy' must be a whole number of at least 1; "
            "found 'top_k_accuracy@0'. Write for instance 'top_k_accuracy@3'.",
        ),
        (
            "lift@2",
            "The setting of 'lift' must be a share above 0, up to 1; found 'lift@2'. "
            "Write for instance 'lift@0.05'.",
        ),
        (
            "neg_mean_pinball_loss@high",
            "The setting of 'mean_pinball_loss' must be a level between 0 and 1; found "
            "'mean_pinball_loss@high'. Write for instance 'mean_pinball_loss@0.9'.",
        ),
        (
            "roc_auc@3",
            "Only metrics with a setting, ['top_k_accuracy', 'grouped_ndcg', "
            "'grouped_recall', 'grouped_hit_rate', 'expected_calibration_error', "
            "'lift', 'mean_pinball_loss'], may have one behind an '@'; found "
            "'roc_auc@3'. Use 'roc_auc'.",
        ),
    ],
)
def test_settings_that_are_wrong(name, message):
    refuse(lambda: task_metric(name), message)


def test_an_unknown_name_with_a_setting_is_an_unknown_name():
    with pytest.raises(ValueError, match=r"metric must be one of .*; found 'hit@3'"):
        task_metric("hit@3")


def test_a_mistyped_name_is_asked_about():
    with pytest.raises(ValueError, match=r"found 'matthews_correlation'\. Did you"):
        task_metric("matthews_correlation")
