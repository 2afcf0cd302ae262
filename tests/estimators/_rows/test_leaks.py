"""Features that are a label under another name, and what it costs to look for them."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest

from sk_mtl import MMOEClassifier, SharedBottomClassifier
from sk_mtl.estimators._rows._leaks import warn_about_leaks
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.exceptions import LeakWarning
from sk_mtl.preprocessing import FeatureArrays
from tests.estimators.common import QUICK, class_targets, mixed_table

CLASSES = class_targets(["a"], [np.arange(9)]).columns
NUMBERS = [NumberColumn("a", None)]


def leaks(column, label, tasks=CLASSES):
    """Return whether a feature is found to leak."""
    column, label = np.asarray(column), np.asarray(label, dtype=float)
    features = FeatureArrays(np.empty((len(column), 0), np.int32), column[:, None])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LeakWarning)
        warn_about_leaks(features, ["x"], label[:, None], tasks)
    return bool(caught)


def test_a_feature_that_is_the_label_leaks_in_any_disguise():
    label = np.arange(60) % 2
    assert leaks(label, label)
    assert leaks(-2.5 * label, label)
    assert leaks(1 - label, label)
    three = np.arange(60) % 3
    assert leaks(np.array([7, 1, 4])[three], three)


def test_a_feature_that_is_not_the_label_does_not():
    label = np.arange(60) % 2
    other = label.copy()
    other[-1] = 1 - other[-1]
    assert not leaks(other, label)
    assert not leaks(np.arange(60.0), label)
    assert not leaks(np.zeros(60), label)


def test_the_last_row_of_many_can_clear_a_feature():
    label = np.arange(3000) % 2
    other = label.copy()
    other[-1] = 1 - other[-1]
    assert leaks(label, label)
    assert not leaks(other, label)


def test_missing_labels_hide_no_leak_and_make_none():
    label = (np.arange(120) % 2).astype(float)
    feature = label.copy()
    label[::3] = np.nan
    feature[::3] = 5
    assert leaks(feature, label)


def test_few_rows_may_agree_by_chance():
    label = np.arange(29) % 2
    assert not leaks(label, label)
    assert leaks(np.arange(30) % 2, np.arange(30) % 2)


def test_a_class_of_one_row_can_clear_a_feature():
    label = np.r_[np.zeros(50), np.ones(50), 2]
    feature = np.r_[np.zeros(50), np.ones(50), 1]
    assert not leaks(feature, label)
    assert leaks(label, label)


def test_rare_labels_and_rare_features_are_not_alike():
    rng = np.random.default_rng(0)
    label = np.zeros(5000)
    label[rng.choice(5000, 5, replace=False)] = 1
    feature = np.zeros(5000)
    feature[rng.choice(5000, 5, replace=False)] = 1
    assert not leaks(feature, label)
    assert leaks(feature, feature)


def test_many_classes():
    label = np.random.default_rng(0).permutation(np.arange(900) % 300)
    tasks = class_targets(["a"], [np.arange(300)]).columns
    code = np.random.default_rng(1).permutation(300)
    assert leaks(code[label], label, tasks)
    other = code[label]
    other[label == 299] = code[0]
    assert not leaks(other, label, tasks)


def test_numbers_leak_as_linear_functions():
    number = np.random.default_rng(0).normal(size=500)
    assert leaks(np.float32(3 - 7 * number), number, NUMBERS)
    assert not leaks(number**3, number, NUMBERS)
    assert not leaks(np.zeros(500), number, NUMBERS)
    assert not leaks(number, np.zeros(500), NUMBERS)
    other = number.copy()
    other[77] += 0.01
    assert not leaks(other, number, NUMBERS)
    gaps = np.where(np.arange(500) % 3, number, np.nan)
    assert leaks(number, gaps, NUMBERS)


def leaking_table():
    X, y = mixed_table()
    return X.assign(told=y["buy"].map({0: "no", 1: "yes"}), x=y["churn"] * 3.5), y


def test_a_fit_names_every_leak_with_its_task():
    X, y = leaking_table()
    with pytest.warns(LeakWarning) as caught:
        MMOEClassifier(**QUICK).fit(X, y)
    assert [str(w.message) for w in caught] == [
        f"Feature {feature!r} must not tell the label of task {task!r}; found that it "
        "equals the label in every labelled row, which is a leak: the model will read "
        f"the answer off it. Drop {feature!r} from X."
        for feature, task in (("told", "buy"), ("x", "churn"))
    ]


def test_the_check_can_be_switched_off():
    X, y = leaking_table()
    model = MMOEClassifier(**QUICK, check_leaks=False, warm_start=True).fit(X, y)
    model.set_params(check_leaks=True).fit(X, y)


@pytest.mark.nightly
def test_the_check_is_a_small_share_of_a_fit():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2000, 200)))
    y = pd.DataFrame((rng.random((2000, 60)) < 0.2).astype(int))
    model = SharedBottomClassifier(max_epochs=1, random_state=0, early_stopping=False)

    def cost(check_leaks):
        model.set_params(check_leaks=check_leaks)
        seconds = []
        for _ in range(3):
            start = time.process_time()
            model.fit(X, y)
            seconds.append(time.process_time() - start)
        return min(seconds)

    model.fit(X, y)
    assert cost(True) < 1.25 * cost(False)
