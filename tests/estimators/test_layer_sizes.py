"""Sizes of layers: towers, and normalisation between layers."""

import numpy as np

from sk_mtl.estimators._choices._wiring_choice import known_wirings
from sk_mtl.estimators._layer_sizes import resolve_tower_sizes

NAMES = ["a", "b"]


def test_tower_sizes_go_by_name_and_not_by_place():
    assert resolve_tower_sizes({"b": (1,), "a": (2, 3)}, NAMES) == [(2, 3), (1,)]


def test_tower_sizes_are_one_tuple_for_all_or_one_each():
    assert resolve_tower_sizes([(1,), ()], NAMES) == [(1,), ()]
    assert resolve_tower_sizes((4, 2), NAMES) == [(4, 2), (4, 2)]
    assert resolve_tower_sizes((), NAMES) == [(), ()]
    assert resolve_tower_sizes(16, NAMES) == [(16,), (16,)]
    assert resolve_tower_sizes([16, 8], NAMES) == [(16, 8), (16, 8)]
    assert resolve_tower_sizes([16, (8, 4)], NAMES) == [(16,), (8, 4)]
    assert resolve_tower_sizes({"a": 16, "b": ()}, NAMES) == [(16,), ()]
    assert resolve_tower_sizes(np.array([4, 2]), NAMES) == [(4, 2), (4, 2)]
    assert resolve_tower_sizes(np.array([[4], [2]]), NAMES) == [(4,), (2,)]


def test_home_normalises_fewer_rows_than_other_models():
    above = {name: model.batch_norm_above for name, model in known_wirings().items()}
    assert above.pop("home") == 20_000
    assert set(above.values()) == {100_000}
