"""Helpers of the VGG lesson: build, count, train and look inside a VGG, on a laptop, in seconds."""

from vgg_lesson.arithmetic import LayerRow, LayerTrace, MemoryBill, memory, trace
from vgg_lesson.budgets import get_budget
from vgg_lesson.checkpoints import load_trained, load_weights, save_weights, trained_card
from vgg_lesson.checks import check
from vgg_lesson.configs import CONFIGS, Conv, VGGConfig, get_config
from vgg_lesson.datasets import CLASSES, ImageSet, batches, data_loaders, load_fashion_mnist, to_batch
from vgg_lesson.doctor import banner, doctor
from vgg_lesson.history import EpochRecord, History
from vgg_lesson.inspection import (
    Predictions,
    calibration,
    confusion_matrix,
    per_class_accuracy,
    predict,
    signal_by_layer,
)
from vgg_lesson.machine import fast_precision, pick_device, set_threads
from vgg_lesson.models import VGG, VGGBlock, build_vgg, class_vgg, initialize, load_torchvision_weights
from vgg_lesson.recipes import PLANS
from vgg_lesson.training import evaluate, fit

__all__ = [
    "CLASSES", "CONFIGS", "PLANS", "VGG", "Conv", "EpochRecord", "History", "ImageSet", "LayerRow", "LayerTrace",
    "MemoryBill", "Predictions", "VGGBlock", "VGGConfig", "banner", "batches", "build_vgg", "calibration", "check",
    "class_vgg", "confusion_matrix", "data_loaders", "doctor", "evaluate", "fast_precision", "fit", "get_budget",
    "get_config", "initialize", "load_fashion_mnist", "load_torchvision_weights", "load_trained", "load_weights",
    "memory", "per_class_accuracy", "pick_device", "predict", "save_weights", "set_threads", "signal_by_layer",
    "to_batch", "trace", "trained_card",
]  # fmt: skip
