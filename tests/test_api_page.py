"""The API page lists every public name, with the signature that it has."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import sk_mtl
from tests.estimators.common import ESTIMATORS

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
MODULES = (
    "sk_mtl",
    "sk_mtl.calibration",
    "sk_mtl.datasets",
    "sk_mtl.ensemble",
    "sk_mtl.exceptions",
    "sk_mtl.losses",
    "sk_mtl.metrics",
    "sk_mtl.model_selection",
    "sk_mtl.inspection",
    "sk_mtl.nn",
    "sk_mtl.preprocessing",
)
# Made by functions of the package, or bases: nobody calls them.
MADE_ELSEWHERE = {
    "FeatureSchema",
    "LayerOptions",
    "MultiTaskClassifier",
    "MultiTaskRegressor",
    "Structure",
    "TaskMetric",
    "TaskScorer",
    "TaskScorers",
}


def section_of(module):
    """Return the part of the page under the heading of a module."""
    return re.split(rf"^## `{module}`$", PAGE, flags=re.M)[1].split("\n## ")[0]


def signature_of(obj):
    """Return a signature without annotations, as the page writes it."""
    signature = inspect.signature(obj)
    parameters = [
        p.replace(annotation=p.empty)
        for p in signature.parameters.values()
        if p.name != "self"
    ]
    text = str(
        signature.replace(parameters=parameters, return_annotation=inspect._empty)
    )
    return text.replace("'", '"').replace('<class "numpy.int32">', "np.int32")


@pytest.mark.parametrize("module", MODULES)
def test_section_names_everything_public(module):
    section = section_of(module)
    listed = importlib.import_module(module).__all__
    assert [name for name in listed if f"`{name}" not in section] == []


def test_every_public_module_has_a_section():
    folder = Path(sk_mtl.__file__).parent
    public = [p.parent.name for p in folder.glob("[!_]*/__init__.py")]
    public += [p.stem for p in folder.glob("[!_]*.py")]
    modules = {f"sk_mtl.{name}" for name in public if name != "estimators"}
    assert modules | {"sk_mtl"} == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_signatures_are_the_true_ones(module):
    section = section_of(module)
    for name in importlib.import_module(module).__all__:
        obj = getattr(importlib.import_module(module), name)
        is_warning = inspect.isclass(obj) and issubclass(obj, Warning)
        if not callable(obj) or is_warning or obj in ESTIMATORS:
            continue
        if name not in MADE_ELSEWHERE:
            assert f"`{name}{signature_of(obj)}`" in section


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_parameters_and_methods_of_estimators_are_listed(estimator):
    section = section_of("sk_mtl")
    for parameter in inspect.signature(estimator).parameters.values():
        default = repr(parameter.default).replace("'", '"')
        assert f"{parameter.name}={default}" in section
    methods = ["fit", "partial_fit", "predict", "score"]
    if hasattr(estimator, "predict_proba"):
        methods.append("predict_proba")
    for name in methods:
        assert f"`{name}{signature_of(getattr(estimator, name))}`" in section
