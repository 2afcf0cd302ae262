"""One Markdown table per benchmark, with the date, versions and cores it belongs to."""

import datetime
import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("sk-mtl", "torch", "scikit-learn", "skorch", "pandas", "numpy")


def write_report(
    name: str,
    title: str,
    frame: pd.DataFrame,
    *,
    notes: str = "",
    packages: Sequence[str] = (),
) -> Path:
    """Print the table and write it to `results/<name>.md`.

    Parameters
    ----------
    name : str
        Name of the file without its ending.

    title : str
        The heading.

    frame : DataFrame
        The table, already rounded: every cell is shown as `str` gives it.

    notes : str
        What a reader must know to compare the numbers.

    packages : sequence of str
        Packages whose versions count here, beside the usual ones.
    """
    parts = [f"# {title}", describe_machine(packages), markdown_table(frame), notes]
    text = "\n\n".join(part for part in parts if part) + "\n"
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    path.write_text(text)
    print(text)
    return path


def describe_machine(packages: Sequence[str] = ()) -> str:
    """Return one line with the date, the cores and the versions."""
    versions = (
        f"{package} {importlib.metadata.version(package)}"
        for package in (*PACKAGES, *packages)
        if _is_installed(package)
    )
    cores, threads = os.cpu_count(), torch.get_num_threads()
    today = datetime.date.today()
    return f"{today}, {cores} cores, {threads} torch threads; {', '.join(versions)}."


def _is_installed(package: str) -> bool:
    """Return whether a package is here: a report of kept results needs no rival."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def markdown_table(frame: pd.DataFrame) -> str:
    """Return the frame as a Markdown table, without its index."""
    rows = [list(frame.columns), ["---"] * frame.shape[1], *frame.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
