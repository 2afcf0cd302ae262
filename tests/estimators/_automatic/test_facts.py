"""Facts about a small table, counted by hand."""

import numpy as np
import pandas as pd

from sk_mtl import MMOEClassifier, MultiTaskEstimator
from sk_mtl.estimators._automatic._facts import CategoryFacts, Facts, TaskFacts
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor


def labelled(model, y):
    targets = model._learn_targets(y)
    X = pd.DataFrame({"x": np.arange(len(y))})
    return LabelledRows.check(X, y, None, None, targets), targets


def test_labels_and_classes_are_counted_without_missing_ones():
    y = pd.DataFrame(
        {
            "plan": ["a", "b", "b", "c", "c", None],
            "spend": [0.5, 1.5, np.nan, np.nan, 2.5, 3.5],
        }
    )
    rows, targets = labelled(MultiTaskEstimator(), y)
    facts = Facts.of_rows(rows, targets, n_held_out=2)
    assert facts == Facts(
        n_rows=8,
        n_train=6,
        n_held_out=2,
        tasks=(
            TaskFacts("plan", "log_loss", 5, n_classes=3, n_rarest=1),
            TaskFacts("spend", "squared_error", 4),
        ),
    )


def test_given_rows_are_no_part_of_the_table():
    rows, targets = labelled(MMOEClassifier(), pd.DataFrame({"a": [0, 1, 1, 1]}))
    facts = Facts.of_rows(rows, targets, n_held_out=3, validation_is_given=True)
    assert (facts.n_rows, facts.n_train, facts.n_held_out) == (4, 4, 3)


def test_a_plan_holds_out_a_share():
    facts = Facts(n_rows=50, n_train=50).planned(0.1)
    assert (facts.n_rows, facts.n_train, facts.n_held_out) == (50, 45, 5)


def test_columns_are_counted():
    X = pd.DataFrame(
        {
            "age": [1.0, 2.0, np.nan, 4.0],
            "town": ["Oslo", "Rome", "Bonn", "Oslo"],
            "history": [["a"], ["a", "b"], [], ["b"]],
        }
    )
    preprocessor = make_tabular_preprocessor(X)
    arrays = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, arrays)
    facts = Facts(n_rows=12, n_train=12).with_columns(schema)
    # The indicator of a missing age is no column of numbers.
    assert facts.n_numeric == 1
    towns, items = schema.cardinalities
    assert facts.categories == (
        CategoryFacts("town", towns, 12 / towns, table=0),
        CategoryFacts("history", items, 12 / items, table=1, is_sequence=True),
    )
