"""Exercises of notebook 02: shapes by the formula, the block, five blocks in a row, the family, the adaptation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from vgg_lesson.arithmetic import trace
from vgg_lesson.checks.base import Exercise, choice, code, number, numbers
from vgg_lesson.configs import CONFIGS

Block = Callable[[int, int, int], nn.Sequential]
BLOCK_CASES = [(1, 4, 1), (4, 8, 2), (3, 6, 3)]
POOLS = tuple(row.output_shape for row in trace("VGG-11").rows if row.kind == "pool")


def _size(size: int, kernel: int, padding: int, stride: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1


def _block(*, follow: bool = True, padding: int = 1, relu: bool = True, pool: str = "once") -> Block:
    """A builder of VGG blocks, right by default, with one mistake at choice."""

    def build(in_channels: int, out_channels: int, num_convs: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for _ in range(num_convs):
            layers.append(nn.Conv2d(in_channels, out_channels, 3, padding=padding))
            layers += [nn.ReLU()] * relu + [nn.MaxPool2d(2)] * (pool == "always")
            in_channels = out_channels if follow else in_channels
        return nn.Sequential(*layers, *[nn.MaxPool2d(2)] * (pool == "once"))

    return build


def _fingerprint(module: Any) -> list[tuple[Any, ...]]:
    """The layers of a module in order, with what makes them differ; anything else counts by its type."""
    return list(map(_layer, _leaves(module))) if isinstance(module, nn.Module) else [(type(module),)]


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    """The innermost modules in order; one that stands twice, such as a shared ReLU, counts twice."""
    children = list(module._modules.values())
    if not children:
        yield module
    for child in children:
        if child is not None:
            yield from _leaves(child)


def _layer(layer: nn.Module) -> tuple[Any, ...]:
    if isinstance(layer, nn.Conv2d):
        padding = layer.padding if isinstance(layer.padding, str) else _pair(layer.padding)
        padding = (1, 1) if padding == "same" and _pair(layer.kernel_size) == (3, 3) else padding
        sizes = (_pair(layer.kernel_size), _pair(layer.stride), padding)
        return nn.Conv2d, layer.in_channels, layer.out_channels, *sizes, layer.bias is not None
    if isinstance(layer, nn.MaxPool2d):
        return nn.MaxPool2d, _pair(layer.kernel_size), _pair(layer.stride), _pair(layer.padding)
    return (type(layer),)


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def _same_blocks(answer: Block, expected: Block) -> bool:
    return all(_fingerprint(answer(*case)) == _fingerprint(expected(*case)) for case in BLOCK_CASES)


def _flat(grid: int) -> int:
    return POOLS[-1][0] * grid * grid


def _one_by_one(image: Tensor, weight: Tensor) -> Tensor:
    return torch.einsum("oc,chw->ohw", weight, image)


def _transposed(image: Tensor, weight: Tensor) -> Tensor:
    """What comes out, where anything comes out at all, if rows and columns are mixed up."""
    return _one_by_one(image, weight.T) if weight.shape[0] == weight.shape[1] else image


def _pixel_cases() -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(0)
    shapes = [((3, 4, 5), (2, 3)), ((4, 4, 4), (4, 4))]
    return [(torch.rand(i, generator=draw), torch.rand(w, generator=draw)) for i, w in shapes]


def _shape_mistakes() -> Mapping[tuple[float, ...], str]:
    """Wrong answers to the shapes after the five blocks, flattened to channels and side in turn."""
    right = [(channels, side) for channels, side, _ in POOLS]
    late = [(channels, 2 * side) for channels, side in right]
    doubled = [*right[:-1], (2 * right[-1][0], right[-1][1])]
    still = [(right[0][0], side) for _, side in right]
    return {
        _joined(late): "Those are the shapes inside the blocks. What does the last layer of each block do to the grid?",
        _joined(
            doubled
        ): "Follow the rule to block 5 and look at the specification again: does it keep doubling there?",
        _joined(still): "The sides are right. Every block has its own number of filters; where does that number go?",
    }


def _joined(pairs: list[tuple[int, int]]) -> tuple[float, ...]:
    return tuple(value for pair in pairs for value in pair)


def _as_ten_numbers(answer: Any) -> Any:
    """A list of pairs as one flat tuple; whatever else was given stays, for `numbers` to complain about."""
    if isinstance(answer, tuple | list) and all(isinstance(pair, tuple | list) for pair in answer):
        return tuple(value for pair in answer for value in pair)
    return answer


_PAIRS = "Five pairs (channels, side) are expected, one per block, without the second side."

_TEN_NUMBERS = numbers(
    "block_shapes",
    lambda: _joined([(channels, side) for channels, side, _ in POOLS]),
    why="Channels grow while the grid halves, and block 5 keeps block 4's number of channels.",
    mistakes=_shape_mistakes,
    otherwise="One pair (channels, side) per block, taken after its pool: start from (64, 112) and halve the side.",
)


def _same_pairs(answer: Any, expected: Any) -> bool:
    return _TEN_NUMBERS.matches(_as_ten_numbers(answer), expected)


def _pairs_complaint(answer: Any) -> str | None:
    flat = _as_ten_numbers(answer)
    if not isinstance(flat, tuple | list) or len(flat) != 2 * len(POOLS):
        return _PAIRS
    return _TEN_NUMBERS.complaint(flat)


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
        (*_head_lengths()[:3], 10): "The classes of our pictures come later. How many does ImageNet have?",
    }


_BLOCK = code(
    "write_vgg_block",
    _block(),
    BLOCK_CASES,
    why="That is all of VGG's body: five calls of this function.",
    mistakes={
        "The second convolution must take what the first one gives: which number changes in the loop?": (
            _block(follow=False)
        ),
        "Without padding each convolution nibbles at the grid; only the pool may shrink it.": _block(padding=0),
        "Something is missing between the convolutions: without it two of them are one linear map.": _block(relu=False),
        "The pool stands in the loop: how often should a block halve its grid?": _block(pool="always"),
        "The grid has to be halved once, at the end of the block.": _block(pool="never"),
    },
    otherwise="Print my_block(4, 8, 2) and read it line by line against the sentence above.",
)


def _block_complaint(answer: Any) -> str | None:
    complaint = _BLOCK.complaint(answer)
    if complaint and "is not a Module subclass" in complaint:
        return f"{complaint} nn.Sequential takes the layers one by one: a star unpacks a list."
    if complaint is None and isinstance(answer(*BLOCK_CASES[0]), tuple | list | nn.ModuleList):
        return "The layers are there, but nothing runs them in turn. Wrap the layers in nn.Sequential."
    return complaint


_PIXELS = code(
    "one_by_one_conv",
    _one_by_one,
    _pixel_cases(),
    why="A 1×1 convolution is one small linear layer, applied at every pixel alike.",
    mistakes={
        "The weights are used the wrong way round: rows belong to outputs, columns to inputs.": _transposed,
        "The channels are mixed, but the places are summed up too: the output keeps height and width.": (
            lambda image, weight: torch.einsum("oc,chw->o", weight, image)
        ),
    },
    otherwise="For each pixel: output channel o is the sum over c of weight[o, c] · image[c]. Places stay apart.",
)


def _pixels_complaint(answer: Any) -> str | None:
    complaint = _PIXELS.complaint(answer)
    if complaint and "stopped with RuntimeError" in complaint:
        return (
            f"{complaint} A matrix product with three axes pairs the weights with rows of the picture, not with its "
            "channels. How would you lay out the picture so that each pixel is one column?"
        )
    return complaint


def _adapted_layers() -> str:
    pairs = zip(trace("VGG-11").rows, trace("VGG-11", in_channels=1, num_classes=10).rows, strict=True)
    changed = tuple(colour.name for colour, grey in pairs if colour.params != grey.params)
    return {("conv1_1",): "b", ("conv1_1", "fc8"): "c", ("conv1_1", "fc6", "fc8"): "d"}.get(changed, "a")


def _costlier() -> str:
    early, late = (trace("VGG-11").row(name).macs for name in ("conv3_2", "conv4_2"))
    return "c" if early == late else "a" if early > late else "b"


EXERCISES: list[Exercise] = [
    choice(
        "guess_unpadded_size",
        lambda: {224: "a", 223: "b", 222: "c", 221: "d"}[_size(224, 3, 0, 1)],
        why="The window cannot step onto the edge: one row is lost on each side.",
        hints={
            "a": "That needs something around the picture. Where can the middle of the window stand in the first row?",
            "b": "One row is lost at the top. What happens at the bottom?",
            "d": "Count on a grid of five: how many places does a window of three have?",
        },
    ),
    number(
        "zfnet_conv1_size",
        lambda: _size(224, 7, 1, 2),
        why="(224 + 2 − 7) // 2 + 1 = 110: the half step at the end is dropped.",
        mistakes=lambda: {
            110.5: "Grids come in whole cells: what does a window do that would hang over the edge?",
            109.5: "Rounded down you have 109; one step of the formula is missing.",
            _size(224, 7, 0, 2): "Either the padding is missing or the last step of the formula: you need both.",
            224 / 2: "Halving is what the stride alone would do; the window is seven wide and the padding only one.",
            _size(224, 7, 1, 1): "That is stride 1: the window moves two cells at a time here.",
        },
        otherwise="Put size 224, kernel 7, padding 1 and stride 2 into the formula, and round down before adding 1.",
    ),
    replace(_BLOCK, matches=_same_blocks, complaint=_block_complaint),
    replace(_TEN_NUMBERS, matches=_same_pairs, complaint=_pairs_complaint),
    numbers(
        "head_lengths",
        _head_lengths,
        why="Flattening turns 512 grids of 7×7 into one row; from there on only the number of units counts.",
        mistakes=_head_mistakes,
        otherwise="Four lengths: all numbers of the last grid, the two hidden layers, one score per class.",
    ),
    number(
        "flatten_at_96",
        lambda: _flat(96 // 32),
        why="96 / 32 leaves a 3×3 grid, and every cell of it holds 512 numbers.",
        mistakes=lambda: {
            _flat(7): "That is what a 224×224 image leaves. How large is the last grid of this one?",
            _flat(6): "One halving is missing: how many pools are there?",
            POOLS[-1][0] * 3: "A grid of side 3 has more than 3 cells.",
            9: "Those are the cells of the last grid. How many numbers does each hold?",
        },
        otherwise="Halve 96 five times, then count channels × height × width.",
    ),
    choice(
        "guess_conv_cost",
        _costlier,
        why="Half the side is a quarter of the places; twice the channels on both ends is four times the work at each.",
        hints={
            "a": "It does have more places to compute. How many multiplications are there at each of them?",
            "b": "It does have more channels. At how many places are they computed?",
            "d": "A convolution does the same multiplications for every picture of a size.",
        },
    ),
    choice(
        "guess_vgg16_convs",
        lambda: {16: "a", 13: "b", 14: "c", 12: "d"}[CONFIGS["VGG-16"].conv_layers],
        why="The name counts layers with weights: 13 convolutions and 3 fully connected layers.",
        hints={
            "a": "VGG-11 holds eight convolutions. Which layers make up the difference to its name?",
            "c": "Close: how many of the layers with weights come after the flattening?",
            "d": "Count the row D of the figure, tile by tile.",
        },
    ),
    replace(_PIXELS, complaint=_pixels_complaint),
    choice(
        "guess_adapted_layers",
        _adapted_layers,
        why="Only what touches the channels of the picture or the number of classes changes its shape.",
        hints={
            "a": "A layer's weights depend on the channels it reads and the channels it writes. Which of them changed?",
            "b": "The picture's channels are taken care of. What about the other end?",
            "d": "The first linear layer reads 512×7×7 numbers. Did that change?",
        },
    ),
]
