"""Exercises of notebook 06 on what goes wrong: eval() forgotten, and four logs with a cause each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Any

import torch

from vgg_lesson.classroom.checks import forms
from vgg_lesson.classroom.checks.shared import Exercise, Mistake, number
from vgg_lesson.data.batches import to_batch
from vgg_lesson.data.datasets import CLASSES, load_fashion_mnist
from vgg_lesson.records.stored_runs import DIAGNOSES
from vgg_lesson.training.checkpoints import load_trained

CAUSES = ("plateau", "nan", "overfitting", "eval")  # in the order of the question
LETTERS = tuple(sorted(DIAGNOSES))
# What speaks against calling the log of the second cause by the name of the first; {} is the log's letter.
HINTS: Mapping[tuple[str, str], str] = {
    ("plateau", "nan"): (
        "A plateau is flat from the first epoch on, and it goes on for ever. Does {} begin flat, and does it go on?"
    ),
    ("plateau", "overfitting"): (
        "In {} the training loss falls almost to zero. On a plateau nobody learns anything, training images included."
    ),
    ("plateau", "eval"): "In {} the training loss falls from epoch to epoch. On a plateau it stays where it began.",
    ("nan", "plateau"): "Every loss of {} is an ordinary number. Where would one that is not a number be drawn?",
    ("nan", "overfitting"): "Every loss of {} is an ordinary number, even the large ones. NaN cannot be drawn at all.",
    ("nan", "eval"): "The two evaluations of {} differ, but both are ordinary numbers. NaN cannot be drawn at all.",
    ("overfitting", "plateau"): (
        "Who overfits knows the training images by heart. How good is {} on the images it trains on?"
    ),
    ("overfitting", "nan"): "Who overfits knows the training images by heart. How good is {} on them at the end?",
    ("overfitting", "eval"): (
        "There is a gap in {}, but look at its training loss, too: is that a network that knows its images by "
        "heart? And why do two evaluations of the same weights differ?"
    ),
    ("eval", "plateau"): (
        "In training mode dropout answers the same image anew each time. Do the two evaluations of {} differ?"
    ),
    ("eval", "nan"): "A forgotten eval() blurs an evaluation. It cannot spoil the training loss. What did {} lose?",
    ("eval", "overfitting"): (
        "There is a gap in {}, but its two evaluations agree to the last digit. Would they, with dropout still on?"
    ),
}
TWICE = "You name log {} twice. Each of the four has a cause of its own."
EXPECTED = "Four letters are expected, one per cause in the order of the question, such as {}."


def key() -> tuple[str, ...]:
    """The letters of the logs in the order of ``CAUSES``."""
    letters = {cause: letter for letter, cause in DIAGNOSES.items()}
    return tuple(letters[cause] for cause in CAUSES)


def hint(answer: tuple[str, ...]) -> str:
    """The hint for the first wrong letter of an answer."""
    for letter in answer:
        if answer.count(letter) > 1:
            return TWICE.format(letter)
    cause, letter = next(pair for pair in zip(CAUSES, answer, strict=True) if DIAGNOSES[pair[1]] != pair[0])
    return HINTS[cause, DIAGNOSES[letter]].format(letter)


def read_letters(answer: Any) -> tuple[str, ...]:
    """The answer as four small letters; ``"abcd"`` counts as four letters."""
    said = forms.flat(forms.plain(answer))
    parts = [letter for part in said for letter in (re.findall(r"[A-Za-z]", part) if isinstance(part, str) else [part])]
    try:
        if len(parts) == len(CAUSES):
            return tuple(forms.letter(part, LETTERS) for part in parts)
    except forms.Unreadable:
        pass
    raise forms.Unreadable(EXPECTED.format(tuple(reversed(LETTERS))))


DIAGNOSIS = Exercise(
    "diagnose_logs",
    key,
    lambda answer, expected: tuple(answer) == tuple(expected),
    why="Each has its own cure, and the cure of one does nothing for the others: so read the log before you change "
    "the recipe.",
    otherwise="Look at the training loss first, then at the gap, then at the two evaluations.",
    mistakes=lambda: [Mistake(letters, hint(letters)) for letters in product(LETTERS, repeat=4) if letters != key()],
    read=read_letters,
    stub=(..., ..., ..., ...),
)


@cache
def trousers_right(*, training: bool) -> float:
    """The share of the trousers among the first 2,000 training images that the shipped network names rightly."""
    model = load_trained().train(training)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        named = model(to_batch(_trousers())).argmax(dim=1)
    return (named == CLASSES.index("Trouser")).float().mean().item()


@cache
def _trousers() -> torch.Tensor:
    data = load_fashion_mnist("train").subset(2000)
    return data.images[data.labels == CLASSES.index("Trouser")]


def _forgotten_eval_mistakes() -> dict[float, str]:
    right = trousers_right(training=True)
    return {
        trousers_right(training=False): "That is the network as it should be used. Which mode has no dropout?",
        100 * right: "Right in percent; give it as a share.",
        len(_trousers()) * right: "That is how many. Of how many? Give it as a share.",
    }


FORGOTTEN_EVAL = number(
    "forgotten_eval",
    lambda: trousers_right(training=True),
    why="In training mode batch norm takes a batch of one class for the whole world; eval() is part of the answer.",
    mistakes=_forgotten_eval_mistakes,
    otherwise="Change one word of the cell, run it, and give the share it prints, a number between 0 and 1.",
    relative=0.12,
)
