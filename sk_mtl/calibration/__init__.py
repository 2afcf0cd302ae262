"""Decisions and calibrated probabilities of several tasks."""

from sk_mtl.calibration._task_calibrator import TaskCalibrator
from sk_mtl.calibration._task_threshold_tuner import TaskThresholdTuner

__all__ = ["TaskCalibrator", "TaskThresholdTuner"]
