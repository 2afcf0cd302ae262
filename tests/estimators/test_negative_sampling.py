"""Answers about all rows from a model that was trained on thinned negatives."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_mtl import (
    AITMClassifier,
    ESMMClassifier,
    MMOEClassifier,
    MultiTaskEstimator,
)
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.losses import FunnelStructure
from tests.estimators.common import (
    PLAIN,
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
    refuse,
)

SETTINGS = {**QUICK, **PLAIN, "max_epochs": 1}


def fit(cls, X, y, rate, **settings):
    return cls(**SETTINGS, negative_sampling_rate=rate, **settings).fit(X, y)


def odds(proba):
    return proba[:, 1] / proba[:, 0]


@pytest.fixture(scope="module")
def funnel():
    X, y = funnel_table()
    plain = fit(ESMMClassifier, X, y, None)
    return X, y, plain, fit(ESMMClassifier, X, y, {"click": 0.2})


def test_funnel_is_corrected_after_the_same_training(funnel):
    X, _, plain, model = funnel
    (click, both), (p, q) = plain.predict_proba(X), model.predict_proba(X)
    np.testing.assert_allclose(odds(p), 0.2 * odds(click), rtol=1e-5)
    share = 1 - 0.8 * click[:, 1]
    np.testing.assert_allclose(q[:, 1], 0.2 * both[:, 1] / share, rtol=1e-5)
    assert_equal_proba(
        model.predict_conditional_proba(X)[1:], plain.predict_conditional_proba(X)[1:]
    )
    pd.testing.assert_frame_equal(
        model.history_.drop(columns="seconds"), plain.history_.drop(columns="seconds")
    )


def test_every_answer_is_corrected(funnel):
    X, y, _, model = funnel
    proba = model.predict_proba(X)
    for log_proba, each in zip(model.predict_log_proba(X), proba, strict=True):
        np.testing.assert_allclose(np.exp(log_proba), each, atol=1e-6)
    assert (model.predict(X) == np.column_stack([p.argmax(1) for p in proba])).all()
    frame = model.predict_frame(X)
    np.testing.assert_allclose(frame["click_proba"], proba[0][:, 1])
    np.testing.assert_allclose(
        frame["conversion_proba"],
        frame["click_proba"] * frame["conversion_rate"],
        atol=1e-6,
    )
    assert_equal_proba(model.task("click").predict_proba(X), proba[0])
    network = model.predictor_
    assert isinstance(network.structure, FunnelStructure)
    logits = network.logits(network.encode(X))
    assert_equal_proba(network.probabilities(network.answers(logits)), proba)
    assert model.score(X, y) == np.mean(model.predict(X) == y.to_numpy())
    assert model.summary().training.loc["negatives of click kept", "value"] == "0.2"


def test_members_of_an_ensemble_are_corrected_together():
    X, y = funnel_table()
    plain, model = (
        fit(ESMMClassifier, X, y, rate, n_members=2) for rate in (None, {"click": 0.5})
    )
    p, q = (each.predict_proba(X)[0] for each in (plain, model))
    np.testing.assert_allclose(odds(q), 0.5 * odds(p), rtol=1e-5)


def test_later_step_and_aitm():
    X, y = funnel_table()
    later = fit(ESMMClassifier, X, y, {"conversion": 0.5})
    p, q = (each[:, 1] for each in fit(ESMMClassifier, X, y, None).predict_proba(X))
    found = [each[:, 1] for each in later.predict_proba(X)]
    np.testing.assert_allclose(found[0], (p - 0.5 * q) / (1 - 0.5 * q), rtol=1e-4)
    np.testing.assert_allclose(found[1], 0.5 * q / (1 - 0.5 * q), rtol=1e-4)
    steps = fit(AITMClassifier, X, y, {"click": 0.2}).predict_proba(X)
    plain = fit(AITMClassifier, X, y, None).predict_proba(X)
    share = 1 - 0.8 * plain[0][:, 1]
    for before, after in zip(plain, steps, strict=True):
        np.testing.assert_allclose(after[:, 1], 0.2 * before[:, 1] / share, rtol=1e-4)


@pytest.mark.parametrize("cls", [MMOEClassifier, MultiTaskEstimator])
def test_other_tasks_weight_the_negatives_that_were_kept(cls):
    X, y = mixed_table()
    model = fit(cls, X, y, {"churn": 0.25})
    weight = pd.DataFrame({"churn": 1.0, "buy": np.where(y["churn"] == 0, 4.0, 1.0)})
    plain = cls(**SETTINGS).fit(X, y, sample_weight=weight)
    (churn, buy), (p, q) = plain.predict_proba(X), model.predict_proba(X)
    np.testing.assert_array_equal(q, buy)
    np.testing.assert_allclose(odds(p), 0.25 * odds(churn), rtol=1e-5)


def test_rows_without_a_label_of_the_thinned_task_count_once():
    X, y = mixed_table()
    y = y.astype(float)
    y.loc[::4, "churn"] = np.nan
    model = fit(MMOEClassifier, X, y, {"churn": 0.25})
    weight = pd.DataFrame({"churn": 1.0, "buy": np.where(y["churn"] == 0, 4.0, 1.0)})
    plain = MMOEClassifier(**SETTINGS).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.predict_proba(X)[1], plain.predict_proba(X)[1])


def test_validation_rows_are_thinned_too():
    X, y = mixed_table()
    settings = {"early_stopping": True, "monitor": "log_loss"}
    model = fit(ESMMClassifier, X, y, {"churn": 0.5}, **settings)
    plain = fit(ESMMClassifier, X, y, None, **settings)
    columns = [name for name in plain.history_ if name != "seconds"]
    pd.testing.assert_frame_equal(model.history_[columns], plain.history_[columns])


def test_number_is_of_a_single_task():
    X, y = mixed_table()
    plain, model = (fit(MMOEClassifier, X, y["churn"], r) for r in (None, 0.5))
    np.testing.assert_allclose(
        odds(model.predict_proba(X)), 0.5 * odds(plain.predict_proba(X)), rtol=1e-5
    )
    same = fit(MMOEClassifier, X, y, {"churn": 1, "buy": 1.0})
    assert_equal_proba(
        same.predict_proba(X), fit(MMOEClassifier, X, y, None).predict_proba(X)
    )
    copy = clone(model).fit(X, y["churn"])
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))


def test_labels_of_text_need_a_positive_class():
    X, y = mixed_table()
    text = y.replace({1: "a", 0: "n"})
    model = fit(MMOEClassifier, X, text, {"churn": 0.5}, pos_label="a")
    plain = fit(MMOEClassifier, X, y, {"churn": 0.5})
    np.testing.assert_allclose(
        model.predict_proba(X)[0][:, 0], plain.predict_proba(X)[0][:, 1], rtol=1e-6
    )
    with pytest.warns(PositiveClassWarning, match="negative_sampling_rate needs"):
        fit(MMOEClassifier, X, text, {"churn": 0.5})


def test_bad_rates():
    X, y = mixed_table()
    three = y.assign(town=X["town"])

    def attempt(rate, y=y, cls=MMOEClassifier, **settings):
        return lambda: fit(cls, X.drop(columns="town"), y, rate, **settings)

    refuse(
        attempt(0.2),
        "negative_sampling_rate must name the task whose negatives were thinned, one "
        "of ['churn', 'buy']; found 0.2. Give for example {'churn': 0.2}.",
    )
    refuse(
        attempt({"chrun": 0.2}),
        "negative_sampling_rate must be keyed by task names ['churn', 'buy']; found "
        "['chrun']. Correct the names; tasks left out kept all rows.",
    )
    for wrong in (0, 1.5, True, "half"):
        refuse(
            attempt({"churn": wrong}),
            "negative_sampling_rate must hold rates greater than 0 and at most 1; "
            f"found {wrong!r} for 'churn'. Give the share of its negatives that was "
            "kept.",
        )
    refuse(
        attempt({"churn": 0.2, "buy": 0.5}),
        "negative_sampling_rate must be of one task, as rows that are negative for two "
        "would be dropped for either; found ['churn', 'buy']. Thin the negatives of "
        "one task.",
    )
    refuse(
        attempt({"town": 0.2}, three),
        "negative_sampling_rate must be of a task with two classes; found 3 classes in "
        "'town'. Weight the rows by sample_weight instead.",
    )
    refuse(
        attempt({"age": 0.2}, y.assign(age=X["visits"] + 0.5), MultiTaskEstimator),
        "negative_sampling_rate must be of a task with two classes; found numbers in "
        "'age'. Weight the rows by sample_weight instead.",
    )
    tree = {"structure": {"buy": "churn", "like": "churn"}}
    like = y.assign(like=y["churn"] * (X["visits"] > 4))
    refuse(
        attempt({"buy": 0.2}, like, **tree),
        "negative_sampling_rate must be of a task that is on the way to every other "
        "step, or behind it; found 'buy', whose negatives do not determine the "
        "probability of ['like']. Thin the negatives of the first step.",
    )
    gaps = y.astype(float)
    gaps.loc[:2, "churn"] = np.nan
    refuse(
        attempt({"churn": 0.2}, gaps, ESMMClassifier),
        "negative_sampling_rate needs a label of step 'churn' in every row with "
        "labels, as rows without one were not thinned; found 3 rows without. Drop "
        "them.",
    )
    model = MMOEClassifier(**SETTINGS, negative_sampling_rate={"churn": 0.2})
    refuse(
        lambda: model.fit(X, y, soft_labels=y * 0.5),
        "negative_sampling_rate must be None with soft_labels, which are probabilities "
        "of all rows; found a rate for 'churn'. Fit without one of them.",
    )


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("cls", "max_epochs"),
    # Weighted rows are memorised early, and then raise the rate of the other task.
    [(ESMMClassifier, "auto"), (MMOEClassifier, 2)],
)
def test_means_of_trained_models_are_of_all_rows(cls, max_epochs):
    """Over five seeds, within 5 % of the shares in 50,000 rows that are new."""
    ratios = []
    for seed in range(5):
        X, y, _ = make_conversion_funnel(100_000, random_state=seed)
        rng = np.random.default_rng(seed)
        train, test = np.split(rng.permutation(len(y)), 2)
        drawn = rng.random(len(train)) < 0.2
        train = train[(y["click"].to_numpy()[train] == 1) | drawn]
        model = cls(
            max_epochs=max_epochs,
            negative_sampling_rate={"click": 0.2},
            random_state=seed,
        )
        proba = model.fit(X.iloc[train], y.iloc[train]).predict_proba(X.iloc[test])
        means = [each[:, 1].mean() for each in proba]
        ratios.append(means / y.iloc[test].mean().to_numpy())
    np.testing.assert_allclose(np.mean(ratios, axis=0), 1, atol=0.05)
