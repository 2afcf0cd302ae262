"""A page of HTML about a fitted model."""

from datetime import date
from pathlib import Path

import pandas as pd

from sk_mtl._frames import as_pandas, column_names, is_frame
from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl.inspection._importance._importance_display import ImportanceDisplay
from sk_mtl.inspection._plots._fitted_model import model_and_rows
from sk_mtl.inspection._plots._funnel_display import FunnelDisplay
from sk_mtl.inspection._plots._gate_display import GateDisplay
from sk_mtl.inspection._plots._learning_curves import LearningCurves
from sk_mtl.inspection._plots._row_groups import MOST_GROUPS
from sk_mtl.inspection._plots._style import import_pyplot
from sk_mtl.inspection._plots._task_balance_display import TaskBalanceDisplay
from sk_mtl.inspection._plots._task_calibration import TaskCalibration
from sk_mtl.inspection._plots._task_precision_recall import TaskPrecisionRecall
from sk_mtl.inspection._plots._task_roc_curves import TaskRocCurves
from sk_mtl.inspection._reports._html_page import HtmlPage
from sk_mtl.inspection._reports._model_facts import (
    JudgedRows,
    changed_parameters,
    versions,
)

_MOST_SEGMENTED = 3


def report(
    estimator,
    X,
    y,
    path=None,
    *,
    by="auto",
    title=None,
    n_rows=2000,
    n_repeats=3,
    random_state=0,
):
    """Write a page of HTML about a fitted model, in one file.

    The page has the data, the columns that the network reads, what "auto" became, the
    history of the fit, scores by task and by segment, curves, calibration, gates,
    importances and versions. Tables and pictures are inside the file, which needs no
    connection.

    Parameters
    ----------
    estimator : estimator
        Fitted; a multi-task model, or a pipeline or search of one.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
        Rows that the model was not fitted to: all scores are of these rows.
    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left out.
    path : str or Path, default=None
        The file to write. None writes none.
    by : "auto", str, list of str or None, default="auto"
        Columns of X by whose values scores are shown. "auto" takes the first three with
        two to six categories; None shows no segments.
    title : str, default=None
        None is the name of the model and its tasks.
    n_rows : int, default=2000
        Rows, the first ones, that gates and importances are computed on.
    n_repeats : int, default=3
        Permutations of each column. 0 leaves importances out.
    random_state : int, RandomState instance or None, default=0
        Decides on the permutations.

    Returns
    -------
    page : str or Path
        The HTML, or the path of the file with it.

    See Also
    --------
    model_card : The short form in Markdown, which model hubs read.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import report
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[["age", "sex"]][:400], y["income"][:400]
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X[:200], y[:200])
    >>> page = report(model, X[200:], y[200:], n_repeats=0)
    >>> page.startswith("<!DOCTYPE html>"), "Scores" in page
    (True, True)
    """
    import_pyplot()
    model, X = model_and_rows("report", estimator, X, "summary")
    judged = JudgedRows(model, X, y)
    columns = _segment_columns(by, X)
    names = ", ".join(map(str, model.task_names_[:6]))
    more = "" if len(model.task_names_) <= 6 else " and others"
    page = HtmlPage(
        title or f"{type(model).__name__}: {names}{more}",
        f"{judged.n_samples:,} rows that the model is judged by · {date.today()}",
    )
    _add_data(page, judged)
    _add_scores(page, judged, columns)
    _add_fit(page, model)
    _add_gates(page, model, _safe_indexing(X, slice(0, n_rows)))
    if n_repeats:
        _add_importances(page, judged, n_rows, n_repeats, random_state)
    _add_schema(page, model)
    _add_versions(page, model)
    html = page.html()
    if path is None:
        return html
    path = Path(path)
    path.write_text(html, encoding="utf-8")
    return path


def _segment_columns(by, X):
    if by is None:
        return []
    if isinstance(by, str) and by != "auto":
        return [by]
    if not isinstance(by, str):
        return list(by)
    if not is_frame(X):
        return []
    table = as_pandas(X)
    few = [
        name
        for j, name in enumerate(column_names(X))
        if not pd.api.types.is_float_dtype(table.iloc[:, j])
        and _n_values(table.iloc[:, j]) in range(2, MOST_GROUPS + 1)
    ]
    return few[:_MOST_SEGMENTED]


def _n_values(column):
    try:
        return column.nunique()
    except TypeError:
        # Sequences are no categories.
        return 0


def _add_data(page, judged):
    page.section("Tasks")
    page.text(
        "Observed and predicted are shares of the positive class, or means of a task "
        "of numbers. Where they differ, the model promises too much or too little."
    )
    page.table(judged.tasks())


def _add_scores(page, judged, columns):
    page.section("Scores")
    page.table(judged.scores())
    if judged.has_binary_task():
        model, X, y = judged.model, judged.X, judged.y
        page.picture(TaskRocCurves.from_estimator(model, X, y), "ROC curves.")
        page.picture(
            TaskPrecisionRecall.from_estimator(model, X, y),
            "Precision and recall; dotted: the precision of chance.",
        )
        page.section("Calibration")
        page.text("Below the diagonal the model promises too much.")
        page.picture(
            TaskCalibration.from_estimator(model, X, y),
            "Observed shares against predicted probabilities, in ten bins.",
        )
        if hasattr(model, "predict_conditional_proba"):
            page.picture(
                FunnelDisplay.from_estimator(model, X, y),
                "Rates of the steps among all rows, by decile, with 95 % intervals.",
            )
    if columns:
        page.section("Segments")
        page.text(
            "A model can be right on average and wrong in a part of the rows: compare "
            "observed and predicted of each segment."
        )
        for column in columns:
            page.table(judged.segments(column), index=False)


def _add_fit(page, model):
    summary = model.summary()
    page.section("Fit")
    page.table(summary.training)
    page.picture(
        LearningCurves.from_estimator(model),
        "Losses by epoch; dotted: the epoch whose weights were kept.",
    )
    if len(model.task_names_) > 1:
        page.picture(
            TaskBalanceDisplay.from_estimator(model),
            "Training losses relative to their first epoch, and changing weights.",
        )
    if len(summary.choices):
        page.text('Parameters that were "auto":')
        page.table(summary.choices)
    page.text("Weights of the network, by part:")
    page.table(summary.weights)


def _add_gates(page, model, X):
    if hasattr(model, "predict_gates") and len(model.task_names_) > 1:
        page.section("Gates")
        page.picture(
            GateDisplay.from_estimator(model, X),
            "Weights with which tasks mix experts: means, and the middle 80 % of rows.",
        )


def _add_importances(page, judged, n_rows, n_repeats, random_state):
    page.section("Importances")
    some = slice(0, n_rows)
    display = ImportanceDisplay.from_estimator(
        judged.model,
        _safe_indexing(judged.X, some),
        judged.labels.iloc[some].set_axis(judged.names, axis=1),
        n_repeats=n_repeats,
        random_state=random_state,
    )
    page.picture(display, "Fall of each task's score when a column is permuted.")
    table = display.frame().pivot(index="column", columns="task", values="mean")
    table = table[list(dict.fromkeys(display.frame()["task"]))]
    page.table(table.sort_values(list(table), ascending=False, kind="stable"))


def _add_schema(page, model):
    page.section("Columns")
    page.text("What the network reads, in the order of the preprocessor's output.")
    page.table(model.schema_.frame().set_index("feature"))


def _add_versions(page, model):
    page.section("Parameters and versions")
    changed = changed_parameters(model)
    if changed:
        page.text("Parameters that differ from their defaults:")
        page.facts(changed)
    page.facts(versions())
