"""Exercises of notebook 03: counting parameters, multiplications and memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from vgg_lesson.arithmetic import FLOAT32_BYTES, LayerTrace, memory, trace
from vgg_lesson.checks.base import UNANSWERED, choice, code, number, numbers
from vgg_lesson.configs import VGGConfig

BINDER_BYTES, KERNEL_BYTES = 2e9, 0.7e9
MOVED = VGGConfig.stack("conv3_2 moved to block 5", [(1, 64), (1, 128), (1, 256), (2, 512), (3, 512)])


def _post(**changes: Any) -> LayerTrace:
    return trace("VGG-11", in_channels=1, num_classes=10, **changes)


def _block3() -> tuple[int, int]:
    counted = _post()
    return counted.row("conv3_1").params, counted.row("conv3_2").params


def _block3_mistakes() -> dict[float, str]:
    first, second = _block3()
    return {
        **dict.fromkeys((first, second), "That is one of the two convolutions. The block holds two."),
        2 * first: "Look at what the second convolution reads: is it still what came out of block 2?",
        2 * second: "Look at what the first convolution reads: it is not yet as deep as what it writes.",
        first + second - 2 * 256: "Every filter also has one value that multiplies nothing. You left them out.",
        first + second - 256: "Both convolutions have biases; you counted those of one.",
        2 * (3 * 3 + 1) * 256: "A filter is not one flat window: it goes through every channel that it reads.",
        ((3 * 128 + 1) + (3 * 256 + 1)) * 256: "You counted one side of the window. It has two.",
        (3 * 3 * 64 + 1) * 256 + first: "Block 3 reads what block 2 writes; your first convolution reads too little.",
    }


def _conv_params(kernel: int, c_in: int, c_out: int, bias: bool) -> int:
    layer = nn.Conv2d(c_in, c_out, kernel, bias=bias, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())


def _first_layers() -> tuple[int, int]:
    return _post().row("conv1_1").params, trace("VGG-11").row("conv1_1").params


def _slip() -> tuple[int, int]:
    return _first_layers()[0], trace("VGG-16", in_channels=1, num_classes=10).total_params


def _slip_mistakes() -> dict[tuple[float, ...], str]:
    first, total = _slip()
    excess = _first_layers()[1] - first
    return {
        (first + excess, total + excess): "That is what the older version says. How many channels has a grey picture?",
        (first, total + excess): "The first layer is right. Its change has to reach the total as well.",
        (first, total + 2 * excess): "The first layer is right. Did the slip make the total too large or too small?",
        (first, total - first): "The first layer is right. The wrong value leaves the total; what enters instead?",
        (first - 64, total - 64): "Nine weights per filter, yes. What else does a filter carry?",
        (
            first,
            _post().total_params,
        ): "The first layer is right. The total is VGG-11's; the older post counted VGG-16.",
    }


def _conv_macs(kernel: int, c_in: int, c_out: int, side: int) -> int:
    return kernel * kernel * c_in * c_out * side * side


def _moved_layer() -> tuple[int, int]:
    after = trace(MOVED, in_channels=1, num_classes=10)
    return after.total_params - _post().total_params, after.total_macs - _post().total_macs


def _moved_layer_mistakes() -> dict[tuple[float, ...], str]:
    params, macs = _moved_layer()
    old, new = _post().row("conv3_2"), _post().row("conv5_2")
    on_pooled_grids = macs / 4
    return {
        (-params, -macs): "The sizes are right. A change is after minus before.",
        (params, -macs): "The parameters are right. Does a weight work at more positions in block 3 or in block 5?",
        (params, abs(on_pooled_grids)): "Two things to mend in the MACs: their sign, and the grid, halved too early.",
        (params, on_pooled_grids): "The table lists each grid after its pool. The convolutions work before it.",
        (params, 0): "Equal work holds from block 3 to block 4, where channels double as the grid halves. And block 5?",
        (params - 256, macs): "The work is right. In the parameters you left out the biases, and they differ too.",
        (new.params, new.macs): "That is what the new layer adds. One layer has also gone.",
        (-old.params, -old.macs): "That is what the old layer takes with it. One layer has also come.",
        (_post().total_params + params, _post().total_macs + macs): "Those are the new totals. How far from the old?",
    }


def _half_image() -> LayerTrace:
    return _post(image_size=112)


def _half_image_mistakes() -> dict[float, str]:
    full, half = _post(), _half_image()

    def fc6_reading(inputs: float) -> float:
        return half.total_params - half.row("fc6").params + (inputs + 1) * 4096

    return {
        full.total_params: "True for the convolutions. But what does fc6 read, once the picture is smaller?",
        full.total_params / 4: "Not every layer shrinks. Which layers know nothing about the size of the picture?",
        full.conv_params: "These are the convolutions. The three fully connected layers are still there.",
        fc6_reading(512 * 3.5 * 3.5): "No grid has half a cell. What does 2×2 pooling do with the last of seven rows?",
        fc6_reading(512 * 4 * 4): "Close. The last pooling meets a 7×7 grid and drops the row that has no partner.",
        fc6_reading(512 * 7 * 7 / 2): "Half the side is not half the grid: both directions shrink.",
    }


def _pictures_that_fit() -> float:
    bill = memory(_post(), 1, optimizer="sgd")
    return (BINDER_BYTES - KERNEL_BYTES - bill.weights - bill.gradients) / bill.activations


def _batch_mistakes() -> dict[float, str]:
    bill = memory(_post(), 1, optimizer="sgd")
    left, fixed, picture = BINDER_BYTES - KERNEL_BYTES, bill.weights + bill.gradients, bill.activations
    return {
        left // picture: "The pictures are not alone: what must be in memory even at batch size 1?",
        (left - bill.weights) // picture: "The weights are in. What does the backward pass write for each of them?",
        (BINDER_BYTES - fixed) // picture: "Python and torch live in the same 2 GB: take their share off first.",
        (left - fixed) // picture + 1: "That batch does not quite fit: round down.",
        (left - fixed) // (picture / FLOAT32_BYTES): "Weights and gradients are right. A value is more than one byte.",
    }


def _closest(value: float, options: Mapping[str, float]) -> str:
    """The letter whose number ``value`` is nearest to, in ratio."""
    return min(options, key=lambda letter: abs(math.log(value / options[letter])))


def _largest(*sizes: int) -> str:
    return "abcd"[sizes.index(max(sizes))]


def _heaviest_part() -> str:
    post = _post()
    conv1, fc6, fc8 = (post.row(name).params for name in ("conv1_1", "fc6", "fc8"))
    return _largest(conv1, post.conv_params, fc6, fc8)


def _fc6_macs() -> str:
    share = _post().row("fc6").macs / _post().total_macs
    return "d" if share < 1 / 50 else _closest(share, {"a": 4 / 5, "b": 1 / 3, "c": 1 / 10})


def _macs_at_112() -> str:
    return _closest(_half_image().total_macs / _post().total_macs, {"a": 1, "b": 1 / 2, "c": 1 / 4, "d": 1 / 16})


def _quarter_width() -> str:
    ratio = _post(width=0.25).total_params / _post().total_params
    return _closest(ratio, {"a": 1 / 16, "b": 1 / 3, "c": 1 / 4, "d": 1})


def _average_pool_head() -> str:
    return _closest(_post().total_macs / _post(head="gap").total_macs, {"a": 14, "b": 2, "c": 1, "d": 1 / 2})


def _biggest_memory_item() -> str:
    bill = memory(_post(), 128, optimizer="sgd")
    return _largest(bill.weights, bill.gradients, bill.optimizer, bill.activations)


_BATCH = number(
    "largest_batch",
    lambda: int(_pictures_that_fit()),
    why="You can tell whether a batch fits before you start, on a machine you have never seen.",
    mistakes=_batch_mistakes,
    otherwise="Take from 2 GB what is there before the first picture, then divide by what one picture costs.",
)


def _batch_complaint(answer: Any) -> str | None:
    complaint = _BATCH.complaint(answer)
    if complaint or float(answer).is_integer() or abs(float(answer) - _pictures_that_fit()) > 0.1:
        return complaint
    return "The division is right. A batch is a whole number of pictures that fit."


_HEAD = choice(
    "average_pool_head",
    _average_pool_head,
    why="The head was large and nearly idle, so look at the MACs before you promise anybody speed.",
    hints={
        "a": "So much smaller becomes the file. How many of the multiplications were the old head's?",
        "b": "Add up the old head's multiplications: one per weight. What part of the billions is that?",
        "d": "Averaging is a sum over 49 positions per map. Is that more than the layers it replaces?",
    },
)


EXERCISES = [
    number(
        "block3_params",
        lambda: sum(_block3()),
        why="Only the first convolution of a block reads fewer channels than it writes: with that you count any VGG.",
        mistakes=_block3_mistakes,
        otherwise="One line per convolution: (3·3·channels read + 1)·channels written. Then add the two.",
    ),
    code(
        "conv_params",
        _conv_params,
        [(3, 1, 64, True), (3, 64, 128, True), (3, 128, 256, False), (7, 3, 96, True), (1, 512, 256, False)],
        why="You can price any convolution before you build it, and notice when a printed count is wrong.",
        mistakes={
            "Right without biases. What else does a filter own when bias is True?": lambda k, i, o, b: k * k * i * o,
            "Right with biases. What goes when bias is False?": lambda k, i, o, b: (k * k * i + 1) * o,
            "How many channels does one filter go through? You counted one.": lambda k, i, o, b: (k * k + b) * o,
            "A window has two sides.": lambda k, i, o, b: (k * i + b) * o,
            "Right for 3×3. The side of the window is an argument.": lambda k, i, o, b: (9 * i + b) * o,
            "You give the whole layer one bias. How many filters has it?": lambda k, i, o, b: k * k * i * o + b,
            "A filter adds up all its channels first; its bias comes once.": lambda k, i, o, b: (k * k + b) * i * o,
            "Is there one bias per channel read, or per channel written?": lambda k, i, o, b: (k * k * o + b) * i,
        },
        otherwise="Count one filter first, weights and bias; then ask how many filters there are.",
    ),
    numbers(
        "older_post_slip",
        _slip,
        why="One number carried over from another network spoils a total, so let a count come from the code that runs.",
        mistakes=_slip_mistakes,
        otherwise="Recount the first layer with one input channel, then replace its share in the total.",
    ),
    choice(
        "guess_heaviest_part",
        _heaviest_part,
        why="One layer holds four fifths of the file, so whoever wants a smaller file knows where to begin.",
        hints={
            "a": "It sees the whole picture, but its filters are few and small: 640 values.",
            "b": "Eight layers, yes. Add them up: together they do not reach a tenth.",
            "d": "Ten outputs with 4096 weights each. Which part has more outputs than that, or reads more?",
        },
    ),
    code(
        "conv_macs",
        _conv_macs,
        [(3, 1, 64, 224), (3, 256, 256, 56), (3, 512, 512, 14), (1, 512, 512, 28), (7, 2, 3, 5)],
        why="Every weight works once per position, so the grid decides what a convolution costs.",
        mistakes={
            "These are the weights. At how many positions does each of them work?": lambda k, i, o, s: k * k * i * o,
            "The grid has two directions, and every position is visited.": lambda k, i, o, s: k * k * i * o * s,
            "A bias is added, not multiplied: leave it out.": lambda k, i, o, s: (k * k * i + 1) * o * s * s,
            "A window has two directions as well.": lambda k, i, o, s: k * i * o * s * s,
            "Each filter reads all the incoming channels.": lambda k, i, o, s: k * k * o * s * s,
            "A multiply-accumulate counts as one here, not as two.": lambda k, i, o, s: 2 * k * k * i * o * s * s,
        },
        otherwise="Multiplications for one output value, times channels written, times positions.",
    ),
    choice(
        "guess_fc6_macs",
        _fc6_macs,
        why="A fully connected layer uses each weight once per picture: large in the file, small on the clock.",
        hints={
            "a": "That is its share of the parameters. How often is each of them used for one picture?",
            "b": "Count how often one weight of fc6 is used, and how often one weight of conv3_2.",
            "c": "Still too much: each weight of conv3_2 works at every one of 56×56 positions.",
        },
    ),
    choice(
        "guess_macs_at_112",
        _macs_at_112,
        why="Every grid keeps a quarter of its positions, and each position costs what it did before.",
        hints={
            "a": "The same filters, yes. At how many positions does each of them work now?",
            "b": "One direction is halved. A picture has two.",
            "d": "The positions are fewer in both directions. Did the channels change as well?",
        },
    ),
    numbers(
        "moved_layer",
        _moved_layer,
        why="Eleven layers are no price: where a layer stands decides what it costs, and in which currency.",
        mistakes=_moved_layer_mistakes,
        otherwise="One layer goes, one comes: count each in parameters and in MACs, and take before from after.",
    ),
    number(
        "half_image_params",
        lambda: _half_image().total_params,
        why="Convolutions take any size of picture, but the first fully connected layer is built for a single one.",
        mistakes=_half_image_mistakes,
        otherwise="Follow the side through five poolings, then recount fc6 alone.",
    ),
    choice(
        "guess_quarter_width",
        _quarter_width,
        why="fc6 reads a quarter of the channels and falls to a quarter; fc7 stays as it is.",
        hints={
            "a": "That holds for the convolutions, where channels in and channels out both shrink. How heavy are they?",
            "c": "That holds for fc6, which reads a quarter of the channels. What happens to fc7?",
            "d": "The fully connected layers keep their 4096 units, but fc6 reads what the convolutions write.",
        },
    ),
    replace(_HEAD, unanswered=UNANSWERED),
    choice(
        "guess_biggest_memory_item",
        _biggest_memory_item,
        why="What the backward pass needs is paid for every picture; the weights are paid for once.",
        hints={
            "a": "About half a gigabyte, paid once. Which item is paid 128 times?",
            "b": "One value per weight, and no more. Which item is paid 128 times?",
            "c": "Plain SGD keeps nothing of its own between two steps.",
        },
    ),
    replace(_BATCH, complaint=_batch_complaint),
]
