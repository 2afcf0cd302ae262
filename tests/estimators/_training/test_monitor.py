"""What is watched on the validation rows."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from sklearn.model_selection import GroupShuffleSplit

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._training._monitor import ValidationRows, resolve_monitor
from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.losses import IndependentStructure
from sk_mtl.metrics import TaskScorer, grouped_roc_auc, make_task_scorer
from tests.estimators.common import QUICK, class_targets, mixed_table, refuse

TARGETS = class_targets(["a", "b"], [np.array(["n", "y"]), np.array([0, 1])], False)
CODES = np.array([[0, 1], [1, np.nan], [1, 0], [0, 1]])
# Task a is ranked without a fault; of task b's pairs one in two is right.
LOGITS = torch.tensor([[-1.0, 2.0], [1.0, 9.0], [2.0, 1.0], [-2.0, 0.0]])


def score(monitor, weight=None, targets=TARGETS, groups=None):
    structure = IndependentStructure([len(classes) for classes in targets.classes])
    rows = ValidationRows(targets, structure, CODES, weight, groups)
    losses = {"valid_loss": 0.5, "valid_loss_a": 0.25, "valid_loss_b": 0.75}
    return resolve_monitor(monitor, targets).watching(rows).score(losses, LOGITS)


def test_losses_are_read_off_the_epoch():
    assert score("valid_loss") == 0.5
    assert score("a") == 0.25
    assert score("b") == 0.75


def test_metrics_are_means_over_tasks_on_labelled_rows():
    assert score(("roc_auc", "a")) == 1.0
    assert score(("roc_auc", "b")) == 0.5
    assert score("roc_auc") == 0.75


def test_weights_of_rows_reach_the_metric():
    weight = np.array([[1.0, 3.0], [1, 0], [1, 1], [1, 1.0]])
    assert score(("roc_auc", "b"), weight) == 0.75


def test_groups_of_rows_reach_the_metric():
    # Task b has three labelled rows: two of one group in order, one alone.
    groups = np.array(["u", "v", "u", "w"])
    assert score(("grouped_roc_auc", "b"), groups=groups) == 1.0
    one = np.full(4, "u")
    assert score(("grouped_roc_auc", "b"), groups=one) == score(("roc_auc", "b"))
    worst = make_task_scorer("grouped_roc_auc", average="min")
    assert score(worst, groups=one) == 0.5


def test_a_callable_sees_the_labels_and_probabilities_of_a_task():
    seen = []

    def share(y_true, y_proba):
        seen.append((y_true.tolist(), y_proba.shape))
        return y_proba[:, 1].mean()

    assert 0 < score(share) < 1
    assert seen == [(["n", "y", "y", "n"], (4, 2)), ([1, 0, 1], (3, 2))]


@pytest.mark.parametrize(
    ("monitor", "name", "greater"),
    [
        ("valid_loss", "valid_loss", False),
        ("b", "valid_loss_b", False),
        ("roc_auc", "valid_roc_auc", True),
        ("log_loss", "valid_log_loss", False),
        ("neg_log_loss", "valid_neg_log_loss", True),
        (("lift@0.5", "b"), "valid_lift@0.5_b", True),
        ("expected_calibration_error", "valid_expected_calibration_error", False),
        (("brier", "a"), "valid_brier_a", False),
        (["average_precision", "b"], "valid_average_precision_b", True),
    ],
)
def test_names_and_directions(monitor, name, greater):
    found = resolve_monitor(monitor, TARGETS)
    assert found.name == name
    assert found.greater_is_better is greater


@pytest.mark.parametrize(
    ("scorer", "name", "value"),
    [
        (make_task_scorer("roc_auc"), "valid_roc_auc", 0.75),
        (make_task_scorer("roc_auc", task="b"), "valid_roc_auc_b", 0.5),
        (make_task_scorer("roc_auc", task=0), "valid_roc_auc_a", 1.0),
        (make_task_scorer("roc_auc", average="min"), "valid_roc_auc_min", 0.5),
        (
            make_task_scorer("roc_auc", average="weighted"),
            "valid_roc_auc_weighted",
            (4 * 1.0 + 3 * 0.5) / 7,
        ),
        ((make_task_scorer("roc_auc"), "b"), "valid_roc_auc_b", 0.5),
    ],
)
def test_a_scorer_brings_its_task_and_its_average(scorer, name, value):
    assert resolve_monitor(scorer, TARGETS).name == name
    assert score(scorer) == pytest.approx(value)


def test_the_worst_task_of_a_loss_is_the_one_of_the_largest():
    worst = make_task_scorer("brier", average="min")
    assert not resolve_monitor(worst, TARGETS).greater_is_better
    assert score(worst) == max(score(("brier", "a")), score(("brier", "b")))


def test_positive_class_of_a_scorer():
    scorer = make_task_scorer("average_precision", task="a", pos_label="n")
    # In the order of P(n) task a is without a fault as well; turned round, it is not.
    assert score(scorer) == 1
    swapped = class_targets(["a", "b"], [np.array(["y", "z"]), np.array([0, 1])], False)
    monitor = make_task_scorer("average_precision", pos_label={"a": "y"})
    assert resolve_monitor(monitor, swapped).positive == {0: "y"}
    with pytest.raises(ValueError, match=r"one of the classes \['n', 'y'\] of 'a'"):
        resolve_monitor(make_task_scorer("brier", task="a", pos_label=1), TARGETS)


def test_class_that_nothing_names_is_taken_with_a_warning():
    message = r"monitor='average_precision' needs .* positive: \{'a': 'y'\}"
    with pytest.warns(PositiveClassWarning, match=message):
        resolve_monitor("average_precision", TARGETS)
    resolve_monitor(("average_precision", "b"), TARGETS)
    resolve_monitor("roc_auc", TARGETS)


def test_functions_of_scikit_learn_are_metrics_of_their_names():
    found = resolve_monitor(sklearn.metrics.log_loss, TARGETS)
    assert (found.name, found.greater_is_better) == ("valid_log_loss", False)
    assert score(sklearn.metrics.accuracy_score) == score("accuracy")


def test_a_callable_may_say_that_less_is_better():
    def error(y_true, y_proba):
        return 0.0

    assert resolve_monitor(error, TARGETS).greater_is_better
    error.greater_is_better = False
    assert not resolve_monitor((error, "a"), TARGETS).greater_is_better


@pytest.mark.parametrize(
    ("monitor", "message"),
    [
        (
            "c",
            "monitor must be 'valid_loss', one of the tasks ['a', 'b'], one of the "
            "metrics ['roc_auc', ",
        ),
        (
            "c",
            "a pair (metric, task) or a callable; found 'c'. Use one of these names.",
        ),
        (
            ("roc_auc", "c"),
            "monitor as a pair must be (metric, task) with a task of ['a', 'b']; found "
            "('roc_auc', 'c'). Use for instance ('roc_auc', 'a').",
        ),
        (("roc_auc",), "found ('roc_auc',). Use for instance ('roc_auc', 'a')."),
        (("aux", "a"), "metric must be one of ['roc_auc', "),
        (
            sklearn.metrics.jaccard_score,
            "monitor must be a metric or the like: metric must be a function of one "
            "task's labels and probabilities",
        ),
        (
            (sklearn.metrics.jaccard_score, "a"),
            "jaccard_score, which takes predicted labels, not probabilities. Wrap it: "
            "lambda y, p: jaccard_score(y, p.argmax(1))",
        ),
        (sklearn.metrics.get_scorer("f1"), "which is called with an estimator."),
        (TaskScorer, "found the class TaskScorer. Give an instance"),
        (make_task_scorer("r2"), "'r2' is of tasks of numbers; found classes in 'a'"),
        (("r2", "a"), "'r2' is of tasks of numbers; found classes in 'a'"),
        (make_task_scorer("brier", task="c"), "must be one of ['a', 'b'] or a positi"),
    ],
)
def test_a_monitor_that_is_none_is_refused(monitor, message):
    with pytest.raises(ValueError) as caught:
        resolve_monitor(monitor, TARGETS)
    assert message in str(caught.value)


def test_a_wrong_monitor_is_refused_also_where_nothing_is_monitored():
    X, y = mixed_table(60)
    with pytest.raises(ValueError, match="found 'chrn'"):
        MMOEClassifier(monitor="chrn", early_stopping=False, **QUICK).fit(X, y)


@pytest.mark.parametrize(
    ("monitor", "column", "pick"),
    [
        ("valid_loss", "valid_loss", "idxmin"),
        ("buy", "valid_loss_buy", "idxmin"),
        ("roc_auc", "valid_roc_auc", "idxmax"),
        (make_task_scorer("log_loss", task="buy"), "valid_log_loss_buy", "idxmin"),
        (("brier", "churn"), "valid_brier_churn", "idxmin"),
        (lambda y, p: -((y - p[:, 1]) ** 2).mean(), "valid_<lambda>", "idxmax"),
    ],
)
def test_a_fit_keeps_the_best_epoch_of_its_monitor(monitor, column, pick):
    X, y = mixed_table()
    settings = {**QUICK, "max_epochs": 15, "lr": 0.05, "n_iter_no_change": 5}
    model = MMOEClassifier(monitor=monitor, **settings)
    model.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])
    history = model.history_
    assert model.best_epoch_ == history["epoch"][getattr(history[column], pick)()]
    assert model.best_epoch_ <= model.n_iter_


def test_a_recorded_metric_is_that_of_the_validation_rows():
    from sk_mtl.metrics import task_scores

    X, y = mixed_table()
    model = MMOEClassifier(monitor="roc_auc", **QUICK)
    model.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])
    best = model.history_.set_index("epoch")["valid_roc_auc"][model.best_epoch_]
    scores = task_scores(y[160:], model.predict_proba(X[160:]))
    assert best == pytest.approx(scores["roc_auc"].mean(), abs=1e-6)


def test_a_grouped_monitor_reads_the_groups_of_the_rows_held_out():
    X, y = mixed_table()
    users = np.arange(240) // 8
    split = GroupShuffleSplit(n_splits=1, test_size=0.3, random_state=0)
    model = MMOEClassifier(
        monitor=("grouped_roc_auc", "buy"),
        validation_split=split,
        **QUICK,
    ).fit(X, y, groups=users)
    history = model.history_.set_index("epoch")["valid_grouped_roc_auc_buy"]
    _, rows = next(split.split(X, y, users))
    proba = model.predict_proba(X.iloc[rows])[1]
    expected = grouped_roc_auc(y["buy"].iloc[rows], proba, users[rows])
    assert history[model.best_epoch_] == pytest.approx(expected, abs=1e-6)


def test_members_read_the_groups_of_their_own_folds():
    X, y = mixed_table(120)
    model = MMOEClassifier(
        monitor=("grouped_roc_auc", "buy"), n_members=2, member_rows="folds", **QUICK
    ).fit(X, y, groups=np.arange(120) // 8)
    assert model.history_["valid_grouped_roc_auc_buy"].between(0, 1).all()


@pytest.mark.parametrize("given", [False, True])
def test_a_grouped_monitor_without_groups_is_refused(given):
    X, y = mixed_table(80)
    model = MMOEClassifier(monitor="grouped_ndcg@5", **QUICK)
    rows = {"X_val": X, "y_val": y, "groups": np.arange(80)} if given else {}
    refuse(
        lambda: model.fit(X, y, **rows),
        "monitor='grouped_ndcg@5' ranks within groups and needs the groups of the "
        "validation rows; found none. Call fit(X, y, groups=...) without X_val, which "
        "has no groups.",
    )


def test_validation_rows_without_the_monitored_labels_are_refused():
    X, y = mixed_table()
    gone = y.astype(float).assign(buy=np.nan)
    model = MMOEClassifier(monitor="buy", **QUICK)
    with pytest.raises(ValueError, match="found that 'valid_loss_buy' is NaN"):
        model.fit(X, y, X_val=X, y_val=gone)
    model.set_params(monitor="valid_loss").fit(X, y, X_val=X, y_val=gone)
    assert model.history_["valid_loss_buy"].isna().all()
    assert model.history_["valid_loss"].equals(
        model.history_["valid_loss_churn"].rename("valid_loss")
    )
