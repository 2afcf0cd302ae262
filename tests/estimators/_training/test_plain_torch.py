"""A caller's settings of torch change no number of a fit or an answer."""

from contextlib import contextmanager

import pytest
import torch

from sk_mtl import ESCM2Classifier, MMOEClassifier
from sk_mtl.estimators._training._plain_torch import (
    plain_products,
    single_precision_default,
)
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)

SHORT = {**QUICK, "max_epochs": 2}


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "double": lambda: default_dtype(torch.float64),
    "half": lambda: default_dtype(torch.bfloat16),
    "meta": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize(
    ("model", "table"),
    [
        (MMOEClassifier(**SHORT), mixed_table),
        (MMOEClassifier(**SHORT, n_members=2, precision="float64"), mixed_table),
        (ESCM2Classifier(**SHORT), funnel_table),
    ],
    ids=["plain", "members", "funnel"],
)
def test_a_callers_settings_change_no_number(model, table, setting):
    X, y = table(120)
    expected = model.fit(X, y).predict_proba(X)
    with setting():
        assert_equal_proba(model.predict_proba(X), expected)
        inside = model.fit(X, y).predict_proba(X)
    assert_equal_proba(inside, expected)
    further = model.partial_fit(X, y).predict_proba(X)
    with setting():
        again = model.fit(X, y).partial_fit(X, y).predict_proba(X)
    assert_equal_proba(again, further)


def test_settings_are_kept_apart_in_the_block_alone():
    weights = torch.full((4, 4), 1 / 3)
    with torch.autocast("cpu", torch.bfloat16), torch.device("meta"):
        with plain_products(torch.device("cpu")):
            assert (weights @ weights).dtype == torch.float32
            assert torch.zeros(1).device.type == "cpu"
        assert (weights @ weights).dtype == torch.bfloat16
        assert torch.zeros(1).device.type == "meta"


def test_the_default_precision_is_restored_on_failure():
    def fail():
        with single_precision_default():
            assert torch.tensor(0.5).dtype == torch.float32
            raise ZeroDivisionError

    with default_dtype(torch.float64):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert torch.tensor(0.5).dtype == torch.float64
