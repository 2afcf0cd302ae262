"""Labels of two classes, told apart."""

import numpy as np

from sk_mtl._labels import sorted_classes


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
