"""Helpers of the VGG lesson: build, count, train and look inside a VGG, on a laptop, in seconds.

Notebooks import from here and from nowhere deeper: the names below, ``figures`` (usually ``as fig``), ``widgets`` and
``check``.
"""

import importlib
from typing import TYPE_CHECKING, Any

from vgg_lesson.analysis.attribution import cover_hottest, layer_output, strongest
from vgg_lesson.analysis.intervals import difference, interval
from vgg_lesson.analysis.predictions import (
    Predictions,
    calibration,
    confusion_matrix,
    per_class_accuracy,
    predict,
)
from vgg_lesson.analysis.signal import cell_influence, pair_signal, signal_by_layer
from vgg_lesson.arithmetic import LayerRow, LayerTrace, MemoryBill, fits, memory, trace, window
from vgg_lesson.classroom.checks import check
from vgg_lesson.classroom.doctor import banner, doctor
from vgg_lesson.classroom.live import live
from vgg_lesson.classroom.scale_up import fit_waits, paper_model, ring_bytes, stored_scaling
from vgg_lesson.classroom.scale_up_jobs import FinishedRuns, await_file, follow
from vgg_lesson.configs import CONFIGS, Conv, Network, VGGConfig, get_config
from vgg_lesson.data.augmentation import AUGMENTATIONS
from vgg_lesson.data.batches import Preprocessing, batches, to_batch
from vgg_lesson.data.datasets import CLASSES, ImageSet, data_loaders, load_fashion_mnist
from vgg_lesson.data.pictures import garment_from_picture
from vgg_lesson.models import VGG, VGGBlock, build_vgg, class_vgg, initialize, load_torchvision_weights
from vgg_lesson.records.experiments import CHANGES, build_changed, train_changed
from vgg_lesson.records.published import published
from vgg_lesson.records.stored_runs import factor_runs, four_logs, read_log, stored_run
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.machine import fast_precision, pick_device, set_threads
from vgg_lesson.training.checkpoints import load_trained, load_weights, save_weights, trained_card
from vgg_lesson.training.evaluation import evaluate
from vgg_lesson.training.history import EpochRecord, History
from vgg_lesson.training.loop import fit
from vgg_lesson.training.recipes import PLANS, Experiment, Recipe

# A process that prints no banner, such as homework or `train`, keeps to what a container gives it as well.
set_threads()

if TYPE_CHECKING:
    from vgg_lesson.classroom import figures, widgets

# They draw; whoever only trains need not wait for matplotlib.
_LATE = ("figures", "widgets")

__all__ = [
    "AUGMENTATIONS",
    "CHANGES",
    "CLASSES",
    "CONFIGS",
    "PLANS",
    "VGG",
    "Conv",
    "EpochRecord",
    "Experiment",
    "FinishedRuns",
    "History",
    "ImageSet",
    "LayerRow",
    "LayerTrace",
    "MemoryBill",
    "Network",
    "Predictions",
    "Preprocessing",
    "Recipe",
    "VGGBlock",
    "VGGConfig",
    "await_file",
    "banner",
    "batches",
    "build_changed",
    "build_vgg",
    "calibration",
    "cell_influence",
    "check",
    "class_vgg",
    "confusion_matrix",
    "cover_hottest",
    "data_loaders",
    "difference",
    "doctor",
    "evaluate",
    "factor_runs",
    "fast_precision",
    "figures",
    "fit",
    "fit_waits",
    "fits",
    "follow",
    "four_logs",
    "garment_from_picture",
    "get_budget",
    "get_config",
    "initialize",
    "interval",
    "layer_output",
    "live",
    "load_fashion_mnist",
    "load_torchvision_weights",
    "load_trained",
    "load_weights",
    "memory",
    "pair_signal",
    "paper_model",
    "per_class_accuracy",
    "pick_device",
    "predict",
    "published",
    "read_log",
    "ring_bytes",
    "save_weights",
    "set_threads",
    "signal_by_layer",
    "stored_run",
    "stored_scaling",
    "strongest",
    "to_batch",
    "trace",
    "train_changed",
    "trained_card",
    "widgets",
    "window",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return importlib.import_module(f"vgg_lesson.classroom.{name}")
    raise AttributeError(f"module 'vgg_lesson' has no attribute {name!r}")
