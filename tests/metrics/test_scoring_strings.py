"""The table of scikit-learn's scoring strings on the page "Evaluate"."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer, get_scorer_names

from sk_mtl.metrics import NUMBER_METRICS, TASK_METRICS, task_scorers
from tests.metrics.common import OneModelPerTask, random_tasks

PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text()
ROW = re.compile(r'^\| `"(\w+)"` \| (right|wrong|raises)\b[^|]*\|([^|]*)\|$', re.M)
TABLE = {name: (verdict, instead) for name, verdict, instead in ROW.findall(PAGE)}
OF_CLASSES = [name for name in TABLE if name not in NUMBER_METRICS]

X, RANDOM = random_tasks()
Y = RANDOM[["click", "buy"]].fillna(0).astype(int)
MODEL = OneModelPerTask().fit(X, Y)
#: Two numbers of one row each: greater than 0, as deviances need them.
NUMBERS = np.exp(X[["a", "b"]].to_numpy() / 5)
REGRESSOR = Ridge(alpha=50).fit(X, NUMBERS)


def score(name, model, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_scorer(name)(model, X, y)


def task_of(name):
    """Return the metric of this package that a scoring string means."""
    name = {"d2_log_loss_score": "normalized_entropy"}.get(name, name)
    return re.sub("_(macro|micro|weighted)$", "", name)


def test_the_table_is_found():
    assert len(TABLE) == 23
    assert {verdict for verdict, _ in TABLE.values()} == {"right", "wrong", "raises"}


@pytest.mark.parametrize("name", TABLE)
def test_verdict_of_a_string(name):
    if name not in get_scorer_names():
        pytest.skip("this scikit-learn does not know the string")
    verdict, _ = TABLE[name]
    is_number = name in NUMBER_METRICS
    model, y = (REGRESSOR, NUMBERS) if is_number else (MODEL, Y)
    metric = task_of(name)
    scores = task_scorers(metric, averages="mean")
    if metric == "top_k_accuracy":
        # Two classes are always among the two likeliest ones.
        scores = task_scorers("top_k_accuracy@1", averages="mean")
    right = list(scores(model, X, y).values())[-1]
    if verdict == "raises":
        with pytest.raises(ValueError):
            score(name, model, y)
    elif verdict == "right":
        assert score(name, model, y) == pytest.approx(right)
    else:
        right = 1 + right if name == "d2_log_loss_score" else right
        assert abs(score(name, model, y) - right) > 1e-3


@pytest.mark.parametrize("name", TABLE)
def test_what_is_named_instead_exists(name):
    verdict, instead = TABLE[name]
    assert bool(instead.strip()) == (verdict != "right")
    if instead.strip():
        found = re.fullmatch(r'`task_scorers\("(\w+)"\)`', instead.strip())
        assert found[1] in TASK_METRICS


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("kind", ["missing", "text", "three classes"])
def test_other_labels_make_every_string_raise(name, kind):
    y = {
        "missing": Y.astype(float).where(Y.index.to_numpy()[:, None] % 3 > [[0, -1]]),
        "text": Y.replace({0: "no", 1: "yes"}),
        "three classes": Y.assign(stars=RANDOM["stars"]),
    }[kind]
    model = OneModelPerTask().fit(X, y)
    with pytest.raises(ValueError):
        score(name, model, y)
    assert np.isfinite(task_scorers("roc_auc")(model, X, y)["roc_auc_mean"])
