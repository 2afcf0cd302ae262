"""Items that training saw in histories only, when they are shown for the first time."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OrdinalEncoder, StandardScaler, TargetEncoder

from sk_mtl import ESMMClassifier
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.preprocessing import CategoryEncoder, SequenceEncoder
from tests.estimators.common import QUICK, assert_equal_proba

SHARED = {
    "sequence_pooling": "target_attention",
    "sequence_target": {"history": "item_id"},
    "shared_embedding": [["item_id", "history"]],
}
NEVER_SEEN = 99_999


@pytest.fixture(scope="module")
def log():
    """Training rows, which never show the ten items that their histories hold."""
    X, y, _ = make_conversion_funnel(n_samples=600, n_users=30, random_state=0)
    clicked = np.unique(np.concatenate(X["history"].to_numpy()))
    held = clicked[::5][:10]
    shown = ~X["item_id"].isin(held)
    assert np.isin(held, np.concatenate(X.loc[shown, "history"].to_numpy())).all()
    return X[shown].reset_index(drop=True), y[shown].reset_index(drop=True), held


def show(X, item):
    rows = X[:20]
    return rows.assign(item_id=pd.Series(item, index=rows.index, dtype="category"))


def assert_known(model, X, held):
    """Every item has a row of its own, which is the one that histories read."""
    new = [model.predict_proba(show(X, item))[0] for item in (NEVER_SEEN, *held)]
    assert len(np.unique(np.round(new, 12), axis=0)) == len(new)
    for item in held:
        rows = show(X, item)
        rows["history"] = [[item]] * len(rows)
        arrays = model.schema_.transform(model.preprocessor_, rows)
        codes = arrays.codes[:, model.schema_.categorical_names.index("item_id")]
        assert (codes > 0).all()
        np.testing.assert_array_equal(codes, arrays.sequences[0][:, 0])


def test_an_item_of_histories_is_no_unknown_item(log):
    X, y, held = log
    model = ESMMClassifier(**SHARED, **QUICK).fit(X, y)
    assert_known(model, X, held)
    alone = ESMMClassifier(**QUICK).fit(X, y)
    assert_equal_proba(
        alone.predict_proba(show(X, held[0])), alone.predict_proba(show(X, NEVER_SEEN))
    )


def test_a_row_alone_and_a_copy_give_the_same(log):
    X, y, held = log
    model = ESMMClassifier(**SHARED, **QUICK).fit(X, y)
    expected = model.predict_proba(show(X, held[0]))
    for task, whole in zip(model.predict_proba(show(X, held[0])[:1]), expected):
        np.testing.assert_allclose(task, whole[:1], rtol=1e-5)
    copied = pickle.loads(pickle.dumps(model))
    assert_equal_proba(copied.predict_proba(show(X, held[0])), expected)
    again = clone(model).fit(X, y)
    assert_equal_proba(again.predict_proba(show(X, held[0])), expected)


@pytest.mark.parametrize("way", ["warm_start", "partial_fit"])
def test_fits_that_continue_train_the_same_row(log, way):
    X, y, held = log
    model = ESMMClassifier(**SHARED, **QUICK, warm_start=True).fit(X, y)
    before = model.predict_proba(show(X, held[0]))[0]
    fit = model.fit if way == "warm_start" else model.partial_fit
    fit(show(X, held[0]), y[:20])
    assert_known(model, X, held)
    assert not np.allclose(model.predict_proba(show(X, held[0]))[0], before)


def test_the_preprocessor_that_was_passed_learns_nothing(log):
    """Bit for bit; and a new fit learns anew."""
    X, y, held = log
    fitted = ESMMClassifier(**SHARED, **QUICK).fit(X, y).preprocessor_
    before = pickle.dumps(fitted)
    alone = ESMMClassifier(preprocessor=fitted, **QUICK).fit(X, y)
    assert pickle.dumps(fitted) == before
    new = alone.schema_.transform(alone.preprocessor_, show(X, held[0]))
    assert (new.codes[:, alone.schema_.categorical_names.index("item_id")] == 0).all()


def test_encoders_of_a_column_transformer_of_ones_own_share(log):
    X, y, held = log
    preprocessor = ColumnTransformer(
        [
            ("num", StandardScaler(), ["price", "hour"]),
            ("target", TargetEncoder(), ["user_country"]),
            ("item", CategoryEncoder(), ["item_id"]),
            ("seq", SequenceEncoder(max_length=9), ["history"]),
        ]
    )
    before = pickle.dumps(preprocessor)
    model = ESMMClassifier(preprocessor=preprocessor, **SHARED, **QUICK).fit(X, y)
    assert pickle.dumps(preprocessor) == before
    assert_known(model, X, held)
    assert model.schema_.vocabularies == [0, 0]
    items = {*X["item_id"].astype(int), *np.concatenate(X["history"].to_numpy())}
    known = model.preprocessor_.named_transformers_["item"].categories_[0]
    assert set(known) <= items
    preprocessor.set_params(
        item=OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    )
    with pytest.raises(ValueError, match="'item_id', whose OrdinalEncoder has categ"):
        model.fit(X, y)
