"""The script that the first command of the README runs."""

import runpy
from pathlib import Path

import pytest
import torch

from sk_mtl.datasets import load_adult

matplotlib = pytest.importorskip("matplotlib")
DEMO = Path(__file__).parents[1] / "docs" / "examples" / "demo.py"


def few_rows(**options):
    X, y = load_adult(**options)
    return X[:400], y[:400]


@pytest.mark.slow
@pytest.mark.members
def test_demo_prints_scores_and_draws_the_gates(monkeypatch, tmp_path, capsys):
    matplotlib.use("Agg")
    names = runpy.run_path(str(DEMO))
    own = names["main"].__globals__
    image, threads = tmp_path / "demo.png", torch.get_num_threads()
    monkeypatch.setitem(own, "IMAGE", image)
    monkeypatch.setitem(own, "cpu_count", lambda: 1)
    monkeypatch.setitem(own, "TABLES", dict.fromkeys(own["TABLES"], few_rows))
    monkeypatch.setitem(
        own, "LIGHTGBM", dict.fromkeys(own["TABLES"], own["LIGHTGBM"]["Adult"])
    )
    try:
        names["main"](n_seeds=2, n_seeds_large=1)
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    assert printed.count("± standard deviation of 2 seeds") == 1
    assert printed.count("married") == 4
    assert image.stat().st_size > 1000
