"""What `import sk_mtl` adds to importing torch, scikit-learn and skorch."""

import argparse
import subprocess
import sys

import pandas as pd
from _report import write_report

BASE = "import torch, sklearn, skorch"
TIMED = (
    "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
)


def seconds(code):
    """Return the seconds that a fresh interpreter needs for the imports."""
    command = [sys.executable, "-c", TIMED.format(code)]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def main(n_rounds):
    runs = [(seconds(BASE), seconds(f"{BASE}; import sk_mtl")) for _ in range(n_rounds)]
    base, whole = (min(column) for column in zip(*runs, strict=True))
    frame = pd.DataFrame(
        [(BASE, base), ("the same and sk_mtl", whole), ("added", whole - base)],
        columns=["", "seconds"],
    )
    write_report(
        "import_time",
        "Import time",
        frame.round({"seconds": 3}),
        notes=f"Minimum of {n_rounds} alternating fresh interpreters.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    main(parser.parse_args().rounds)
