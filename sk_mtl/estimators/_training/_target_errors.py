"""The errors of a trained network, for the means of targets behind curves."""

from __future__ import annotations

import torch
from torch import nn

from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._evaluation import EVALUATION_BATCH
from sk_mtl.losses import Structure


def learn_errors(
    module: nn.Module, structure: Structure, targets: Targets, rows: TrainingRows
) -> Targets:
    """Return targets that know the errors of a network on its training rows.

    The rows are read only if the mean of some target depends on the errors.
    """
    if not any(column.needs_errors for column in targets.columns):
        return targets
    parts = []
    with torch.inference_mode():
        for batch in rows.batches(EVALUATION_BATCH, shuffle=False):
            answers = structure.answers(module(*batch.inputs).double())
            first = torch.stack([answer[:, 0] for answer in answers], 1)
            weight = torch.ones_like(batch.y) if batch.weight is None else batch.weight
            parts.append((first[:, : targets.n_tasks], batch.y.double(), weight))
    columns = (torch.cat(each).cpu().numpy() for each in zip(*parts, strict=True))
    return targets.with_errors(*columns)
