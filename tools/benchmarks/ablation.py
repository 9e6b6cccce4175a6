"""What each technique of the class plan brings: the plan without it, on a validation split of the training images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from statistics import mean
from typing import Any
from unittest.mock import patch

import torch

from tools.benchmarks.report import Report, spread
from vgg_lesson import build_vgg, evaluate, fit, load_fashion_mnist
from vgg_lesson.models import initialize
from vgg_lesson.support.machine import fast_precision, set_threads
from vgg_lesson.training.recipes import PLANS

SEEDS = (0, 1, 2)
VALIDATION = 10_000


@dataclass(frozen=True)
class Change:
    """What one row of the table does differently from the plan."""

    network: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    without: str = ""
    init: str = "he"


def changes() -> dict[str, Change]:
    """The rows: name → change."""
    return {
        "the class plan": Change(),
        "without batch norm": Change(network={"batch_norm": False}),
        "PyTorch's initialisation": Change(init="pytorch"),
        "without momentum": Change(recipe={"momentum": 0.0}),
        "constant learning rate": Change(recipe={"schedule": "constant"}),
        "without label smoothing": Change(recipe={"label_smoothing": 0.0}),
        "with weight decay": Change(recipe={"weight_decay": 5e-4}),
        "with dropout 0.5": Change(network={"dropout": 0.5}),
        "batches of 128": Change(recipe={"batch_size": 128}),
        "with flips": Change(recipe={"augment": "flip"}),
        "memory given back at every step": Change(without="memory_kept"),
        "channels first": Change(without="channels_last"),
        "the other precision": Change(recipe={"precision": "bf16" if fast_precision("cpu") == "fp32" else "fp32"}),
    }


def run() -> Report:
    """Train every row with every seed; mean validation accuracy and seconds, and their distance from the plan's."""
    set_threads()
    train, validation = load_fashion_mnist("train").split(VALIDATION)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in changes()}
    for seed in SEEDS:
        for name, change in changes().items():
            torch.manual_seed(seed)
            model = build_vgg("VGG-11", **{**PLANS["class"].network, **change.network})
            initialize(model, change.init)
            recipe = {**PLANS["class"].recipe, **change.recipe, "seed": seed, "device": "cpu"}
            with _without(change.without):
                history = fit(model, train, **recipe, label=f"{name}, seed {seed}", show="bar")
            results[name].append((evaluate(model, validation)[1], history.seconds))
    report = Report(
        "ablation", f"The class plan with one thing changed; {VALIDATION:,} training images held out, seeds {SEEDS}",
        ("change", "validation accuracy, %", "points", "seconds", "times as long"),
    )  # fmt: skip
    plan_accuracy, plan_seconds = (mean(column) for column in zip(*results["the class plan"], strict=True))
    for name, pairs in results.items():
        accuracies, seconds = zip(*pairs, strict=True)
        points = 100 * (mean(accuracies) - plan_accuracy)
        percent = spread([100 * a for a in accuracies], ".2f")
        slower = f"{mean(seconds) / plan_seconds:.2f}"
        report.rows.append((name, percent, f"{points:+.2f}", spread(seconds), slower))
        report.figures[name] = {"points": points, "accuracies": accuracies, "seconds": seconds}
    return report


@contextmanager
def _without(technique: str) -> Iterator[None]:
    """Switch off a part of the engine that is no argument of `fit`."""
    switches: dict[str, Any] = {
        "memory_kept": patch("vgg_lesson.training.loop.memory_kept", nullcontext),
        "channels_last": patch("torch.channels_last", torch.contiguous_format),
    }
    with switches.get(technique, nullcontext()):
        yield
