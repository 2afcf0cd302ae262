"""The least that one epoch of an MMoE can cost: what the estimator is measured against.

Tensors in memory, one embedding table with one lookup, experts and gates in one
product, fused Adam, whole batches by `index_select`. No validation, no history, no
checks: everything that a user would miss.
"""

import time

import torch
import torch.nn.functional as F
from torch import nn


class BareMMoE(nn.Module):
    """Codes that already carry their offset, numbers -> one logit per task."""

    def __init__(self, n_rows, n_categorical, n_numeric, n_tasks, sizes):
        super().__init__()
        dim, self.n_experts, self.hidden, tower = sizes
        self.n_tasks = n_tasks
        width = n_categorical * dim + n_numeric
        self.table = nn.Parameter(torch.randn(n_rows, dim) * 0.1)
        self.parts = [self.n_experts * self.hidden, n_tasks * self.n_experts]
        self.first = nn.Linear(width, sum(self.parts))
        self.tower_in = _uniform(n_tasks, self.hidden, tower)
        self.tower_bias = nn.Parameter(torch.zeros(n_tasks, 1, tower))
        self.tower_out = _uniform(n_tasks, tower, 1)
        self.bias = nn.Parameter(torch.zeros(n_tasks))

    def forward(self, codes, numeric):
        n = len(codes)
        x = torch.cat([F.embedding(codes, self.table).flatten(1), numeric], 1)
        experts, gates = self.first(x).split(self.parts, 1)
        experts = F.relu(experts).view(n, self.n_experts, self.hidden)
        gates = torch.softmax(gates.reshape(n, self.n_tasks, self.n_experts), 2)
        mixed = torch.bmm(gates, experts).transpose(0, 1)
        hidden = F.relu(torch.baddbmm(self.tower_bias, mixed, self.tower_in))
        return torch.bmm(hidden, self.tower_out).squeeze(2).t() + self.bias


class BareLoop:
    """Trains epoch by epoch on a device; `epoch()` returns its seconds.

    With `compile_mode`, a mode of `torch.compile`, the network is compiled:
    ``"reduce-overhead"`` replays it as CUDA graphs on a card.
    """

    def __init__(
        self,
        arrays,
        cardinalities,
        y,
        *,
        sizes,
        batch_size,
        lr,
        device="cpu",
        compile_mode=None,
    ):
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0).to(torch.int32)
        self.codes = (torch.from_numpy(arrays.codes) + offsets).to(device)
        self.numeric = torch.from_numpy(arrays.numeric).to(device)
        self.y = torch.tensor(y, dtype=torch.float32).to(device)
        self.net = BareMMoE(
            sum(cardinalities),
            len(cardinalities),
            self.numeric.shape[1],
            self.y.shape[1],
            sizes,
        ).to(device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=lr, fused=True)
        if compile_mode is not None:
            self.net.compile(mode=compile_mode)
        self.batch_size = batch_size

    def epoch(self):
        device = self.y.device
        start = time.perf_counter()
        for rows in torch.randperm(len(self.y), device=device).split(self.batch_size):
            codes = self.codes.index_select(0, rows)
            numeric = self.numeric.index_select(0, rows)
            logits = self.net(codes, numeric)
            loss = F.binary_cross_entropy_with_logits(
                logits, self.y.index_select(0, rows)
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        if device.type == "cuda":
            # A card works on after the last call has returned.
            torch.cuda.synchronize(device)
        return time.perf_counter() - start


def _uniform(*shape):
    bound = shape[1] ** -0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
