"""The base of wirings with several levels of task and shared experts."""

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, NamedTuple, Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._experts._experts import Experts, Gates
from sk_mtl.nn._experts._gate_head import GateFactory
from sk_mtl.nn._experts._grouped import (
    GroupedExperts,
    GroupedGates,
    batched_beside,
    mix_own,
)
from sk_mtl.nn._layers import LayerOptions
from sk_mtl.nn._wirings._mixture_wiring import (
    MixtureWiring,
    among_all,
    numbered,
)


class LevelResults(NamedTuple):
    """The results of the experts of a level, and the weights to mix them.

    Parameters
    ----------
    tasks : Tensor of shape (n_samples, n_tasks, n_task_experts, width)
    shared : Tensor of shape (n_samples, n_shared_experts, width) or None
        None without shared experts.
    task_gates : Tensor of shape (n_samples, n_tasks, n_gated)
        The weights of each task's gate.
    shared_gate : Tensor of shape (n_samples, 1, n_experts) or None
        The weights of the shared gate over all experts, the tasks' experts first.
        None at the last level.
    penalty : Tensor of shape () or None
        The gates' term in the loss in training.
    """

    tasks: Tensor
    shared: Tensor | None
    task_gates: Tensor
    shared_gate: Tensor | None
    penalty: Tensor | None = None

    def mix_own(self) -> Tensor:
        """Return each task's mixture of its own experts and the shared ones.

        The gate's weights, (n_task_experts + n_shared_experts), start with the task's
        own experts.
        """
        sizes = [self.tasks.shape[2], self.shared.shape[1]]
        own, common = self.task_gates.split(sizes, 2)
        return torch.baddbmm(mix_own(own, self.tasks), common, self.shared)

    def mix_all(self, weights: Tensor) -> Tensor:
        """(n, n_gates, n_experts) -> (n, n_gates, width), of all experts."""
        tasks = self.tasks.flatten(1, 2)
        if self.shared is None:
            return torch.bmm(weights, tasks)
        sizes = [tasks.shape[1], self.shared.shape[1]]
        of_tasks, of_shared = weights.split(sizes, 2)
        return torch.baddbmm(torch.bmm(of_tasks, tasks), of_shared, self.shared)

    def mix_shared(self, weights: Tensor) -> Tensor:
        """(n, 1, n_experts) -> (n, width), as `mix_all` for a single gate.

        As a product of one row it would be several times slower.
        """
        n_tasks, n_own = self.tasks.shape[1:3]
        sizes = [n_tasks * n_own, self.shared.shape[1]]
        of_tasks, of_shared = weights.squeeze(1).split(sizes, 1)
        tasks = of_tasks.unflatten(1, (n_tasks, n_own)).unsqueeze(3) * self.tasks
        return tasks.sum((1, 2)) + (of_shared.unsqueeze(2) * self.shared).sum(1)


class LevelGates(nn.Module):
    """The gates of a level: one for each task, and a shared one before the last level.

    `LevelExperts` calls them, since they read the same rows as the experts.
    """

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        n_gated: int,
        n_experts: int,
        *,
        first: bool,
        shared: bool,
        **options: Any,
    ) -> None:
        super().__init__()
        kind = Gates if first else GroupedGates
        self.tasks = kind(in_width, n_tasks, n_gated, **options)
        self.shared = Gates(in_width, 1, n_experts, **options) if shared else None


class FirstLevelExperts(nn.Module):
    """shared (n, in_width), a level's gates -> `LevelResults`.

    At the first level all tasks' experts, the shared ones and all gates read the same
    rows, so their first layers are one dense layer.
    """

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        n_task_experts: int,
        n_shared_experts: int,
        hidden_sizes: Sequence[int],
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.sizes = [n_tasks * n_task_experts, n_shared_experts]
        self.every = Experts(in_width, sum(self.sizes), hidden_sizes, **layers)
        self.out_width = self.every.out_width

    def forward(self, tasks: Tensor, shared: Tensor, gates: LevelGates) -> LevelResults:
        """Return the results of all experts; ``tasks`` and ``shared`` are the same."""
        ways = [way for way in (gates.tasks, gates.shared) if way is not None]
        first, *scores = self.every.begin_beside(shared, *(way.first for way in ways))
        own, common = self.every.finish(first).split(self.sizes, 1)
        finished = [way.finish_with_penalty(each) for way, each in zip(ways, scores)]
        weights, penalties = zip(*finished)
        return LevelResults(
            own.unflatten(1, (self.n_tasks, -1)),
            common if self.sizes[1] else None,
            weights[0],
            weights[1] if len(weights) > 1 else None,
            add(*penalties),
        )


