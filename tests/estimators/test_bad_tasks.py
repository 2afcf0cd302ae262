"""Bad input about tasks and how they are joined: required; found; what to do."""

import re

import numpy as np
import pandas as pd
import pytest

from sk_mtl import (
    AITMClassifier,
    DBMTLClassifier,
    ESCM2Classifier,
    ESMMClassifier,
    HoMEClassifier,
    HoMERegressor,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)
from sk_mtl.losses import AGGREGATORS, WEIGHTINGS
from tests.estimators.common import CLASSIFIERS, QUICK, funnel_table, mixed_table

#: What is a funnel without having been asked for one.
FUNNELS = [ESMMClassifier, AITMClassifier, ESCM2Classifier]
STEPS = "['click', 'like', 'buy']"


@pytest.fixture(scope="module")
def table():
    return funnel_table(200)


@pytest.fixture(scope="module")
def steps():
    """A click, and two things that may follow it."""
    X, y = funnel_table(200)
    liked = y["click"] * (np.arange(200) % 2)
    return X, pd.DataFrame({"click": y["click"], "like": liked, "buy": y["conversion"]})


@pytest.fixture(scope="module")
def numbers():
    X, _ = mixed_table(200)
    y = pd.DataFrame({"age": X["age"], "spend": X["visits"] - 2.5})
    return X[["town", "plan"]], y


def refuse(cls, table, message, **options):
    """Assert that a fit raises an error with exactly this message."""
    with pytest.raises(ValueError) as caught:
        cls(**{**QUICK, "max_epochs": 1, **options}).fit(*table)
    assert str(caught.value) == message


@pytest.mark.parametrize("cls", [ESMMClassifier, MMOEClassifier])
@pytest.mark.parametrize(
    ("tree", "circle"),
    [
        ({"like": "buy", "buy": "like"}, "'like' -> 'buy' -> 'like'"),
        (
            {"click": "buy", "like": "click", "buy": "like"},
            "'click' -> 'buy' -> 'like' -> 'click'",
        ),
        ({"like": "like"}, "'like' -> 'like'"),
    ],
)
def test_a_tree_that_leads_back(cls, steps, tree, circle):
    message = (
        f"structure must not lead from a task back to itself; found {circle}. Drop one "
        "of these relations."
    )
    refuse(cls, steps, message, structure=tree)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"like": "clik"}, "['clik']"),
        ({"share": "click"}, "['share']"),
        ({1: "click"}, "[1]"),
        ({"like": 0}, "[0]"),
    ],
)
def test_a_tree_of_unknown_steps(steps, tree, found):
    message = f"structure must name tasks of {STEPS}; found {found}. Correct the names."
    refuse(ESMMClassifier, steps, message, structure=tree)


def test_a_misspelt_tuple(steps):
    X, y = steps
    names = [("step", name) for name in y]
    y = pd.DataFrame(y.to_numpy(), columns=pd.MultiIndex.from_tuples(names))
    message = f"structure must name tasks of {names}; found {{}}. Correct the names."
    wrong = ("step", "clik")
    tree = {names[2]: wrong}
    refuse(ESMMClassifier, (X, y), message.format([wrong]), structure=tree)


@pytest.mark.parametrize("cls", [AITMClassifier, ESMMClassifier, MMOEClassifier])
def test_a_tree_without_relations(cls, steps):
    message = (
        "structure must name at least one step and the step that it builds on; found "
        "{}. Set structure='independent' for tasks that do not build on each other, or "
        "'funnel' for the chain of the columns."
    )
    refuse(cls, steps, message, structure={})


@pytest.mark.parametrize("found", [["click", "like"], ("click", "like"), None])
def test_a_step_that_builds_on_several_or_on_none(steps, found):
    message = (
        f"structure must name one step that a step builds on; found {found!r} for "
        "'buy'. Give a single name, and leave out steps that build on no other."
    )
    refuse(ESMMClassifier, steps, message, structure={"buy": found})


def test_a_task_that_depends_on_another_twice(steps):
    message = (
        "relations must name each task once; found ['click', 'click'] for 'buy'. Drop "
        "the repeated names."
    )
    refuse(DBMTLClassifier, steps, message, relations={"buy": ["click", "click"]})


def _three_classes(table):
    X, y = table
    return X, y.assign(conversion=np.arange(len(y)) % 3)


def _not_binary(remedy):
    return (
        "Only binary classification is supported. The type of the target is "
        "multiclass: a step of a funnel is reached or not, and task 'conversion' has 3 "
        f"classes. {remedy}"
    )


