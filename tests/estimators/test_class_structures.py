"""Structures of tasks that all are classes."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags

from sk_mtl import (
    AITMClassifier,
    DBMTLClassifier,
    ESCM2Classifier,
    ESMMClassifier,
    MMOEClassifier,
)
from sk_mtl.estimators._class_structures import make_class_structure
from sk_mtl.losses import FunnelStructure, IndependentStructure
from tests.estimators.common import QUICK, class_targets, funnel_table

NAMES = ["a", "b"]
CHAIN = {"conversion": "click", "again": "conversion"}
TREE = {"conversion": "click", "again": "click"}


@pytest.fixture(scope="module")
def steps():
    X, y = funnel_table(120)
    return X, y.assign(again=y["conversion"] * (X["visits"] > 2))


def test_structures_follow_the_tasks():
    two, three = np.array([0, 1]), np.array([0, 1, 2])
    mixed = class_targets(NAMES, [two, three], False)
    structure = make_class_structure("independent", mixed)
    assert isinstance(structure, IndependentStructure)
    assert structure.head_widths == (1, 3)
    steps = class_targets(NAMES, [two, two], False)
    funnel = make_class_structure("funnel", steps)
    assert isinstance(funnel, FunnelStructure)
    assert funnel.head_widths == (1, 1)
    with pytest.raises(ValueError, match="task 'b' has 3 classes"):
        make_class_structure("funnel", mixed)


def test_a_dict_is_a_tree():
    two = np.array([0, 1])
    steps = class_targets(["like", "click", "buy"], [two] * 3, False)
    tree = {"like": "click", "buy": "click"}
    structure = make_class_structure(tree, steps)
    assert structure.parents == (1, None, 1)


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier, ESCM2Classifier])
def test_a_dict_of_the_chain_is_the_funnel(steps, cls):
    X, y = steps
    chain = cls(structure="funnel", **QUICK).fit(X, y)
    tree = cls(structure=CHAIN, **QUICK).fit(X, y)
    for method in ("predict_proba", "predict_conditional_proba"):
        found, expected = (getattr(model, method)(X) for model in (tree, chain))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "cls", [MMOEClassifier, ESMMClassifier, ESCM2Classifier, AITMClassifier]
)
def test_every_method_takes_a_dict_for_a_funnel(steps, cls):
    X, y = steps
    model = cls(structure=dict(TREE), monitor="roc_auc", **QUICK)
    assert not get_tags(model).classifier_tags.multi_class
    assert clone(model).structure == TREE
    reached = np.array([p[:, 1] for p in model.fit(X, y).predict_proba(X)])
    rates = np.array([p[:, 1] for p in model.predict_conditional_proba(X)])
    products = rates * [np.ones(len(X)), reached[0], reached[0]]
    np.testing.assert_allclose(reached, products, rtol=1e-5)
    again = model.task("again")
    np.testing.assert_array_equal(again.predict_proba(X)[:, 1], reached[2])
    # The fit has kept its own structure.
    model.set_params(structure="independent")
    assert len(model.predict_conditional_proba(X)) == 3


def test_dbmtl_depends_on_what_the_tree_says(steps):
    tree = DBMTLClassifier(structure=TREE, **QUICK).fit(*steps)
    same = DBMTLClassifier(structure=TREE, relations=TREE, **QUICK).fit(*steps)
    np.testing.assert_array_equal(
        tree.predict_proba(steps[0]), same.predict_proba(steps[0])
    )


def test_a_search_over_structures(steps):
    X, y = steps
    model = MMOEClassifier(**{**QUICK, "max_epochs": 1})
    structures = ["independent", "funnel", TREE]
    search = GridSearchCV(model, {"structure": structures}, cv=2).fit(X, y)
    assert list(search.cv_results_["param_structure"]) == structures
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
