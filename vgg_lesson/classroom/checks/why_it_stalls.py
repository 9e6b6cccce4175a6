"""Exercises of notebook 05: losses, averages, and how a signal gets through eleven layers."""

from __future__ import annotations

import math

from torch import Tensor, zeros

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import choice, code, number
from vgg_lesson.classroom.checks.why_it_stalls_step import TRAINING_STEP
from vgg_lesson.configs import get_config

DEFAULT_WIDTH = 1 / 3  # fan_in times the variance of PyTorch's default weights
DEFAULT_GAIN = DEFAULT_WIDTH / 2  # of the variance, per layer with a ReLU


def _mean_loss(losses: list[float], sizes: list[int]) -> float:
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


def _plain_mean(losses: list[float], sizes: list[int]) -> float:
    return sum(losses) / len(losses)


def _first_size(losses: list[float], sizes: list[int]) -> float:
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / (sizes[0] * len(sizes))


def _undivided(losses: list[float], sizes: list[int]) -> float:
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True))


def _fan_in(weight: Tensor) -> int:
    return weight[0].numel()


def _real_taps(side: int) -> float:
    return ((3 * side - 2) / (3 * side)) ** 2


def _vgg19_relu_layers() -> int:
    return get_config("VGG-19").weight_layers - 1


def _vgg19_mistakes() -> dict[float, str]:
    layers = _vgg19_relu_layers()
    return {
        DEFAULT_GAIN**layers: "That is what is left of the variance. The spread is its square root.",
        DEFAULT_GAIN ** ((layers - 2) / 2): "These are the convolutions. Two more layers end in a ReLU: which?",
        DEFAULT_GAIN ** ((layers + 1) / 2): "Nineteen layers have weights. Does a ReLU follow every one of them?",
        DEFAULT_GAIN ** (-layers / 2): "By that much the spread shrinks. Which share is left?",
        layers / 6: "Layers come one after the other: their factors multiply, they do not add up.",
    }


def _layers() -> int:
    return len([row for row in trace("VGG-11").rows if row.kind in ("conv", "linear")])


