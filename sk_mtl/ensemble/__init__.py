"""Ensembles of multi-task models and single-label models."""

from sk_mtl.ensemble._best_of import best_of
from sk_mtl.ensemble._boosted_trees import (
    BoostedTreesClassifier,
    BoostedTreesRegressor,
)
from sk_mtl.ensemble._distil import distil
from sk_mtl.ensemble._voting_classifier import MultiTaskVotingClassifier
from sk_mtl.ensemble._voting_estimator import MultiTaskVotingEstimator
from sk_mtl.ensemble._voting_regressor import MultiTaskVotingRegressor

__all__ = [
    "BoostedTreesClassifier",
    "BoostedTreesRegressor",
    "MultiTaskVotingClassifier",
    "MultiTaskVotingEstimator",
    "MultiTaskVotingRegressor",
    "best_of",
    "distil",
]
