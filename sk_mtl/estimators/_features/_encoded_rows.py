"""The rows of a fit with their features encoded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from sklearn.utils import get_tags

from sk_mtl._equality import same_value
from sk_mtl.estimators._automatic._auto_choice import is_auto
from sk_mtl.estimators._automatic._network_rules import N_FOLDS
from sk_mtl.estimators._features._row_encoder import RowEncoder, fit_row_encoder
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._rows._held_out import HeldOutRows
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._member_folds import MemberFolds
from sk_mtl.estimators._rows._row_split import RowSplit
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._device import resolve_device
from sk_mtl.estimators._training._precision import DTYPES
from sk_mtl.estimators._training._random import FitSeed, training_state

# The parameters that determine the encoding of rows and labels.
_ENCODING = (
    *("preprocessor", "target_for_preprocessor", "categorical_features"),
    *("shared_embedding", "precision"),
    *("task_names", "missing_label", "pos_label", "task_types", "loss", "structure"),
)


@dataclass(frozen=True)
class EncodedRows:
    """Training rows and validation rows with encoded features.

    Attributes
    ----------
    parameters : FitParameters
        The parameters of the encoding, and the columns of X.

    encoder : RowEncoder
        The encoder, fitted on the training rows, which also encodes later rows.

    train : LabelledRows
        Labels and sample weights of the training rows; `X` are their arrays.

    valid : LabelledRows or None
        The same of the validation rows.

    held_out : HeldOutRows or None
        The rows that later fits must not train on.

    targets : Targets
        The tasks of the labels.

    is_given : bool
        Whether the validation rows are not a part of `X`.

    member_folds : MemberFolds or None
        The rows that each member must not train on.
    """

    parameters: FitParameters
    encoder: RowEncoder
    train: LabelledRows
    valid: LabelledRows | None
    held_out: HeldOutRows | None
    targets: Targets
    is_given: bool = False
    member_folds: MemberFolds | None = None

    def check_same_targets(self, targets: Targets) -> None:
        """Raise unless these are the targets of the labels."""
        found, own = f"a value of type {type(targets).__name__}", self.targets
        if isinstance(targets, Targets):
            if targets.task_names == own.task_names and same_value(
                targets.classes, own.classes
            ):
                return
            found = f"targets of {targets.task_names}, or of other classes"
        raise ValueError(
            "targets must come from the same call of encode_rows as the rows, whose "
            f"tasks are {own.task_names}; found {found}. Call "
            "fit_rows(*encode_rows(X, y))."
        )

    def check_same_encoding(self, parameters: FitParameters) -> None:
        """Raise if parameters require another encoding of the rows."""
        kinds = [
            get_tags(each).estimator_type for each in (parameters, self.parameters)
        ]
        if kinds[0] != kinds[1]:
            raise ValueError(
                "rows must come from encode_rows of an estimator of the same kind of "
                f"tasks; found rows of {type(self.parameters).__name__}. Encode them "
                f"with encode_rows of {type(parameters).__name__}."
            )
        for name in _ENCODING:
            wanted, found = (
                getattr(p, name, None) for p in (parameters, self.parameters)
            )
            if not same_value(wanted, found):
                raise ValueError(
                    f"{name} must be the one that the rows were encoded with, "
                    f"{found!r}; found {wanted!r}. Set it back, or encode the rows "
                    "anew."
                )
        if self.valid is None and parameters.early_stopping is True:
            raise ValueError(
                "early_stopping=True needs validation rows; found rows without. Encode "
                "the rows by an estimator with early_stopping=True, or with X_val and "
                "y_val."
            )
        self._check_same_folds(parameters)

    def _check_same_folds(self, parameters: FitParameters) -> None:
        """Raise if the members of an ensemble need other folds of the rows."""
        folds = self.member_folds
        found = None if folds is None else folds.n_folds
        by_folds = parameters.member_rows == "folds"
        n_members = parameters.n_members
        wanted = N_FOLDS if is_auto(n_members) else n_members
        if found != (wanted if by_folds else None):
            has = "no folds" if found is None else f"{found} folds"
            raise ValueError(
                "rows must have a fold for each member where member_rows is 'folds', "
                f"and none elsewhere; found {has} for n_members={n_members!r} "
                f"and member_rows={parameters.member_rows!r}. Encode the rows with "
                "these parameters."
            )

    def weighted(self, parameters: FitParameters, targets: Targets) -> EncodedRows:
        """Return the rows with the weights of their classes."""
        train, valid = parameters._weight_rows(targets, self.train, self.valid)
        return replace(self, train=train, valid=valid)

    def tables(
        self, parameters: FitParameters, targets: Targets, device: torch.device
    ) -> tuple[TensorTable, TensorTable | None]:
        """Return the training rows and the validation rows as tensors on a device.

        Validation rows are scored by their labels alone, without soft labels.
        """
        dtype = DTYPES[parameters.precision]
        train = self.train.to_table(targets, dtype, device, parameters.distillation)
        return train, self.valid and self.valid.to_table(targets, dtype, device)


def encode_rows(
    parameters: FitParameters,
    state: FitState | None,
    targets: Targets,
    split: RowSplit,
    seed: FitSeed,
) -> EncodedRows:
    """Return encoded rows; a first fit fits the encoder on the training rows."""
    # A preprocessor also ignores labels of classes with weight 0.
    train, _ = parameters._weight_rows(targets, split.train, None)
    with training_state(seed.value, resolve_device(parameters.device)):
        if state is None:
            encoder, arrays = fit_row_encoder(parameters, train, targets)
        else:
            encoder, arrays = state.encoder, state.encoder.encode(train.X)
        valid = split.valid
        if split.member_folds is not None:
            valid = valid and replace(valid, X=arrays)
        elif valid is not None:
            valid = replace(valid, X=encoder.encode(valid.X))
    train = replace(split.train, X=arrays)
    return EncodedRows(
        parameters=parameters._without_callbacks(),
        encoder=encoder,
        train=train,
        valid=valid,
        held_out=split.held_out,
        targets=targets,
        is_given=split.is_given,
        member_folds=split.member_folds,
    )
