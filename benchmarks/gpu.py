"""Seconds per epoch on a CUDA card, beside the processor and beside the bare loop.

Run it on a machine with a card: `python benchmarks/gpu.py`. Without one it says so and
exits with 1. It is not part of `make bench`, whose benchmarks have to run anywhere.

The whole table lies on the card. What is left to a step is to start its kernels, which
takes the processor longer than the card needs for a small batch: hence several batch
sizes, each with and without `torch.compile`, which starts fewer kernels. The bare loop
with CUDA graphs (`torch.compile(mode="reduce-overhead")`) starts one for the forward
and one for the backward pass, and shows what is left to gain.

A *wait* is a moment in which the processor stops until the card has done everything so
far, for instance to read a number off it. One in every step costs little where the card
is the slower of the two, and keeps the processor from hurrying ahead where it is not.
Waits per step are counted as the difference between epochs with more and fewer steps,
so that what happens once an epoch cancels. They are counted in two ways: operations
that have to wait, by their names, and warnings of torch, which sees its own waits but
for those in sparse tensors.
"""

import argparse
import contextlib
import sys
import warnings

import pandas as pd
import torch
from _bare_loop import BareLoop
from _recipes import PLAIN_LARGE
from _report import markdown_table, write_report
from torch.utils._python_dispatch import TorchDispatchMode

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income, make_conversion_funnel
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor

BATCH_SIZES = (256, 1024, 4096, 16384)

#: Operations that read a number, or whose result is as large as the numbers say.
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "_coalesce"}

#: Ways to read the features of a funnel with histories.
WAYS = {
    "mean of sequences": {},
    "target attention": {
        "sequence_pooling": "target_attention",
        "sequence_target": {"history": "item_id"},
        "shared_embedding": [["item_id", "history"]],
    },
    "sparse gradients": {"sparse_embedding": True, "sequence_pooling": "attention"},
}


def main(device, batch_sizes, n_rows, n_epochs):
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit(
            "This benchmark needs a CUDA card; found none: torch "
            f"{torch.__version__} sees no card here. Run it on a machine with one and "
            "with a CUDA build of torch."
        )
    X, y = load_census_income(return_X_y=True)
    X, y = X[:n_rows], y[:n_rows]
    times = pd.DataFrame(
        [{"rows a step": n} | time_epochs(X, y, device, n, n_epochs)
         for n in batch_sizes]
    )  # fmt: skip
    waits = count_waits(X, y, device)
    if device != "cuda":
        print(markdown_table(times), markdown_table(waits), sep="\n\n")
        return
    notes = (
        f"Card: {torch.cuda.get_device_name()}. Seconds per epoch, least of "
        f"{n_epochs}, Census-Income (KDD), {len(X):,} rows, 8 experts of 128, towers "
        "of 64, embeddings of 8. At most "
        f"{torch.cuda.max_memory_allocated() / 2**20:,.0f} MiB of the card's memory "
        "were in use.\n\nWaits of the processor for the card, per step of "
        f"`MMOEClassifier`:\n\n{markdown_table(waits)}"
    )
    write_report("gpu", "Seconds per epoch on a card", times, notes=notes)


def time_epochs(X, y, device, batch_size, n_epochs):
    """Return the least seconds per epoch, by what was trained where."""

    def default(device, **options):
        model = MMOEClassifier(
            device=device,
            batch_size=batch_size,
            max_epochs=n_epochs,
            **{"early_stopping": False, "random_state": 0, **options},
        )
        return model.fit(X, y).history_["seconds"].min()

    def ours(device, **options):
        return default(device, **PLAIN_LARGE, **options)

    preprocessor = make_tabular_preprocessor(X)
    encoded = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, encoded)

    def bare(**options):
        loop = BareLoop(
            schema.split(encoded),
            schema.cardinalities,
            y.to_numpy(),
            sizes=(8, 8, 128, 64),
            batch_size=batch_size,
            lr=1e-3,
            device=device,
            **options,
        )
        return min(loop.epoch() for _ in range(n_epochs))

    seconds = {
        "processor": ours("cpu"),
        "card": ours(device),
        "card, compiled": ours(device, compile=True),
        "card, bfloat16": ours(device, precision="bfloat16"),
        "the default, processor": default("cpu"),
        "the default, card": default(device),
        "four members, card": default(device, n_members=4, member_sharing="none"),
        "bare loop": bare(),
        "bare loop, CUDA graphs": bare(compile_mode="reduce-overhead"),
    }
    ratios = {
        "card / bare loop": seconds["card"] / seconds["bare loop"],
        "processor / card": seconds["processor"] / seconds["card"],
    }
    return {name: f"{value:.3f}" for name, value in (seconds | ratios).items()}


def count_waits(X, y, device):
    """Return a table of the waits per step, by the features that are read."""
    funnel, steps, _ = make_conversion_funnel(n_samples=2048, random_state=0)
    columns = waits_per_step(X[:2048], y[:2048], device)
    rows = [{"features": "columns and numbers"} | columns]
    for name, options in WAYS.items():
        waits = waits_per_step(funnel, steps, device, **options)
        rows.append({"features": name} | waits)
    return pd.DataFrame(rows)


def waits_per_step(X, y, device, **options):
    """Return how often the processor waits in one step, by the way of counting."""

    def count(n_steps):
        model = MMOEClassifier(
            device=device,
            batch_size=-(-len(X) // n_steps),
            max_epochs=1,
            **{**PLAIN_LARGE, **options},
        )
        with WaitingOperations() as operations, wait_warnings(device) as messages:
            model.fit(X, y)
        return operations.count, len(messages)

    fewer, more = 8, 32
    by_name, by_torch = (
        (many - few) / (more - fewer)
        for few, many in zip(count(fewer), count(more), strict=True)
    )
    return {"waits by name": f"{by_name:.2f}", "torch's warnings": f"{by_torch:.2f}"}


class WaitingOperations(TorchDispatchMode):
    """Counts the operations in its block that wait where tensors are on a card."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        self.count += _waits(operation.overloadpacket.__name__, args, result)
        return result


def _waits(name, args, result):
    if name in ("copy_", "_to_copy"):
        return result.device != args[name == "copy_"].device
    if name == "index":
        return any(i is not None and i.dtype == torch.bool for i in args[1])
    return name in WAITING


@contextlib.contextmanager
def wait_warnings(device):
    """Yield a list, in the end with a message for every wait in the block."""
    messages = []
    if device != "cuda":
        yield messages
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield messages
        finally:
            torch.cuda.set_sync_debug_mode("default")
    messages += [m for m in caught if "called a synchronizing" in str(m.message)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=BATCH_SIZES)
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--epochs", type=int, default=4)
    # Tries every step of the way where there is no card; nothing is written then.
    parser.add_argument("--device", default="cuda", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    main(arguments.device, arguments.batch_sizes, arguments.rows, arguments.epochs)
