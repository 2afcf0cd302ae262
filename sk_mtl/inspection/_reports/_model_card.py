"""A Markdown card of a fitted model, which model hubs read."""

import json
from pathlib import Path

import pandas as pd

from sk_mtl.inspection._plots._fitted_model import model_and_rows
from sk_mtl.inspection._reports._model_facts import (
    JudgedRows,
    changed_parameters,
    versions,
)

_MOST_FEATURES = 50
_TO_FILL_IN = "*To be filled in.*"


def model_card(
    estimator,
    X,
    y,
    path=None,
    *,
    name=None,
    description=None,
    intended_uses=None,
    limitations=None,
    license=None,
    dataset=None,
    authors=None,
    tags=(),
):
    """Return the card of a fitted model: Markdown with front matter in YAML.

    The front matter is what model hubs index, such as the Hugging Face Hub: licence,
    library, tags and the scores by task (`model-index`). What only its authors know
    about a model is left to be filled in unless it is given here.

    Parameters
    ----------
    estimator : estimator
        Fitted; a multi-task model, or a pipeline or search of one.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
        Rows that the model was not fitted to: the scores are of these rows.
    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left out.
    path : str or Path, default=None
        The file to write, usually ``README.md`` of the model's repository. None writes
        none.
    name : str, default=None
        Name of the model; None is its class and its tasks.
    description, intended_uses, limitations : str, default=None
        Sections of the card, in Markdown.
    license : str, default=None
        Identifier of the model's licence, such as ``"bsd-3-clause"``.
    dataset : str, default=None
        Name of the data that the scores are of.
    authors : str, default=None
    tags : sequence of str, default=()
        Further tags.

    Returns
    -------
    card : str
        The Markdown text.

    See Also
    --------
    report : The long form, with pictures.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import model_card
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[["age", "sex"]][:600], y[:600]
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X[:400], y[:400])
    >>> card = model_card(model, X[400:], y[400:], license="bsd-3-clause")
    >>> print("\\n".join(card.splitlines()[:3]))
    ---
    library_name: "sk-mtl"
    license: "bsd-3-clause"
    """
    model, X = model_and_rows("model_card", estimator, X, "summary")
    judged = JudgedRows(model, X, y)
    scores, tasks = judged.scores(), judged.tasks()
    names = ", ".join(map(str, model.task_names_[:6]))
    name = name or f"{type(model).__name__}: {names}"
    dataset = dataset or "unnamed"
    front = _front_matter(name, license, dataset, tags, judged, scores)
    summary = model.summary()
    changed = changed_parameters(model)
    parts = [
        f"---\n{front}---",
        f"# {name}",
        description or _described(model, tasks),
        "## Tasks",
        _markdown(tasks),
        "## Intended uses",
        intended_uses or _TO_FILL_IN,
        "## Limitations",
        limitations or _TO_FILL_IN,
        "## Scores",
        f"On {judged.n_samples:,} rows that the model was not fitted to"
        + (f", of {dataset}." if dataset != "unnamed" else "."),
        _markdown(scores),
        "## Training",
        _markdown(summary.training),
        "Parameters that differ from their defaults:" if changed else "",
        _markdown(_facts(changed, "parameter")) if changed else "",
        "## Columns",
        _features(model),
        "## Use",
        '```python\nimport joblib\n\nmodel = joblib.load("model.joblib")\n'
        "model.predict_frame(X)\n```",
        "Load files of people that you trust only: a pickle can run any code.",
        "## Versions",
        _markdown(_facts(versions(), "package")),
        f"## Authors\n\n{authors}" if authors else "",
    ]
    card = "\n".join(f"{part}\n" for part in parts if part)
    if path is not None:
        Path(path).write_text(card, encoding="utf-8")
    return card


def _front_matter(name, license, dataset, tags, judged, scores):
    """Return the front matter; JSON's values are YAML's, too."""
    pipeline = {
        "class": "tabular-classification",
        "number": "tabular-regression",
    }
    kinds = list(dict.fromkeys(judged.kinds))
    results = [
        {
            "task": {"type": pipeline[kind], "name": str(task)},
            "dataset": {"name": dataset, "type": "tabular"},
            "metrics": [
                {"type": metric, "value": round(float(value), 6)}
                for metric, value in scores.loc[task].dropna().items()
            ],
        }
        for task, kind in zip(judged.names, judged.kinds, strict=True)
    ]
    fields = {
        "library_name": "sk-mtl",
        "license": license,
        "pipeline_tag": pipeline[kinds[0]],
        "tags": ["sk-mtl", "multi-task-learning", *map(pipeline.get, kinds), *tags],
        "model-index": [{"name": name, "results": results}],
    }
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in fields.items()
        if value is not None
    )


def _described(model, tasks):
    n_tasks = len(tasks)
    return f"One network, a `{type(model).__name__}` of sk_mtl, with " + (
        "one task." if n_tasks == 1 else f"{n_tasks} tasks."
    )


def _facts(facts, name):
    series = pd.Series(facts, dtype=object)
    return pd.DataFrame({"value": series}).rename_axis(name)


def _features(model):
    table = model.schema_.frame().set_index("feature")[["kind", "cardinality"]]
    more = len(table) - _MOST_FEATURES
    text = _markdown(table[:_MOST_FEATURES])
    return text + (f"\nAnd {more} more." if more > 0 else "")


def _markdown(table):
    """Return a table in Markdown, the index as first column."""
    table = table.reset_index()
    rows = [list(map(str, table.columns)), ["---"] * table.shape[1]]
    rows += [list(map(_cell, row)) for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value):
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
