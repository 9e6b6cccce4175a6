"""What an exercise is: a key computed by the package, hints for the usual mistakes, and a verdict in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

Status = Literal["right", "wrong", "not answered yet"]
MARKS: Mapping[Status, str] = {
    "right": "✔ Right.",
    "wrong": "✘ Not yet.",
    "not answered yet": "… Not answered yet.",
}
UNANSWERED = "Replace the ... with your answer and run the cell again."
NO_LETTER = "Put your letter in place of the ... above, run that cell, then this one."
STILL_OPEN = "One ... is left inside your function: replace it and run the cell again."
NOTHING_RETURNED = "Your function returns nothing yet: fill it in, and mind the return."
COMMAS = "Python reads 1,000 as two numbers: leave the comma out, or write 1_000."
ADVICE: Mapping[type[Exception], str] = {
    NameError: "Is every name one of the arguments, spelt as in the first line, or set inside the function?",
    IndexError: "Counting starts at 0, so the last index is the length minus one.",
    ZeroDivisionError: "Which of the arguments may be zero?",
    AttributeError: "Print type(...) of what stands before the dot.",
    TypeError: "Print the arguments: what is each of them, and how many are there?",
    RuntimeError: "Print the shape of each tensor just before that line.",
}


@dataclass(frozen=True)
class Verdict:
    """The answer to an answer; shown as one line of text."""

    status: Status
    message: str
    mark: str = ""

    def __repr__(self) -> str:
        return f"{self.mark or MARKS[self.status]} {self.message}"


@dataclass(frozen=True)
class Mistake:
    """A recognised wrong answer (a value, or a function for code exercises) and the hint it deserves."""

    answer: Any
    hint: str


@dataclass(frozen=True)
class Exercise:
    """A question with a key. Call it with an answer to get a `Verdict`; nothing is raised for a wrong answer.

    ``solution`` computes a right answer, ``matches`` says whether an answer equals a given one, ``why`` is the
    sentence a right answer earns, ``otherwise`` the advice for a wrong answer nobody foresaw. ``complaint`` says why
    an answer cannot be judged (None if it can), ``wrong_mark`` how a wrong one is announced.
    """

    name: str
    solution: Callable[[], Any]
    matches: Callable[[Any, Any], bool]
    why: str
    otherwise: str
    mistakes: Callable[[], Sequence[Mistake]]
    complaint: Callable[[Any], str | None] = field(default=lambda answer: None)
    stub: Any = ...
    unanswered: str = UNANSWERED
    wrong_mark: Callable[[Any], str] = field(default=lambda answer: MARKS["wrong"])

    def __call__(self, answer: Any = ...) -> Verdict:
        if is_unanswered(answer):
            return Verdict("not answered yet", self.unanswered)
        try:
            return self._judged(answer)
        except Exception as error:  # raised by the student's own code or object, whatever it is
            told = f"{type(error).__name__}: {error}"
            return Verdict("wrong", f"Your answer cannot be judged: it stopped the check with {told}.")

    def _judged(self, answer: Any) -> Verdict:
        complaint = self.complaint(answer)
        if complaint in (UNANSWERED, STILL_OPEN, NOTHING_RETURNED):
            return Verdict("not answered yet", complaint)
        if complaint:
            return Verdict("wrong", complaint)
        if self.matches(answer, self.solution()):
            return Verdict("right", self.why)
        for mistake in self.mistakes():
            if self.matches(answer, mistake.answer):
                return Verdict("wrong", mistake.hint, self.wrong_mark(answer))
        return Verdict("wrong", self.otherwise, self.wrong_mark(answer))


def is_unanswered(answer: Any) -> bool:
    """True for ``...``, for None, and for a tuple or list that still holds one of them."""
    if answer is ... or answer is None:
        return True
    return isinstance(answer, tuple | list) and any(is_unanswered(part) for part in answer)


def number(
    name: str,
    key: Callable[[], float],
    *,
    why: str,
    mistakes: Callable[[], Mapping[float, str]],
    otherwise: str,
    relative: float = 0.0,
) -> Exercise:
    """An exercise answered with one number, exact or to a ``relative`` tolerance; ``mistakes`` maps wrong → hint."""

    def matches(answer: Any, expected: float) -> bool:
        return math.isclose(float(answer), expected, rel_tol=relative or 1e-9, abs_tol=1e-12)

    return Exercise(name, key, matches, why, otherwise, _listed(mistakes), _number_complaint)


def numbers(
    name: str,
    key: Callable[[], tuple[float, ...]],
    *,
    why: str,
    mistakes: Callable[[], Mapping[tuple[float, ...], str]],
    otherwise: str,
    relative: float = 0.0,
) -> Exercise:
    """An exercise answered with a tuple or list of numbers, such as a shape; a mistake may be of another length."""

    def complaint(answer: Any) -> str | None:
        length = len(key())
        if not isinstance(answer, tuple | list | torch.Size):
            return f"Your answer is of type {type(answer).__name__}; a tuple of {length} numbers is expected."
        unusable = next((text for text in map(_number_complaint, answer) if text), None)
        if len(answer) != length and (unusable or not any(matches(answer, mistake) for mistake in mistakes())):
            advice = f" {COMMAS}" if len(answer) > length else ""
            return f"Your answer holds {len(answer)} numbers; {length} are expected.{advice}"
        return unusable

    def matches(answer: Any, expected: tuple[float, ...]) -> bool:
        pairs = zip(answer, expected, strict=False)
        return len(answer) == len(expected) and all(
            math.isclose(float(a), e, rel_tol=relative or 1e-9, abs_tol=1e-12) for a, e in pairs
        )

    return Exercise(name, key, matches, why, otherwise, _listed(mistakes), complaint)


def choice(name: str, key: Callable[[], str] | str, *, why: str, hints: Mapping[str, str]) -> Exercise:
    """A multiple-choice question: ``hints`` gives every wrong letter its own hint."""

    def solution() -> str:
        return key if isinstance(key, str) else key()

    def complaint(answer: Any) -> str | None:
        letters = sorted({*hints, solution()})
        if not isinstance(answer, str) or answer.strip().lower() not in letters:
            return f"Your answer is {answer!r}; one of the letters {', '.join(letters)} in quotes is expected."
        return None

    def matches(answer: Any, expected: str) -> bool:
        return bool(answer.strip().lower() == expected)

    mistakes = [Mistake(letter, hint) for letter, hint in hints.items()]
    return Exercise(
        name, solution, matches, why, "Read the options once more.", lambda: mistakes, complaint,
        unanswered=NO_LETTER, wrong_mark=lambda answer: f"✘ Not {answer.strip().lower()}.",
    )  # fmt: skip


def code(
    name: str,
    reference: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    *,
    why: str,
    mistakes: Mapping[str, Callable[..., Any]],
    otherwise: str,
    tolerance: float = 1e-5,
) -> Exercise:
    """An exercise answered with a function, judged by what it returns for several ``cases`` of arguments.

    ``mistakes`` maps a hint to a function that makes that mistake. Every call gets its own copy of the arguments, so
    that a function which changes them in place spoils nothing.
    """

    def complaint(answer: Any) -> str | None:
        if not callable(answer):
            return f"Your answer is of type {type(answer).__name__}; a function is expected: pass its name, uncalled."
        for case in cases:
            try:
                result = answer(*deepcopy(case))
            except NotImplementedError:
                return UNANSWERED
            except Exception as error:
                if "ellipsis" in str(error):
                    return STILL_OPEN
                return _advice(error, case)
            if result is None:
                return NOTHING_RETURNED
            if is_unanswered(result):
                return UNANSWERED
            if isinstance(result, str) and not isinstance(reference(*deepcopy(case)), str):
                return f"Your function returns the text {result[:40]!r}; return the value itself, unformatted."
        return None

    def matches(answer: Any, expected: Callable[..., Any]) -> bool:
        return all(_same(answer(*deepcopy(case)), expected(*deepcopy(case)), tolerance) for case in cases)

    listed = [Mistake(function, hint) for hint, function in mistakes.items()]

    def blank(*_: Any) -> Any:
        return ...

    return Exercise(name, lambda: reference, matches, why, otherwise, lambda: listed, complaint, stub=blank)


def _listed(mistakes: Callable[[], Mapping[Any, str]]) -> Callable[[], list[Mistake]]:
    return lambda: [Mistake(answer, hint) for answer, hint in mistakes().items()]


def _number_complaint(answer: Any) -> str | None:
    if isinstance(answer, str):
        return f"Your answer is the text {answer!r}; a number is expected: take the quotes and any commas away."
    if isinstance(answer, tuple):
        return f"Your answer is of type tuple, {len(answer)} numbers; a single number is expected. {COMMAS}"
    is_flag = isinstance(answer, bool) or str(getattr(answer, "dtype", "")).endswith("bool")
    if is_flag or not hasattr(answer, "__float__"):
        return f"Your answer is of type {type(answer).__name__}; a number is expected."
    try:
        finite = math.isfinite(float(answer))
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return f"Your answer is of type {type(answer).__name__}; a single number is expected."
    return None if finite else f"Your answer is {float(answer)}; a finite number is expected."


def _same(result: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, torch.Tensor):
        if not isinstance(result, torch.Tensor) or result.shape != expected.shape:
            return False
        return torch.allclose(result.double(), expected.double(), rtol=tolerance, atol=tolerance)
    if isinstance(expected, tuple | list):
        if not isinstance(result, tuple | list) or len(result) != len(expected):
            return False
        return all(_same(r, e, tolerance) for r, e in zip(result, expected, strict=True))
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        if _number_complaint(result):
            return False
        return math.isclose(float(result), expected, rel_tol=tolerance, abs_tol=tolerance)
    return bool(result == expected)


def _advice(error: Exception, case: tuple[Any, ...]) -> str:
    """What stopped the student's function, on what, and where to look."""
    where_to_look = next((advice for kind, advice in ADVICE.items() if isinstance(error, kind)), "")
    stopped = f"Your function stopped with {type(error).__name__}: {error} (called with {_brief(case)})."
    return f"{stopped} {where_to_look}".strip()


def _brief(case: tuple[Any, ...]) -> str:
    parts = [f"a tensor of shape {tuple(a.shape)}" if isinstance(a, torch.Tensor) else repr(a)[:60] for a in case]
    return ", ".join(parts) or "no arguments"
