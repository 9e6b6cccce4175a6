"""What decides a training run besides the network and the data, and the recipe of each budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vgg_lesson.configs import CLASS_NETWORK, VGGConfig
from vgg_lesson.data.augmentation import AUGMENTATIONS
from vgg_lesson.support.arguments import check_positive_int, check_seed

SCHEDULES = ("constant", "one-cycle")
PRECISIONS = ("fp32", "bf16", "auto")
WARM_UP = 0.25
FINAL_LR = 0.01


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run besides the model and the data; validated when made."""

    epochs: int = 1
    steps: int | None = None
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "constant"
    label_smoothing: float = 0.0
    augment: str | None = None
    precision: str = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive_int("epochs", self.epochs)
        check_positive_int("batch_size", self.batch_size)
        if self.steps is not None:
            check_positive_int("steps", self.steps)
        check_seed(self.seed)
        _check_range("lr", self.lr, above=0.0)
        _check_range("momentum", self.momentum, at_least=0.0, below=1.0)
        _check_range("weight_decay", self.weight_decay, at_least=0.0)
        _check_range("label_smoothing", self.label_smoothing, at_least=0.0, below=1.0)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("augment", self.augment, (None, *AUGMENTATIONS))

    def lr_at(self, step: int, total: int) -> float:
        """The learning rate of the step with this index, counted from 0, in a run of ``total`` steps."""
        if self.schedule == "constant":
            return self.lr
        progress = (step + 1) / total
        if progress < WARM_UP:
            return self.lr * progress / WARM_UP
        return self.lr * (1 - (1 - FINAL_LR) * (progress - WARM_UP) / (1 - WARM_UP))


@dataclass(frozen=True)
class Plan:
    """``network`` are arguments of `build_vgg` besides its layout ``config``, ``recipe`` arguments of `fit`.

    ``views`` is the argument of `evaluate` for the one look at the test set.
    """

    network: Mapping[str, Any]
    recipe: Mapping[str, Any]
    config: str | VGGConfig = "VGG-11"
    views: str = "one"


_NETWORK = {**CLASS_NETWORK, "dropout": 0.0}
_RECIPE = {
    "epochs": 1, "batch_size": 64, "lr": 0.1, "momentum": 0.9,
    "schedule": "one-cycle", "label_smoothing": 0.1, "precision": "auto",
}  # fmt: skip

_FULL = VGGConfig.stack("four blocks", [(2, 48), (2, 96), (2, 192), (2, 384)])

# Chosen on a validation split of the training images; the candidates for "full" are assets/runs/search_*.csv.
PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "smoke": Plan(_NETWORK, _RECIPE),
        "class": Plan(_NETWORK, _RECIPE),
        "full": Plan(
            {"in_channels": 1, "num_classes": 10, "image_size": 28, "batch_norm": True, "head": "gap"},
            {**_RECIPE, "epochs": 14, "batch_size": 128, "weight_decay": 5e-4, "augment": "flip+shift"},
            config=_FULL,
            views="flip+shift",
        ),
    }
)


def _check_range(
    name: str, value: float, *, at_least: float = -math.inf, above: float = -math.inf, below: float = math.inf
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} is {type(value).__name__}; a number is expected")
    if not (math.isfinite(value) and value >= at_least and value > above and value < below):
        low = f"at least {at_least:g}" if math.isfinite(at_least) else f"above {above:g}"
        high = f" and below {below:g}" if math.isfinite(below) else ""
        raise ValueError(f"{name}={value} is out of range; a number {low}{high} is expected")


def _check_choice(name: str, value: object, accepted: tuple[object, ...]) -> None:
    if value not in accepted:
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, accepted))}")
