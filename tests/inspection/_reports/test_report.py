"""The page of HTML: its sections, its file, its segments."""

import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sk_mtl import MMOEClassifier, MultiTaskEstimator
from sk_mtl.inspection import report
from tests.estimators.common import PLAIN, QUICK, refuse

_VOID = {"meta", "img"}


class Checked(HTMLParser):
    """A parser that finds tags that are not closed."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(autouse=True, scope="module")
def coarse_pictures():
    """Draw pictures of few pixels, which takes a fraction of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sk_mtl.inspection._reports._html_page._DPI", 20)
        yield


def sections(page):
    return re.findall(r'<h2 id="s\d+">([^<]+)</h2>', page)


@pytest.fixture(scope="module")
def page(model, table):
    """Return the page of a model."""
    return report(model, *table, n_repeats=1, title="A <model>")


def test_page_has_every_section(page):
    assert sections(page) == [
        *("Tasks", "Scores", "Calibration", "Segments", "Fit", "Gates"),
        *("Importances", "Columns", "Parameters and versions"),
    ]


def test_page_is_whole_and_needs_no_connection(page):
    parser = Checked()
    parser.feed(page)
    assert parser.open == []
    assert "http" not in page
    assert "A &lt;model&gt;" in page
    images = re.findall(r'<img[^>]*alt="([^"]+)"[^>]*src="([^"]{22})', page)
    assert len(images) == 7
    assert {start for _, start in images} == {"data:image/png;base64,"}


def test_figures_are_closed(model, table):
    before = plt.get_fignums()
    report(model, *table, by=None, n_repeats=0)
    assert plt.get_fignums() == before


def test_segments_are_of_the_named_columns(model, table, page):
    header = "<th>{}</th>\n      <th>labelled rows</th>"
    assert header.format("town") in page
    assert header.format("plan") in page
    own = report(model, *table, by="age", n_repeats=0)
    assert header.format("age") in own
    assert header.format("town") not in own
    assert "Segments" not in sections(report(model, *table, by=None, n_repeats=0))


def test_page_is_written_to_a_file(model, table, tmp_path):
    path = report(model, *table, tmp_path / "page.html", by=None, n_repeats=0)
    assert path == tmp_path / "page.html"
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_funnel_has_the_rates_of_its_steps(funnel):
    page = report(*funnel, by=None, n_repeats=0)
    assert "Rates of the steps" in page
    assert "Gates" not in sections(page)


def test_tasks_of_numbers_have_no_curves(table):
    X, _ = table
    X = X[["age", "visits"]]
    y = pd.DataFrame({"spend": 2 * X["age"] + X["visits"]})
    model = MultiTaskEstimator(n_members=1, **QUICK, **PLAIN).fit(X, y)
    page = report(model, X, y, n_repeats=0)
    assert "Calibration" not in sections(page)
    assert "<th>r2</th>" in page


def test_unfitted_model_and_unknown_columns_are_refused(model, table):
    with pytest.raises(NotFittedError):
        report(MMOEClassifier(), *table)
    refuse(
        lambda: report(model, *table, by="twon"),
        "by must be a column of X, one of ['age', 'visits', 'town', 'plan'], or an "
        "array with a value for each row; found 'twon'. Did you mean 'town'?",
    )
