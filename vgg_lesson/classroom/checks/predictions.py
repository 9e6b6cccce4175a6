"""Exercises and predictions of notebook 07, what the network says."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from vgg_lesson.analysis.predictions import Predictions, calibration, predict
from vgg_lesson.classroom.checks.shared import choice, code, number
from vgg_lesson.data.datasets import ImageSet, load_fashion_mnist
from vgg_lesson.training.checkpoints import load_trained

ACCURACY, GRID = 0.9, 8
# Bins of the calibration exercise: confidence, pictures, of which right.
BINS = ((0.55, 20, 10), (0.75, 30, 24), (0.95, 50, 43))


def all_right(accuracy: float, pictures: int) -> float:
    """The chance that ``pictures`` random pictures are all named rightly."""
    return accuracy**pictures


def binned_error() -> float:
    """The expected calibration error of the pictures in ``BINS``."""
    rows = [[sure, 1 - sure] for sure, count, _ in BINS for _ in range(count)]
    labels = [int(index >= right) for _, count, right in BINS for index in range(count)]
    return calibration(Predictions(torch.tensor(rows), torch.tensor(labels))).error


def surest_mistakes(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    """Indices, int64 (count,), of the wrongly named pictures the network was most confident about, surest first."""
    confidence, predicted = probabilities.max(dim=1)
    wrong = (predicted != labels).nonzero().flatten()
    return wrong[confidence[wrong].argsort(descending=True)][:count]


def precision(matrix: Tensor) -> Tensor:
    """Of the pictures given each name, the share that deserve it: float (classes,)."""
    return matrix.diagonal() / matrix.sum(dim=0)


def with_temperature(scores: Tensor, temperature: float) -> Tensor:
    """Probabilities, float (N, classes), of scores divided by a temperature."""
    return (scores / temperature).softmax(dim=1)


def _surest(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    return probabilities.amax(dim=1).argsort(descending=True)[:count]


def _worst(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    return probabilities.gather(1, labels[:, None]).flatten().argsort()[:count]


def _least_sure(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    return surest_mistakes(probabilities, labels, len(labels)).flip(0)[:count]


def _places(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    confidence, predicted = probabilities.max(dim=1)
    return confidence[predicted != labels].argsort(descending=True)[:count]


def _first_wrong(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    return (probabilities.argmax(dim=1) != labels).nonzero().flatten()[:count]


def _their_confidence(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    return probabilities.amax(dim=1)[surest_mistakes(probabilities, labels, count)]


def _uncut(probabilities: Tensor, labels: Tensor, count: int) -> Tensor:
    return surest_mistakes(probabilities, labels, len(labels))


@cache
def right_after_a_move(pixels: int, dim: int) -> float:
    """The share of the first 500 test pictures named rightly once moved along one axis: 0 pictures, 1 down, 2 right."""
    test = load_fashion_mnist("test").subset(500)
    return predict(load_trained(), ImageSet(test.images.roll(pixels, dim), test.labels)).accuracy


def _moved_mistakes() -> dict[float, str]:
    key = right_after_a_move(4, 2)
    return {
        right_after_a_move(0, 2): "That is the share before the move. Which line has to change?",
        right_after_a_move(4, 1): "You moved them down. Of (images, rows, columns), which axis runs to the right?",
        right_after_a_move(-4, 2): "You moved them to the left. The sign decides on the direction.",
        right_after_a_move(4, 0): "The first axis counts images: each now stands beside another one's label.",
        right_after_a_move(0, 2) - key: "That is what it lost. How much is left?",
        100 * key: "Right in percent; give it as a share.",
        500 * key: "That is how many. Of how many? Give it as a share.",
    }


def _case(seed: int, pictures: int, count: int) -> tuple[Tensor, Tensor, int]:
    generator = torch.Generator().manual_seed(seed)
    scores = 3 * torch.randn(pictures, 10, generator=generator)
    return scores.softmax(dim=1), torch.randint(10, (pictures,), generator=generator), count


def _calibration_mistakes() -> dict[float, str]:
    gaps = [sure - right / count for sure, count, right in BINS]
    pictures = sum(count for _, count, _ in BINS)
    return {
        100 * binned_error(): "Right in percentage points; give it as a share.",
        sum(map(abs, gaps)) / len(BINS): "Each bin counts by its images: a bin of 50 weighs more than one of 20.",
        sum(gap * count for gap, (_, count, _) in zip(gaps, BINS, strict=True)) / pictures: (
            "You let a bin that is too sure pay for one that is not sure enough. Take each gap without its sign."
        ),
        max(map(abs, gaps)): "That is the largest gap; it has a name of its own, maximum calibration error.",
        sum(map(abs, gaps)): "That is the sum of the gaps. What share of the images does each bin hold?",
    }


EXERCISES = [
    number(
        "eight_right",
        lambda: all_right(ACCURACY, GRID),
        why="A grid of eight without a mistake hardly tells a good network from a mediocre one.",
        mistakes=lambda: {
            ACCURACY: "That is the chance for one image. All eight have to be right.",
            GRID
            * ACCURACY: "That is how many it names rightly on average. Asked is the chance that it is all of them.",
            100 * all_right(ACCURACY, GRID): "Right in percent; give it as a number between 0 and 1.",
            1 - all_right(ACCURACY, GRID): "That is the chance of at least one mistake among the eight.",
            1 - (1 - ACCURACY) ** GRID: "That is the chance that at least one of them is right.",
            1
            - GRID
            * (
                1 - ACCURACY
            ): "Chances of mistakes add up only while they are rare. What if two images go wrong together?",
        },
        otherwise="First two images: how often are both right? Then go on to eight.",
        relative=0.01,
    ),
    code(
        "surest_mistakes",
        surest_mistakes,
        [_case(0, 40, 5), _case(1, 100, 8)],
        why="Mistakes made with confidence are the ones to look at: a wrong label, or something never learned.",
        mistakes={
            "These are the most confident predictions; most of them are right. Keep the wrong ones first.": _surest,
            "These are the worst mistakes, by the probability of the true class. Sort by confidence instead.": _worst,
            "These are the least confident mistakes: the order is the other way round.": _least_sure,
            "These are wrong ones, in the order of the data. How sure was the network of each?": _first_wrong,
            "Indices are asked for: where they are, not how confident the network was.": _their_confidence,
            "The right images in the right order, and more of them than `count` asks for.": _uncut,
            "Your numbers count within the mistakes. Use them to index the list of wrong images.": _places,
        },
        otherwise="Three questions: which ones are wrong, how confident was each, and who comes first?",
    ),
    choice(
        "hardest_class_guess",
        "c",
        why="A shirt shares its outline with three other classes; a trouser with none.",
        hints={
            "a": "Open shoes look like few other things here. Which classes share an outline?",
            "b": "Near, but the other garments with sleeves are more alike still.",
            "d": "Bags have an outline of their own: a handle, no sleeves.",
        },
    ),
    code(
        "precision",
        precision,
        [(torch.tensor([[8, 2, 0], [1, 6, 3], [1, 0, 4]]),), (torch.tensor([[30, 10], [5, 5]]),)],
        why="Recall asks what becomes of the shirts, precision what stands behind the word shirt.",
        mistakes={
            "That is recall: you divide by the images of each true class. Which sum counts the predicted ones?": (
                lambda matrix: matrix.diagonal() / matrix.sum(dim=1)
            ),
            "That is the share that does not deserve its name.": lambda matrix: 1 - precision(matrix),
            "A share for each class is expected, so only the right ones of each class belong on top.": (
                lambda matrix: matrix / matrix.sum(dim=0)
            ),
            "One number for all classes together is the accuracy. A share for each class is asked for.": (
                lambda matrix: matrix.diagonal().sum() / matrix.sum()
            ),
            "You divide by all images. Only those that were given the name count here.": (
                lambda matrix: matrix.diagonal() / matrix.sum()
            ),
        },
        otherwise="Take one name: where in the matrix are the images that got it, and where those that deserve it?",
    ),
    choice(
        "confidence_guess",
        "c",
        why="It was trained with label smoothing, which never asks for more than 0.91: it learned to understate.",
        hints={
            "a": "Most networks are like that. But what did the training of this one ask for? Look at its card.",
            "b": "That would be a calibrated network. Compare the two printed numbers.",
        },
    ),
    number(
        "calibration_by_hand",
        binned_error,
        why="It is the mean gap between what the network claims and what it achieves, image by image.",
        mistakes=_calibration_mistakes,
        otherwise="For each bin: how far apart are claim and result, and how much of the whole is in this bin?",
        relative=5e-3,
    ),
    code(
        "with_temperature",
        with_temperature,
        [(torch.tensor([[2.3, 1.1, -0.8], [0.2, 0.5, 3.1]]), 0.5), (torch.tensor([[4.0, 1.0]]), 3.0)],
        why="One number moves all confidences and leaves every prediction as it was.",
        mistakes={
            "You multiply. A temperature below one has to spread the scores out, not draw them together.": (
                lambda scores, temperature: (scores * temperature).softmax(dim=1)
            ),
            "Two slashes round down to whole numbers. Which division keeps the fraction?": (
                lambda scores, temperature: (scores // temperature).softmax(dim=1)
            ),
            "You divide the probabilities, and they no longer sum to one. What is divided, and when?": (
                lambda scores, temperature: scores.softmax(dim=1) / temperature
            ),
            "Your softmax runs over the images. Which sums have to be one: those of rows or of columns?": (
                lambda scores, temperature: (scores / temperature).softmax(dim=0)
            ),
            "Your powers are divided by the sum of all images' powers. Each image shares out a sum of its own.": (
                lambda scores, temperature: (scores / temperature).exp() / (scores / temperature).exp().sum()
            ),
            "Powers, yes. Divided by what do they become probabilities?": (
                lambda scores, temperature: (scores / temperature).exp()
            ),
            "These are logarithms of probabilities: they are negative.": (
                lambda scores, temperature: (scores / temperature).log_softmax(dim=1)
            ),
            "Those are scores still: some are negative, and a row does not sum to one.": (
                lambda scores, temperature: scores / temperature
            ),
        },
        otherwise="Divide the scores first. Then let the softmax share out over the classes of each image.",
    ),
    choice(
        "noise_guess",
        "c",
        why="Softmax shares out all of the probability among the ten names it has; it has none for nothing.",
        hints={
            "a": "That would be the honest answer. Nothing in the training ever asked for it.",
            "b": "Softmax cannot: what do the ten probabilities sum to?",
        },
    ),
    number(
        "moved_garments",
        lambda: right_after_a_move(4, 2),
        why="A convolution alone treats every place alike; pools, padding and training do not.",
        mistakes=_moved_mistakes,
        otherwise="Change one line of the cell, run it, and give the share it prints, a number between 0 and 1.",
        relative=0.02,
    ),
    choice(
        "what_confidence_says",
        "b",
        why="Whether a confidence is a chance of being right is measured on images like these, never read off.",
        hints={
            "a": "That is what calibration promises. For which images has anybody checked it?",
            "c": "That would need an answer for what is no bag at all. Which of the ten outputs says so?",
            "d": "That is a share of many images, the recall of a class. This number belongs to a single one.",
        },
    ),
]
