"""The rules of "auto" for the parameters of the network.

A rule takes the facts and the parameters, of which those that were resolved before it
are concrete, and returns a value with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from sk_mtl.estimators._automatic._auto_choice import AutoChoice
from sk_mtl.estimators._automatic._auto_n_bins import auto_n_bins
from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._fit_parameters import FitParameters

# Tables of more numbers (rows times width) train by sparse gradients: about where they
# begin to pay in benchmarks/huge_table.py.
SPARSE_SIZE = 4_000_000

# Members that leave out a fold each.
N_FOLDS = 4


def choose_embedding_dim(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the width of embeddings: a number, or a dict with one for each column."""
    return AutoChoice(8, "the usual width")


def choose_embedding_l2(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the strength of the L2 penalty of embedding tables."""
    return AutoChoice(0.0, "no penalty")


def choose_numeric_embedding(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the embeddings of numbers by name, or None."""
    if not facts.n_numeric:
        return AutoChoice(None, "no column is numeric")
    return AutoChoice("bins", "bins learn functions of any form")


def choose_n_bins(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the number of bins of each number."""
    reason = f"one bin per 150 of {facts.n_train:,} rows, from 4 to 64"
    return AutoChoice(auto_n_bins(facts.n_train), reason)


def choose_interaction(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the interaction by name, or None."""
    return AutoChoice("cross", "a cross layer learns joint effects of columns")


def choose_sparse_embedding(
    facts: Facts, wanted: FitParameters, widths: Sequence[int]
) -> AutoChoice:
    """Choose the columns whose tables have sparse gradients.

    `widths` are the widths of the embedded columns.
    """
    if wanted.n_members > 1 and wanted.member_sharing == "none":
        return AutoChoice((), "every member has tables of its own")
    large = tuple(
        column.name
        for column, width in zip(facts.categories, widths, strict=True)
        if column.n_categories * width > SPARSE_SIZE
    )
    found = "some tables hold" if large else "no table holds"
    return AutoChoice(large, f"{found} more than {SPARSE_SIZE:,} numbers")


def choose_dropout(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the share of hidden units that are zeroed."""
    return AutoChoice(0.1, "the usual share")


def choose_batch_norm(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose to normalise if there are more rows than the model's own threshold."""
    above = wanted._model().batch_norm_above
    normalised = facts.n_train > above
    found = "more than" if normalised else "at most"
    return AutoChoice(normalised, f"{facts.n_train:,} rows, {found} {above:,}")


def choose_n_members(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the number of networks whose answers are averaged."""
    if wanted.member_rows == "folds":
        # Chosen before the rows are divided, so no other fact can count.
        return AutoChoice(N_FOLDS, "each leaves out a quarter of the rows")
    return AutoChoice(1, "the fastest")
