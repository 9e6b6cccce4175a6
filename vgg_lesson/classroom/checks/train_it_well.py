"""Exercises and predictions of notebook 06, train it well."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vgg_lesson.arithmetic import memory, trace
from vgg_lesson.classroom.checks.shared import choice, code, number
from vgg_lesson.classroom.checks.train_it_well_diagnosis import DIAGNOSIS, FORGOTTEN_EVAL
from vgg_lesson.configs import CLASS_NETWORK
from vgg_lesson.records.published import published

IMAGES, ACCURACY = 5000, 0.9
LR, MOMENTUM = 0.01, 0.9
SMOOTHING, CLASSES = 0.1, 10
FLIP_STEPS, BATCH = 120, 128
IN_BYTES = "About right, in another unit or rounded: give it in bytes, all of them."


def standard_error(accuracy: float, images: int) -> float:
    """How far an accuracy measured on ``images`` random images typically lies from the true one."""
    return math.sqrt(accuracy * (1 - accuracy) / images)


def lasting_step(lr: float, momentum: float, steps: int = 400) -> float:
    """The length of the last of many steps under a gradient that stays at 1."""
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=lr, momentum=momentum)
    before = 0.0
    for _ in range(steps):
        before = weight.item()
        weight.grad = torch.ones_like(weight)
        optimizer.step()
    return before - weight.item()


def normalised(values: Tensor) -> Tensor:
    """What a fresh batch norm layer makes of float values (B, C, H, W) in training mode."""
    return nn.BatchNorm2d(values.shape[1])(values).detach()


def smallest_loss(smoothing: float, classes: int) -> float:
    """The cross-entropy of a network whose probabilities equal the smoothed targets."""
    targets = torch.full((1, classes), smoothing / classes, dtype=torch.float64)
    targets[0, 0] += 1 - smoothing
    return nn.functional.cross_entropy(targets.log(), torch.tensor([0]), label_smoothing=smoothing).item()


def _target() -> float:
    return 1 - SMOOTHING + SMOOTHING / CLASSES


def _loss_floor_mistakes() -> dict[float, str]:
    share, rest = 1 - SMOOTHING, SMOOTHING / (CLASSES - 1)
    return {
        0.0: "Zero needs all the probability on one class; the smoothed target wants some on each.",
        -math.log(
            share + SMOOTHING / CLASSES
        ): "That is what the right class adds nearly alone: nine more terms count.",
        -_target() * math.log(_target()): "That is the right class alone. The other nine add more than you may think.",
        -(1 - _target())
        * math.log((1 - _target()) / 9): "Those are the nine others. The right class adds its own part.",
        -math.log(share): "The right class wants more than 0.9, and the other nine classes count too.",
        -share * math.log(share) - SMOOTHING * math.log(rest): (
            "The 0.1 is shared among all ten classes, the right one included."
        ),
    }


def _seen() -> str:
    """The letter for how often an image of the training part is seen at most in the steps of the flips' trial."""
    shown = FLIP_STEPS * BATCH / (published("fashion_mnist_images")["train"] - IMAGES)
    return "b" if shown <= 1 else "c" if shown <= 2 else "a"


def _class_network_bytes(optimizer: str) -> int:
    counted = trace(**CLASS_NETWORK)
    bill = memory(counted, 1, optimizer=optimizer)
    return bill.weights + bill.optimizer


def _scaled(dims: tuple[int, ...], *, unbiased: bool = False, squared: bool = False) -> Callable[[Tensor], Tensor]:
    def function(values: Tensor) -> Tensor:
        mean = values.mean(dim=dims, keepdim=True)
        variance = values.var(dim=dims, keepdim=True, correction=int(unbiased))
        return (values - mean) / (variance + 1e-5).pow(1.0 if squared else 0.5)

    return function


def _spread(values: Tensor) -> Tensor:
    return (values.var(dim=(0, 2, 3), keepdim=True, correction=0) + 1e-5).sqrt()


def _bare_spread(values: Tensor) -> Tensor:
    return values.var(dim=(0, 2, 3), keepdim=True, correction=0).sqrt()


