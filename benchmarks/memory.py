"""How much memory a fit takes above the frame that it is given. Linux only.

The training tensors (codes, numbers and labels of all rows) must be there anyway; what
a fit takes at its peak is told in multiples of them. Each fit runs in a process of its
own, which has fitted a few rows before: the code of the libraries that training loads
is not counted.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
from _recipes import RECIPES, make_model
from _report import write_report

from sk_mtl.datasets import load_census_income

MIB = 2**20
N_WARM = 3_000


def main():
    rows = []
    for recipe in RECIPES:
        command = [sys.executable, __file__, "--recipe", recipe]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        rows.append([recipe, *json.loads(output.splitlines()[-1])])
    columns = ["recipe", "frame", "encoded tensors", "peak above the frame"]
    frame = pd.DataFrame(rows, columns=columns)
    ratio = frame["peak above the frame"] / frame["encoded tensors"]
    for name in columns[1:]:
        frame[name] = (frame[name] / MIB).map("{:.1f} MiB".format)
    write_report(
        "memory",
        "Memory of a fit on Census-Income (KDD)",
        frame.assign(ratio=ratio.map("{:.2f}".format)),
        notes="One epoch. The peak is the largest resident size of the process less "
        "that before the fit, in which the frame is counted.",
    )


def measure(recipe):
    """Return the bytes of the frame, of the tensors, and of the peak above the frame.

    The frame and the labels are in memory before the fit.
    """
    X, y = load_census_income(return_X_y=True)
    make_model(recipe).fit(X[:N_WARM], y[:N_WARM])
    before = resident_bytes()
    model = make_model(recipe).fit(X, y)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    arrays = model.schema_.transform(model.preprocessor_, X[:1])
    label = arrays.numeric.itemsize * y.shape[1]
    row = arrays.codes.nbytes + arrays.numeric.nbytes + label
    return [int(X.memory_usage().sum()), row * len(X), peak - before]


def resident_bytes():
    """Return the bytes of this process that are in memory."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", choices=RECIPES, help=argparse.SUPPRESS)
    recipe = parser.parse_args().recipe
    if recipe is None:
        main()
    else:
        print(json.dumps(measure(recipe)))
