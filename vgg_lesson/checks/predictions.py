"""Exercises and predictions of notebook 07, what the network says."""

from __future__ import annotations

import torch
from torch import Tensor

from vgg_lesson.checks.base import choice, code, number
from vgg_lesson.inspection import Predictions, calibration

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


def _case(seed: int, pictures: int, count: int) -> tuple[Tensor, Tensor, int]:
    generator = torch.Generator().manual_seed(seed)
    scores = 3 * torch.randn(pictures, 10, generator=generator)
    return scores.softmax(dim=1), torch.randint(10, (pictures,), generator=generator), count


def _calibration_mistakes() -> dict[float, str]:
    gaps = [sure - right / count for sure, count, right in BINS]
    pictures = sum(count for _, count, _ in BINS)
    return {
        sum(map(abs, gaps)) / len(BINS): "Each bin counts by its pictures: a bin of 50 weighs more than one of 20.",
        sum(gap * count for gap, (_, count, _) in zip(gaps, BINS, strict=True)) / pictures: (
            "You let a bin that is too sure pay for one that is not sure enough. Take each gap without its sign."
        ),
        max(map(abs, gaps)): "That is the largest gap; it has a name of its own, maximum calibration error.",
        sum(map(abs, gaps)): "That is the sum of the gaps. What share of the pictures does each bin hold?",
    }


EXERCISES = [
    number(
        "eight_right",
        lambda: all_right(ACCURACY, GRID),
        why="A grid of eight without a mistake hardly tells a good network from a mediocre one.",
        mistakes=lambda: {
            ACCURACY: "That is the chance for one picture. All eight have to be right.",
            1 - all_right(ACCURACY, GRID): "That is the chance of at least one mistake among the eight.",
            1 - (1 - ACCURACY) ** GRID: "That is the chance that at least one of them is right.",
            1 - GRID * (1 - ACCURACY): "Chances of separate events do not add up like that; multiply those of success.",
        },
        otherwise="Multiply the chance of one right answer by itself, once for each picture.",
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
            "Your numbers count within the mistakes. Use them to index the list of wrong pictures.": _places,
        },
        otherwise="Find the indices of the wrong ones, sort those by their confidence, return the first `count`.",
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
            "That is recall: you divide by the pictures of each true class. Which sum counts the predicted ones?": (
                lambda matrix: matrix.diagonal() / matrix.sum(dim=1)
            ),
            "You divide by all pictures. Only those that were given the name count here.": (
                lambda matrix: matrix.diagonal() / matrix.sum()
            ),
        },
        otherwise="The right ones stand on the diagonal; divide by the sum of each column.",
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
        why="It is the mean gap between what the network claims and what it achieves, picture by picture.",
        mistakes=_calibration_mistakes,
        otherwise="Per bin: confidence minus accuracy, without its sign, times the bin's share of the pictures.",
        relative=1e-4,
    ),
    code(
        "with_temperature",
        with_temperature,
        [(torch.tensor([[2.0, 1.0, -1.0], [0.0, 0.5, 3.0]]), 0.5), (torch.tensor([[4.0, 1.0]]), 3.0)],
        why="One number moves all confidences and leaves every prediction as it was.",
        mistakes={
            "You multiply. A temperature below one has to spread the scores out, not draw them together.": (
                lambda scores, temperature: (scores * temperature).softmax(dim=1)
            ),
            "You divide the probabilities; they no longer sum to one. Divide the scores.": (
                lambda scores, temperature: scores.softmax(dim=1) / temperature
            ),
            "Your softmax runs over the pictures. Each picture's probabilities sum to one: dim=1.": (
                lambda scores, temperature: (scores / temperature).softmax(dim=0)
            ),
        },
        otherwise="Divide the scores by the temperature, then take the softmax over the classes.",
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
]