EXERCISES = [
    TRAINING_STEP,
    code(
        "mean_loss",
        _mean_loss,
        [([2.0, 1.0], [128, 96]), ([0.5, 0.7, 3.0], [128, 128, 1]), ([1.5], [96])],
        why="Every image counts once, so the last, smaller batch may not speak as loudly as the others.",
        mistakes={
            "Your mean counts every batch alike. How many images stand behind each of these losses?": _plain_mean,
            "The sum on top is right. Below it, the last batch is not as large as the first.": _first_size,
            "The sum below is right. Above it, each loss has to count as often as its batch has images.": (
                lambda losses, sizes: sum(losses) / sum(sizes)
            ),
            "That is a sum over images. What turns it into a mean?": _undivided,
        },
        otherwise="Work it out by hand for losses [2.0, 1.0] and sizes [128, 96]: is your result nearer to 2 or to 1?",
    ),
    number(
        "guessing_loss",
        lambda: math.log(10),
        why="Whoever knows this number reads it off a curve: nothing is learned yet, and nothing is broken either.",
        mistakes=lambda: {
            math.log(0.1): "A loss below zero? The logarithm of a probability is negative; look at the figure's axis.",
            1.0: "That is the logarithm to base 10. Cross-entropy uses the natural one.",
            math.log2(10): "That is the logarithm to base 2. Cross-entropy uses the natural one.",
            0.1: "That is the probability of the true class. What does the loss make of it?",
            0.9: "That is how often it errs. The loss looks at the probability of the true class instead.",
            10 * math.log(10): "You add up all ten classes. Only the true one enters the loss of an image.",
            -0.1 * math.log(0.1): "The true class counts with its whole weight: the label leaves no doubt.",
        },
        otherwise="The first figure shows what the loss makes of the true class's probability. How large is that here?",
        relative=2e-3,
    ),
    choice(
        "guess_stalled_answers",
        "b",
        why="One class is ahead by a hair, and it is ahead for every image.",
        hints={
            "a": "Equal probabilities are not a throw of dice: dropout is off, so one image always gets one answer.",
            "c": "A few classes known would lift the accuracy above a tenth and the loss below ln 10.",
            "d": "Then something in the image would decide between them. Look at the list of classes it names.",
        },
    ),
    number(
        "uniform_loss_imagenet",
        lambda: math.log(1000),
        why="A loss that sits at the logarithm of the number of classes is the signature of equal probabilities.",
        mistakes=lambda: {
            math.log(10): "That is the value for ten classes. ImageNet has more.",
            100 * math.log(10): "A hundred times the classes, but not a hundred times the loss: follow the logarithm.",
            math.log10(1000): "A logarithm, but the one to base 10. Cross-entropy uses the natural one.",
            math.log2(1000): "A logarithm, but the one to base 2. Cross-entropy uses the natural one.",
            -math.log(1000): "The size is right. Look at the sign in front of the logarithm once more.",
            0.001: "That is the probability of the true class. What does the loss make of it?",
            0.999: "That is how often it errs. The loss looks at the probability of the true class instead.",
        },
        otherwise="Which probability does each of the classes get, and what does the loss make of it?",
        relative=2e-3,
    ),
    choice(
        "guess_impostor",
        "d",
        why="How frequent each class is, told by ten biases, is all the stalled network has learned.",
        hints={
            "a": "They are all there, but how many does it take to print the same loss?",
            "b": "A linear classifier sees the images and leaves 2.303 within a few steps: it is far better.",
            "c": "Still generous. Which layer is the only one whose change shows in the scores?",
        },
    ),
    choice(
        "guess_gap",
        "d",
        why="The scores agree to the fourth decimal: this network can hardly tell a boot from nothing at all.",
        hints={
            "a": "The scores themselves are much smaller than that, let alone their differences.",
            "b": "That is more than the scores' own size.",
            "c": "Closer, but still some hundred times too far apart.",
        },
    ),
    choice(
        "guess_where",
        "b",
        why="No single layer is broken: each keeps less than half, and less than half of less than half is little.",
        hints={
            "a": "A pool keeps the largest of four: follow the dots across a pool, and the step is no larger there.",
            "c": "By the time the signal reaches fc6 most of it is gone already.",
            "d": "The last layer is no worse than the others.",
        },
    ),
    number(
        "kept_without_relu",
        lambda: DEFAULT_WIDTH,
        why="Two separate losses: PyTorch's weights keep a third, a ReLU half of it; other weights make up for both.",
        mistakes=lambda: {
            DEFAULT_GAIN: "That is the formula with its ReLU. Take the ReLU out of the cell and run it again.",
            0.148: "That is what the cell prints as it stands. Which word in it is the ReLU?",
            DEFAULT_WIDTH**0.5: "That is the share of the spread. The cell measures the variance, its square.",
            DEFAULT_WIDTH**10: "That is left after ten layers together. What does one of them keep?",
            0.5: "The ReLU takes about that share away, so it comes back. But times what?",
            1.0: "That would be a layer that loses nothing. Its weights are still PyTorch's: take out the ReLU only.",
        },
        otherwise="Change one thing in the cell: no ReLU. The formula says what to expect: which factor falls away?",
        relative=0.03,
    ),
    number(
        "taps_on_the_map",
        lambda: _real_taps(2),
        why="In the last block more than half of every kernel reads zeros, so the padding thins the signal as well.",
        mistakes=lambda: {
            1 - _real_taps(2): "That is the share that falls on the padding.",
            _real_taps(2) ** 0.5: "That is the share along one direction. The kernel has two.",
            4 * 9 * _real_taps(2): "That is the number of weights that read the map. Of how many?",
            9 * _real_taps(2): "That is the number per kernel. Of nine.",
            4 / 16: "Four cells of map within sixteen with padding, yes, but the kernel meets some of them more often.",
        },
        otherwise="Put the kernel's centre on one corner of the 2×2 map. How many of its nine weights read the map?",
        relative=1e-2,
    ),
    code(
        "he_std",
        lambda weight: math.sqrt(2 / _fan_in(weight)),
        [(zeros(64, 1, 3, 3),), (zeros(128, 64, 3, 3),), (zeros(32, 16, 1, 1),), (zeros(1024, 128),)],
        why="One number per layer, known before the first image is seen, decides whether depth can be trained.",
        mistakes={
            "That is the variance. A standard deviation is asked for.": lambda weight: 2 / _fan_in(weight),
            "The layer would be right without its ReLU. What does the ReLU take away?": (
                lambda weight: math.sqrt(1 / _fan_in(weight))
            ),
            "One output adds up more products than there are channels: how many weights has one kernel?": (
                lambda weight: math.sqrt(2 / weight.shape[1])
            ),
            "Not every layer has kernels of 3×3. Let the shape of the weight say how many numbers one kernel holds.": (
                lambda weight: math.sqrt(2 / (9 * weight.shape[1]))
            ),
            "The root comes last: it is taken of the whole fraction, the 2 included.": (
                lambda weight: 2 / math.sqrt(_fan_in(weight))
            ),
            "Upside down: the more terms a sum has, the smaller each of them must be.": (
                lambda weight: math.sqrt(_fan_in(weight) / 2)
            ),
            "That counts the kernels. How many numbers does one of them hold?": (
                lambda weight: math.sqrt(2 / weight.shape[0])
            ),
            "The root goes over the whole fraction, its lower half included.": (
                lambda weight: math.sqrt(2) / _fan_in(weight)
            ),
            "That is where an even draw would end. A standard deviation is asked for.": (
                lambda weight: math.sqrt(6 / _fan_in(weight))
            ),
            "You divide by all weights of the layer. How many of them meet in one output?": (
                lambda weight: math.sqrt(2 / weight.numel())
            ),
            "You count what one input feeds. The forward signal is a sum over what one output reads.": (
                lambda weight: math.sqrt(2 * weight.shape[1] / weight.numel())
            ),
            "That is the default's width again, which loses the signal.": (
                lambda weight: math.sqrt(1 / (3 * _fan_in(weight)))
            ),
        },
        otherwise="Start from the variance above. How many products does one output add up, in either kind of layer?",
    ),
    choice(
        "guess_what_frees_it",
        "c",
        why="The same loop, the same learning rate, no momentum: the weights it starts from are enough.",
        hints={
            "a": "A tenth of the step changes nothing here: a smaller step along almost no gradient is smaller still.",
            "b": "Momentum adds up gradients that agree. Gradients of almost nothing add up to little.",
            "d": "Two of the three were tried alone, and both runs stood still.",
        },
    ),
    number(
        "two_readings",
        lambda: (0.1 / 0.01) ** _layers(),
        why="A sentence that can be read as variance or as standard deviation can make or break a deep network.",
        mistakes=lambda: {
            10: "That is the ratio after one layer. The next layer multiplies it again.",
            0.1 ** _layers(): "The same ratio upside down: how many times larger is the larger one?",
            100 ** _layers(): "That is the ratio of the variances. The spread is their square root.",
            10 ** (_layers() - 1): "The last layer has no ReLU, but it has weights, ten times larger or smaller.",
            10
            ** (_layers() - 3): "These are the convolutions. The three fully connected layers are drawn the same way.",
            10 * _layers(): "Layers follow each other, so their factors multiply.",
        },
        otherwise="Make every weight of one layer ten times larger: what does its output do? And the next layer?",
        relative=1e-2,
    ),
    number(
        "vgg19_spread",
        lambda: DEFAULT_GAIN ** (_vgg19_relu_layers() / 2),
        why="Each further layer divides again, so depth makes a bad start worse, never better.",
        mistakes=_vgg19_mistakes,
        otherwise="One layer keeps a sixth of the variance. Count the layers that end in a ReLU, then take the root.",
        relative=1e-2,
    ),
]
