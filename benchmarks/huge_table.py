"""A table of ten million rows: sparse gradients beside dense ones.

Four questions. How much faster is a training step, and does its memory grow with the
table? From which size on do sparse gradients pay, which is where
`sparse_embedding="auto"` takes them? What does it cost to keep the best weights? And
what of all this is left in a fit?
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _report import markdown_table, write_report
from _timing import best_seconds
from sklearn.compose import make_column_transformer
from torch import nn

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._training._control import TrainingControl
from sk_mtl.estimators._training._net import _MultiTaskNet
from sk_mtl.estimators._training._optimizers import optimizer_options
from sk_mtl.losses import IndependentStructure, TaskLoss
from sk_mtl.nn import FeatureEncoder, MMoE, MultiTaskNetwork, Towers
from sk_mtl.preprocessing import HashingEncoder, NumericScaler

BATCH, N_NUMERIC, N_TASKS = 1024, 5, 2
KINDS = {"dense": False, "sparse": True}


class Training:
    """A network with one large table, which several columns of a row may read."""

    def __init__(self, n_rows, sparse, width=8, n_reads=1):
        torch.manual_seed(0)
        encoder = FeatureEncoder(
            [n_rows] * n_reads,
            N_NUMERIC,
            embedding_dims=[width] * n_reads,
            vocabularies=[0] * n_reads,
            sparse=[sparse] * n_reads,
        )
        wiring = MMoE(encoder.width, N_TASKS)
        towers = Towers(wiring.out_width, [(32,)] * N_TASKS, [1] * N_TASKS)
        self.network = MultiTaskNetwork(encoder, wiring, towers)
        ones = torch.ones(N_TASKS)
        self.loss = TaskLoss(IndependentStructure([2] * N_TASKS), ones, ones)
        options = optimizer_options(
            "adamw",
            weight_decay=0.01,
            sparse_names=self.network.sparse_parameter_names(),
        )
        net = _MultiTaskNet(self.network, nn.Identity, lr=0.002, **options)
        self.optimizer = net.initialize().optimizer_
        self.shape = BATCH, n_reads
        self.n_rows = n_rows
        self.numeric = torch.randn(BATCH, N_NUMERIC)
        self.y = torch.ones(BATCH, N_TASKS)
        # The first step makes the averages, which are as large as the table.
        self.step()

    def step(self):
        """Train on a batch of its own rows, as a step of a fit does."""
        codes = torch.randint(self.n_rows, self.shape, dtype=torch.int32)
        self.optimizer.zero_grad()
        self.loss(self.network(codes, self.numeric), self.y).backward()
        self.optimizer.step()


def added_megabytes(run):
    """Return how far the memory of the process rises above where it is; Linux only."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return float("nan")
    reset.write_text("5")
    before = _kilobytes(status, "VmRSS")
    run()
    return (_kilobytes(status, "VmHWM") - before) / 1024


def _kilobytes(status, name):
    line = next(s for s in status.read_text().splitlines() if s.startswith(name))
    return int(line.split()[1])


def compare_steps(sizes, n_rounds):
    """Time and memory of a step, for tables of growing size."""
    rows = []
    for n_rows in sizes:
        trainings = {kind: Training(n_rows, sparse) for kind, sparse in KINDS.items()}
        seconds = best_seconds({k: t.step for k, t in trainings.items()}, n_rounds)
        memory = {kind: step_megabytes(t) for kind, t in trainings.items()}
        rows.append(
            {
                "rows of the table": f"{n_rows:,}",
                "MB of the table": round(n_rows * 8 * 4 / 1e6),
                **{f"ms {k}": f"{v * 1e3:.2f}" for k, v in seconds.items()},
                "dense / sparse": f"{seconds['dense'] / seconds['sparse']:.1f}",
                **{f"MB per step, {k}": f"{v:.1f}" for k, v in memory.items()},
            }
        )
    return pd.DataFrame(rows)


def step_megabytes(training):
    """Return what steps need beside network, optimiser and their state."""
    training.optimizer.zero_grad()
    return added_megabytes(lambda: [training.step() for _ in range(5)])


