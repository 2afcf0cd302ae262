"""Several estimators compared with one baseline."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import (
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    PLEClassifier,
    SharedBottomClassifier,
)
from sk_mtl.model_selection import compare_tasks
from sk_mtl.preprocessing import CategoryEncoder
from tests.estimators.common import QUICK, mixed_table
from tests.metrics.common import OneModelPerTask, random_tasks

X, Y = mixed_table(160)
GIVEN = {"cv": 2, "random_state": 0}
UNSEEDED = {**QUICK, "random_state": None, "n_members": 1}
MODELS = [
    MMOEClassifier(n_experts=2, **UNSEEDED),
    MMOEClassifier(n_experts=3, lr=0.01, **UNSEEDED),
    PLEClassifier(**UNSEEDED),
]


@pytest.fixture(scope="module")
def several():
    return compare_tasks(MODELS, X, Y, **GIVEN)


def test_the_table_has_a_row_for_each_model_and_task(several):
    names = [
        "MMOEClassifier(lr='auto', n_experts=2)",
        "MMOEClassifier(lr=0.01, n_experts=3)",
        "PLEClassifier",
    ]
    table = several.frame()
    assert table.index.names == ["model", "task"]
    assert table.index.tolist() == [(name, task) for name in names for task in Y]
    assert several.names == names
    assert several.baseline_name == "SingleTaskClassifier"
    assert several.costs.index.tolist() == [*names, "baseline"]
    assert several.costs["name"].tolist() == [*names, "SingleTaskClassifier"]
    assert (several.costs["fit_seconds"] > 0).all()


@pytest.mark.parametrize("k", range(3))
def test_each_is_compared_as_alone(several, k, monkeypatch):
    # Alone and without rows that are encoded for several fits.
    monkeypatch.setattr(MMOEClassifier, "shares_rows", lambda *_: False)
    monkeypatch.setattr(PLEClassifier, "shares_rows", lambda *_: False)
    alone = compare_tasks(
        MODELS[k], X, Y, **GIVEN, baseline=_single_task(), scoring=None
    )
    found = several.frame().loc[several.names[k]]
    pd.testing.assert_frame_equal(found, alone.frame(), rtol=1e-12)


def _single_task():
    from sk_mtl.model_selection._baseline import single_task_baseline

    return single_task_baseline(MODELS[0])


def test_rows_are_encoded_once_for_networks_that_share_them(monkeypatch):
    calls = []
    encode = MMOEClassifier.encode_rows

    def counted(self, *args, **kwargs):
        calls.append(type(self).__name__)
        return encode(self, *args, **kwargs)

    for cls in (MMOEClassifier, SharedBottomClassifier, ESMMClassifier):
        monkeypatch.setattr(cls, "encode_rows", counted)
    others = [SharedBottomClassifier(**QUICK), ESMMClassifier(**QUICK)]
    compare_tasks([MMOEClassifier(**QUICK), *others], X, Y, **GIVEN)
    # ESMM learns another structure, and is fitted by itself.
    assert calls == ["MMOEClassifier"] * 2


def test_the_text_has_a_sentence_for_each_and_a_note(several):
    text, page = str(several), several._repr_html_()
    assert len(several.summary.split("\n")) == 3
    for name in several.names:
        assert f"{name} beside SingleTaskClassifier, over 2 folds: " in text
    assert several.note == (
        "Each of the 6 intervals is at 95 %: if no model differed from the baseline, "
        "about 0.3 of them would exclude 0 by chance. Confirm what you choose on other "
        "rows."
    )
    assert text.endswith(several.note)
    assert page.count("<table") == 2
    assert "MMOEClassifier(lr=&#x27;auto&#x27;, n_experts=2) beside" in page


def test_a_single_estimator_has_no_note():
    features, y = random_tasks(90)
    found = compare_tasks(OneModelPerTask(), features, y, baseline=OneModelPerTask())
    assert found.note == ""
    assert found.frame().index.name == "task"
    assert "<p>OneModelPerTask 1 beside OneModelPerTask 2" in found._repr_html_()


def test_estimators_of_other_packages_may_be_among_them():
    features, y = random_tasks(200)
    models = [OneModelPerTask(), OneModelPerTask(var_smoothing=1e3)]
    found = compare_tasks(models, features, y, cv=3, baseline=models[1])
    difference = found.frame()["difference"].unstack("model")
    assert (difference[found.names[1]] == 0).all()
    np.testing.assert_array_equal(found.scores[found.names[1]], found.baseline_scores)


@pytest.mark.parametrize(
    ("first", "second", "shares"),
    [
        ({"n_experts": 2}, {"n_experts": 9, "lr": 0.1, "dropout": 0.5}, True),
        ({}, {"numeric_embedding": None, "interaction": None}, True),
        ({}, {"random_state": 1}, False),
        ({"random_state": None}, {"random_state": None}, False),
        ({}, {"preprocessor": CategoryEncoder()}, False),
        ({}, {"validation_fraction": 0.2}, False),
        ({}, {"early_stopping": False}, False),
        ({}, {"max_epochs": 50}, False),
        ({}, {"class_weight": "balanced"}, False),
        ({}, {"structure": "funnel"}, False),
        ({}, {"n_members": 2}, False),
    ],
)
def test_only_parameters_of_the_network_may_differ(first, second, shares):
    own = MMOEClassifier(**{"random_state": 0, **first})
    other = MMOEClassifier(**{"random_state": 0, **second})
    assert own.shares_rows(other) is shares


def test_a_fit_of_a_users_own_is_called():
    class Own(MMOEClassifier):
        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

    own, usual = Own(random_state=0), MMOEClassifier(random_state=0)
    assert not own.shares_rows(usual)
    assert not usual.shares_rows(own)
    assert not usual.shares_rows(OneModelPerTask())
    assert usual.shares_rows(PLEClassifier(random_state=0))


def test_a_task_is_of_one_kind_for_all_models():
    regressor = MMOERegressor(**QUICK, n_members=1)
    with pytest.raises(ValueError) as caught:
        compare_tasks([MMOEClassifier(**UNSEEDED), regressor], X, Y, **GIVEN)
    assert str(caught.value) == (
        "All models must answer a task in classes, or all in numbers; found that "
        "'churn' is scored by roc_auc for MMOEClassifier and by r2 for MMOERegressor. "
        "Compare classifiers with classifiers, and regressors with regressors."
    )


def test_an_unknown_baseline_and_one_that_cannot_be_made_are_refused():
    with pytest.raises(TypeError) as caught:
        compare_tasks(MODELS[0], X, Y, baseline="mmoe")
    assert str(caught.value) == (
        "baseline must be one estimator, an instance; found 'mmoe'. Give an estimator, "
        "or 'single_task'."
    )
    with pytest.raises(ValueError) as caught:
        compare_tasks([OneModelPerTask(), MODELS[0]], X, Y)
    assert str(caught.value) == (
        "baseline='single_task' needs a first estimator of sk_mtl, alone or as the "
        "last step of a pipeline; found OneModelPerTask. Give an estimator as the "
        "baseline."
    )
