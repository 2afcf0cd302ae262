"""The output of `verbose` while an estimator trains."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


class Progress:
    """Output of each epoch: nothing, a bar, or a line.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 one progress bar with the epoch, its loss and the best so
        far, 2 one line per epoch with the loss of every task.

    max_epochs : int
        The length of the bar.
    """

    def __init__(self, verbose: int, max_epochs: int) -> None:
        self.verbose = verbose
        self.max_epochs = max_epochs
        self._bar = None
        self._epoch = 0
        if verbose == 1 and _can_redraw():
            from tqdm.auto import tqdm

            self._bar = tqdm(total=max_epochs, desc="epoch", unit="epoch")

    def end_epoch(self, row: Mapping[str, float], best_epoch: int) -> None:
        """Show the row that an epoch adds to ``history_``."""
        self._epoch += 1
        if self.verbose == 0:
            return
        shown = ("train_loss", "valid_loss")
        if self._bar is not None:
            losses = {k: f"{row[k]:.4f}" for k in shown if k in row}
            self._bar.set_postfix({**losses, "best": best_epoch}, refresh=False)
            self._bar.update()
            return
        keys = shown if self.verbose == 1 else [k for k in row if k != "epoch"]
        values = "  ".join(f"{k} {row[k]:.4f}" for k in keys if k in row)
        line = f"epoch {row['epoch']:>3}  {values}  best {best_epoch}"
        # Redrawing a bar would fill a log file with carriage returns.
        print(line, file=sys.stderr if self.verbose == 1 else sys.stdout, flush=True)

    def close(self) -> None:
        """Finish the bar at the epoch in which training stopped."""
        if self._bar is not None:
            self._bar.total = self._epoch
            self._bar.close()


def _can_redraw() -> bool:
    """Return whether standard error is a terminal or a notebook."""
    if "ipykernel" in sys.modules or not sys.stderr.isatty():
        return "ipykernel" in sys.modules
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):
        return True
