"""Exercises of notebook 00: how asking and answering works, on questions a newcomer can answer by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vgg_lesson.classroom.checks.shared import choice, code, number, numbers
from vgg_lesson.data.datasets import CLASSES, PADDED, SIDE
from vgg_lesson.records.published import published

TASTE_STEPS, TASTE_BATCH, TASTE_PAIR = 900, 128, 64
COUNTS = published("fashion_mnist_images")


def _accuracy(predicted: Tensor, labels: Tensor) -> float:
    return (predicted == labels).float().mean().item()


def _pairs() -> list[tuple[Tensor, Tensor]]:
    labels = torch.tensor([9, 2, 1, 1, 6, 1, 4, 6])
    return [(labels.clone(), labels), (labels.flip(0), labels), (torch.zeros_like(labels), torch.tensor([0, 1] * 4))]


def _all_at_once(answer: Any) -> str | None:
    """A hint for one yes or no about all images."""
    result = answer(*_pairs()[0])
    together = isinstance(result, bool) or (
        isinstance(result, Tensor) and not result.dim() and result.dtype == torch.bool
    )
    return "You return whether all agree. The question is which share of them does." if together else None


def _refused_by_torch(answer: Any, stopped: str) -> str:
    """A hint for what PyTorch refuses."""
    if "floating point" in stopped:
        return "True and False have no mean in PyTorch until they are numbers: .float() makes them 1 and 0."
    if "converted to Scalar" in stopped:
        return "Several numbers are left where one is wanted: take their mean before you make it a Python number."
    return stopped


EXERCISES = [
    choice(
        "blind_answer",
        value=lambda: 1 / len(CLASSES),
        options={"a": 0.0, "b": 0.1, "c": 0.5, "d": 0.95},
        why="A constant answer is right for one image in ten, and whoever knows more must do better than that.",
        hints={
            "a": "Some of the images are bags, and for those the answer is right.",
            "c": "That would need two possible answers; here there are ten.",
            "d": "Saying a word firmly does not make it true. For which of the images is it true?",
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
            len(CLASSES): "That is how many classes there are. How many images has each?",
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
            (TASTE_PAIR, 1, SIDE, SIDE): "That is the size before the border is added.",
            (PADDED, PADDED, 1, TASTE_PAIR): "The right numbers. In which order does the question name the axes?",
            (TASTE_PAIR, PADDED, PADDED): "Four axes are asked for. Which one has no place in your answer?",
            (1, 1, PADDED, PADDED): "That is a single image. How many are in the batch?",
            (10, 1, PADDED, PADDED): "Ten were in the row further up. How many are in this batch?",
        },
        otherwise="Say it in words first: how many images, how many channels, how high, how wide.",
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
            "Ten is the number of classes. Of how many images do you want the share?": (
                lambda predicted, labels: (predicted == labels).sum().item() / len(CLASSES)
            ),
            "That is the share of wrong answers.": lambda predicted, labels: 1 - _accuracy(predicted, labels),
            "How far two class numbers lie apart means nothing: they are equal or they are not.": (
                lambda predicted, labels: (predicted - labels).abs().float().mean().item()
            ),
        },
        otherwise="Compare the two tensors element by element, then take the mean of the matches.",
        complaint=_all_at_once,
        on_stop=_refused_by_torch,
    ),
    number(
        "images_shown",
        lambda: TASTE_STEPS * TASTE_BATCH,
        why="Steps times batch size is how much a network has been shown; compare runs by that, not by steps alone.",
        mistakes=lambda: {
            TASTE_STEPS: "That is the number of steps. Each step shows a whole batch.",
            TASTE_STEPS + TASTE_BATCH: "Every step shows a batch of its own: do not add.",
            TASTE_BATCH: "That is what one step shows.",
            TASTE_STEPS * TASTE_PAIR: "The batch of 64 belongs to an earlier exercise. How large is it here?",
            2 * COUNTS["train"]: "The run stops before it is through for the second time: count the steps.",
            COUNTS["train"]: "That is how many different images there are; most are shown more than once.",
        },
        otherwise="Count the images of one step, then of all steps.",
    ),
]
