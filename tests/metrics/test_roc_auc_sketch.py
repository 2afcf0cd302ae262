import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from sk_mtl.metrics import RocAucSketch

ROUNDING = 1e-12


def clicks(n_samples, seed=0, centre=-4.0, spread=1.2):
    """Labels, rates and their logits as a model of clicks predicts them."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(centre, spread, n_samples)
    rate = 1 / (1 + np.exp(-logit))
    return rng.random(n_samples) < rate, rate, logit, rng


def test_bins_counted_by_hand():
    # With one bit the bins of [1/4, 1/2) are [1/4, 3/8) and [3/8, 1/2).
    sketch = RocAucSketch(bits=1)
    sketch.update([0, 1, 0, 1], [0.25, 0.37, 0.38, 0.49])
    # Each bin holds a positive and a negative: two pairs of four share one.
    assert sketch.error_bound() == 0.25
    assert sketch.result() == (0.5 + 0 + 1 + 0.5) / 4


@pytest.mark.parametrize(
    ("scale", "scores"),
    [
        ("probability", [0, 1e-300, 1e-19, 1e-18, 1e-9, 0.1, 0.3, 0.5, 0.7, 0.9, 1]),
        ("probability", [0.5 - 2**-54, 0.5, 0.5 + 2**-53, 1 - 2**-52, 1 - 2**-53, 1]),
        ("real", [-1e300, -40, -3.2, -1e-9, -1e-300, 0, 1e-300, 1e-9, 3.2, 40, 1e300]),
    ],
)
def test_bins_never_fall_where_scores_rise(scale, scores):
    for bits in (1, 5, 11):
        sketch = RocAucSketch(scale=scale, bits=bits)
        bins = sketch._bins(np.array(scores, dtype=float))
        assert (np.diff(bins) >= 0).all()
        assert bins[0] >= 0
        assert bins[-1] < sketch.n_bins


def test_small_rates_and_those_near_one_are_told_apart():
    rng = np.random.default_rng(0)
    for power in (-3, -9, -15):
        distance = np.sort(rng.uniform(1, 2, 100)) * 10.0**power
        for score in (distance, 1 - distance[::-1]):
            labels = np.arange(100) >= 50
            auc = RocAucSketch().update(labels, score).result()
            # Near one, double precision itself leaves few numbers to tell apart.
            assert auc == pytest.approx(1, abs=1e-3 if power > -15 else 0.2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bits", [1, 4, 11])
@pytest.mark.parametrize("centre", [-4, 0, 3])
def test_exact_area_is_within_the_bound(centre, bits, weighted, dtype):
    y, rate, logit, rng = clicks(3000, seed=bits, centre=centre)
    weight = rng.integers(0, 4, 3000) * rng.random(3000) if weighted else None
    for scale, score in (("probability", rate), ("real", logit)):
        score = score.astype(dtype)
        sketch = RocAucSketch(scale=scale, bits=bits).update(y, score, weight)
        exact = roc_auc_score(y, score, sample_weight=weight)
        assert abs(sketch.result() - exact) <= sketch.error_bound() + ROUNDING
    assert sketch.error_bound() < {1: 0.2, 4: 0.03, 11: 0.0003}[bits]


def test_bound_is_reached_where_a_bin_hides_the_order():
    for labels in ([0, 1], [1, 0]):
        sketch = RocAucSketch(bits=1).update(labels, [0.26, 0.27])
        assert abs(sketch.result() - roc_auc_score(labels, [0.26, 0.27])) == 0.5
        assert sketch.error_bound() == 0.5


def test_scores_that_are_equal_count_one_half_in_earnest():
    sketch = RocAucSketch().update([0, 1, 1, 0], [0.3, 0.3, 0.3, 0.3])
    assert sketch.result() == 0.5


def test_default_resolves_rates_of_clicks_to_four_digits():
    y, rate, _, _ = clicks(10**5)
    sketch = RocAucSketch().update(y, rate)
    assert sketch.error_bound() < 5e-5
    finer = RocAucSketch(bits=14).update(y, rate)
    assert finer.error_bound() < sketch.error_bound() / 4


def test_merge_and_parts_equal_one_pass():
    y, rate, _, rng = clicks(5000)
    weight = rng.integers(0, 5, 5000)
    whole = RocAucSketch().update(y, rate, weight)
    parts = RocAucSketch()
    merged = [RocAucSketch() for _ in range(3)]
    for k, rows in enumerate(np.array_split(rng.permutation(5000), 30)):
        parts.update(y[rows], rate[rows], weight[rows])
        merged[k % 3].update(y[rows], rate[rows], weight[rows])
    for found in (parts, merged[0].merge(merged[1]).merge(merged[2])):
        assert found.result() == whole.result()
        assert found.error_bound() == whole.error_bound()


def test_rows_of_an_update_are_read_in_parts():
    y, rate, _, _ = clicks(2**20 + 1000)
    found = RocAucSketch().update(y, rate)
    halves = RocAucSketch().update(y[:7], rate[:7]).update(y[7:], rate[7:])
    assert found.result() == halves.result()
    exact = roc_auc_score(y, rate)
    assert abs(found.result() - exact) <= found.error_bound()


def test_memory_does_not_grow_with_the_rows():
    def peak(n_samples):
        y, rate = np.arange(n_samples) % 3 == 0, np.linspace(0, 1, n_samples)
        tracemalloc.start()
        sketch = RocAucSketch().update(y, rate)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most, len(pickle.dumps(sketch))

    (few, few_bytes), (many, many_bytes) = peak(2**21), peak(2**23)
    assert many < 1.05 * few < 200e6
    assert many_bytes == few_bytes < 4.3e6


@pytest.mark.parametrize("gap", [np.nan, None, pd.NA])
def test_missing_labels_are_skipped_whatever_their_score(gap):
    sketch = RocAucSketch().update([0, gap, 1, gap], [0.2, 0.1, 0.4, np.nan])
    assert sketch.result() == 1
    weightless = RocAucSketch().update([0, 1, 1], [0.2, 0.1, 0.4], [1, 0, 1])
    assert weightless.result() == 1


def test_labels_and_scores_of_any_form():
    y, rate, _, _ = clicks(500)
    expected = RocAucSketch().update(y, rate).result()
    both = np.column_stack([1 - rate, rate])
    for labels in (
        y * 1,
        y * 1.0,
        y.tolist(),
        pd.Series(y),
        pd.Series(y, dtype="Int8"),
    ):
        assert RocAucSketch().update(labels, both).result() == expected
    for labels in (np.where(y, "yes", "no"), pd.Series(np.where(y, "yes", "no"))):
        sketch = RocAucSketch(pos_label="yes").update(labels, rate.tolist())
        assert sketch.result() == expected


def test_parts_that_hold_one_class_are_taken_as_they_are():
    sketch = RocAucSketch(pos_label=2).update([2, 2], [0.5, 0.1]).update([1], [0.2])
    assert sketch.result() == 0.5


@pytest.mark.parametrize("labels", [[], [0, 0], [1, 1], [np.nan, np.nan]])
def test_one_class_is_nan_and_warns(labels):
    sketch = RocAucSketch().update(np.array(labels), np.full(len(labels), 0.5))
    with pytest.warns(UndefinedMetricWarning, match="do not hold both classes"):
        assert np.isnan(sketch.result())
    assert np.isnan(sketch.error_bound())


def test_pickle_keeps_the_rows():
    sketch = RocAucSketch(bits=3).update([0, 1, 1], [0.1, 0.2, 0.05])
    copy = pickle.loads(pickle.dumps(sketch))
    assert copy.result() == sketch.result() == 0.5
    assert repr(copy) == "RocAucSketch(scale='probability', bits=3, pos_label=1)"


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        (
            {"y_score": [0.1, 1.2]},
            r"between 0 and 1 for scale='probability'; found 1\.2",
        ),
        ({"y_score": [np.nan, 0.2]}, r"between 0 and 1 .*; found nan"),
        ({"y_score": [0.1]}, r"shape \(2,\) or \(2, 2\); found \(1,\)"),
        ({"y_true": [2, 3]}, r"one label besides pos_label=1; found \[0, 2, 3\]"),
        ({"y_true": np.ones((2, 2))}, r"y_true must hold one task; found 2 columns"),
        ({"sample_weight": [1, -1]}, r"not be negative"),
    ],
)
def test_bad_rows_raise_and_leave_the_sketch_as_it_was(kwargs, message):
    sketch = RocAucSketch().update([0, 1], [0.4, 0.5])
    given = {"y_true": [0, 1], "y_score": [0.9, 0.1]}
    with pytest.raises(ValueError, match=message):
        sketch.update(**{**given, **kwargs})
    assert sketch.result() == 1
    assert sketch.update([0], [0.1]).result() == 1


def test_bad_parameters_say_required_found_remedy():
    with pytest.raises(ValueError, match=r"\['probability', 'real'\]; found 'logit'"):
        RocAucSketch(scale="logit")
    for bits in (0, 21, 1.5):
        with pytest.raises(ValueError, match=f"from 1 to 20; found {bits}"):
            RocAucSketch(bits=bits)
    with pytest.raises(ValueError, match=r"finite for scale='real'; found inf"):
        RocAucSketch(scale="real").update([0, 1], [0.1, np.inf])


def test_sketches_that_differ_are_not_merged():
    first = RocAucSketch().update([0, 1], [0.1, 0.2])
    for other in (RocAucSketch(bits=3), RocAucSketch(scale="real")):
        with pytest.raises(ValueError, match="same parameters to be merged; found Roc"):
            first.merge(other)
    with pytest.raises(ValueError, match=r"one label besides .* found \[0, 2\]"):
        first.merge(RocAucSketch().update([2, 1], [0.1, 0.2]))


@pytest.mark.parametrize(
    ("labels", "pos_label", "column"),
    [
        (["churn", "stay"], "churn", 0),
        (["churn", "stay"], "stay", 1),
        ([0, 1], 0, 0),
        ([1, 2], 1, 0),
        ([1, 2], 2, 1),
    ],
)
def test_two_columns_are_those_of_the_sorted_classes(labels, pos_label, column):
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.5
    other = labels[1 - column]
    y = np.where(positive, pos_label, other)
    score = np.clip(0.3 * positive + 0.7 * rng.random(200), 0, 1)
    both = np.column_stack([score, 1 - score][:: 1 if column == 0 else -1])
    found = RocAucSketch(pos_label=pos_label).update(y, both).result()
    assert found == pytest.approx(roc_auc_score(positive, score), abs=1e-3)


def test_two_columns_without_a_negative_label():
    both = [[0.2, 0.8], [0.6, 0.4]]
    sketch = RocAucSketch().update([1, 1], both).update([0, 0], both)
    assert sketch.result() == 0.5
    with pytest.raises(ValueError, match=r"column belongs to 'churn'; found no other"):
        RocAucSketch(pos_label="churn").update(["churn", "churn"], both)
