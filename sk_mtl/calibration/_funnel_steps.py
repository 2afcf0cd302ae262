"""The steps of a funnel: rates from probabilities, and the reverse."""

from typing import NamedTuple

import numpy as np

from sk_mtl.calibration._fitted_network import fitted_network, innermost

# A rate of a parent that is less likely than this is 0.
_LEAST = 1e-300


class FunnelSteps(NamedTuple):
    """The steps of a fitted funnel.

    Attributes
    ----------
    parents : tuple of (int or None)
        The position of the step that each step builds on.
    positive : list of {0, 1}
        The column of the probabilities that means "reached".
    """

    parents: tuple
    positive: list

    @classmethod
    def of(cls, model):
        """Return the steps of a fitted model, None if its tasks are no steps."""
        last = innermost(model)
        if not hasattr(last, "predict_conditional_proba"):
            return None
        network = fitted_network(model)
        if network is None:
            raise ValueError(
                "The steps of a funnel must be of a network of this package, which "
                f"tells what they build on; found {type(last).__name__}. Calibrate its "
                "parts before they are joined."
            )
        pairs = zip(network.classes, as_given(last.classes_), strict=True)
        # The second class of a network is the one that means "reached".
        positive = [int(own[1] == given[1]) for own, given in pairs]
        return cls(network.structure.parents, positive)

    def rates(self, probas):
        """Return the rates of the steps, given that each one's parent was reached.

        Parameters
        ----------
        probas : list of ndarray of shape (n_samples, 2)
        """
        reached = [p[:, k].astype(float) for p, k in zip(probas, self.positive)]
        rates = []
        for k, parent in enumerate(self.parents):
            rate = reached[k]
            if parent is not None:
                rate = rate / np.maximum(reached[parent], _LEAST)
            rates.append(self._pair(k, np.clip(rate, 0, 1)))
        return rates

    def probabilities(self, rates):
        """Return the probabilities to reach each step, products of rates."""
        reached = {}

        def reach(k):
            if k not in reached:
                rate, parent = rates[k][:, self.positive[k]], self.parents[k]
                reached[k] = rate if parent is None else rate * reach(parent)
            return reached[k]

        return [self._pair(k, reach(k)) for k in range(len(rates))]

    def _pair(self, k, rate):
        pair = np.column_stack([1 - rate, rate])
        return pair if self.positive[k] else pair[:, ::-1]


def as_given(classes):
    """Return the classes of each task as a list."""
    return classes if isinstance(classes, list) else [classes]
