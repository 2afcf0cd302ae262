"""Imports of the benchmarks' modules, and a small folder of tables."""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
N_ROWS = 200
MODULES = (
    "_suite",
    "_suite_scores",
    "_suite_runs",
    "_suite_rechub",
    "_suite_models",
    "_suite_report",
    "suite",
    "suite_study",
    "_hard_tables",
    "hard_tables",
)

# Scripts import each other by their bare names. Later imports find them loaded, so the
# path is not changed for other tests.
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(BENCHMARKS))
    for name in MODULES:
        importlib.import_module(name)


def make_frame(n_rows=N_ROWS):
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, n_rows))
    y = x + 0.1 * noise
    return pd.DataFrame(
        {
            "x": x,
            "kind": pd.Categorical(rng.choice(["a", "b"], n_rows)),
            "bought": (y > 0).astype("int8"),
            "size": np.where(y > 0.5, "large", "small"),
            "count": np.floor(np.exp(y)).astype("float32"),
            "height": np.where(np.arange(n_rows) % 4 == 0, np.nan, 2 * y),
            "person": np.repeat(np.arange(n_rows // 4), 4),
            "day": rng.permutation(n_rows),
        }
    )


def make_entry(name, types, **options):
    return {
        "name": name,
        "file": f"{name}.parquet",
        "rows": N_ROWS,
        "features": ["x", "kind"],
        "tasks": [{"name": n, "type": t, "parent": None} for n, t in types.items()],
        "group": None,
        "time": None,
        "split": "random",
        **options,
    }


@pytest.fixture
def folder(tmp_path):
    """Hold table `classes`, complete, and `mixed` with missing labels and groups."""
    entries = [
        make_entry("classes", {"bought": "binary", "size": "multiclass"}),
        make_entry(
            "mixed",
            {"bought": "binary", "count": "poisson", "height": "regression"},
            group="person",
            split="group",
            features=["x"],
        ),
    ]
    for entry in entries:
        make_frame().to_parquet(tmp_path / entry["file"])
    (tmp_path / "suite.json").write_text(json.dumps(entries))
    return tmp_path
