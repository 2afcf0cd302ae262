import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl import AITMClassifier, ESMMClassifier, MMOEClassifier
from sk_mtl.ensemble import MultiTaskVotingClassifier
from tests.ensemble.common import NET, Recorder, binary_table, linear
from tests.estimators.common import assert_equal_proba

TREE = {"buy": "click", "like": "click"}


def funnel(**parameters):
    return ESMMClassifier(**{**NET, **parameters})


def voting(*parts, **parameters):
    names = ("first", "second", "third")
    return MultiTaskVotingClassifier(list(zip(names, parts)), **parameters)


def tree_table():
    X, y = binary_table()
    y["like"] = y["click"] * (X["b"] > 0)
    return X, y


@pytest.mark.parametrize("weights", [None, "auto"])
def test_no_step_is_likelier_than_the_one_before(weights):
    X, y = binary_table()
    click, buy = voting(funnel(), linear(), weights=weights).fit(X, y).predict_proba(X)
    assert (buy[:, 1] <= click[:, 1]).all()
    np.testing.assert_allclose(buy.sum(axis=1), 1)


def test_steps_of_a_tree_build_on_their_own_parent():
    X, y = tree_table()
    model = voting(funnel(structure=TREE), linear()).fit(X, y)
    click, buy, like = (proba[:, 1] for proba in model.predict_proba(X))
    _, buy_rate, like_rate = (p[:, 1] for p in model.predict_conditional_proba(X))
    np.testing.assert_allclose(buy, click * buy_rate)
    np.testing.assert_allclose(like, click * like_rate)
    assert (like > buy).any()
    assert (like < buy).any()


def test_single_label_parts_learn_a_rate_on_the_rows_that_reached_the_step_before():
    X, y = tree_table()
    y = y.astype(float)
    y.loc[:9] = np.nan
    model = voting(funnel(structure=TREE), Recorder()).fit(X, y)
    rates = model.estimators_[1]
    assert len(rates["click"].X_) == 190
    clicked = y["click"] == 1
    wanted = y.index[clicked & y["buy"].notna()]
    assert rates["buy"].X_.index.tolist() == wanted.tolist()
    assert rates["like"].X_.index.tolist() == y.index[clicked].tolist()


def test_one_part_answers_as_it_does_alone():
    X, y = binary_table()
    alone = funnel().fit(X, y)
    model = voting(funnel()).fit(X, y)
    assert_equal_proba(model.predict_proba(X), alone.predict_proba(X), atol=1e-6)
    assert_equal_proba(
        model.predict_conditional_proba(X),
        alone.predict_conditional_proba(X),
        atol=1e-6,
    )


def test_an_independent_network_gives_the_quotient_of_its_probabilities():
    X, y = binary_table()
    net = MMOEClassifier(**NET)
    model = voting(funnel(), net, weights=[0, 1]).fit(X, y)
    click, buy = (proba[:, 1] for proba in net.fit(X, y).predict_proba(X))
    rate = model.predict_conditional_proba(X)[1][:, 1]
    np.testing.assert_allclose(rate, np.clip(buy / click, None, 1 - 1e-7), atol=1e-6)
    np.testing.assert_allclose(
        model.predict_proba(X)[1][:, 1], np.minimum(buy, click), atol=1e-6
    )


def test_a_funnel_in_a_pipeline_is_a_funnel():
    X, y = binary_table()
    model = voting(make_pipeline(StandardScaler(), funnel()), linear()).fit(X, y)
    click, buy = model.predict_proba(X)
    assert (buy[:, 1] <= click[:, 1]).all()


def test_the_positive_label_may_sort_first():
    X, y = binary_table()
    coded = y.replace({1: "done", 0: "open"}).astype(object)
    model = voting(funnel(pos_label="done"), linear()).fit(X, coded)
    assert model.pos_label_ == {"click": "done", "buy": "done"}
    plain = voting(funnel(), linear()).fit(X, y)
    assert_equal_proba(
        [proba[:, ::-1] for proba in model.predict_proba(X)],
        plain.predict_proba(X),
        atol=1e-5,
    )


def test_sequential_steps_are_independent_tasks():
    X, y = binary_table()
    model = voting(AITMClassifier(**NET), linear()).fit(X, y)
    assert not hasattr(model, "predict_conditional_proba")
    assert hasattr(voting(funnel()), "predict_conditional_proba")


def test_rates_are_named_where_there_are_none():
    with pytest.raises(AttributeError) as caught:
        _ = voting(linear()).predict_conditional_proba
    assert "found only estimators of other structures" in str(caught.value.__cause__)


def test_a_step_needs_two_classes():
    X, y = binary_table()
    y["buy"] = pd.cut(X["a"], 3, labels=False)
    with pytest.raises(ValueError, match=r"'buy' has 3 classes\. Use structure="):
        voting(funnel(), linear()).fit(X, y)
