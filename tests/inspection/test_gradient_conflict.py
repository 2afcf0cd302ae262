"""The cosines between the tasks' gradients of a fitted estimator."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_mtl import ESMMClassifier, MMOEClassifier, SharedBottomRegressor
from sk_mtl.datasets import make_related_tasks
from sk_mtl.inspection import GradientConflictRecorder, gradient_conflict
from tests.estimators.common import (
    FULL_BATCH,
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)


@pytest.fixture(scope="module")
def fitted():
    X, y = mixed_table(120)
    return MMOEClassifier(**QUICK, n_members=1).fit(X, y), X, y


def test_it_is_the_cosine_of_two_gradients():
    X, y = make_related_tasks(90, random_state=0)
    model = SharedBottomRegressor(**QUICK).fit(X, y)
    found = gradient_conflict(model, X, y, batch_size=90)
    network = model.predictor_
    rows = network.labelled_rows(X, y)
    errors = (network.module(*rows.inputs) - rows.y).square().mean(0)
    module = network.module
    shared = [*module.encoder.parameters(), *module.wiring.parameters()]
    first, second = (
        torch.cat([g.flatten() for g in torch.autograd.grad(e, shared, retain_graph=1)])
        for e in errors
    )
    expected = torch.cosine_similarity(first, second, dim=0).item()
    assert found.iloc[0, 1] == pytest.approx(expected, rel=1e-4)
    assert found.iloc[0, 1] == found.iloc[1, 0]
    assert np.diag(found).tolist() == [1, 1]


def test_it_is_what_a_fit_records_at_the_same_weights():
    """A step of a vanishing rate leaves the weights, and a full batch is all rows."""
    X, y = mixed_table(100)
    X = X[["age", "visits"]].to_numpy()
    options = {**FULL_BATCH, "lr": 1e-12, "max_epochs": 1, "early_stopping": False}
    recorder = GradientConflictRecorder()
    model = MMOEClassifier(callbacks=[recorder], random_state=0, **options).fit(X, y)
    found = gradient_conflict(model, X, y).loc["churn", "buy"]
    recorded = model.history_["gradient_cosine_churn_buy"].item()
    assert found == pytest.approx(recorded, rel=1e-6)


def test_weights_and_missing_labels_choose_the_rows(fitted):
    model, X, y = fitted
    half = gradient_conflict(model, X[:60], y[:60], batch_size=120)
    weight = np.repeat([1.0, 0.0], 60)
    missing = y.astype(float)
    missing.iloc[60:] = np.nan
    for given in (
        gradient_conflict(model, X, y, weight, batch_size=120),
        gradient_conflict(
            model, X, y, {"churn": weight, "buy": weight}, batch_size=120
        ),
        gradient_conflict(model, X, missing, batch_size=120),
    ):
        pd.testing.assert_frame_equal(given, half, rtol=1e-4)


def test_it_is_the_mean_over_batches(fitted):
    model, X, y = fitted
    parts = [
        gradient_conflict(model, X[k : k + 40], y[k : k + 40]) for k in (0, 40, 80)
    ]
    found = gradient_conflict(model, X, y, batch_size=40)
    np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-4)


def test_the_model_stays_as_it_is(fitted):
    model, X, y = fitted
    before = model.predict_proba(X)
    again = gradient_conflict(model, X, y)
    pd.testing.assert_frame_equal(gradient_conflict(model, X, y), again)
    assert all(each.grad is None for each in model.net_.module_.parameters())
    assert_equal_proba(model.predict_proba(X), before)


def test_a_pipeline_and_steps():
    X, y = funnel_table(120)
    pipeline = make_pipeline("passthrough", ESMMClassifier(**QUICK)).fit(X, y)
    found = gradient_conflict(pipeline, X, y)
    pd.testing.assert_frame_equal(found, gradient_conflict(pipeline[-1], X, y))
    assert found.loc["click", "conversion"] < 1
    # A conversion that is missing without a click is none.
    gaps = y.astype(float).where(y["click"] == 1, y[["click"]])
    pd.testing.assert_frame_equal(found, gradient_conflict(pipeline, X, gaps))


def test_names_are_the_tasks_own():
    X, y = mixed_table(80)
    names = [("a", 1), ("b", 2)]
    y.columns = pd.MultiIndex.from_tuples(names)
    model = MMOEClassifier(**QUICK).fit(X, y)
    assert list(gradient_conflict(model, X, y)) == names


def test_bad_input(fitted):
    model, X, y = fitted
    with pytest.raises(NotFittedError):
        gradient_conflict(MMOEClassifier(), X, y)
    for wrong in (LogisticRegression(), MMOEClassifier, None):
        with pytest.raises(
            TypeError, match="estimator must be a fitted multi-task mod"
        ):
            gradient_conflict(wrong, X, y)
    for size in (0, 2.5, "auto"):
        with pytest.raises(ValueError, match=f"integer >= 1 or None; found {size!r}"):
            gradient_conflict(model, X, y, batch_size=size)
    with pytest.raises(ValueError, match=r"inconsistent|same number|length|rows"):
        gradient_conflict(model, X, y[:-1])
    several = MMOEClassifier(**QUICK, n_members=2, member_sharing="embedding").fit(X, y)
    with pytest.raises(ValueError, match=r"gradient_conflict needs .*found n_mem"):
        gradient_conflict(several, X, y)


@pytest.mark.members
def test_members_have_the_mean_of_their_own_cosines():
    X, y = mixed_table(160)
    model = MMOEClassifier(**QUICK).fit(X, y)
    ensemble = model.net_.module_
    assert ensemble.n_members == 4
    found = []
    arrays = model.predictor_.encode(X)
    (logits,) = model.predictor_.evaluate(
        lambda module, *rows: [module.member_logits(*rows).transpose(0, 1)], arrays
    )
    for member, network in enumerate(ensemble.unstacked()):
        alone = copy.deepcopy(model)
        alone.net_.module_ = network.eval()
        np.testing.assert_allclose(
            alone.predictor_.logits(arrays), logits[:, member], rtol=1e-4, atol=1e-5
        )
        found.append(gradient_conflict(alone, X, y).to_numpy())
    cosines = gradient_conflict(model, X, y)
    np.testing.assert_allclose(cosines, np.mean(found, axis=0), atol=1e-6)
    # The ensemble stays as it was, with its stacked weights.
    assert model.net_.module_ is ensemble
    assert ensemble.sharing == "none"
    model.predict_proba(X)


@pytest.mark.members
def test_members_that_share_parts_are_refused():
    X, y = mixed_table(80)
    model = MMOEClassifier(member_sharing="most", **QUICK).fit(X, y)
    with pytest.raises(ValueError, match="in one network; found n_members=4"):
        gradient_conflict(model, X, y)
    with pytest.raises(ValueError, match="sharing must be 'none' where members become"):
        model.net_.module_.unstacked()
