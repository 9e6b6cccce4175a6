"""Ship the first run of the full plan as ``vgg-full``, in float16, a format half as large that answers the same.

Seed 0 was chosen before any of the runs was trained.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch

from tools.paths import ASSETS
from tools.runs import FULL, full_run
from vgg_lesson import VGG, ImageSet, load_fashion_mnist, load_weights, save_weights
from vgg_lesson.analysis.predictions import predict

SEED, NAME = 0, "vgg-full"
IMAGES, SAME = 5000, 0.999
OF_THE_FILE = ("sha256", "bytes")


def shipped_card(card: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """The card of a run without what is true of its file and its machine alone."""
    kept = {key: value for key, value in card.items() if key not in OF_THE_FILE}
    return {**kept, "data": "FashionMNIST", "stored_as": str(dtype).removeprefix("torch.")}


def same_answers(one: VGG, other: VGG, data: ImageSet) -> float:
    """The share of pictures to which two networks give the same class."""
    return (predict(one, data).predicted == predict(other, data).predicted).float().mean().item()


def main(arguments: list[str]) -> None:
    """Write ``assets/weights/vgg-full``; a run that is missing is trained first."""
    argparse.ArgumentParser(prog="python -m tools ship", description=__doc__).parse_args(arguments)
    card, _ = full_run(SEED)
    model, path = load_weights(FULL / f"full_seed{SEED}.safetensors"), ASSETS / "weights" / f"{NAME}.safetensors"
    halved = load_weights(FULL / f"full_seed{SEED}.safetensors")
    halved.load_state_dict({name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()})
    share = same_answers(model, halved, load_fashion_mnist("train").subset(IMAGES))
    print(f"the same class for {share:.2%} of {IMAGES:,} training pictures")
    dtype = torch.float16 if share >= SAME else torch.float32
    save_weights(model, path, shipped_card(card, dtype), dtype=dtype)
