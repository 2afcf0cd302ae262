from itertools import permutations
from time import perf_counter

import numpy as np
import pytest

from sk_mtl.datasets import load_census_income

SOURCES = {
    "income": "income_50k",
    "never_married": "marital_stat",
    "college": "education",
}
SUBSETS_OF_TASKS = [order for n in (1, 2, 3) for order in permutations(SOURCES, n)]


@pytest.mark.parametrize(
    ("subset", "n_rows", "counts"),
    [
        ("train", 199_523, (12_382, 86_485, 39_183)),
        ("test", 99_762, (6_186, 43_143, 19_456)),
        ("all", 299_285, (18_568, 129_628, 58_639)),
    ],
)
def test_rows_and_labels(subset, n_rows, counts):
    X, y = load_census_income(subset=subset, tasks=tuple(SOURCES), return_X_y=True)
    assert X.shape == (n_rows, 38)
    assert tuple(y.sum()) == counts


@pytest.mark.parametrize("tasks", SUBSETS_OF_TASKS, ids="-".join)
def test_only_the_columns_behind_the_tasks_leave_X(tasks):
    bunch = load_census_income(subset="test", tasks=tasks)
    assert bunch.target_names == list(tasks)
    chosen = {SOURCES[name] for name in tasks}
    assert not chosen & set(bunch.feature_names)
    assert set(SOURCES.values()) - chosen < set(bunch.feature_names)
    assert len(bunch.feature_names) == 41 - len(tasks)
    assert "instance_weight" not in bunch.frame


def test_labels_follow_their_columns():
    _, y = load_census_income(subset="test", tasks=tuple(SOURCES), return_X_y=True)
    X = load_census_income(subset="test", tasks=("income",)).data
    assert set(X["marital_stat"][y["never_married"] == 1]) == {"Never married"}
    assert "Never married" not in set(X["marital_stat"][y["never_married"] == 0])
    assert set(X["education"][y["college"] == 1]) == {
        "Associates degree-academic program",
        "Associates degree-occup /vocational",
        "Bachelors degree(BA AB BS)",
        "Masters degree(MA MS MEng MEd MSW MBA)",
        "Prof school degree (MD DDS DVM LLB JD)",
        "Doctorate degree(PhD EdD)",
    }
    assert "Some college but no degree" in set(X["education"][y["college"] == 0])
    X = load_census_income(subset="test", tasks=("college",)).data
    assert set(X["income_50k"][y["income"] == 1]) == {"50000+."}
    assert set(X["income_50k"][y["income"] == 0]) == {"- 50000."}


@pytest.mark.parametrize(
    ("tasks", "in_the_paper", "ours"),
    [
        (("income", "never_married"), 0.1768, 0.1783),
        (("college", "never_married"), 0.2373, 0.2392),
    ],
)
def test_labels_correlate_as_the_paper_reports(tasks, in_the_paper, ours):
    bunch = load_census_income(subset="all", tasks=tasks)
    correlation = abs(np.corrcoef(bunch.target.to_numpy().T)[0, 1])
    assert correlation == pytest.approx(ours, abs=5e-5)
    assert correlation == pytest.approx(in_the_paper, abs=0.002)
    assert f"{in_the_paper}" in bunch.DESCR
    assert f"{ours}" in bunch.DESCR


def test_instance_weight_is_the_sample_weight():
    bunch = load_census_income()
    assert bunch.sample_weight.index.equals(bunch.data.index)
    assert bunch.sample_weight.dtype == np.float64
    assert bunch.sample_weight.iloc[0] == 1700.09
    assert bunch.sample_weight.mean() == pytest.approx(1740.38, abs=0.01)
    bunch.sample_weight.iloc[0] = 1.0
    assert load_census_income().sample_weight.iloc[0] == 1700.09


def test_question_marks_are_a_category():
    X = load_census_income(subset="test").data
    assert not X.isna().any().any()
    assert "?" in X["migration_code_change_in_msa"].cat.categories


def test_loads_in_under_300_milliseconds():
    def seconds():
        start = perf_counter()
        load_census_income()
        return perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.3
