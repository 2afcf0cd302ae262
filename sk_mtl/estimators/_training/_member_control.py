"""The control of an ensemble whose members are kept at their own best epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from sk_mtl.estimators._training._control import NonFiniteLossError, TrainingControl


@dataclass
class MemberControl(TrainingControl):
    """Keeper of the best weights of each member, by the member's own score.

    The weights of all members are stacked along the first axis, and a better epoch of a
    member replaces its slices of the kept copy. Training ends when no member has
    improved for `patience` epochs. The members train together, so a member that has
    stopped improving costs nothing more while others improve, and is kept at a later
    epoch if that turns out better.

    Attributes
    ----------
    best_epochs : ndarray of shape (n_members,)
        The epoch whose weights are kept, by member; 0 before the first.

    best_scores : ndarray of shape (n_members,)
        The monitored value of that epoch.
    """

    best_epochs: np.ndarray = field(default=None, repr=False)
    best_scores: np.ndarray = field(default=None, repr=False)
    _references: np.ndarray = field(default=None, repr=False)

    def end_epoch(
        self,
        module: nn.Module,
        epoch: int,
        score: np.ndarray,
        train_loss: float | None = None,
    ) -> bool:
        """Record an epoch, given the score of each member; return whether to stop."""
        if self.best_scores is None:
            self._begin(score)
        better = self._gain(score, self.best_scores) > 0
        if better.any():
            self._keep_members(module, better)
        self.best_epochs[better], self.best_scores[better] = epoch, score[better]
        self.best_epoch = int(self.best_epochs.max())
        self.best_score = float(self.best_scores.mean())
        if self.schedule is not None:
            self.schedule(float(np.nanmean(score)))
        return self._all_out_of_patience(score)

    def members(self, before: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return columns about each member: its epoch, and its monitored value there.

        Members that an earlier fit dropped keep what it knew about them.
        """
        if self.best_epochs is None:
            return dict(before)
        found = {"best_epoch": self.best_epochs, self.monitor.name: self.best_scores}
        if "weight" not in before:
            return {**before, **found}
        kept, columns = before["weight"] > 0, dict(before)
        for name, values in found.items():
            columns[name] = np.array(before.get(name, np.full(len(kept), np.nan)))
            columns[name][kept] = values
        return columns

    def _begin(self, score: np.ndarray) -> None:
        undefined = np.flatnonzero(np.isnan(score))
        if len(undefined):
            raise ValueError(
                "monitor must be defined on the validation rows of each member; found "
                f"that {self.monitor.name!r} is NaN for {len(undefined)} of "
                f"{len(score)} members. Give more labels of every class of the "
                "monitored tasks, take fewer members, or set another monitor."
            )
        worst = -np.inf if self.monitor.greater_is_better else np.inf
        self.best_epochs = np.zeros(len(score), dtype=int)
        self.best_scores = np.full(len(score), worst)
        self._references = np.full(len(score), worst)

    def _gain(self, score: np.ndarray, than: np.ndarray) -> np.ndarray:
        gain = score - than if self.monitor.greater_is_better else than - score
        return np.nan_to_num(gain, nan=-np.inf, posinf=np.inf)

    @torch.no_grad()
    def _keep_members(self, module: nn.Module, better: np.ndarray) -> None:
        state = module.state_dict()
        if not all(bool(v.isfinite().all()) for v in state.values()):
            raise NonFiniteLossError
        if self._weights is None:
            self._weights = {name: value.clone() for name, value in state.items()}
            return
        own = set(module.own_names())
        for name, value in state.items():
            if name in own:
                self._replace(self._weights[name], value, better)

    def _replace(self, kept: Tensor, value: Tensor, better: np.ndarray) -> None:
        rows = torch.from_numpy(np.flatnonzero(better)).to(value.device)
        kept.index_copy_(0, rows, value.detach().index_select(0, rows))

    def _all_out_of_patience(self, score: np.ndarray) -> bool:
        improved = self._gain(score, self._references) > self.tol
        self._references = np.where(improved, score, self._references)
        self._misses = 0 if improved.any() else self._misses + 1
        return self.patience is not None and self._misses >= self.patience
