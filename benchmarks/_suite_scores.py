"""How answers of the suite's tasks are scored, and how models are compared by them.

The main score of a task is larger for a better model and is that of a constant answer
at `CONSTANT`: AUC (of classes the mean, one against the rest), R2, the explained share
of the Poisson deviance, or the normalised Gini index of zero-inflated amounts.

Answers are a list with one array per task: (n_rows, n_classes) probabilities, columns
in the order of the sorted classes of the training rows, or (n_rows,) numbers.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from _suite import SuiteTable, Task
from _tables import expected_calibration_error
from sklearn.metrics import r2_score, roc_auc_score

CONSTANT = {
    "binary": 0.5,
    "multiclass": 0.5,
    "regression": 0.0,
    "poisson": 0.0,
    "ziln": 0.0,
}
# The gap of a table counts at most so much in a mean over tables.
LARGEST_GAP = 0.03
# A table is behind where it loses by more.
LEVEL = 0.002
LEAST_PROBABILITY = 1e-7
N_BOOTSTRAP = 10_000


def score_answers(
    table: SuiteTable, train: np.ndarray, test: np.ndarray, answers: list[np.ndarray]
) -> pd.DataFrame:
    """Return the scores of a fit, one row per task.

    Columns: `main`; of classes `log_loss` (nats) and `skill`, the share of the log-loss
    of the training frequencies that is saved; of two classes `ece`, the expected
    calibration error. NaN where a column does not apply, or where test rows of one
    class leave the AUC undefined.
    """
    rows = []
    for task, answer in zip(table.tasks, answers, strict=True):
        labels = table.y[task.name]
        known = labels.iloc[train].dropna()
        has_label = labels.iloc[test].notna().to_numpy()
        y, p = labels.iloc[test].to_numpy()[has_label], np.asarray(answer)[has_label]
        if task.has_classes:
            scores = score_classes(task, y, p.astype(float), known)
        else:
            main = score_numbers(task, y.astype(float), p.astype(float), known.mean())
            scores = {"main": main}
        rows.append({"task": task.name, **scores})
    columns = ["main", "log_loss", "skill", "ece"]
    return pd.DataFrame(rows).set_index("task").reindex(columns=columns)


def score_classes(
    task: Task, y: np.ndarray, proba: np.ndarray, known: pd.Series
) -> dict[str, float]:
    """Return the scores of class probabilities; `known` are the training labels.

    The log-loss is of the rows whose class occurs in the training part.
    """
    classes = sorted(known.unique())
    scores = {"main": _mean_auc(task, y, proba, classes)}
    column = pd.Index(classes).get_indexer(y)
    seen = column >= 0
    p = np.clip(proba, LEAST_PROBABILITY, 1)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[seen, column[seen]]).mean()
    prior = known.value_counts(normalize=True)[classes].to_numpy()
    constant = -np.log(prior[column[seen]]).mean()
    scores["log_loss"] = loss
    scores["skill"] = 1 - loss / constant if constant > 0 else np.nan
    if len(classes) == 2 and seen.all():
        scores["ece"] = expected_calibration_error(column, p)
    return scores


def _mean_auc(task: Task, y: np.ndarray, proba: np.ndarray, classes: list) -> float:
    if len(classes) == 1:
        return CONSTANT[task.type]
    columns = [1] if task.type == "binary" else range(len(classes))
    aucs = [
        roc_auc_score(y == classes[k], proba[:, k])
        for k in columns
        if 0 < (y == classes[k]).sum() < len(y)
    ]
    return float(np.mean(aucs)) if aucs else np.nan


def score_numbers(task: Task, y: np.ndarray, answer: np.ndarray, mean: float) -> float:
    """Return the main score of numbers; `mean` is that of the training labels."""
    if task.type == "regression":
        return r2_score(y, answer)
    if task.type == "poisson":
        constant = np.full(len(y), mean)
        return 1 - _poisson_deviance(y, answer) / _poisson_deviance(y, constant)
    return _gini(y, answer) / _gini(y, y)


def _poisson_deviance(y: np.ndarray, mean: np.ndarray) -> float:
    """Return half the mean deviance; a mean of 0 counts as 1e-9."""
    ratio = np.where(y > 0, y, 1) / np.clip(mean, 1e-9, None)
    return float(np.mean(np.where(y > 0, y * np.log(ratio), 0) - (y - mean)))


def _gini(y: np.ndarray, score: np.ndarray) -> float:
    ordered = y[np.argsort(-score, kind="stable")]
    return (np.cumsum(ordered) / y.sum()).mean() - 0.5


def common_runs(frame: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return the lines of the tables and repeats of which every model has a run."""
    frame = frame[frame["model"].isin(models)]
    cells = frame.groupby(["table", "repeat"])["model"].transform("nunique")
    return frame[cells == len(models)]


def normalise(means: pd.DataFrame, constant: pd.Series) -> pd.DataFrame:
    """Return scores between 0, no better than a constant, and 1, the best model.

    Parameters
    ----------
    means : DataFrame
        Main scores, tasks by models.

    constant : Series
        By task the score of a constant. A task of which no model has learnt anything
        becomes a row of NaN.
    """
    best = means.max(axis=1) - constant
    scaled = means.sub(constant, axis=0).div(best.where(best > 0), axis=0)
    return scaled.clip(lower=0)


def rank_models(means: pd.DataFrame) -> pd.DataFrame:
    """Return ranks by task, 1 the best; equal scores share the mean of their ranks."""
    return means.rank(axis=1, ascending=False)


def over_tasks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the means over the tasks of each table, of an index (table, task)."""
    return frame.groupby(level="table").mean()


def bootstrap_interval(values: pd.Series, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by drawing tables with replacement."""
    values = values.dropna().to_numpy()
    draws = np.random.default_rng(seed).integers(
        len(values), size=(N_BOOTSTRAP, len(values))
    )
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def summarise_gaps(gaps: pd.Series) -> dict[str, float | int | str]:
    """Return the acceptance figures of gaps to LightGBM, one per table."""
    return {
        "mean": gaps.clip(-LARGEST_GAP, LARGEST_GAP).mean(),
        "worst": gaps.min(),
        "worst table": gaps.idxmin(),
        "not behind": int((gaps > -LEVEL).sum()),
        "tables": len(gaps),
    }
