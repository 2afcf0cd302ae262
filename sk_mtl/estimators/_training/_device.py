"""The device that a parameter names."""

from __future__ import annotations

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
