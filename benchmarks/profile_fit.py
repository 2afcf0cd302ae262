"""Where the time of a default fit on Census-Income (KDD) goes.

By `cProfile`, whose own cost is some hundredths. A part is the time between the call of
a function and its return, less that of the parts inside.
"""

import cProfile
import pstats

import pandas as pd
from _report import write_report

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income

# What is read off the profile: file and function.
CALLS = {
    "fit": ("estimators/_multi_task_model.py", "fit"),
    "check": ("estimators/_multi_task_model.py", "_check_rows"),
    "split": ("estimators/_multi_task_model.py", "_split_rows"),
    "fit encoders": ("estimators/_features/_row_encoder.py", "fit_row_encoder"),
    "encode": ("estimators/_features/_row_encoder.py", "encode"),
    "epochs": ("estimators/_training/_net.py", "_run_epochs"),
    "batch": ("estimators/_rows/_tensor_table.py", "take"),
    "step": ("skorch/net.py", "train_step"),
    "forward and backward": ("estimators/_training/_net.py", "train_step_single"),
    "backward": ("torch/_tensor.py", "backward"),
    "average": ("estimators/_training/_averaging.py", "update"),
    "validate": ("estimators/_training/_net.py", "validation_step"),
}


def profile(X: pd.DataFrame, y: pd.DataFrame) -> dict[str, float]:
    """Return the seconds of each of the calls in one fit."""
    model, profiler = MMOEClassifier(random_state=0), cProfile.Profile()
    profiler.runcall(model.fit, X, y)
    stats = pstats.Stats(profiler).stats
    return {name: seconds_of(stats, *call) for name, call in CALLS.items()}


def seconds_of(stats: dict, end: str, wanted: str) -> float:
    """Return the seconds in a function, which must have been called."""
    found = [
        entry[3]
        for (path, _, function), entry in stats.items()
        if path.endswith(end) and function == wanted
    ]
    if not found:
        raise LookupError(f"CALLS must name what a fit calls; found no {wanted}, {end}")
    return sum(found)


def parts(seconds: dict[str, float]) -> dict[str, float]:
    """Return the parts of a fit, which sum up to it."""
    found = {
        "checking and splitting the rows": seconds["check"] + seconds["split"],
        "fitting encoders, encoding": seconds["fit encoders"] + seconds["encode"],
        "taking batches": seconds["batch"],
        "forward and loss": seconds["forward and backward"] - seconds["backward"],
        "backward": seconds["backward"],
        "optimiser": seconds["step"] - seconds["forward and backward"],
        "average of the weights": seconds["average"],
        "validation": seconds["validate"],
    }
    inside = ("taking batches", "average of the weights", "validation")
    within_epochs = seconds["step"] + sum(found[name] for name in inside)
    found["else in an epoch"] = seconds["epochs"] - within_epochs
    found["else"] = seconds["fit"] - sum(found.values())
    return found


def main() -> None:
    X, y = load_census_income(return_X_y=True)
    # The first fit of a process loads what the others find.
    MMOEClassifier().fit(X[:1_000], y[:1_000])
    seconds = profile(X, y)
    column = pd.Series(parts(seconds) | {"the fit": seconds["fit"]})
    frame = pd.DataFrame(
        {
            "part": column.index,
            "seconds": column.map("{:.2f}".format).to_numpy(),
            "share": (column / seconds["fit"]).map("{:.1%}".format).to_numpy(),
        }
    )
    write_report(
        "profile_fit",
        "Where the time of a default fit goes",
        frame,
        notes=f"Census-Income (KDD), {len(X):,} rows, from the raw frame; one fit.",
    )


if __name__ == "__main__":
    main()