@pytest.mark.parametrize("cls", CLASSIFIERS, ids=lambda cls: cls.__name__)
def test_a_step_of_three_classes(cls, table):
    remedy = "Use structure='independent'."
    if cls is ESCM2Classifier:
        remedy = "Use another classifier, with structure='independent'."
    message = _not_binary(remedy)
    refuse(cls, _three_classes(table), message, structure="funnel")
    if cls in FUNNELS:
        refuse(cls, _three_classes(table), message)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ([["click"]], "[['click']] (missing: ['conversion'])"),
        ({"all": ["click"]}, "[['click']] (missing: ['conversion'])"),
        ([], "[] (missing: ['click', 'conversion'])"),
        (
            [["click", "conversion"], ["click"]],
            "[['click', 'conversion'], ['click']] (more than once: ['click'])",
        ),
    ],
)
def test_task_groups_that_are_not_whole(groups, found, table):
    message = (
        "groups must hold every task of ['click', 'conversion'] in exactly one group; "
        f"found {found}. Give each task one group, or None for one group of all tasks."
    )
    refuse(HoMEClassifier, table, message, groups=groups)


@pytest.mark.parametrize(
    ("groups", "found"),
    [([["click"], ["conversion", "buy"]], "['buy']"), ([[0], [1]], "[0]")],
)
def test_task_groups_of_unknown_tasks(groups, found, table):
    message = (
        f"groups must name tasks of ['click', 'conversion']; found {found}. Correct "
        "the names."
    )
    refuse(HoMEClassifier, table, message, groups=groups)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (["click", "conversion"], "['click', 'conversion']"),
        ({"a": "click", "b": "conversion"}, "['click', 'conversion']"),
        ([["click", "conversion"], []], "[['click', 'conversion'], []]"),
        ([0, 1], "[0, 1]"),
    ],
)
def test_task_groups_that_are_no_lists(groups, found, table):
    message = (
        f"groups must hold lists of names, none of them empty; found {found}. Give for "
        "instance [['click', 'like'], ['watch_time']]."
    )
    refuse(HoMEClassifier, table, message, groups=groups)


def test_a_regressor_names_its_groups_too(numbers):
    message = (
        "groups must hold every task of ['age', 'spend'] in exactly one group; found "
        "[['spend']] (missing: ['age']). Give each task one group, or None for one "
        "group of all tasks."
    )
    refuse(HoMERegressor, numbers, message, groups=[["spend"]])


@pytest.mark.parametrize(
    ("relations", "message"),
    [
        (
            {"click": "conversion", "conversion": ["click"]},
            "relations must not lead from a task back to itself; found 'click' -> "
            "'conversion' -> 'click'. Drop one of these relations.",
        ),
        (
            {"conversion": ["click", "view"]},
            "relations must name tasks of ['click', 'conversion']; found ['view']. "
            "Correct the names.",
        ),
        (
            {"conversion": 0},
            "relations must lead from a task to the name of one, or to a list of "
            "names; found 0 for 'conversion'. Leave out a task that builds on no "
            "other.",
        ),
    ],
)
def test_relations_that_make_no_graph(relations, message, table):
    refuse(DBMTLClassifier, table, message, relations=relations)


@pytest.mark.parametrize(
    ("loss", "bound"), [("ziln", ">= 0"), ("poisson", ">= 0"), ("gamma", "> 0")]
)
def test_negative_numbers_of_one_task_of_several(loss, bound, numbers):
    message = (
        f"{{}} of task 'spend' must hold numbers {bound} for loss={loss!r}; the "
        "smallest found is -2.5. Use another loss, or correct the numbers."
    )
    losses = {"age": "squared_error", "spend": loss}
    refuse(MMOERegressor, numbers, message.format("y"), loss=losses)
    types = {"age": "regression", "spend": loss}
    refuse(MultiTaskEstimator, numbers, message.format("y"), task_types=types)
    X, y = numbers
    positive = y.assign(spend=y["spend"] + 3)
    model = MMOERegressor(**{**QUICK, "max_epochs": 1}, loss=losses)
    with pytest.raises(ValueError) as caught:
        model.fit(X, positive, X_val=X, y_val=y)
    assert str(caught.value) == message.format("y_val")
    with pytest.raises(ValueError) as caught:
        model.partial_fit(X, positive).partial_fit(X, y)
    assert str(caught.value) == message.format("y")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("uncertain", "Did you mean 'uncertainty'?"),
        ("PCGrad", "Did you mean 'pcgrad'?"),
        ("", "Use one of these."),
        (True, "Use one of these."),
        (5, "Use one of these."),
    ],
)
def test_an_unknown_method(name, remedy, table):
    message = (
        f"balancing must be None, one of {[*WEIGHTINGS, *AGGREGATORS]}, an aggregator "
        "of torchjd.aggregation or a scalarizer of torchjd.scalarization; found "
        f"{name!r}. {remedy}"
    )
    refuse(MMOEClassifier, table, message, balancing=name)


