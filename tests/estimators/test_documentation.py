"""Every parameter and attribute is documented once, with what is true of it."""

import dataclasses
import inspect
import pydoc
import re
from typing import Any, get_type_hints

import pytest

from sk_mtl import ESMMClassifier, MMOEClassifier, MultiTaskEstimator
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import Docstring, share_documentation
from sk_mtl.estimators._shared_parameters import SharedParameters
from tests.estimators.common import CHOICES, ESTIMATORS, QUICK, funnel_table

# Most methods are of a base: each once.
METHODS = {
    function.__qualname__: function
    for cls in ESTIMATORS
    for name, value in inspect.getmembers(cls)
    # Those that make the network are for authors of wirings.
    if not name.startswith(("_", "set_", "get_", "make_"))
    and (inspect.isfunction(value) or name == "predict_conditional_proba")
    for function in [inspect.unwrap(getattr(cls, name))]
}


def section(doc, title):
    """Return the head lines of a numpydoc section by name, apart from our own code."""
    pattern = rf"^{title}\n-{{3,}}\n(.*?)(?=^[A-Z][\w ]+\n-{{3,}}\n|\Z)"
    match = re.search(pattern, inspect.cleandoc(doc), re.MULTILINE | re.DOTALL)
    if match is None:
        return []
    lines = [line for line in match[1].splitlines() if line and line[0] != " "]
    return [tuple(part.strip() for part in line.split(" :", 1)) for line in lines]


def expand(heads):
    """Return one (name, type) pair per name: "X_val, y_val : table" is two."""
    return [
        (name.strip(), "".join(kind))
        for names, *kind in heads
        for name in names.split(",")
    ]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_is_documented_once(cls):
    documented = [name for name, _ in expand(section(cls.__doc__, "Parameters"))]
    assert sorted(documented) == sorted(inspect.signature(cls).parameters)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_signature_follows_the_docstring_with_evaluated_types(cls):
    documented = [name for name, _ in expand(section(cls.__doc__, "Parameters"))]
    for shown in (inspect.signature(cls), inspect.signature(cls.__init__)):
        names = [name for name in shown.parameters if name != "self"]
        assert names == documented
    types = get_type_hints(cls.__init__)
    for name, parameter in inspect.signature(cls).parameters.items():
        assert parameter.annotation == types[name], name
        assert not isinstance(parameter.annotation, str), name
        assert parameter.annotation is not Any, name


@pytest.mark.parametrize("cls", CHOICES)
def test_types_of_a_choice_are_evaluated(cls):
    for name, parameter in inspect.signature(cls).parameters.items():
        # Without `from __future__ import annotations` they are.
        assert not isinstance(parameter.annotation, str), name


def test_help_starts_with_what_is_a_models_own():
    text = pydoc.render_doc(MMOEClassifier, renderer=pydoc.plaintext)
    assert "|  MMOEClassifier(*, n_experts: int = 4, expert_hidden_sizes" in text
    assert "|  __init__(self, *, n_experts: int = 4, expert_hidden_sizes" in text


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_documented_defaults_are_true(cls):
    kinds = dict(expand(section(cls.__doc__, "Parameters")))
    for name, parameter in inspect.signature(cls).parameters.items():
        stated = re.search(r"default=(.+)$", kinds[name])
        assert stated, name
        assert eval(stated[1]) == parameter.default, name


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_says_what_it_does(cls):
    for name, block in Docstring.of(cls).entries("Parameters").items():
        text = " ".join(block.splitlines()[1:]).split()
        assert len(text) >= 2, name
        assert text[-1].endswith("."), name


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_constructor_stores_and_is_keyword_only(cls):
    for name, parameter in inspect.signature(cls).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY, name
        assert not isinstance(parameter.default, list | dict | set), name
    assert vars(cls()) == {
        field.name: getattr(cls(), field.name) for field in dataclasses.fields(cls)
    }


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_has_a_constraint(cls):
    assert set(cls._parameter_constraints) == set(inspect.signature(cls).parameters)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_fitted_attribute_is_documented_and_exists(cls):
    X, y = funnel_table(100)
    model = cls(**{**QUICK, "max_epochs": 1}).fit(X, y)
    fitted = {
        name for name in vars(model) if name.endswith("_") and not name.startswith("_")
    }
    documented = [name for name, _ in section(cls.__doc__, "Attributes")]
    assert len(set(documented)) == len(documented)
    # A property is computed from the fit.
    fitted |= {name for name in documented if hasattr(type(model), name)}
    assert fitted == set(documented)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_documents_its_parameters_and_its_result(method):
    parameters = [p for p in inspect.signature(method).parameters if p != "self"]
    documented = [name for name, _ in expand(section(method.__doc__, "Parameters"))]
    assert documented == parameters
    assert section(method.__doc__, "Returns")
    for name, kind in expand(section(method.__doc__, "Parameters")):
        default = inspect.signature(method).parameters[name].default
        assert ("default=None" in kind) == (default is None), name


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_sections_come_once_and_in_the_order_of_numpydoc(cls):
    order = ["Parameters", "Attributes", "See Also", "Notes", "References", "Examples"]
    text = inspect.cleandoc(cls.__doc__)
    titles = re.findall(r"^([A-Z][\w ]+)\n-{3,}$", text, re.MULTILINE)
    assert titles == [title for title in order if title in titles]
    assert {"Parameters", "Attributes", "Examples"} <= set(titles)
    # It takes the wiring of any paper, and is that of none.
    assert "References" in titles or cls is MultiTaskEstimator


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_lines_stay_short_after_merging(cls):
    assert max(map(len, cls.__doc__.splitlines())) <= 88


def test_shared_text_is_merged_word_for_word():
    shared = Docstring.of(SharedParameters).entries("Parameters")
    for cls in ESTIMATORS:
        merged = Docstring.of(cls).entries("Parameters")
        for name in ("lr", "dropout", "callbacks", "verbose"):
            assert merged[name] == shared[name]
    own = Docstring.of(ESMMClassifier).entries("Parameters")
    theirs = Docstring.of(MultiTaskClassifier).entries("Parameters")
    assert own["structure"] != theirs["structure"]
    assert MMOEClassifier.__doc__.count("\nstructure :") == 1


def test_merging_keeps_own_entries_and_adds_a_section():
    class Source:
        """Text.

        Parameters
        ----------
        a : int, default=1
            Of the source.

        b : int, default=2
            Of the source,
            in two lines.

        Attributes
        ----------
        c_ : int
            Of the source.
        """

    @share_documentation
    class Model(Source):
        """Teach.

        Parameters
        ----------
        a : int, default=5
            Its own.

        Examples
        --------
        None.
        """

    assert Model.__doc__.rstrip() == inspect.cleandoc(
        """Teach.

        Parameters
        ----------
        a : int, default=5
            Its own.

        b : int, default=2
            Of the source,
            in two lines.

        Attributes
        ----------
        c_ : int
            Of the source.

        Examples
        --------
        None.
        """
    )


def test_a_base_makes_no_estimator_by_itself():
    assert MultiTaskClassifier not in ESTIMATORS
    with pytest.raises(TypeError, match="abstract"):
        MultiTaskClassifier()
