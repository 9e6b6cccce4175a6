"""The seeds view: which differences between stored runs would you have told from luck, with fewer runs of each?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vgg_lesson.classroom.figures.does_depth_help import factor_gains, gain
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, interval, menu
from vgg_lesson.records.stored_runs import factor_runs

_DEPTHS = ("VGG-11", "VGG-13", "VGG-16", "VGG-19")
# What is compared: runs by name; the others are measured against the first.
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "depth": _DEPTHS,
    "depth, four epochs": ("VGG-11, 4 epochs", "VGG-16, 4 epochs"),
    "depth, learning rate 0.01": tuple(f"{depth}, lr 0.01" for depth in _DEPTHS),
    "depth without batch norm": tuple(f"{depth} plain, lr 0.01" for depth in _DEPTHS),
    "batch norm": ("VGG-11, lr 0.01", "VGG-11 plain, lr 0.01"),
    "windows": ("one 7x7", "three 3x3"),
    "pixels, dropout, head": ("VGG-11", "64 pixels", "dropout 0.5", "head gap", "head 4096"),
}


def seeds_view() -> LessonView:
    """A view of the stored runs of notebook 09: a question, and which of the seeds may answer it."""
    return LessonView("Seeds view", _panel)


def chosen(question: str, seeds: tuple[int, int]) -> dict[str, list[float]]:
    """Accuracies (0 to 1) by name of the runs of a question, of the seeds from the first to the last given.

    Raises:
        ValueError: an unknown question, or seeds of which no run is stored.
    """
    if question not in QUESTIONS:
        raise ValueError(f"question={question!r} is unknown; choose one of {', '.join(QUESTIONS)}")
    first, last = seeds
    found = {
        name: [run.accuracy for run in factor_runs()[name] if first <= run.seed <= last]
        for name in QUESTIONS[question]
    }  # fmt: skip
    if not all(found.values()):
        raise ValueError(f"seeds={seeds} holds no stored run; 0 to {_last_seed(question)} are stored")
    return found


def _last_seed(question: str) -> int:
    return min(max(run.seed for run in factor_runs()[name]) for name in QUESTIONS[question])


def _panel() -> Panel:
    first = next(iter(QUESTIONS))
    controls = {
        "question": menu("Compare", list(QUESTIONS), first, "the one thing that differs"),
        "seeds": interval("Seeds", 0, _last_seed(first), "the first and the last seed that count"),
    }
    return Panel(controls, _parts, _Fitter())


class _Fitter:
    """Offers the seeds that are stored, and takes all of them when the question changes."""

    def __init__(self) -> None:
        self.question = ""

    def __call__(self, controls: Mapping[str, Any]) -> None:
        question, seeds = controls["question"].value, controls["seeds"]
        if question != self.question:
            self.question = question
            seeds.value, seeds.max = (0, 0), _last_seed(question)
            seeds.value = (0, seeds.max)


def _parts(question: str, seeds: tuple[int, int]) -> Iterator[Part]:
    scores = chosen(question, seeds)
    reference, *others = scores
    gains = [gain(scores[name], scores[reference]) for name in others]
    runs = min(map(len, scores.values()))
    if runs < 2:
        words = "One run of each: there is a difference, and nothing to say how large one by luck would be."
    else:
        apart = sum(not found.holds_zero for found in gains)
        widest = max(found.half for found in gains)
        words = (
            f"{runs} runs of each: <b>{apart} of {len(gains)}</b> told apart. A difference of less than "
            f"{widest:.2f} points could have been missed."
        )
    yield f"<p>{words}</p>"
    yield factor_gains(scores, reference)
