"""What does each way to balance tasks add to an epoch?

`MMOEClassifier` on two tasks (20,000 rows of Census-Income (KDD), income and never
married) and `MMOERegressor` on eight (`make_related_tasks`, 20,000 rows), with every
`balancing` that has a name, and with the recording of the
gradients' conflict. Fits take turns, and what counts is the quickest epoch of each,
beside that of the plain sum. Weights cost a sum of a few numbers; methods that look at
gradients differentiate the shared part of the network once per task.

Needs the extra `balance`.
"""

import argparse

import pandas as pd
from _report import write_report
from _tables import load_table

from sk_mtl import MMOEClassifier, MMOERegressor
from sk_mtl.datasets import make_related_tasks
from sk_mtl.inspection import GradientConflictRecorder
from sk_mtl.losses import AGGREGATORS, WEIGHTINGS

N_ROWS, N_EPOCHS, BATCH = 20_000, 2, 1024
PLAIN = "None"
METHODS = {
    PLAIN: {},
    **{f'balancing="{name}"': {"balancing": name} for name in WEIGHTINGS | AGGREGATORS},
    "GradientConflictRecorder()": {"callbacks": [GradientConflictRecorder]},
}
OPTIONS = {
    "max_epochs": N_EPOCHS,
    "batch_size": BATCH,
    "early_stopping": False,
    "random_state": 0,
}


def two_tasks():
    table = load_table("KDD 1").subset(N_ROWS, validation_fraction=0)
    return MMOEClassifier(**OPTIONS), table.X, table.y


def eight_tasks():
    X, y = make_related_tasks(N_ROWS, n_tasks=8, random_state=0)
    return MMOERegressor(**OPTIONS), X, y


def quickest_epochs(model, X, y, n_rounds: int) -> dict[str, float]:
    """Return the seconds of each method's quickest epoch, over fits in turns."""
    best = dict.fromkeys(METHODS, float("inf"))
    for _ in range(n_rounds):
        for name, method in METHODS.items():
            defaults = {"balancing": None, "callbacks": None}
            model.set_params(**{**defaults, **method}).fit(X, y)
            best[name] = min(best[name], model.history_["seconds"].min())
        print(pd.Series(best).round(3).to_string(), flush=True)
    return best


def main(n_rounds: int) -> None:
    two = quickest_epochs(*two_tasks(), n_rounds)
    eight = quickest_epochs(*eight_tasks(), n_rounds)
    rows = [
        {
            "": name,
            "two tasks: s an epoch": f"{two[name]:.3f}",
            "times the plain sum": f"{two[name] / two[PLAIN]:.2f}",
            "eight tasks: s an epoch": f"{eight[name]:.3f}",
            "times the sum": f"{eight[name] / eight[PLAIN]:.2f}",
        }
        for name in METHODS
    ]
    write_report(
        "balance",
        "What each way to balance tasks adds to an epoch",
        pd.DataFrame(rows),
        notes=(
            f"{N_ROWS:,} rows, batches of {BATCH:,}. The quickest of {N_EPOCHS} epochs "
            f"in each of {n_rounds} fits, which take turns."
        ),
        packages=("torchjd",),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    main(parser.parse_args().rounds)
