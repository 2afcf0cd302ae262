"""scikit-learn's own checks, on every public ensemble."""

import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_n_features_in_after_fitting,
    check_param_validation,
    parametrize_with_checks,
)

import sk_mtl
from sk_mtl.ensemble import (
    MultiTaskVotingClassifier,
    MultiTaskVotingEstimator,
    MultiTaskVotingRegressor,
)
from tests.estimators.common import EXPECTED_FAILURES

NET = {"max_epochs": 3, "batch_size": 64, "random_state": 0}
TREES = {"max_iter": 20, "min_samples_leaf": 5, "random_state": 0}

WITH_NETWORKS = [
    MultiTaskVotingClassifier(
        [
            ("net", sk_mtl.MMOEClassifier(**NET)),
            ("trees", HistGradientBoostingClassifier(**TREES)),
        ]
    ),
    MultiTaskVotingRegressor(
        [
            ("net", sk_mtl.MMOERegressor(**{**NET, "max_epochs": 30})),
            ("trees", HistGradientBoostingRegressor(**TREES)),
        ]
    ),
    MultiTaskVotingEstimator(
        [
            ("net", sk_mtl.MultiTaskEstimator(**NET)),
            ("classes", HistGradientBoostingClassifier(**TREES)),
            ("numbers", HistGradientBoostingRegressor(**TREES)),
        ]
    ),
]
# Exact models, for which weights equal repeated rows.
WITHOUT = [
    MultiTaskVotingClassifier(
        [
            ("linear", LogisticRegression()),
            ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
        ]
    ),
    MultiTaskVotingRegressor(
        [
            ("linear", Ridge()),
            ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
        ]
    ),
]


@parametrize_with_checks(
    WITH_NETWORKS, expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@parametrize_with_checks(WITHOUT)
def test_scikit_learn_check_of_exact_parts(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_n_features_in_after_fitting,
        check_param_validation,
    ],
    ids=lambda check: check.__name__,
)
@pytest.mark.parametrize("estimator", WITH_NETWORKS, ids=lambda e: type(e).__name__)
def test_check_that_scikit_learn_runs_on_its_own_estimators(estimator, check):
    check(type(estimator).__name__, estimator)
