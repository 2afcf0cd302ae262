"""Which pooling of the history is best where the truth says which should be.

The comparison is that of `benchmarks/sequence_pooling.py`, whose report holds the
figures behind the margins. AUC of click: none .705, mean .745, target attention .767.
"""

from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
POOLINGS = ("none", "mean", "target_attention")


@pytest.fixture
def compare(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from sequence_pooling import compare

    return compare


def test_target_attention_beats_mean_and_mean_beats_no_history(compare):
    runs = [compare(seed, POOLINGS)["click"] for seed in range(2)]
    click = pd.DataFrame(runs)
    by_mean = click["mean"] - click["none"]
    by_target = click["target_attention"] - click["mean"]
    assert by_mean.mean() > 0.02
    assert by_target.mean() > 0.01
    assert (by_mean > 0).all()
    assert (by_target > 0).all()
