"""Exercises of notebook 01: the contest, counting weights, melting layers, the evidence; views are in `fields`."""

from __future__ import annotations

from itertools import pairwise

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import choice, number, numbers
from vgg_lesson.classroom.checks.why_depth_fields import EXERCISES_ON_FIELDS
from vgg_lesson.classroom.checks.why_depth_melting import LINEAR_STACK, MERGE
from vgg_lesson.configs import CONFIGS, Conv, VGGConfig
from vgg_lesson.records.published import published

CHANNELS, FIRST_CHANNELS = 128, 64


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


def _mistaken_counts() -> dict[tuple[float, ...], str]:
    two, five = two_threes_or_one_five()
    one_filter = (2 * (9 * CHANNELS + 1), 25 * CHANNELS + 1)
    read_once = (2 * (9 + 1) * CHANNELS, (25 + 1) * CHANNELS)
    return {
        (two - 2 * CHANNELS, five - CHANNELS): "These are the weights alone. Every kernel has one more number.",
        (two / 2, five): "Your 5×5 is right. How many 3×3 layers are there?",
        (five, two): "Both numbers are right, and the other way round.",
        (two - CHANNELS, five): "Your 5×5 is right. Does each of the two layers have its own biases?",
        (two, five - CHANNELS): "Your pair is right. Does the 5×5 have biases as well?",
        (18, 25): "That is per pair of channels. How many pairs are there, and how many biases?",
        (
            two - 2 * CHANNELS + 2,
            five - CHANNELS + 1,
        ): "You gave each layer one bias. How many kernels want one?",
        (3 * two / 2, five): "Your 5×5 is right. Three layers stand for a 7×7; how many for a 5×5?",
        one_filter: "That is one kernel of each layer. How many kernels write 128 channels?",
        read_once: "You counted the input channels once: every kernel reads all 128 of them.",
    }


def _mistaken_first_layers() -> dict[float, str]:
    weights, width = first_layer_stack(), FIRST_CHANNELS
    return {
        3 * 9 * width * width: "That is 27C². How many channels does the first of the three layers read?",
        3 * 9 * 3 * width: "That lets all three layers read 3 channels. What does the second one read?",
        49 * 3 * width: "That is the single 7×7 layer.",
        9 * 3 * width: "That is the first of the three layers. What do the other two read?",
        9 * 3 * width + 9 * width * width: "How many layers are there after the first?",
        2 * 9 * width * width: "Those are the two layers from 64 to 64. What does the first one cost?",
        9 * (3 + width + width): "That is one kernel of each layer. How many kernels write 64 channels?",
        weights + 3 * width: "Your weights are right, but biases are in it; the 7×7's number is without.",
    }


EXERCISES = [
    choice(
        "contest_2014",
        contest_2014,
        why='"VGG won" and "VGG came second" each tell half: a place means nothing without its track.',
        hints={
            "a": "The best-known network of a year need not be its winner. Look at 2014: whose point is lower?",
            "b": "Your place in classification stands. But there was a second track.",
            "d": "One of the two, yes. Look at the points for classification in 2014: whose is lower?",
        },
    ),
    choice(
        "three_small_or_one_large",
        value=stack_share,
        options={"a": 9 / 49, "b": 0.55, "c": 1.0, "d": 1.5},
        why="27 against 49, whatever C is: the same patch for nearly half the weights.",
        hints={
            "a": "That is one small layer. There are three.",
            "c": "The patch is the same. But how many weights has one 3×3 kernel, and how many kernels are there?",
            "d": "More layers, but small ones: count the weights of one per pair of channels, then of all three.",
        },
    ),
    numbers(
        "two_threes_or_one_five",
        two_threes_or_one_five,
        why="18 : 25 again: the saving holds at any width, and the biases hardly touch it.",
        mistakes=_mistaken_counts,
        otherwise="Count one kernel first: its cells × channels read + 1 bias. Then times kernels, then times layers.",
        groups=("the pair", "the 5×5"),
    ),
    number(
        "first_layer_stack",
        first_layer_stack,
        why="At the image's three channels a stack costs more than one large layer: the saving needs equal widths.",
        mistakes=_mistaken_first_layers,
        otherwise="Go layer by layer: 9 × channels read × channels written.",
    ),
    LINEAR_STACK,
    MERGE,
    *EXERCISES_ON_FIELDS,
    choice(
        "what_bends_are_worth",
        what_bends_are_worth,
        why="1×1 layers add ReLUs and leave the view as it is; they help, and 3×3 in their place help more.",
        hints={
            "a": "From A to B the kernels grow too: two blocks gain a 3×3.",
            "c": "C and D have the same number of layers and ReLUs. What differs is the kernel.",
            "d": "E adds 3×3 layers: ReLUs and view change together.",
        },
    ),
]
