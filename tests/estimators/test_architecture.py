"""From parameters to sizes, weights and structures."""

import numpy as np
import pytest
import torch

from sk_mtl.estimators._architecture import (
    make_structure,
    resolve_batch_size,
    resolve_device,
    resolve_embedding_dims,
    resolve_task_weights,
    resolve_tower_sizes,
)
from sk_mtl.estimators._targets import ClassTargets
from sk_mtl.losses import FunnelStructure, IndependentStructure
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
from tests.estimators.common import mixed_table

NAMES = ["a", "b"]


def test_task_weights_are_one_number_per_task():
    assert resolve_task_weights(None, NAMES).tolist() == [1, 1]
    assert resolve_task_weights({"b": 0.1}, NAMES).tolist() == [1, 0.1]
    assert resolve_task_weights((2, 0), NAMES).tolist() == [2, 0]
    assert resolve_task_weights(np.array([2, 3]), NAMES).tolist() == [2, 3]


@pytest.mark.parametrize("weights", [[-1, 1], [0, 0], [np.nan, 1], [np.inf, 1]])
def test_task_weights_that_make_no_sense_are_refused(weights):
    with pytest.raises(ValueError, match="must be finite and >= 0, not all 0; found"):
        resolve_task_weights(weights, NAMES)


def test_tower_sizes_go_by_name_and_not_by_place():
    assert resolve_tower_sizes({"b": (1,), "a": (2, 3)}, NAMES) == [(2, 3), (1,)]


def test_tower_sizes_are_one_tuple_for_all_or_one_each():
    assert resolve_tower_sizes([(1,), ()], NAMES) == [(1,), ()]
    assert resolve_tower_sizes((4, 2), NAMES) == [(4, 2), (4, 2)]
    assert resolve_tower_sizes((), NAMES) == [(), ()]
    assert resolve_tower_sizes(np.array([4, 2]), NAMES) == [(4, 2), (4, 2)]
    assert resolve_tower_sizes(np.array([[4], [2]]), NAMES) == [(4,), (2,)]


@pytest.fixture
def schema():
    X, _ = mixed_table(60)
    preprocessor = make_tabular_preprocessor(X)
    return FeatureSchema.from_preprocessor(preprocessor, preprocessor.fit_transform(X))


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (5, [5, 5]),
        (np.int64(5), [5, 5]),
        ("auto", [2, 2]),
        ({"plan": 3}, [2, 3]),
        ({"plan": 3, "town": "auto"}, [2, 3]),
        ({}, [2, 2]),
    ],
)
def test_embedding_dims_are_one_per_categorical_column(schema, width, expected):
    assert resolve_embedding_dims(width, schema) == expected


@pytest.mark.parametrize("width", [0, 2.5, "big", None])
def test_embedding_dims_are_integers_or_auto(schema, width):
    with pytest.raises(ValueError) as caught:
        resolve_embedding_dims({"town": width}, schema)
    assert str(caught.value) == (
        "embedding_dim of column 'town' must be an integer >= 1 or 'auto'; found "
        f"{width!r}. Give for instance 8."
    )


def test_embedding_dims_name_categorical_columns_only(schema):
    with pytest.raises(ValueError) as caught:
        resolve_embedding_dims({"age": 4}, schema)
    assert str(caught.value) == (
        "embedding_dim must be keyed by categorical columns ['town', 'plan']; found "
        "['age']. Correct the names; columns left out get 'auto'."
    )


def test_auto_batches_follow_the_rows():
    sizes = {n: resolve_batch_size("auto", n) for n in (1, 300, 2000, 10**4, 10**6)}
    assert sizes == {1: 16, 300: 16, 2000: 128, 10**4: 512, 10**6: 1024}
    assert resolve_batch_size(np.int64(7), 10**6) == 7


def test_a_device_is_what_it_is_called():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")
    auto = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto") == torch.device(auto)


def test_structures_follow_the_tasks():
    two, three = np.array([0, 1]), np.array([0, 1, 2])
    mixed = ClassTargets(NAMES, [two, three], False)
    structure = make_structure("independent", mixed)
    assert isinstance(structure, IndependentStructure)
    assert structure.head_widths == (1, 3)
    funnel = make_structure("funnel", ClassTargets(NAMES, [two, two], False))
    assert isinstance(funnel, FunnelStructure)
    assert funnel.head_widths == (1, 1)
    with pytest.raises(ValueError, match="task 'b' has 3 classes"):
        make_structure("funnel", mixed)
