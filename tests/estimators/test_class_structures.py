"""Structures of tasks that all are classes."""

import numpy as np
import pytest

from sk_mtl.estimators._class_structures import make_class_structure
from sk_mtl.losses import ClassOutput, FunnelStructure, IndependentStructure
from tests.estimators.common import class_targets

NAMES = ["a", "b"]


def test_structures_follow_the_tasks():
    two, three = np.array([0, 1]), np.array([0, 1, 2])
    mixed = class_targets(NAMES, [two, three], False)
    structure = make_class_structure("independent", mixed, ClassOutput)
    assert isinstance(structure, IndependentStructure)
    assert structure.head_widths == (1, 3)
    steps = class_targets(NAMES, [two, two], False)
    funnel = make_class_structure("funnel", steps, ClassOutput)
    assert isinstance(funnel, FunnelStructure)
    assert funnel.head_widths == (1, 1)
    with pytest.raises(ValueError, match="task 'b' has 3 classes"):
        make_class_structure("funnel", mixed, ClassOutput)
