"""The experiments whose logs are stored, by group; `tools.runs` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from math import floor
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from vgg_lesson import CHANGES, PLANS, Experiment, Network, Preprocessing, Recipe, VGGConfig, build_vgg, class_vgg
from vgg_lesson.configs import CLASS_NETWORK

POST_EPOCHS = 4
THREE = (0, 1, 2)

# --- notebook 05: the plain loop in float32, without batch norm and with 1,024 hidden units

_PLAIN = Experiment(replace(CLASS_NETWORK, batch_norm=False, hidden=1024), Recipe(steps=300))


def _zero_biases() -> nn.Module:
    model = class_vgg(batch_norm=False, hidden=1024, init="pytorch")
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    return model


STALL = {"stall": _PLAIN.vary("init pytorch", THREE, init="pytorch", steps=3000)}
FIXES = {
    "fix_he": _PLAIN.vary("init he", THREE),
    "fix_xavier": _PLAIN.vary("init xavier", THREE, init="xavier"),
    "fix_he_slow": _PLAIN.vary("init he", lr=0.01, momentum=0.9),
}
_SUSPECT = _PLAIN.vary("init pytorch", THREE, init="pytorch")
SUSPECTS = {
    "suspect_lr": _SUSPECT.vary(lr=0.01),
    # not 0.1, which with momentum 0.9 is as long as 1.0 without and flattens good weights, too
    "suspect_momentum": _SUSPECT.vary(lr=0.01, momentum=0.9),
    "suspect_biases": Experiment(_zero_biases, _PLAIN.recipe, THREE, "init pytorch with biases of zero"),
}

# --- notebook 06: four runs of the class network on few images, with one thing wrong


def _sgd(lr: float, momentum: float) -> Callable[[Iterable[nn.Parameter]], Optimizer]:
    return partial(torch.optim.SGD, lr=lr, momentum=momentum)


def _doubled(epochs: int) -> Callable[[float], float]:
    """A rate that doubles with every epoch."""
    return lambda share: float(2 ** min(epochs - 1, floor(share * epochs - 1e-9)))


_SMALL = Experiment(CLASS_NETWORK, Recipe(epochs=10, batch_size=64, optimizer=_sgd(0.01, 0.9)))
DIAGNOSE = {
    "diagnose_plateau": _SMALL.vary(
        "default initialisation, no batch norm", batch_norm=False, init="pytorch", optimizer=_sgd(0.1, 0.0)
    ),
    "diagnose_nan": _SMALL.vary(
        "the learning rate doubles every epoch, no batch norm", batch_norm=False, schedule=_doubled(10)
    ),
    "diagnose_overfitting": _SMALL.vary("few images, no dropout", dropout=0.0, epochs=16, optimizer=_sgd(0.02, 0.9)),
    "diagnose_eval": _SMALL.vary("evaluated in training mode", epochs=8),
}
# How many of the training images each of them sees.
DIAGNOSE_IMAGES = {"diagnose_plateau": 2000, "diagnose_nan": 2000, "diagnose_overfitting": 1000, "diagnose_eval": 3000}

# --- the class plan, and the post's own experiment


def _post_network(init: str) -> nn.Module:
    model = build_vgg("VGG-11", in_channels=1, num_classes=10, width=0.25, init=init)
    model.preprocessing = Preprocessing(model.network.image_size, mean=0.0, std=1.0)  # values from 0 to 1
    return model


def _post(init: str, about: str, recipe: Recipe) -> Experiment:
    about = f"the post's quarter-width VGG-11 at 224x224, {about}, lr 0.1"
    return Experiment(partial(_post_network, init), recipe, change=about)


CLASS = {"class": PLANS["class"].vary("the class plan, VGG-11 layout at quarter width, 32x32")}
POST = {
    "post_pytorch": _post("pytorch", "PyTorch's initialisation", Recipe(epochs=POST_EPOCHS, precision="bf16")),
    "post_pytorch_fp32": _post("pytorch", "PyTorch's initialisation", Recipe(steps=50)),  # bf16 is compared with it
    "post_he": _post("he", "He initialisation", Recipe(epochs=POST_EPOCHS)),
}

# --- the candidates for the full plan, judged on held-out training images alone


def _candidate(name: str, blocks: tuple[tuple[int, int], ...], epochs: int, **recipe: Any) -> Experiment:
    network = Network(
        VGGConfig.stack(name, blocks), in_channels=1, num_classes=10, image_size=28, batch_norm=True, head="gap"
    )
    plan = replace(PLANS["class"].recipe, batch_size=128, weight_decay=5e-4, augment="flip+shift", epochs=epochs)
    return Experiment(network, plan, change=name).vary(**recipe)


_WIDE = ((2, 48), (2, 96), (2, 192), (2, 384))
SEARCH = {
    "search_small": _candidate("search_small", ((2, 32), (2, 64), (3, 128)), 20, lr=0.15),
    "search_erased": _candidate(
        "search_erased", ((2, 32), (2, 64), (2, 128), (2, 256)), 30, augment="flip+shift+erase"
    ),
    "search_wide_erased": _candidate("search_wide_erased", _WIDE, 16, augment="flip+shift+erase"),
    "search_wide": _candidate("search_wide", _WIDE, 16),
}  # fmt: skip

# What `train --budget full` is given besides.
FULL_CHANGES: Mapping[str, Mapping[str, Any]] = {"full": {}, "overnight": {"width": 1.5, "epochs": 40}}

TRIALS: Mapping[str, Mapping[str, Experiment]] = {
    "stall": STALL, "fixes": FIXES, "suspects": SUSPECTS, "diagnose": DIAGNOSE, "search": SEARCH, "class": CLASS,
    "post": POST, "full": {"full": PLANS["full"]}, "factors": CHANGES,
}  # fmt: skip
# Groups whose logs bear the seed in their names.
SEEDED = ("stall", "fixes", "suspects", "class", "full")
