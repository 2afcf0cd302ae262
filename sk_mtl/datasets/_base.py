"""Common parts of the bundled tables: checks, reading Parquet, labels, the Bunch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.utils import Bunch

SUBSETS = ("train", "test", "all")


class Task(NamedTuple):
    """A 0/1 label and the column that it is derived from.

    `is_positive` is asked once per category of the column, not once per row.
    """

    source: str
    is_positive: Callable[[str], bool]


@dataclass(frozen=True)
class BundledTable:
    """Description of one bundled table.

    Attributes
    ----------
    name : str
        Stem of the files in `data/` and `descr/`.
    tasks : mapping of str to Task
        The labels that can be asked for.
    weight : str or None
        The column that weights rows and is never a feature.
    train_only : mapping of str to str
        Columns with a category that the test file never uses. It is added, so that
        a column has the same categories, and hence codes, in every subset.
    """

    name: str
    tasks: Mapping[str, Task]
    weight: str | None = None
    train_only: Mapping[str, str] = field(default_factory=dict)

    def load(self, subset, tasks, return_X_y):
        """Return the answer of the public loader, once its arguments are checked."""
        self._check_subset(subset)
        self._check_tasks(tasks)
        rows = self._read(subset)
        target = pd.DataFrame({name: _labels(rows, self.tasks[name]) for name in tasks})
        weight = None if self.weight is None else rows.pop(self.weight)
        # Every column that a chosen label is derived from leaves X: one left behind
        # would give the label away.
        data = rows.drop(columns={self.tasks[name].source for name in tasks})
        if return_X_y:
            return data, target
        return Bunch(
            data=data,
            target=target,
            frame=pd.concat([data, target], axis=1),
            feature_names=list(data.columns),
            target_names=list(target.columns),
            sample_weight=weight,
            DESCR=_resource("descr", f"{self.name}.rst").read_text(encoding="utf-8"),
        )

    def _check_subset(self, subset):
        if not isinstance(subset, str) or subset not in SUBSETS:
            raise ValueError(
                f"subset must be one of {SUBSETS}; found {subset!r}. There is no "
                "official validation part: split subset='train', for instance with "
                "sklearn.model_selection.train_test_split."
            )

    def _check_tasks(self, tasks):
        known = tuple(self.tasks)
        required = f"tasks must be a tuple or list of names out of {known}"
        if isinstance(tasks, str):
            raise ValueError(
                f"{required}; found the string {tasks!r}. For a single task write "
                f"tasks=({tasks!r},)."
            )
        if not isinstance(tasks, tuple | list) or len(tasks) == 0:
            raise ValueError(
                f"{required}; found {tasks!r}. Write for instance tasks={known}."
            )
        unknown = [name for name in tasks if name not in known]
        if unknown:
            raise ValueError(
                f"{required}; found {unknown} which the {self.name} table does not "
                "have. Correct the spelling or leave them out."
            )
        if len(set(tasks)) < len(tasks):
            raise ValueError(
                f"{required}, each once; found {tuple(tasks)}. Drop the repetition."
            )

    def _read(self, subset):
        parts = ("train", "test") if subset == "all" else (subset,)
        table = pa.concat_tables([_read_parquet(f"{self.name}_{p}") for p in parts])
        # Without the stored pandas index, rows are always numbered from zero.
        # The copy is needed: Arrow shares the memory of some columns with pandas, which
        # then refuses to write to them.
        frame = table.unify_dictionaries().to_pandas(ignore_metadata=True).copy()
        for column, category in self.train_only.items():
            categories = frame[column].cat.categories.union([category], sort=True)
            frame[column] = frame[column].cat.set_categories(categories)
        return frame


def _labels(rows, task):
    column = rows[task.source]
    positive = [task.is_positive(category) for category in column.cat.categories]
    return np.array(positive, dtype=np.int64)[column.cat.codes]


def _resource(*path):
    return files("sk_mtl.datasets").joinpath(*path)


def _read_parquet(stem):
    with as_file(_resource("data", f"{stem}.parquet")) as path:
        return pq.read_table(path)
