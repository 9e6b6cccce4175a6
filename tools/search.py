"""The candidates for the full plan, ``vgg_lesson/assets/runs/search_NAME.csv``: each trained whole, judged once more.

All choices were made on the training images held out here; the test set takes no part.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Generator, Tensor

from tools.paths import ROOT
from vgg_lesson import History, ImageSet, VGGConfig, build_vgg, evaluate, fit
from vgg_lesson.data.augmentation import AUGMENTATIONS
from vgg_lesson.records.stored_runs import SEARCH_COLUMNS
from vgg_lesson.support.machine import cpu_count, fast_precision, pick_device
from vgg_lesson.training.recipes import PLANS

CHECKPOINTS = ROOT / "build" / "runs"
VALIDATION = 5000
SIDES = (4, 14)
NETWORK: Mapping[str, Any] = {
    "in_channels": 1, "num_classes": 10, "image_size": 28, "batch_norm": True, "head": "gap",
}  # fmt: skip
RECIPE: Mapping[str, Any] = {**PLANS["class"].recipe, "batch_size": 128, "weight_decay": 5e-4}


def random_erase(images: Tensor, generator: Generator) -> Tensor:
    """Fill a rectangle in about half of the images (B, H, W) with noise; each side has 4 to 14 pixels.

    Source: Zhong et al., "Random Erasing Data Augmentation", https://arxiv.org/abs/1708.04896, with sides drawn one by
    one instead of by area and ratio.
    """
    count, height, width = images.shape
    chosen = torch.rand(count, generator=generator) < 0.5
    inside = chosen[:, None, None]
    for dimension, length in ((2, height), (1, width)):
        side = torch.randint(SIDES[0], SIDES[1] + 1, (count, 1), generator=generator)
        start = (torch.rand(count, 1, generator=generator) * (length - side + 1)).long()
        place = torch.arange(length)
        inside = inside & ((place >= start) & (place < start + side)).unsqueeze(dimension)
    noise = torch.randint(256, images.shape, generator=generator, dtype=torch.uint8)
    return torch.where(inside.to(images.device), noise.to(images.device), images)


def _flip_shift_erase(images: Tensor, generator: Generator) -> Tensor:
    return random_erase(AUGMENTATIONS["flip+shift"](images, generator), generator)


@dataclass(frozen=True)
class Candidate:
    """``blocks`` are pairs of convolutions and channels; the rest are arguments of `fit`."""

    blocks: tuple[tuple[int, int], ...]
    epochs: int
    augment: str
    lr: float = 0.1

    def log(self, name: str, train: ImageSet) -> str | None:
        """Train to the end and return the log as CSV, one row per epoch; None if interrupted."""
        torch.manual_seed(0)
        model = build_vgg(VGGConfig.stack(name, self.blocks), **NETWORK)
        train, validation = train.split(VALIDATION, seed=0)
        changes = {"epochs": self.epochs, "augment": self.augment, "lr": self.lr}
        with (
            patch("vgg_lesson.training.recipes.AUGMENTATIONS", TRIED),
            patch("vgg_lesson.training.loop.AUGMENTATIONS", TRIED),
        ):
            history = fit(
                model, train, validation, **{**RECIPE, **changes}, seed=0, label=name,
                checkpoint=CHECKPOINTS / f"{name}.checkpoint",
            )  # fmt: skip
        if history.interrupted:
            return None
        parameters = sum(parameter.numel() for parameter in model.parameters())
        viewed = {kind: evaluate(model, validation, views=kind)[1] for kind in ("flip", "flip+shift")}
        return self._header(parameters) + _rows(history, viewed)

    def _header(self, parameters: int) -> str:
        blocks = ", ".join(f"{count}x{channels}" for count, channels in self.blocks)
        return (
            f"# blocks {blocks}; {parameters} parameters; {self.augment}, {self.epochs} epochs, learning rate "
            f"{self.lr:g} at its height, seed 0; 28x28, {fast_precision(pick_device())}, {cpu_count()} CPU(s). "
            f"Made by: python -m tools runs search\n# {VALIDATION} training images held out; flip, flip+shift: "
            "accuracy on them with several views of each.\n"
        )


TRIED = {**AUGMENTATIONS, "flip+shift+erase": _flip_shift_erase}
CANDIDATES: Mapping[str, Candidate] = {
    "search_small": Candidate(((2, 32), (2, 64), (3, 128)), 20, "flip+shift", lr=0.15),
    "search_erased": Candidate(((2, 32), (2, 64), (2, 128), (2, 256)), 30, "flip+shift+erase"),
    "search_wide_erased": Candidate(((2, 48), (2, 96), (2, 192), (2, 384)), 16, "flip+shift+erase"),
    "search_wide": Candidate(((2, 48), (2, 96), (2, 192), (2, 384)), 16, "flip+shift"),
}


def _rows(history: History, viewed: Mapping[str, float]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, SEARCH_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in history.epochs:
        values = {name: value for name, value in asdict(record).items() if name in SEARCH_COLUMNS}
        rounded = {name: round(value, 4) for name, value in values.items()}
        last = {kind: round(accuracy, 4) for kind, accuracy in viewed.items()} if record is history.last else {}
        writer.writerow({**rounded, **last})
    return text.getvalue()
