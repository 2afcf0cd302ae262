"""Folds of the training rows, of which each member of an ensemble leaves out one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import RandomState

from sk_mtl._groups import group_numbers
from sk_mtl._stratification import (
    joint_labels,
    stratified_group_parts,
    stratified_parts,
)
from sk_mtl.estimators._rows._held_out import row_keys
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._splitting import NoValidationRowsError
from sk_mtl.estimators._targets._targets import Targets

#: The fold of a row that every member trains on.
NO_FOLD = -1


@dataclass(frozen=True)
class MemberFolds:
    """The folds of rows, by keys that later fits recognise.

    The keys are as of `HeldOutRows`: rows, and groups where rows come in groups.

    Attributes
    ----------
    n_folds : int

    rows, groups : tuple of two ndarray
        Sorted keys, and the fold of each; `groups` are empty without groups.
    """

    n_folds: int
    rows: tuple[np.ndarray, np.ndarray]
    groups: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, rows: LabelledRows, folds: np.ndarray, n_folds: int) -> MemberFolds:
        """Return the keys of rows with their folds."""
        row_key, group_key = row_keys(rows)
        groups = _EMPTY if group_key is None else _sorted(group_key, folds)
        return cls(n_folds, _sorted(row_key, folds), groups)

    def find(self, rows: LabelledRows) -> np.ndarray:
        """Return the fold of each row, `NO_FOLD` for rows that were not there."""
        row_key, group_key = row_keys(rows)
        if group_key is not None and len(self.groups[0]):
            return _look_up(group_key, *self.groups)
        return _look_up(row_key, *self.rows)

    def joined(self, before: MemberFolds | None) -> MemberFolds:
        """Return the folds of these rows and of the rows before them."""
        if before is None:
            return self
        return replace(
            self,
            rows=_sorted(*_both(before.rows, self.rows)),
            groups=_sorted(*_both(before.groups, self.groups)),
        )


def find_folds(
    rows: LabelledRows,
    targets: Targets,
    method: Any,
    n_folds: int,
    seed: int,
    before: MemberFolds | None,
) -> np.ndarray:
    """Return the fold of each row, from 0 to n_folds - 1.

    Parameters
    ----------
    rows : LabelledRows

    targets : Targets

    method : "random" or a scikit-learn splitter
        ``"random"`` stratifies over the labels of all tasks, and keeps groups together.
        A splitter provides as many splits, whose test rows are the folds.

    n_folds : int

    seed : int

    before : MemberFolds or None
        The folds of the fits before this one, which rows keep. Rows that are new are
        drawn.
    """
    if before is not None:
        known = before.find(rows)
        if (known != NO_FOLD).any():
            return _with_new_rows(known, rows, n_folds, RandomState(seed))
    labels = targets.strata(rows.codes)
    labels = np.where(np.isnan(labels), -1, labels).astype(np.int64)
    if not isinstance(method, str):
        return _folds_of_splitter(method, rows, joint_labels(labels), n_folds)
    if method == "last":
        raise ValueError(
            "validation_split must be 'random' or a splitter where member_rows is "
            "'folds', since only one fold is behind all other rows; found 'last'. Set "
            "member_rows='all'."
        )
    rng = RandomState(seed)
    if rows.groups is None:
        _check_enough(len(labels), "rows", n_folds)
        sizes = np.full(n_folds, len(labels) // n_folds)
        sizes[: len(labels) % n_folds] += 1
        return stratified_parts(labels, sizes, rng=rng)
    numbers = group_numbers(rows.groups)
    _check_enough(numbers.max() + 1, "groups", n_folds)
    return stratified_group_parts(
        labels, numbers, np.full(n_folds, 1 / n_folds), rng=rng
    )


def leave_out_unlearnt(
    rows: LabelledRows, folds: np.ndarray, targets: Targets
) -> LabelledRows:
    """Return the rows without labels that cannot be learnt from the other folds.

    Of a class that only one fold has, these labels would only measure how fast its
    member forgets the class. They still train the other members.
    """
    codes = rows.codes.copy()
    for k, classes in enumerate(targets.classes):
        if classes is None:
            continue
        for number in np.unique(codes[~np.isnan(codes[:, k]), k]):
            own = codes[:, k] == number
            if len(np.unique(folds[own])) == 1:
                codes[own, k] = np.nan
    return replace(rows, codes=codes)


def _with_new_rows(
    known: np.ndarray, rows: LabelledRows, n_folds: int, rng: RandomState
) -> np.ndarray:
    """Return the folds, drawn where they are not known; a group has one fold."""
    units = np.arange(len(known))
    if rows.groups is not None:
        units = group_numbers(rows.groups)
    drawn = rng.permutation(units.max() + 1) % n_folds
    return np.where(known == NO_FOLD, drawn[units], known)


def _folds_of_splitter(
    splitter, rows: LabelledRows, labels: np.ndarray, n_folds: int
) -> np.ndarray:
    splits = list(splitter.split(rows.X, labels, rows.groups))
    folds = np.full(len(rows), NO_FOLD)
    tested = [test for _, test in splits]
    for number, test in enumerate(tested):
        folds[test] = number
    n_tested = sum(map(len, tested))
    if len(splits) != n_folds or n_tested != len(rows) or (folds == NO_FOLD).any():
        raise ValueError(
            "validation_split must test every row once, in a split per member, where "
            f"member_rows is 'folds'; found {len(splits)} splits that test {n_tested} "
            f"of {len(rows)} rows for {n_folds} members. Set n_members to the number "
            "of splits, or validation_split='random'."
        )
    return folds


def _check_enough(n_found: int, what: str, n_folds: int) -> None:
    if n_found < n_folds:
        raise NoValidationRowsError(
            f"member_rows='folds' needs at least as many {what} as members; found "
            f"{n_found} {what} for n_members={n_folds}. Take fewer members, or set "
            "member_rows='all'."
        )


_EMPTY = (np.array([], dtype=np.uint64), np.array([], dtype=np.int16))


def _sorted(keys: np.ndarray, folds: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct keys in their order, and the fold of each."""
    unique, first = np.unique(keys, return_index=True)
    return unique, np.asarray(folds)[first].astype(np.int16)


def _both(before: tuple, now: tuple) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([before[0], now[0]]), np.concatenate([before[1], now[1]])


def _look_up(keys: np.ndarray, known: np.ndarray, folds: np.ndarray) -> np.ndarray:
    if not len(known):
        return np.full(len(keys), NO_FOLD)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[place] == keys, folds[place], NO_FOLD).astype(np.int64)
