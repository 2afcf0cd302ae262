"""Constructors and `set_params` that suggest the name that was meant."""

import copy
import inspect
import pickle
import re
from dataclasses import dataclass

import pytest
from sklearn.base import clone

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor, MultiTaskEstimator
from sk_mtl.estimators._choices._choice import Choice
from tests.estimators.common import refuse

several = pytest.mark.parametrize(
    "cls", [MMOEClassifier, MMOERegressor, ESMMClassifier, MultiTaskEstimator]
)


@dataclass(kw_only=True, eq=False, repr=False)
class Grown(MMOEClassifier):
    """A user's dataclass with a parameter of its own."""

    n_leaves: int = 3


class Fixed(MMOEClassifier):
    """A user's constructor, which hands on what it does not know."""

    def __init__(self, n_experts=8, **others):
        super().__init__(n_experts=n_experts, **others)


@dataclass(eq=False, repr=False)
class Peel(Choice):
    """A choice whose first setting may be given by place."""

    width: int = 2
    rough: bool = False


class Bare(Choice):
    """A choice without settings, and without a constructor of its own."""


@several
def test_a_mistyped_keyword_gets_the_close_names(cls):
    refuse(
        lambda: cls(droput=0.5),
        f"Each keyword must name a parameter of {cls.__name__}; found 'droput'. Did "
        "you mean 'dropout'?",
        TypeError,
    )


def test_every_mistyped_keyword_is_named():
    refuse(
        lambda: MMOEClassifier(n_expert=3, droput=0.5, lr=0.1),
        "Each keyword must name a parameter of MMOEClassifier; found 'n_expert', "
        "'droput'. Did you mean 'n_experts'? Did you mean 'dropout'?",
        TypeError,
    )


@several
def test_a_keyword_like_none_lists_the_parameters(cls):
    names = sorted(cls().get_params(deep=False))
    message = f"found 'zebra'. Its parameters are {names}."
    with pytest.raises(TypeError, match=re.escape(message)):
        cls(zebra=1)


@pytest.mark.parametrize(("given", "found"), [(8, "int"), ([], "list")])
def test_a_value_without_a_name(given, found):
    refuse(
        lambda: MMOEClassifier(given),
        "MMOEClassifier must get every parameter by name; found a value of type "
        f"{found} without one. Write MMOEClassifier(n_experts=...).",
        TypeError,
    )


@several
def test_a_mistyped_name_in_set_params(cls):
    with pytest.raises(ValueError) as caught:
        cls().set_params(droput=0.5)
    message = str(caught.value)
    assert message.startswith("Invalid parameter 'droput' for estimator")
    assert message.endswith("Did you mean 'dropout'?")
    for name in cls().get_params():
        assert repr(name) in message
    with pytest.raises(ValueError, match=r"'lr'.* Did you mean 'preprocessor'"):
        cls().set_params(preprocesor__x=1)


def test_a_subclass_suggests_its_own_names_too():
    with pytest.raises(TypeError, match=r"of Grown; .* Did you mean 'n_leaves'\?"):
        Grown(n_leafs=3)
    assert clone(Grown(n_leaves=5)).n_leaves == 5


def test_a_constructor_that_hands_on_is_not_judged():
    assert Fixed(4).n_experts == 4
    assert Fixed(lr=0.1).lr == 0.1
    with pytest.raises(TypeError, match="'droput'"):
        Fixed(droput=0.5)


def test_choices_suggest_names_and_take_values_by_place():
    assert Peel(3).width == 3
    with pytest.raises(TypeError, match=r"of Peel; found 'widht'. .* 'width'\?"):
        Peel(widht=3)
    with pytest.raises(ValueError, match=r"'widht'.* Did you mean 'width'\?"):
        Peel().set_params(widht=3)


def test_a_choice_without_settings_takes_nothing():
    assert not inspect.signature(Bare).parameters
    assert Bare() == clone(Bare())
    with pytest.raises(TypeError, match="of Bare; found 'width'"):
        Bare(width=3)
    with pytest.raises(TypeError, match="Bare must get every parameter by name"):
        Bare(3)


@dataclass(eq=False, repr=False, kw_only=True)
class Rind(Peel):
    """A choice with a setting that must have its name."""

    colour: str = "red"


def test_a_value_too_many_by_place():
    refuse(
        lambda: Rind(1, True, "green"),
        "Rind must get every parameter after 'rough' by name; found a value of type "
        "str without one. Write Rind(colour=...).",
        TypeError,
    )
    refuse(
        lambda: Peel(1, True, "green"),
        "Peel must get every parameter after 'rough' by name; found a value of type "
        "str without one. Write Peel().",
        TypeError,
    )


@pytest.mark.parametrize("cls", [MMOEClassifier, Grown])
def test_copies_are_made_without_arguments(cls):
    made = cls(n_experts=3)
    for again in (clone(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again.get_params() == made.get_params()


def test_names_are_looked_for_before_anything_is_set():
    model = MMOEClassifier()
    with pytest.raises(ValueError, match="droput"):
        model.set_params(lr=0.5, droput=0.5)
    assert model.lr == MMOEClassifier().lr