def test_a_method_that_is_no_weight(table):
    message = (
        "task_weights must be numbers, one per task ['click', 'conversion']; found "
        "'uncertainty'. Set balancing='uncertainty' for the method of this name."
    )
    refuse(MMOEClassifier, table, message, task_weights="uncertainty")


def test_a_text_that_is_no_method(table):
    message = (
        "task_weights must be numbers, one per task ['click', 'conversion']; found "
        "'equal'. Leave it out to weigh all tasks alike; balancing takes names of "
        "methods."
    )
    refuse(MMOEClassifier, table, message, task_weights="equal")


@pytest.mark.parametrize(
    ("cls", "structure", "names", "remedy"),
    [
        (MMOEClassifier, "funel", ["independent", "funnel"], "Did you mean 'funnel'?"),
        (
            MMOEClassifier,
            None,
            ["independent", "funnel"],
            "Use one of these names, or ",
        ),
        (AITMClassifier, 5, ["sequential", "independent", "funnel"], "Use one of "),
        (ESCM2Classifier, "independent", ["funnel"], "Use one of "),
    ],
)
def test_an_unknown_structure(cls, structure, names, remedy, table):
    message = (
        f"structure must be one of {names} or a dict of steps, such as {{'conversion': "
        f"'click'}}; found {structure!r}. {remedy}"
    )
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        cls(structure=structure).fit(*table)


def test_an_aggregator_that_is_no_instance(table):
    message = (
        "balancing must be an instance of its class; found the class Mean. Write "
        "Mean()."
    )

    class Mean:
        def __call__(self, jacobian):
            return jacobian.mean(0)

    refuse(MMOEClassifier, table, message, balancing=Mean)


def test_weights_beside_a_method_that_weighs(table):
    message = (
        "task_weights must be None where the balancing sets weights of its own; found "
        "[2.0, 1.0] with balancing='gradnorm'. Leave task_weights out, or balance "
        "gradients, such as by 'pcgrad'."
    )
    options = {"task_weights": {"click": 2}, "balancing": "gradnorm"}
    refuse(MMOEClassifier, table, message, **options)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {"clik": 2, "conversion": 1},
            "task_weights must be keyed by task names ['click', 'conversion']; found "
            "['clik']. Correct the names; tasks left out count 1.",
        ),
        (
            [2],
            "task_weights must hold one entry per task ['click', 'conversion']; found "
            "1: [2]. Give one per task, or a dict by task name.",
        ),
        (
            {"click": "dwa"},
            "task_weights must be numbers, one per task ['click', 'conversion']; found "
            "['dwa', 1.0]. Give numbers; balancing takes the name of one "
            "method for all tasks.",
        ),
        (
            ["dwa", None],
            "task_weights must be numbers, one per task ['click', 'conversion']; found "
            "['dwa', None]. Give numbers; balancing takes the name of one "
            "method for all tasks.",
        ),
    ],
)
def test_weights_that_do_not_fit_the_tasks(weights, message, table):
    refuse(MMOEClassifier, table, message, task_weights=weights)


def test_a_task_that_is_left_out_counts_one(table):
    X, y = table
    options = {**QUICK, "max_epochs": 1}
    some = MMOEClassifier(**options, task_weights={"click": 3}).fit(X, y)
    both = MMOEClassifier(**options, task_weights=[3, 1]).fit(X, y)
    for a, b in zip(some.predict_proba(X), both.predict_proba(X), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"compile": True}, "compile=True (a graph with one backward pass)"),
        ({"sparse_embedding": True}, "sparse gradients"),
        ({"n_members": 2}, "n_members=2"),
        (
            {"compile": True, "sparse_embedding": True},
            "compile=True (a graph with one backward pass) and sparse gradients",
        ),
    ],
)
def test_gradients_that_cannot_be_taken_task_by_task(options, found, table):
    message = (
        "Balancing by gradients needs each task's gradient of dense tables in one "
        f"network; found {found}. Set compile=False, sparse_embedding=False and "
        "n_members=1."
    )

    def add(jacobian):
        return jacobian.sum(0)

    refuse(MMOEClassifier, table, message, balancing=add, **options)


