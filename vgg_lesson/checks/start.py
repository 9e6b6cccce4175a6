"""Exercises of notebook 00: how asking and answering works, on questions a newcomer can answer by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from vgg_lesson.checks.base import choice, code, number, numbers
from vgg_lesson.datasets import CLASSES, PADDED
from vgg_lesson.published import published

TASTE_STEPS, TASTE_BATCH, TASTE_PAIR = 900, 128, 64
COUNTS = published("fashion_mnist_images")
BLIND_SHARES = {"a": 0.0, "b": 0.1, "c": 0.5, "d": 0.95}


def _accuracy(predicted: Tensor, labels: Tensor) -> float:
    return (predicted == labels).float().mean().item()


def _pairs() -> list[tuple[Tensor, Tensor]]:
    labels = torch.tensor([9, 2, 1, 1, 6, 1, 4, 6])
    return [(labels.clone(), labels), (labels.flip(0), labels), (torch.zeros_like(labels), torch.tensor([0, 1] * 4))]


EXERCISES = [
    choice(
        "blind_answer",
        lambda: min(BLIND_SHARES, key=lambda letter: abs(BLIND_SHARES[letter] - 1 / len(CLASSES))),
        why="Every class has the same share of the images, so any constant answer is right for one image in ten. "
        "Whoever knows more must do better than that.",
        hints={
            "a": "Some of the images are bags, and for those the answer is right.",
            "c": "That would need two possible answers; here there are ten.",
            "d": "How often a word is said does not decide how often it is right. How many of the images are bags?",
        },
    ),
    number(
        "images_per_class",
        lambda: COUNTS["train"] // len(CLASSES),
        why="A balanced set keeps accuracy honest: no class can be ignored for free.",
        mistakes=lambda: {
            COUNTS["train"]: "That is the whole training set. It is shared out evenly among the classes.",
            COUNTS["test"] // len(CLASSES): "That is a class's share of the test set; the question is about training.",
            (COUNTS["train"] + COUNTS["test"]) // len(CLASSES): "Leave the test images out: they are not trained on.",
            COUNTS["train"] // len(CLASSES) // 10: "One zero is missing. Divide once more, slowly.",
        },
        otherwise="Divide the number of training images by the number of classes.",
    ),
    numbers(
        "batch_shape",
        lambda: (TASTE_PAIR, 1, PADDED, PADDED),
        why="Batch, channels, height, width: every image tensor of the series is read in this order.",
        mistakes=lambda: {
            (TASTE_PAIR, PADDED, PADDED, 1): "PyTorch puts the channels before height and width.",
            (1, TASTE_PAIR, PADDED, PADDED): "The first number counts the images, the second the channels of each.",
            (TASTE_PAIR, 3, PADDED, PADDED): "A grey image has fewer channels than a colour image.",
            (TASTE_PAIR, 1, 28, 28): "That is the size before the border is added.",
        },
        otherwise="Say it in words first: how many images, how many channels, how high, how wide.",
    ),
    number(
        "images_shown",
        lambda: TASTE_STEPS * TASTE_BATCH,
        why="Steps times batch size is how much a network has been shown; compare runs by that, not by steps alone.",
        mistakes=lambda: {
            TASTE_STEPS: "That is the number of steps. Each step shows a whole batch.",
            TASTE_STEPS + TASTE_BATCH: "Every step shows a batch of its own: do not add.",
            COUNTS["train"]: "That is how many different images there are; most are shown more than once.",
        },
        otherwise="Count the images of one step, then of all steps.",
    ),
    code(
        "accuracy_of",
        _accuracy,
        _pairs(),
        why="This one number is what every notebook from here on reports.",
        mistakes={
            "You return how many are right; return which share of them is right, between 0 and 1.": (
                lambda predicted, labels: (predicted == labels).sum().item()
            ),
            "You return percent; return a share between 0 and 1.": (
                lambda predicted, labels: 100 * _accuracy(predicted, labels)
            ),
            "That is the share of wrong answers.": lambda predicted, labels: 1 - _accuracy(predicted, labels),
        },
        otherwise="Compare the two tensors element by element, then take the mean of the matches.",
    ),
]
