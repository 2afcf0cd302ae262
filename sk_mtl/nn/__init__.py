"""Networks: coded features in, logits of all tasks out."""

from sk_mtl.nn._attention_pooling import AttentionPooling
from sk_mtl.nn._bin_embedding import BinEmbedding
from sk_mtl.nn._bins import quantile_bins
from sk_mtl.nn._cross import CrossLayer
from sk_mtl.nn._encoder import Encoded, FeatureEncoder
from sk_mtl.nn._ensemble import MEMBER_SHARING, NetworkEnsemble
from sk_mtl.nn._esmm import ESMM
from sk_mtl.nn._fm import FactorizationMachine
from sk_mtl.nn._layers import (
    ACTIVATIONS,
    BatchedLinear,
    BatchedMLP,
    Dropout,
    make_activation,
)
from sk_mtl.nn._mmoe import MMoE
from sk_mtl.nn._network import MultiTaskNetwork
from sk_mtl.nn._numeric_embedding import make_numeric_embedding
from sk_mtl.nn._senet import SqueezeExcitation
from sk_mtl.nn._tables import auto_embedding_dim
from sk_mtl.nn._target_attention import TargetAttention
from sk_mtl.nn._towers import Towers

__all__ = [
    "ACTIVATIONS",
    "ESMM",
    "MEMBER_SHARING",
    "AttentionPooling",
    "BatchedLinear",
    "BatchedMLP",
    "BinEmbedding",
    "CrossLayer",
    "Dropout",
    "Encoded",
    "FactorizationMachine",
    "FeatureEncoder",
    "MMoE",
    "MultiTaskNetwork",
    "NetworkEnsemble",
    "SqueezeExcitation",
    "TargetAttention",
    "Towers",
    "auto_embedding_dim",
    "make_activation",
    "make_numeric_embedding",
    "quantile_bins",
]
