"""Seconds per epoch of `MMOEClassifier` beside loops of torch calls alone.

A plain network is compared with a bare loop on the same tensors, also with
`precision="bfloat16"`, which changes something where the processor has instructions for
it. The default fit is compared with the same steps written out: its own module, loss,
optimiser and moving average, on batches of the same size. What it takes beyond them is
what scikit-learn's and skorch's contracts, records and checks cost.
"""

import argparse
import time
from collections.abc import Callable

import pandas as pd
import torch
from _bare_loop import BareLoop
from _recipes import PLAIN_LARGE
from _report import markdown_table, write_report
from _steps_by_hand import StepsByHand

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income
from sk_mtl.estimators._training._precision import multiplies_bfloat16
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor

BATCH = 1024


def bare_epoch(X: pd.DataFrame, y: pd.DataFrame) -> Callable[[], float]:
    """Return what runs an epoch of the bare loop and returns its seconds."""
    preprocessor = make_tabular_preprocessor(X)
    encoded = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, encoded)
    bare = BareLoop(
        schema.split(encoded),
        schema.cardinalities,
        y.to_numpy(),
        sizes=(8, 8, 128, 64),
        batch_size=BATCH,
        lr=1e-3,
    )
    return bare.epoch


def default_epoch_by_hand(X: pd.DataFrame, y: pd.DataFrame) -> Callable[[], float]:
    """Return what runs an epoch of the default's steps and returns its seconds."""
    model = MMOEClassifier(max_epochs=1, early_stopping=False).fit(X, y)
    steps = StepsByHand(model, X, y)

    def epoch() -> float:
        start = time.perf_counter()
        for rows in steps.batches(BATCH):
            steps.step(rows)
        return time.perf_counter() - start

    return epoch


def fitted_epoch(X: pd.DataFrame, y: pd.DataFrame, **options) -> Callable[[], float]:
    """Return what fits for three epochs and returns the seconds of the quickest."""

    def epoch() -> float:
        model = MMOEClassifier(max_epochs=3, batch_size=BATCH, **options).fit(X, y)
        return model.history_["seconds"].min()

    return epoch


def least_of_three(epoch: Callable[[], float]) -> Callable[[], float]:
    """Return what runs three epochs and returns the seconds of the quickest."""
    return lambda: min(epoch() for _ in range(3))


def compare(epochs: dict[str, Callable[[], float]], n_rounds: int) -> pd.DataFrame:
    """Return the least seconds of each epoch, taken in turns, beside the first's."""
    seconds = {name: [] for name in epochs}
    next(iter(epochs.values()))()
    for _ in range(n_rounds):
        for name, epoch in epochs.items():
            seconds[name].append(epoch())
    frame = pd.DataFrame(
        {"": list(seconds), "seconds per epoch": map(min, seconds.values())}
    )
    frame["ratio"] = frame["seconds per epoch"] / frame["seconds per epoch"].iloc[0]
    return frame.round(3)


def main(n_rounds: int) -> None:
    X, y = load_census_income(return_X_y=True)
    plain = compare(
        {
            "bare loop": least_of_three(bare_epoch(X, y)),
            "MMOEClassifier": fitted_epoch(X, y, **PLAIN_LARGE),
            "MMOEClassifier, bfloat16": fitted_epoch(
                X, y, **PLAIN_LARGE, precision="bfloat16"
            ),
        },
        n_rounds,
    )
    default = compare(
        {
            "its steps by hand": least_of_three(default_epoch_by_hand(X, y)),
            "MMOEClassifier": fitted_epoch(X, y, early_stopping=False),
        },
        n_rounds,
    )
    has = "has" if multiplies_bfloat16(torch.device("cpu")) else "has no"
    write_report(
        "epoch",
        "Seconds per epoch beside the bare loop",
        plain,
        notes=(
            f"Census-Income (KDD), {len(X):,} rows, 8 experts of 128, towers of 64, "
            f"embeddings of 8, batches of {BATCH}; minimum of {n_rounds} alternating "
            f"rounds of 3 epochs. This processor {has} instructions for bfloat16, "
            "without which it is single precision.\n\nThe default fit, likewise, "
            f"beside the same steps by torch calls alone:\n\n{markdown_table(default)}"
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    main(parser.parse_args().rounds)
