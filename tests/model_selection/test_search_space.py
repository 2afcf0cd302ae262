"""Ranges of parameters for scikit-learn's searches and for Optuna."""

import warnings

import numpy as np
import optuna
import pytest
from scipy.stats import loguniform, norm, randint
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

from sk_mtl import MMOEClassifier, MultiTaskEstimator, PLERegressor
from sk_mtl.metrics import make_task_scorer
from sk_mtl.model_selection import SearchSpace, search_space
from tests.estimators.common import ESTIMATORS, QUICK, mixed_table


@pytest.fixture(autouse=True)
def silent_studies():
    optuna.logging.disable_default_handler()


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_model_has_ranges_of_parameters_that_it_takes(cls):
    space = search_space(cls, n_rows=5_000)
    assert {"lr", "max_epochs", "embedding_dim"} <= set(space)
    sampled = {
        name: values.rvs(random_state=0) if hasattr(values, "rvs") else values[-1]
        for name, values in space.items()
    }
    model = cls(**sampled)
    X, y = mixed_table(60)
    numbers = y * 1.5 if cls.__name__.endswith("Regressor") else y
    model.set_params(max_epochs=1, n_members=1, random_state=0).fit(X, numbers)


def test_the_ranges_follow_the_number_of_rows():
    few, usual, many = (search_space(MMOEClassifier, n) for n in (900, None, 10**6))
    assert few["max_epochs"] == [5, 20, 60]
    assert (usual["max_epochs"], many["max_epochs"]) == ([3, 5, 10], [2, 4, 8])
    assert few["n_members"] == usual["n_members"] == [1, 4]
    assert "n_members" not in many
    # Half, all and twice of the power of two nearest to twice the root of the rows.
    assert few["batch_size"] == [32, 64, 128]
    assert many["batch_size"] == [1_024]


@pytest.mark.parametrize("n_rows", [500, 20_000, 10**6])
def test_the_defaults_are_within_the_ranges(n_rows):
    space = search_space(PLERegressor, n_rows)
    for name, value in PLERegressor().get_params(deep=False).items():
        if name in space and value != "auto":
            values = space[name]
            if isinstance(values, list):
                assert value in values
            else:
                assert values.support()[0] <= value <= values.support()[1]
    assert list(space)[:2] == ["n_task_experts", "n_shared_experts"]


def test_what_an_instance_sets_stays():
    model = MMOEClassifier(n_experts=6, lr=0.01)
    space = search_space(model)
    assert "expert_hidden_sizes" in space
    assert not {"n_experts", "lr"} & set(space)
    steps = make_pipeline("passthrough", model)
    nested = search_space(make_pipeline("passthrough", steps))
    assert set(nested) == {f"pipeline__mmoeclassifier__{name}" for name in space}


def test_a_randomized_search_takes_it():
    X, y = mixed_table(120)
    model = make_pipeline("passthrough", MMOEClassifier(**QUICK))
    space = search_space(model, len(X))
    assert "mmoeclassifier__max_epochs" not in space
    search = RandomizedSearchCV(
        model,
        space,
        n_iter=2,
        cv=KFold(2),
        scoring=make_task_scorer("log_loss"),
        random_state=0,
    ).fit(X, y)
    assert set(search.best_params_) == set(space)


def suggestions(space):
    found = []
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: found.append(space.suggest(trial)) or 0.0, n_trials=25)
    return found, study.trials[0].distributions


def test_optuna_suggests_values_of_the_ranges():
    space = search_space(MMOEClassifier, 20_000)
    with warnings.catch_warnings():
        # Optuna warns of choices that it cannot store.
        warnings.simplefilter("error")
        found, distributions = suggestions(space)
    for values in found:
        assert set(values) == set(space)
        for name, options in space.items():
            if isinstance(options, list):
                assert values[name] in options
            else:
                low, high = options.support()
                assert low <= values[name] <= high
    assert distributions["lr"].log
    assert not distributions["dropout"].log
    assert {each["n_experts"] for each in found} == {2, 4, 8}
    MMOEClassifier(**found[0])


