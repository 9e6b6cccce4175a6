"""The same content in many forms: each exercise takes its key as NumPy, torch, list or text; wrong stays wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vgg_lesson import check
from vgg_lesson.classroom.checks import Checks
from vgg_lesson.classroom.checks.memory import FILE

EXERCISES = check.EXERCISES
LETTERS = [name for name, exercise in EXERCISES.items() if exercise.options]
NUMBERS = [n for n, e in EXERCISES.items() if isinstance(e.solution(), int | float)]
ROWS = [
    n for n, e in EXERCISES.items()
    if isinstance(e.solution(), tuple | list) and all(isinstance(part, int | float) for part in e.solution())
]  # fmt: skip
LETTER_FORMS: list[Callable[[str], Any]] = [
    str.upper, lambda x: f" {x} ", lambda x: f"{x})", lambda x: f"({x})", lambda x: f"{x}.", lambda x: [x],
    lambda x: np.array([x]),
]  # fmt: skip
NUMBER_FORMS: list[Callable[[float], Any]] = [
    float, np.float64, np.array, lambda x: np.array([x]), lambda x: torch.tensor(x, dtype=torch.float64),
    lambda x: [x], lambda x: ((x,),), repr, lambda x: repr(x).replace(".", ","),
]  # fmt: skip
ROW_FORMS: list[Callable[[Any], Any]] = [
    list, tuple, np.array, lambda x: torch.tensor(x, dtype=torch.float64), lambda x: [[part] for part in x],
    lambda x: "; ".join(map(repr, x)),
]  # fmt: skip


@pytest.mark.parametrize("name", LETTERS)
def test_a_right_letter_is_right_in_every_form(name: str) -> None:
    for form in LETTER_FORMS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


@pytest.mark.parametrize("name", NUMBERS)
def test_a_right_number_is_right_in_every_form(name: str) -> None:
    for form in NUMBER_FORMS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


@pytest.mark.parametrize("name", ROWS)
def test_right_numbers_are_right_in_every_form(name: str) -> None:
    for form in ROW_FORMS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


def _no_epsilon(values: torch.Tensor) -> torch.Tensor:
    middle, spread = values.mean((0, 2, 3), keepdim=True), values.var((0, 2, 3), unbiased=False, keepdim=True).sqrt()
    return (values - middle) / spread


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("with_temperature", lambda scores, temperature: (scores // temperature).softmax(1)),
        ("accuracy_error", math.sqrt(0.1 / 5000)),
        ("batch_norm_by_hand", _no_epsilon),
        ("surest_mistakes", lambda *case: EXERCISES["surest_mistakes"].solution()(*case).float()),
    ],
)
def test_an_answer_that_once_passed_for_right_is_refused(name: str, answer: Any) -> None:
    assert EXERCISES[name](answer).status == "wrong"


def test_a_loop_without_an_end_is_stopped_and_nothing_else_changes(capsys: pytest.CaptureFixture[str]) -> None:
    def loud(predicted: torch.Tensor, labels: torch.Tensor) -> float:
        print("loud")
        torch.rand(3), np.random.rand(3), random.random()
        while True:
            pass

    before = torch.get_rng_state(), np.random.get_state()[2], random.getstate()  # type: ignore[index]
    verdict = EXERCISES["accuracy_of"](loud)
    assert "stopped after" in verdict.message and not capsys.readouterr().out
    assert torch.equal(before[0], torch.get_rng_state())
    assert (np.random.get_state()[2], random.getstate()) == before[1:]  # type: ignore[index]


def test_a_list_that_holds_itself_and_recursion_get_a_sentence() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "without an end" in EXERCISES["batch_shape"](endless).message

    def again(*case: Any) -> Any:
        return again(*case)

    assert "calls itself" in EXERCISES["accuracy_of"](again).message


def test_a_guess_is_noted_judged_and_outlives_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VGG_LESSON_PROGRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ipynb").touch()
    first = Checks()
    assert first.guess_gap().status == "not answered yet"
    first.guess("guess_gap", "D)")
    first.guess("first_accuracy", "55%")
    first.guess("guess_where", "perhaps")
    assert capsys.readouterr().out.splitlines()[:2] == ["Noted: d.", "Noted: 55%."]
    assert (tmp_path / FILE).exists()
    second = Checks()
    assert second.guessed("guess_gap") == "d" and second.guessed("first_accuracy") == 0.55
    assert second.guessed("guess_where") is None
    assert second.guess_gap().status == "right"
    assert second.guess_gap("a").status == "wrong"
    assert dict(Checks().progress("why_it_stalls").rows)["guess_gap"] == "right"


def test_a_damaged_file_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VGG_LESSON_PROGRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ipynb").touch()
    (tmp_path / FILE).write_text("{half")
    assert Checks().guessed("guess_gap") is None
