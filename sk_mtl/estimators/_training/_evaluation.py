"""Answers of a trained network for encoded rows, batch by batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._training._forked_threads import use_own_threads
from sk_mtl.estimators._training._plain_torch import plain_products
from sk_mtl.losses import Structure
from sk_mtl.preprocessing import FeatureArrays

# Large enough that products cost more than calls, small enough that the activations of
# a wide network stay in the cache; several members share these rows.
EVALUATION_BATCH = 4096
_LEAST_BATCH = 512

# Evaluated batches hold a multiple of this number of rows. The kernel of a product
# depends on the number of rows, and a vectorised function has another kernel for the
# remainder, so the last digits of a row's answer would depend on the other rows. The
# kernels depend on the processor: six digits are guaranteed for a row alone, in a
# batch and in any order, and all digits for the same batch only.
EVALUATION_ROWS = 32

#: The remedy of numbers that become NaN or infinite in training.
ADVICE = (
    "Try a smaller lr, check the scale of numeric columns and the sample weights, or "
    "use precision='float64'."
)


def evaluate(
    module: nn.Module,
    function: Callable[..., list[Tensor]],
    arrays: FeatureArrays,
    device: torch.device | str,
) -> list[Tensor]:
    """Return, on the processor, the results of a function of module and inputs.

    Parameters
    ----------
    module : Module
        On the device.
    function : callable
        Called with the module, codes, numbers and sequences of each batch.
    arrays : FeatureArrays
        The encoded rows.
    device : torch.device or str
    """
    use_own_threads()
    outputs = []
    with torch.inference_mode(), plain_products(torch.device(device)):
        n_rows = len(arrays.codes)
        size = _batch_size(module)
        for start in range(0, n_rows, size):
            stop = min(start + size, n_rows)
            batch = slice(start, stop)
            codes, numeric, *sequences = (
                _filled_up(torch.from_numpy(table[batch])).to(device)
                for table in (arrays.codes, arrays.numeric, *arrays.sequences)
            )
            results = function(module, codes, numeric, tuple(sequences))
            outputs.append([each.detach()[: stop - start].cpu() for each in results])
    return list(map(torch.cat, zip(*outputs, strict=True)))


def _batch_size(module: nn.Module) -> int:
    """Return the number of rows of a batch, a multiple of `EVALUATION_ROWS`."""
    rows = EVALUATION_BATCH // getattr(module, "n_members", 1)
    return max(_LEAST_BATCH, rows - rows % EVALUATION_ROWS)


def compute_logits(module: nn.Module, *inputs) -> list[Tensor]:
    """Return the logits alone, as a function for `evaluate`."""
    return [module(*inputs)]


def check_answers(
    module: nn.Module, structure: Structure, rows: TrainingRows, what: str
) -> None:
    """Raise if the network returns NaN or infinity for some of the first rows.

    After the last step the weights may be finite while their products are not.
    """
    table = rows.first(EVALUATION_BATCH)
    with torch.inference_mode():
        logits = module(*table.inputs)
        answers = structure.answers(logits.double())
        results = [logits, *(each.to(logits.dtype) for each in answers)]
        finite = [each.isfinite().all(1) for each in results]
    n_wrong = len(table) - int(torch.stack(finite).all(0).sum())
    if n_wrong:
        raise ValueError(
            f"The answers of the trained network must be finite; found NaN or "
            f"infinity for {n_wrong} of {len(table)} {what} rows. {ADVICE}"
        )


def _filled_up(table: Tensor) -> Tensor:
    """Return the rows, padded by the last one to a multiple of `EVALUATION_ROWS`."""
    lacking = -len(table) % EVALUATION_ROWS
    if not lacking:
        return table
    return torch.cat([table, table[-1:].expand(lacking, *table.shape[1:])])
