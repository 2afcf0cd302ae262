"""Networks: coded features in, logits of all tasks out."""

from sk_mtl.nn._encoding._attention_pooling import AttentionPooling
from sk_mtl.nn._encoding._auto_embedding_dim import auto_embedding_dim
from sk_mtl.nn._encoding._bin_embedding import BinEmbedding
from sk_mtl.nn._encoding._bins import quantile_bins
from sk_mtl.nn._encoding._cross import CrossLayer
from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._encoding._encoder import FeatureEncoder
from sk_mtl.nn._encoding._encoder_sets import EncoderSets
from sk_mtl.nn._encoding._fm import FactorizationMachine
from sk_mtl.nn._encoding._input_sizes import InputSizes
from sk_mtl.nn._encoding._numeric_columns import NumericColumns
from sk_mtl.nn._encoding._numeric_embedding import (
    ColumnEmbedding,
    make_bin_embedding,
    make_piecewise_linear_embedding,
)
from sk_mtl.nn._encoding._senet import SqueezeExcitation
from sk_mtl.nn._encoding._target_attention import TargetAttention
from sk_mtl.nn._ensemble import MEMBER_SHARING, NetworkEnsemble
from sk_mtl.nn._experts._experts import Experts, Gates
from sk_mtl.nn._experts._gate_head import GateHead
from sk_mtl.nn._experts._grouped import GroupedExperts, GroupedGates
from sk_mtl.nn._experts._sparse_gates import DSelectKHead, SoftmaxHead, TopKHead
from sk_mtl.nn._layers import (
    ACTIVATIONS,
    BatchedLinear,
    BatchedMLP,
    Dropout,
    LayerOptions,
    make_activation,
)
from sk_mtl.nn._network import MultiTaskNetwork
from sk_mtl.nn._towers._aitm import TransferTowers
from sk_mtl.nn._towers._dbmtl import RelationTowers
from sk_mtl.nn._towers._towers import TaskMLPs, Towers
from sk_mtl.nn._wirings._adatt import AdaTT
from sk_mtl.nn._wirings._cgc import CGC
from sk_mtl.nn._wirings._cross_stitch import CrossStitch
from sk_mtl.nn._wirings._esmm import ESMM
from sk_mtl.nn._wirings._home import HoME
from sk_mtl.nn._wirings._mixture_wiring import MixtureWiring
from sk_mtl.nn._wirings._mmoe import MMoE
from sk_mtl.nn._wirings._omoe import OMoE
from sk_mtl.nn._wirings._ple import PLE
from sk_mtl.nn._wirings._shared_bottom import SharedBottom
from sk_mtl.nn._wirings._single_task import SingleTask
from sk_mtl.nn._wirings._snr import SNR
from sk_mtl.nn._wirings._stem import STEM
from sk_mtl.nn._wirings._wiring import Wiring

__all__ = [
    "ACTIVATIONS",
    "CGC",
    "ESMM",
    "MEMBER_SHARING",
    "PLE",
    "SNR",
    "STEM",
    "AdaTT",
    "AttentionPooling",
    "BatchedLinear",
    "BatchedMLP",
    "BinEmbedding",
    "ColumnEmbedding",
    "CrossLayer",
    "CrossStitch",
    "DSelectKHead",
    "Dropout",
    "Encoded",
    "EncoderSets",
    "Experts",
    "FactorizationMachine",
    "FeatureEncoder",
    "GateHead",
    "Gates",
    "GroupedExperts",
    "GroupedGates",
    "HoME",
    "InputSizes",
    "LayerOptions",
    "MMoE",
    "MixtureWiring",
    "MultiTaskNetwork",
    "NetworkEnsemble",
    "NumericColumns",
    "OMoE",
    "RelationTowers",
    "SharedBottom",
    "SingleTask",
    "SoftmaxHead",
    "SqueezeExcitation",
    "TargetAttention",
    "TaskMLPs",
    "TopKHead",
    "Towers",
    "TransferTowers",
    "Wiring",
    "auto_embedding_dim",
    "make_activation",
    "make_bin_embedding",
    "make_piecewise_linear_embedding",
    "quantile_bins",
]
