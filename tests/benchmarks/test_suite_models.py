"""Models of the suite: the answers have one form, whatever fits them."""

import numpy as np
import pandas as pd
import pytest
from _suite import SuiteTable, Task, read_entries, read_table
from _suite_models import (
    OTHERS,
    fit_histogram,
    fit_predict_best_of,
    fit_predict_default,
    fit_predict_per_label,
    make_default,
    per_label,
)
from _suite_rechub import make_head

from sk_mtl import (
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    SingleTaskRegressor,
)


@pytest.fixture(params=["classes", "mixed"])
def table(folder, request):
    return read_table(folder, read_entries(folder)[request.param])


def table_of(types):
    frame = pd.DataFrame(0.0, index=range(4), columns=list(types))
    tasks = tuple(Task(name, kind) for name, kind in types.items())
    return SuiteTable("t", tasks, frame, frame, "random")


def test_default_is_the_estimator_of_the_tasks_types():
    classes = {"a": "binary", "b": "multiclass"}
    numbers = {"c": "regression", "d": "poisson", "e": "ziln"}
    assert isinstance(make_default(table_of(classes), 1), MMOEClassifier)
    model = make_default(table_of(numbers), 1, lr=0.1)
    assert isinstance(model, MMOERegressor)
    assert model.loss == {"c": "squared_error", "d": "poisson", "e": "ziln"}
    assert (model.lr, model.random_state) == (0.1, 1)
    mixed = make_default(table_of({**classes, **numbers}), 1, "single_task")
    assert isinstance(mixed, MultiTaskEstimator)
    assert mixed.wiring == "single_task"
    assert mixed.task_types["e"] == "ziln"
    single = make_default(table_of(numbers), 1, "single_task")
    assert isinstance(single, SingleTaskRegressor)


def check_answers(table, test, answers):
    n_classes = {"bought": 2, "size": 2}
    for task, answer in zip(table.tasks, answers, strict=True):
        if task.has_classes:
            assert answer.shape == (len(test), n_classes[task.name])
            np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-5)
        else:
            assert answer.shape == (len(test),)
        assert np.isfinite(answer).all()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["RandomForest", "HistGradientBoosting"])
def test_scikit_learns_models_answer_every_task(table, model):
    train, test = table.split(0)
    answers = OTHERS[model](table, train, test, 0)
    check_answers(table, test, answers)
    # x alone tells the first label.
    truth = table.y["bought"].iloc[test]
    assert (answers[0].argmax(axis=1) == truth).mean() > 0.7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "package"),
    [
        ("LightGBM", "lightgbm"),
        ("CatBoost", "catboost"),
        ("torch-rechub MMoE", "torch_rechub"),
    ],
)
def test_other_libraries_answer_every_task(table, model, package):
    pytest.importorskip(package)
    train, test = table.split(0)
    check_answers(table, test, OTHERS[model](table, train, test, 0))


@pytest.mark.slow
@pytest.mark.parametrize("wiring", ["mmoe", "single_task"])
def test_ours_answer_every_task(table, wiring):
    train, test = table.split(0)
    check_answers(table, test, fit_predict_default(table, train, test, 0, wiring))


@pytest.mark.nightly
def test_network_and_trees_answer_every_task(table):
    train, test = table.split(0)
    check_answers(table, test, fit_predict_best_of(table, train, test, 0))


def test_models_of_a_label_get_its_rows_and_codes_of_its_classes(folder):
    table = read_table(folder, read_entries(folder)["mixed"])
    seen = {}

    def fit(task, X, y, fit_rows, stop, seed):
        seen[task.name] = y, fit_rows, stop
        width = (2,) if task.has_classes else ()
        return lambda rows: np.ones((len(rows), *width))

    train, test = table.split(0)
    fit_predict_per_label(fit, table, train, test, 0)
    y, fit_rows, stop = seen["height"]
    labelled = table.y["height"].iloc[train].notna().sum()
    assert len(stop) == labelled // 10
    assert len(fit_rows) + len(stop) == labelled
    assert y.iloc[[*fit_rows, *stop]].notna().all()
    assert {*fit_rows, *stop} <= set(train)


def test_class_that_a_model_has_not_met_gets_probability_zero():
    y = pd.DataFrame({"m": ["a", "b", "c"] + ["a", "c"] * 10})
    table = SuiteTable(
        "t", (Task("m", "multiclass"),), y[[]].assign(x=1.0), y, "random"
    )

    def fit(task, X, y, fit_rows, stop, seed):
        met = y.iloc[fit_rows].unique()
        share = np.full(len(met), 1 / len(met))
        return lambda rows: np.tile(share, (len(rows), 1))

    # The one row of class b is held out for one of the seeds.
    answers = [
        fit_predict_per_label(fit, table, np.arange(23), np.arange(2), seed)[0]
        for seed in range(40)
    ]
    assert all(answer.shape == (2, 3) for answer in answers)
    assert any(answer[0].tolist() == [0.5, 0, 0.5] for answer in answers)


def test_counts_of_others_have_a_floor():
    y = pd.DataFrame({"c": [2.0] * 10})
    table = SuiteTable("t", (Task("c", "poisson"),), y[[]].assign(x=1.0), y, "random")

    def fit(*arguments):
        return lambda rows: np.zeros(len(rows))

    (answer,) = fit_predict_per_label(fit, table, np.arange(10), np.arange(2), 0)
    assert answer.tolist() == [0.002, 0.002]


def test_histogram_boosting_reads_categories(folder):
    table = read_table(folder, read_entries(folder)["classes"])
    y = pd.DataFrame({"k": (table.X["kind"] == "a").astype(int)})
    table = SuiteTable("t", (Task("k", "binary"),), table.X, y, "random")
    rows = np.arange(len(table))
    (answer,) = per_label(fit_histogram)(table, rows, rows, 0)
    assert (answer.argmax(axis=1) == y["k"]).all()


def test_rechub_gets_an_output_per_class_and_divides_by_their_sum():
    head = make_head(Task("m", "multiclass"), pd.Series(["b", "a", None, "c"]))
    assert head.kinds == ["classification"] * 3
    columns = np.column_stack(head.targets(pd.Series(["b", None])))
    np.testing.assert_array_equal(columns, [[0, 1, 0], [np.nan] * 3])
    answer = head.answer(np.array([[0.2, 0.2, 0.6], [0.1, 0.1, 0.0]]))
    np.testing.assert_allclose(answer, [[0.2, 0.2, 0.6], [0.5, 0.5, 0]])


def test_rechub_gets_one_output_of_two_classes():
    head = make_head(Task("b", "binary"), pd.Series([0, 1, 1]))
    assert head.kinds == ["classification"]
    assert head.targets(pd.Series([1, 0]))[0].tolist() == [1, 0]
    np.testing.assert_allclose(head.answer(np.array([[0.3]])), [[0.7, 0.3]])


def test_rechub_gets_standardised_numbers():
    head = make_head(Task("c", "poisson"), pd.Series([1.0, 3.0, np.nan]))
    (column,) = head.targets(pd.Series([2.0, 2 + 2**0.5, np.nan]))
    np.testing.assert_allclose(column, [0, 1, np.nan], atol=1e-6)
    answer = head.answer(np.array([[0.0], [-5.0]]))
    np.testing.assert_allclose(answer, [2, 0.002])
