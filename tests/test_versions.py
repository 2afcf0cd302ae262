"""Pickles carry the versions that made them, and warn under others."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone

import sk_mtl
from sk_mtl import (
    ESMMClassifier,
    MMOEClassifier,
    MultiTaskEstimator,
    _versions,
    preprocessing,
)
from sk_mtl.exceptions import VersionWarning
from sk_mtl.preprocessing import CategoryEncoder
from tests.estimators.common import QUICK, mixed_table

TRANSFORMERS = [
    each
    for name in preprocessing.__all__
    if hasattr(each := getattr(preprocessing, name), "transform")
    and hasattr(each, "get_params")
]
ESTIMATORS = [ESMMClassifier, MMOEClassifier, MultiTaskEstimator]


@pytest.fixture(scope="module")
def fitted():
    X, y = mixed_table(80)
    return MMOEClassifier(**{**QUICK, "max_epochs": 1}).fit(X, y), X


@pytest.mark.parametrize("cls", [*TRANSFORMERS, *ESTIMATORS])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_unfitted_pickle_carries_the_version(cls, protocol):
    made = cls(n_buckets=8) if cls.__name__ == "HashingEncoder" else cls()
    pickled = pickle.dumps(made, protocol)
    assert sk_mtl.__version__.encode() in pickled
    assert vars(pickle.loads(pickled)).keys() == vars(made).keys()


def test_a_fitted_pickle_carries_the_versions_of_the_package_and_of_torch(fitted):
    model, _ = fitted
    pickled = pickle.dumps(model)
    assert sk_mtl.__version__.encode() in pickled
    assert torch.__version__.encode() in pickled


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, clone])
def test_copies_have_no_attribute_of_versions(copied, fitted):
    again = copied(fitted[0])
    assert [name for name in vars(again) if "versions" in name] == []


@pytest.mark.parametrize("name", ["sk_mtl", "torch"])
def test_another_version_warns_once_at_the_line_that_loads(name, fitted, monkeypatch):
    model, X = fitted
    here = model._versions_now()[name]
    with monkeypatch.context() as patch:
        if name == "torch":
            patch.setattr(torch, "__version__", "1.0.0")
        else:
            patch.setattr(_versions, "__version__", "1.0.0")
        pickled = pickle.dumps(model)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        again = pickle.loads(pickled)
    assert [(w.category, w.filename) for w in record] == [(VersionWarning, __file__)]
    assert str(record[0].message) == (
        "A pickle must be loaded with the versions that it was saved with; found "
        f"{name} 1.0.0 in it, and {name} {here} here. Answers may differ, or fail: "
        "install the versions of the pickle, or fit anew."
    )
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    # Saved anew it is of this version.
    pickle.loads(pickle.dumps(again))


def test_a_joblib_file_of_another_version_warns_at_the_line_that_loads(
    monkeypatch, tmp_path
):
    with monkeypatch.context() as patch:
        patch.setattr(_versions, "__version__", "1.0.0")
        joblib.dump(CategoryEncoder(), tmp_path / "encoder.joblib")
    with pytest.warns(VersionWarning) as record:
        joblib.load(tmp_path / "encoder.joblib")
    assert record[0].filename == __file__


def test_a_pickle_without_versions_warns(monkeypatch):
    with monkeypatch.context() as patch:
        patch.delattr(_versions.VersionedPickle, "__getstate__")
        pickled = pickle.dumps(MMOEClassifier())
    with pytest.warns(VersionWarning, match="sk_mtl of an unknown version, torch"):
        pickle.loads(pickled)


def test_another_build_of_the_same_torch_does_not_warn(monkeypatch):
    with monkeypatch.context() as patch:
        bare = torch.__version__.partition("+")[0]
        patch.setattr(torch, "__version__", bare + "+cu999")
        pickled = pickle.dumps(MMOEClassifier())
    pickle.loads(pickled)