def _batch(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    scale = torch.arange(1.0, shape[1] + 1)[:, None, None]
    return torch.randn(shape, generator=generator) * scale + 2 * scale


EXERCISES = [
    choice(
        "best_of_many_guess",
        "c",
        why="Whatever is picked for its score on some images has a score there that flatters it.",
        hints={
            "a": "Two hundred tries scatter around one in ten, and you look at the luckiest of them.",
            "b": "Luck on one set of images does not carry over to another: what has the guesser learned?",
            "d": "The best of two hundred is lucky, but how far can a mean over 1,000 images stray?",
        },
    ),
    number(
        "accuracy_error",
        lambda: standard_error(ACCURACY, IMAGES),
        why="That is the error of one accuracy; the difference of two has an error of its own, which comes next.",
        mistakes=lambda: {
            ACCURACY * (1 - ACCURACY) / IMAGES: "That is the variance; its square root has the unit of accuracy.",
            math.sqrt(ACCURACY * (1 - ACCURACY)) / IMAGES: "The 5,000 belongs under the root as well.",
            math.sqrt(ACCURACY * (1 - ACCURACY)): "That is how far a single image strays. What do 5,000 of them do?",
            2 * standard_error(ACCURACY, IMAGES): "Once is asked for; twice is what an error bar usually shows.",
            100 * standard_error(ACCURACY, IMAGES): "Right in percentage points; give it as a share, like the 0.9.",
            math.sqrt((1 - ACCURACY) / IMAGES): "Only the share of mistakes is under your root; p belongs there, too.",
            math.sqrt(ACCURACY / IMAGES): "Who is always right does not stray at all. Does your formula say so?",
        },
        otherwise="Under the root: the share of right answers times the share of wrong ones, over the images.",
        relative=0.02,
    ),
    number(
        "lasting_step",
        lambda: lasting_step(LR, MOMENTUM),
        why="Momentum 0.9 makes steady steps ten times as long, so the learning rate must be chosen anew.",
        mistakes=lambda: {
            LR: "That is the first step. The velocity keeps growing after it: 1, 1.9, 2.71, …",
            LR * (1 + MOMENTUM): "That is the second step; go on until the velocity stops growing.",
            LR * MOMENTUM: "The old velocity is multiplied by 0.9, then the gradient is added to it.",
            LR * (1 - MOMENTUM): "Momentum would shorten the steps? Write the first three velocities down.",
            1 / (1 - MOMENTUM): "That is the velocity. A step is the learning rate times it.",
        },
        nearly=lambda answer: "Nearly: go on until nothing changes." if 0.095 < answer < 0.1 else None,
        otherwise="Each velocity is 0.9 of the last plus the gradient. Where does it stop growing? Times the rate.",
        relative=1e-3,
    ),
    choice(
        "momentum_guess",
        "c",
        why="At this learning rate the velocity grows tenfold, and the weights are thrown out of reach.",
        hints={
            "a": "On the toy valley the learning rate was small. What does momentum do to the length of the steps?",
            "b": "The last step under a steady push was ten times as long. Would ten times the rate change nothing?",
            "d": "To overfit, a network must first fit. What does the log say about its training loss?",
        },
    ),
    code(
        "batch_norm_by_hand",
        normalised,
        [(_batch(0, 4, 3, 2, 2),), (_batch(1, 8, 2, 5, 5),), (_batch(2, 4, 3, 2, 2) / 300,)],
        why="One mean and one variance per channel, taken over images and positions, from the batch itself.",
        mistakes={
            "You average over images only, so every position has statistics of its own. A channel shares one kernel: "
            "which numbers does that kernel write?": _scaled((0,)),
            "One mean for all channels together: each channel needs its own.": _scaled((0, 1, 2, 3)),
            "One mean per image: that is layer normalisation. Here the images of a batch share their mean.": _scaled(
                (1, 2, 3)
            ),
            "One mean per image and channel. Here the images of a batch share their mean.": _scaled((2, 3)),
            "Python divides before it subtracts: mind the brackets.": (
                lambda values: values - values.mean(dim=(0, 2, 3), keepdim=True) / _spread(values)
            ),
            "You multiply by the spread, which makes a wide channel wider still.": (
                lambda values: (values - values.mean(dim=(0, 2, 3), keepdim=True)) * _spread(values)
            ),
            "You divide by the variance. Which spread does the result have?": _scaled((0, 2, 3), squared=True),
            "You subtract the mean, and the spread stays as it was: the second half is missing.": (
                lambda values: values - values.mean(dim=(0, 2, 3), keepdim=True)
            ),
            "You scale by the right spread, but nothing moves the channels to zero.": (
                lambda values: values / _spread(values)
            ),
            "Nearly: the variance here divides by n, not by n - 1 (correction=0).": _scaled((0, 2, 3), unbiased=True),
            "Nearly: what protects a channel that hardly varies from a division by almost nothing?": (
                lambda values: (values - values.mean(dim=(0, 2, 3), keepdim=True)) / _bare_spread(values)
            ),
            "Nearly: the small number belongs under the root, beside the variance.": (
                lambda values: (values - values.mean(dim=(0, 2, 3), keepdim=True)) / (_bare_spread(values) + 1e-5)
            ),
        },
        otherwise="Per channel, over images, rows, columns: minus the mean, over the root of the variance plus 1e-5.",
    ),
    choice(
        "thousandfold_guess",
        "c",
        why="Each batch norm divides by the spread it finds, so a factor in front of it cancels.",
        hints={
            "a": "That would be so if only the last layer were multiplied, and nothing came after it.",
            "b": "That is what happens without batch norm. What does the layer behind each convolution divide by?",
            "d": "float32 reaches 3·10³⁸; and what does the layer behind each convolution do to a factor?",
        },
    ),
    FORGOTTEN_EVAL,
    choice(
        "flip_guess",
        _seen,
        why="A cure for memorising has nothing to cure before any image was seen twice.",
        hints={
            "a": "How many images are 120 batches of 128? Fit begins again only when all have had their turn.",
            "c": "About a quarter of them, yes. But does any come again before all have had their turn?",
        },
    ),
    choice(
        "train_below_test_guess",
        "c",
        why="The two numbers are taken at different times and with different networks: with and without dropout.",
        hints={
            "a": "Both sets were drawn from the same garments; later epochs of the same log show no such gap.",
            "b": "Leaked images would help in every epoch. Look at the last one.",
            "d": "With such a slip the gap would stay, and later in the same log it closes. Which network gave each?",
        },
    ),
    number(
        "smoothed_loss_floor",
        lambda: smallest_loss(SMOOTHING, CLASSES),
        why="A training loss is read against its own floor; with smoothing that floor is not zero.",
        mistakes=_loss_floor_mistakes,
        otherwise="Cross-entropy adds up -t·ln(p) over all ten classes. What are t and p here?",
        relative=0.005,
    ),
    number(
        "checkpoint_bytes",
        lambda: _class_network_bytes("momentum"),
        why="To go on as if nothing had happened, the velocities must survive as well as the weights.",
        mistakes=lambda: {
            7.3: IN_BYTES,
            7.3e6: IN_BYTES,
            _class_network_bytes("momentum") / 1e6: IN_BYTES,
            _class_network_bytes("sgd") // 4: "That is how many parameters there are. What is kept for each?",
            _class_network_bytes("sgd"): "That is the weights. What else would a resumed run miss?",
            _class_network_bytes("adam"): "Adam keeps two numbers per weight; SGD with momentum keeps one.",
            2 * _class_network_bytes("momentum"): "That would be float64, eight bytes a number.",
            _class_network_bytes("momentum") // 4: "You counted numbers; each float32 takes four bytes.",
        },
        otherwise="What has to be kept for every parameter, and how many bytes does each of these numbers take?",
    ),
    DIAGNOSIS,
    choice(
        "loss_and_accuracy",
        "b",
        why="Accuracy asks which class got most, the loss how much the true one got, so the two can part.",
        hints={
            "a": "Both are right, and each evaluation was made twice. What does a surer mistake cost?",
            "c": "Images lost and images won would cancel in the accuracy. Would they nearly double the loss?",
            "d": "That is the belief at stake. Does being right by a hair cost as much as being right for certain?",
        },
    ),
    code(
        "cosine_schedule",
        lambda done: (1 + math.cos(math.pi * done)) / 2,
        [(0.0,), (0.25,), (0.5,), (0.9,), (1.0,)],
        why="A schedule is a function of how much is done, so anybody can write one and hand it to fit.",
        mistakes={
            "That is the wave from 1 to -1. A rate must not become negative: lift it by 1 and halve it.": (
                lambda done: math.cos(math.pi * done)
            ),
            "Your wave ends in the middle of its way down or comes up again: the argument runs from 0 to π.": (
                lambda done: (1 + math.cos(2 * math.pi * done)) / 2
            ),
            "Python's cosine takes radians, so that half a wave is π, not 180.": (
                lambda done: (1 + math.cos(180 * done)) / 2
            ),
            "Upside down: it has to start at 1 and end at 0.": lambda done: (1 - math.cos(math.pi * done)) / 2,
            "The half is missing: the factor starts at 1, not at 2.": lambda done: 1 + math.cos(math.pi * done),
            "That is a straight line. The cosine leaves 1 and reaches 0 more gently.": lambda done: 1 - done,
        },
        otherwise="Let the cosine run through half a wave, from its top to its bottom, lift it by 1, and halve it.",
    ),
]  # fmt: skip
