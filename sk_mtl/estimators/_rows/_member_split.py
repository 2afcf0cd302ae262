"""The split of checked rows by the members of an ensemble: a fold for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sk_mtl.estimators._features._supervised_steps import needs_labels
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._member_folds import (
    MemberFolds,
    find_folds,
    leave_out_unlearnt,
)
from sk_mtl.estimators._rows._row_split import RowSplit
from sk_mtl.estimators._rows._splitting import NoValidationRowsError
from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._targets._targets import Targets


def split_by_members(
    rows: LabelledRows,
    parameters: SharedParameters,
    targets: Targets,
    n_folds: int,
    seed: int,
    before: MemberFolds | None,
) -> RowSplit:
    """Return all rows as training rows and as validation rows, with their folds.

    Parameters
    ----------
    rows : LabelledRows

    parameters : SharedParameters

    targets : Targets

    n_folds : int
        The number of members.

    seed : int
        Seed of random folds.

    before : MemberFolds or None
        The folds of the fits before this one.
    """
    _check_parameters(parameters)
    method = parameters.validation_split
    folds = find_folds(rows, targets, method, n_folds, seed, before)
    train = replace(rows, folds=folds)
    valid = leave_out_unlearnt(train, folds, targets)
    _check_folds(valid.codes, train.codes, folds, n_folds, targets)
    known = MemberFolds.of(rows, folds, n_folds).joined(before)
    return RowSplit(train, valid, None, member_folds=known)


def refuse_given_rows(X_val) -> None:
    """Raise if validation rows are given besides the folds."""
    if X_val is not None:
        raise ValueError(
            "X_val must be None where member_rows is 'folds', since each member is "
            "validated on its fold of X; found validation rows. Set member_rows='all', "
            "or add these rows to X."
        )


def _check_parameters(wanted: SharedParameters) -> None:
    if wanted.n_members == 1:
        raise ValueError(
            "member_rows='folds' needs at least two members, each of which leaves out "
            "a fold; found n_members=1. Set n_members=4, or member_rows='all'."
        )
    if wanted.member_sharing != "none":
        raise ValueError(
            "member_sharing must be 'none' where member_rows is 'folds', since weights "
            "that members share would learn from every fold; found "
            f"{wanted.member_sharing!r}. Set member_sharing='none', or "
            "member_rows='all'."
        )
    if not wanted.early_stopping:
        raise ValueError(
            "early_stopping must be True or 'auto' where member_rows is 'folds', whose "
            "folds decide when to stop; found False. Set early_stopping=True, or "
            "member_rows='all'."
        )
    if wanted.target_for_preprocessor is not None or needs_labels(wanted.preprocessor):
        raise ValueError(
            "preprocessor must not learn from labels where member_rows is 'folds', "
            "since it is fitted on the rows of all folds; found one that does. Drop "
            "its supervised steps and target_for_preprocessor, or set "
            "member_rows='all'."
        )


def _check_folds(
    valid: np.ndarray,
    train: np.ndarray,
    folds: np.ndarray,
    n_folds: int,
    targets: Targets,
) -> None:
    """Raise if a member has nothing to learn a task from, or no label to stop by."""
    labelled = ~np.isnan(train)
    for k, name in enumerate(targets.task_names):
        if len(np.unique(folds[labelled[:, k]])) < 2:
            raise NoValidationRowsError(
                f"Task {name!r} must have labels in at least two folds where "
                f"member_rows is 'folds'; found {labelled[:, k].sum()} labelled rows, "
                "all in the same fold. Drop the task, or set member_rows='all'."
            )
    to_stop = np.unique(folds[(~np.isnan(valid)).any(axis=1)])
    empty = np.setdiff1d(np.arange(n_folds), to_stop)
    if len(empty):
        raise NoValidationRowsError(
            "Every fold must hold labels with positive weight, of classes that other "
            f"folds have, to decide when its member stops; found none in {len(empty)} "
            f"of {n_folds} folds. Take fewer members, or set member_rows='all'."
        )
