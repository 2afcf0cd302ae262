"""The facts about rows, tasks and columns that decide the value of "auto"."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from sk_mtl.estimators._choices._task_losses import name_of
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.preprocessing import FeatureSchema

# A large vocabulary has more categories than this, with so many rows each on average,
# in a table of at least so many rows.
_LARGE, _LEARNABLE, _LOG_ROWS = 100, 5, 5_000
# More training rows than this show a network of the default's size the same thing
# often enough.
MANY_ROWS = 100_000


@dataclass(frozen=True)
class TaskFacts:
    """The labels of a task among the training rows.

    Attributes
    ----------
    name : hashable
        The name of the task.

    loss : str
        The name of its loss.

    n_labelled : int
        Training rows with a label.

    n_classes : int or None
        Number of classes; None for a task of numbers.

    n_rarest : int or None
        Labelled rows of the rarest class that has any; None for a task of numbers.
    """

    name: Hashable
    loss: str
    n_labelled: int
    n_classes: int | None = None
    n_rarest: int | None = None

    @classmethod
    def of(cls, column: TargetColumn, codes: np.ndarray) -> TaskFacts:
        """Return the facts of a task, given its codes, NaN where none is known."""
        codes = codes[~np.isnan(codes)]
        loss = name_of(column.loss).strip("'")
        classes = getattr(column, "classes", None)
        if classes is None:
            return cls(column.name, loss, len(codes))
        counts = np.bincount(codes.astype(np.int64))
        n_rarest = int(counts[counts > 0].min(initial=len(codes)))
        return cls(column.name, loss, len(codes), len(classes), n_rarest)


@dataclass(frozen=True)
class CategoryFacts:
    """An embedded column: categories, or sequences of them.

    Attributes
    ----------
    name : str
        The name of the column.

    n_categories : int
        Rows of its embedding table: its categories and the unknown one.

    rows_per_category : float
        Training rows per row of the table.

    table : int
        The number of its table; columns that share an embedding have the same one.

    is_sequence : bool
        Whether the column holds sequences of categories.
    """

    name: str
    n_categories: int
    rows_per_category: float
    table: int
    is_sequence: bool = False


@dataclass(frozen=True)
class Facts:
    """Facts about the data of a fit.

    A fit knows them in two stages. Before the rows are split they are a plan: without
    columns, and as if rows were held out, unless ``early_stopping=False``. Before the
    network is built they are complete.

    Attributes
    ----------
    n_rows : int
        Rows that `fit` was given, without rows of `X_val`.

    n_train : int
        Rows that train.

    n_held_out : int
        Rows that decide when to stop.

    validation_is_given : bool
        Whether these are rows of `X_val`.

    tasks : tuple of TaskFacts
        The tasks in the order of y.

    is_funnel : bool
        Whether tasks are the steps of a funnel.

    n_numeric : int
        Columns of numbers, indicators of missing numbers left out.

    categories : tuple of CategoryFacts
        The embedded columns.

    is_pass : bool
        Whether the rows are a part of more to come (`partial_fit`).
    """

    n_rows: int
    n_train: int
    n_held_out: int = 0
    validation_is_given: bool = False
    tasks: tuple[TaskFacts, ...] = ()
    is_funnel: bool = False
    n_numeric: int = 0
    categories: tuple[CategoryFacts, ...] = ()
    is_pass: bool = False

    @property
    def has_many_rows_of_classes(self) -> bool:
        """Training rows are many, of one whole fit, and all tasks are of classes."""
        classes = all(task.n_classes is not None for task in self.tasks)
        return self.n_train > MANY_ROWS and classes and not self.is_pass

    @property
    def large_vocabularies(self) -> tuple[str, ...]:
        """The columns of users, items and the like, with rows enough to learn them."""
        if self.n_train < _LOG_ROWS:
            return ()
        return tuple(
            column.name
            for column in self.categories
            if column.n_categories > _LARGE and column.rows_per_category >= _LEARNABLE
        )

    @classmethod
    def of_rows(
        cls,
        train: LabelledRows,
        targets: Targets,
        *,
        n_held_out: int = 0,
        validation_is_given: bool = False,
        is_funnel: bool = False,
    ) -> Facts:
        """Return the facts that the training rows and the tasks show."""
        return cls(
            n_rows=len(train) + (0 if validation_is_given else n_held_out),
            n_train=len(train),
            n_held_out=n_held_out,
            validation_is_given=validation_is_given,
            tasks=tuple(map(TaskFacts.of, targets.columns, train.codes.T)),
            is_funnel=is_funnel,
        )

    def planned(self, share: float) -> Facts:
        """Return the facts as if a share of the rows were held out."""
        n_held_out = round(share * self.n_rows)
        return replace(self, n_train=self.n_rows - n_held_out, n_held_out=n_held_out)

    def with_columns(self, schema: FeatureSchema) -> Facts:
        """Return the facts completed by the encoded columns."""
        columns = zip(
            schema.embedded_names,
            schema.cardinalities,
            schema.vocabularies,
            strict=True,
        )
        categories = tuple(
            CategoryFacts(
                name,
                n_categories,
                self.n_train / n_categories,
                table,
                is_sequence=position >= schema.n_categorical,
            )
            for position, (name, n_categories, table) in enumerate(columns)
        )
        n_numeric = len(schema.primary_numeric)
        return replace(self, n_numeric=n_numeric, categories=categories)