def test_a_method_whose_solver_is_absent(table, monkeypatch):
    pytest.importorskip("torchjd")

    def absent(jd, n_tasks):
        raise ImportError("No module named 'cvxpy'.")

    monkeypatch.setitem(AGGREGATORS, "nash_mtl", absent)
    with pytest.raises(ImportError) as caught:
        MMOEClassifier(**QUICK, balancing="nash_mtl").fit(*table)
    assert str(caught.value) == (
        "balancing='nash_mtl' needs solvers that are not installed: No module "
        "named 'cvxpy'. Run pip install 'sk_mtl[balance]'."
    )


KINDS = ["binary", "multiclass", "regression", "poisson", "gamma", "ziln"]


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (
            {"age": "regression", "spend": "real"},
            f"task_types must be 'auto' or of {KINDS}; found 'real' for task 'spend'. "
            "Use one of these.",
        ),
        (
            {"age": "regression", "spent": "ziln"},
            "task_types must be keyed by task names ['age', 'spend']; found ['spent']. "
            "Correct the names; tasks left out are 'auto'.",
        ),
        (
            ["regression"],
            "task_types must hold one entry per task ['age', 'spend']; found 1: "
            "['regression']. Give one per task, or a dict by task name.",
        ),
    ],
)
def test_types_that_do_not_fit_the_tasks(types, message, numbers):
    refuse(MultiTaskEstimator, numbers, message, task_types=types)


LOSS_NAMES = [
    *("log_loss", "focal", "squared_error", "absolute_error", "huber"),
    *("quantile", "poisson", "gamma", "ziln"),
]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"loss": {"spend": "mse"}},
            f"loss['spend'] must be one of {['auto', *LOSS_NAMES]} or a Loss; found "
            "'mse'. Use one of these names, a Loss, or a sk_mtl.losses.TaskOutput; "
            "functions and modules are not taken.",
        ),
        (
            {"loss": {"spent": "huber"}},
            "loss must be keyed by task names ['age', 'spend']; found ['spent']. "
            "Correct the names; tasks left out take 'auto'.",
        ),
        (
            {"loss": {"age": "huber"}, "task_types": {"age": "poisson"}},
            "The loss of task 'age', of type 'poisson', must be 'poisson'; found "
            "'huber'. Change its loss, or its entry in task_types.",
        ),
        (
            {"loss": "log_loss", "task_types": "regression"},
            "loss must fit the type of a task; found 'log_loss', of domain 'classes', "
            "and tasks of the types {'age': 'regression', 'spend': 'regression'}. Use "
            "another loss, or name it by task: that decides the type, too.",
        ),
        (
            {"loss": {"age": "log_loss"}, "task_types": "regression"},
            "The loss of task 'age', of type 'regression', must be a loss of numbers, "
            "such as 'squared_error'; found 'log_loss'. Change its loss, or its entry "
            "in task_types.",
        ),
        (
            {"class_weight": {"age": "balanced"}},
            "class_weight must be of tasks of classes; found 'balanced' for task "
            "'age', which holds numbers. Leave it out, or weight its rows by "
            "sample_weight.",
        ),
        (
            {"class_weight": [None, {0: 2.0}]},
            "class_weight must be of tasks of classes; found {0: 2.0} for task "
            "'spend', which holds numbers. Leave it out, or weight its rows by "
            "sample_weight.",
        ),
    ],
)
def test_losses_and_weights_that_do_not_fit_the_type(options, message, numbers):
    refuse(MultiTaskEstimator, numbers, message, **options)


@pytest.mark.parametrize("cls", [MMOEClassifier, MMOERegressor, MultiTaskEstimator])
@pytest.mark.parametrize(
    ("name", "found", "remedy"),
    [
        ("task_weights__age", "task_weights=None", "Set task_weights as a whole."),
        ("callbacks__es__patience", "callbacks=None", "Set callbacks as a whole."),
        (
            "preprocessor__num__scaler__with_mean",
            "preprocessor=None",
            "Give an object first, such as preprocessor=make_tabular_preprocessor().",
        ),
    ],
)
def test_nested_names_of_parameters_without_any(cls, name, found, remedy):
    with pytest.raises(ValueError) as caught:
        cls().set_params(**{name: 1})
    outer = name.partition("__")[0]
    assert str(caught.value) == (
        f"{name} must lead to a parameter of an object in {outer!r}; found {found}, "
        f"which has no parameters. {remedy}"
    )