def test_entries_may_be_changed():
    space = search_space(MultiTaskEstimator)
    assert isinstance(space, SearchSpace)
    space.update(lr=loguniform(1e-3, 1e-2), wiring=["mmoe", "cgc"])
    del space["interaction"]
    found, _ = suggestions(space)
    assert {each["wiring"] for each in found} == {"mmoe", "cgc"}
    assert max(each["lr"] for each in found) <= 1e-2
    assert "interaction" not in found[0]


def test_printed_it_has_a_line_for_each_parameter():
    lines = repr(search_space(MMOEClassifier)).splitlines()
    assert lines[0].split(maxsplit=1) == ["n_experts", "[2, 4, 8]"]
    assert len(lines) == len(search_space(MMOEClassifier))
    assert any(line.endswith("uniform(0, 0.3)") for line in lines)


@pytest.mark.slow
def test_a_study_of_twenty_trials_finds_better_parameters_than_its_first():
    X, y = mixed_table(200)
    space = search_space(MMOEClassifier(n_members=1, max_epochs=3), len(X))

    def objective(trial):
        model = MMOEClassifier(n_members=1, max_epochs=3, random_state=0)
        model.set_params(early_stopping=True, **space.suggest(trial))
        return model.fit(X, y).history_["valid_loss"].min()

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=20)
    values = [trial.value for trial in study.trials]
    assert np.isfinite(values).all()
    assert study.best_value < np.median(values)


@pytest.mark.parametrize("n_rows", [0, -5])
def test_rows_that_are_not_positive_are_refused(n_rows):
    with pytest.raises(ValueError) as caught:
        search_space(MMOEClassifier, n_rows=n_rows)
    assert str(caught.value) == (
        f"n_rows must be a positive number of rows; found {n_rows}. Give the number of "
        "training rows, or None."
    )


@pytest.mark.parametrize("other", [LogisticRegression, LogisticRegression()])
def test_other_models_are_refused(other):
    with pytest.raises(TypeError) as caught:
        search_space(other)
    assert str(caught.value) == (
        "estimator must be a model of sk_mtl; found LogisticRegression. Give one such "
        "as MMOEClassifier, or a pipeline that ends in one."
    )
    with pytest.raises(TypeError, match="estimator must be one estimator, an instance"):
        search_space("mmoe")


@pytest.mark.parametrize("n_rows", ["many", [[1.0], [2.0]]])
def test_rows_that_are_no_number_are_refused(n_rows):
    with pytest.raises(ValueError, match="n_rows must be a positive number of rows"):
        search_space(MMOEClassifier, n_rows=n_rows)


def test_whole_numbers_of_a_range_are_suggested_whole():
    space = SearchSpace({"max_epochs": randint(2, 5)})
    found, distributions = suggestions(space)
    values = [each["max_epochs"] for each in found]
    assert set(values) == {2, 3, 4}
    assert all(isinstance(value, int) for value in values)
    assert distributions["max_epochs"].high == 4


def test_the_best_trial_gives_the_parameters_back():
    space = search_space(MMOEClassifier)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = []
    study.optimize(
        lambda trial: found.append(space.suggest(trial)) or -trial.number, n_trials=3
    )
    assert space.suggest(study.best_trial) == found[-1]


@pytest.mark.parametrize("values", [norm(), 0.1])
def test_other_ranges_are_refused_by_suggest(values):
    space = SearchSpace({"lr": values})
    study = optuna.create_study()
    with pytest.raises(ValueError) as caught:
        space.suggest(study.ask())
    assert str(caught.value) == (
        "The range of 'lr' must be a list of values, or randint, uniform or loguniform "
        f"of scipy.stats; found {values!r}. Give one of these, or leave the entry out "
        "and suggest it by the trial."
    )
    assert repr(space).startswith("lr  ")
