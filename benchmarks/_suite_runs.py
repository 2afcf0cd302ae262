"""Scores of fits in a CSV file that grows by one fit at a time.

A run may be cut off or be of some models only, and two processes may write at the same
time: lines are appended under a lock. What the file holds is not run again.
"""

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

DIGITS = "%.5g"


class AppendedRuns:
    """Lines of fits by a key, in a file.

    Parameters
    ----------
    path : Path

    key : sequence of str
        The columns that tell one fit from another.

    columns : sequence of str
        All columns, in the order of the file.
    """

    def __init__(self, path: Path, key: Sequence[str], columns: Sequence[str]) -> None:
        self.path, self.key, self.columns = Path(path), list(key), list(columns)

    def read(self) -> pd.DataFrame:
        """Return all lines; of a task that was scored twice the last."""
        if not self.path.exists():
            return pd.DataFrame(columns=self.columns)
        frame = pd.read_csv(self.path, dtype={"commit": str})
        return frame.drop_duplicates([*self.key, "task"], keep="last")

    def done(self) -> set[tuple]:
        """Return the keys of the fits in the file."""
        return set(self.read()[self.key].itertuples(index=False, name=None))

    def add(self, scores: pd.DataFrame) -> None:
        """Append the lines of one fit."""
        with self._locked() as file:
            scores[self.columns].to_csv(
                file, index=False, header=file.tell() == 0, float_format=DIGITS
            )

    def drop(self, column: str, values: Sequence[str]) -> None:
        """Take out the lines with these values, so that they are run again."""
        with self._locked() as file:
            frame = self.read()
            file.truncate(0)
            kept = frame[~frame[column].isin(values)]
            kept.to_csv(file, index=False, float_format=DIGITS)

    @contextlib.contextmanager
    def _locked(self) -> Iterator:
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
