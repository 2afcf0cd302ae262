"""Estimators: scikit-learn's contract around networks with several tasks."""

from sk_mtl.estimators._adatt import AdaTTClassifier, AdaTTRegressor
from sk_mtl.estimators._aitm import AITMClassifier
from sk_mtl.estimators._cgc import CGCClassifier, CGCRegressor
from sk_mtl.estimators._cross_stitch import CrossStitchClassifier, CrossStitchRegressor
from sk_mtl.estimators._dbmtl import DBMTLClassifier
from sk_mtl.estimators._escm2 import ESCM2Classifier
from sk_mtl.estimators._esmm import ESMMClassifier
from sk_mtl.estimators._estimator import MultiTaskEstimator
from sk_mtl.estimators._home import HoMEClassifier, HoMERegressor
from sk_mtl.estimators._mmoe import MMOEClassifier, MMOERegressor
from sk_mtl.estimators._omoe import OMOEClassifier, OMOERegressor
from sk_mtl.estimators._ple import PLEClassifier, PLERegressor
from sk_mtl.estimators._shared_bottom import (
    SharedBottomClassifier,
    SharedBottomRegressor,
)
from sk_mtl.estimators._single_task import SingleTaskClassifier, SingleTaskRegressor
from sk_mtl.estimators._snr import SNRClassifier, SNRRegressor
from sk_mtl.estimators._stem import STEMClassifier, STEMRegressor

__all__ = [
    "AITMClassifier",
    "AdaTTClassifier",
    "AdaTTRegressor",
    "CGCClassifier",
    "CGCRegressor",
    "CrossStitchClassifier",
    "CrossStitchRegressor",
    "DBMTLClassifier",
    "ESCM2Classifier",
    "ESMMClassifier",
    "HoMEClassifier",
    "HoMERegressor",
    "MMOEClassifier",
    "MMOERegressor",
    "MultiTaskEstimator",
    "OMOEClassifier",
    "OMOERegressor",
    "PLEClassifier",
    "PLERegressor",
    "SNRClassifier",
    "SNRRegressor",
    "STEMClassifier",
    "STEMRegressor",
    "SharedBottomClassifier",
    "SharedBottomRegressor",
    "SingleTaskClassifier",
    "SingleTaskRegressor",
]
