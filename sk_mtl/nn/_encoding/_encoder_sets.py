"""Sets of encoders of the same columns: a set of embeddings per task."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._encoding._encoder import FeatureEncoder


class EncoderSets(nn.Module):
    """codes (n, n_columns), numeric (n, n_numeric), sequences -> per_task.

    That is (n, n_tasks, width), and a shared row (n, width) if one is asked for.

    A separate encoder for each task, all of the same columns. The embeddings of one
    task do not interfere with the others': with common embeddings, two tasks for which
    a category has opposite effects pull its row in opposite directions.

    It replaces a `FeatureEncoder`. Codes that training replaces by "unknown" are drawn
    once, so all tasks read the same row; each encoder draws the entries that dropout
    zeroes.

    The encoders are modules side by side and run one after another. Their tables could
    be one wider table with a single lookup, but then the rows of one task could not
    have sparse gradients alone, a row read for one task would be read for all, and an
    ensemble, which batches the network's code over its members, would batch over two
    axes of weights. As they are, each keeps the gradients, the export and the batching
    that a single encoder has, and tasks are few.

    A task's encoder makes the terms of the logits (a wide part, a factorisation
    machine) for the task's heads only. The shared encoder makes them for all heads, if
    at all, and they are added. The paper of `STEM`, which has both sets, has no such
    terms; added, they let the logits read both sets as the wiring does, and every
    weight is used.

    Parameters
    ----------
    encoders : sequence of FeatureEncoder
        One for each task, in their order, all of one width; for ``"both"`` the shared
        one before them. An encoder that makes logit terms makes them for its own
        task's heads, the shared one for all heads.
    head_widths : sequence of int
        The number of logits of each task.
    embedding_sets : {"per_task", "both"}, default="per_task"
        As in the wiring that reads the rows. With ``"per_task"`` the shared row is
        None.

    Attributes
    ----------
    width : int
        The width of every row.

    Examples
    --------
    Two tasks with two sets of embeddings and a third that both share.

    >>> import torch
    >>> from sk_mtl.nn import EncoderSets, FeatureEncoder
    >>> encoders = [FeatureEncoder([10], 2, embedding_dims=[4]) for _ in range(3)]
    >>> sets = EncoderSets(encoders, [1, 1], embedding_sets="both")
    >>> encoded = sets(torch.tensor([[3], [9], [0]]), torch.ones(3, 2))
    >>> encoded.shared.shape, encoded.per_task.shape
    (torch.Size([3, 6]), torch.Size([3, 2, 6]))
    """

    def __init__(
        self,
        encoders: Sequence[FeatureEncoder],
        head_widths: Sequence[int],
        *,
        embedding_sets: str = "per_task",
    ) -> None:
        super().__init__()
        _check_encoders(encoders, head_widths, embedding_sets)
        self._n_shared = len(encoders) - len(head_widths)
        self.encoders = nn.ModuleList(encoders)
        self.embeds_members = False
        self.width = encoders[0].width

    def reset_parameters(self) -> None:
        """Draw the tables of all encoders anew."""
        for encoder in self.encoders:
            encoder.reset_parameters()

    def forward(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Encoded:
        """Return each task's row, of the same codes, and the shared one."""
        codes, sequences = self.with_unknown(codes, sequences)
        return self.encode(codes, numeric, sequences)

    def encode(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Encoded:
        """Apply `forward` to unchanged codes."""
        sets = [encoder.encode(codes, numeric, sequences) for encoder in self.encoders]
        common, own = sets[: self._n_shared], sets[self._n_shared :]
        terms = None
        if own[0].logit_terms is not None:
            terms = torch.cat([each.logit_terms for each in own], 1)
        shared = None
        if common:
            shared, _, for_all = common[0]
            if for_all is not None:
                terms = for_all if terms is None else terms + for_all
        return Encoded(shared, torch.stack([each.shared for each in own], 1), terms)

    def with_unknown(
        self, codes: Tensor, sequences: Sequence[Tensor] = ()
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Return the codes that all sets read in a training step; see `FeatureEncoder`.

        Some are replaced by "unknown", at the rate of the first encoder.
        """
        return self.encoders[0].with_unknown(codes, sequences)

    def sparse_parameter_names(self) -> list[str]:
        """Return the names of the parameters that get sparse gradients."""
        return [
            f"encoders.{position}.{name}"
            for position, encoder in enumerate(self.encoders)
            for name in encoder.sparse_parameter_names()
        ]

    def sparse_rows(
        self, codes: Tensor, sequences: Sequence[Tensor] = ()
    ) -> dict[str, Tensor]:
        """Return the rows that `FeatureEncoder` names, of every encoder's tables."""
        return {
            f"encoders.{position}.{name}": rows
            for position, encoder in enumerate(self.encoders)
            for name, rows in encoder.sparse_rows(codes, sequences).items()
        }


def _check_encoders(
    encoders: Sequence[FeatureEncoder], head_widths: Sequence[int], embedding_sets: str
) -> None:
    if embedding_sets not in ("per_task", "both"):
        raise ValueError(
            "embedding_sets must be 'per_task' or 'both'; found "
            f"{embedding_sets!r}. Where tasks share all embeddings use a single "
            "FeatureEncoder."
        )
    n_tasks, n_shared = len(head_widths), int(embedding_sets == "both")
    if not n_tasks or len(encoders) != n_tasks + n_shared:
        raise ValueError(
            f"embedding_sets={embedding_sets!r} needs {n_tasks + n_shared} encoders "
            f"for {n_tasks} tasks; found {len(encoders)}. Make one for each task"
            f"{' and a shared one before them' if n_shared else ''}."
        )
    if len({id(encoder) for encoder in encoders}) < len(encoders):
        raise ValueError(
            "encoders must be modules of their own; found the same one more than once, "
            "whose embeddings the tasks would share. Make one for each."
        )
    widths = [encoder.width for encoder in encoders]
    if len(set(widths)) > 1:
        raise ValueError(
            f"encoders must make rows of one width; found {widths}. Make them of the "
            "same columns and settings."
        )
    _check_heads(encoders, head_widths, n_shared)


def _check_heads(
    encoders: Sequence[FeatureEncoder], head_widths: Sequence[int], n_shared: int
) -> None:
    """Raise unless the encoders make logit terms for their own heads."""
    found = [encoder.n_heads for encoder in encoders]
    if found[n_shared:] not in ([0] * len(head_widths), list(head_widths)):
        raise ValueError(
            f"Encoders of tasks with {list(head_widths)} heads must make terms for "
            f"these, each for its own, or none of them; found {found[n_shared:]}. Give "
            "each encoder the n_heads of its task."
        )
    if n_shared and found[0] not in (0, sum(head_widths)):
        raise ValueError(
            f"The shared encoder must make terms for all {sum(head_widths)} heads, or "
            f"none; found {found[0]}. Give it n_heads={sum(head_widths)}."
        )
