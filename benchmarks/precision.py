"""What binds a training step, and what products in bfloat16 take from it.

Milliseconds of the processor, one thread, least of rounds in which both precisions take
turns. A step has three parts: what it takes on 16 rows, which is calls and parameters;
its products alone, on numbers that lie in the cache; and the rest, passes over the rows
entry by entry, which wait for memory.

By the table of batch sizes `sk_mtl` decides when a step is large enough for
`precision="bfloat16"` to do anything. Needs a processor with instructions for it.
"""

import argparse
import time
from collections.abc import Callable, Iterator

import pandas as pd
import torch
from _recipes import PLAIN_LARGE
from _report import markdown_table, write_report
from _steps_by_hand import StepsByHand

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income
from sk_mtl.estimators._training._precision import (
    LEAST_PRODUCTS,
    count_products,
    is_multiplied,
    multiplies_bfloat16,
)

FEW, MANY = 16, 1024
SIZES = (64, 128, 256, 512, MANY)
N_ROWS = 40_000
# The default as it is on all rows, and the large network of `epoch.py`.
NETWORKS = {
    "default": {
        "n_members": 1,
        "numeric_embedding": "bins",
        "batch_norm": True,
    },
    "8 experts of 128": {**PLAIN_LARGE, "n_members": 1},
}
PRECISIONS = {"float32": False, "bfloat16": True}


def steps_of(steps: StepsByHand, size: int) -> dict[str, Callable[[], None]]:
    """Return what runs a step on a batch of a size, by precision."""

    def endless() -> Iterator[torch.Tensor]:
        while True:
            yield from (rows for rows in steps.batches(size) if len(rows) == size)

    batches = endless()
    return {
        name: lambda cast=cast: steps.step(next(batches), bfloat16=cast)
        for name, cast in PRECISIONS.items()
    }


def products_of(module: torch.nn.Module, size: int) -> dict[str, Callable[[], None]]:
    """Return what runs the three products of every weight, by precision."""
    shapes = [
        p.shape for name, p in module.named_parameters() if is_multiplied(name, p)
    ]

    def run(dtype: torch.dtype) -> Callable[[], None]:
        triples = []
        for shape in shapes:
            # Dense layers are (out, in), batched ones (groups, in, out).
            weight = torch.randn(shape, dtype=dtype)
            weight = weight.t() if weight.dim() == 2 else weight
            x = torch.randn(*weight.shape[:-2], size, weight.shape[-2], dtype=dtype)
            triples.append((x, weight, x @ weight))

        def products() -> None:
            for x, weight, gradient in triples:
                x @ weight
                x.mT @ gradient
                gradient @ weight.mT

        return products

    return {name: run(getattr(torch, name)) for name in PRECISIONS}


def least(runs: dict[str, Callable[[], None]], n_rounds: int, n_each: int) -> dict:
    """Return the least milliseconds of each run, over rounds of taking turns."""
    best = dict.fromkeys(runs, float("inf"))
    for round_ in range(n_rounds + 1):
        for name, run in runs.items():
            start = time.process_time()
            for _ in range(n_each):
                run()
            # In the first round kernels are chosen and compiled.
            if round_:
                taken = 1000 * (time.process_time() - start) / n_each
                best[name] = min(best[name], taken)
    return best


def parts_of(steps: StepsByHand, n_rounds: int) -> pd.DataFrame:
    """Return the milliseconds of a step's parts, one row per precision."""
    whole = least(steps_of(steps, MANY), n_rounds, 5)
    fixed = least(steps_of(steps, FEW), n_rounds, 20)
    products = least(products_of(steps.module, MANY), n_rounds, 10)
    frame = pd.DataFrame(
        {f"{FEW} rows": fixed, "products": products, f"{MANY:,} rows": whole}
    )
    few, products, whole = (frame[name] for name in frame)
    frame.insert(2, "the rest", whole - few - products)
    return frame


def sizes_of(steps: StepsByHand, n_rounds: int) -> pd.DataFrame:
    """Return the milliseconds of steps by their size, and their ratio."""
    rows = []
    for size in SIZES:
        taken = least(steps_of(steps, size), n_rounds, max(5, 2048 // size))
        products = count_products(steps.module, size)
        row = {"batch": size, "products": f"{products:,}", **taken}
        rows.append({**row, "ratio": taken["bfloat16"] / taken["float32"]})
    return pd.DataFrame(rows)


def main(n_rounds: int) -> None:
    if not multiplies_bfloat16(torch.device("cpu")):
        print("Nothing to measure: no instructions for bfloat16.")
        return
    torch.set_num_threads(1)
    X, y = load_census_income(return_X_y=True)
    X, y = X[:N_ROWS], y[:N_ROWS]
    parts, sizes = [], []
    for name, options in NETWORKS.items():
        settings = {"max_epochs": 1, "early_stopping": False, "random_state": 0}
        model = MMOEClassifier(**{**options, **settings}).fit(X, y)
        steps = StepsByHand(model, X, y)
        for frames, frame in (
            (parts, parts_of(steps, n_rounds).rename_axis("precision").reset_index()),
            (sizes, sizes_of(steps, n_rounds)),
        ):
            frame.insert(0, "network", name)
            frames.append(frame)
            print(frame, flush=True)
    write_report(
        "precision",
        "What binds a step, and what bfloat16 takes from it",
        pd.concat(parts).round(2),
        notes=(
            "Census-Income (KDD); milliseconds of the processor, least of "
            f"{n_rounds} alternating rounds.\n\nBy the size of the batch:\n\n"
            f'{markdown_table(pd.concat(sizes).round(2))}\n\n`precision="bfloat16"` '
            f"is used from {LEAST_PRODUCTS:,} products on."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    main(parser.parse_args().rounds)
