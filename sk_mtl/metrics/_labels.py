"""Labels of one task: which are missing, and what their classes are."""

import numpy as np
import pandas as pd


def is_missing(column, missing_label=None):
    """Mask of the rows that have no label: NaN, None, NA or `missing_label`."""
    missing = np.asarray(pd.isna(column))
    if missing_label is not None and not pd.isna(missing_label):
        missing = missing | pd.Series(column).isin([missing_label]).to_numpy()
    return missing


def keep_labelled(column, weight=None, missing_label=None):
    """Mask of the labelled rows of positive weight, and their weights or None."""
    keep = ~is_missing(column, missing_label)
    if weight is None:
        return keep, None
    keep &= weight > 0
    return keep, weight[keep]


def sorted_classes(labels, name="task"):
    """Distinct labels in sorted order, as `classes_` holds them."""
    try:
        return np.sort(pd.unique(labels))
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels})
        raise ValueError(
            f"The labels of {name!r} must be of one type; found {kinds}. "
            "Convert them, for instance with astype(str)."
        ) from None


def class_codes(labels, classes):
    """Position of each label among `classes`; -1 for a label that is none of them."""
    labels, classes = _bool_as_int(labels), _bool_as_int(classes)
    return pd.Index(classes).get_indexer(pd.Index(labels))


def _bool_as_int(values):
    # pandas keeps True and 1 apart, scikit-learn's estimators do not.
    return values.astype(np.int8) if values.dtype == bool else values


def is_second_class(labels):
    """Mask of the labels that equal the greater one of two classes, such as 1."""
    classes = sorted_classes(labels)
    if len(classes) > 2:
        raise ValueError(
            f"y must hold two classes; found {len(classes)}: {classes.tolist()}. Score "
            "one class against the others, for instance y == 'a'."
        )
    if len(classes) < 2:
        return np.full(len(labels), classes.tolist() == [1])
    return (labels == classes[1]).astype(bool)
