"""Exercises of notebook 04: batches, sizes, bytes, normalisation, and the smallest image a VGG takes."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import interpolate

from vgg_lesson.arithmetic import FLOAT32_BYTES, trace
from vgg_lesson.classroom.checks.data_normalising import NORMALISE
from vgg_lesson.classroom.checks.shared import UNANSWERED, choice, code, number, numbers
from vgg_lesson.configs import get_config
from vgg_lesson.data.datasets import MEAN, PADDED, SIDE, STD
from vgg_lesson.records.published import published

TRAIN, TEST = (published("fashion_mnist_images")[split] for split in ("train", "test"))
BATCH, LARGE, WINDOW = 128, 224, 3
POOLS = len(get_config("VGG-11").blocks)
STORED_BYTES = TRAIN * SIDE**2
RESIZED_BYTES = TRAIN * LARGE**2 * FLOAT32_BYTES
UNITS = [base**power for base in (1000, 1024) for power in range(4)]
FULL_BATCHES, LAST_BATCH = divmod(TRAIN, BATCH)

WHITE = 255


def _shuffled_test() -> str:
    """The letter for what a new order of the test changes: a higher mean, another mean, the order alone, nothing."""
    generator = torch.Generator().manual_seed(0)
    right = torch.rand(TEST, generator=generator) < 0.9
    shuffled = right[torch.randperm(TEST, generator=generator)]
    if right.sum() != shuffled.sum():
        return "a" if shuffled.sum() > right.sum() else "b"
    return "d" if torch.equal(right, shuffled) else "c"


def _what_enlarging_adds() -> str:
    """The letter for how many numbers of a side of 28 survive the table that makes 224 of them."""
    unit = torch.eye(SIDE, dtype=torch.float64)[None, None]
    table = interpolate(unit, size=(LARGE, SIDE), mode="bilinear", align_corners=False)[0, 0]
    kept = int(torch.linalg.matrix_rank(table))
    return "a" if kept > SIDE else "b" if kept == SIDE else "c"


def _early_share() -> float:
    rows = trace("VGG-11", in_channels=1, num_classes=10).rows
    early = sum(row.macs for row in rows if row.kind == "conv" and row.output_shape[-1] > SIDE)
    return early / sum(row.macs for row in rows)


def _smallest_side(pools: int) -> int:
    return int(2**pools)


def _roughly(answer: Any, expected: int) -> bool:
    """Whether an answer is ``expected`` bytes in another unit, or rounded."""
    return any(abs(float(answer) * unit / expected - 1) < 0.03 for unit in UNITS)


def _about_right(answer: Any) -> str | None:
    """A hint for answers in kB, MB or GB and for rounded ones."""
    if all(_roughly(given, expected) for given, expected in zip(answer, (STORED_BYTES, RESIZED_BYTES), strict=True)):
        return "The size is about right. Give it in bytes, exactly: nothing rounded, no kB, MB or GB."
    return None


EXERCISES = [
    numbers(
        "loader_shape",
        lambda: (BATCH, 1, LARGE, LARGE),
        why="Batch, channels, height, width; a batch of one grey image would still have four axes.",
        mistakes=lambda: {
            (BATCH, LARGE, LARGE, 1): "PyTorch puts the channels before height and width.",
            (BATCH, 3, LARGE, LARGE): "FashionMNIST is grey. How many channels does a grey image have?",
            (BATCH, 1, SIDE, SIDE): "The loader resizes first.",
            (
                BATCH,
                1,
                PADDED,
                PADDED,
            ): "Nothing is padded here. Read the transform: what does Resize make of an image?",
            (1, BATCH, LARGE, LARGE): "The first axis counts the images.",
            (1, 1, LARGE, LARGE): "That is one image. How many does the loader collect?",
            (BATCH, LARGE, LARGE): "As stored there is no channel axis. But what has ToTensor done?",
            (TRAIN, 1, LARGE, LARGE): "That is the whole training set. The loader hands out one batch at a time.",
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
            (FULL_BATCHES + 1, BATCH - LAST_BATCH): "That is how many the last batch lacks. How many does it have?",
            (TRAIN / BATCH, LAST_BATCH): "A batch that is not full is still a batch: the number of batches is whole.",
            (FULL_BATCHES + 1, LAST_BATCH / BATCH): "That is how full the last batch is. How many images is that?",
            (LAST_BATCH, FULL_BATCHES + 1): "The other way round: batches first.",
            (TEST // BATCH + 1, TEST % BATCH): "That is one pass over the test set. Training uses the other one.",
        },
        otherwise="Divide the images by the batch size; look at the whole part and at the remainder.",
    ),
    choice(
        "shuffled_test",
        _shuffled_test,
        why="An order costs the test nothing, and a fixed one lets you compare two networks image by image.",
        hints={
            "a": "Shuffling helps a network to learn. Does it learn anything while it is tested?",
            "b": "The weights stay. Is a boot named differently because another image came before it?",
            "d": "Ask for the fifth answer twice: is it about the same image both times?",
        },
        unanswered=UNANSWERED,
    ),
    choice(
        "what_enlarging_adds",
        _what_enlarging_adds,
        why="Whoever enlarges changes how much work is done, not what there is to find.",
        hints={
            "a": "Each new pixel was computed from old ones. Could it know something that they did not?",
            "c": "Smoother, yes. But look at the run: did any grey value of the small shirt fail to come back?",
        },
    ),
    number(
        "window_in_original_pixels",
        lambda: WINDOW * SIDE / LARGE,
        why="At 224 pixels a first-layer kernel is narrower than one original pixel; without resizing it spans three.",
        mistakes=lambda: {
            WINDOW * LARGE / SIDE: "The kernel would be larger than before. Is an original pixel larger or smaller?",
            WINDOW: "That is the kernel in pixels of the enlarged image.",
            (WINDOW * SIDE / LARGE) ** 2: "That is an area. The question is about the side.",
            1 / 8: "That is one pixel of the enlarged image. The kernel is wider than one pixel.",
            LARGE / SIDE / WINDOW: "So many kernels lie side by side in one original pixel. Turn the question round.",
            LARGE / SIDE: "So many enlarged pixels make an original one. The kernel has three of them.",
            **dict.fromkeys((0.37, 0.38, 0.4), "Right, but rounded. Give it as it is."),
        },
        otherwise="First: how many enlarged pixels lie side by side in one original pixel?",
        relative=1e-3,
    ),
    numbers(
        "training_set_bytes",
        lambda: (STORED_BYTES, RESIZED_BYTES),
        why="The first fits any laptop, the second no Binder pod: keep bytes, convert one batch at a time.",
        mistakes=lambda: {
            (STORED_BYTES, RESIZED_BYTES // FLOAT32_BYTES): "A float32 takes more than one byte per pixel.",
            (STORED_BYTES, 8 * FLOAT32_BYTES * STORED_BYTES): "The side is eight times as long. And the area?",
            (STORED_BYTES * FLOAT32_BYTES, RESIZED_BYTES): "The second is right. As stored, a pixel is a uint8.",
            (SIDE**2, LARGE**2 * FLOAT32_BYTES): "That is one image. How many are in the training set?",
            (SIDE**2, LARGE**2): "Those are the pixels of one image. How many images, and how many bytes a pixel?",
            (STORED_BYTES * 8, RESIZED_BYTES * 8): "Those are bits. Eight of them make a byte.",
            (STORED_BYTES * 3, RESIZED_BYTES * 3): "FashionMNIST is grey: how many values has a pixel?",
            (RESIZED_BYTES, STORED_BYTES): "The other way round: as stored first, enlarged second.",
        },
        otherwise="Images times pixels per image times bytes per pixel, twice.",
        nearly=_about_right,
    ),
    choice(
        "early_share",
        value=_early_share,
        options={"a": 0.05, "b": 0.25, "c": 0.5, "d": 0.9},
        why="Half of the work is done on pixels that were interpolated, before the grid is back where the data began.",
        hints={
            "a": "The early layers have few channels, but their grids are large. Both count.",
            "b": "Each pool divides the grid by four; the channels that double in and out multiply the work by four.",
            "d": "The first layer has the largest grid, but reads one channel. Look at the bar on the far left.",
        },
    ),
    choice(
        "smallest_side",
        value=lambda: 2**POOLS,
        options={"a": 7, "b": 28, "c": 32, "d": 224},
        why="The number of poolings alone says which images a network can take, before you build it.",
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
        why="VGG-11 and VGG-19 take the same smallest image, since the convolutions between the pools do not matter.",
        mistakes={
            "Each pool halves the side: every further pool doubles the smallest side, it does not add to it.": (
                lambda pools: 2 * pools
            ),
            "Two to the fifth means multiplying by two, five times, starting from one.": lambda pools: pools**2,
            "Check it with no pool at all: a single pixel is then enough.": lambda pools: 2 ** (pools + 1),
            "One factor is missing. Check it with a single pool: which sides leave a cell?": lambda pools: (
                2 ** (pools - 1)
            ),
            "Four times the cells, yes. But the question is about the side.": lambda pools: 4**pools,
            "In Python ^ is no power: write ** or multiply.": lambda pools: 2 ^ pools,
            "Right for five pools. The answer has to use the argument.": lambda pools: 2**POOLS,
            "You leave a 7×7 grid, as ImageNet's head wants it. The least that a classifier can read is one cell.": (
                lambda pools: 7 * 2**pools
            ),
            "Look at the first size again: which sides does it allow that are smaller?": lambda pools: LARGE,
        },
        otherwise="Go backwards: one cell at the end; how many before the last pool, how many before the one before?",
    ),
    choice(
        "black_pixel",
        value=lambda: -MEAN / STD,
        options={"a": 0.0, "b": -0.81, "c": -1.0, "d": -0.29},
        why="A border of zeros would be grey, not black: pad before normalising, or pad with this value.",
        hints={
            "a": "Zero is where the mean goes. Is black the mean?",
            "c": "That would need a mean as large as the spread.",
            "d": "You subtracted the mean. One more operation is to come.",
        },
    ),
    number(
        "frame_grey",
        lambda: WHITE * MEAN,
        why="A constant means black only before normalising; after it, zero is the mean grey of the training set.",
        mistakes=lambda: {
            0: "The frame is 0 in the new units. Which old value became 0?",
            WHITE * STD: "That is the spread. Which of the two numbers was subtracted?",
            WHITE / 2: "Zero is the middle of the new range only if the mean is in the middle of the old one. Is it?",
            MEAN: "Right on the scale from 0 to 1. How is that stored in a byte?",
            -MEAN / STD: "That is where black went. Which old value went to 0?",
            WHITE: "White is the largest old value. Is 0 the largest new one?",
            WHITE * (1 - MEAN): "You count from white, as we print it. In the file black is 0.",
            int(WHITE * MEAN): "Nearly: you rounded down.",
        },
        otherwise="Undo the normalisation for the value 0: times the spread, plus the mean, then back to 0 to 255.",
        relative=5e-3,
    ),
    NORMALISE,
]
