"""Every model of the family in every form that the package offers."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.utils.estimator_checks import check_estimator

import sk_mtl
from tests.estimators.common import (
    CLASSIFIERS,
    EXPECTED_FAILURES,
    QUICK,
    REGRESSORS,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)
from tests.estimators.toy import Toy, ToyClassifier, ToyRegressor

FAST = {**QUICK, "max_epochs": 1}


def test_no_model_of_the_family_is_missing():
    both = "SingleTask SharedBottom OMOE MMOE CrossStitch SNR CGC PLE STEM AdaTT HoME"
    alone = "AITM ESMM ESCM2 DBMTL"
    classifiers = {f"{name}Classifier" for name in f"{both} {alone}".split()}
    assert {cls.__name__ for cls in CLASSIFIERS} == classifiers
    assert {cls.__name__ for cls in REGRESSORS} == {
        f"{name}Regressor" for name in both.split()
    }


@pytest.mark.parametrize("cls", CLASSIFIERS, ids=lambda cls: cls.__name__)
def test_every_classifier_has_a_funnel(cls):
    X, y = funnel_table(200)
    model = cls(**FAST, structure="funnel").fit(X, y)
    click, conversion = model.predict_proba(X)
    ctr, cvr = model.predict_conditional_proba(X)
    np.testing.assert_allclose(click, ctr, rtol=1e-5)
    np.testing.assert_allclose(conversion[:, 1], ctr[:, 1] * cvr[:, 1], rtol=1e-4)


@pytest.mark.parametrize("cls", CLASSIFIERS, ids=lambda cls: cls.__name__)
def test_members_are_wrapped_around_every_model(cls):
    X, y = funnel_table(150)
    for sharing in ("most", "none"):
        model = cls(**FAST, n_members=2, member_sharing=sharing).fit(X, y)
        click, conversion = model.predict_proba(X)
        assert np.allclose(click.sum(1), 1)
        assert conversion.shape == (150, 2)


@pytest.mark.parametrize("cls", CLASSIFIERS, ids=lambda cls: cls.__name__)
def test_no_classifier_ignores_the_form_of_the_loss(cls):
    X, y = funnel_table(100)
    losses = ("log_loss", sk_mtl.CrossEntropy(label_smoothing=0.3), sk_mtl.Focal(0.3))
    histories = [
        cls(**{**FAST, "lr": 1e-30, "loss": loss}).fit(X, y).history_ for loss in losses
    ]
    for name in ("train_loss_click", "train_loss_conversion"):
        assert len({history[name].item() for history in histories}) == 3


@pytest.mark.parametrize("cls", REGRESSORS, ids=lambda cls: cls.__name__)
def test_every_regressor_answers_in_the_targets_units(cls):
    X, _ = mixed_table(200)
    y = pd.DataFrame({"far": 1e4 + 10 * X["visits"], "near": X["age"] / 100})
    X = X[["town", "plan"]]
    predicted = cls(**FAST).fit(X, y).predict(X)
    assert predicted.shape == (200, 2)
    assert abs(predicted[:, 0].mean() - y["far"].mean()) < 3 * y["far"].std()
    assert abs(predicted[:, 1].mean() - y["near"].mean()) < 3 * y["near"].std()


def test_one_expert_is_a_shared_bottom_with_another_tower():
    X, y = mixed_table()
    one = sk_mtl.MMOEClassifier(**FAST, n_experts=1, expert_hidden_sizes=(16,))
    bottom = sk_mtl.SharedBottomClassifier(**FAST, bottom_hidden_sizes=(16,))
    one, bottom = one.fit(X, y), bottom.fit(X, y)
    state = one.net_.module_.state_dict()
    renamed = {
        name.replace("wiring.experts", "wiring.bottom"): value
        for name, value in state.items()
        if "gates" not in name
    }
    bottom.net_.module_.load_state_dict(renamed)
    assert_equal_proba(
        one.predict_proba(X), bottom.predict_proba(X), rtol=1e-5, atol=1e-7
    )


def test_single_tasks_learn_what_separate_fits_learn():
    """Same start and batches, nothing drawn in training: the same networks."""
    X, y = mixed_table()
    plain = {**QUICK, "dropout": 0.0, "unknown_rate": 0.0, "early_stopping": False}
    both = sk_mtl.SingleTaskClassifier(**{**plain, "max_epochs": 1}).fit(X, y)
    alone = [
        sk_mtl.SingleTaskClassifier(**{**plain, "max_epochs": 1}).fit(X, y[[name]])
        for name in y
    ]
    joint, parts = both.net_.module_, [each.net_.module_ for each in alone]
    _give_weights(joint, parts)
    assert_equal_proba(
        both.predict_proba(X),
        [p for each in alone for p in each.predict_proba(X)],
        rtol=1e-5,
        atol=1e-6,
    )
    codes, numeric = _inputs(both, X)
    labels = torch.tensor(y.to_numpy(), dtype=torch.float32)
    optimizers = [torch.optim.AdamW(m.parameters(), 0.01) for m in (joint, *parts)]
    for step in range(5):
        rows = slice(40 * step, 40 * step + 40)
        for network, optimizer, own in zip(
            [joint, *parts], optimizers, [[0, 1], [0], [1]], strict=True
        ):
            optimizer.zero_grad()
            logits = network.train()(codes[rows], numeric[rows])
            torch.nn.functional.binary_cross_entropy_with_logits(
                logits, labels[rows][:, own], reduction="none"
            ).mean(0).sum().backward()
            optimizer.step()
    together = joint.eval()(codes, numeric)
    apart = torch.cat([part.eval()(codes, numeric) for part in parts], 1)
    torch.testing.assert_close(together, apart, rtol=1e-3, atol=1e-4)


def _inputs(model, X):
    arrays = model.schema_.transform(model.preprocessor_, X, dtype=np.dtype("float32"))
    return torch.from_numpy(arrays.codes), torch.from_numpy(arrays.numeric)


def _give_weights(joint, parts):
    """Copy the weights of each task of a joint network into a network of its own."""
    state = joint.state_dict()
    for k, part in enumerate(parts):
        own = part.state_dict()
        for name, value in own.items():
            source = state[name.replace("encoders.0", f"encoders.{k}")]
            if source.shape != value.shape:
                source = source.narrow(0, k, 1)
            own[name] = source.clone()
        part.load_state_dict(own)


@pytest.mark.parametrize("variant", ["ipw", "dr"])
def test_escm2_takes_any_number_of_steps(variant):
    X, y = funnel_table(200)
    y["again"] = y["conversion"] * (X["visits"] > 4)
    model = sk_mtl.ESCM2Classifier(**FAST, variant=variant).fit(X, y)
    assert len(model.predict_proba(X)) == 3
    one = sk_mtl.ESCM2Classifier(**FAST, variant=variant).fit(X, y["click"])
    assert one.predict_proba(X).shape == (200, 2)


@pytest.mark.parametrize("cls", [sk_mtl.AITMClassifier, sk_mtl.ESCM2Classifier])
def test_structures_of_a_models_own_smooth_and_focus_too(cls):
    X, y = funnel_table(200)
    model = cls(**FAST, loss=sk_mtl.Focal(2.0, label_smoothing=0.3)).fit(X, y)
    plain = cls(**FAST).fit(X, y)
    first = [each.history_["train_loss_click"].iloc[0] for each in (model, plain)]
    assert first[0] < 0.8 * first[1]


def test_escm2_takes_a_tree():
    X, y = funnel_table(300)
    y = y.assign(share=y["click"] * (X["visits"] > 4))
    tree = {"conversion": "click", "share": "click"}
    model = sk_mtl.ESCM2Classifier(**FAST, structure=tree, variant="dr").fit(X, y)
    click, _, share = (p[:, 1] for p in model.predict_proba(X))
    rate = model.predict_conditional_proba(X)[2][:, 1]
    np.testing.assert_allclose(share, click * rate, rtol=1e-4)


def test_what_steps_pass_on_follows_the_tree():
    X, y = funnel_table(200)
    y = y.assign(share=y["click"] * (X["visits"] > 4))
    options = {**FAST, "structure": {"conversion": "click", "share": "click"}}
    aitm = sk_mtl.AITMClassifier(**options).fit(X, y)
    assert aitm.net_.module_.towers.pairs == [(1, 0), (2, 0)]
    dbmtl = sk_mtl.DBMTLClassifier(**options).fit(X, y)
    assert [each.n_parents for each in dbmtl.net_.module_.towers.groups] == [0, 1]
    own = dbmtl.set_params(relations={"share": ["click", "conversion"]}).fit(X, y)
    assert [each.n_parents for each in own.net_.module_.towers.groups] == [0, 2]


def test_aitm_without_transfer_is_a_shared_bottom():
    X, y = funnel_table(200)
    options = {**FAST, "structure": "independent"}
    step = sk_mtl.AITMClassifier(**options, transfer=False).fit(X, y)
    bottom = sk_mtl.SharedBottomClassifier(**options).fit(X, y)
    ours, theirs = step.net_.module_, bottom.net_.module_
    pairs = zip(ours.parameters(), theirs.parameters(), strict=True)
    for mine, other in pairs:
        mine.data.copy_(other)
    assert_equal_proba(step.predict_proba(X), bottom.predict_proba(X), atol=1e-6)


def test_a_model_is_two_classes_and_a_wiring():
    X, y = mixed_table()
    model = ToyClassifier(**FAST, size=5).fit(X, y)
    assert model.net_.module_.wiring.dense.out_features == 5
    assert len(model.predict_proba(X)) == 2
    assert model.get_params()["size"] == 5
    mixed = sk_mtl.MultiTaskEstimator(**FAST, wiring=Toy(size=2)).fit(X, y)
    assert mixed.net_.module_.wiring.dense.out_features == 2
    X, y = funnel_table(100)
    many = ToyClassifier(**FAST, structure="funnel", n_members=2).fit(X, y)
    click, conversion = (p[:, 1] for p in many.predict_proba(X))
    assert (conversion <= click).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "least"),
    [
        (ToyClassifier(max_epochs=6, lr=0.03, batch_size=256, random_state=0), 58),
        (ToyRegressor(max_epochs=4, lr=0.03, random_state=0), 52),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_model_of_two_files_passes_every_check(model, least):
    results = check_estimator(
        model,
        expected_failed_checks=EXPECTED_FAILURES,
        on_skip=None,
    )
    # A check that fails raises; one that was expected to must have failed.
    failed = [each["check_name"] for each in results if each["status"] == "xfail"]
    assert failed == list(EXPECTED_FAILURES)
    assert len(results) >= least
