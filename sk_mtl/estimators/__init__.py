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
    SquaredError,
)
from sk_mtl.estimators._choices._numeric_embedding import NumericEmbedding
from sk_mtl.estimators._choices._numeric_embeddings import (
    Bins,
    Periodic,
    PiecewiseLinear,
)
from sk_mtl.estimators._models._adatt import AdaTTClassifier, AdaTTRegressor
from sk_mtl.estimators._models._aitm import AITMClassifier
from sk_mtl.estimators._models._cgc import CGCClassifier, CGCRegressor
from sk_mtl.estimators._models._cross_stitch import (
    CrossStitchClassifier,
    CrossStitchRegressor,
)
from sk_mtl.estimators._models._dbmtl import DBMTLClassifier
from sk_mtl.estimators._models._escm2 import ESCM2Classifier
from sk_mtl.estimators._models._esmm import ESMMClassifier
from sk_mtl.estimators._models._home import HoMEClassifier, HoMERegressor
from sk_mtl.estimators._models._mmoe import MMOEClassifier, MMOERegressor
from sk_mtl.estimators._models._omoe import OMOEClassifier, OMOERegressor
from sk_mtl.estimators._models._ple import PLEClassifier, PLERegressor
from sk_mtl.estimators._models._shared_bottom import (
    SharedBottomClassifier,
    SharedBottomRegressor,
)
from sk_mtl.estimators._models._single_task import (
    SingleTaskClassifier,
    SingleTaskRegressor,
)
from sk_mtl.estimators._models._snr import SNRClassifier, SNRRegressor
from sk_mtl.estimators._models._stem import STEMClassifier, STEMRegressor
from sk_mtl.estimators._multi_task_estimator import MultiTaskEstimator

__all__ = [
    "FM",
    "ZILN",
    "AITMClassifier",
    "AbsoluteError",
    "AdaTTClassifier",
    "AdaTTRegressor",
    "Bins",
    "CGCClassifier",
    "CGCRegressor",
    "Cross",
    "CrossEntropy",
    "CrossStitchClassifier",
    "CrossStitchRegressor",
    "DBMTLClassifier",
    "DSelectK",
    "ESCM2Classifier",
    "ESMMClassifier",
    "Focal",
    "Gamma",
    "Gate",
    "HoMEClassifier",
    "HoMERegressor",
    "Huber",
    "Interaction",
    "Loss",
    "MMOEClassifier",
    "MMOERegressor",
    "MultiTaskEstimator",
    "NumericEmbedding",
    "OMOEClassifier",
    "OMOERegressor",
    "PLEClassifier",
    "PLERegressor",
    "Periodic",
    "PiecewiseLinear",
    "Poisson",
    "SENet",
    "SNRClassifier",
    "SNRRegressor",
    "STEMClassifier",
    "STEMRegressor",
    "SharedBottomClassifier",
    "SharedBottomRegressor",
    "SingleTaskClassifier",
    "SingleTaskRegressor",
    "Softmax",
    "SquaredError",
    "TopK",
]
