"""What a fit learns, records and keeps."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.metrics import log_loss
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.exceptions import LeakWarning
from tests.estimators.common import (
    PLAIN,
    QUICK,
    assert_equal_proba,
    funnel_table,
    largest_difference,
    mixed_table,
)

LONGER = {**QUICK, "max_epochs": 15}
STOPPING = {**QUICK, "max_epochs": 60, "lr": 0.05, "n_iter_no_change": 4}


@pytest.fixture(scope="module")
def table():
    return mixed_table()


@pytest.fixture(scope="module")
def parts():
    X, y = mixed_table(400)
    return {"X": X[:300], "y": y[:300], "X_val": X[300:], "y_val": y[300:]}


def task_losses(model, X, y):
    """The log-loss of each task, computed anew by scikit-learn."""
    proba = model.predict_proba(X)
    return [
        log_loss(y.iloc[:, k].dropna(), proba[k][y.iloc[:, k].notna()])
        for k in range(y.shape[1])
    ]


def test_one_row_per_epoch_with_every_task(parts):
    model = MMOEClassifier(monitor="roc_auc", **QUICK).fit(**parts)
    assert model.history_.columns.tolist() == [
        *("epoch", "seconds", "train_loss", "valid_loss"),
        *("train_loss_churn", "train_loss_buy"),
        *("valid_loss_churn", "valid_loss_buy", "valid_roc_auc"),
    ]
    assert model.history_["epoch"].tolist() == [1, 2, 3]
    assert len(model.history_) == model.n_iter_ == 3
    assert (model.history_["seconds"] > 0).all()


def test_losses_are_means_over_tasks(parts):
    history = MMOEClassifier(**QUICK).fit(**parts).history_
    for prefix in ("train", "valid"):
        tasks = history[[f"{prefix}_loss_churn", f"{prefix}_loss_buy"]]
        np.testing.assert_allclose(history[f"{prefix}_loss"], tasks.mean(axis=1))


def test_without_validation_there_is_no_validation_loss(table):
    model = MMOEClassifier(early_stopping=False, **QUICK).fit(*table)
    assert not any("valid" in name for name in model.history_.columns)
    assert model.best_epoch_ == model.n_iter_ == 3


def test_losses_are_free_of_task_weights(parts):
    options = {**QUICK, "lr": 1e-30, "weight_decay": 0.0}
    plain = MMOEClassifier(**options).fit(**parts).history_
    model = MMOEClassifier(task_weights=[5.0, 0.1], **options).fit(**parts)
    pd.testing.assert_frame_equal(
        plain.drop(columns="seconds"), model.history_.drop(columns="seconds")
    )


def test_losses_follow_sample_weights(parts):
    model = MMOEClassifier(**QUICK)
    weight = np.linspace(0, 3, 100)
    model.fit(**parts, sample_weight_val=np.column_stack([weight, 1 - weight / 3]))
    row = model.history_.iloc[model.best_epoch_ - 1]
    for k, (name, each) in enumerate({"churn": weight, "buy": 1 - weight / 3}.items()):
        proba = model.predict_proba(parts["X_val"])[k]
        expected = log_loss(parts["y_val"][name], proba, sample_weight=each)
        assert row[f"valid_loss_{name}"] == pytest.approx(expected, abs=1e-5)


def test_missing_labels_are_left_out_of_the_losses(parts):
    y_val = parts["y_val"].astype(float)
    y_val.iloc[::3, 0] = np.nan
    model = MMOEClassifier(**QUICK).fit(**{**parts, "y_val": y_val})
    row = model.history_.iloc[model.best_epoch_ - 1]
    expected = task_losses(model, parts["X_val"], y_val)
    found = row[["valid_loss_churn", "valid_loss_buy"]]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_weights_of_the_smallest_loss_are_kept(parts):
    model = MMOEClassifier(**STOPPING).fit(**parts)
    losses = model.history_["valid_loss"]
    assert model.n_iter_ < 60
    assert model.best_epoch_ == losses.idxmin() + 1 < model.n_iter_
    found = np.mean(task_losses(model, parts["X_val"], parts["y_val"]))
    assert found == pytest.approx(losses.min(), abs=1e-5)
    assert abs(found - losses.iloc[-1]) > 1e-3


def test_a_larger_metric_is_better(parts):
    model = MMOEClassifier(monitor=("roc_auc", "buy"), **STOPPING).fit(**parts)
    scores = model.history_["valid_roc_auc_buy"]
    assert model.best_epoch_ == scores.idxmax() + 1


def test_a_part_of_x_is_held_out_where_asked(table):
    model = MMOEClassifier(early_stopping=True, **STOPPING).fit(*table)
    assert model.history_["valid_loss"].notna().all()
    assert model.best_epoch_ == model.history_["valid_loss"].idxmin() + 1


@pytest.mark.parametrize(
    ("n_rows", "max_epochs", "stops"),
    [(240, 3, False), (101, 11, True), (101, 10, False), (100, 11, False)],
)
def test_auto_holds_rows_out_of_long_trainings(table, n_rows, max_epochs, stops):
    X, y = table
    model = MMOEClassifier(**{**QUICK, "max_epochs": max_epochs})
    assert ("valid_loss" in model.fit(X[:n_rows], y[:n_rows]).history_) == stops


def test_false_trains_to_the_end_and_still_records(parts):
    options = {**STOPPING, "max_epochs": 20}
    model = MMOEClassifier(early_stopping=False, **options).fit(**parts)
    assert model.n_iter_ == model.best_epoch_ == 20
    assert model.history_["valid_loss"].notna().all()
    found = np.mean(task_losses(model, parts["X_val"], parts["y_val"]))
    assert found == pytest.approx(model.history_["valid_loss"].iloc[-1], abs=1e-5)


def test_validation_rows_do_not_train(parts):
    still = {**parts, "y_val": 1 - parts["y_val"]}
    options = {**QUICK, "early_stopping": False}
    first, second = (MMOEClassifier(**options).fit(**rows) for rows in (parts, still))
    assert_equal_proba(
        first.predict_proba(parts["X"]), second.predict_proba(parts["X"])
    )


def test_a_patient_fit_trains_longer(parts):
    n_iter = [
        MMOEClassifier(**{**STOPPING, "n_iter_no_change": n}).fit(**parts).n_iter_
        for n in (1, 8)
    ]
    assert n_iter[0] < n_iter[1]


def test_a_large_tol_stops_after_the_patience(parts):
    model = MMOEClassifier(**{**STOPPING, "tol": 10.0}).fit(**parts)
    assert model.n_iter_ == 1 + 4


def test_names_and_classes(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    assert model.task_names_ == ["churn", "buy"]
    assert type(model.classes_) is list
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1]]
    bare = MMOEClassifier(**QUICK).fit(X, y.to_numpy())
    assert bare.task_names_ == ["task_0", "task_1"]
    named = MMOEClassifier(task_names=["a", "b"], **QUICK).fit(X, y.to_numpy())
    assert named.task_names_ == ["a", "b"]
    assert "train_loss_b" in named.history_
    assert_equal_proba(model.predict_proba(X), named.predict_proba(X))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("no", "yes"), "O"),
        ((False, True), "b"),
        ((0.0, 1.0), "f"),
        ((-1, 7), "i"),
    ],
)
def test_labels_come_back_in_their_own_type(table, values, kind):
    X, y = table
    plain = MMOEClassifier(**LONGER).fit(X, y)
    labels = y.apply(lambda column: column.map(dict(enumerate(values))))
    model = MMOEClassifier(**LONGER).fit(X, labels)
    found = model.predict(X)
    assert found.dtype.kind == kind
    assert set(found.ravel().tolist()) == set(values)
    assert_equal_proba(plain.predict_proba(X), model.predict_proba(X))
    assert model.score(X, labels) == plain.score(X, y) > 0.8


def test_binary_and_many_classes_stand_side_by_side(table):
    X, y = table
    rows = X[["age", "visits", "town"]]
    bins = np.digitize(X["age"], [30, 38, 46])
    labels = pd.DataFrame(
        {
            "age": np.array(["young", "mid", "late", "old"], dtype=object)[bins],
            "churn": y["churn"],
            "moved": X["town"].where(np.arange(len(X)) % 20 != 0, "Rome"),
        }
    )
    model = MMOEClassifier(**{**LONGER, "lr": 0.02, "max_epochs": 25})
    model.fit(rows, labels)
    proba = model.predict_proba(rows)
    assert [p.shape[1] for p in proba] == [4, 2, 3]
    for p in proba:
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-6)
    found = model.predict(rows)
    assert found.dtype == object
    assert [type(value) for value in found[0].tolist()] == [str, int, str]
    accuracy = (found == labels.to_numpy(object)).mean(axis=0)
    assert (accuracy > [0.7, 0.85, 0.9]).all()
    assert model.score(rows, labels) == pytest.approx(accuracy.mean())


@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.LeakWarning")
def test_one_task_of_many_classes_is_learnt(table):
    X, _ = table
    model = MMOEClassifier(**{**LONGER, "lr": 0.02}).fit(X, X["town"])
    assert model.predict_proba(X).shape == (240, 3)
    assert model.score(X, X["town"]) > 0.95


def test_structures_of_names_do_not_matter(table):
    X, y = table
    frame = MMOEClassifier(**QUICK).fit(X, y)
    array = MMOEClassifier(**QUICK).fit(X, y.to_numpy())
    lists = MMOEClassifier(**QUICK).fit(X, y.to_numpy().tolist())
    assert_equal_proba(frame.predict_proba(X), array.predict_proba(X))
    assert_equal_proba(frame.predict_proba(X), lists.predict_proba(X))


def test_there_is_no_decision_function():
    assert not hasattr(MMOEClassifier(), "decision_function")


def test_a_marker_equals_nan(table):
    X, y = table
    gaps = y.astype(float)
    gaps.iloc[::3, 0] = np.nan
    gaps.iloc[1::4, 1] = np.nan
    marked = gaps.fillna(-1).astype(int)
    plain = MMOEClassifier(**QUICK).fit(X, gaps)
    model = MMOEClassifier(missing_label=-1, **QUICK).fit(X, marked)
    assert_equal_proba(plain.predict_proba(X), model.predict_proba(X))
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1]]
    assert model.predict(X).dtype.kind == "i"
    assert model.score(X, marked) == plain.score(X, gaps)


def test_a_missing_label_equals_weight_zero(table):
    X, y = table
    gaps, weight = y.astype(float), np.ones(y.shape)
    gaps.iloc[::3, 0] = np.nan
    weight[::3, 0] = 0
    # A part to validate on would be stratified by the gaps.
    model = MMOEClassifier(early_stopping=False, **QUICK)
    by_gap, by_weight = clone(model).fit(X, gaps), clone(model)
    by_weight.fit(X, y, sample_weight=weight)
    assert_equal_proba(by_gap.predict_proba(X), by_weight.predict_proba(X))


def test_what_stands_behind_a_gap_does_not_matter(table):
    X, y = table
    weight = np.ones(y.shape)
    weight[::3, 0] = 0
    other = y.copy()
    other.iloc[::3, 0] = 1 - other.iloc[::3, 0]
    model = MMOEClassifier(early_stopping=False, **QUICK)
    first = clone(model).fit(X, y, sample_weight=weight)
    second = clone(model).fit(X, other, sample_weight=weight)
    assert_equal_proba(first.predict_proba(X), second.predict_proba(X))


def test_a_sparse_task_is_learnt_as_strongly_as_a_full_one():
    # One label in twenty. Measured over five seeds: the sparse task's log-odds spread
    # by 0.5 to 1.2 times those of the full one; by 0.01 times with losses divided by
    # the number of rows alone.
    X, y = mixed_table(2000)
    y = pd.DataFrame({"full": y["churn"], "sparse": y["churn"].astype(float)})
    y.loc[np.arange(2000) % 20 != 0, "sparse"] = np.nan
    settings = {**QUICK, "max_epochs": 6, "early_stopping": False}
    model = MMOEClassifier(optimizer="sgd", lr=0.1, **settings).fit(X, y)
    full, sparse = (p[:, 1] - p[:, 0] for p in model.predict_log_proba(X))
    assert sparse.std() > 0.2 * full.std()


def test_rows_without_any_label_do_no_harm(table):
    X, y = table
    y = y.astype(float)
    y.iloc[:100] = np.nan
    model = MMOEClassifier(**LONGER).fit(X, y)
    assert model.score(X, y) > 0.8


def test_task_weights_change_the_outcome(table):
    X, y = table
    plain = MMOEClassifier(**LONGER).fit(X, y)
    for weights in ({"churn": 0.0}, [0.0, 1.0], np.array([0.0, 1.0])):
        model = MMOEClassifier(task_weights=weights, **LONGER).fit(X, y)
        losses = model.history_.iloc[-1]
        # Only the task that counts is learnt; both are still shown.
        assert losses["train_loss_churn"] > 0.6
        assert losses["train_loss_buy"] < 0.4
    assert plain.history_.iloc[-1]["train_loss_churn"] < 0.4


def test_a_list_and_a_dict_mean_the_same(table):
    X, y = table
    by_name = MMOEClassifier(task_weights={"buy": 3}, **QUICK).fit(X, y)
    by_place = MMOEClassifier(task_weights=[1, 3], **QUICK).fit(X, y)
    assert_equal_proba(by_name.predict_proba(X), by_place.predict_proba(X))
    plain = MMOEClassifier(**QUICK).fit(X, y)
    ones = MMOEClassifier(task_weights={"buy": 1}, **QUICK).fit(X, y)
    assert_equal_proba(plain.predict_proba(X), ones.predict_proba(X))


def test_sample_weights_change_the_outcome(table):
    X, y = table
    weight = np.where(y["churn"] == 1, 10.0, 1.0)
    plain = MMOEClassifier(**LONGER).fit(X, y).predict_proba(X)[0]
    model = MMOEClassifier(**LONGER).fit(X, y, sample_weight=weight)
    assert model.predict_proba(X)[0][:, 1].mean() > plain[:, 1].mean() + 0.05


def test_the_scale_of_sample_weights_does_not_matter(table):
    X, y = table
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    first = MMOEClassifier(**QUICK).fit(X, y, sample_weight=weight)
    second = MMOEClassifier(**QUICK).fit(X, y, sample_weight=weight * 1000)
    assert_equal_proba(
        first.predict_proba(X), second.predict_proba(X), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    "sizes", [[(8,), (16, 4)], ((8,), [16, 4]), {"buy": (16, 4), "churn": [8]}]
)
def test_towers_of_unequal_sizes_are_unequal(table, sizes):
    X, y = table
    model = ESMMClassifier(
        structure="independent", tower_hidden_sizes=sizes, **QUICK
    ).fit(X, y)
    width = model.net_.module_.encoder.width
    towers = sum(p.numel() for p in model.net_.module_.towers.parameters())
    churn = width * 8 + 8 + 8 + 1
    buy = width * 16 + 16 + 16 * 4 + 4 + 4 + 1
    assert towers == churn + buy


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (5, [5, 5]),
        ("auto", [8, 8]),
        ("cardinality", [2, 2]),
        ({"plan": 3}, [2, 3]),
        ({"plan": "auto"}, [2, 8]),
    ],
)
def test_embeddings_are_as_wide_as_asked(table, width, expected):
    X, y = table
    model = MMOEClassifier(embedding_dim=width, **PLAIN, **QUICK).fit(X, y)
    assert model.schema_.embedding_dims == expected
    assert model.schema_.frame()["width"].tolist() == [1, 1, *expected]
    assert model.net_.module_.encoder.width == 2 + sum(expected)


def test_double_precision_is_double_throughout(table):
    X, y = table
    model = MMOEClassifier(precision="float64", **QUICK).fit(X, y)
    assert {p.dtype for p in model.net_.module_.parameters()} == {torch.float64}
    proba = model.predict_proba(X)
    assert proba[0].dtype == np.float64
    assert model.predict_gates(X).dtype == np.float64
    np.testing.assert_allclose(proba[0].sum(axis=1), 1, rtol=0, atol=1e-15)
    # A step that float32 cannot hold reaches the answers.
    near = model.predict_proba(X.assign(age=X["age"] + 1e-9))
    assert (near[0] != proba[0]).mean() > 0.9
    single = MMOEClassifier(**QUICK).fit(X, y).predict_proba(X)
    assert single[0].dtype == np.float32
    assert 0 < largest_difference(single, proba) < 1e-2


SHARED = [
    {"activation": "gelu"},
    {"dropout": 0.5},
    {"batch_norm": True},
    {"embedding_dropout": 0.5},
    {"embedding_l2": 0.1},
    {"unknown_rate": 0.5},
    {"weight_decay": 10.0},
    {"batch_size": 32},
    {"lr": 0.01},
    {"optimizer": "sgd"},
]
OF_MMOE = [{"gate_hidden_sizes": (4,)}, {"n_experts": 2}, {"expert_hidden_sizes": (8,)}]


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        *((MMOEClassifier, options) for options in SHARED + OF_MMOE),
        # Its towers are all there is behind the embeddings.
        *((ESMMClassifier, options) for options in SHARED),
    ],
)
def test_no_parameter_is_ignored(cls, options):
    X, y = funnel_table(200)
    plain = cls(**QUICK).fit(X, y)
    model = cls(**{**QUICK, **options}).fit(X, y)
    assert largest_difference(plain.predict_proba(X), model.predict_proba(X)) > 1e-4


def test_three_hundred_rows_learn_by_default():
    X, y = mixed_table(300)
    assert MMOEClassifier(random_state=0).fit(X, y).score(X, y) > 0.9
    X, y = funnel_table(300)
    assert ESMMClassifier(random_state=0).fit(X, y).score(X, y) > 0.9


def test_a_column_transformer_is_cloned_and_fitted(table):
    X, y = table
    preprocessor = ColumnTransformer(
        [
            ("num", StandardScaler(), ["age", "visits"]),
            ("cat", OrdinalEncoder(), ["town", "plan"]),
        ]
    )
    model = MMOEClassifier(preprocessor=preprocessor, **QUICK).fit(X, y)
    assert not hasattr(preprocessor, "transformers_")
    assert model.preprocessor_ is not preprocessor
    assert model.schema_.categorical_names == ["town", "plan"]
    assert model.schema_.numeric_names == ["age", "visits"]


def test_one_hot_columns_are_numbers(table):
    X, y = table
    preprocessor = ColumnTransformer(
        [("hot", OneHotEncoder(), ["town", "plan"])], remainder=StandardScaler()
    )
    model = MMOEClassifier(preprocessor=preprocessor, **QUICK).fit(X, y)
    assert model.schema_.n_categorical == 0
    assert model.schema_.n_numeric == 3 + 2 + 2


@pytest.mark.parametrize("listed", [["visits"], [1], [False, True, False, False]])
def test_numbers_may_be_listed_as_categories(table, listed):
    X, y = table
    X = X.drop(columns=["town", "plan"]).assign(a=1.0, b=2.0)
    model = MMOEClassifier(categorical_features=listed, **QUICK).fit(X, y)
    assert model.schema_.categorical_names == ["visits"]
    assert model.schema_.cardinalities == [10]


def test_both_ways_to_say_it_are_one_too_many(table):
    X, y = table
    model = MMOEClassifier(
        categorical_features=["town"], preprocessor=StandardScaler(), **QUICK
    )
    with pytest.raises(ValueError) as caught:
        model.fit(X, y)
    assert str(caught.value) == (
        "categorical_features must be None where a preprocessor is given, which "
        "decides itself; found ['town']. Drop one of the two."
    )


def test_a_label_among_the_features_warns(table):
    X, y = table
    for leak in (y["buy"], y["buy"].map({0: "n", 1: "y"}), 1.0 - y["buy"]):
        with pytest.warns(LeakWarning) as caught:
            MMOEClassifier(**QUICK).fit(X.assign(copy=leak), y)
        assert [str(w.message) for w in caught] == [
            "Feature 'copy' must not tell the label of task 'buy'; found that it "
            "equals the label in every labelled row, which is a leak: the model "
            "will read the answer off it. Drop 'copy' from X."
        ]


def test_a_leak_is_seen_past_missing_labels(table):
    X, y = table
    gaps = y.astype(float)
    gaps.iloc[::2, 1] = np.nan
    with pytest.warns(LeakWarning, match="Feature 'copy'"):
        MMOEClassifier(**QUICK).fit(X.assign(copy=y["buy"]), gaps)


def test_a_feature_that_differs_in_one_row_is_no_leak():
    X, y = mixed_table(1500)
    near = y["buy"].copy()
    near.iloc[-1] = 1 - near.iloc[-1]
    MMOEClassifier(**{**QUICK, "max_epochs": 1}).fit(X.assign(near=near), y)


def test_a_frame_and_its_arrays_train_alike(table):
    X, y = table
    X = X[["age", "visits"]]
    frame = MMOEClassifier(**QUICK).fit(X, y)
    array = MMOEClassifier(**QUICK).fit(X.to_numpy(), y)
    assert_equal_proba(frame.predict_proba(X), array.predict_proba(X.to_numpy()))
    assert not hasattr(array, "feature_names_in_")
    assert array.n_features_in_ == 2


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_a_callers_mode_without_gradients_does_not_reach_the_training(mode):
    X, y = mixed_table()
    expected = MMOEClassifier(**QUICK).fit(X, y)
    with mode():
        model = MMOEClassifier(**QUICK).fit(X, y)
        assert_equal_proba(model.predict_proba(X), expected.predict_proba(X))
    assert_equal_proba(
        model.partial_fit(X, y).predict_proba(X),
        expected.partial_fit(X, y).predict_proba(X),
    )
