"""The rules of "auto" for the parameters of the network.

A rule takes the facts and the parameters, of which those that were resolved before it
are concrete, and returns a value with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from sk_mtl.estimators._automatic._auto_choice import AutoChoice
from sk_mtl.estimators._automatic._auto_n_bins import auto_n_bins
from sk_mtl.estimators._automatic._facts import MANY_ROWS, Facts
from sk_mtl.estimators._fit_parameters import FitParameters

# Tables of more numbers (rows times width) train by sparse gradients: about where they
# begin to pay in benchmarks/huge_table.py.
SPARSE_SIZE = 4_000_000

# The members that leave out a fold each.
N_FOLDS = 4
# With more rows one network is level with the average of several.
MEMBER_ROWS = 50_000


def choose_embedding_dim(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the width of embeddings: a number, or a dict with one for each column."""
    large = facts.large_vocabularies
    if large:
        return AutoChoice(16, _many_categories(large))
    return AutoChoice(8, "no large vocabulary")


def choose_embedding_l2(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the strength of the L2 penalty of embedding tables."""
    large = facts.large_vocabularies
    if not large:
        return AutoChoice(0.0, "no large vocabulary")
    # Where users meet items, rare ones must be learnt for their products.
    return AutoChoice(1e-3 if len(large) == 1 else 1e-4, _many_categories(large))


def _many_categories(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"a large vocabulary: {names[0]}{more}"


def choose_numeric_embedding(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the embeddings of numbers by name, or None."""
    if not facts.n_numeric:
        return AutoChoice(None, "no column is numeric")
    if facts.n_train > MANY_ROWS:
        return AutoChoice("bins", f"more than {MANY_ROWS:,} rows show any step")
    return AutoChoice(["ple", "bins"], "bends and steps")


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
    """Choose the share of hidden units that are zeroed.

    Many rows regularise by themselves.
    """
    if facts.has_many_rows_of_classes:
        return AutoChoice(0.0, f"{facts.n_train:,} rows, more than {MANY_ROWS:,}")
    return AutoChoice(0.1, "the usual share")


def choose_batch_norm(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose to normalise if there are more rows than the model's own threshold."""
    above = wanted._model().batch_norm_above
    normalised = facts.n_train > above
    found = "more than" if normalised else "at most"
    return AutoChoice(normalised, f"{facts.n_train:,} rows, {found} {above:,}")


def _reads_losses(callback) -> bool:
    """Return whether a callback, or a pair of a name and one, reads losses by task."""
    each = callback[1] if isinstance(callback, tuple) else callback
    return hasattr(each, "on_losses_computed")


def choose_n_members(facts: Facts, wanted: FitParameters) -> AutoChoice:
    """Choose the number of networks whose answers are averaged."""
    if wanted.member_rows == "folds":
        # Chosen before the rows are divided, so no other fact can count.
        return AutoChoice(N_FOLDS, "each leaves out a quarter of the rows")
    if wanted.member_params is not None:
        return AutoChoice(16, "the best are kept")
    if facts.is_pass:
        return AutoChoice(1, "rows that come in parts may be many")
    if wanted.balancing is not None:
        return AutoChoice(1, "balancing may read the gradients of one network")
    if any(map(_reads_losses, wanted.callbacks or ())):
        return AutoChoice(1, "a callback reads the losses of one network")
    if wanted.sparse_embedding is True and wanted.member_sharing == "none":
        return AutoChoice(1, "tables of members of their own cannot be sparse")
    if facts.n_train > MEMBER_ROWS:
        return AutoChoice(1, f"more than {MEMBER_ROWS:,} rows, on which one is steady")
    return AutoChoice(4, f"{facts.n_train:,} rows, on which one network is unsteady")
