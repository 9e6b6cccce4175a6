"""Exercises of notebook 02: shapes by the formula, the block, five blocks in a row, the family, the adaptation."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.architecture_block import WRITE_VGG_BLOCK
from vgg_lesson.classroom.checks.architecture_pixels import ONE_BY_ONE
from vgg_lesson.classroom.checks.architecture_table import WRITE_A_TABLE
from vgg_lesson.classroom.checks.shared import UNANSWERED, Exercise, choice, number, numbers
from vgg_lesson.configs import CONFIGS

POOLS = tuple(row.output_shape for row in trace("VGG-11").rows if row.kind == "pool")


def _size(size: int, kernel: int, padding: int, stride: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1


def _flat(grid: int) -> int:
    return POOLS[-1][0] * grid * grid


def _shape_mistakes() -> Mapping[tuple[float, ...], str]:
    """Wrong answers to the shapes after the five blocks, flattened to channels and side in turn."""
    right = [(channels, side) for channels, side, _ in POOLS]
    late = [(channels, 2 * side) for channels, side in right]
    doubled = [*right[:-1], (2 * right[-1][0], right[-1][1])]
    still = [(right[0][0], side) for _, side in right]
    added = [(channels * block_convs, side) for (channels, side), block_convs in zip(right, _convs(), strict=True)]
    return {
        _joined(late): "Those are the shapes inside the blocks. What does the last layer of each block do to the grid?",
        _joined(
            doubled
        ): "Follow the rule to block 5 and look at the specification again: does it keep doubling there?",
        _joined([right[0], *late[1:]]): "From block 2 on those are the sides that go in. What does a block do to them?",
        _joined([*right[:-1], right[-2]]): "Block 5 keeps the channels. Does it keep the grid too? It ends in a pool.",
        _joined(added): "Kernels of two convolutions in a row do not add up: the second reads what the first gave.",
        _joined([right[0], *right[:-1]]): "From block 2 on that is what goes in. What comes out?",
        _joined([(side, channels) for channels, side in right]): "The channels come first in a pair, then the side.",
        _joined(_unpadded()): "Your convolutions nibble at the grid. Which padding do VGG's have?",
        _joined(still): "The sides are right. Every block has its own number of kernels; where does that number go?",
    }


def _unpadded() -> list[tuple[int, int]]:
    """Channels and side after each block, the first as given, if the convolutions after it had no padding."""
    shapes = [(POOLS[0][0], POOLS[0][1])]
    for (channels, *_), convs in zip(POOLS[1:], _convs()[1:], strict=True):
        side = shapes[-1][1]
        for _ in range(convs):
            side = _size(side, 3, 0, 1)
        shapes.append((channels, _size(side, 2, 0, 2)))
    return shapes


def _convs() -> list[int]:
    """How many convolutions each block of VGG-11 holds."""
    return [len(block) for block in CONFIGS["VGG-11"].blocks]


def _joined(pairs: list[tuple[int, int]]) -> tuple[float, ...]:
    return tuple(value for pair in pairs for value in pair)


def _head_lengths() -> tuple[float, ...]:
    """The flattened grid of VGG-11 and what its three linear layers put out."""
    return _flat(POOLS[-1][1]), *(row.output_shape[0] for row in trace("VGG-11").rows if row.kind == "linear")


def _head_mistakes() -> Mapping[tuple[float, ...], str]:
    _, *linear = _head_lengths()
    channels, side = POOLS[-1][:2]
    return {
        (channels * side, *linear): "A grid has rows and columns, and every one of its cells is flattened.",
        (side * side, *linear): "Those are the cells of one map. How many maps lie on top of each other?",
        (channels, *linear): "Those are the channels. Each of them is a grid, and all its cells go into the row.",
        (_flat(2 * side), *linear): "That is the grid before the last pool.",
        (*_head_lengths()[:3], 10): "The classes of our images come later. How many does ImageNet have?",
    }


def _adapted_layers() -> str:
    pairs = zip(trace("VGG-11").rows, trace("VGG-11", in_channels=1, num_classes=10).rows, strict=True)
    changed = tuple(colour.name for colour, grey in pairs if colour.params != grey.params)
    return {("conv1_1",): "b", ("conv1_1", "fc8"): "c", ("conv1_1", "fc6", "fc8"): "d"}.get(changed, "a")


def _pool_left_out() -> str:
    """The letter for how many times as many numbers flow into fc6 if block 5 has no pool."""
    block5 = trace("VGG-11").row("conv5_2").output_shape
    return {1: "a", 2: "b", 4: "c"}[prod(block5) // _flat(POOLS[-1][1])]


def _costlier() -> str:
    early, late = (trace("VGG-11").row(name).macs for name in ("conv3_2", "conv4_2"))
    return "c" if early == late else "a" if early > late else "b"


EXERCISES: list[Exercise] = [
    choice(
        "guess_unpadded_size",
        value=lambda: _size(224, 3, 0, 1),
        options={"a": 224, "b": 223, "c": 222, "d": 221},
        why="The kernel cannot step onto the edge: one row is lost on each side.",
        hints={
            "a": "That needs something around the image. Where can the middle of the kernel stand in the first row?",
            "b": "One row is lost at the top. What happens at the bottom?",
            "d": "Count on a grid of five: how many places does a kernel of three have?",
        },
    ),
    number(
        "zfnet_conv1_size",
        lambda: _size(224, 7, 1, 2),
        why="The half step at the end is dropped: with a stride, the last rows of an image may count for nothing.",
        mistakes=lambda: {
            110.5: "Grids come in whole cells: what does a kernel do that would hang over the edge?",
            109.5: "Rounded down you have 109; one step of the formula is missing.",
            _size(224, 7, 0, 2): "Either the padding is missing or the last step of the formula: you need both.",
            _size(
                226, 7, 1, 2
            ): "One cell too many. Does a kernel that hangs over the edge count? And is the rim there "
            "before the kernel strides, or after?",
            224 // 2 + 2 - 7 + 1: "You halved first. The rim is there, and the kernel on it, before anything strides.",
            224 / 2: "Halving is what the stride alone would do; the kernel is seven wide and the padding only one.",
            224 + 2 - 7: "So far the stride does nothing: the kernel moves two cells at a time here.",
            (224 + 2) // 2: "That halves the padded image. Where can a kernel of seven start for the last time?",
            _size(224, 7, 1, 1): "That is stride 1: the kernel moves two cells at a time here.",
        },
        otherwise="Put size 224, kernel 7, padding 1 and stride 2 into the formula, and round down before adding 1.",
    ),
    WRITE_VGG_BLOCK,
    numbers(
        "block_shapes",
        lambda: _joined([(channels, side) for channels, side, _ in POOLS]),
        why="A network trades places for channels, and these ten numbers fix the size of every layer to come.",
        mistakes=_shape_mistakes,
        otherwise="Take each pair after the pool: the channels are the block's kernels, the side is halved once more.",
        groups=[f"block {index}" for index in range(1, len(POOLS) + 1)],
        expected="Five pairs (channels, side) are expected, one per block, without the second side.",
    ),
    numbers(
        "head_lengths",
        _head_lengths,
        why="Flattening turns 512 grids of 7×7 into one row; from there on only the number of units counts.",
        mistakes=_head_mistakes,
        otherwise="Four lengths: all numbers of the last grid, the two hidden layers, one score per class.",
        groups=("the flattened row", "the first layer", "the second", "the third"),
    ),
    number(
        "flatten_at_96",
        lambda: _flat(96 // 32),
        why="This one number ties a VGG to one size of image; everything before it takes any.",
        mistakes=lambda: {
            _flat(7): "That is what a 224×224 image leaves. How large is the last grid of this one?",
            **{_flat(96 // 2**pools): "Halvings are missing: how many pools are there?" for pools in range(1, 5)},
            96 // 32: "That is the side of the last grid. How many cells does it have, and how many numbers each?",
            POOLS[-1][0] * 96**2: "That flattens 512 maps of the image's size. What did the five blocks do to it?",
            POOLS[-1][0] * 3: "A grid of side 3 has more than 3 cells.",
            _flat(7) * 96 / 224: "You scaled with the side. A grid shrinks in both directions.",
            9: "Those are the cells of the last grid. How many numbers does each hold?",
        },
        otherwise="Halve 96 five times, then count channels × height × width.",
    ),
    choice(
        "pool_left_out",
        _pool_left_out,
        why="A layer without weights decides how many its neighbour needs: ask what flows into fc6.",
        hints={
            "a": "It has none, true. But who reads what it puts out, and how many numbers are that without it?",
            "b": "The side of the last grid doubles. How many cells does the grid have then?",
            "d": "Does a convolution's number of weights depend on the grid it slides over?",
        },
        unanswered=UNANSWERED,
    ),
    choice(
        "guess_conv_cost",
        _costlier,
        why="Half the side is a quarter of the places; twice the channels on both ends is four times the work at each.",
        hints={
            "a": "It does have more places to compute. How many multiplications are there at each of them?",
            "b": "It does have more channels. At how many places are they computed?",
            "d": "A convolution does the same multiplications for every image of a size.",
        },
    ),
    choice(
        "guess_vgg16_convs",
        value=lambda: CONFIGS["VGG-16"].conv_layers,
        options={"a": 16, "b": 13, "c": 14, "d": 12},
        why="The name counts layers with weights, 13 convolutions and 3 linear ones: mind it when you compare depths.",
        hints={
            "a": "VGG-11 holds eight convolutions. Which layers make up the difference to its name?",
            "c": "Close: how many of the layers with weights come after the flattening?",
            "d": "Count the row D of the figure, tile by tile.",
        },
    ),
    WRITE_A_TABLE,
    ONE_BY_ONE,
    choice(
        "guess_adapted_layers",
        _adapted_layers,
        why="Only what touches the channels of the image or the number of classes changes its shape.",
        hints={
            "a": "A layer's weights depend on the channels it reads and the channels it writes. Which of them changed?",
            "b": "The image's channels are taken care of. What about the other end?",
            "d": "The first fully connected layer reads 512×7×7 numbers. Did that change?",
        },
    ),
]
