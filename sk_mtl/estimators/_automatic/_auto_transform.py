"""The transform of numbers by their tail."""

import numpy as np


def auto_transform(values: np.ndarray) -> str:
    """Return the transform of a task learnt by its squared error.

    `values` are the targets of the labelled training rows.
    """
    return "standard"
