"""Labels of steps out of reach count as "not reached" wherever a funnel is judged."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.calibration import TaskThresholdTuner
from sk_mtl.inspection import FunnelDisplay
from sk_mtl.metrics._complete_steps import complete_steps
from tests.estimators.common import QUICK, funnel_table

X, Y = funnel_table()
CLICK, CONVERSION = Y.columns


@pytest.fixture(scope="module")
def model():
    return ESMMClassifier(n_members=1, **QUICK).fit(X, Y)


@pytest.fixture
def open_labels():
    labels = Y.astype(float)
    labels.loc[labels[CLICK] == 0, CONVERSION] = np.nan
    return labels


def test_a_row_that_did_not_click_did_not_convert(model, open_labels):
    found = complete_steps(model, open_labels)
    np.testing.assert_array_equal(found.to_numpy(float), Y.to_numpy(float))
    assert complete_steps(model, Y) is Y


def test_labels_that_may_still_come_are_not_filled(model, open_labels):
    # A click without a label of the conversion: later conversions are not known yet.
    open_labels.loc[open_labels[CLICK].idxmax(), CONVERSION] = np.nan
    assert complete_steps(model, open_labels) is open_labels


def test_tasks_that_are_no_steps_stay_as_they_are(open_labels):
    apart = MMOEClassifier(**QUICK).fit(X, Y)
    assert complete_steps(apart, open_labels) is open_labels


def test_text_labels_get_their_own_negative(open_labels):
    words = Y.replace({0: "yes", 1: "also"}).astype(object)
    model = ESMMClassifier(pos_label="also", n_members=1, **QUICK).fit(X, words)
    holes = words.where(words[CLICK] == "also", np.nan).assign(**{CLICK: words[CLICK]})
    found = complete_steps(model, holes)
    pd.testing.assert_frame_equal(found, words, check_dtype=False)


def test_the_picture_of_a_funnel_is_of_the_entire_space(model, open_labels):
    whole = FunnelDisplay.from_estimator(model, X, Y).frame()
    found = FunnelDisplay.from_estimator(model, X, open_labels).frame()
    pd.testing.assert_frame_equal(found, whole)
    rates = FunnelDisplay.from_estimator(model, X, open_labels, conditional=True)
    rows = rates.frame().groupby("step")["rows"].sum()
    assert rows[CONVERSION] == Y[CLICK].sum()


def test_thresholds_are_those_of_all_rows(model, open_labels):
    whole = TaskThresholdTuner(model, cv="prefit").fit(X, Y)
    found = TaskThresholdTuner(model, cv="prefit").fit(X, open_labels)
    assert found.thresholds_ == whole.thresholds_
