"""Exercises of notebook 01: counting weights, melting layers, and how far a cell sees."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from vgg_lesson.arithmetic import trace
from vgg_lesson.checks.base import choice, code, number, numbers
from vgg_lesson.configs import CONFIGS, Conv, VGGConfig
from vgg_lesson.published import published

CHANNELS, FIRST_CHANNELS = 128, 64
STACK_SHARES = {"a": 9 / 49, "b": 0.55, "c": 1.0, "d": 1.5}
FIELDS = {"a": 17, "b": 150, "c": 184, "d": 224}


def _nearest(options: Mapping[str, float], value: float) -> str:
    return min(options, key=lambda letter: abs(options[letter] - value))


def contest_2014() -> str:
    """The letter for VGG's places in classification and in localisation."""
    errors = published("ilsvrc2014_classification_error")
    won = errors["vgg"] < errors["googlenet"]
    located = published("ilsvrc2014_localisation_error") < published("ilsvrc2014_localisation_error_googlenet")
    return {(True, False): "a", (False, False): "b", (False, True): "c", (True, True): "d"}[won, located]


def stack_share() -> float:
    """Weights of three 3×3 layers as a share of those of one 7×7, all reading and writing the same channels."""
    stack, large = conv_params(CHANNELS, *[Conv(CHANNELS)] * 3), conv_params(CHANNELS, Conv(CHANNELS, kernel=7))
    return (stack - 3 * CHANNELS) / (large - CHANNELS)


