"""The parameters of a fit with values in place of "auto"."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sk_mtl.estimators._automatic._auto_choice import AutoChoice, is_auto
from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._automatic._network_rules import (
    choose_batch_norm,
    choose_dropout,
    choose_embedding_dim,
    choose_embedding_l2,
    choose_interaction,
    choose_n_bins,
    choose_n_members,
    choose_numeric_embedding,
    choose_sparse_embedding,
)
from sk_mtl.estimators._automatic._training_rules import (
    choose_batch_size,
    choose_early_stopping,
    choose_lr,
    choose_max_epochs,
    choose_patience,
)
from sk_mtl.estimators._choices._numeric_embedding import NumericEmbedding
from sk_mtl.estimators._choices._numeric_embeddings import resolve_numeric_embeddings
from sk_mtl.estimators._features._embedding_widths import (
    numeric_width,
    resolve_embedding_dims,
)
from sk_mtl.estimators._features._named_features import by_feature
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.preprocessing import FeatureSchema

Rule = Callable[[Facts, FitParameters], AutoChoice]

#: In the order in which they are resolved: a rule sees the values of those before it.
_RULES: dict[str, Rule] = {
    "batch_size": choose_batch_size,
    "max_epochs": choose_max_epochs,
    "early_stopping": choose_early_stopping,
    "n_iter_no_change": choose_patience,
    "lr": choose_lr,
    "n_members": choose_n_members,
    "dropout": choose_dropout,
    "batch_norm": choose_batch_norm,
    "embedding_dim": choose_embedding_dim,
    "embedding_l2": choose_embedding_l2,
    "numeric_embedding": choose_numeric_embedding,
    "interaction": choose_interaction,
}
# Known before the rows are split, since they decide whether rows are held out.
_PLANNED = ("batch_size", "max_epochs", "early_stopping")
# A fit that continues chooses these anew, since it may have other rows.
_PER_FIT = frozenset({"batch_size", "early_stopping"})
# `partial_fit` does not read these.
_OF_WHOLE_FITS = frozenset({"max_epochs", "early_stopping", "n_iter_no_change"})

_NUMERIC = "numeric_embedding__"


@dataclass(frozen=True)
class Resolution:
    """The parameters of a fit with values in place of "auto", and their reasons.

    Attributes
    ----------
    parameters : FitParameters
        A copy of the estimator's parameters. `numeric_embedding` holds objects with
        concrete settings.

    choices : dict of str to AutoChoice
        The parameters that were "auto". A setting inside an object has a name such as
        ``"numeric_embedding__n_bins"``.

    facts : Facts
        The facts that decided them.
    """

    parameters: FitParameters
    choices: dict[str, AutoChoice]
    facts: Facts


def plans_to_hold_out(
    parameters: FitParameters, facts: Facts, before: Mapping[str, AutoChoice]
) -> bool:
    """Return whether rows should be held out, before they are split.

    Parameters
    ----------
    parameters : FitParameters

    facts : Facts
        Those of all rows.

    before : mapping of str to AutoChoice
        The choices of the fit that this one continues; empty for a first fit.
    """
    if is_auto(parameters.early_stopping) or parameters.early_stopping:
        facts = facts.planned(parameters.validation_fraction)
    wanted, _ = _apply(parameters, facts, before, _PLANNED)
    return bool(wanted.early_stopping)


def plan_members(
    parameters: FitParameters, facts: Facts, before: Mapping[str, AutoChoice]
) -> int:
    """Return the number of members, before the rows are divided among them.

    Facts and choices are as of `plans_to_hold_out`.
    """
    wanted, _ = _apply(parameters, facts, before, ("n_members",))
    return int(wanted.n_members)


def resolve(
    parameters: FitParameters,
    facts: Facts,
    schema: FeatureSchema,
    before: Mapping[str, AutoChoice] | None = None,
    *,
    is_pass: bool = False,
) -> Resolution:
    """Return the parameters of a fit with values in place of "auto".

    Parameters
    ----------
    parameters : FitParameters
        The parameters as given; they do not change.

    facts : Facts
        Those of the rows after the split.

    schema : FeatureSchema
        The encoded columns.

    before : mapping of str to AutoChoice or None, default=None
        The choices of the fit that this one continues, which it takes over. Only the
        batch size and the rows held out follow the new rows.

    is_pass : bool, default=False
        Whether the fit is one pass over some rows (`partial_fit`), whose number of
        epochs is not chosen.
    """
    facts, before = replace(facts.with_columns(schema), is_pass=is_pass), before or {}
    wanted, choices = _apply(parameters, facts, before, _RULES)
    if "early_stopping" in choices:
        stops = _describe_held_out(facts, choices["early_stopping"])
        choices["early_stopping"], wanted.early_stopping = stops, stops.value
    wanted.embedding_dim = _named_widths(wanted, facts, schema)
    widths = resolve_embedding_dims(wanted.embedding_dim, schema)
    if is_auto(wanted.sparse_embedding):
        sparse = before.get("sparse_embedding")
        sparse = sparse or choose_sparse_embedding(facts, wanted, widths)
        choices["sparse_embedding"] = sparse
        wanted.sparse_embedding = sparse.value
    embeddings = resolve_numeric_embeddings(wanted.numeric_embedding)
    settings = _numeric_settings(embeddings, wanted, facts, before)
    values = {name: choice.value for name, choice in settings.items()}
    wanted.numeric_embedding = tuple(each.resolve(**values) for each in embeddings)
    if is_pass:
        choices = {k: v for k, v in choices.items() if k not in _OF_WHOLE_FITS}
    inside = {_NUMERIC + name: choice for name, choice in settings.items()}
    return Resolution(wanted, choices | inside, facts)


def _apply(
    parameters: FitParameters,
    facts: Facts,
    before: Mapping[str, AutoChoice],
    names: Any,
) -> tuple[FitParameters, dict[str, AutoChoice]]:
    """Return a copy of the parameters in which those named are not "auto"."""
    wanted, choices = copy.copy(parameters), {}
    for name in names:
        if is_auto(getattr(wanted, name)):
            known = None if name in _PER_FIT else before.get(name)
            choices[name] = known or _RULES[name](facts, wanted)
            setattr(wanted, name, choices[name].value)
    return wanted, choices


def _describe_held_out(facts: Facts, plan: AutoChoice) -> AutoChoice:
    """Return whether rows were held out, with the reason if that was not the plan."""
    if bool(facts.n_held_out) == plan.value:
        return plan
    if plan.value:
        return AutoChoice(False, "no rows could be held out")
    return AutoChoice(True, "rows were held out before")


def _named_widths(wanted: FitParameters, facts: Facts, schema: FeatureSchema) -> Any:
    """Return `embedding_dim` with widths in place of "auto" inside a dict."""
    given = wanted.embedding_dim
    if not isinstance(given, Mapping) or not any(map(is_auto, given.values())):
        return given
    named = by_feature(given, schema, "embedding_dim", schema.embedded_names)
    chosen = choose_embedding_dim(facts, wanted).value
    if not isinstance(chosen, Mapping):
        chosen = dict.fromkeys(schema.embedded_names, chosen)
    return {
        name: chosen.get(name, "cardinality") if is_auto(width) else width
        for name, width in named.items()
    }


def _numeric_settings(
    embeddings: tuple[NumericEmbedding, ...],
    wanted: FitParameters,
    facts: Facts,
    before: Mapping[str, AutoChoice],
) -> dict[str, AutoChoice]:
    """Return the settings that are "auto" in any embedding of the numbers."""
    found = set()
    for embedding in embeddings if facts.n_numeric else ():
        names = embedding.automatic_settings
        found |= {name for name in names if is_auto(getattr(embedding, name))}
    choices = {}
    if "n_bins" in found:
        choices["n_bins"] = choose_n_bins(facts, wanted)
    if "width" in found:
        width = numeric_width(wanted.embedding_dim)
        choices["width"] = AutoChoice(width, "the width of embedded categories")
    return {name: before.get(_NUMERIC + name, new) for name, new in choices.items()}
