"""Keywords of `fit` with an entry per row reach the fit with the right rows."""

import inspect
from functools import wraps

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_mtl import MMOEClassifier
from sk_mtl.model_selection import compare_tasks, out_of_fold_proba
from sk_mtl.model_selection._fit_arguments import fit_arguments
from tests.estimators.common import ESTIMATORS, QUICK

N = 60
IDS = np.arange(N)
X = pd.DataFrame({"place": IDS.astype(float)})
Y = pd.DataFrame({"a": IDS % 2, "b": IDS // 2 % 2})
#: By the name of each keyword that has an entry per row, such entries for rows of X.
BY_ROW = {
    "sample_weight": [
        lambda ids: ids + 1.0,
        lambda ids: np.column_stack([ids + 1.0, ids + 2.0]),
        lambda ids: pd.DataFrame({"b": ids + 2.0, "a": ids + 1.0}, index=ids),
        lambda ids: {"a": ids + 1.0, "b": (ids + 2.0).tolist()},
    ],
    "groups": [lambda ids: ids % 7],
    "soft_labels": [
        lambda ids: np.column_stack([ids / N, ids / (2 * N)]),
        lambda ids: pd.DataFrame({"b": ids / (2 * N), "a": ids / N}, index=ids),
        lambda ids: {"a": ids / N},
        lambda ids: [np.column_stack([1 - ids / N, ids / N])] * 2,
        lambda ids: [None, np.column_stack([1 - ids / N, ids / N])],
    ],
}
#: Keywords that are the same for every part of the rows.
FOR_ALL = {
    "X_val": X[:N],
    "y_val": Y[:N],
    "sample_weight_val": np.ones(N),
    "classes": [np.array([0, 1])] * 2,
}
CASES = [(name, entries, "alone") for name in BY_ROW for entries in BY_ROW[name]]
# The place decides how a keyword gets there, and its form how it is cut.
CASES += [
    (name, BY_ROW[name][0], place)
    for name in BY_ROW
    for place in ("in a pipeline", "routed")
]


class Recorder(MMOEClassifier):
    """Notes what its fits are given."""

    seen = []

    @wraps(MMOEClassifier.fit)
    def fit(self, X, y, **keywords):
        self.seen.append((X, keywords))
        return super().fit(X, y, **keywords)


@pytest.fixture
def seen():
    Recorder.seen.clear()
    return Recorder.seen


def recorder(place):
    model = Recorder(**{**QUICK, "max_epochs": 1})
    return model if place == "alone" else make_pipeline("passthrough", model)


def assert_rows(seen, name, entries, n_fits):
    assert len(seen) == n_fits
    for rows, keywords in seen:
        found, expected = keywords[name], entries(rows["place"].to_numpy().astype(int))
        if isinstance(expected, list):
            found, expected = (
                np.hstack([each for each in tables if each is not None])
                for tables in (found, expected)
            )
        if isinstance(expected, dict):
            found, expected = (pd.DataFrame(each) for each in (found, expected))
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_keyword_of_fit_is_by_row_or_for_all(cls):
    """A new keyword must be declared, and be given here to every tool."""
    keywords = set(inspect.signature(cls.fit).parameters) - {"self", "X", "y"}
    assert set(cls.row_aligned_keywords) == set(BY_ROW)
    assert keywords == {*BY_ROW, *FOR_ALL}


@pytest.mark.parametrize(("name", "entries", "place"), CASES)
def test_tools_cut_what_is_by_row(seen, name, entries, place):
    given = {"params": {name: entries(IDS)}}
    if name in inspect.signature(compare_tasks).parameters:
        given = {name: entries(IDS)}
    with config_context(enable_metadata_routing=place == "routed"):
        model = recorder(place)
        out_of_fold_proba(model, X, Y, cv=2, **given)
        assert_rows(seen, name, entries, 2)
        seen.clear()
        compare_tasks(model, X, Y, cv=2, baseline=model, random_state=0, **given)
        assert_rows(seen, name, entries, 4)


@pytest.mark.parametrize("place", ["alone", "in a pipeline"])
def test_what_is_for_all_rows_stays_whole(seen, place):
    """Validation rows stay as they are, be there as many as training rows or not."""
    out_of_fold_proba(recorder(place), X, Y, cv=2, params=FOR_ALL)
    for _, keywords in seen:
        assert all(keywords[name] is FOR_ALL[name] for name in FOR_ALL)


def test_a_search_hands_weights_on(seen):
    search = GridSearchCV(recorder("alone"), {"n_experts": [2]}, cv=KFold(2))
    out_of_fold_proba(search, X, Y, cv=2, sample_weight=IDS + 1.0)
    # Two fits of the search's folds and one of all their rows, for each fold.
    assert_rows(seen, "sample_weight", lambda ids: ids + 1.0, 6)


def test_another_step_is_named_before_the_keyword():
    model = make_pipeline(StandardScaler(), Recorder())
    weight = IDS + 1.0
    given = {"standardscaler__sample_weight": weight}
    found = fit_arguments(model, X, Y, IDS[:9], **given)
    np.testing.assert_array_equal(found["standardscaler__sample_weight"], weight[:9])


def test_a_request_that_is_decided_on_is_kept(seen):
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        model = recorder("alone").set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler.set_output(transform="pandas"), model)
        out_of_fold_proba(pipeline, X, Y, cv=2, sample_weight=IDS + 1.0)
    assert len(seen) == 2
    assert all("sample_weight" not in keywords for _, keywords in seen)


def test_a_fit_without_the_keyword():
    message = (
        "sample_weight needs an estimator whose fit takes it; found "
        "KNeighborsClassifier, which does not. Leave sample_weight out."
    )
    neighbours = make_pipeline(FunctionTransformer(), KNeighborsClassifier())
    with pytest.raises(ValueError, match=message):
        out_of_fold_proba(neighbours, X, Y, cv=2, sample_weight=IDS + 1.0)
    # Groups may be for the folds alone.
    groups = IDS // 10
    compare_tasks(
        LinearRegression(), X, Y, groups=groups, cv=2, baseline=LinearRegression()
    )


@pytest.mark.parametrize("weight", [np.ones(N + 1), {"a": np.ones(N), "b": [1.0]}])
def test_entries_for_other_rows(weight):
    found = "sample_weight of 'b'" if isinstance(weight, dict) else "sample_weight"
    n = 1 if isinstance(weight, dict) else N + 1
    message = f"{found} must have an entry for each of the 60 rows of X; found {n}. "
    with pytest.raises(ValueError, match=message):
        compare_tasks(recorder("alone"), X, Y, cv=2, sample_weight=weight)
