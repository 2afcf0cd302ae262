"""Estimators: scikit-learn's contract around networks with several tasks."""

from sk_mtl.estimators._choices._class_losses import CrossEntropy, Focal
from sk_mtl.estimators._choices._gates import DSelectK, Gate, Softmax, TopK
from sk_mtl.estimators._choices._interactions import FM, Cross, Interaction, SENet
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._choices._number_losses import (
    ZILN,
    AbsoluteError,
    Gamma,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)
from sk_mtl.estimators._choices._numeric_embedding import NumericEmbedding
from sk_mtl.estimators._choices._numeric_embeddings import (
    Bins,
    Periodic,
    PiecewiseLinear,
)
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._models._adatt import AdaTT, AdaTTClassifier, AdaTTRegressor
from sk_mtl.estimators._models._aitm import AITM, AITMClassifier
from sk_mtl.estimators._models._cgc import CGC, CGCClassifier, CGCRegressor
from sk_mtl.estimators._models._cross_stitch import (
    CrossStitch,
    CrossStitchClassifier,
    CrossStitchRegressor,
)
from sk_mtl.estimators._models._dbmtl import DBMTL, DBMTLClassifier
from sk_mtl.estimators._models._escm2 import ESCM2Classifier
from sk_mtl.estimators._models._esmm import ESMM, ESMMClassifier
from sk_mtl.estimators._models._home import HoME, HoMEClassifier, HoMERegressor
from sk_mtl.estimators._models._mmoe import MMoE, MMOEClassifier, MMOERegressor
from sk_mtl.estimators._models._omoe import OMoE, OMOEClassifier, OMOERegressor
from sk_mtl.estimators._models._ple import PLE, PLEClassifier, PLERegressor
from sk_mtl.estimators._models._shared_bottom import (
    SharedBottom,
    SharedBottomClassifier,
    SharedBottomRegressor,
)
from sk_mtl.estimators._models._single_task import (
    SingleTask,
    SingleTaskClassifier,
    SingleTaskRegressor,
)
from sk_mtl.estimators._models._snr import SNR, SNRClassifier, SNRRegressor
from sk_mtl.estimators._models._stem import STEM, STEMClassifier, STEMRegressor
from sk_mtl.estimators._multi_task_estimator import MultiTaskEstimator
from sk_mtl.estimators._regressor import MultiTaskRegressor

__all__ = [
    "AITM",
    "CGC",
    "DBMTL",
    "ESMM",
    "FM",
    "PLE",
    "SNR",
    "STEM",
    "ZILN",
    "AITMClassifier",
    "AbsoluteError",
    "AdaTT",
    "AdaTTClassifier",
    "AdaTTRegressor",
    "Bins",
    "CGCClassifier",
    "CGCRegressor",
    "Cross",
    "CrossEntropy",
    "CrossStitch",
    "CrossStitchClassifier",
    "CrossStitchRegressor",
    "DBMTLClassifier",
    "DSelectK",
    "ESCM2Classifier",
    "ESMMClassifier",
    "Focal",
    "Gamma",
    "Gate",
    "HoME",
    "HoMEClassifier",
    "HoMERegressor",
    "Huber",
    "Interaction",
    "Loss",
    "MMOEClassifier",
    "MMOERegressor",
    "MMoE",
    "MultiTaskClassifier",
    "MultiTaskEstimator",
    "MultiTaskRegressor",
    "NumericEmbedding",
    "OMOEClassifier",
    "OMOERegressor",
    "OMoE",
    "PLEClassifier",
    "PLERegressor",
    "Periodic",
    "PiecewiseLinear",
    "Poisson",
    "Quantile",
    "SENet",
    "SNRClassifier",
    "SNRRegressor",
    "STEMClassifier",
    "STEMRegressor",
    "SharedBottom",
    "SharedBottomClassifier",
    "SharedBottomRegressor",
    "SingleTask",
    "SingleTaskClassifier",
    "SingleTaskRegressor",
    "Softmax",
    "SquaredError",
    "TopK",
    "WiringChoice",
]
