"""What is minimised beside the tasks' losses, epoch by epoch in `history_`."""

import numpy as np
import pytest

from sk_mtl import AITMClassifier, ESCM2Classifier, MMOEClassifier, SNRClassifier
from tests.estimators.common import QUICK, funnel_table

#: Nothing is drawn in training and nothing moves: all epochs are those of the start.
STILL = {**QUICK, "dropout": 0.0, "unknown_rate": 0.0, "lr": 1e-30}


@pytest.fixture(scope="module")
def table():
    return funnel_table()


@pytest.mark.parametrize("n_members", [1, 2])
def test_the_calibrator_is_recorded_as_it_is_added(n_members, table):
    X, y = table
    model = AITMClassifier(
        **STILL, n_members=n_members, member_sharing="none", calibrator_weight=2.0
    ).fit(X, y)
    recorded = model.history_["train_calibrator"]
    assert len(recorded) == 3
    # Epochs differ by the rounding of sums over other batches.
    np.testing.assert_allclose(recorded, recorded[0], rtol=1e-5)
    if n_members == 1:
        click, conversion = (p[:, 1] for p in model.predict_proba(X))
        excess = 2.0 * np.maximum(conversion - click, 0).mean()
        np.testing.assert_allclose(recorded, excess, rtol=1e-4)


def test_the_members_mean_is_recorded(table):
    X, y = table
    alone, pair = (
        SNRClassifier(**STILL, n_members=n, l0_penalty=0.5).fit(X, y) for n in (1, 2)
    )
    wiring = alone.net_.module_.wiring
    gates = sum(each.open_probability().sum().item() for each in wiring.gates)
    for model in (alone, pair):
        recorded = model.history_["train_penalty"]
        np.testing.assert_allclose(recorded, 0.5 * gates, rtol=1e-2)


@pytest.mark.parametrize(
    ("variant", "names"),
    [("ipw", {"counterfactual"}), ("dr", {"counterfactual", "imputation"})],
)
def test_every_auxiliary_loss_has_a_column(variant, names, table):
    X, y = table
    history = ESCM2Classifier(**QUICK, variant=variant).fit(X, y).history_
    expected = {f"train_{name}" for name in names}
    known = {"train_loss", "train_loss_click", "train_loss_conversion"}
    assert {name for name in history if name.startswith("train_")} == expected | known
    assert history[list(expected)].gt(0).all(axis=None)


def test_without_any_there_is_no_column(table):
    X, y = table
    history = MMOEClassifier(**QUICK).fit(X, y).history_
    assert all("loss" in name for name in history if name.startswith("train_"))
