"""The rows of a step of a funnel: those that reached the step that it builds on."""

import numpy as np

from sk_mtl._labels import is_missing, label_list, plain_values, sorted_classes
from sk_mtl._positive_class import is_conventional
from sk_mtl._relations import funnel_parents
from sk_mtl.metrics._binary_labels import binary_labels


class FunnelRows:
    """Masks of the rows that reached the parent of each step.

    Parameters
    ----------
    columns : list of arrays of shape (n_samples,)
        Labels of each step.
    names : list
        Names of the steps.
    funnel : dict or None
        Maps the name of a step to its parent; steps left out have none. None is the
        chain of the columns.
    pos_labels : list
        The label of each step that means "reached", None where it is not named.
    missing_label : object, default=None

    Attributes
    ----------
    parents : list of (int or None)
        Position of the step that each step builds on.
    open_classes : dict
        By name, the classes of the steps that others build on, for which it is open
        which class means "reached".
    """

    def __init__(self, columns, names, funnel, pos_labels, missing_label=None):
        self.parents = [None, *range(len(names) - 1)]
        if funnel is not None:
            self.parents = funnel_parents("funnel", funnel, names)
        self._columns, self._names = columns, names
        self._pos_labels, self._missing_label = pos_labels, missing_label
        self.open_classes = {}

    def reached_before(self, step):
        """Return where rows are known to have reached the parent of a step."""
        parent, n_samples = self.parents[step], len(self._columns[step])
        if parent is None:
            return np.ones(n_samples, bool)
        name, pos_label = self._names[parent], self._pos_labels[parent]
        reached, labels = self._labelled(parent)
        classes = sorted_classes(labels, name)
        if len(classes) == 1 and pos_label is None and not is_conventional(classes):
            raise ValueError(
                f'pos_label must name the label of {name!r} that means "reached" '
                f"where it holds only one: {label_list(classes)}. Set "
                f"pos_label={{{name!r}: {label_list(classes)[0]!r}}} if it is this one."
            )
        read = binary_labels(labels, pos_label, name)
        if read.open_classes is not None:
            self.open_classes[name] = read.open_classes
        reached[reached] = read.positive
        return reached

    def classes(self, step):
        """Return the two classes of a step; None where its labels hold only one."""
        _, labels = self._labelled(step)
        # Raises in words for more.
        binary_labels(labels, task=self._names[step])
        classes = sorted_classes(labels, self._names[step])
        return classes if len(classes) == 2 else None

    def _labelled(self, step):
        """Return the mask of the labelled rows, and their labels."""
        known = ~is_missing(self._columns[step], self._missing_label)
        return known, plain_values(self._columns[step][known])
