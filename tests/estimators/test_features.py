"""Every feature with every model: fit, search, pickle, and what it changes."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_mtl import Bins, Cross, ESMMClassifier, MMOEClassifier, PiecewiseLinear
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.metrics import make_task_scorer
from sk_mtl.preprocessing import make_tabular_preprocessor
from tests.estimators.common import PLAIN, QUICK, assert_equal_proba

USER = ["user_age_group", "user_country", "user_id", "hour"]
ITEM = ["item_id", "item_category", "item_brand", "price"]
TARGET = {
    "sequence_target": {"history": "item_id"},
    "shared_embedding": [["item_id", "history"]],
}
FEATURES = {
    "groups": {"feature_groups": {"user": USER, "item": ITEM}},
    "group sum": {
        "feature_groups": {"user": USER, "item": ITEM},
        "group_pooling": "sum",
    },
    "group mean": {"feature_groups": {"user": USER}, "group_pooling": "mean"},
    "max": {"sequence_pooling": "max"},
    "sum": {"sequence_pooling": {"history": "sum"}},
    "attention": {"sequence_pooling": "attention"},
    "target attention": {"sequence_pooling": "target_attention", **TARGET},
    "shared": {"shared_embedding": [["item_id", "history"]]},
    "sparse": {"sparse_embedding": True, **TARGET},
    "bins": {"numeric_embedding": "bins"},
    "ple": {"numeric_embedding": "ple"},
    "periodic": {"numeric_embedding": "periodic"},
    "bins and ple": {"numeric_embedding": (Bins(8), PiecewiseLinear(8))},
    "fm": {"interaction": "fm"},
    "cross": {"interaction": Cross(4)},
    "senet": {"interaction": "senet"},
    "wide": {"wide": True},
    "wide sparse": {"wide": True, "sparse_embedding": True},
    "all": {
        "feature_groups": {"user": USER, "item": ITEM},
        "group_pooling": "sum",
        "sequence_pooling": "target_attention",
        **TARGET,
        "sparse_embedding": True,
        "numeric_embedding": ("bins", "ple", "periodic"),
        "interaction": "senet",
        "wide": True,
    },
}


@pytest.fixture(scope="module")
def funnel():
    X, y, _ = make_conversion_funnel(n_samples=300, n_users=30, random_state=0)
    return X, y


@pytest.mark.parametrize("model", [ESMMClassifier, MMOEClassifier])
@pytest.mark.parametrize("name", FEATURES)
def test_it_fits_predicts_pickles_and_repeats(funnel, model, name):
    X, y = funnel
    fitted = model(**FEATURES[name], **{**QUICK, "max_epochs": 2}).fit(X, y)
    proba = fitted.predict_proba(X)
    for task in proba:
        assert np.isfinite(task).all()
        np.testing.assert_allclose(task.sum(axis=1), 1, rtol=1e-6)
    assert_equal_proba(pickle.loads(pickle.dumps(fitted)).predict_proba(X), proba)
    assert_equal_proba(clone(fitted).fit(X, y).predict_proba(X), proba)


@pytest.fixture(scope="module")
def plain(funnel):
    """The probabilities of a network without features."""
    X, y = funnel
    return MMOEClassifier(n_members=1, **PLAIN, **QUICK).fit(X, y).predict_proba(X)


@pytest.mark.parametrize("name", sorted(set(FEATURES) - {"groups"}))
def test_it_changes_the_network(funnel, plain, name):
    X, y = funnel
    options = {**PLAIN, **FEATURES[name], **QUICK}
    changed = MMOEClassifier(**options).fit(X, y).predict_proba(X)
    assert not np.array_equal(plain[0], changed[0])


@pytest.mark.parametrize("name", FEATURES)
def test_it_learns(funnel, name):
    X, y = funnel
    settings = {**QUICK, "max_epochs": 8, "lr": 0.02, "early_stopping": False}
    fitted = MMOEClassifier(**FEATURES[name], **settings).fit(X, y)
    loss = fitted.history_["train_loss"]
    assert loss.iloc[-1] < 0.9 * loss.iloc[0]


def test_a_search_reaches_every_feature(funnel):
    X, y = funnel
    grid = {
        "sequence_pooling": ["mean", "target_attention"],
        "numeric_embedding": [None, "bins"],
        "interaction": ["cross"],
    }
    search = GridSearchCV(
        ESMMClassifier(**TARGET, **{**QUICK, "max_epochs": 1}),
        grid,
        scoring=make_task_scorer("roc_auc"),
        cv=2,
    )
    assert set(search.fit(X, y).best_params_) == set(grid)


def test_it_works_at_the_end_of_a_pipeline(funnel):
    X, y = funnel
    model = ESMMClassifier(**FEATURES["all"], **QUICK)
    pipeline = make_pipeline(FunctionTransformer(lambda X: X), model)
    direct = clone(model).fit(X, y).predict_proba(X)
    assert_equal_proba(pipeline.fit(X, y).predict_proba(X), direct)


def test_rows_are_predicted_alike_alone_and_together(funnel):
    X, y = funnel
    fitted = ESMMClassifier(**FEATURES["all"], **QUICK).fit(X, y)
    together = fitted.predict_proba(X)
    alone = [fitted.predict_proba(X.iloc[[k]]) for k in range(5)]
    for k in range(2):
        stacked = np.concatenate([proba[k] for proba in alone])
        np.testing.assert_allclose(stacked, together[k][:5], rtol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "max", "sum"])
def test_what_is_behind_a_sequence_has_no_influence(funnel, pooling):
    """An item beyond the end is padding, whatever the longest sequence beside it."""
    X, y = funnel
    fitted = ESMMClassifier(sequence_pooling=pooling, **QUICK).fit(X, y)
    longer = X.copy()
    longer.at[0, "history"] = list(X["item_id"][:40])
    before, after = fitted.predict_proba(X), fitted.predict_proba(longer)
    for k in range(2):
        np.testing.assert_array_equal(before[k][1:], after[k][1:])
        assert not np.array_equal(before[k][0], after[k][0])


def test_new_items_and_missing_histories_are_taken(funnel):
    X, y = funnel
    fitted = ESMMClassifier(**FEATURES["target attention"], **QUICK).fit(X, y)
    odd = X[:4].copy()
    odd["history"] = [None, [], [99_999] * 70, [99_999]]
    proba = fitted.predict_proba(odd)[0]
    assert np.isfinite(proba).all()


def test_an_item_learnt_in_the_history_is_known_as_target(funnel):
    X, y = funnel
    fitted = ESMMClassifier(**FEATURES["target attention"], **QUICK).fit(X, y)
    arrays = fitted.schema_.transform(fitted.preprocessor_, X)
    item = fitted.schema_.categorical_names.index("item_id")
    rows = [k for k, items in enumerate(X["history"]) if len(items)]
    codes = dict(zip(X["item_id"].astype(str), arrays.codes[:, item], strict=True))
    for k in rows[:50]:
        for place, value in enumerate(X["history"].iloc[k]):
            if str(value) in codes:
                assert arrays.sequences[0][k, place] == codes[str(value)]


def test_missing_numbers_have_a_bin_of_their_own():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    missing = rng.random(400) < 0.3
    X = pd.DataFrame({"x": np.where(missing, np.nan, x), "z": rng.normal(size=400)})
    model = MMOEClassifier(numeric_embedding=Bins(4), **QUICK)
    model.fit(X, (x > 0).astype(int))
    embedding = model.net_.module_.encoder.numeric_embeddings[0]
    numeric = model.schema_.transform(model.preprocessor_, X).numeric
    with torch.no_grad():
        vectors = embedding(torch.from_numpy(numeric))[:, 0].numpy()
    # All gaps read one row, which no number reads, not even the imputed median.
    assert len(np.unique(vectors[missing], axis=0)) == 1
    assert not (vectors[~missing] == vectors[missing][0]).all(axis=1).any()
    assert len(np.unique(vectors, axis=0)) == 5


def test_bins_are_those_of_the_training_part():
    """Extreme values in the validation rows move no edge."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300)})
    y = (X["x"] > 0).astype(int)
    model = MMOEClassifier(numeric_embedding="bins", **QUICK)
    first = model.fit(X, y, X_val=X[:50], y_val=y[:50])
    edges = [b.clone() for b in first.net_.module_.encoder.numeric_embeddings.buffers()]
    second = clone(model).fit(X, y, X_val=X[:50] * 1e6, y_val=y[:50])
    others = second.net_.module_.encoder.numeric_embeddings.buffers()
    for edge, other in zip(edges, others, strict=True):
        assert edge.equal(other)


