"""Funnels: products of conditional probabilities, learnt on all rows."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import AITMClassifier, ESMMClassifier, MMOEClassifier
from sk_mtl.exceptions import FunnelWarning
from tests.estimators.common import (
    PLAIN,
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)


def three_steps(n_samples=400):
    X, y = funnel_table(n_samples)
    bought = y["conversion"] * (np.arange(n_samples) % 2)
    return X, y.assign(review=bought)


@pytest.fixture(scope="module")
def fitted():
    X, y = three_steps()
    return ESMMClassifier(**QUICK).fit(X, y), X, y


def test_a_step_is_reached_by_the_product_of_the_rates(fitted):
    model, X, _ = fitted
    proba = np.stack([p[:, 1] for p in model.predict_proba(X)], axis=1)
    rates = np.stack([p[:, 1] for p in model.predict_conditional_proba(X)], axis=1)
    assert rates.shape == (400, 3)
    np.testing.assert_allclose(proba, rates.cumprod(axis=1), rtol=0, atol=1e-6)


def test_rates_are_probabilities(fitted):
    model, X, _ = fitted
    rates = model.predict_conditional_proba(X)
    assert type(rates) is list
    assert [rate.shape for rate in rates] == [(400, 2)] * 3
    for rate in rates:
        np.testing.assert_allclose(rate.sum(axis=1), 1, rtol=0, atol=1e-6)


def test_a_later_step_is_never_likelier(fitted):
    model, X, _ = fitted
    click, conversion, review = (p[:, 1] for p in model.predict_proba(X))
    assert (conversion <= click).all()
    assert (review <= conversion).all()


def test_the_losses_are_those_of_what_is_observed(fitted):
    _, X, y = fitted
    still = ESMMClassifier(**{**QUICK, "dropout": 0.0, "unknown_rate": 0.0})
    still.set_params(lr=1e-30).fit(X, y)
    row = still.history_.iloc[-1]
    for name, proba in zip(y.columns, still.predict_proba(X), strict=True):
        own = proba[np.arange(len(y)), y[name]]
        assert row[f"train_loss_{name}"] == pytest.approx(-np.log(own).mean(), abs=1e-5)


def test_rates_are_learnt_where_nobody_clicked_too():
    # Whoever is old converts after a click, and hardly anybody young clicks.
    rng = np.random.default_rng(0)
    n = 3000
    old = rng.random(n) < 0.5
    click = rng.random(n) < np.where(old, 0.8, 0.2)
    conversion = click & (rng.random(n) < np.where(old, 0.7, 0.1))
    X = pd.DataFrame({"age": old + 0.1 * rng.normal(size=n)})
    y = pd.DataFrame({"click": click * 1, "conversion": conversion * 1})
    model = ESMMClassifier(max_epochs=10, lr=0.01, random_state=0).fit(X, y)
    ctr, cvr = (p[:, 1] for p in model.predict_conditional_proba(X))
    assert abs(ctr[old].mean() - 0.8) < 0.05
    assert abs(ctr[~old].mean() - 0.2) < 0.05
    assert abs(cvr[old].mean() - 0.7) < 0.07
    assert abs(cvr[~old].mean() - 0.1) < 0.07


def test_steps_may_lack_labels():
    X, y = three_steps()
    y = y.astype(float)
    y.iloc[::2, 2] = np.nan
    y.iloc[::5, 0] = np.nan
    with pytest.warns(FunnelWarning, match=r"without a label: \d+\.\d% for '\w+'\. "):
        model = ESMMClassifier(**QUICK).fit(X, y)
    assert all(np.isfinite(p).all() for p in model.predict_conditional_proba(X))


def test_the_larger_class_means_reached():
    X, y = funnel_table()
    named = y.replace({0: "no", 1: "yes"})
    model = ESMMClassifier(**QUICK).fit(X, y)
    other = ESMMClassifier(pos_label="yes", **QUICK).fit(X, named)
    assert_equal_proba(model.predict_proba(X), other.predict_proba(X))
    assert [classes.tolist() for classes in other.classes_] == [["no", "yes"]] * 2


def test_a_single_step_is_a_plain_classifier():
    X, y = funnel_table()
    model = ESMMClassifier(**QUICK).fit(X, y["click"])
    plain = ESMMClassifier(structure="independent", **QUICK).fit(X, y["click"])
    assert model.predict_conditional_proba(X).shape == (400, 2)
    assert_equal_proba(
        model.predict_proba(X), plain.predict_proba(X), rtol=0, atol=1e-6
    )


def broken_table():
    """One row in eight has the second step without the first."""
    X, y = funnel_table()
    y.iloc[::8] = [0, 1]
    return X, y


@pytest.mark.parametrize("cls", [ESMMClassifier, MMOEClassifier])
def test_a_later_step_without_the_earlier_warns_and_trains(cls):
    X, y = broken_table()
    share = ((y["conversion"] == 1) & (y["click"] == 0)).mean()
    message = (
        "The columns of y must be the steps of a funnel, ['click', 'conversion'], each "
        f"reached only after the one before it; found {share:.1%} of the rows with a "
        "later step and not the earlier. Fix the labels, or use a classifier with "
        "structure='independent' for tasks that do not build on each other."
    )
    assert share == 0.125
    with pytest.warns(FunnelWarning) as caught:
        model = cls(structure="funnel", **QUICK).fit(X, y)
    assert [str(w.message) for w in caught] == [message]
    assert model.n_iter_ == 3


def test_a_gap_between_two_steps_hides_no_contradiction():
    X, y = three_steps()
    y = y.astype(float)
    y.iloc[:40] = [0, np.nan, 1]
    with pytest.warns(FunnelWarning, match=r"found 10\.0% of the rows"):
        ESMMClassifier(**QUICK).fit(X, y)


def test_a_gap_contradicts_nothing():
    X, y = three_steps()
    y = y.astype(float)
    y.iloc[:40] = [np.nan, np.nan, 1]
    y.iloc[40:80] = [1, np.nan, 1]
    y.iloc[80:99] = [0, np.nan, np.nan]
    ESMMClassifier(**QUICK).fit(X, y)


def test_independent_tasks_are_not_multiplied():
    X, y = mixed_table()
    model = ESMMClassifier(structure="independent", **QUICK)
    model.fit(X, y[["buy", "churn"]])
    buy, churn = (p[:, 1] for p in model.predict_proba(X))
    assert (churn > buy).any()


@pytest.mark.parametrize(
    "model",
    [ESMMClassifier(structure="independent", **QUICK), MMOEClassifier(**QUICK)],
)
def test_independent_tasks_have_no_conditional_probabilities(model):
    X, y = mixed_table()
    model.fit(X, y)
    assert not hasattr(model, "predict_conditional_proba")
    with pytest.raises(AttributeError) as caught:
        model.predict_conditional_proba(X)
    assert str(caught.value.__cause__) == (
        "predict_conditional_proba needs steps that build on each other; found "
        "structure='independent'. Fit with structure='funnel', or with a dict of steps."
    )


def test_independent_tasks_may_have_many_classes():
    X, y = mixed_table()
    y = y.assign(buy=np.arange(len(y)) % 3)
    model = ESMMClassifier(structure="independent", **QUICK).fit(X, y)
    assert [p.shape[1] for p in model.predict_proba(X)] == [2, 3]


@pytest.mark.parametrize("cls", [ESMMClassifier, MMOEClassifier])
def test_a_step_with_three_classes_is_refused(cls):
    X, y = funnel_table()
    y = y.assign(conversion=np.arange(len(y)) % 3)
    with pytest.raises(ValueError) as caught:
        cls(structure="funnel", **QUICK).fit(X, y)
    assert str(caught.value) == (
        "Only binary classification is supported. The type of the target is "
        "multiclass: a step of a funnel is reached or not, and task 'conversion' has 3 "
        "classes. Use structure='independent'."
    )


def test_the_tags_tell_what_a_funnel_takes():
    assert not ESMMClassifier().__sklearn_tags__().classifier_tags.multi_class
    independent = ESMMClassifier(structure="independent").__sklearn_tags__()
    assert independent.classifier_tags.multi_class
    tags = MMOEClassifier().__sklearn_tags__()
    assert tags.classifier_tags.multi_class
    assert tags.target_tags.multi_output
    assert tags.input_tags.allow_nan
    assert not tags.classifier_tags.poor_score


def test_steps_share_the_embeddings_and_nothing_else():
    X, y = funnel_table()
    model = ESMMClassifier(**PLAIN, **QUICK).fit(X, y)
    module = model.net_.module_
    assert sum(p.numel() for p in module.wiring.parameters()) == 0
    assert sum(p.numel() for p in module.encoder.parameters()) == 8 * sum(
        model.schema_.cardinalities
    )


@pytest.mark.parametrize("structure", ["funnel", "sequential"])
def test_a_step_out_of_reach_needs_no_label(structure):
    """Whoever did not click did not convert, whether the log says so or not."""
    X, y = funnel_table()
    unknown = y.astype(float)
    unknown.loc[y["click"] == 0, "conversion"] = np.nan
    cls = AITMClassifier if structure == "sequential" else ESMMClassifier
    told, guessed = (
        cls(**QUICK, structure=structure).fit(X, labels).predict_proba(X)
        for labels in (y, unknown)
    )
    assert_equal_proba(told, guessed)
    held_out = {"X_val": X[300:], "y_val": unknown[300:]}
    model = cls(**QUICK, structure=structure).fit(X[:300], unknown[:300], **held_out)
    same = cls(**QUICK, structure=structure).fit(
        X[:300], y[:300], X_val=X[300:], y_val=y[300:]
    )
    assert model.history_["valid_loss"].equals(same.history_["valid_loss"])


def late_log(n_samples=6000, seed=0):
    """A log whose last half is too young to know its conversions."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"x": rng.normal(size=n_samples)})
    click = (rng.random(n_samples) < 0.3).astype(float)
    y = pd.DataFrame(
        {"click": click, "conversion": click * (rng.random(n_samples) < 0.4)}
    )
    late = np.arange(n_samples) >= n_samples // 2
    return X, y, late


def test_late_conversions_do_not_lower_the_rate():
    X, y, late = late_log()
    unknown = y.mask(np.column_stack([np.zeros(len(y), bool), late]))
    with pytest.warns(FunnelWarning, match=r"found rows .*: 49\.1% for 'conversion'"):
        model = ESMMClassifier(**QUICK).fit(X, unknown)
    rate = model.predict_conditional_proba(X)[1][:, 1].mean()
    assert abs(rate - 0.4) < 0.05
    weight = np.column_stack([np.ones(len(y)), ~late])
    with pytest.warns(FunnelWarning):
        same = ESMMClassifier(**QUICK).fit(X, y, sample_weight=weight)
    assert_equal_proba(model.predict_proba(X), same.predict_proba(X))


def test_late_conversions_of_the_validation_rows_are_named():
    X, y, late = late_log(2000)
    unknown = y.mask(np.column_stack([np.zeros(len(y), bool), late]))
    with pytest.warns(FunnelWarning, match="in every row of y_val that"):
        ESMMClassifier(**QUICK).fit(X, y, X_val=X, y_val=unknown)
