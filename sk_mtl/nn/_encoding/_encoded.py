"""The result of an encoder: rows, and terms of the logits."""

from typing import NamedTuple

from torch import Tensor


class Encoded(NamedTuple):
    """Rows for the wiring, and terms of the logits.

    Parameters
    ----------
    shared : Tensor of shape (n_samples, width) or None
        One row of numbers per sample, the same for every task. None if every task has
        its own row and the wiring reads no common one.
    per_task : Tensor of shape (n_samples, n_tasks, width) or None
        A set of embeddings for each task, for wirings that ask for them.
    logit_terms : Tensor of shape (n_samples, n_heads) or None
        Terms added to the logits, for instance by a wide part.
    """

    shared: Tensor | None
    per_task: Tensor | None = None
    logit_terms: Tensor | None = None

    def scale_rows(self, scale: Tensor) -> "Encoded":
        """Return this with all rows times a scale of each entry, (width,)."""
        return Encoded(
            None if self.shared is None else self.shared * scale,
            None if self.per_task is None else self.per_task * scale,
            self.logit_terms,
        )
