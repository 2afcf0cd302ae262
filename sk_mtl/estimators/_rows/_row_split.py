"""The split of checked rows into training rows and validation rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from sk_mtl._labels import label_list
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._rows._held_out import HeldOutRows
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._member_folds import MemberFolds
from sk_mtl.estimators._rows._splitting import NoValidationRowsError, validation_rows
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._random import isolated_random_state


@dataclass(frozen=True)
class SplitPolicy:
    """The decision whether and how rows are held out.

    Attributes
    ----------
    method : "random", "last" or a scikit-learn splitter

    fraction : float
        The share of validation rows.

    holds_out : bool
        Whether rows are held out. If not, rows that an earlier fit held out still are,
        where `is_auto`.

    is_auto : bool
        Whether the fit chose so by itself. If so, it trains on all rows where none can
        be held out.
    """

    method: Any
    fraction: float
    holds_out: bool
    is_auto: bool = False


class RowSplit(NamedTuple):
    """Training rows, and validation rows that decide when to stop.

    Attributes
    ----------
    train : LabelledRows

    valid : LabelledRows or None

    held_out : HeldOutRows or None
        The rows that this fit and the fits before it held out.

    is_given : bool
        Whether the validation rows are not a part of `X`.

    member_folds : MemberFolds or None
        The folds of this fit and the fits before it. With them, the training rows are
        also the validation rows, without labels that decide nothing.
    """

    train: LabelledRows
    valid: LabelledRows | None
    held_out: HeldOutRows | None
    is_given: bool = False
    member_folds: MemberFolds | None = None

    def checked(self, targets: Targets) -> RowSplit:
        """Return the split of a first fit, or raise if a part cannot be used.

        Labels of classes that no training row has are left out of the validation rows.
        """
        if self.valid is None or self.member_folds is not None:
            return self
        check_training_part(self.train, targets)
        valid = without_untrained_classes(self.valid, self.train, targets)
        check_labelled(valid, "The validation part of y")
        return self._replace(valid=valid)


def split_rows(
    rows: LabelledRows,
    policy: SplitPolicy,
    targets: Targets,
    seed: int,
    before: HeldOutRows | None,
) -> RowSplit:
    """Return the training rows and the validation rows, or None for the latter.

    Parameters
    ----------
    rows : LabelledRows

    policy : SplitPolicy

    targets : Targets

    seed : int
        Seed of a random split.

    before : HeldOutRows or None
        The rows that the fits before this one held out.
    """
    if not (policy.holds_out or policy.is_auto):
        return all_train(rows, before)
    try:
        parts = before and before.find(rows, policy.fraction)
        # Rows that were held out stay held out in a smaller table, too.
        if parts is None and not policy.holds_out:
            return RowSplit(rows, None, before)
        parts = parts or _draw(rows, policy, targets, seed)
        train, valid = (rows.take(part) for part in parts)
        check_labelled(valid, "The validation part of y")
    except NoValidationRowsError as error:
        if not policy.is_auto:
            raise
        warn_user(
            f'early_stopping="auto" holds out no row, and all of them train. {error}',
            UserWarning,
        )
        return all_train(rows, before)
    return RowSplit(train, valid, HeldOutRows.of(rows, *parts).joined(before))


def all_train(
    rows: LabelledRows,
    before: HeldOutRows | None,
    valid: LabelledRows | None = None,
) -> RowSplit:
    """Return the split of a fit that trains on every row."""
    held_out = before and before.after_training(rows)
    return RowSplit(rows, valid, held_out, is_given=valid is not None)


def split_of_pass(
    rows: LabelledRows, held_out: HeldOutRows | None, folds: MemberFolds | None
) -> RowSplit:
    """Return the split of a pass without validation; members keep known folds."""
    if folds is not None:
        rows = replace(rows, folds=folds.find(rows))
    return RowSplit(rows, None, held_out, member_folds=folds)


def _draw(rows: LabelledRows, policy: SplitPolicy, targets: Targets, seed: int):
    # A splitter without a random_state of its own draws from NumPy's generator.
    with isolated_random_state(seed, torch.device("cpu")):
        return validation_rows(
            policy.method,
            targets.strata(rows.codes),
            rows.X,
            fraction=policy.fraction,
            groups=rows.groups,
            seed=seed,
        )


def check_labelled(rows: LabelledRows, what: str) -> None:
    """Raise if the validation rows have no label to decide when to stop."""
    if np.isnan(rows.codes).all():
        raise NoValidationRowsError(
            f"{what} must hold labels with positive weight, to decide when to stop; "
            "found none. Give labelled validation rows, or set early_stopping=False."
        )


def check_training_part(train: LabelledRows, targets: Targets) -> None:
    """Raise if the remaining training rows cannot be learnt from."""
    try:
        targets.check_counts(train.codes, train.weight)
    except ValueError as error:
        raise ValueError(
            f"Without the rows held out for validation too little is left. {error} Or "
            "hold out other rows (validation_split, validation_fraction), give X_val "
            "and y_val, or set early_stopping=False."
        ) from None


def without_untrained_classes(
    valid: LabelledRows, train: LabelledRows, targets: Targets
) -> LabelledRows:
    """Return validation rows without labels of classes that no training row has.

    Their loss would only measure how fast the network forgets the class.
    """
    codes = valid.codes.copy()
    for k, classes in enumerate(targets.classes):
        if classes is None:
            continue
        untrained = ~np.isnan(codes[:, k]) & ~np.isin(codes[:, k], train.codes[:, k])
        if untrained.any():
            found = label_list(classes[np.unique(codes[untrained, k]).astype(int)])
            warn_user(
                f"Every class of task {targets.task_names[k]!r} must be among the rows "
                f"that train; found {found} among the validation rows alone, "
                f"{untrained.sum()} of them. A class that is new there cannot be "
                "learnt, and its labels do not decide when to stop. Hold out other "
                'rows, for instance by validation_split="random", or set '
                "early_stopping=False.",
                UserWarning,
            )
            codes[untrained, k] = np.nan
    return replace(valid, codes=codes)