def test_warm_start_and_partial_fit_continue_with_every_feature(funnel):
    X, y = funnel
    model = ESMMClassifier(**FEATURES["all"], **QUICK, warm_start=True).fit(X, y)
    first = model.history_
    model.fit(X, y)
    assert len(model.history_) > len(first)
    part = ESMMClassifier(**FEATURES["all"], **QUICK)
    part.partial_fit(X[:150], y[:150]).partial_fit(X[150:], y[150:])
    assert part.n_iter_ == 2


def test_a_wrong_column_leaves_the_estimator_as_it_was(funnel):
    X, y = funnel
    model = ESMMClassifier(**QUICK).fit(X, y)
    before = model.predict_proba(X)
    model.set_params(feature_groups={"user": ["user_idd"]})
    with pytest.raises(ValueError, match="Did you mean 'user_id'"):
        model.fit(X, y)
    assert_equal_proba(model.predict_proba(X), before)


@pytest.mark.parametrize(
    "step",
    [FunctionTransformer(feature_names_out="one-to-one"), VarianceThreshold()],
    ids=["nothing", "constants"],
)
def test_a_step_behind_the_preprocessor_changes_no_answer(step):
    rng = np.random.default_rng(0)
    histories = [rng.integers(0, 9, 3).tolist() for _ in range(200)]
    X = pd.DataFrame({"c": rng.choice(list("abcdef"), 200), "h": histories})
    y = rng.integers(0, 2, (200, 2))
    plain = MMOEClassifier(**QUICK).fit(X, y)
    default = make_tabular_preprocessor()
    behind = MMOEClassifier(preprocessor=make_pipeline(default, step), **QUICK)
    behind.fit(X, y)
    assert behind.schema_.categorical_names == ["c"]
    assert behind.schema_.sequence_names == ["h"]
    new = X[:9].assign(c=["new", *"abcdefab"])
    assert_equal_proba(behind.predict_proba(new), plain.predict_proba(new))
    again = pickle.loads(pickle.dumps(behind))
    assert_equal_proba(again.predict_proba(new), plain.predict_proba(new))


def test_integers_beyond_the_precision_of_floats_are_learnt():
    rng = np.random.default_rng(0)
    steps = rng.integers(0, 5, 600)
    y = np.column_stack([steps > 2, steps % 2]).astype(int)
    small = pd.DataFrame({"campaign": steps, "z": rng.normal(size=600)})
    large = small.assign(campaign=steps + 1_234_567_890_123_456_768)
    model = MMOEClassifier(**QUICK).fit(small, y)
    with pytest.warns(ColumnWarning, match="Column 'campaign' must hold quantities"):
        same = MMOEClassifier(**QUICK).fit(large, y)
    assert_equal_proba(same.predict_proba(large), model.predict_proba(small))
    assert_equal_proba(same.predict_proba(large[:1]), model.predict_proba(small[:1]))
