"""Every answer of every task in one table."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.exceptions import NotFittedError

from sk_mtl import (
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    Quantile,
)
from sk_mtl.exceptions import PositiveClassWarning
from tests.estimators.common import QUICK, funnel_table, mixed_table


@pytest.fixture(scope="module")
def tables():
    X, y = mixed_table(200)
    X.index = X.index[::-1] + 7
    spend = np.maximum(np.random.default_rng(0).normal(size=200), 0) * 9
    labels = pd.DataFrame(
        {
            "churn": y["churn"].to_numpy(),
            "town": X["town"].to_numpy(),
            "visits": X["visits"].to_numpy() * 1.5,
            "spend": spend,
        }
    )
    return X[["age", "plan"]], labels


@pytest.fixture(scope="module")
def mixed(tables):
    X, y = tables
    types = {"churn": "binary", "town": "multiclass", "spend": "ziln"}
    model = MultiTaskEstimator(
        task_types={**types, "visits": "regression"},
        loss={"visits": Quantile(levels=(0.1, 0.5, 0.9))},
        n_members=1,
        **QUICK,
    )
    return model.fit(X, y)


def test_the_columns_are_every_answer_of_a_mixed_model(mixed, tables):
    X, _ = tables
    frame = mixed.predict_frame(X)
    towns = mixed.classes_[1]
    assert list(frame) == [
        *("churn", "churn_proba", "town"),
        *(f"town_proba_{town}" for town in towns),
        *("visits", "visits_q0.1", "visits_q0.5", "visits_q0.9"),
        *("spend", "spend_positive"),
    ]
    assert frame.index.equals(X.index)
    predicted, proba = mixed.predict(X), mixed.predict_proba(X)
    for task in predicted:
        pd.testing.assert_series_equal(frame[task], predicted[task])
    np.testing.assert_array_equal(frame["churn_proba"], proba[0][:, 1])
    np.testing.assert_array_equal(frame[[f"town_proba_{t}" for t in towns]], proba[1])
    quantiles = mixed.predict_quantiles(X)[2]
    np.testing.assert_array_equal(frame.filter(like="visits_q"), quantiles)
    chances = mixed.predict_proba_positive(X)[:, 3]
    np.testing.assert_array_equal(frame["spend_positive"], chances)


@pytest.mark.parametrize("structure", ["funnel", {"buy": "click"}])
def test_a_funnel_has_the_rate_of_every_step(structure):
    X, y = funnel_table()
    y = y.set_axis(["click", "buy"], axis=1)
    model = ESMMClassifier(structure=structure, **QUICK).fit(X, y)
    frame, rates = model.predict_frame(X), model.predict_conditional_proba(X)
    assert list(frame) == [
        *("click", "click_proba", "click_rate", "buy", "buy_proba", "buy_rate")
    ]
    np.testing.assert_array_equal(frame["buy_rate"], rates[1][:, 1])
    np.testing.assert_array_equal(frame["click_rate"], frame["click_proba"])
    product = frame["click_proba"] * frame["buy_rate"]
    np.testing.assert_allclose(frame["buy_proba"], product, atol=1e-6)


@pytest.mark.parametrize("sharing", ["most", "none"])
def test_members_give_a_standard_deviation(tables, sharing):
    X, y = tables
    options = {**QUICK, "n_members": 3, "member_sharing": sharing}
    model = MultiTaskEstimator(**options).fit(X, y[["churn", "town", "visits"]])
    frame = model.predict_frame(X)
    assert [name for name in frame if name.endswith("_std")] == [
        *("churn_std", "visits_std")
    ]
    network, arrays = model.predictor_, model.predictor_.encode(X)
    module = network.module
    (logits,) = network.evaluate(
        lambda module, *rows: [module.member_logits(*rows).transpose(0, 1)], arrays
    )
    alone = [network.answers(logits[:, member]) for member in range(module.n_members)]
    positive = np.std([np.exp(each[0][:, 1]) for each in alone], axis=0)
    np.testing.assert_allclose(frame["churn_std"], positive, rtol=1e-4)
    decode = network.targets.columns[2].decode
    visits = np.std([decode(each[2]) for each in alone], axis=0)
    np.testing.assert_allclose(frame["visits_std"], visits, rtol=1e-4)
    assert (frame["visits_std"] > 0).all()
    np.testing.assert_array_equal(frame["churn_proba"], model.predict_proba(X)[0][:, 1])


def test_members_that_were_dropped_have_no_part_in_it(tables):
    X, y = tables
    options = {"n_members": 4, "member_sharing": "none", "member_params": "auto"}
    model = MMOEClassifier(**{**QUICK, "early_stopping": True}, **options)
    model.fit(X, y[["churn"]])
    weight = model.members_["weight"].to_numpy()
    frame = model.predict_frame(X)
    if (weight > 0).sum() == 1:
        assert not frame.filter(like="_std").to_numpy().any()
    assert np.isfinite(frame["churn_std"]).all()


def test_a_named_positive_class_is_the_one_shown():
    X, y = mixed_table(80)
    labels = np.where(y["churn"] == 1, "gone", "stays")
    y = pd.Series(labels, name="state")
    model = MMOEClassifier(pos_label="gone", **QUICK).fit(X, y)
    shown = model.predict_frame(X)["state_proba"]
    np.testing.assert_array_equal(shown, model.predict_proba(X)[:, 0])
    unnamed = MMOEClassifier(**QUICK).fit(X, y)
    with pytest.warns(PositiveClassWarning, match="predict_frame needs to know which"):
        shown = unnamed.predict_frame(X)["state_proba"]
    np.testing.assert_array_equal(shown, unnamed.predict_proba(X)[:, 1])


def test_other_tables_give_a_plain_index_and_arrow_on_request(mixed, tables):
    X, _ = tables
    expected = mixed.predict_frame(X)
    for rows in (pl.from_pandas(X), pa.Table.from_pandas(X, preserve_index=False)):
        frame = mixed.predict_frame(rows)
        pd.testing.assert_frame_equal(frame, expected.reset_index(drop=True))
    table = mixed.predict_frame(X, as_arrow=True)
    assert isinstance(table, pa.Table)
    assert table.column_names == list(expected)
    np.testing.assert_array_equal(table["spend"], expected["spend"])
    assert "__index_level_0__" not in table.column_names


def test_dicts_and_arrays_of_one_task():
    X, _ = mixed_table(80)
    model = MMOERegressor(**QUICK).fit(X[["age"]], X["visits"].to_numpy(float))
    frame = model.predict_frame(X[["age"]].to_dict("records"))
    assert list(frame) == ["task_0"]
    np.testing.assert_allclose(frame["task_0"], model.predict(X[["age"]]))


def test_chunks_give_the_rows_in_order(mixed, tables, monkeypatch):
    X, _ = tables
    whole = mixed.predict_frame(X)
    monkeypatch.setattr("sk_mtl.estimators._fitted_network._CHUNK", 64)
    pd.testing.assert_frame_equal(mixed.predict_frame(X), whole, rtol=1e-6)


def test_names_that_meet_are_refused():
    X, y = mixed_table(80)
    y = y.set_axis(["buy", "buy_proba"], axis=1)
    model = MMOEClassifier(**QUICK).fit(X, y)
    with pytest.raises(ValueError) as caught:
        model.predict_frame(X)
    assert str(caught.value) == (
        "The columns of predict_frame must have names of their own; found "
        "['buy_proba'] twice. Fit with other names of the tasks."
    )


def test_a_model_that_is_not_fitted_is_refused():
    X, _ = mixed_table(20)
    with pytest.raises(NotFittedError):
        MMOEClassifier().predict_frame(X)
