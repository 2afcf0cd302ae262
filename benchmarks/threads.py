"""Seconds of a search and of a fit, by `n_jobs`, torch's threads and how they wait.

The same search over Adult is run in every way, in turns. The workers are started and
have imported everything before the clock starts; what that takes, once per session, is
said below the table. The smaller network is the default, whose steps are short; in the
wide one, 8 experts of 256 and 1,024 rows a step, matrix products are nearly all.

Then one default fit, in a process of its own, is timed alone and beside as many busy
processes as there are cores. `OMP_WAIT_POLICY=passive` lets threads that wait for each
other sleep; by default they keep their core busy while they wait.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
import torch
from _report import markdown_table, write_report
from sklearn.model_selection import GridSearchCV, KFold

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.metrics import make_task_scorer

#: With more workers than this the small search would leave some of them without work.
N = min(max(joblib.cpu_count(), 2), 4)

NETWORKS = {
    "default": {"max_epochs": 3},
    "wide": {
        "n_experts": 8,
        "expert_hidden_sizes": (256,),
        "batch_size": 1024,
        "max_epochs": 4,
    },
}


@dataclass(frozen=True)
class Way:
    """How a search shares the cores.

    Attributes
    ----------
    n_jobs : int

    backend : {"loky", "threading"}
        Processes, joblib's default, or threads. Not read for a single job.

    threads : int or None
        torch's threads in each fit. None leaves them to joblib.
    """

    n_jobs: int
    backend: str = "loky"
    threads: int | None = None

    @contextlib.contextmanager
    def set_up(self):
        """Let searches in the block run in this way, with workers that are ready."""
        before = torch.get_num_threads()
        options = {"backend": self.backend}
        if self.n_jobs > 1 and self.backend == "loky":
            options["inner_max_num_threads"] = self.threads
        else:
            torch.set_num_threads(self.threads)
        try:
            with joblib.parallel_config(**options):
                self.count_threads()
                yield
        finally:
            torch.set_num_threads(before)

    def count_threads(self):
        """Return torch's threads in the workers, after a small fit in each."""
        parallel = joblib.Parallel(self.n_jobs)
        found = parallel(joblib.delayed(_warm_up)() for _ in range(2 * self.n_jobs))
        return max(found)

    def describe(self):
        """Return the first columns of the table."""
        with self.set_up():
            threads = self.count_threads()
        how = {"loky": "processes", "threading": 'threads (`"threading"`)'}
        return {
            "n_jobs": self.n_jobs,
            "workers": "none" if self.n_jobs == 1 else how[self.backend],
            "torch threads in each": threads,
        }


WAYS = [
    Way(1, threads=1),
    Way(1, threads=N),
    Way(N),
    Way(N, threads=N),
    Way(N, "threading", threads=1),
    Way(N, "threading", threads=N),
]


def main(n_rows, n_rounds):
    X, y = load_adult(return_X_y=True)
    X, y = X[:n_rows], y[:n_rows]
    start = time.perf_counter()
    with Way(N).set_up():
        started = time.perf_counter() - start
    seconds = {way: dict.fromkeys(NETWORKS, float("inf")) for way in WAYS}
    for _ in range(n_rounds):
        for way, best in seconds.items():
            with way.set_up():
                for name, options in NETWORKS.items():
                    best[name] = min(best[name], time_search(X, y, way, options))
    table = [way.describe() for way in WAYS]
    for name, single in seconds[WAYS[0]].items():
        for row, best in zip(table, seconds.values(), strict=True):
            row[f"{name}, seconds"] = f"{best[name]:.1f}"
            row[f"{name}, ratio"] = f"{best[name] / single:.2f}"
    write_report(
        "threads",
        "A search, by n_jobs and threads",
        pd.DataFrame(table),
        notes=(
            f"Adult, {n_rows:,} rows; 2 candidates in {N} folds each. Least of "
            f"{n_rounds} rounds in which the ways took turns. Ratios are to one job "
            f"with one thread. Starting {N} processes took {started:.1f} s more, once."
            f"\n\nOne fit of the default network, {n_rows:,} rows, median of 3:\n\n"
            + markdown_table(time_fits(n_rows))
        ),
        packages=["joblib"],
    )


def time_search(X, y, way, options):
    """Return the seconds of a search."""
    search = GridSearchCV(
        MMOEClassifier(early_stopping=False, random_state=0, **options),
        {"lr": [0.001, 0.002]},
        scoring=make_task_scorer("roc_auc"),
        cv=KFold(N),
        refit=False,
        n_jobs=way.n_jobs,
    )
    start = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - start


def time_fits(n_rows):
    """Return a table of the seconds of a fit, alone and beside busy processes."""
    rows = []
    for threads, policy in ((1, None), (N, None), (N, "passive")):
        environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        if policy is not None:
            environment["OMP_WAIT_POLICY"] = policy
        command = [sys.executable, __file__, "--rows", str(n_rows)]
        output = subprocess.run(
            [*command, "--fit-with", str(threads)],
            env=environment,
            check=True,
            capture_output=True,
        ).stdout
        alone, beside = json.loads(output)
        rows.append(
            {
                "torch threads": threads,
                "`OMP_WAIT_POLICY`": policy or "not set",
                "alone, seconds": f"{alone:.2f}",
                f"beside {joblib.cpu_count()} busy processes": f"{beside:.2f}",
            }
        )
    return pd.DataFrame(rows)


def time_fit(n_rows, threads):
    """Print the seconds of a fit, alone and beside as many busy processes as cores."""
    X, y = load_adult(return_X_y=True)
    X, y = X[:n_rows], y[:n_rows]
    torch.set_num_threads(threads)
    model = MMOEClassifier(early_stopping=False, random_state=0, max_epochs=1)

    def median():
        seconds = []
        for _ in range(4):
            start = time.perf_counter()
            model.fit(X, y)
            seconds.append(time.perf_counter() - start)
        # The first fit loads what it needs.
        return float(np.median(seconds[1:]))

    alone = median()
    # They end by themselves where this process is killed.
    code = "import time; end = time.time() + 60\nwhile time.time() < end: pass"
    command = [sys.executable, "-c", code]
    busy = [subprocess.Popen(command) for _ in range(joblib.cpu_count())]
    try:
        print(json.dumps([alone, median()]))
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _warm_up():
    # Long enough that no worker takes two of these calls while another has none.
    time.sleep(0.2)
    X, y = load_adult(return_X_y=True)
    MMOEClassifier(max_epochs=1).fit(X[:50], y[:50])
    return torch.get_num_threads()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=2)
    # How the script calls itself for a fit in a process of its own.
    parser.add_argument("--fit-with", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fit_with is not None:
        time_fit(arguments.rows, arguments.fit_with)
    else:
        main(arguments.rows, arguments.rounds)
