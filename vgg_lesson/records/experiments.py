"""What was tried: the experiments behind the stored runs and the training desk, and the one way to run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any

import torch
from torch import nn

from vgg_lesson.configs import CLASS_NETWORK, Conv, Network, VGGConfig
from vgg_lesson.models import build_vgg
from vgg_lesson.support.arguments import Seed, accept, checked, one_of
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import fit
from vgg_lesson.training.recipes import PLANS, Experiment, Recipe

VALIDATION = 10_000  # of the training images, in the experiments of notebook 09
STEPS = 200  # of a run on the training desk


def build(experiment: Experiment, seed: int = 0) -> nn.Module:
    """The experiment's network, its weights drawn from ``seed``."""
    torch.manual_seed(seed)
    network = experiment.network
    return build_vgg(**network) if isinstance(network, Network) else network()


@checked
def run_experiment(
    experiment: Experiment, train: Any, validation: Any = None, *, seed: Seed = 0, **options: Any
) -> tuple[nn.Module, History]:
    """Build and train the experiment's network from ``seed``; ``options`` are further arguments of `fit`."""
    model = build(experiment, seed)
    arguments = {**experiment.recipe, "seed": seed, "label": experiment.change, **options}
    return model, fit(model, train, validation, **arguments)


# --- the training desk: the recipe of notebook 06's row "+ one cycle to 0.1", with one thing changed

USUAL = Experiment(CLASS_NETWORK, Recipe(momentum=0.9, schedule="one-cycle"), change="the recipe")


def _values(field: str, *values: float) -> dict[str, dict[str, Any]]:
    return {f"{value:g}": {field: value} for value in values}


# What can be changed → the name of each value → the field behind it.
DIALS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "initialisation": {
            "He": {"init": "he"}, "Xavier": {"init": "xavier"}, "paper's N(0, 0.01)": {"init": "paper"},
            "PyTorch's": {"init": "pytorch"},
        },
        "batch norm": {"with": {"batch_norm": True}, "without": {"batch_norm": False}},
        "dropout": _values("dropout", 0, 0.25, 0.5, 0.75),
        "learning rate": _values("lr", 0.001, 0.01, 0.03, 0.1, 0.3, 1),
        "momentum": _values("momentum", 0, 0.5, 0.9, 0.99),
        "schedule": {"one cycle": {"schedule": "one-cycle"}, "constant": {"schedule": "constant"}},
        "batch size": _values("batch_size", 32, 64, 128, 256),
        "label smoothing": _values("label_smoothing", 0, 0.05, 0.1, 0.3),
        "weight decay": _values("weight_decay", 0, 0.0005, 0.005, 0.05),
        "augmentation": {
            "none": {"augment": None}, "flip": {"augment": "flip"}, "flip and shift": {"augment": "flip+shift"}
        },
        "seed": _values("seed", 0, 1, 2, 3),
    }
)  # fmt: skip


def changed(what: str, value: str) -> Experiment:
    """The usual experiment with one thing changed: ``what`` is a key of `DIALS`, ``value`` one of its values' names.

    Raises:
        ValueError: an unknown ``what`` or ``value``.
    """
    accept("what", what, Annotated[str, one_of(tuple(DIALS))])
    accept("value", value, Annotated[str, one_of(tuple(DIALS[what]))])
    fields = DIALS[what][value]
    seeds = (fields["seed"],) if "seed" in fields else None
    varied = USUAL.vary(seeds=seeds, **fields)
    return USUAL if varied == USUAL else replace(varied, change=f"{what} {value}")


def usual(what: str) -> str:
    """The name of the value that the usual experiment has."""
    return next(value for value in DIALS[what] if changed(what, value) == USUAL)


# --- notebook 09: the class plan in float32 with weight decay, and with one thing changed; none saw the test set

_FACTORS = PLANS["class"].vary(weight_decay=5e-4, precision="fp32")
# The first three blocks read 7×7 windows, once with three small convolutions and once with a large one.
THREE_SMALL = VGGConfig("three 3x3", (*((Conv(c),) * 3 for c in (64, 128, 256)), (Conv(512),), (Conv(512),)))
ONE_LARGE = VGGConfig("one 7x7", (*((Conv(c, kernel=7),) for c in (64, 128, 256)), (Conv(512),), (Conv(512),)))
_DEPTHS = ("VGG-11", "VGG-13", "VGG-16", "VGG-19")
_THREE = range(3)


def _factor(name: str, seeds: Any = None, **fields: Any) -> tuple[str, Experiment]:
    return name, _FACTORS.vary(name, seeds, **fields)


CHANGES: Mapping[str, Experiment] = MappingProxyType(
    dict(
        [
            *(_factor(depth, config=depth) for depth in _DEPTHS),
            *(_factor(f"{depth}, lr 0.01", _THREE, config=depth, lr=0.01) for depth in _DEPTHS),
            *(
                _factor(f"{depth} plain, lr 0.01", _THREE, config=depth, batch_norm=False, lr=0.01)
                for depth in _DEPTHS
            ),
            *(
                _factor(
                    f"{depth} plain, default init, lr 0.01", _THREE,
                    config=depth, batch_norm=False, init="pytorch", lr=0.01,
                )
                for depth in _DEPTHS
            ),
            _factor("VGG-11 plain", _THREE, batch_norm=False),
            _factor("VGG-16 plain", _THREE, config="VGG-16", batch_norm=False),
            _factor("three 3x3", config=THREE_SMALL),
            _factor("one 7x7", config=ONE_LARGE),
            _factor("64 pixels", _THREE, image_size=64),
            _factor("dropout 0.5", dropout=0.5),
            _factor("head gap", head="gap"),
            _factor("head 4096", _THREE, hidden=4096),
            *(_factor(f"{depth}, 4 epochs", _THREE, config=depth, epochs=4) for depth in ("VGG-11", "VGG-16")),
        ]
    )
)  # fmt: skip


def build_changed(name: str, seed: int = 0) -> nn.Module:
    """The network of the run of notebook 09 called ``name``, initialised from ``seed``."""
    return build(_change(name), seed)


def train_changed(
    name: str, train: Any, validation: Any = None, *, seed: int = 0, **options: Any
) -> tuple[nn.Module, History]:
    """Train the network of the run called ``name`` as the stored run was; ``options`` are further arguments of `fit`.

    Raises:
        ValueError: ``name`` is not in `CHANGES`.
    """
    return run_experiment(_change(name), train, validation, seed=seed, **options)


def _change(name: str) -> Experiment:
    return CHANGES[accept("name", name, Annotated[str, one_of(tuple(CHANGES))])]
