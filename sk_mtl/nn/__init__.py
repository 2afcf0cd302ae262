"""Networks: coded features in, logits of all tasks out."""

from sk_mtl.nn._encoder import Encoded, FeatureEncoder, auto_embedding_dim
from sk_mtl.nn._esmm import ESMM
from sk_mtl.nn._layers import (
    ACTIVATIONS,
    BatchedLinear,
    BatchedMLP,
    make_activation,
)
from sk_mtl.nn._mmoe import MMoE
from sk_mtl.nn._network import MultiTaskNetwork
from sk_mtl.nn._towers import Towers

__all__ = [
    "ACTIVATIONS",
    "ESMM",
    "BatchedLinear",
    "BatchedMLP",
    "Encoded",
    "FeatureEncoder",
    "MMoE",
    "MultiTaskNetwork",
    "Towers",
    "auto_embedding_dim",
    "make_activation",
]
