"""Members with rows of their own, each stopped by the fold that it leaves out."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import FunctionTransformer, TargetEncoder

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from tests.estimators.common import (
    InterruptAt,
    assert_equal_proba,
    funnel_table,
    interrupted,
    mixed_table,
    refuse,
)
from tests.estimators.members import (
    make,
    mean_proba,
    member,
    proba_of_members,
    weights_of,
)

FOLDS = {"member_sharing": "none", "member_rows": "folds", "early_stopping": "auto"}
#: Nothing is drawn in training, and every step reads every row.
STILL = {"dropout": 0.0, "unknown_rate": 0.0, "batch_size": 10_000}


def fit(X, y, groups=None, **options):
    return make(**{**FOLDS, **options}).fit(X, y, groups=groups)


def by_hand(folds):
    """A splitter with these folds."""

    class Folds:
        def split(self, X, y=None, groups=None):
            for fold in np.unique(folds):
                yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

        def get_n_splits(self, *_):
            return len(np.unique(folds))

    return Folds()


def other_labels(y, rows):
    y = y.copy()
    y[rows] = 1 - y[rows]
    return y


def state_of(model, number):
    network, _ = member(model.net_.module_, number)
    return network.state_dict()


def test_a_member_does_not_learn_the_labels_of_its_fold():
    X, y = mixed_table(120)
    folds = np.arange(120) % 3
    # The last epoch is the best one, or labels of a fold would change its choice.
    options = {"validation_split": by_hand(folds), "max_epochs": 1}
    before = fit(X, y, **options)
    changed = other_labels(y, folds == 1)
    after = fit(X, changed, **options)
    for number in range(3):
        first, second = state_of(before, number), state_of(after, number)
        same = all(torch.equal(first[name], second[name]) for name in first)
        assert same == (number == 1)


@pytest.mark.parametrize("weighted", [False, True])
def test_members_are_the_models_of_the_other_folds(weighted):
    X, y = mixed_table(150)
    y = y.astype(float)
    y.loc[::7, "buy"] = np.nan
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 2, (150, 2)) if weighted else None
    folds = np.arange(150) % 3
    options = {**STILL, "max_epochs": 8, "lr": 0.2, "precision": "float64"}
    # Bins are made of all rows, and would differ from the bins of two folds.
    options |= {
        "numeric_embedding": None,
        "n_iter_no_change": 25,
        "weight_averaging": None,
    }
    X = X[["age", "visits"]].assign(age=(X["age"] - 40) / 10)
    options["preprocessor"] = FunctionTransformer()
    splits = by_hand(folds)
    model = make(**FOLDS, validation_split=splits, **options)
    model.fit(X, y, sample_weight=weight)
    start = make(**FOLDS, validation_split=splits, **{**options, "lr": 1e-30})
    start.set_params(max_epochs=1, weight_decay=0.0).fit(X, y)
    for number in range(3):
        train, valid = folds != number, folds == number
        single = make(**{**options, "n_members": 1, "early_stopping": True})
        single.set_params(warm_start=True, max_epochs=1, lr=1e-30, weight_decay=0.0)
        own = {"X_val": X[valid], "y_val": y[valid]}
        rows = {} if weight is None else {"sample_weight": weight[train]}
        if weight is not None:
            own["sample_weight_val"] = weight[valid]
        single.fit(X[train], y[train], **rows, **own)
        single.net_.module_.load_state_dict(state_of(start, number))
        single.net_.initialize_optimizer()
        single.set_params(max_epochs=8, lr=0.2, weight_decay=0.01)
        single.fit(X[train], y[train], **rows, **own)
        for name, value in state_of(model, number).items():
            learnt = single.net_.module_.state_dict()[name]
            torch.testing.assert_close(value, learnt, rtol=1e-6, atol=1e-8)
        assert model.members_["best_epoch"][number] == single.best_epoch_ - 1


def test_the_recorded_losses_are_means_of_the_folds():
    X, y = mixed_table(160)
    folds = np.arange(160) % 4
    model = fit(X, y, n_members=4, validation_split=by_hand(folds), max_epochs=1)
    proba = proba_of_members(model, X)
    found = []
    for fold in range(4):
        rows = folds == fold
        of_tasks = [
            log_loss(y[name][rows], proba[fold][k][rows, 1]) for k, name in enumerate(y)
        ]
        found.append(of_tasks)
    history = model.history_.iloc[0]
    expected = np.mean(found, axis=0)
    assert history["valid_loss_churn"] == pytest.approx(expected[0], abs=1e-6)
    assert history["valid_loss"] == pytest.approx(expected.mean(), abs=1e-6)
    expected = np.mean(found, axis=1)
    np.testing.assert_allclose(model.members_["valid_loss"], expected, atol=1e-6)


def test_the_recorded_metric_is_the_mean_of_the_folds():
    X, y = mixed_table(160)
    X["age"] += np.random.default_rng(0).normal(size=160)
    y = pd.DataFrame({"age": X["age"] + X["visits"], "twice": 2 * X["age"]})
    y += np.random.default_rng(1).normal(size=(160, 2))
    folds = np.arange(160) % 2
    model = MMOERegressor(
        n_members=2,
        **FOLDS,
        validation_split=by_hand(folds),
        monitor="r2",
        max_epochs=2,
        random_state=0,
    ).fit(X, y)
    module, scores = model.net_.module_, []
    answer = copy.deepcopy(model)
    for fold in range(2):
        # Both members become the same one.
        for name in module.own_names():
            value = module.state_dict()[name]
            answer.net_.module_.state_dict()[name].copy_(
                value[fold].expand_as(value).clone()
            )
        rows = folds == fold
        scores.append(r2_score(y[rows], answer.predict(X[rows])))
    np.testing.assert_allclose(model.members_["valid_r2"], scores, atol=1e-5)
    best = model.members_["best_epoch"]
    if (best == best[0]).all():
        recorded = model.history_["valid_r2"][best[0] - 1]
        assert recorded == pytest.approx(np.mean(scores), abs=1e-5)


def test_probabilities_are_the_mean_of_the_members():
    X, y = mixed_table(160)
    model = fit(X, y)
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), rtol=0, atol=1e-6)
    assert list(model.members_.columns) == ["best_epoch", "valid_loss"]
    assert len(model.members_) == 3
    assert model.best_epoch_ == model.members_["best_epoch"].max()


def test_the_same_seed_gives_the_same_bits_and_copies_go_on():
    X, y = mixed_table(160)
    model = fit(X, y, warm_start=True)
    again = clone(model).fit(X, y)
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))
    known = model._state.member_folds.find
    copies = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
    answer = model.fit(X, y).predict_proba(X)
    for other in copies:
        assert_equal_proba(other.fit(X, y).predict_proba(X), answer)
    rows = LabelledRows(X, y.to_numpy(), None)
    # A fit that continues keeps the folds.
    np.testing.assert_array_equal(known(rows), model._state.member_folds.find(rows))


def test_further_passes_keep_the_folds_of_known_rows():
    X, y = mixed_table(120)
    folds = np.arange(120) % 3
    model = fit(X, y, validation_split=by_hand(folds), max_epochs=1)
    other = copy.deepcopy(model)
    changed = other_labels(y, folds == 1)
    model.partial_fit(X, y)
    other.partial_fit(X, changed)
    for number in range(3):
        first, second = state_of(model, number), state_of(other, number)
        same = all(torch.equal(first[name], second[name]) for name in first)
        assert same == (number == 1)


def test_a_group_does_not_train_the_member_that_it_stops():
    X, y = mixed_table(120)
    groups = np.repeat(np.arange(12), 10)
    folds = fit(X, y, groups=groups)._state.member_folds
    keys, found = folds.groups
    assert len(keys) == 12
    assert np.bincount(found).tolist() == [4, 4, 4]


def test_a_class_of_one_row_and_missing_labels():
    X, y = mixed_table(120)
    y = y.assign(kind=np.where(np.arange(120) == 5, "rare", "common"))
    y = y.astype(object)
    y.loc[y.index % 3 == 0, "buy"] = None
    model = fit(X, y)
    assert np.isfinite(model.predict_proba(X)[2]).all()
    assert np.isfinite(model.members_["valid_loss"]).all()


@pytest.mark.parametrize("cls", [ESMMClassifier, MMOEClassifier])
def test_steps_of_a_funnel(cls):
    X, y = funnel_table(160)
    model = fit(X, y, cls=cls, structure="funnel")
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_norm": True},
        {"weight_averaging": 0.9, "lr_schedule": "plateau"},
        {"monitor": "roc_auc"},
        {"monitor": "churn", "class_weight": "balanced"},
        {"precision": "float64", "optimizer": "sgd"},
        {"balancing": "dwa"},
    ],
    ids=str,
)
def test_settings_of_training(options):
    X, y = mixed_table(160)
    model = fit(X, y, **options)
    start = fit(X, y, **{**options, "lr": 1e-30, "weight_decay": 0.0})
    before, after = weights_of(start), weights_of(model)
    for name, _ in model.net_.module_.named_parameters():
        assert not torch.equal(before[name], after[name])


def test_an_interruption_keeps_every_member():
    X, y = mixed_table(160)
    with pytest.warns(match="the weights of epoch 2 are kept"):
        model = interrupted(make(**FOLDS, callbacks=[InterruptAt(3)]), X, y)
    two = fit(X, y, max_epochs=2)
    assert_equal_proba(model.predict_proba(X), two.predict_proba(X))


def test_rows_that_are_encoded_once():
    X, y = mixed_table(160)
    model = make(**FOLDS)
    rows, targets = model.encode_rows(X, y)
    expected = fit(X, y).predict_proba(X)
    assert_equal_proba(model.fit_rows(rows, targets).predict_proba(X), expected)
    refuse(
        lambda: make(**{**FOLDS, "n_members": 2}).fit_rows(rows, targets),
        "rows must have a fold for each member where member_rows is 'folds', and none "
        "elsewhere; found 3 folds for n_members=2 and member_rows='folds'. Encode the "
        "rows with these parameters.",
    )
    plain, targets = make().encode_rows(X, y)
    refuse(
        lambda: make(**FOLDS).fit_rows(plain, targets),
        "rows must have a fold for each member where member_rows is 'folds', and none "
        "elsewhere; found no folds for n_members=3 and member_rows='folds'. Encode the "
        "rows with these parameters.",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"n_members": 1},
            "member_rows='folds' needs at least two members, each of which leaves out "
            "a fold; found n_members=1. Set n_members=4, or member_rows='all'.",
        ),
        (
            {"member_sharing": "most"},
            "member_sharing must be 'none' where member_rows is 'folds', since weights "
            "that members share would learn from every fold; found 'most'. Set "
            "member_sharing='none', or member_rows='all'.",
        ),
        (
            {"early_stopping": False},
            "early_stopping must be True or 'auto' where member_rows is 'folds', whose "
            "folds decide when to stop; found False. Set early_stopping=True, or "
            "member_rows='all'.",
        ),
        (
            {"validation_split": "last"},
            "validation_split must be 'random' or a splitter where member_rows is "
            "'folds', since only one fold is behind all other rows; found 'last'. Set "
            "member_rows='all'.",
        ),
        (
            {"preprocessor": TargetEncoder()},
            "preprocessor must not learn from labels where member_rows is 'folds', "
            "since it is fitted on the rows of all folds; found one that does. Drop "
            "its supervised steps and target_for_preprocessor, or set "
            "member_rows='all'.",
        ),
        (
            {"n_members": 200},
            "member_rows='folds' needs at least as many rows as members; found 120 "
            "rows for n_members=200. Take fewer members, or set member_rows='all'.",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_do_not_fit(options, message):
    X, y = mixed_table(120)
    refuse(lambda: fit(X, y, **options), message)


def test_rows_that_do_not_fit():
    X, y = mixed_table(120)
    refuse(
        lambda: make(**FOLDS).fit(X, y, X_val=X, y_val=y),
        "X_val must be None where member_rows is 'folds', since each member is "
        "validated on its fold of X; found validation rows. Set member_rows='all', or "
        "add these rows to X.",
    )
    refuse(
        lambda: fit(X, y, groups=np.arange(120) % 2),
        "member_rows='folds' needs at least as many groups as members; found 2 groups "
        "for n_members=3. Take fewer members, or set member_rows='all'.",
    )
    ages = pd.DataFrame({"age": X["age"], "late": X["age"].where(X.index == 7)})
    model = MMOERegressor(n_members=3, **FOLDS, max_epochs=1)
    refuse(
        lambda: model.fit(X, ages),
        "Task 'late' must have labels in at least two folds where member_rows is "
        "'folds'; found 1 labelled rows, all in the same fold. Drop the task, or set "
        "member_rows='all'.",
    )
    lacking = y.astype(float)
    lacking[np.arange(120) % 3 == 1] = np.nan
    refuse(
        lambda: fit(X, lacking, validation_split=by_hand(np.arange(120) % 3)),
        "Every fold must hold labels with positive weight, of classes that other folds "
        "have, to decide when its member stops; found none in 1 of 3 folds. Take fewer "
        "members, or set member_rows='all'.",
    )


def test_four_members_by_default():
    X, y = mixed_table(120)
    model = fit(X, y, n_members="auto", max_epochs=1)
    assert len(model.members_) == model.net_.module_.n_members == 4
    assert model.auto_["n_members"].value == 4
    assert model.auto_["early_stopping"].value is True
    rows, targets = make(**FOLDS, max_epochs=1).encode_rows(X, y)
    automatic = make(**FOLDS, n_members="auto", max_epochs=1)
    with pytest.raises(ValueError, match="found 3 folds for n_members='auto'"):
        automatic.fit_rows(rows, targets)


def test_a_splitter_of_scikit_learn():
    X, y = mixed_table(120)
    model = fit(X, y, validation_split=KFold(3), max_epochs=1)
    keys, folds = model._state.member_folds.rows
    assert len(keys) == 120
    assert np.bincount(folds).tolist() == [40, 40, 40]
