"""The exercise of notebook 04 on normalising: its slips are many, and each has a hint of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vgg_lesson.classroom.checks.shared import code
from vgg_lesson.data.batches import to_batch
from vgg_lesson.data.datasets import MEAN, PADDED, SIDE, STD


def _normalised(images: Tensor) -> Tensor:
    return to_batch(images, SIDE)


def _scaled_only(images: Tensor) -> Tensor:
    return images.unsqueeze(1) / 255


def _pictures() -> list[tuple[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [(torch.randint(0, 256, (count, SIDE, SIDE), dtype=torch.uint8, generator=generator),) for count in (1, 5)]


def _each_by_itself(images: Tensor) -> Tensor:
    pixels = _scaled_only(images)
    mean, spread = pixels.mean((1, 2, 3), keepdim=True), pixels.std((1, 2, 3), keepdim=True)
    return (pixels - mean) / spread


def _not_floats(answer: Any) -> str | None:
    """A hint for a tensor that is not of float32."""
    result = answer(*_pictures()[0])
    if isinstance(result, Tensor) and result.dtype != torch.float32:
        return f"Your values are {result.dtype}; the network takes float32."
    return None


def _on_stop(answer: Any, stopped: str) -> str:
    if "can't be cast" in stopped:
        return f"{stopped} The bytes cannot hold fractions: make them floats first."
    return stopped


NORMALISE = code(
    "normalise_images",
    _normalised,
    _pictures(),
    why="Mean and spread are measured once, on the training set, so that every image is shown in the same units.",
    mistakes={
        "The channel axis is missing: the network wants (batch, 1, height, width).": (
            lambda images: _normalised(images).squeeze(1)
        ),
        "The channel axis is there, but not in second place.": lambda images: _normalised(images).transpose(0, 1),
        "PyTorch puts the channel axis before height and width.": lambda images: _normalised(images).movedim(1, -1),
        "The pixels run from 0 to 1, but they are not normalised yet.": _scaled_only,
        "Mean and spread belong to pixels between 0 and 1: what is still to be done before?": (
            lambda images: (images.unsqueeze(1) - MEAN) / STD
        ),
        "The values are a little too small: what is the largest grey value, which has to become 1?": (
            lambda images: (images.unsqueeze(1) / 256 - MEAN) / STD
        ),
        "The mean is subtracted. What would bring the spread to 1?": lambda images: _scaled_only(images) - MEAN,
        "The spread is 1. Which step would bring the mean to 0?": lambda images: _scaled_only(images) / STD,
        "Both numbers are used, in the wrong order: after the division the mean is another one.": (
            lambda images: _scaled_only(images) / STD - MEAN
        ),
        "You multiply by the spread. Which operation brings a spread to 1?": (
            lambda images: (_scaled_only(images) - MEAN) * STD
        ),
        "Python divides before it subtracts: here only the mean is divided.": (
            lambda images: _scaled_only(images) - MEAN / STD
        ),
        "You add the mean. Where does that put it?": lambda images: (_scaled_only(images) + MEAN) / STD,
        "Mean and spread have changed places.": lambda images: (_scaled_only(images) - STD) / MEAN,
        "0.5 and 0.5 are seen in many programs. Here the training set's own numbers are asked for.": (
            lambda images: (_scaled_only(images) - 0.5) / 0.5
        ),
        "// drops the fraction, and nearly every pixel becomes 0.": (
            lambda images: (images.unsqueeze(1) // 255 - MEAN) / STD
        ),
        "You used the mean and spread of the images at hand; use those of the training set.": (
            lambda images: (_scaled_only(images) - _scaled_only(images).mean()) / _scaled_only(images).std()
        ),
        "Each image has a mean and spread of its own here, so a dark one comes out like a bright one.": _each_by_itself,
        "Take mean and spread with all four digits.": lambda images: (_scaled_only(images) - 0.29) / 0.35,
        "Nothing is padded here: height and width stay as they are.": lambda images: to_batch(images, PADDED),
    },
    otherwise="Three steps: a channel axis, 0 to 1, then minus the mean and divided by the spread.",
    complaint=_not_floats,
    on_stop=_on_stop,
)
