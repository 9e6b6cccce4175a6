"""For answers of several numbers: what is right already, said when no known mistake explains the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vgg_lesson.classroom.checks.shared import Exercise


def partly(exercise: Exercise, names: Sequence[str]) -> Exercise:
    """The ``exercise``, made by `numbers`, that also tells which of its equal ``names``-ed groups are right.

    A key of ten numbers and five names makes five pairs, and a pair is right if both of its numbers are.
    """

    def complaint(answer: Any) -> str | None:
        unfit = exercise.complaint(answer)
        if unfit or any(exercise.matches(answer, known.answer) for known in exercise.mistakes()):
            return unfit
        key = tuple(exercise.solution())
        size = len(key) // len(names)
        groups = [slice(start, start + size) for start in range(0, len(key), size)]
        right = [n for n, g in zip(names, groups, strict=True) if [float(a) for a in answer[g]] == list(key[g])]
        if not right or len(right) == len(names):
            return None
        return f"Right so far: {', '.join(right)}. {exercise.otherwise}"

    return replace(exercise, complaint=complaint)
