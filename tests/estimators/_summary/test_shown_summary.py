"""The summary in the HTML of a fitted estimator."""

import re

import pytest
from sklearn import config_context
from sklearn.pipeline import make_pipeline

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor, MultiTaskEstimator
from tests.estimators.common import QUICK, mixed_table

SUMMARY = "<summary>Summary of the fit</summary>"


@pytest.fixture(scope="module")
def model():
    return MMOEClassifier(n_experts=3, n_members=1, **QUICK).fit(*mixed_table(80))


def test_a_notebook_shows_the_summary_below_the_diagram(model):
    page = model._repr_html_()
    assert page.count(SUMMARY) == 1
    assert page.index("sk-estimator fitted") < page.index(SUMMARY)
    assert page.endswith(f"{model.summary()._repr_html_()}</details>")
    bundle = model._repr_mimebundle_()
    assert bundle["text/html"].endswith(page[page.index(SUMMARY) :])
    assert bundle["text/plain"] == repr(model)


def test_only_a_fitted_estimator_has_a_summary():
    assert SUMMARY not in MMOEClassifier()._repr_html_()
    assert SUMMARY not in MMOEClassifier()._repr_mimebundle_()["text/html"]


def test_scikit_learns_setting_decides_on_the_diagram(model):
    with config_context(display="text"):
        assert not hasattr(model, "_repr_html_")
        assert set(model._repr_mimebundle_()) == {"text/plain"}


@pytest.mark.parametrize(
    "cls", [MMOEClassifier, MMOERegressor, ESMMClassifier, MultiTaskEstimator]
)
def test_the_links_are_those_of_the_site(cls):
    link = (
        f"https://sk-mtl.readthedocs.io/en/stable/generated/sk_mtl.{cls.__name__}.html"
    )
    assert cls()._get_doc_link() == link
    assert f'href="{link}"' in make_pipeline(cls())._repr_html_()


def test_parameters_of_the_model_come_first_in_the_diagram(model):
    page = MMOEClassifier()._repr_html_()
    shown = re.findall(r"copyToClipboard\('(\w+)'", page)
    assert shown[:2] == ["n_experts", "expert_hidden_sizes"]
