"""What models of funnels learn, against the true rates of every row.

The log's true rates are known, clicked or not, so an estimate is scored by its log-loss
against the truth over all rows and by how well it orders them. A few epochs on a small
log stand for "it learns what it is meant to"; margins are far below what is reached.
`benchmarks/truth.py` compares on logs that are large enough to tell models apart.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from sk_mtl import AITMClassifier, DBMTLClassifier, ESCM2Classifier, ESMMClassifier
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.exceptions import PropensityWarning
from tests.estimators.common import QUICK, funnel_table

N_TRAIN, N_TEST = 6000, 4000


@pytest.fixture(scope="module")
def log():
    """Features, labels, and the true chances of a click and of each that follows."""
    X, y, truth = make_conversion_funnel(n_samples=N_TRAIN + N_TEST, random_state=0)
    click, conversion = truth.to_numpy().T
    rates = {"click": click, "joint": click * conversion, "conversion": conversion}
    return X.drop(columns="history"), y, pd.DataFrame(rates)


def log_loss(truth, proba):
    """Mean log-loss against true probabilities, in nats."""
    return -np.mean(truth * np.log(proba) + (1 - truth) * np.log1p(-proba))


def estimate(model, log):
    """What a model fitted on the first rows says of the others, and the truth."""
    X, y, truth = log
    model.set_params(max_epochs=5, random_state=0).fit(X[:N_TRAIN], y[:N_TRAIN])
    click, joint = (p[:, 1] for p in model.predict_proba(X[N_TRAIN:]))
    rates = {"click": click, "joint": joint, "conversion": joint / click}
    test = truth[N_TRAIN:]
    return pd.DataFrame(rates, index=test.index).clip(1e-6, 1 - 1e-6), test


def losses(estimated, truth):
    return pd.Series({name: log_loss(truth[name], estimated[name]) for name in truth})


@pytest.fixture(scope="module")
def constant(log):
    """The losses of the rates of the training rows, the same for every row."""
    _, y, truth = log
    click, joint = y[:N_TRAIN].mean()
    rates = {"click": click, "joint": joint, "conversion": joint / click}
    test = truth[N_TRAIN:]
    return losses(pd.DataFrame(rates, index=test.index), test)


@pytest.fixture(scope="module")
def esmm(log):
    return losses(*estimate(ESMMClassifier(n_members=1), log))


@pytest.mark.parametrize(
    "model",
    [
        AITMClassifier(),
        DBMTLClassifier(),
        DBMTLClassifier(structure="funnel"),
        ESCM2Classifier(variant="ipw"),
        ESCM2Classifier(variant="dr"),
    ],
    ids=["aitm", "dbmtl", "dbmtl-funnel", "escm2-ipw", "escm2-dr"],
)
def test_the_truth_is_approached_about_as_near_as_by_esmm(model, log, constant, esmm):
    estimated, truth = estimate(model, log)
    found = losses(estimated, truth)
    assert found["joint"] < constant["joint"] - 0.015
    assert found["conversion"] < constant["conversion"] - 0.02
    assert found["joint"] < esmm["joint"] + 0.01
    assert found["conversion"] < esmm["conversion"] + 0.025
    for name in truth:
        assert spearmanr(estimated[name], truth[name]).statistic > 0.3
        # No estimate beats the truth itself.
        assert found[name] > log_loss(truth[name], truth[name])


def test_esmm_itself_is_far_from_a_constant(constant, esmm):
    assert (esmm < constant - 0.015).all()


@pytest.fixture(scope="module")
def seldom():
    """Everybody in Oslo clicks, and two of a thousand in Rome."""
    n = 1300
    oslo = np.arange(n) < 300
    click = oslo | (np.arange(n) >= n - 2)
    X = pd.DataFrame({"town": np.where(oslo, "Oslo", "Rome"), "n": np.arange(n) % 7})
    y = pd.DataFrame({"click": click, "conversion": click & (np.arange(n) % 2 == 0)})
    order = np.random.default_rng(0).permutation(n)
    return X.iloc[order], y.iloc[order].astype(int)


def _fit(table, **options):
    settings = {"max_epochs": 10, "lr": 0.05, "early_stopping": False}
    settings["numeric_embedding"] = "bins"
    return ESCM2Classifier(**{**settings, **options}, random_state=0).fit(*table)


@pytest.mark.parametrize("variant", ["ipw", "dr"])
def test_a_few_rows_that_stand_for_most_are_warned_of(seldom, variant):
    message = (
        r"^Inverse probabilities must not be extreme; found that the 302 rows that "
        r"reached 'click' amount to \d+ of equal weight, with propensity_clip=1e-05\. "
        r"Raise propensity_clip\.$"
    )
    with pytest.warns(PropensityWarning, match=message):
        _fit(seldom, variant=variant, propensity_clip=1e-5)


def test_weights_that_nearly_all_are_clipped_are_warned_of(seldom):
    message = (
        r"^propensity_clip must be below most probabilities of 'click'; found that it "
        r"clips \d+% of them, with propensity_clip=0\.1, so that most rows have the "
        r"same weight and little bias is removed\. Lower propensity_clip\.$"
    )
    with pytest.warns(PropensityWarning, match=message):
        _fit(seldom, propensity_clip=0.1)


def test_weights_that_are_no_trouble_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ESCM2Classifier(**QUICK).fit(*funnel_table())
