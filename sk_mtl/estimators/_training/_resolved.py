"""Device, batch size and early stopping, resolved from their parameters."""

from __future__ import annotations

import math

import torch


def resolve_device(device) -> torch.device:
    """Return the device that a parameter names, or raise if it does not exist."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError):
        resolved = None
    if resolved is None or resolved.type not in ("cpu", "cuda"):
        raise ValueError(
            "device must be 'cpu', 'cuda', 'cuda:<number>' or 'auto'; found "
            f"{device!r}. Use one of these."
        )
    if resolved.type == "cpu":
        # The processor is a single device with any number.
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError(
            f"device={str(device)!r} needs a CUDA device; found none: torch "
            f"{torch.__version__} sees no card here. Use device='cpu' or 'auto', or "
            "install a CUDA build of torch."
        )
    n_cards = torch.cuda.device_count()
    if (resolved.index or 0) >= n_cards:
        raise ValueError(
            f"device={str(device)!r} must name one of the CUDA devices here; found "
            f"{n_cards}, numbered from 0. Use a smaller number, or 'cuda'."
        )
    return resolved


def available_device(device) -> torch.device:
    """Return the device that a parameter names; the processor if it is missing.

    A model fitted on a GPU thus also predicts on a machine without one.
    """
    try:
        return resolve_device(device)
    except ValueError:
        if str(device).partition(":")[0] != "cuda":
            raise
        return torch.device("cpu")


def resolve_batch_size(batch_size, n_samples: int) -> int:
    """Return the rows per step.

    "auto" is the power of two nearest to twice the square root of the rows, from 16 to
    1,024. The number of steps per epoch then also grows with the square root: a table
    of 20,000 rows has 80, enough to learn its embeddings in a few epochs.
    """
    if batch_size != "auto":
        return int(batch_size)
    nearest = 2 ** round(math.log2(2 * math.sqrt(n_samples)))
    return max(16, min(1024, nearest))


def resolve_embedding_l2(embedding_l2) -> float:
    """Return the strength of the L2 penalty of embedding tables; "auto" is 0."""
    return 0.0 if embedding_l2 == "auto" else float(embedding_l2)


def resolve_early_stopping(
    early_stopping, n_samples: int, *, max_epochs: int, monitor="valid_loss"
) -> bool:
    """Return whether rows are held out to decide when to stop.

    "auto" holds rows out of tables of more than 2,000 rows. A smaller table needs all
    rows in training, and has too few to choose between five epochs. More than ten
    epochs overfit soon, so that even ten validation rows help. Setting `monitor` also
    turns early stopping on.
    """
    if early_stopping != "auto":
        return bool(early_stopping)
    long = max_epochs > 10 and n_samples > 100
    return n_samples > 2_000 or long or monitor != "valid_loss"