class LevelExperts(nn.Module):
    """tasks (n, n_tasks, in_width), shared (n, in_width), gates -> `LevelResults`.

    From the second level on every task has its own rows. Its experts and its gate read
    them, in one product batched over the tasks; the shared experts and the shared gate
    read the shared rows.
    """

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        n_task_experts: int,
        n_shared_experts: int,
        hidden_sizes: Sequence[int],
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.tasks = GroupedExperts(
            in_width, n_tasks, n_task_experts, hidden_sizes, **layers
        )
        self.shared = None
        if n_shared_experts:
            self.shared = Experts(in_width, n_shared_experts, hidden_sizes, **layers)
        self.out_width = self.tasks.out_width

    def forward(
        self, tasks: Tensor, shared: Tensor | None, gates: LevelGates
    ) -> LevelResults:
        """Return the results of the tasks' experts and of the shared experts."""
        first, scores = batched_beside(tasks, self.tasks.first, gates.tasks.first)
        own = self.tasks.finish(first)
        weights, penalty = gates.tasks.finish_with_penalty(scores)
        if self.shared is None:
            return LevelResults(own, None, weights, None, penalty)
        if gates.shared is None:
            return LevelResults(own, self.shared(shared), weights, None, penalty)
        first, scores = self.shared.begin_beside(shared, gates.shared.first)
        common = self.shared.finish(first)
        shared_weights, more = gates.shared.finish_with_penalty(scores)
        return LevelResults(own, common, weights, shared_weights, add(penalty, more))


class LevelWiring(MixtureWiring):
    """shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    The base of wirings whose levels hold experts of each task and shared ones. A
    subclass defines in `fuse` how a level's results become the next level's rows.

    Attributes
    ----------
    reaches_all : bool
        Whether a task's gate weighs the experts of all tasks, or its own and the
        shared ones.

    least_shared : int
        The smallest number of shared experts.
    """

    shared_by_members = ("experts",)
    reaches_all: ClassVar[bool]
    least_shared: ClassVar[int]

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        n_levels: int = 2,
        n_shared_experts: int = 2,
        n_task_experts: int = 2,
        expert_hidden_sizes: Sequence[int] = (32,),
        gate_hidden_sizes: Sequence[int] = (),
        gate: str | GateFactory = "softmax",
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        at_least("n_levels", n_levels, 1)
        at_least("n_shared_experts", n_shared_experts, self.least_shared)
        at_least("n_task_experts", n_task_experts, 1)
        self.n_tasks = n_tasks
        self.n_shared_experts, self.n_task_experts = n_shared_experts, n_task_experts
        n_experts = n_tasks * n_task_experts + n_shared_experts
        n_gated = n_experts if self.reaches_all else n_task_experts + n_shared_experts
        self.experts, self.gates = nn.ModuleList(), nn.ModuleList()
        for level in range(n_levels):
            kind = LevelExperts if level else FirstLevelExperts
            experts = kind(
                in_width,
                n_tasks,
                n_task_experts,
                n_shared_experts,
                expert_hidden_sizes,
                **layers,
            )
            gates = LevelGates(
                in_width,
                n_tasks,
                n_gated,
                n_experts,
                first=level == 0,
                shared=n_shared_experts > 0 and level < n_levels - 1,
                hidden_sizes=gate_hidden_sizes,
                activation=layers.get("activation", "relu"),
                gate=gate,
            )
            self.experts.append(experts)
            self.gates.append(gates)
            in_width = experts.out_width
        self.out_width = in_width

    @abstractmethod
    def fuse(self, level: int, results: LevelResults) -> tuple[Tensor, Tensor | None]:
        """Return the tasks' rows and the shared rows for the next level."""

    def task_weights(self, level: int, results: LevelResults) -> Tensor:
        """Return the weights of a level's task gates for the results of all experts."""
        if self.reaches_all:
            return results.task_gates
        own, shared = results.task_gates.tensor_split([self.n_task_experts], 2)
        return torch.cat([among_all(own), shared], 2)

    def forward(self, encoded: Encoded) -> Tensor:
        """Return each task's row after the last level."""
        return self._run(encoded)[0]

    def with_penalty(self, encoded: Encoded) -> tuple[Tensor, Tensor | None]:
        """Return each task's row, and the penalty of the gates of all levels."""
        tasks, levels = self._run(encoded)
        return tasks, add(*(each.penalty for each in levels))

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return each task's weights of the experts of all tasks and the shared ones.

        One tensor per level, (n_samples, n_tasks, n_experts). Shared gates, by which
        the shared experts of the next level read, are left out.
        """
        levels = self._run(encoded)[1]
        return [self.task_weights(level, each) for level, each in enumerate(levels)]

    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return the names of each task's experts, then of the shared ones."""
        names = numbered(task_names, self.n_task_experts)
        return [names + numbered(["shared"], self.n_shared_experts)] * len(self.gates)

    def _run(self, encoded: Encoded) -> tuple[Tensor, list[LevelResults]]:
        tasks = shared = encoded.shared
        levels = []
        for level, (experts, gates) in enumerate(zip(self.experts, self.gates)):
            levels.append(experts(tasks, shared, gates))
            tasks, shared = self.fuse(level, levels[-1])
        return tasks, levels


def add(*penalties: Tensor | None) -> Tensor | None:
    """Return the sum of penalties, or None if there are none."""
    found = [each for each in penalties if each is not None]
    return torch.stack(found).sum() if found else None


def at_least(name: str, found: int, least: int) -> None:
    """Raise for a number of levels or experts that leaves nothing to learn."""
    if found < least:
        raise ValueError(
            f"{name} must be at least {least}; found {found}. Give {least} or more."
        )
