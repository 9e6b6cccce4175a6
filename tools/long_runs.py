"""The stored logs of whole runs of `vgg_lesson.fit`: the class plan, the full plan, and the post's own experiment.

The runs of the full plan are those of ``python -m vgg_lesson train``; their weights stay in ``build/full``.

A run that is interrupted goes on from its checkpoint when the command is given again.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from tools.paths import ROOT
from vgg_lesson import PLANS, History, ImageSet, build_vgg, evaluate, fit
from vgg_lesson.data.datasets import Preprocessing
from vgg_lesson.records.stored_runs import COLUMNS
from vgg_lesson.support.machine import cpu_count, fast_precision, pick_device

CHECKPOINTS, FULL = ROOT / "build" / "runs", ROOT / "build" / "full"
LOSS_EVERY = 10
INTERRUPTED = 130  # the exit status of `train`
POST_EPOCHS = 4
HEADER = f"""\
# {{about}}, seed {{seed}}; {{precision}}, channels_last, {{seconds:.0f}} s of training on {{cpus}} CPUs. \
Made by: python -m tools runs {{group}}
# loss: mean training loss of the last {LOSS_EVERY} steps. accuracy: on the test set, {{looked}}.
"""


@dataclass(frozen=True)
class LongRun:
    """What one run trains, and how. ``look``: at the test set after every epoch, as the post does; else at the end."""

    about: str
    group: str
    network: Mapping[str, Any]
    recipe: Mapping[str, Any]
    seed: int = 0
    look: bool = False
    raw: bool = False

    def log(self, name: str, train: ImageSet, test: ImageSet) -> str | None:
        """Train to the end and return the log as CSV; None if interrupted."""
        torch.manual_seed(self.seed)
        model = build_vgg(**self.network)
        if self.raw:  # values from 0 to 1, as the post feeds them
            model.preprocessing = Preprocessing(model.settings["image_size"], mean=0.0, std=1.0)
        history = fit(
            model, train, test if self.look else None, **self.recipe, seed=self.seed, label=name,
            checkpoint=CHECKPOINTS / f"{name}.checkpoint",
        )  # fmt: skip
        if history.interrupted:
            return None
        accuracies = {record.step: record.validation_accuracy for record in history.epochs}
        if not self.look:
            accuracies = {len(history.step_losses): evaluate(model, test)[1]}
        precision = self.recipe.get("precision", "fp32")
        used = fast_precision(pick_device()) if precision == "auto" else precision
        return _header(self, history, used, cpu_count(), self.look) + _rows(history, accuracies)


@dataclass(frozen=True)
class FullRun:
    """One run of the full plan."""

    seed: int
    about: str = "the full plan"
    group: str = "full"

    def log(self, name: str, train: ImageSet, test: ImageSet) -> str | None:
        """Train, or read what an earlier run left, and return the log as CSV; None if interrupted."""
        if (made := self.made()) is None:
            return None
        card, history = made
        accuracies = {len(history.step_losses): card["test_accuracy"]}
        return _header(self, history, card["precision_used"], card["threads"]) + _rows(history, accuracies)

    def made(self) -> tuple[dict[str, Any], History] | None:
        """The card of the weights and the history; trained first where they are missing.

        Raises:
            ValueError: what is there was trained by another plan.
        """
        weights = FULL / f"full_seed{self.seed}.safetensors"
        history = weights.with_suffix(".csv")
        if not (weights.exists() and history.exists()):
            kept = ["--out", os.path.relpath(weights, ROOT), "--log", os.path.relpath(history, ROOT)]
            options = ["train", "--budget", "full", "--seed", str(self.seed), *kept]
            command = [sys.executable, "-m", "vgg_lesson", *options]
            done = subprocess.run(  # nosec B603 our own command
                command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False
            )
            if done.returncode == INTERRUPTED:
                return None
            done.check_returncode()
        card = json.loads(weights.with_suffix(".json").read_text())
        plan = PLANS["full"]
        if (card["network"], card["recipe"]) != (plan.network, {**plan.recipe, "seed": self.seed}):
            raise ValueError(f"{weights} was trained by another plan than today's; delete it to train anew")
        return card, History.from_csv(history)


def _header(run: LongRun | FullRun, history: History, precision: str, cpus: int, look: bool = False) -> str:
    return HEADER.format(
        about=run.about, seed=run.seed, group=run.group, seconds=history.seconds, cpus=cpus,
        precision=precision, looked="after every epoch" if look else "looked at once, at the end",
    )  # fmt: skip


def _class(seed: int) -> LongRun:
    plan = PLANS["class"]
    about = "the class plan, VGG-11 layout at quarter width, 32x32"
    return LongRun(about, "class", {"config": plan.config, **plan.network}, plan.recipe, seed)


def _post(init: str, about: str, **changed: Any) -> LongRun:
    network = {"in_channels": 1, "num_classes": 10, "image_size": 224, "width": 0.25, "init": init}
    recipe = {"epochs": POST_EPOCHS, "batch_size": 128, "lr": 0.1, **changed}
    return LongRun(f"the post's quarter-width VGG-11 at 224x224, {about}, lr 0.1", "post", network, recipe,
                   look="steps" not in changed, raw=True)  # fmt: skip


FULL_RUNS: Mapping[str, FullRun] = {f"full_seed{seed}": FullRun(seed) for seed in range(3)}
LONG_RUNS: Mapping[str, Mapping[str, LongRun | FullRun]] = {
    "class": {f"class_seed{seed}": _class(seed) for seed in range(5)},
    "full": FULL_RUNS,
    "post": {
        "post_pytorch": _post("pytorch", "PyTorch's initialisation", precision="bf16"),
        "post_pytorch_fp32": _post("pytorch", "PyTorch's initialisation", steps=50),  # bf16 is compared with it
        "post_he": _post("he", "He initialisation"),
    },
}


def _rows(history: History, accuracies: Mapping[int, float | None]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    last = len(history.step_losses)
    steps = sorted({*range(LOSS_EVERY, last + 1, LOSS_EVERY), *accuracies, last})
    for before, step in zip([0, *steps], steps, strict=False):
        accuracy = accuracies.get(step)
        row = {"step": step, "loss": round(history.mean_loss(before + 1, step), 5), "spread": ""}
        writer.writerow(row | {"accuracy": "" if accuracy is None else round(accuracy, 4)})
    return text.getvalue()
