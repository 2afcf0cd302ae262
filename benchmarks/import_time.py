"""What sk_mtl and a first fit add to importing torch, sklearn and skorch."""

import argparse
import subprocess
import sys

import pandas as pd
from _report import write_report

PACKAGE = "import sk_mtl"
BASE = "import torch, sklearn, skorch"
# Names are imported at their first use.
MODEL = "from sk_mtl import MMOEClassifier"
# What torch's optimisers import at their first use; a first fit begins with it.
FIT = "import torch._dynamo"
STAGES = [PACKAGE, BASE, f"{BASE}; {MODEL}", f"{BASE}; {MODEL}; {FIT}"]
TIMED = (
    "import time; start = time.process_time(); {}; print(time.process_time() - start)"
)


def seconds(code):
    """Return the seconds of CPU that a fresh interpreter needs for the imports."""
    command = [sys.executable, "-c", TIMED.format(code)]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def main(n_rounds):
    runs = [[seconds(stage) for stage in STAGES] for _ in range(n_rounds)]
    package, base, whole, fit = (min(column) for column in zip(*runs, strict=True))
    rows = [
        (PACKAGE, package),
        (BASE, base),
        (f"the same and {MODEL}", whole),
        ("added", whole - base),
        ("added by the first fit of a process (torch._dynamo)", fit - whole),
    ]
    frame = pd.DataFrame(rows, columns=["", "seconds"])
    write_report(
        "import_time",
        "Import time",
        frame.round({"seconds": 3}),
        notes=f"CPU time, the minimum of {n_rounds} alternating fresh interpreters.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    main(parser.parse_args().rounds)
