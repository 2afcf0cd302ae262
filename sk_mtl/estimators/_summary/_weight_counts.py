"""The number of weights of each part of a network, shared by tasks or of one task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from sk_mtl.losses import Structure
from sk_mtl.nn import NetworkEnsemble
from sk_mtl.preprocessing import FeatureSchema

# Random inputs: so many, and so far apart, that hardly any unit rests for all of them
# and hardly any expert is chosen for none.
_N_ROWS, _SPREAD = 256, 3.0
# Parts whose children are counted one by one.
_DIVIDED = ("encoder", "wiring")


def count_weights(
    module: nn.Module,
    structure: Structure,
    schema: FeatureSchema,
    task_names: Sequence,
) -> pd.DataFrame:
    """Return the number of weights by part of the network and by task.

    A weight is a task's own if the logits of no other task depend on it: the derivative
    of their logits is 0 for random inputs.

    Parameters
    ----------
    module : MultiTaskNetwork or NetworkEnsemble
        A trained network.

    structure : Structure
        The meaning of its logits.

    schema : FeatureSchema
        Its inputs.

    task_names : sequence

    Returns
    -------
    counts : DataFrame
        Index `part`: paths of modules, and "all". Columns: `weights`, `shared`, and the
        name of each task.
    """
    owners = _owners(module, structure, schema)
    counts: dict[str, np.ndarray] = {}
    for name, owner in owners.items():
        # Shared weights, which have the owner -1, come first.
        found = np.bincount(owner + 1, minlength=len(task_names) + 1)
        counts[_part_of(name)] = counts.get(_part_of(name), 0) + found
    table = pd.DataFrame.from_dict(
        counts, orient="index", columns=["shared", *map(str, task_names)]
    )
    # A task may have the name of another column.
    table.insert(0, "weights", table.sum(axis=1), allow_duplicates=True)
    table.loc["all"] = table.sum()
    return table.rename_axis("part")


def _part_of(name: str) -> str:
    """Return the part of the network that holds a parameter."""
    path = [
        each
        for each in name.removeprefix("network.").split(".")
        if not (each.isdigit() or each == "encoders")
    ]
    if path[0] in _DIVIDED and len(path) > 1:
        return ".".join(path[:2])
    return path[0]


def _owners(
    module: nn.Module, structure: Structure, schema: FeatureSchema
) -> dict[str, np.ndarray]:
    """Return the task of each number of each parameter, -1 if several tasks share it.

    A number that no task has used, such as a row of a table for a category that was not
    drawn, is of the tasks that use its row of the parameter, its column, or else the
    parameter.
    """
    parameters = {k: v for k, v in module.named_parameters() if v.requires_grad}
    stacked = ()
    if isinstance(module, NetworkEnsemble):
        stacked = module.member_parameter_names()
    device = next(iter(parameters.values())).device
    usage = {name: _Usage(each, name in stacked) for name, each in parameters.items()}
    with torch.enable_grad():
        inputs = _random_inputs(schema, next(iter(parameters.values())).dtype, device)
        (logits,) = module.each(lambda net, rows: [net.logits(rows)], *inputs)
        heads = logits.split(structure.head_widths, dim=-1)
        for task in range(structure.n_tasks):
            of_task = zip(structure.head_tasks, heads, strict=True)
            total = sum(head.sum() for k, head in of_task if k == task)
            gradients = torch.autograd.grad(
                total, list(parameters.values()), retain_graph=True, allow_unused=True
            )
            for each, gradient in zip(usage.values(), gradients, strict=True):
                each.add(task, gradient)
    return {name: each.owners() for name, each in usage.items()}


def _random_inputs(
    schema: FeatureSchema, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(0)

    def draw(n_codes: int, length: int) -> Tensor:
        return torch.randint(n_codes, (_N_ROWS, length), generator=generator)

    codes = [draw(n, 1) for n in schema.cardinalities[: schema.n_categorical]]
    codes = torch.cat([torch.empty(_N_ROWS, 0, dtype=torch.long), *codes], dim=1)
    numbers = torch.randn(_N_ROWS, schema.n_numeric, generator=generator, dtype=dtype)
    sequences = [draw(n, 3) for n in schema.cardinalities[schema.n_categorical :]]
    return (
        codes.to(device),
        (_SPREAD * numbers).to(device),
        tuple(each.to(device) for each in sequences),
    )


class _Usage:
    """Record of the tasks that use a parameter: number by number, and by its axes."""

    def __init__(self, parameter: Tensor, is_stacked: bool) -> None:
        self._is_stacked = is_stacked and parameter.dim() > 1
        shape = self._two_axes(parameter).shape
        self._n_users = np.zeros(shape, dtype=np.int16)
        self._owner = np.full(shape, -1)
        self._by_row: list[tuple[int, np.ndarray]] = []
        self._by_column: list[tuple[int, np.ndarray]] = []

    def add(self, task: int, gradient: Tensor | None) -> None:
        """Record a task, given the derivative of its logits."""
        if gradient is None:
            return
        if gradient.is_sparse:
            # As large as the table if it were dense: all rows are taken for one.
            is_used = np.zeros(self._owner.shape, dtype=bool)
            is_used[:] = bool((gradient.coalesce().values() != 0).any())
        else:
            is_used = (self._two_axes(gradient) != 0).cpu().numpy()
        self._n_users += is_used
        self._owner[is_used] = task
        self._by_row.append((task, is_used.any(axis=1)))
        self._by_column.append((task, is_used.any(axis=0)))

    def owners(self) -> np.ndarray:
        """Return the task of each number, -1 if several tasks share it or none has."""
        owner, known = self._owner.copy(), self._n_users > 0
        owner[self._n_users > 1] = -1
        for axis, found in ((1, self._by_row), (0, self._by_column)):
            n_users, only = _only_user(found, owner.shape[1 - axis])
            fits = np.expand_dims(n_users > 0, axis) & ~known
            owner = np.where(fits, np.expand_dims(only, axis), owner)
            known |= fits
        tasks = [task for task, rows in self._by_row if rows.any()]
        owner[~known] = tasks[0] if len(tasks) == 1 else -1
        return owner.ravel()

    def _two_axes(self, values: Tensor) -> Tensor:
        """Return the numbers with members and tasks along the first axis."""
        values = values.flatten(0, 1) if self._is_stacked else values
        return values.reshape(len(values), -1) if values.dim() else values.view(1, 1)


def _only_user(
    found: list[tuple[int, np.ndarray]], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of users of each row or column, and the user if it is one."""
    n_users, only = np.zeros(size, dtype=np.int64), np.full(size, -1)
    for task, is_used in found:
        n_users += is_used
        only[is_used] = task
    return n_users, np.where(n_users == 1, only, -1)
