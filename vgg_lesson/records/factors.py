"""One thing changed at a time: the runs behind notebook 09, and their stored log ``assets/runs/factors.csv``.

Every run is the class plan in float32, with weight decay besides and with one thing changed, trained on 50,000 of the
training images and judged by the other 10,000; none has seen the test set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import mean, stdev
from types import MappingProxyType
from typing import Any

import torch

from vgg_lesson.configs import Conv, VGGConfig
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.models import VGG, build_vgg
from vgg_lesson.records.stored_runs import read_log
from vgg_lesson.support.arguments import check_choice
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import fit
from vgg_lesson.training.recipes import PLANS

VALIDATION = 10_000
RECIPE: Mapping[str, Any] = MappingProxyType({**PLANS["class"].recipe, "weight_decay": 5e-4, "precision": "fp32"})
COLUMNS = ("run", "seed", "step", "loss", "accuracy", "seconds")

# The first three blocks read 7×7 windows, once with three small convolutions and once with a large one.
THREE_SMALL = VGGConfig("three 3x3", (*((Conv(c),) * 3 for c in (64, 128, 256)), (Conv(512),), (Conv(512),)))
ONE_LARGE = VGGConfig("one 7x7", (*((Conv(c, kernel=7),) for c in (64, 128, 256)), (Conv(512),), (Conv(512),)))

# Student's t: the factor that keeps 95% with 2 values, 3 values, …; their t has one degree of freedom less.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)

_PLAIN = {"batch_norm": False}
_SLOW = {"lr": 0.01}


@dataclass(frozen=True)
class Change:
    """What a run changes of the class network and `RECIPE`: layout, arguments of `build_vgg` and `fit`, seeds."""

    config: str | VGGConfig = "VGG-11"
    network: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 5

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of `build_vgg`, layout and initialisation excepted: those of `trace` and ``dropout``."""
        return {name: value for name, value in {**PLANS["class"].network, **self.network}.items() if name != "init"}


_DEPTHS = ("VGG-11", "VGG-13", "VGG-16", "VGG-19")
CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        **{depth: Change(depth) for depth in _DEPTHS},
        **{f"{depth}, lr 0.01": Change(depth, {}, _SLOW, seeds=3) for depth in _DEPTHS},
        **{f"{depth} plain, lr 0.01": Change(depth, _PLAIN, _SLOW, seeds=3) for depth in _DEPTHS},
        **{
            f"{depth} plain, default init, lr 0.01": Change(depth, {**_PLAIN, "init": "pytorch"}, _SLOW, seeds=3)
            for depth in _DEPTHS
        },
        "VGG-11 plain": Change("VGG-11", _PLAIN, seeds=3),
        "VGG-16 plain": Change("VGG-16", _PLAIN, seeds=3),
        "three 3x3": Change(THREE_SMALL),
        "one 7x7": Change(ONE_LARGE),
        "64 pixels": Change("VGG-11", {"image_size": 64}, seeds=3),
        "dropout 0.5": Change("VGG-11", {"dropout": 0.5}),
        "head gap": Change("VGG-11", {"head": "gap"}),
        "head 4096": Change("VGG-11", {"hidden": 4096}, seeds=3),
        **{f"{depth}, 4 epochs": Change(depth, {}, {"epochs": 4}, seeds=3) for depth in ("VGG-11", "VGG-16")},
    }
)


@dataclass(frozen=True)
class FactorRun:
    """A stored run: pairs of a step and the mean training loss since the pair before, and its validation accuracy
    (0 to 1). ``seconds`` of training are those of one processor."""

    name: str
    seed: int
    losses: tuple[tuple[int, float], ...]
    accuracy: float
    seconds: float


def build_changed(name: str, seed: int = 0) -> VGG:
    """The network of the run called ``name``, initialised from ``seed``."""
    check_choice("name", name, tuple(CHANGES))
    change = CHANGES[name]
    torch.manual_seed(seed)
    return build_vgg(change.config, **{**PLANS["class"].network, **change.network})


def train_changed(
    name: str, train: ImageSet, validation: ImageSet | None = None, *, seed: int = 0, **options: Any
) -> tuple[VGG, History]:
    """Train the network of the run called ``name`` as the stored run was; ``options`` are further arguments of `fit`.

    Raises:
        ValueError: ``name`` is not in `CHANGES`.
    """
    model = build_changed(name, seed)
    recipe = {**RECIPE, **CHANGES[name].recipe, "seed": seed, "label": name}
    return model, fit(model, train, validation, **{**recipe, **options})


@cache
def factor_runs() -> Mapping[str, tuple[FactorRun, ...]]:
    """The stored runs by name, one per seed."""
    _, rows = read_log("factors")
    found: dict[str, dict[int, list[Mapping[str, str]]]] = {}
    for row in rows:
        found.setdefault(row["run"], {}).setdefault(int(row["seed"]), []).append(row)
    return MappingProxyType(
        {name: tuple(_run(name, seed, lines) for seed, lines in seeds.items()) for name, seeds in found.items()}
    )


def _run(name: str, seed: int, lines: list[Mapping[str, str]]) -> FactorRun:
    losses = tuple((int(line["step"]), float(line["loss"])) for line in lines)
    return FactorRun(name, seed, losses, float(lines[-1]["accuracy"]), float(lines[-1]["seconds"]))


@dataclass(frozen=True)
class Interval:
    """A mean, and how far to either side its 95% interval reaches, in the unit of the values behind it."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half

    @property
    def holds_zero(self) -> bool:
        """Whether zero lies inside: of a difference, whether the two have not been told apart."""
        return self.low <= 0 <= self.high


def t_factor(count: int) -> float:
    """Student's t for the 95% interval of the mean of ``count`` values, 2 to 10 of them."""
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= len(T95) + 1:
        raise ValueError(f"count={count!r} values; 2 to {len(T95) + 1} are expected")
    return T95[count - 2]


def interval(values: Sequence[float]) -> Interval:
    """The 95% t interval of the mean of 2 to 10 independent ``values``: mean ± t·s/√n.

    Raises:
        ValueError: too few or too many values, or one that is not finite.
    """
    t = t_factor(len(values))
    if not all(map(math.isfinite, values)):
        raise ValueError(f"values={list(values)} holds one that is not finite")
    return Interval(mean(values), t * stdev(values) / math.sqrt(len(values)))


def difference(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """How much the mean of ``values`` lies above that of ``reference``, the half-widths added as squares.

    With as many values on both sides this is a t interval with the degrees of freedom of one side, which is wide:
    of five values each it holds the truth in 98 of 100, of three each in 99.
    """
    one, other = interval(values), interval(reference)
    return Interval(one.mean - other.mean, math.hypot(one.half, other.half))
