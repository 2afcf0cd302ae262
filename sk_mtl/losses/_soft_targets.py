"""Probabilities as targets, beside labels."""

from typing import NamedTuple

from torch import Tensor


class SoftTargets(NamedTuple):
    r"""Probabilities of classes that are targets beside the labels.

    With a label :math:`y` and its weight :math:`w`, and probabilities :math:`q_c`, a
    row loses

    .. math:: k \, w \, \ell(y) + v \sum_c q_c \, \ell(c),

    with :math:`k` = ``kept`` and :math:`v` = ``weight``.

    Attributes
    ----------
    proba : Tensor of shape (n_samples, sum of n_classes)
        The probabilities of the classes of each task, side by side. A task of numbers
        has no column.
    kept : Tensor of shape (n_samples, n_tasks)
        Share that the loss of the label keeps, in [0, 1].
    weight : Tensor of shape (n_samples, n_tasks)
        Weight of the probabilities, 0 where a row has none.
    """

    proba: Tensor
    kept: Tensor
    weight: Tensor
