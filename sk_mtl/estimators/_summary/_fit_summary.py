"""The summary of a fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

import pandas as pd

from sk_mtl.estimators._automatic._auto_choice import AutoChoice
from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._summary._weight_counts import count_weights


@dataclass(frozen=True, eq=False, repr=False)
class FitSummary:
    """The summary of a fit, which `summary` of a fitted estimator returns.

    Printed, it is a text of three tables; a notebook shows them as HTML.

    Attributes
    ----------
    model : str
        The name of the estimator's class.

    training : DataFrame
        Index `fact`: rows that trained and that were held out, epochs trained and the
        one whose weights were kept, the reason why training ended, and the seconds from
        the start of `fit` to the end of training. Column `value`.

    choices : DataFrame
        Index `parameter`: the parameters that were "auto". Columns `value` and
        `reason`.

    weights : DataFrame
        Index `part`: paths of modules in ``net_.module_``, and "all". Columns: the
        number of `weights`, of those that are `shared` by several tasks, and those on
        which the logits of a single task depend, by its name.
    """

    model: str
    training: pd.DataFrame
    choices: pd.DataFrame
    weights: pd.DataFrame

    @classmethod
    def of(cls, model: str, state: FitState) -> FitSummary:
        """Return the summary of a fitted state."""
        net, facts = state.net, state.resolution.facts
        training = {
            "rows trained": f"{facts.n_train:,}",
            "rows held out": f"{facts.n_held_out:,}",
            "epochs trained": f"{net.n_epochs}",
            "epoch kept": f"{net.best_epoch}",
            "stopped by": net.stopped_by,
            "seconds": f"{net.seconds:.1f}",
            **_thinned(state),
        }
        return cls(
            model,
            pd.DataFrame({"value": pd.Series(training)}).rename_axis("fact"),
            _choices_frame(state.resolution.choices),
            count_weights(
                net.module_,
                state.structure,
                state.encoder.schema,
                state.targets.task_names,
            ),
        )

    def __repr__(self) -> str:
        """Return the tables as text."""
        parts = [
            f"{title}\n{_text(table)}"
            for title, table in self._sections()
            if len(table)
        ]
        return "\n\n".join([f"{self.model}, fitted", *parts])

    def _repr_html_(self) -> str:
        """Return the tables for a notebook."""
        parts = [
            f"<h4>{escape(title)}</h4>{table.rename_axis(None).to_html()}"
            for title, table in self._sections()
            if len(table)
        ]
        return f"<h3>{escape(self.model)}, fitted</h3>" + "".join(parts)

    def _sections(self) -> Iterator[tuple[str, pd.DataFrame]]:
        yield "Training", self.training
        yield 'Parameters that were "auto"', self.choices
        yield "Weights", self.weights.map("{:,}".format)


def _thinned(state: FitState) -> dict[str, str]:
    """Return the share of the negatives of a task that was kept, if not all were."""
    answering = state.parameters._answering_structure(state.structure, state.targets)
    thinning = answering.thinning
    if thinning is None:
        return {}
    return {
        f"negatives of {state.targets.task_names[thinning.task]} kept": (
            f"{thinning.rate:g}"
        )
    }


def _choices_frame(choices: Mapping[str, AutoChoice]) -> pd.DataFrame:
    rows = [(repr(choice.value), choice.reason) for choice in choices.values()]
    index = pd.Index(list(choices), name="parameter", dtype=object)
    return pd.DataFrame(rows, index=index, columns=["value", "reason"])


def _text(table: pd.DataFrame) -> str:
    """Return a table as text, its first and last columns to the left."""
    shown = table.rename_axis(None)
    names = list(shown.columns)
    if names == ["value"]:
        return shown.to_string(header=False)
    if names[-1] != "reason":
        return shown.to_string()
    width = max(map(len, shown["reason"]))
    return shown.to_string(
        formatters={"reason": f"{{:<{width}}}".format}, max_colwidth=None
    )
