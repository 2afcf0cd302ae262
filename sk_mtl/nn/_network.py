"""The network: encoder, wiring and towers in sequence."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from sk_mtl.nn._encoding._encoded import Encoded


class MultiTaskNetwork(nn.Module):
    """codes (n, n_columns), numeric (n, n_numeric), sequences -> logits (n, n_heads).

    The three parts of every model: the encoder turns columns into one row of numbers,
    the wiring (the subject of a paper) turns that row into one for each task, and the
    towers turn these rows into logits. A structure of `sk_mtl.losses` reads one tensor
    with the logits of all tasks side by side.

    Parameters
    ----------
    encoder : FeatureEncoder or EncoderSets
        Called with codes, numeric columns and sequences; returns `Encoded`.
    wiring : Module
        Called with `Encoded`; returns (n, n_tasks, out_width).
    towers : Module
        Called with the wiring's result; returns (n, n_heads).

    Attributes
    ----------
    penalty : Tensor or None
        The wiring's term in the loss of the last batch in training.
    offset : Tensor of shape (n_heads,) or None
        Constants that are added to the logits and not trained.

    Examples
    --------
    A mixture of experts over one categorical and two numeric columns, two tasks.

    >>> import torch
    >>> from sk_mtl.nn import FeatureEncoder, MMoE, MultiTaskNetwork, Towers
    >>> encoder = FeatureEncoder([10], 2, embedding_dims=[4])
    >>> wiring = MMoE(encoder.width, 2)
    >>> towers = Towers(wiring.out_width, [(32,), (32,)], [1, 1])
    >>> network = MultiTaskNetwork(encoder, wiring, towers)
    >>> network(torch.tensor([[3], [9]]), torch.ones(2, 2)).shape
    torch.Size([2, 2])
    """

    def __init__(
        self, encoder: nn.Module, wiring: nn.Module, towers: nn.Module
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.wiring = wiring
        self.towers = towers
        self.penalty: Tensor | None = None
        self.offset: Tensor | None
        self.register_buffer("offset", None)

    def forward(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Tensor:
        """Return the logits of all tasks side by side.

        In training, the wiring's term in the loss is stored in `penalty`.
        """
        logits, *penalty = self.parts(self.encoder(codes, numeric, sequences))
        self.penalty = penalty[0] if penalty else None
        return logits

    def logits(self, encoded: Encoded) -> Tensor:
        """Return the logits of encoded rows."""
        return self.parts(encoded)[0]

    def parts(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return the logits of encoded rows and, in training, the wiring's penalty.

        Without a penalty only the logits are returned.
        """
        if self.training:
            rows, penalty = self.wiring.with_penalty(encoded)
        else:
            rows, penalty = self.wiring(encoded), None
        logits = self.towers(rows)
        if encoded.logit_terms is not None:
            logits = logits + encoded.logit_terms
        if self.offset is not None:
            logits = logits + self.offset
        return (logits,) if penalty is None else (logits, penalty)

    def each(
        self,
        function: Callable[["MultiTaskNetwork", Encoded], list[Tensor]],
        codes: Tensor,
        numeric: Tensor,
        sequences: Sequence[Tensor] = (),
    ) -> list[Tensor]:
        """Return the tensors of a function of the network and its encoded rows.

        The members of an ensemble are along a second axis.
        """
        return function(self, self.encoder(codes, numeric, sequences))

    def sparse_parameter_names(self) -> list[str]:
        """Return the names of the parameters that get sparse gradients."""
        return [f"encoder.{name}" for name in self.encoder.sparse_parameter_names()]

    def sparse_rows(
        self, codes: Tensor, sequences: Sequence[Tensor] = ()
    ) -> dict[str, Tensor]:
        """Return which rows training on these codes can change, by parameter name.

        The result holds only parameters with sparse gradients; see `FeatureEncoder`.
        """
        rows = self.encoder.sparse_rows(codes, sequences)
        return {f"encoder.{name}": found for name, found in rows.items()}
