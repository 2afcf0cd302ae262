"""Names that tell two estimators apart."""

from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl import MMOEClassifier, MultiTaskEstimator, PLEClassifier
from sk_mtl.model_selection._baseline import single_task_baseline
from sk_mtl.model_selection._names import names_apart


def test_classes_tell_estimators_apart():
    assert names_apart(MMOEClassifier(), PLEClassifier(n_levels=3)) == [
        "MMOEClassifier",
        "PLEClassifier",
    ]
    pipeline = make_pipeline(StandardScaler(), MMOEClassifier())
    assert names_apart(pipeline, DummyClassifier()) == [
        "MMOEClassifier",
        "DummyClassifier",
    ]


def test_of_one_class_the_parameters_that_differ_are_named():
    first = MMOEClassifier(n_experts=2, max_epochs=1, lr=0.01)
    second = MMOEClassifier(n_experts=8, max_epochs=1, lr=0.1)
    assert names_apart(first, second) == [
        "MMOEClassifier(lr=0.01, n_experts=2)",
        "MMOEClassifier(lr=0.1, n_experts=8)",
    ]
    assert names_apart(first, first) == ["MMOEClassifier 1", "MMOEClassifier 2"]


def test_mixed_tasks_are_told_from_their_baseline_by_the_wiring():
    model = MultiTaskEstimator(wiring="ple")
    assert names_apart(model, single_task_baseline(model)) == [
        "MultiTaskEstimator(wiring='ple')",
        "MultiTaskEstimator(wiring='single_task')",
    ]


def test_long_values_are_cut():
    names = names_apart(MMOEClassifier(task_names=["a" * 60]), MMOEClassifier())
    assert names == [
        f"MMOEClassifier(task_names=['{'a' * 35}...)",
        "MMOEClassifier(task_names=None)",
    ]


def test_of_several_only_those_of_one_class_are_told_apart():
    models = MMOEClassifier(n_experts=2), PLEClassifier(), MMOEClassifier(n_experts=3)
    assert names_apart(*models) == [
        "MMOEClassifier(n_experts=2)",
        "PLEClassifier",
        "MMOEClassifier(n_experts=3)",
    ]


def test_steps_are_named_where_nothing_else_differs():
    model = MMOEClassifier()
    scaled = make_pipeline(StandardScaler(), model)
    passed = make_pipeline("passthrough", scaled)
    assert names_apart(scaled, model) == [
        "StandardScaler + MMOEClassifier",
        "MMOEClassifier",
    ]
    assert names_apart(scaled, passed) == [
        "StandardScaler + MMOEClassifier 1",
        "StandardScaler + MMOEClassifier 2",
    ]
