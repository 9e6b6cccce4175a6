"""A valid call of everything that ``from vgg_lesson import …`` offers, for `tests.bad_input` to spoil."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import vgg_lesson
from tests.bad_input import Row
from vgg_lesson import (
    VGG,
    Conv,
    EpochRecord,
    History,
    ImageSet,
    Predictions,
    VGGBlock,
    VGGConfig,
    arithmetic,
    build_vgg,
    check,
    get_budget,
    trace,
)

FOLDER = Path(tempfile.gettempdir()) / "vgg-lesson-no-such-folder"
TINY = VGGConfig("tiny", ((Conv(2),),))
IMAGES = torch.arange(12 * 28 * 28).reshape(12, 28, 28).to(torch.uint8)
DATA = ImageSet(IMAGES, torch.arange(12) % 10)
TEXT, SIGNED = ("unknown",), ("zero", "negative")


def network(**changes: Any) -> VGG:
    """A network of one convolution, for ten classes of 32×32 pictures."""
    return build_vgg(TINY, **{"in_channels": 1, "num_classes": 10, "image_size": 32, "hidden": 4, **changes})


MODEL = network()
BATCH = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
PREDICTIONS = Predictions(torch.full((12, 10), 0.1), DATA.labels)
RECORD = EpochRecord(1, 4, 2.3, 0.1, 2.3, 0.1, 1.0, 0.1)
HISTORY = History("run", [2.3, 2.2, 2.1, 2.0], [RECORD])
LAYOUT = {
    "in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.5, "batch_norm": True, "hidden": 4, "head": "fc",
    "dropout": 0.5, "init": "he",
}  # fmt: skip


def print_nothing(run: object) -> None:
    """A callback that lets the run go on."""


def rows() -> Mapping[str, Row]:
    """Name, as in ``vgg_lesson.__all__`` or ``Class.method``, → its valid call."""
    return {**_counting(), **_networks(), **_data(), **_training(), **_looking()}


def _counting() -> dict[str, Row]:
    counted = trace(TINY, image_size=32, num_classes=10)
    row = counted.rows[0]
    return {
        "trace": Row(trace, lambda: {"config": "VGG-11", **LAYOUT}, {"dropout": ("zero",)}),
        "memory": Row(
            vgg_lesson.memory, lambda: {"counted": counted, "batch_size": 8, "optimizer": "sgd"},
            also={"optimizer": ["lbfgs"]},
        ),
        "get_config": Row(vgg_lesson.get_config, lambda: {"config": "VGG-16"}),
        "Conv": Row(Conv, lambda: {"channels": 8, "kernel": 3}, also={"kernel": [2, 4]}),
        "VGGConfig": Row(
            VGGConfig, lambda: {"name": "own", "blocks": ((Conv(4),), (Conv(8),)), "lrn": True, "column": ""},
            legal={"name": TEXT, "column": TEXT, "blocks": ("longer", "shorter")}, also={"blocks": [((4,),), ((),)]},
        ),
        "VGGConfig.stack": Row(
            VGGConfig.stack, lambda: {"name": "own", "blocks": [(1, 4), (2, 8)]},
            legal={"name": TEXT, "blocks": ("longer", "shorter")},
            also={"blocks": [[(0, 4)], [(1, 0)], [(1, "4")], [(1.5, 4)], [(1, 2, 3)]]},
        ),
        "LayerRow": Row(
            vgg_lesson.LayerRow, lambda: {n: getattr(row, n) for n in row.__dataclass_fields__},
            legal={
                "name": TEXT, "formula": TEXT, "output_shape": ("longer", "shorter"), "params": ("zero",),
                "macs": ("zero",), "activations": ("zero",), "receptive_field": ("none", "zero"),
                "jump": ("none", "zero"),
            },
        ),
        "LayerTrace": Row(
            vgg_lesson.LayerTrace, lambda: {"config": TINY, "rows": counted.rows}, legal={"rows": ("longer", "shorter")}
        ),
        "LayerTrace.row": Row(counted.row, lambda: {"name": "conv1_1"}),
        "MemoryBill": Row(
            vgg_lesson.MemoryBill, lambda: {"weights": 4, "gradients": 4, "optimizer": 4, "activations": 4},
            legal={name: ("zero",) for name in ("weights", "gradients", "optimizer", "activations")},
        ),
        "get_budget": Row(get_budget, lambda: {"name": "smoke"}, legal={"name": ("none",)}),
        "Budget.steps": Row(get_budget("smoke").steps, lambda: {"count": 9}),
        "Budget.epochs": Row(get_budget("smoke").epochs, lambda: {"count": 9}),
        "fits": Row(arithmetic.fits, lambda: {"bill": vgg_lesson.memory(counted, 8)}),
        "window": Row(
            arithmetic.window, lambda: {"counted": counted, "layer": "conv1_1", "cell": 1}, legal={"cell": ("zero",)},
            also={"layer": ["fc2"], "cell": [32]},
        ),
        "check.progress": Row(check.progress, lambda: {"topic": "why_it_stalls"}, legal={"topic": ("none",)}),
    }  # fmt: skip


def _networks() -> dict[str, Row]:
    build: dict[str, Any] = {"config": TINY, **LAYOUT, "dropout": 0.5, "init": "he", "device": "cpu"}
    legal = {"dropout": ("zero",), "device": ("none",)}
    state = {name: tensor for name, tensor in MODEL.state_dict().items()}
    return {
        "build_vgg": Row(build_vgg, lambda: dict(build), legal),
        "class_vgg": Row(vgg_lesson.class_vgg, lambda: dict(build), legal, also={"config": ["VGG"]}),
        "VGG.check_input": Row(
            MODEL.check_input, lambda: {"images": BATCH}, {"images": ("longer", "empty", "nan")},
        ),
        "VGGBlock": Row(
            VGGBlock, lambda: {"in_channels": 1, "convs": (Conv(4), Conv(4)), "batch_norm": True, "lrn": True},
            {"convs": ("longer", "shorter")}, also={"convs": [(4,), (Conv,)]},
        ),
        "initialize": Row(vgg_lesson.initialize, lambda: {"model": network(), "scheme": "he"}),
        "load_torchvision_weights": Row(
            vgg_lesson.load_torchvision_weights, _torchvision, also={"model": [MODEL], "state_dict": [state]}
        ),
        "load_trained": Row(vgg_lesson.load_trained, lambda: {"name": "vgg11-class"}),
        "trained_card": Row(vgg_lesson.trained_card, lambda: {"name": "vgg11-class"}),
        "load_weights": Row(vgg_lesson.load_weights, lambda: {"path": str(_weights())}, also={"path": [FOLDER]}),
        "save_weights": Row(
            vgg_lesson.save_weights,
            lambda: {"model": MODEL, "path": FOLDER / "x.safetensors", "card": {"seed": 1}, "dtype": torch.float32},
            {"card": ("empty",)}, also={"path": ["x.pt", FOLDER], "card": [{"seed": object()}], "dtype": [torch.int8]},
        ),
    }  # fmt: skip


def _weights() -> Path:
    return Path(vgg_lesson.__file__).parent / "assets" / "weights" / "vgg11-class.safetensors"


def _torchvision() -> dict[str, Any]:
    model = build_vgg(
        VGGConfig("seven", ((Conv(1),),) * 5), in_channels=1, num_classes=2, image_size=224, hidden=2, device="meta"
    )
    named = {name: tensor for name, tensor in model.state_dict().items()}
    flat = [name for name in named if name.startswith("features")]
    features = {
        f"features.{2 * (place // 2) + place // 2}.{name.split('.')[-1]}": named[name]
        for place, name in enumerate(flat)
    }
    heads = {name: tensor for name, tensor in named.items() if name.startswith("classifier")}
    return {"model": model, "state_dict": {**features, **heads}}


def _data() -> dict[str, Row]:
    return {
        "ImageSet": Row(
            ImageSet,
            lambda: {"images": IMAGES, "labels": DATA.labels, "source": "", "classes": tuple("abcdefghijk")},
            {
                "images": ("longer", "empty", "size"), "source": TEXT, "classes": ("longer", "shorter"),
            }, also={"labels": [DATA.labels + 9, DATA.labels - 1]},
        ),
        "ImageSet.subset": Row(
            DATA.subset, lambda: {"chosen": 3}, {"chosen": ("none", "type")},
            also={
                "chosen": ["abc", 3.0, {}, object(), [99], [-13], [[1]], torch.zeros(5).bool(), torch.ones(0)]
            },
        ),
        "ImageSet.split": Row(
            DATA.split, lambda: {"validation": 3, "seed": 0}, {"validation": ("fraction",), "seed": SIGNED},
            also={"validation": [12, 1.0, 1.5], "seed": [2**64, -(2**63) - 1]},
        ),
        "load_fashion_mnist": Row(
            vgg_lesson.load_fashion_mnist, lambda: {"split": "test", "root": None}, {"root": ("type",)},
            also={"root": [FOLDER, 3, b"x", ""]},
        ),
        "to_batch": Row(
            vgg_lesson.to_batch,
            lambda: {
                "images": IMAGES, "image_size": 32, "device": "cpu", "mean": 0.3, "std": 0.3, "channels_last": True,
            },
            {
                "images": ("longer", "empty", "size"), "mean": (*SIGNED, "large", "type"),
                "std": ("large", "type"), "device": ("none",),
            },
        ),
        "batches": Row(
            vgg_lesson.batches,
            lambda: {
                "data": DATA, "batch_size": 4, "image_size": 32, "preprocessing": None, "shuffle": True,
                "seed": 0, "device": "cpu", "augment": None, "channels_last": True,
            },
            {"data": ("empty", "fewer"), "seed": SIGNED, "device": ("none",)},
            also={"augment": ["flip", 3]},
        ),
        "data_loaders": Row(
            vgg_lesson.data_loaders,
            lambda: {"batch_size": 4, "image_size": 32, "root": None, "num_workers": 0, "seed": 0},
            {"num_workers": ("none", "zero"), "root": ("type",), "seed": SIGNED},
            also={"root": [FOLDER, 3], "seed": [2**64]},
        ),
    }  # fmt: skip


def _training() -> dict[str, Row]:
    rates = ("zero",)
    numbers = {n: getattr(RECORD, n) for n in RECORD.__dataclass_fields__}
    free = {n: ("zero", "negative", "nan", "large") for n, value in numbers.items() if isinstance(value, float)}
    return {
        "fit": Row(
            vgg_lesson.fit,
            lambda: {
                "model": network(), "train": DATA, "validation": DATA, "epochs": 1, "steps": 1, "batch_size": 4,
                "lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "schedule": "one-cycle", "label_smoothing": 0.1,
                "augment": "flip", "precision": "fp32", "seed": 0, "checkpoint": None, "device": "cpu", "label": "",
                "show": False, "callbacks": (print_nothing,), "loss": None, "optimizer": None, "eval_batch_size": 5,
            },
            {
                "train": ("fewer",), "validation": ("none", "fewer"), "steps": ("none",), "momentum": rates,
                "weight_decay": (*rates, "large"), "label_smoothing": rates, "seed": SIGNED, "device": ("none",),
                "label": TEXT, "checkpoint": ("type",), "lr": ("large",), "augment": ("none",),
                "eval_batch_size": ("none",),
                "callbacks": ("empty", "longer", "shorter"),
            },
            also={
                "checkpoint": [3, b"x", Path(__file__)], "show": ["maybe", 3, None], "callbacks": [3, "stop", [3]],
                "seed": [2**64, 2**70, -(2**70)], "model": [build_vgg(TINY, device="meta")], "momentum": [1.0, 2],
                "augment": ["rotate"], "label_smoothing": [1.0],
                "train": [DATA.images], "validation": [(DATA.images, DATA.labels[:2])],
            },
        ),
        "evaluate": Row(
            vgg_lesson.evaluate, lambda: {"model": MODEL, "data": DATA, "batch_size": 5, "views": "flip"},
            {"data": ("fewer",)},
        ),
        "EpochRecord": Row(
            EpochRecord, lambda: dict(numbers),
            {**free, "step": ("zero",), "validation_loss": (*free["train_loss"], "none"),
             "validation_accuracy": (*free["train_loss"], "none")},
        ),
        "History": Row(
            History, lambda: {"label": "", "step_losses": [2.3, 2.2], "epochs": [RECORD], "interrupted": False},
            {"label": TEXT, "step_losses": ("empty", "longer", "shorter"), "epochs": ("empty", "longer", "shorter")},
        ),
        "History.mean_loss": Row(
            HISTORY.mean_loss, lambda: {"first": 2, "last": 3}, also={"first": [4], "last": [1, 5]}
        ),
        "History.to_csv": Row(HISTORY.to_csv, lambda: {"path": FOLDER / "log.csv"}),
        "History.from_csv": Row(
            History.from_csv, lambda: {"path": _csv(), "label": "x"}, {"label": TEXT},
            also={"path": [FOLDER, FOLDER / "none.csv", Path(__file__)]},
        ),
    }  # fmt: skip


def _csv() -> Path:
    path = Path(tempfile.mkdtemp()) / "log.csv"
    HISTORY.to_csv(path)
    return path


def _looking() -> dict[str, Row]:
    return {
        "Predictions": Row(
            Predictions, lambda: {"probabilities": PREDICTIONS.probabilities, "labels": PREDICTIONS.labels,
                                 "classes": tuple("abcdefghij")},
            {"classes": ("longer", "shorter")},
            also={"probabilities": [PREDICTIONS.probabilities * 2], "labels": [DATA.labels + 9]},
        ),
        "predict": Row(
            vgg_lesson.predict, lambda: {"model": MODEL, "data": DATA, "batch_size": 5}, {"data": ("fewer",)}
        ),
        "confusion_matrix": Row(vgg_lesson.confusion_matrix, lambda: {"predictions": PREDICTIONS}),
        "per_class_accuracy": Row(vgg_lesson.per_class_accuracy, lambda: {"predictions": PREDICTIONS}),
        "calibration": Row(vgg_lesson.calibration, lambda: {"predictions": PREDICTIONS, "bins": 10}),
        "signal_by_layer": Row(
            vgg_lesson.signal_by_layer, lambda: {"model": MODEL, "images": BATCH}, {"images": ("longer", "nan")},
            also={"images": [BATCH[:1], BATCH[0], BATCH.to(torch.uint8)]},
        ),
        "fast_precision": Row(vgg_lesson.fast_precision, lambda: {"device": "cpu"}, {"device": ("none",)}),
        "set_threads": Row(vgg_lesson.set_threads, lambda: {"n": 1}, {"n": ("none",)}),
        "pick_device": Row(vgg_lesson.pick_device, dict),
        "banner": Row(vgg_lesson.banner, dict),
        "doctor": Row(vgg_lesson.doctor, dict),
    }  # fmt: skip
