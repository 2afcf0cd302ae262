"""Area under the ROC curve of any number of scores, in fixed memory."""

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl._labels import (
    check_kind,
    class_codes,
    keep_labelled,
    one_label_column,
    plain_values,
    sorted_classes,
)
from sk_mtl._masked_arrays import without_mask
from sk_mtl._positive_class import is_conventional, positive_position
from sk_mtl._warnings import warn_user
from sk_mtl._weights import weight_columns

# Octaves, that is powers of two, that each half of the scale is divided into.
_N_OCTAVES = 64
# Per scale, the exponent of the smallest magnitude that differs from zero.
_LOWEST_EXPONENTS = {"probability": -_N_OCTAVES - 1, "real": -_N_OCTAVES // 2}
_MANTISSA_BITS, _EXPONENT_BIAS = 52, 1023
# Rows that are read at a time, so that no copy grows with the rows of one update.
_CHUNK_SIZE = 2**20


class RocAucSketch:
    """Area under the ROC curve of a stream of scores, with a bound on its error.

    The exact area needs all scores at once, to sort them. This keeps two histograms,
    one of the positives' scores and one of the negatives', in bins that are fixed from
    the start, so that memory does not grow with the rows, and sketches of parts of the
    data, made by several processes, can be merged. A pair of rows in different bins is
    compared exactly. A pair in the same bin counts one half, and so is wrong by at most
    one half: with :math:`p_b` and :math:`n_b` the shares of the positives and of the
    negatives that fall into bin b,

    .. math:: AUC = \\sum_b p_b \\Big(\\sum_{c < b} n_c + n_b / 2\\Big)
              \\pm \\tfrac12 \\sum_b p_b n_b,

    which holds for every distribution of the scores, and up to rounding only.

    The bins are made of the leading bits of a score, so that no two scores are put in
    the wrong order by a logarithm's rounding. They divide each doubling into
    :math:`2^{bits}` equal parts: near 0, where click and conversion rates lie,
    probabilities are resolved by their ratio, and near 1 by the ratio of their
    distances from 1.

    Parameters
    ----------
    scale : {"probability", "real"}, default="probability"
        What the scores are: probabilities, in bins that are narrow near 0 and 1, or any
        real numbers such as logits, in bins that are narrow near 0.
    bits : int, default=11
        Bits of a score, after the leading one, that separate bins, 1 to 20. Each
        further one halves the error and doubles the memory of :math:`2^{bits + 11}`
        bytes, 4 MiB by default. For rates as models of clicks predict them the bound is
        then about 0.00005.
    pos_label : object, default=1
        The label of the positives.

    Attributes
    ----------
    n_bins : int

    Examples
    --------
    Rows come in parts; the third one has no label and does not count.

    >>> from sk_mtl.metrics import RocAucSketch
    >>> sketch = RocAucSketch()
    >>> sketch = sketch.update([0, 1, None], [0.1, 0.4, 0.9])
    >>> sketch = sketch.update([0, 1], [0.35, 0.8])
    >>> sketch.result(), sketch.error_bound()
    (1.0, 0.0)

    Scores that share a bin leave their order open.

    >>> other = RocAucSketch().update([0, 1], [0.300001, 0.3])
    >>> other.result(), other.error_bound()
    (0.5, 0.5)
    >>> sketch.merge(other).result(), sketch.error_bound()
    (0.833, 0.056)
    """

    def __init__(self, *, scale="probability", bits=11, pos_label=1):
        if scale not in _LOWEST_EXPONENTS:
            raise ValueError(
                f"scale must be one of {list(_LOWEST_EXPONENTS)}; found {scale!r}. Use "
                "'probability' for the output of predict_proba."
            )
        if not isinstance(bits, (int, np.integer)) or not 1 <= bits <= 20:
            raise ValueError(
                f"bits must be a whole number from 1 to 20; found {bits!r}. Each "
                "doubles the memory; 11 is 4 MiB."
            )
        self.scale, self.bits, self.pos_label = scale, int(bits), pos_label
        self.n_bins = 2 * _N_OCTAVES * 2**self.bits
        self._negatives = np.empty(0, dtype=object)
        # Weights of the negatives and of the positives in each bin.
        self._counts = np.zeros((2, self.n_bins))

    def update(self, y_true, y_score, sample_weight=None):
        """Add rows.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels of one task with two classes; NaN and None are skipped.
        y_score : array-like of shape (n_samples,) or (n_samples, 2)
            Scores of the positive class, or both classes' probabilities, in the order
            of the sorted classes.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : RocAucSketch

        Raises
        ------
        ValueError
            If labels or scores are of another kind. The sketch is then left as it
            was.
        """
        column = one_label_column(y_true, "y_true")
        score = np.asarray(without_mask(y_score))
        (weight,) = weight_columns(sample_weight, len(column), ["y_true"])
        if score.shape == (len(column), 2):
            score = score[:, self._positive_column(column, weight)]
        if score.shape != (len(column),):
            raise ValueError(
                f"y_score must have shape ({len(column)},) or ({len(column)}, 2); "
                f"found {score.shape}. Pass the scores of one task."
            )
        counts, negatives = np.zeros_like(self._counts), self._negatives
        for start in range(0, len(column), _CHUNK_SIZE):
            part = slice(start, start + _CHUNK_SIZE)
            own = None if weight is None else weight[part]
            keep, own = keep_labelled(column[part], own)
            labels = plain_values(column[part][keep])
            positive = self._are_positive(labels)
            negatives = self._known_negatives(negatives, labels[~positive])
            bins = self._bins(score[part][keep]) + positive * self.n_bins
            counts += np.bincount(bins, own, counts.size).reshape(counts.shape)
        self._counts += counts
        self._negatives = negatives
        return self

    def merge(self, other):
        """Add the rows of another sketch with the same parameters.

        Parameters
        ----------
        other : RocAucSketch

        Returns
        -------
        self : RocAucSketch
        """
        if self._parameters() != other._parameters():
            raise ValueError(
                "Sketches must have the same parameters to be merged; found "
                f"{self!r} and {other!r}. Make both of them alike."
            )
        self._negatives = self._known_negatives(self._negatives, other._negatives)
        self._counts += other._counts
        return self

    def result(self):
        """Return the area under the ROC curve of all rows, within `error_bound`.

        Returns
        -------
        auc : float
            NaN, with an `UndefinedMetricWarning`, where there are not both classes.
        """
        negative, positive = self._shares()
        auc = float(positive @ (np.cumsum(negative) - negative / 2))
        if np.isnan(auc):
            warn_user(
                "RocAucSketch is undefined and NaN: its rows do not hold both classes. "
                "Add more rows, or set pos_label.",
                UndefinedMetricWarning,
            )
        return auc

    def error_bound(self):
        """Return the largest possible distance of `result` from the exact area.

        Returns
        -------
        bound : float
            Half the share of the pairs of a positive and a negative that fall into the
            same bin. NaN where there are not both classes.
        """
        negative, positive = self._shares()
        return float(positive @ negative / 2)

    def __repr__(self):
        return (
            f"RocAucSketch(scale={self.scale!r}, bits={self.bits}, "
            f"pos_label={self.pos_label!r})"
        )

    def _parameters(self):
        return self.scale, self.bits, self.pos_label

    def _shares(self):
        """Return the shares of the negatives and of the positives in each bin."""
        totals = self._counts.sum(axis=1, keepdims=True)
        empty = np.full_like(self._counts, np.nan)
        return np.divide(self._counts, totals, out=empty, where=totals > 0)

    def _positive_column(self, column, weight):
        """Return the column of the positive class: classes are sorted."""
        labels = plain_values(column[keep_labelled(column, weight)[0]])
        positive = self._are_positive(labels)
        negatives = self._known_negatives(self._negatives, labels[~positive])
        if len(negatives):
            classes = sorted_classes(np.array([*negatives, self.pos_label], object))
            return positive_position(classes, self.pos_label, "y_true")
        if is_conventional([self.pos_label]):
            return int(self.pos_label > 0)
        raise ValueError(
            "y_score of two columns needs both classes in y_true, whose order decides "
            f"which column belongs to {self.pos_label!r}; found no other label. Pass "
            "the column of the positive class."
        )

    def _are_positive(self, labels):
        positives = plain_values(np.array([self.pos_label], dtype=object))
        check_kind(labels, positives, "y_true")
        return class_codes(labels, positives) >= 0

    def _known_negatives(self, known, labels):
        """Return the labels of the negatives, of which there may be one."""
        found = pd.unique(np.concatenate([known, pd.unique(labels).astype(object)]))
        if len(found) > 1:
            raise ValueError(
                f"y_true must hold one label besides pos_label={self.pos_label!r}; "
                f"found {found.tolist()}. Score one class against the others, for "
                "instance y == 'a'."
            )
        return found

    def _bins(self, score):
        """Return the numbers of the bins, which never fall where scores rise."""
        score = score.astype(np.float64)
        half = self.n_bins // 2
        if self.scale == "real":
            self._check_range(np.isfinite(score), score, "finite")
            place = self._places(np.abs(score))
            return np.where(score < 0, half - 1 - place, half + place)
        self._check_range((score >= 0) & (score <= 1), score, "between 0 and 1")
        # The distance from 1 is exact for numbers between 1/2 and 1.
        upper = score >= 0.5
        place = self._places(np.where(upper, 1 - score, score))
        return np.where(upper, self.n_bins - 1 - place, place)

    def _places(self, magnitude):
        """Return the leading bits of numbers >= 0: exponent, then the first bits."""
        lowest = _EXPONENT_BIAS + _LOWEST_EXPONENTS[self.scale]
        leading = magnitude.view(np.int64) >> (_MANTISSA_BITS - self.bits)
        return np.clip(leading - (lowest << self.bits), 0, self.n_bins // 2 - 1)

    def _check_range(self, is_right, score, need):
        if not is_right.all():
            raise ValueError(
                f"y_score must be {need} for scale={self.scale!r}; found "
                f"{score[~is_right][0]}. Pass the output of predict_proba, or set "
                "scale='real' for other numbers."
            )