def linear_stack() -> str:
    """The letter for where three 3×3 layers without ReLUs agree with the one 7×7 layer that they add up to."""
    image, *kernels = torch.randn(4, 13, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    small = [kernel[None, None, :3, :3] for kernel in kernels]
    stack = image[None, None]
    for kernel in small:
        stack = conv2d(stack, kernel, padding=1)
    merged = merge(small[0][0, 0], small[1][0, 0])
    merged = conv2d(merged[None, None], small[2].flip(-1, -2), padding=2)
    wrong = (stack - conv2d(image[None, None], merged, padding=3)).abs()[0, 0] > 1e-9
    if wrong[2:-2, 2:-2].any():
        return "c"
    return "b" if wrong.any() else "a"


def what_bends_are_worth() -> str:
    """The letter of the step between two of the paper's columns that adds layers and leaves the view as it is."""
    columns = sorted(CONFIGS.values(), key=lambda config: config.column)
    columns = [config for config in columns if config.column in "ABCDE"]
    fields = [trace(config).row("pool5").receptive_field for config in columns]
    layers = [config.weight_layers for config in columns]
    steps = zip("abcd", pairwise(fields), pairwise(layers), strict=True)
    (letter,) = (letter for letter, view, depth in steps if view[0] == view[1] and depth[0] < depth[1])
    return letter


def conv_params(in_channels: int, *convolutions: Conv) -> int:
    """Parameters, biases included, of convolutions in a row."""
    counted = trace(VGGConfig("stack", (convolutions,)), in_channels=in_channels)
    return sum(row.params for row in counted.rows if row.kind == "conv")


def two_threes_or_one_five() -> tuple[int, int]:
    """Parameters of two 3×3 layers and of one 5×5, on 128 channels."""
    return conv_params(CHANNELS, *[Conv(CHANNELS)] * 2), conv_params(CHANNELS, Conv(CHANNELS, kernel=5))


def first_layer_stack() -> int:
    """Weights without biases of three 3×3 layers, 3 → 64 → 64 → 64."""
    return conv_params(3, *[Conv(FIRST_CHANNELS)] * 3) - 3 * FIRST_CHANNELS


def detector_layers() -> list[tuple[int, int]]:
    """ZFNet up to conv5 as (window, stride), and the 3×3 window that Faster R-CNN slides over it."""
    return [(size, stride) for name, size, stride in published("zfnet_layers") if name != "pool5"] + [(3, 1)]


def field_of(layers: list[tuple[int, int]], *, stride_first: bool = False, strides: bool = True) -> int:
    """The receptive field after ``layers``; the switches make the two usual mistakes."""
    field, jump = 1, 1
    for window, stride in layers:
        if stride_first:
            jump *= stride
        field += (window - 1) * jump
        if strides and not stride_first:
            jump *= stride
    return field


def corner_of_pool4(name: str = "pool4") -> int:
    """Pixels of picture, from side to side, in the window of the corner cell of a layer of VGG-11."""
    rows = trace("VGG-11").rows
    last = next(index for index, row in enumerate(rows) if row.name == name)
    padding = sum(row.jump or 0 for row in rows[: last + 1] if row.kind == "conv")
    return (rows[last].receptive_field or 0) - padding


def merge(first: Tensor, second: Tensor) -> Tensor:
    """The 5×5 kernel that does the work of two 3×3 kernels in a row, (3, 3) each: their full convolution."""
    return conv2d(first[None, None], second.flip(-1, -2)[None, None], padding=2)[0, 0]


def _merged_unmirrored(first: Tensor, second: Tensor) -> Tensor:
    return merge(first, second).flip(-1, -2)


def _correlated(first: Tensor, second: Tensor) -> Tensor:
    return conv2d(first[None, None], second[None, None], padding=2)[0, 0]


def _kernels(seed: int) -> tuple[Tensor, Tensor]:
    first, second = torch.randn(2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return first, second


def _mistaken_counts() -> dict[tuple[float, ...], str]:
    two, five = two_threes_or_one_five()
    return {
        (two - 2 * CHANNELS, five - CHANNELS): "These are the weights alone. Every filter has one more number.",
        (two / 2, five): "Your 5×5 is right. How many 3×3 layers are there?",
        (five, two): "Both numbers are right, and the other way round.",
        (two - CHANNELS, five): "Your 5×5 is right. Does each of the two layers have its own biases?",
    }


def _mistaken_first_layers() -> dict[float, str]:
    weights, width = first_layer_stack(), FIRST_CHANNELS
    return {
        3 * 9 * width * width: "That is 27C². How many channels does the first of the three layers read?",
        3 * 9 * 3 * width: "That lets all three layers read 3 channels. What does the second one read?",
        49 * 3 * width: "That is the single 7×7 layer.",
        weights + 3 * width: "Right with biases. The question leaves them out, as the 7×7's number does.",
    }


def _mistaken_views() -> dict[float, str]:
    layers = detector_layers()
    return {
        field_of(layers[:-1]): "That is conv5. The detector slides one more 3×3 window over it.",
        field_of(layers, strides=False): "The windows are right, but the strides are missing: the jump never grew.",
        field_of(layers[:-1])
        + 3 * 16: "That moves out by a whole window for the last layer. How many jumps lie between "
        "the first and the last of three cells?",
        field_of(layers, stride_first=True): "A layer reaches out with the jump it finds. When does its stride count?",
    }


def _mistaken_corners() -> dict[float, str]:
    seen, field = corner_of_pool4(), trace("VGG-11").row("pool4").receptive_field or 0
    return {
        field: "That is the whole window. Part of it hangs over the edge.",
        field - seen: "That is the part over the edge. What is left?",
        field - sum(2**k for k in range(5)): "You moved the start by 31 pixels. Which convolutions come before "
        "pool4, and which jump does each of them find?",
        field / 2: "Not half: add up how far each convolution's padding moves the start, one jump each.",
        corner_of_pool4("pool5"): "That is pool5. Stop one block earlier.",
    }


EXERCISES = [
    choice(
        "contest_2014",
        contest_2014,
        why="Second behind GoogLeNet in classification, first in localisation.",
        hints={
            "a": "Look at the points for 2014: whose is lower?",
            "b": "Right for classification. There was a second track.",
            "d": "Look at the points for 2014: whose is lower?",
        },
    ),
    choice(
        "three_small_or_one_large",
        lambda: _nearest(STACK_SHARES, stack_share()),
        why="27 against 49: the stack saves nearly half, and the saving does not depend on C.",
        hints={
            "a": "That is one small layer. There are three.",
            "c": "The patch is the same, but the middle layers share what they compute. Count 3·9.",
            "d": "Three layers, but of 9 weights each per pair of channels. Count 3·9.",
        },
    ),
    numbers(
        "two_threes_or_one_five",
        two_threes_or_one_five,
        why="18 : 25 again, whatever the number of channels; biases hardly count.",
        mistakes=_mistaken_counts,
        otherwise="Count one filter first: window × channels read + 1 bias. Then times filters, then times layers.",
    ),
    number(
        "first_layer_stack",
        first_layer_stack,
        why="At the picture's three channels a stack costs more than one large layer: the saving needs equal widths.",
        mistakes=_mistaken_first_layers,
        otherwise="Go layer by layer: 9 × channels read × channels written.",
    ),
    choice(
        "linear_stack",
        linear_stack,
        why="Convolutions in a row are one convolution; only the zeros at the border tell them apart.",
        hints={
            "a": "Look at the left map again: what about the frame?",
            "c": "Look at the middle of the left map: how large is the difference there?",
            "d": "The maps you see were computed with eight channels.",
        },
    ),
    code(
        "merge_two_kernels",
        merge,
        [_kernels(0), _kernels(1)],
        why="Whatever two linear layers do, one can do: without a ReLU between, depth buys nothing.",
        mistakes={
            "Almost: your kernel is upside down and mirrored. Flip it in both directions.": _merged_unmirrored,
            "You slid one kernel over the other without mirroring it first; a poke mirrors for you.": _correlated,
            "Adding the kernels runs the layers side by side, not one after the other.": lambda a, b: a + b,
        },
        otherwise="Put one bright pixel in the middle of 9×9 zeros, run both layers, and look at the middle 5×5.",
    ),
    choice(
        "field_after_pool5",
        lambda: _nearest(FIELDS, trace("VGG-11").row("pool5").receptive_field or 0),
        why="Each convolution adds two jumps and each pooling one; the five strides make the last jumps long.",
        hints={
            "a": "That forgets the strides: after pool1 two neighbouring cells look two pixels apart.",
            "c": "A pooling doubles the jump, not the field.",
            "d": "Read the last line of the table above.",
        },
    ),
    number(
        "detector_view",
        lambda: field_of(detector_layers()),
        why="It is the number in the Faster R-CNN paper: a detector must know how large an object its window can hold.",
        mistakes=_mistaken_views,
        otherwise="Keep field and jump side by side in a table, one line per layer, as for VGG-11.",
    ),
    number(
        "corner_of_pool4",
        corner_of_pool4,
        why="The deeper the layer, the larger the share of padding at the border.",
        mistakes=_mistaken_corners,
        otherwise="Where does the window start? Each convolution so far moves it one jump to the left.",
    ),
    choice(
        "what_bends_are_worth",
        what_bends_are_worth,
        why="1×1 layers add ReLUs and leave the view as it is; they help, and 3×3 in their place help more.",
        hints={
            "a": "From A to B the windows grow too: two blocks gain a 3×3.",
            "c": "C and D have the same number of layers and ReLUs. What differs is the window.",
            "d": "E adds 3×3 layers: bends and view change together.",
        },
    ),
]
