"""Wrong answers that a check knows, beside what it says of them: `mistakes.json` holds both, to be read together.

What an exercise recognises is computed, so a slip in the computing leaves the hint to nobody. After a change, look at
what differs, then write the file anew: ``python -m tests.test_known_mistakes``.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vgg_lesson import check
from vgg_lesson.classroom.checks.shared import Exercise

FILE = Path(__file__).with_name("mistakes.json")
EXERCISES = {name: exercise for name, exercise in check.EXERCISES.items() if not exercise.options}
SHOWN = 60  # letters of a hint
MOST = 40  # mistakes of an exercise; one has all 256 answers there are
TOLERANCE = 1e-4  # between machines


def found(exercise: Exercise) -> list[list[Any]]:
    """The right answer and each known mistake, as JSON, each with the beginning of what the check says of it."""
    known = [(exercise.solution(), exercise.why), *((m.answer, m.hint) for m in exercise.mistakes()[:MOST])]
    return [[as_json(answer, cases(exercise)), words[:SHOWN]] for answer, words in known]


def cases(exercise: Exercise) -> list[tuple[Any, ...]]:
    """The arguments that a function of an exercise is tried with."""
    held = inspect.getclosurevars(exercise.matches).nonlocals if inspect.isfunction(exercise.matches) else {}
    return list(held.get("cases", ()))


def as_json(answer: Any, arguments: Iterable[tuple[Any, ...]] = ()) -> Any:
    """A number or a list of numbers as it is, a function by what it returns, many numbers by shape and sums."""
    if isinstance(answer, torch.nn.Module):
        return " ".join(repr(answer).split())
    if callable(answer):
        return [as_json(_returned(answer, case)) for case in arguments]
    if isinstance(answer, torch.Tensor | np.ndarray):
        numbers = torch.as_tensor(answer).detach().double().flatten()
        weighted = numbers * torch.arange(1, len(numbers) + 1, dtype=torch.float64).sqrt()
        return [list(answer.shape), _sum(numbers), _sum(weighted)]
    if isinstance(answer, list | tuple):
        return [as_json(part) for part in answer]
    if isinstance(answer, bool | str | None):
        return answer
    if isinstance(answer, int | float | np.number):
        return _rounded(float(answer))
    return type(answer).__name__


def _returned(function: Any, case: tuple[Any, ...]) -> Any:
    try:
        return function(*deepcopy(case))
    except Exception as error:
        return type(error).__name__


def _sum(numbers: torch.Tensor) -> float | str:
    """Their sum, where it is more than what rounding leaves of one that is 0."""
    total = numbers.sum().item()
    return _rounded(0.0 if abs(total) < TOLERANCE * numbers.abs().sum().item() else total)


def _rounded(value: float) -> float | str:
    return float(f"{value:.7g}") if math.isfinite(value) else str(value)


def differences(first: Any, second: Any, where: str) -> Iterator[str]:
    """Where two such values differ by more than machines do."""
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for place, pair in enumerate(zip(first, second, strict=True)):
            yield from differences(*pair, f"{where}[{place}]")
    elif isinstance(first, float | int) and isinstance(second, float | int):
        if not math.isclose(first, second, rel_tol=TOLERANCE, abs_tol=TOLERANCE * 1e-3):
            yield f"{where}: {first} was {second}"
    elif first != second:
        yield f"{where}: {first} was {second}"


@pytest.mark.parametrize("name", EXERCISES)
def test_what_a_check_recognises_is_what_was_read(name: str) -> None:
    read_together = json.loads(FILE.read_text(encoding="utf-8"))
    assert list(differences(found(EXERCISES[name]), read_together[name], name)) == []


def test_the_file_knows_every_exercise_and_no_other() -> None:
    assert set(json.loads(FILE.read_text(encoding="utf-8"))) == set(EXERCISES)


@pytest.mark.parametrize(("first", "second"), [(1.0, 1.001), ([1, 2], [1]), ([[2], "a"], [[2], "b"]), (1.0, "nan")])
def test_a_difference_is_seen(first: Any, second: Any) -> None:
    assert list(differences(first, second, "here"))
    assert not list(differences(first, first, "here"))


if __name__ == "__main__":
    lines = []
    for name, exercise in EXERCISES.items():
        rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in found(exercise))
        lines.append(f" {json.dumps(name)}: [\n  {rows}\n ]")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
