"""Objects in place of names: equal by value, searchable, refused with words."""

import pickle
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import pytest
from sklearn.base import clone

from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._choices._choice import Choice, resolve_choice


class Fruit(Choice):
    """A kind of choices."""


@dataclass(eq=False, repr=False)
class Apple(Fruit):
    """A choice with one setting."""

    _parameter_constraints: ClassVar[dict] = {
        "n_seeds": [Interval(Integral, 0, None, closed="left")]
    }

    n_seeds: int = 5


@dataclass(eq=False, repr=False)
class Stone(Choice):
    """A choice of another kind."""


NAMED = {"apple": Apple()}


def resolve(value):
    return resolve_choice("snack", value, NAMED, Fruit)


def test_choices_are_equal_by_class_and_settings():
    assert Apple(5) == Apple()
    assert Apple(4) != Apple()
    assert Apple() != Stone()
    assert Apple() != "apple"
    assert clone(Apple(3)) == Apple(3)
    assert pickle.loads(pickle.dumps(Apple(3))) == Apple(3)


def test_settings_are_parameters():
    assert Apple().get_params() == {"n_seeds": 5}
    assert Apple().set_params(n_seeds=2).n_seeds == 2
    assert repr(Apple(2)) == "Apple(n_seeds=2)"


def test_name_and_object_resolve():
    assert resolve("apple") == Apple()
    own = Apple(1)
    assert resolve(own) is own


class Peel(Fruit, ABC):
    """A choice that lacks a method."""

    @abstractmethod
    def peel(self):
        """Return what is left."""


class Pear(Fruit):
    """A choice whose setting is an attribute of the class alone."""

    shape: ClassVar[str] = "long"
    n_seeds: int = 5


class Plum(Fruit):
    """A choice with a constructor of its own."""

    n_stones: int

    def __init__(self, n_stones=1):
        self.n_stones = n_stones


def test_a_class_that_is_not_complete_is_refused():
    with pytest.raises(TypeError, match=r"Peel must define peel; found none. Derive a"):
        Peel()
    with pytest.raises(ValueError, match=r"the class Peel. Use one of these names"):
        resolve(Peel)
    for settings in ({}, {"n_seeds": 3}):
        with pytest.raises(TypeError, match=r"Pear must be a dataclass .*'n_seeds'\]"):
            Pear(**settings)
    assert Plum(2).get_params() == {"n_stones": 2}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("Apple", "found 'Apple'. Did you mean 'apple'?"),
        ("aple", r"one of \['apple'\] or a Fruit; found 'aple'. Did you mean 'apple'?"),
        ("x", "found 'x'. Use one of these names, or an object of that kind."),
        (None, "found None"),
        (Stone(), r"found Stone\(\)"),
        (Apple, r"found the class Apple. Write Apple\(\)"),
        (Apple(-1), "The 'n_seeds' parameter of snack=Apple must be an int"),
    ],
)
def test_other_values_are_refused(value, message):
    with pytest.raises(ValueError, match=message):
        resolve(value)