def find_break_even(sizes, n_rounds):
    """Dense time over sparse time of a step, for small tables."""
    rows = []
    for n_rows in sizes:
        row = {"rows of the table": f"{n_rows:,}"}
        for width in (8, 32):
            for n_reads in (1, 3):
                runs = {
                    kind: Training(n_rows, sparse, width, n_reads).step
                    for kind, sparse in KINDS.items()
                }
                s = best_seconds(runs, n_rounds)
                name = f"width {width}, {n_reads} read{'s' * (n_reads > 1)} per row"
                row[name] = f"{s['dense'] / s['sparse']:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def compare_keeping(n_rows, n_read):
    """Time and memory of keeping an epoch's weights and of giving them back."""
    network = Training(n_rows, sparse=True).network
    codes = torch.randint(n_rows, (n_read, 1), dtype=torch.int32)
    read = network.sparse_rows(codes)
    finding = _seconds(network.sparse_rows, codes)
    rows = []
    for name, kept in (("whole table", {}), ("rows that were read", read)):
        control = TrainingControl(rows=kept)

        def keep(control=control):
            control.end_epoch(network, 1, None)

        rows.append(
            {
                "kept": name,
                "rows": f"{len(next(iter(kept.values()))) if kept else n_rows:,}",
                # The first copy, and a second that takes its place.
                "MB at most": f"{added_megabytes(lambda k=keep: (k(), k())):.0f}",
                "ms to keep": f"{best_seconds({'': keep}, 3)[''] * 1e3:.0f}",
                "ms to restore": f"{_seconds(control.restore, network) * 1e3:.0f}",
            }
        )
    return pd.DataFrame(rows), finding


def _seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def compare_fits(n_rows, n_samples):
    """Seconds of an epoch of the whole estimator, its best weights kept."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"user": rng.integers(2**62, size=n_samples), "age": rng.normal(size=n_samples)}
    )
    y = rng.integers(2, size=(n_samples, N_TASKS))
    preprocessor = make_column_transformer(
        (HashingEncoder(n_buckets=n_rows), ["user"]), (NumericScaler(), ["age"])
    )
    rows = []
    for kind, sparse in KINDS.items():
        model = MMOEClassifier(
            preprocessor=preprocessor,
            sparse_embedding=sparse,
            batch_size=BATCH,
            max_epochs=3,
            n_iter_no_change=3,
            random_state=0,
        )
        fit = _seconds(model.fit, X, y)
        epoch = model.history_["seconds"].min()
        rows.append(
            {
                "gradients": kind,
                "s per epoch": f"{epoch:.2f}",
                "s of the fit": f"{fit:.1f}",
            }
        )
    return pd.DataFrame(rows)


def main(n_rows, n_rounds, n_samples):
    sizes = [size for size in (100_000, 1_000_000) if size < n_rows] + [n_rows]
    steps = compare_steps(sizes, n_rounds)
    keeping, finding = compare_keeping(n_rows, n_samples)
    small = [10_000, 30_000, 100_000, 300_000, 1_000_000]
    parts = [
        f"A training step of {BATCH} rows, each of which reads one row of a table 8 "
        f"wide, through an MMoE network of {N_TASKS} tasks; dense is fused AdamW, "
        f"sparse is SparseAdam for the table. Minimum of {n_rounds} alternating runs. "
        "Memory is the rise of the process in five steps above network, optimiser and "
        "its averages, which both kinds hold alike.",
        "Where sparse gradients begin to pay: time of a dense step over that of a "
        "sparse one.",
        markdown_table(find_break_even([s for s in small if s <= n_rows], n_rounds)),
        f"Keeping the weights of an epoch: a table of {n_rows:,} rows, of which "
        f"{n_samples:,} training rows read one each. To find which, once per fit, "
        f"takes {finding * 1e3:.0f} ms.",
        markdown_table(keeping),
        f"A fit of `MMOEClassifier` on {n_samples // 10:,} rows with "
        f"`HashingEncoder({n_rows:,})`, best weights kept after each epoch.",
        markdown_table(compare_fits(n_rows, n_samples // 10)),
    ]
    write_report(
        "huge_table", "Tables with sparse gradients", steps, notes="\n\n".join(parts)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--samples", type=int, default=1_000_000)
    args = parser.parse_args()
    main(args.rows, args.rounds, args.samples)
