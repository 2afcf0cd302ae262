"""What more experts, tasks and members cost, beside the growth of the arithmetic.

A training step (forward, backward) is timed at the smallest and at the largest size.
Where the time grows by more than the counted floating-point operations, something
besides the products grows: a loop over experts or tasks, or a copy. Members are timed
in whole fits of the defaults on the first rows of Adult, by the fastest epoch.
"""

import argparse
import math

import numpy as np
import pandas as pd
import torch
from _report import write_report
from _timing import best_seconds
from torch.utils.flop_counter import FlopCounterMode

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.losses import IndependentStructure, TaskLoss
from sk_mtl.nn import FeatureEncoder, MMoE, MultiTaskNetwork, Towers

BATCH, N_CATEGORICAL, N_NUMERIC = 1024, 33, 7
MEMBER_BATCH, MEMBER_STEPS, MEMBER_ROUNDS = 256, 60, 3


def training_step(n_experts, n_tasks):
    """Return a function that runs one forward and backward pass."""
    torch.manual_seed(0)
    encoder = FeatureEncoder(
        [20] * N_CATEGORICAL, N_NUMERIC, embedding_dims=[8] * N_CATEGORICAL
    )
    wiring = MMoE(encoder.width, n_tasks, n_experts=n_experts)
    towers = Towers(wiring.out_width, [(32,)] * n_tasks, [1] * n_tasks)
    network = MultiTaskNetwork(encoder, wiring, towers)
    ones = torch.ones(n_tasks)
    loss = TaskLoss(IndependentStructure([2] * n_tasks), ones, ones)
    codes = torch.randint(0, 20, (BATCH, N_CATEGORICAL), dtype=torch.int32)
    numeric, y = torch.randn(BATCH, N_NUMERIC), torch.ones(BATCH, n_tasks)

    def step():
        network.zero_grad()
        loss(network(codes, numeric), y).backward()

    return step


def count_operations(step):
    """Floating-point operations of the step's products."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def compare(label, small, large, n_rounds):
    """One row of the table."""
    steps = {"small": training_step(*small), "large": training_step(*large)}
    seconds = best_seconds(steps, n_rounds)
    time = seconds["large"] / seconds["small"]
    operations = count_operations(steps["large"]) / count_operations(steps["small"])
    ratio = time / operations
    cells = (f"{seconds[k] * 1e3:.2f}" for k in ("small", "large"))
    return label, *cells, f"{time:.2f}", f"{operations:.2f}", f"{ratio:.2f}"


def member_step_seconds(n_members, X, y):
    """Seconds of a training step of a default fit, in its fastest epoch."""
    model = MMOEClassifier(
        n_members=n_members,
        member_sharing="none",
        batch_size=MEMBER_BATCH,
        max_epochs=max(4, MEMBER_STEPS * MEMBER_BATCH // len(X)),
        early_stopping=False,
        random_state=0,
    ).fit(X, y)
    return model.history_["seconds"].min() / math.ceil(len(X) / MEMBER_BATCH)


def compare_members(n_rows, n_rounds):
    """One row of the table, of four members with nothing shared beside one network."""
    X, y = load_adult(return_X_y=True)
    rounds = [
        [member_step_seconds(n, X[:n_rows], y[:n_rows]) for n in (1, 4)]
        for _ in range(n_rounds)
    ]
    small, large = np.min(rounds, axis=0)
    time = large / small
    return (
        f"1 to 4 members, {n_rows:,} rows",
        *(f"{seconds * 1e3:.2f}" for seconds in (small, large)),
        *(f"{ratio:.2f}" for ratio in (time, 4, time / 4)),
    )


def main(n_rounds):
    rows = [
        compare("2 to 64 experts, 2 tasks", (2, 2), (64, 2), n_rounds),
        compare("2 to 32 tasks, 4 experts", (4, 2), (4, 32), n_rounds),
        compare("2 to 32 tasks, 16 experts", (16, 2), (16, 32), n_rounds),
        *(compare_members(n_rows, MEMBER_ROUNDS) for n_rows in (614, 20_000)),
    ]
    columns = [
        "",
        "ms small",
        "ms large",
        "time x",
        "operations x",
        "time / operations",
    ]
    write_report(
        "growth",
        "Growth with experts and tasks",
        pd.DataFrame(rows, columns=columns),
        notes=(
            f"One training step of {BATCH} rows, experts of 64, towers of 32; minimum "
            f"of {n_rounds} alternating runs. Members: a step of {MEMBER_BATCH} rows "
            f"of a default fit with the optimiser, in the fastest epoch of "
            f"{MEMBER_ROUNDS} alternating fits."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    main(parser.parse_args().rounds)
