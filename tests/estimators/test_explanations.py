"""Explainers of other packages on one task."""

import numpy as np
import pytest

from sk_mtl import ESMMClassifier, MultiTaskEstimator
from tests.estimators.common import QUICK, funnel_table, mixed_table


@pytest.mark.nightly
# Of numba and of shap's own imports.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("conditional", [False, True])
def test_shap_values_add_up_to_the_answer_of_a_task(conditional):
    shap = pytest.importorskip("shap")
    if conditional:
        X, y = funnel_table()
        X = X.select_dtypes("number")
        view = ESMMClassifier(**QUICK).fit(X, y).task(y.columns[1], conditional=True)
    else:
        X, y = mixed_table(200)
        X = X[["age", "visits"]]
        y = y.assign(spend=X["age"] * 2.0)
        view = MultiTaskEstimator(**QUICK).fit(X, y).task("spend")
    answer = getattr(view, "predict_proba", view.predict)
    values = shap.Explainer(answer, X[:50])(X[:20])
    given = values.base_values + values.values.sum(axis=1)
    np.testing.assert_allclose(given, answer(X[:20]), rtol=1e-4, atol=1e-5)
