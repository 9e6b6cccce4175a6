"""The network and the recipe of each budget, chosen on a validation split of the training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Plan:
    """``network`` are arguments of `build_vgg`, ``recipe`` arguments of `fit`."""

    network: Mapping[str, Any]
    recipe: Mapping[str, Any]


_NETWORK = {
    "in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.25, "hidden": 512, "batch_norm": True,
}  # fmt: skip
_RECIPE = {
    "epochs": 2, "batch_size": 128, "lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4,
    "schedule": "one-cycle", "label_smoothing": 0.1, "augment": "flip", "precision": "auto",
}  # fmt: skip

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "smoke": Plan(_NETWORK, {**_RECIPE, "epochs": 1}),
        "class": Plan(_NETWORK, _RECIPE),
        "full": Plan({**_NETWORK, "width": 0.5}, {**_RECIPE, "epochs": 20, "augment": "flip+shift"}),
    }
)
