import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from sk_mtl import ESMMClassifier, MMOEClassifier, MultiTaskEstimator
from sk_mtl.ensemble import (
    MultiTaskVotingClassifier,
    MultiTaskVotingEstimator,
    MultiTaskVotingRegressor,
)
from tests.ensemble.common import binary_table, linear, net, tree

PAIR = [("linear", linear()), ("tree", tree())]


def refused(estimators, error=ValueError, cls=MultiTaskVotingClassifier, **parameters):
    X, y = binary_table(40)
    with pytest.raises(error) as caught:
        cls(estimators, **parameters).fit(X, y)
    return str(caught.value)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            [1, 2, 3],
            "weights must have shape (2,) or (2, 2), one weight per estimator of "
            "['linear', 'tree'], or per estimator and task of ['click', 'buy']; found "
            "(3,). Give one for each.",
        ),
        (
            {"buy": [1]},
            "weights of task 'buy' must hold one number per estimator of ['linear', "
            "'tree']; found 1. Give one for each.",
        ),
        (
            {"bye": [1, 2]},
            "weights must be keyed by task names ['click', 'buy']; found ['bye']. "
            "Correct the names; tasks left out have equal weights.",
        ),
        (
            [-1, 2],
            "weights must be finite numbers >= 0, one per estimator of ['linear', "
            "'tree']; found [-1, 2]. Use 0 for an estimator that must not count.",
        ),
        (
            [0, 0],
            "weights of task 'click' must be positive for an estimator that can learn "
            "it, one of ['linear', 'tree']; found only zeros. Raise one of them.",
        ),
        (
            {"buy": "best"},
            "weights must be 'auto', None or numbers; found 'best' for task 'buy'. "
            "Use one of these.",
        ),
    ],
    ids=["length", "length by task", "name", "negative", "zeros", "word"],
)
def test_wrong_weights_are_refused(weights, message):
    assert refused(PAIR, weights=weights) == message


@pytest.mark.parametrize("part", [LinearSVC(), RidgeClassifier()], ids=["svc", "ridge"])
def test_classifiers_without_probabilities_are_refused(part):
    assert refused([("net", net()), ("part", part)]) == (
        "Estimator 'part' must have predict_proba, as logits are averaged; found "
        f"{type(part).__name__}, which has none. Wrap it in CalibratedClassifierCV, or "
        "set it to 'drop'."
    )


def test_parts_of_another_type_are_refused():
    assert "'ridge' must be a classifier; found Ridge." in refused([("ridge", Ridge())])
    message = refused([("net", net())], cls=MultiTaskVotingRegressor)
    assert "'net' must be a regressor; found MMOEClassifier." in message
    mixed = [("net", MultiTaskEstimator())]
    assert "Use MultiTaskVotingEstimator" in refused(mixed)
    bad = [("svc", LinearSVC())]
    assert "predict_proba" in refused(bad, cls=MultiTaskVotingEstimator)


def test_names_must_differ_and_be_no_parameters():
    assert refused([("a", linear()), ("a", tree())]) == (
        "The names of estimators must differ; found ['a'] more than once. Rename them."
    )
    assert "weights" in refused([("weights", linear())])
    assert "__" in refused([("a__b", linear())])


def test_an_unknown_name_is_refused():
    model = MultiTaskVotingClassifier(PAIR)
    with pytest.raises(ValueError, match="Invalid parameter 'trees'"):
        model.set_params(trees__max_depth=3)


def test_estimators_must_be_named_instances():
    assert "estimators must be a list of names" in refused([linear()])
    assert "estimators must be a list of names" in refused([])
    message = refused([("net", MMOEClassifier)], error=TypeError)
    assert "estimators must hold instances with fit, or 'drop'" in message
    assert "found only dropped ones" in refused([("net", "drop")])


def test_settings_of_networks_must_agree():
    two = [("a", net(missing_label=-1)), ("b", net())]
    assert refused(two) == (
        "missing_label must be the same in all multi-task estimators; found {'a': -1, "
        "'b': None}. Set one value, or leave it out where it is not needed."
    )
    tree_structure = ESMMClassifier(structure={"buy": "click"})
    two = [("a", ESMMClassifier()), ("b", tree_structure)]
    assert "structure must be the same in all multi-task" in refused(two)


def test_weights_need_parts_that_take_them():
    X, y = binary_table(40)
    model = MultiTaskVotingClassifier([("near", KNeighborsClassifier())])
    with pytest.raises(TypeError, match="found 'near', KNeighborsClassifier"):
        model.fit(X, y, sample_weight=np.arange(40.0))
    # Weights of 0 and 1 only choose the rows.
    model.fit(X, y, sample_weight=np.arange(40) % 2)


def test_a_task_without_labels_or_with_one_class_is_named():
    X, y = binary_table(40)
    model = MultiTaskVotingClassifier(PAIR)
    with pytest.raises(ValueError, match="Task 'buy' must have labelled rows"):
        model.fit(X, y.assign(buy=np.nan))
    with pytest.raises(ValueError, match="'buy' must have at least two classes"):
        model.fit(X, y.assign(buy=0))
    with pytest.raises(ValueError, match="that every weight is zero"):
        model.fit(X, y, sample_weight=np.zeros(40))


def test_no_part_can_learn_a_class_that_is_only_named():
    X, y = binary_table(40)
    model = MultiTaskVotingClassifier(PAIR)
    with pytest.raises(ValueError, match="Task 'buy' must have an estimator that can"):
        model.fit(X, y.assign(buy=0), classes=[[0, 1]] * 2)


def test_labels_outside_the_named_classes_are_refused():
    X, y = binary_table(40)
    model = MultiTaskVotingClassifier(PAIR)
    with pytest.raises(ValueError, match=r"must hold the classes \[0, 1\]; found 7"):
        model.fit(X, y.replace({1: 7}), classes=[[0, 1]] * 2)


def test_too_many_folds_are_refused():
    assert "cv=50 must be at least 2 and at most the number of rows" in refused(
        PAIR, weights="auto", cv=50
    )


def test_an_error_of_a_part_names_part_and_task():
    X, y = binary_table(40)
    with pytest.raises(ValueError, match="NaN") as caught:
        MultiTaskVotingClassifier(PAIR).fit(X.where(X > 0), y)
    assert caught.value.__notes__ == ["In the fit of 'linear' to task 'click'."]
