"""Change exactly one thing of a recipe, train the class network for a few steps, and look: a `Dial` per thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch

from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.models import class_vgg
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import fit

# The row "+ one cycle to 0.1" of notebook 06; everything else as `class_vgg` and `fit` have it.
RECIPE: Mapping[str, Any] = MappingProxyType({"lr": 0.1, "momentum": 0.9, "schedule": "one-cycle"})
STEPS = 200


@dataclass(frozen=True)
class Dial:
    """One thing to change: the argument of `class_vgg` or `fit` behind it, its values by name, and the usual name."""

    argument: str
    values: Mapping[str, Any]
    usual: str
    of_network: bool = False


def _numbers(*values: float) -> dict[str, float]:
    return {f"{value:g}": value for value in values}


DIALS: Mapping[str, Dial] = MappingProxyType(
    {
        "initialisation": Dial(
            "init", {"He": "he", "Xavier": "xavier", "paper's N(0, 0.01)": "paper", "PyTorch's": "pytorch"}, "He", True
        ),
        "batch norm": Dial("batch_norm", {"with": True, "without": False}, "with", True),
        "dropout": Dial("dropout", _numbers(0, 0.25, 0.5, 0.75), "0.5", True),
        "learning rate": Dial("lr", _numbers(0.001, 0.01, 0.03, 0.1, 0.3, 1), "0.1"),
        "momentum": Dial("momentum", _numbers(0, 0.5, 0.9, 0.99), "0.9"),
        "schedule": Dial("schedule", {"one cycle": "one-cycle", "constant": "constant"}, "one cycle"),
        "batch size": Dial("batch_size", _numbers(32, 64, 128, 256), "128"),
        "label smoothing": Dial("label_smoothing", _numbers(0, 0.05, 0.1, 0.3), "0"),
        "weight decay": Dial("weight_decay", _numbers(0, 0.0005, 0.005, 0.05), "0"),
        "augmentation": Dial("augment", {"none": None, "flip": "flip", "flip and shift": "flip+shift"}, "none"),
        "seed": Dial("seed", _numbers(0, 1, 2, 3), "0"),
    }
)


def run_name(what: str, value: str) -> str:
    """What a run with this one change is called; "the recipe" where the value is the usual one."""
    return "the recipe" if _dial(what, value).usual == value else f"{what} {value}"


def run_changed(
    what: str,
    value: str,
    train: ImageSet,
    validation: ImageSet,
    *,
    steps: int = STEPS,
    on_step: Callable[[History], bool | None] | None = None,
) -> History:
    """Train the class network in float32 by the recipe with one thing changed.

    ``what`` is a key of `DIALS`, ``value`` one of its values' names. ``steps`` and ``on_step`` are those of `fit`.

    Returns:
        The history, with the network's loss and accuracy on ``validation`` in its last record, also when stopped.

    Raises:
        ValueError: an unknown ``what`` or ``value``.
    """
    dial = _dial(what, value)
    change = {dial.argument: dial.values[value]}
    seed = change.get("seed", 0)
    torch.manual_seed(seed)
    model = class_vgg(**(change if dial.of_network else {}))
    recipe = {**RECIPE, "seed": seed, **({} if dial.of_network else change)}
    return fit(
        model, train, validation, steps=steps, label=run_name(what, value), show=False, on_step=on_step, **recipe
    )


def _dial(what: str, value: str) -> Dial:
    if what not in DIALS:
        raise ValueError(f"what={what!r} is nothing that can be changed; choose one of {', '.join(DIALS)}")
    if value not in DIALS[what].values:
        raise ValueError(f"value={value!r} is no value of {what}; choose one of {', '.join(DIALS[what].values)}")
    return DIALS[what]
