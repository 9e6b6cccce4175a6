"""Exercises of notebook 04: sizes, bytes, normalisation, and the smallest image a VGG takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vgg_lesson.arithmetic import FLOAT32_BYTES, trace
from vgg_lesson.checks.base import Exercise, choice, code, number, numbers
from vgg_lesson.configs import get_config
from vgg_lesson.datasets import MEAN, SIDE, STD, to_batch
from vgg_lesson.published import published

TRAIN = published("fashion_mnist_images")["train"]
BATCH, LARGE, WINDOW = 128, 224, 3
POOLS = len(get_config("VGG-11").blocks)
STORED_BYTES = TRAIN * SIDE**2
RESIZED_BYTES = TRAIN * LARGE**2 * FLOAT32_BYTES
UNITS = [base**power for base in (1000, 1024) for power in range(4)]
FULL_BATCHES, LAST_BATCH = divmod(TRAIN, BATCH)

EARLY_SHARES = {"a": 0.05, "b": 0.25, "c": 0.5, "d": 0.9}
SIDES = {"a": 7, "b": 28, "c": 32, "d": 224}
BLACKS = {"a": 0.0, "b": -0.81, "c": -1.0, "d": -0.29}


def _nearest(options: Mapping[str, float], value: float) -> str:
    return min(options, key=lambda letter: abs(options[letter] - value))


def _early_share() -> float:
    rows = trace("VGG-11", in_channels=1, num_classes=10).rows
    early = sum(row.macs for row in rows if row.kind == "conv" and row.output_shape[-1] > SIDE)
    return early / sum(row.macs for row in rows)


def _normalised(images: Tensor) -> Tensor:
    return to_batch(images, SIDE)


def _scaled_only(images: Tensor) -> Tensor:
    return images.unsqueeze(1) / 255


def _pictures() -> list[tuple[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [(torch.randint(0, 256, (count, SIDE, SIDE), dtype=torch.uint8, generator=generator),) for count in (1, 5)]


def _smallest_side(pools: int) -> int:
    return int(2**pools)


def _roughly(answer: Any, expected: int) -> bool:
    """Whether an answer is ``expected`` bytes in another unit, or rounded."""
    return any(abs(float(answer) * unit / expected - 1) < 0.03 for unit in UNITS)


def _in_bytes_exactly(exercise: Exercise) -> Exercise:
    """The exercise, with a hint of its own for every answer in kB, MB or GB and for every rounded one."""

    def complaint(answer: Any) -> str | None:
        key = exercise.solution()
        if (general := exercise.complaint(answer)) or exercise.matches(answer, key):
            return general
        if all(_roughly(given, expected) for given, expected in zip(answer, key, strict=True)):
            return "The size is about right. Give it in bytes, exactly: nothing rounded, no kB, MB or GB."
        return None

    return replace(exercise, complaint=complaint)


EXERCISES = [
    numbers(
        "loader_shape",
        lambda: (BATCH, 1, LARGE, LARGE),
        why="Batch, channels, height, width; a batch of one grey image would still have four axes.",
        mistakes=lambda: {
            (BATCH, LARGE, LARGE, 1): "PyTorch puts the channels before height and width.",
            (BATCH, 3, LARGE, LARGE): "FashionMNIST is grey. How many channels does a grey image have?",
            (BATCH, 1, SIDE, SIDE): "The loader resizes first.",
            (1, BATCH, LARGE, LARGE): "The first axis counts the images.",
        },
        otherwise="How many images, how many channels, how high, how wide?",
    ),
    numbers(
        "batches_per_epoch",
        lambda: (FULL_BATCHES + bool(LAST_BATCH), LAST_BATCH or BATCH),
        why="A mean over batches would count the images of the last one too much: weight each loss by its batch size.",
        mistakes=lambda: {
            (FULL_BATCHES, LAST_BATCH): "The images left over make a batch of their own: nothing is dropped.",
            (FULL_BATCHES, BATCH): "So many full batches do not use up all images. What becomes of the rest?",
            (FULL_BATCHES + 1, BATCH): "The number of batches is right. So many full batches would need more images "
            "than there are: how many are left for the last?",
        },
        otherwise="Divide the images by the batch size; look at the whole part and at the remainder.",
    ),
    _in_bytes_exactly(
        numbers(
            "training_set_bytes",
            lambda: (STORED_BYTES, RESIZED_BYTES),
            why="The first fits any laptop, the second no Binder pod: keep bytes, convert one batch at a time.",
            mistakes=lambda: {
                (STORED_BYTES, RESIZED_BYTES // FLOAT32_BYTES): "A float32 takes more than one byte per pixel.",
                (
                    STORED_BYTES,
                    STORED_BYTES * 8 * FLOAT32_BYTES,
                ): "A side eight times as long: what becomes of the area?",
                (STORED_BYTES * FLOAT32_BYTES, RESIZED_BYTES): "The second is right. As stored, a pixel is a uint8.",
                (SIDE**2, LARGE**2 * FLOAT32_BYTES): "That is one image. How many are in the training set?",
            },
            otherwise="Images times pixels per image times bytes per pixel, twice.",
        )
    ),
    choice(
        "early_share",
        lambda: _nearest(EARLY_SHARES, _early_share()),
        why="Half of the work is done on pixels that were interpolated, before the grid is back where the data began.",
        hints={
            "a": "The early layers have few channels, but their grids are large. Both count.",
            "b": "Each pool divides the grid by four; the channels that double in and out multiply the work by four.",
            "d": "The first layer has the largest grid, but reads one channel. Look at the bar on the far left.",
        },
    ),
    number(
        "window_in_original_pixels",
        lambda: WINDOW * SIDE / LARGE,
        why="At 224 pixels a first-layer window is narrower than one original pixel; without resizing it spans three.",
        mistakes=lambda: {
            WINDOW * LARGE / SIDE: "The window would be larger than before. Is an original pixel larger or smaller?",
            WINDOW: "That is the window in pixels of the enlarged image.",
            (WINDOW * SIDE / LARGE) ** 2: "That is an area. The question is about the side.",
            1 / 8: "That is one pixel of the enlarged image. The window is wider than one pixel.",
        },
        otherwise="First: how many enlarged pixels lie side by side in one original pixel?",
        relative=1e-3,
    ),
    choice(
        "smallest_side",
        lambda: _nearest(SIDES, 2**POOLS),
        why="Five halvings must leave at least one cell, and two to the fifth is the first side that does.",
        hints={
            "a": "Halve it by hand: seven, three, one, and two pools are still to come.",
            "b": "Halve it by hand, rounding down, five times.",
            "d": "That size was ImageNet's choice. Halve it five times and see how much is left.",
        },
    ),
    code(
        "smallest_side_for",
        _smallest_side,
        [(5,), (2,), (0,), (6,)],
        why="The number of pools alone decides it; how many convolutions stand between them does not matter.",
        mistakes={
            "Each pool halves the side: every further pool doubles the smallest side, it does not add to it.": (
                lambda pools: 2 * pools
            ),
            "Two to the fifth means multiplying by two, five times, starting from one.": lambda pools: pools**2,
            "Check it with no pool at all: a single pixel is then enough.": lambda pools: 2 ** (pools + 1),
        },
        otherwise="Go backwards: one cell at the end; how many before the last pool, how many before the one before?",
    ),
    choice(
        "black_pixel",
        lambda: _nearest(BLACKS, -MEAN / STD),
        why="A border of zeros would be grey, not black: pad before normalising, or pad with this value.",
        hints={
            "a": "Zero is where the mean goes. Is black the mean?",
            "c": "That would need a mean as large as the spread.",
            "d": "You subtracted the mean. One more operation is to come.",
        },
    ),
    code(
        "normalise_images",
        _normalised,
        _pictures(),
        why="Mean and spread come from the training set and are used unchanged on every other image.",
        mistakes={
            "The channel axis is missing: the network wants (batch, 1, height, width).": (
                lambda images: _normalised(images).squeeze(1)
            ),
            "The pixels run from 0 to 1, but they are not normalised yet.": _scaled_only,
            "Mean and spread belong to pixels between 0 and 1. Divide by 255 first.": (
                lambda images: (images.unsqueeze(1) - MEAN) / STD
            ),
            "Subtract the mean first, then divide: the order matters.": lambda images: (
                _scaled_only(images) / STD - MEAN
            ),
            "You used the mean and spread of the images at hand; use those of the training set.": (
                lambda images: (_scaled_only(images) - _scaled_only(images).mean()) / _scaled_only(images).std()
            ),
        },
        otherwise="Three steps: a channel axis, 0 to 1, then minus the mean and divided by the spread.",
    ),
]
