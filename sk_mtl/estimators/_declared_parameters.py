"""Parameters that are declared as fields, with their constraints."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from sk_mtl.estimators._choices._choice import refuse_names_inside_names
from sk_mtl.estimators._keyword_parameters import KeywordParameters


def merged_constraints(cls: type) -> dict:
    """Return what a class and its bases require of parameters, by their names."""
    constraints = {}
    for base in reversed(cls.__mro__):
        constraints |= vars(base).get("_parameter_constraints", {})
    return constraints


class DeclaredParameters(KeywordParameters, BaseEstimator):
    """Base of estimators whose parameters are the fields of dataclasses.

    A class declares the constraints of its own parameters in `_parameter_constraints`,
    and in `_changeable` the parameters that may change before a fit that continues.
    """

    def __init_subclass__(cls, **kwargs):
        """Merge the declarations of the bases."""
        super().__init_subclass__(**kwargs)
        changeable = frozenset()
        for base in reversed(cls.__mro__):
            changeable |= vars(base).get("_changeable", frozenset())
        cls._parameter_constraints = merged_constraints(cls)
        cls._changeable = changeable
        # A model also is the choice of its wiring, but is compared by identity: two
        # models with equal parameters may have been fitted on different rows.
        cls.__eq__, cls.__hash__ = object.__eq__, object.__hash__

    def set_params(self, **params):
        """Set parameters; ``<parameter>__<name>`` sets one of an object inside.

        Parameters
        ----------
        **params : dict
            Values by the names of parameters.

        Returns
        -------
        self : object
            The estimator.
        """
        refuse_names_inside_names(self, params)
        return super().set_params(**params)
