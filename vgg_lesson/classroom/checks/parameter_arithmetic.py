"""Exercises of notebook 03: counting parameters, multiplications and memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vgg_lesson.arithmetic import memory
from vgg_lesson.classroom.checks import parameter_arithmetic_keys as counting
from vgg_lesson.classroom.checks.parameter_arithmetic_keys import post
from vgg_lesson.classroom.checks.shared import UNANSWERED, choice, code, number, numbers


def _closest(value: float, options: Mapping[str, float]) -> str:
    """The letter whose number ``value`` is nearest to, in ratio."""
    return min(options, key=lambda letter: abs(math.log(value / options[letter])))


def _largest(*sizes: int) -> str:
    return "abcd"[sizes.index(max(sizes))]


def _heaviest_part() -> str:
    conv1, fc6, fc8 = (post().row(name).params for name in ("conv1_1", "fc6", "fc8"))
    return _largest(conv1, post().conv_params, fc6, fc8)


def _fc6_macs() -> str:
    share = post().row("fc6").macs / post().total_macs
    return "d" if share < 1 / 50 else _closest(share, {"a": 4 / 5, "b": 1 / 3, "c": 1 / 10})


def _macs_at_112() -> str:
    return _closest(counting.half_image().total_macs / post().total_macs, {"a": 1, "b": 1 / 2, "c": 1 / 4, "d": 1 / 16})


def _quarter_width() -> str:
    ratio = post(width=0.25).total_params / post().total_params
    return _closest(ratio, {"a": 1 / 16, "b": 1 / 3, "c": 1 / 4, "d": 1})


def _average_pool_head() -> str:
    return _closest(post().total_macs / post(head="gap").total_macs, {"a": 14, "b": 2, "c": 1, "d": 1 / 2})


def _biggest_memory_item() -> str:
    bill = memory(post(), 128, optimizer="sgd")
    return _largest(bill.weights, bill.gradients, bill.optimizer, bill.activations)


def _moved_nearly(answer: Any) -> str | None:
    """A hint of its own for answers that are right but rounded, or in thousands or millions."""
    pairs = list(zip(answer, counting.moved_layer(), strict=True))
    rounded = any(all(abs(a * unit / k - 1) < 0.02 for a, k in pairs) for unit in (1, 1e3, 1e6))
    return "Both are about right. Give every digit: `costs` has them." if rounded else None


def _batch_nearly(answer: Any) -> str | None:
    if float(answer).is_integer() or abs(float(answer) - counting.pictures_that_fit()) > 0.1:
        return None
    return "The division is right. A batch is a whole number of images that fit."


EXERCISES = [
    number(
        "block3_params",
        lambda: sum(counting.block3()),
        why="Only the first convolution of a block reads fewer channels than it writes: with that you count any VGG.",
        mistakes=counting.block3_mistakes,
        otherwise="One line per convolution: (3·3·channels read + 1)·channels written. Then add the two.",
    ),
    code(
        "conv_params",
        counting.conv_params,
        [(3, 1, 64, True), (3, 64, 128, True), (3, 128, 256, False), (7, 3, 96, True), (1, 512, 256, False)],
        why="You know what any convolution holds before you build it, and notice when a printed count is wrong.",
        mistakes={
            "Right without biases. What else does a kernel own when bias is True?": lambda k, i, o, b: k * k * i * o,
            "Right with biases. What goes when bias is False?": lambda k, i, o, b: (k * k * i + 1) * o,
            "How many channels does one kernel go through? You counted one.": lambda k, i, o, b: (k * k + b) * o,
            "A kernel has two sides.": lambda k, i, o, b: (k * i + b) * o,
            "Right for 3×3. The side of the kernel is an argument.": lambda k, i, o, b: (9 * i + b) * o,
            "You give the whole layer one bias. How many kernels has it?": lambda k, i, o, b: k * k * i * o + b,
            "A kernel adds up all its channels first; its bias comes once.": lambda k, i, o, b: (k * k + b) * i * o,
            "Is there one bias per channel read, or per channel written?": lambda k, i, o, b: (k * k * o + b) * i,
            "That is one kernel. How many are there?": lambda k, i, o, b: k * k * i + b,
            "That is the rule for 3×3 with biases. Kernel and bias are arguments now.": lambda k, i, o, b: (
                (9 * i + 1) * o
            ),
            "Your brackets multiply the biases alone. Count one whole kernel first.": lambda k, i, o, b: (
                k * k * i + b * o
            ),
            "In Python ^ is no power: write ** or multiply.": lambda k, i, o, b: (k ^ 2 * i + b) * o,
            "You add a bias when there is none, and none when there is one.": lambda k, i, o, b: (
                (k * k * i + (not b)) * o
            ),
        },
        otherwise="Count one kernel first, weights and bias; then ask how many kernels there are.",
    ),
    numbers(
        "older_post_slip",
        counting.slip,
        why="One number carried over from another network spoils a total, so let a count come from the code that runs.",
        mistakes=counting.slip_mistakes,
        otherwise="Recount the first layer with one input channel, then replace its share in the total.",
    ),
    choice(
        "guess_heaviest_part",
        _heaviest_part,
        why="One layer holds four fifths of the file, so whoever wants a smaller file knows where to begin.",
        hints={
            "a": "It sees the whole image, but its kernels are few and small: 640 values.",
            "b": "Eight layers, yes. Add them up: together they do not reach a tenth.",
            "d": "Ten outputs with 4096 weights each. Which part has more outputs than that, or reads more?",
        },
    ),
    code(
        "conv_macs",
        counting.conv_macs,
        [(3, 1, 64, 224), (3, 256, 256, 56), (3, 512, 512, 14), (1, 512, 512, 28), (7, 2, 3, 5)],
        why="Every weight works once per position, so the grid decides what a convolution costs.",
        mistakes={
            "These are the weights. At how many positions does each of them work?": lambda k, i, o, s: k * k * i * o,
            "The grid has two directions, and every position is visited.": lambda k, i, o, s: k * k * i * o * s,
            "A bias is added, not multiplied: leave it out.": lambda k, i, o, s: (k * k * i + 1) * o * s * s,
            "A kernel has two directions as well.": lambda k, i, o, s: k * i * o * s * s,
            "Each kernel reads all the incoming channels.": lambda k, i, o, s: k * k * o * s * s,
            "A multiply-accumulate counts as one here, not as two.": lambda k, i, o, s: 2 * k * k * i * o * s * s,
            "That is one kernel at every position. How many kernels are there?": lambda k, i, o, s: k * k * i * s * s,
            "A bias is added to each output, and adding is not counted.": lambda k, i, o, s: k * k * i * o * s * s + o,
            "The grid is padded: there are as many positions as cells, border included.": (
                lambda k, i, o, s: k * k * i * o * (s - k + 1) ** 2
            ),
            "Right for 3×3. The side of the kernel is an argument.": lambda k, i, o, s: 9 * i * o * s * s,
            "Each kernel reads all channels: reading and writing multiply, they do not add.": (
                lambda k, i, o, s: k * k * (i + o) * s * s
            ),
            "In Python ^ is no power: write ** or multiply.": lambda k, i, o, s: k ^ 2 * i * o * s ^ 2,
        },
        otherwise="Multiplications for one output value, times channels written, times positions.",
    ),
    choice(
        "guess_fc6_macs",
        _fc6_macs,
        why="A layer can fill the file and hardly show on the clock, so ask which of the two you want to shrink.",
        hints={
            "a": "That is its share of the parameters. How often is each of them used for one image?",
            "b": "Count how often one weight of fc6 is used, and how often one weight of conv3_2.",
            "c": "Still too much: each weight of conv3_2 works at every one of 56×56 positions.",
        },
    ),
    choice(
        "guess_macs_at_112",
        _macs_at_112,
        why="When a network is too slow, try smaller images first: half the side is a quarter of the work.",
        hints={
            "a": "The same kernels, yes. At how many positions does each of them work now?",
            "b": "One direction is halved. An image has two.",
            "d": "The positions are fewer in both directions. Did the channels change as well?",
        },
    ),
    numbers(
        "moved_layer",
        counting.moved_layer,
        why="The depth says little about the price: where a layer stands decides what it costs, and in what.",
        mistakes=counting.moved_layer_mistakes,
        otherwise="One layer goes, one comes: count each in parameters and in MACs, and take before from after.",
        nearly=_moved_nearly,
    ),
    number(
        "half_image_params",
        lambda: counting.half_image().total_params,
        why="Convolutions take any size of image, but the first fully connected layer is built for a single one.",
        mistakes=counting.half_image_mistakes,
        otherwise="Follow the side through five poolings, then recount fc6 alone.",
    ),
    choice(
        "guess_quarter_width",
        _quarter_width,
        why="Narrower convolutions save far more work than file, because fc6 shrinks once and fc7 not at all.",
        hints={
            "a": "That holds for the convolutions, where channels in and channels out both shrink. How heavy are they?",
            "c": "That holds for fc6, which reads a quarter of the channels. What happens to fc7?",
            "d": "The fully connected layers keep their 4096 units, but fc6 reads what the convolutions write.",
        },
    ),
    choice(
        "average_pool_head",
        _average_pool_head,
        why="The head was large and nearly idle, so look at the MACs before you promise anybody speed.",
        hints={
            "a": "So much smaller becomes the file. How many of the multiplications were the old head's?",
            "b": "Add up the old head's multiplications: one per weight. What part of the billions is that?",
            "d": "Averaging is a sum over 49 positions per map. Is that more than the layers it replaces?",
        },
        unanswered=UNANSWERED,
    ),
    choice(
        "guess_biggest_memory_item",
        _biggest_memory_item,
        why="When memory runs out, halve the batch first: outputs are paid for every image, weights once.",
        hints={
            "a": "About half a gigabyte, paid once. Which item is paid 128 times?",
            "b": "One value per weight, and no more. Which item is paid 128 times?",
            "c": "Plain SGD keeps nothing of its own between two steps.",
        },
    ),
    number(
        "largest_batch",
        lambda: int(counting.pictures_that_fit()),
        why="You can tell whether a batch fits before you start, on a machine you have never seen.",
        mistakes=counting.batch_mistakes,
        otherwise="Take from 2 GB what is there before the first image, then divide by what one image costs.",
        nearly=_batch_nearly,
    ),
]
