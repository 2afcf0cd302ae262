"""Predictions: their form, and what they may not depend on or change."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from sk_mtl import ESMMClassifier, HoMEClassifier, MMOEClassifier
from sk_mtl.estimators import _fitted_network
from sk_mtl.estimators._training import _evaluation
from tests.estimators.common import (
    PLAIN,
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)

# Rows are multiplied in blocks whose size decides the order of sums: the largest
# difference of a probability seen with other blocks was 2e-7 in float32.
BLOCKS = {"rtol": 0, "atol": 1e-6}


@pytest.fixture(scope="module")
def table():
    X, y = funnel_table()
    X = X.copy()
    X.loc[::9, "age"] = np.nan
    X.loc[::7, "town"] = None
    return X, y


@pytest.fixture(scope="module", params=[MMOEClassifier, ESMMClassifier])
def model(request, table):
    return request.param(**QUICK).fit(*table)


def answers(model, X):
    """Every answer that a model gives, as a list of arrays."""
    found = [model.predict(X), *model.predict_proba(X), *model.predict_log_proba(X)]
    if hasattr(model, "predict_conditional_proba"):
        found += model.predict_conditional_proba(X)
    if hasattr(model, "predict_gates"):
        found.append(model.predict_gates(X))
    return found


def test_probabilities_are_a_plain_list_of_rows_that_sum_to_one(model, table):
    X, _ = table
    for answer in (model.predict_proba(X), model.predict_log_proba(X)):
        assert type(answer) is list
        assert [(type(a), a.shape) for a in answer] == [(np.ndarray, (400, 2))] * 2
        assert {a.dtype.kind for a in answer} == {"f"}
    for proba in model.predict_proba(X):
        assert (proba > 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=0, atol=1e-6)


def test_logarithms_are_those_of_the_probabilities(model, table):
    X, _ = table
    for proba, log_proba in zip(
        model.predict_proba(X), model.predict_log_proba(X), strict=True
    ):
        np.testing.assert_allclose(np.exp(log_proba), proba, rtol=1e-6)


def test_logarithms_stay_finite_where_probabilities_vanish(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    with torch.no_grad():
        model.net_.module_.towers.groups[0].heads[0].bias.fill_(500.0)
    assert (model.predict_proba(X)[0][:, 0] == 0).all()
    log_proba = model.predict_log_proba(X)[0][:, 0]
    np.testing.assert_allclose(log_proba, -500, atol=20)


def test_labels_are_the_likeliest_classes(model, table):
    X, _ = table
    labels = model.predict(X)
    assert labels.shape == (400, 2)
    for k, proba in enumerate(model.predict_proba(X)):
        expected = model.classes_[k][proba.argmax(axis=1)]
        np.testing.assert_array_equal(labels[:, k], expected)


def test_small_chunks_give_what_one_chunk_gives(model, table, monkeypatch):
    X, _ = table
    whole = answers(model, X)
    for chunk, batch in ((7, 8192), (65_536, 13), (64, 10), (1, 1)):
        monkeypatch.setattr(_fitted_network, "_CHUNK", chunk)
        monkeypatch.setattr(_evaluation, "EVALUATION_BATCH", batch)
        rows = X[: 10 if chunk == 1 else 120]
        for a, b in zip(answers(model, rows), whole, strict=True):
            np.testing.assert_allclose(a, b[: len(rows)], **BLOCKS)


def test_no_chunk_is_larger_than_allowed(model, table, monkeypatch):
    monkeypatch.setattr(_fitted_network, "_CHUNK", 30)
    sizes = []

    def transform(preprocessor, X, dtype):
        sizes.append(len(X))
        return original(preprocessor, X, dtype=dtype)

    original = model.schema_.transform
    monkeypatch.setattr(model.schema_, "transform", transform)
    model.predict_proba(table[0][:100])
    assert sizes == [30, 30, 30, 10]


def test_order_and_company_of_rows_do_not_matter(model, table):
    X, _ = table
    whole = answers(model, X)
    order = np.random.default_rng(0).permutation(len(X))
    for a, b in zip(answers(model, X.iloc[order]), whole, strict=True):
        np.testing.assert_allclose(a, b[order], **BLOCKS)
    for a, b in zip(answers(model, X.iloc[[5]]), whole, strict=True):
        np.testing.assert_allclose(a, b[[5]], **BLOCKS)


@pytest.mark.parametrize(
    ("cls", "n_members", "n_classes"),
    [
        *((MMOEClassifier, 1, n_classes) for n_classes in (2, 3, 5, 6, 7, 9, 13)),
        *((MMOEClassifier, 3, n_classes) for n_classes in (2, 5, 9)),
        *((HoMEClassifier, 1, n_classes) for n_classes in (3, 6, 13)),
        *((HoMEClassifier, 3, n_classes) for n_classes in (2, 7)),
    ],
)
def test_a_row_keeps_its_answer_in_any_order_and_alone(cls, n_members, n_classes):
    rng, n = np.random.default_rng(0), 60
    X = pd.DataFrame({"c": rng.choice(list("abc"), n), "x": rng.normal(size=n)})
    y = np.column_stack([np.arange(n) % n_classes, rng.integers(0, 2, n)])
    model = cls(n_members=n_members, max_epochs=1, random_state=0).fit(X, y)
    whole, labels = model.predict_proba(X), model.predict(X)
    orders = [rng.permutation(n) for _ in range(5)]
    for rows in (*orders, [7], [59], rng.choice(n, 33, replace=False)):
        for a, b in zip(model.predict_proba(X.iloc[rows]), whole, strict=True):
            np.testing.assert_allclose(a, b[rows], rtol=0, atol=1e-6)
        best = [np.sort(task, axis=1)[rows] for task in whole]
        apart = np.column_stack([task[:, -1] - task[:, -2] > 2e-6 for task in best])
        assert (model.predict(X.iloc[rows]) == labels[rows])[apart].all()
        assert apart.mean() > 0.99
    for a, b in zip(model.predict_proba(X.copy()), whole, strict=True):
        np.testing.assert_array_equal(a, b)


def test_order_and_company_pass_the_tolerances_of_scikit_learn(model, table):
    # Its checks draw one order each; twenty leave less to chance.
    rows, rng = table[0][:101], np.random.default_rng(0)
    whole = np.stack(model.predict_proba(rows))
    for _ in range(20):
        order = rng.permutation(len(rows))
        again = np.stack(model.predict_proba(rows.iloc[order]))
        np.testing.assert_allclose(again, whole[:, order], rtol=1e-7, atol=1e-9)
    for row in range(20):
        alone = np.stack(model.predict_proba(rows.iloc[[row]]))
        np.testing.assert_allclose(alone, whole[:, [row]], rtol=1e-7, atol=1e-7)


def test_the_index_does_not_matter(model, table):
    X, _ = table
    again = X.set_axis(np.arange(len(X))[::-1] * 3, axis=0)
    for a, b in zip(answers(model, again), answers(model, X), strict=True):
        np.testing.assert_array_equal(a, b)


def test_predicting_changes_nothing(model, table):
    X, _ = table
    before = pickle.dumps(model), joined_state(model)
    first, second = answers(model, X), answers(model, X)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (pickle.dumps(model), joined_state(model)) == before


def joined_state(model):
    state = model.net_.module_.state_dict()
    return {name: value.numpy().tobytes() for name, value in state.items()}


def test_predictions_do_not_alter_x(model, table):
    X, _ = table
    before = X.copy(deep=True)
    answers(model, X)
    pd.testing.assert_frame_equal(X, before)


def test_sixteen_threads_answer_as_one(model, table):
    X, _ = table
    parts = [X.iloc[start : start + 50] for start in range(0, 400, 25)]
    expected = [model.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(model.predict_proba, parts * 4))
    for a, b in zip(found, expected * 4, strict=True):
        assert_equal_proba(a, b)


def test_predictions_need_no_gradient_and_leave_the_mode_alone(model, table):
    X, _ = table
    assert torch.is_grad_enabled()
    model.predict_proba(X)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    for value in model.predict_proba(X):
        value[:] = 0


@pytest.mark.parametrize("kind", ["category", object, "codes"])
def test_a_category_of_another_type_is_an_unseen_one(kind):
    ids = np.random.default_rng(0).integers(0, 9, 300)
    X = pd.DataFrame({"id": pd.Series(ids, dtype=int if kind == "codes" else kind)})
    listed = ["id"] if kind == "codes" else None
    model = MMOEClassifier(categorical_features=listed, **QUICK).fit(X, ids % 2)
    unseen = model.predict_proba(pd.DataFrame({"id": [-1]}))
    for new in ("str", object, "category"):
        for values in (["guest"], ["guest"] * 9):
            Z = pd.DataFrame({"id": pd.Series(values, dtype=new)})
            assert_equal_proba(model.predict_proba(Z)[0], unseen[0], atol=1e-7)
    times = pd.DataFrame({"id": pd.to_datetime(["2024-01-01"])})
    assert_equal_proba(model.predict_proba(times), unseen, atol=1e-7)
    mixed = pd.DataFrame({"id": pd.Series(["guest", 3, 3.0, b"3", None], dtype=object)})
    alone = [model.predict_proba(mixed[i : i + 1])[0] for i in range(len(mixed))]
    assert_equal_proba(model.predict_proba(mixed), np.array(alone), atol=1e-6)
    np.testing.assert_allclose(alone[1], alone[2], atol=1e-7)
    assert np.abs(alone[0] - alone[1]).max() > 1e-4


def test_an_unseen_category_reads_the_unknown_row(model, table):
    X, _ = table
    never = X.assign(town="Atlantis")
    other = X.assign(town="Never seen either")
    for a, b in zip(answers(model, never), answers(model, other), strict=True):
        np.testing.assert_array_equal(a, b)
    codes = model.schema_.transform(model.preprocessor_, never).codes
    town = model.schema_.categorical_names.index("town")
    assert (codes[:, town] == 0).all()


def test_a_gap_where_training_had_none_is_answered(model, table):
    X, _ = table
    gaps = X.assign(visits=np.nan, plan=None)
    assert np.isfinite(model.predict_proba(gaps)[0]).all()


def test_the_unknown_row_is_trained():
    X, y = mixed_table()
    rows = []
    for rate in (0.0, 0.2):
        options = {**PLAIN, "unknown_rate": rate, "weight_decay": 0.0}
        start, trained = (
            MMOEClassifier(**{**QUICK, **options, "lr": lr}).fit(X, y)
            for lr in (1e-12, 0.02)
        )
        rows.append(np.abs(unknown_row(trained) - unknown_row(start)).max())
    assert rows[0] < 1e-6
    assert rows[1] > 1e-2


def unknown_row(model):
    weights = model.net_.module_.encoder.state_dict()
    (table,) = (v for name, v in weights.items() if v.ndim == 2)
    return table[0].numpy()


@pytest.mark.parametrize("make", [pl.from_pandas, lambda X: X.astype(object)])
def test_other_containers_get_the_same_answer(model, table, make):
    X, _ = table
    assert_equal_proba(model.predict_proba(make(X)), model.predict_proba(X))


def test_a_vector_y_gets_single_arrays():
    X, y = mixed_table()
    model = MMOEClassifier(**QUICK).fit(X, y["buy"])
    assert model.predict(X).shape == (240,)
    assert model.predict_proba(X).shape == (240, 2)
    assert model.predict_log_proba(X).shape == (240, 2)
    assert model.predict_gates(X).shape == (240, 1, 4)
    assert type(model.classes_) is np.ndarray
    assert 0 <= model.score(X, y["buy"]) <= 1


def test_one_column_gets_a_list_of_one():
    X, y = mixed_table()
    model = MMOEClassifier(**QUICK).fit(X, y[["buy"]])
    assert [p.shape for p in model.predict_proba(X)] == [(240, 2)]
    assert model.predict(X).shape == (240, 1)
    vector = MMOEClassifier(**QUICK).fit(X, y["buy"])
    assert_equal_proba(vector.predict_proba(X), model.predict_proba(X))


def test_large_codes_are_never_rounded():
    # Every pair of neighbours becomes one number in float32.
    codes = 2**24 + np.arange(40)
    X = pd.DataFrame({"id": np.tile(codes, 10)})
    y = pd.DataFrame({"odd": X["id"] % 2, "low": (X["id"] < 2**24 + 20) * 1})
    model = MMOEClassifier(
        categorical_features=["id"], max_epochs=40, lr=0.02, random_state=0
    ).fit(X, y)
    assert model.schema_.cardinalities == [41]
    assert model.score(X, y) == 1.0
