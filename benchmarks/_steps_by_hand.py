"""The training steps of a default fit, written out by torch calls alone."""

import contextlib
import copy
from collections.abc import Iterator

import pandas as pd
import torch
import torch.nn.functional as F

from sk_mtl import MMOEClassifier


class StepsByHand:
    """The module of a fitted model of binary tasks, its loss, optimiser and average."""

    def __init__(self, model: MMOEClassifier, X: pd.DataFrame, y: pd.DataFrame) -> None:
        arrays = model.schema_.transform(model.preprocessor_, X)
        self.tables = [
            torch.from_numpy(part) for part in (arrays.codes, arrays.numeric)
        ]
        self.labels = torch.tensor(y.to_numpy("float32"))
        self.module = copy.deepcopy(model.net_.module_).train()
        lr = model.auto_["lr"].value if model.lr == "auto" else model.lr
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(),
            lr=lr,
            weight_decay=model.weight_decay,
            fused=True,
        )
        self.share = 1 - (model.weight_averaging or 0)
        state = self.module.state_dict().values()
        self.weights = [w for w in state if w.is_floating_point()]
        self.averages = [w.clone() for w in self.weights] if self.share < 1 else []

    def batches(self, size: int) -> Iterator[torch.Tensor]:
        """Return the rows of each batch of an epoch."""
        return iter(torch.randperm(len(self.labels)).split(size))

    def step(self, rows: torch.Tensor, *, bfloat16: bool = False) -> None:
        """Train on the rows."""
        codes, numeric = (table.index_select(0, rows) for table in self.tables)
        cast = torch.autocast("cpu", torch.bfloat16) if bfloat16 else _NOTHING
        with cast:
            logits = self.module(codes, numeric, ())
        target = self.labels.index_select(0, rows)
        losses = F.binary_cross_entropy_with_logits(logits.float(), target)
        self.optimizer.zero_grad()
        losses.backward()
        self.optimizer.step()
        if self.averages:
            with torch.no_grad():
                torch._foreach_lerp_(self.averages, self.weights, self.share)


_NOTHING = contextlib.nullcontext()
