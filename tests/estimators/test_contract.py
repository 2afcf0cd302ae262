"""scikit-learn's own checks, on every public estimator."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_classification
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_n_features_in_after_fitting,
    check_param_validation,
    estimator_checks_generator,
    parametrize_with_checks,
)

import sk_mtl
from tests.estimators.common import (
    ESTIMATORS,
    EVERY,
    EXPECTED_FAILURES,
    FULL_BATCH,
    PLAIN,
    REPRESENTATIVES,
    assert_equal_proba,
)

# Most checks ask how an estimator behaves, whatever it has learnt; a few ask what.
SHORT = {"max_epochs": 2, "batch_size": 256}
LONGER = {
    "check_classifiers_train": {"max_epochs": 8, "lr": 0.03},
    "check_class_weight_classifiers": {"max_epochs": 6, "lr": 0.03},
    "check_classifiers_classes": {"max_epochs": 5, "lr": 0.03},
    "check_regressors_train": {"max_epochs": 10, "lr": 0.02, "batch_size": "auto"},
}

FAMILY = [cls(**SHORT, random_state=0) for cls in REPRESENTATIVES]
# The encoder is everyone's; what differs stands behind it.
OTHERS = [
    cls(**SHORT, **PLAIN, random_state=0)
    for cls in ESTIMATORS
    if cls not in REPRESENTATIVES
]


def run_check(estimator, check):
    """Run a check, with as many epochs as it needs."""
    check(clone(estimator).set_params(**LONGER.get(_name(check), {})))


@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.FunnelWarning")
@parametrize_with_checks(
    FAMILY, expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check(estimator, check):
    run_check(estimator, check)


@pytest.mark.nightly
@pytest.mark.members
@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.FunnelWarning")
@parametrize_with_checks(
    FAMILY, expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check_of_four_networks(estimator, check):
    """All representatives as by default; test_members.py has one of two networks."""
    run_check(estimator, check)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.FunnelWarning")
@parametrize_with_checks(
    OTHERS, expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check_of_every_other_model(estimator, check):
    run_check(estimator, check)


@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.FunnelWarning")
@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_n_features_in_after_fitting,
        check_param_validation,
    ],
    ids=lambda check: check.__name__,
)
@pytest.mark.parametrize("cls", EVERY)
def test_check_that_scikit_learn_runs_on_its_own_estimators(cls, check):
    check(cls.__name__, cls(**SHORT, random_state=0))


def _name(check):
    while hasattr(check, "func"):
        check = check.func
    return check.__name__


@pytest.mark.parametrize("estimator", FAMILY, ids=lambda e: type(e).__name__)
def test_the_list_of_checks_is_whole(estimator):
    # Since scikit-learn 1.7 the list has only grown. Funnels leave out what needs
    # three classes and gain the check that these are refused.
    names = [_name(check) for _, check in estimator_checks_generator(estimator)]
    kinds = {
        "Classifier": (
            58,
            "check_classifiers_train",
            "check_class_weight_classifiers",
            "check_classifier_multioutput",
        ),
        "Regressor": (
            52,
            "check_regressors_train",
            "check_regressor_multioutput",
            "check_regressors_int",
        ),
        # Neither of the two for scikit-learn, since its tasks can be both.
        "Estimator": (47, "check_fit_idempotent", "check_dtype_object"),
    }
    least, *needed = next(
        each for kind, each in kinds.items() if type(estimator).__name__.endswith(kind)
    )
    assert len(names) >= least
    for name in (*needed, "check_methods_subset_invariance"):
        assert name in names


def test_every_public_estimator_is_checked():
    assert len(ESTIMATORS) == len(FAMILY) + len(OTHERS) == 15 + 11 + 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_class_weights_decide_by_a_wide_margin(n_classes, seed):
    """As `check_class_weight_classifiers`, which one seed may pass by luck."""
    X, y = make_blobs(centers=n_classes, cluster_std=20, random_state=0)
    weight = {0: 1000.0, 1: 1e-4, 2: 1e-4}
    class_weight = {label: weight[label] for label in range(n_classes)}
    settings = {"class_weight": class_weight, "max_epochs": 10, "random_state": seed}
    model = sk_mtl.HoMEClassifier(**settings, lr=0.012).fit(X[:50], y[:50])
    assert model.predict_proba(X[50:])[:, 0].min() > 0.9


def _full_batch(cls):
    options = {"structure": "independent", "early_stopping": False, "random_state": 0}
    return cls(**{**FULL_BATCH, **options, "max_epochs": 25})


@pytest.fixture
def weighted():
    X, y = make_classification(n_samples=120, n_informative=4, random_state=0)
    y = np.column_stack([y, X[:, 0] > 0]).astype(int)
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    return X, y, weight


@pytest.mark.parametrize("cls", [sk_mtl.ESMMClassifier, sk_mtl.MMOEClassifier])
def test_integer_weights_equal_repeated_rows(cls, weighted):
    X, y, weight = weighted
    by_weight = _full_batch(cls).fit(X, y, sample_weight=weight)
    repeated = np.repeat(np.arange(len(X)), weight)
    by_rows = _full_batch(cls).fit(X[repeated], y[repeated])
    assert_equal_proba(
        by_weight.predict_proba(X), by_rows.predict_proba(X), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("cls", [sk_mtl.ESMMClassifier, sk_mtl.MMOEClassifier])
def test_weight_zero_equals_absence(cls, weighted):
    X, y, weight = weighted
    kept = weight > 0
    by_weight = _full_batch(cls).fit(X, y, sample_weight=kept)
    by_rows = _full_batch(cls).fit(X[kept], y[kept])
    assert_equal_proba(
        by_weight.predict_proba(X), by_rows.predict_proba(X), rtol=0, atol=1e-6
    )


def test_a_weight_per_task_counts_for_that_task_only(weighted):
    X, y, weight = weighted
    both = np.column_stack([weight, np.ones(len(X))])
    # Without a cross layer the towers share nothing: numbers are not embedded here.
    model = _full_batch(sk_mtl.ESMMClassifier).set_params(interaction=None)
    by_weight = clone(model).fit(X, y, sample_weight=both)
    plain = clone(model).fit(X, y)
    weighted_task, other_task = by_weight.predict_proba(X)
    assert_equal_proba(other_task, plain.predict_proba(X)[1], rtol=0, atol=1e-6)
    assert np.abs(weighted_task - plain.predict_proba(X)[0]).max() > 1e-3


def test_all_ones_equal_no_weights_bit_for_bit(weighted):
    X, y, _ = weighted
    fit = {"max_epochs": 3, "random_state": 0}
    plain = sk_mtl.MMOEClassifier(**fit).fit(X, y)
    ones = sk_mtl.MMOEClassifier(**fit).fit(X, y, sample_weight=np.ones(len(X)))
    table = sk_mtl.MMOEClassifier(**fit).fit(X, y, sample_weight=np.ones(y.shape))
    assert_equal_proba(plain.predict_proba(X), ones.predict_proba(X))
    assert_equal_proba(plain.predict_proba(X), table.predict_proba(X))
