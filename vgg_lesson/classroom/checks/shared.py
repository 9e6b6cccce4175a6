"""What an exercise is: a key computed by the package, hints for the usual mistakes, and a verdict in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from vgg_lesson.classroom.checks import forms
from vgg_lesson.classroom.checks.forms import Percent, Unreadable, is_unanswered
from vgg_lesson.classroom.checks.nudges import NUDGES
from vgg_lesson.classroom.checks.student import SECONDS, Student, TooSlow, missing_brackets, same_random_state
from vgg_lesson.classroom.checks.titles import number_of

Status = Literal["right", "wrong", "not answered yet"]
MARKS: Mapping[Status, str] = {
    "right": "✔ Right.",
    "wrong": "✘ Not yet.",
    "not answered yet": "… Not answered yet.",
}
FORM = "… Not judged yet."
UNANSWERED = "Replace the ... with your answer and run the cell again."
NO_LETTER = "Put your letter in place of the ... above, run that cell, then this one."
STILL_OPEN = "One ... is left inside your function: replace it and run the cell again."
NOTHING_RETURNED = "Your function returns nothing yet: fill it in, and mind the return."
NO_RETURN = "Your function returns nothing (None): add a return."
PRINTED = "Your function prints its result and gives None back: print shows, return gives."
NONE = "Your answer is None: print shows a value, it does not give it back. Leave the print away."
TOO_SLOW = f"Your function was stopped after {SECONDS:.0f} seconds: does each loop in it come to an end?"
RECURSION = "Your function calls itself without an end: which call gives an answer without another call?"
PERCENT = "Right in percent; a share between 0 and 1 is asked for."
NO_SHARE = "Your answer is in percent; no share is asked for here, but a plain number."
DIGITS = "About right, but rounded: every digit, please."
SWAPPED = "The right numbers, in another order than the question names."
OVERWRITES = "One thing: it changes its argument in place, and later cells need that argument as it was."
ADVICE: Mapping[type[Exception], str] = {
    NameError: "Is every name one of the arguments, spelt as in the first line, or set inside the function?",
    IndexError: "Counting starts at 0, and sizes differ from call to call: take them from the arguments.",
    ZeroDivisionError: "You divide by zero there: which of your numbers is it?",
    AttributeError: "Print type(...) of what stands before the dot.",
    TypeError: "Print the arguments: what is each of them, and how many are there?",
    RuntimeError: "Print the shape of each tensor just before that line.",
}


@dataclass(frozen=True)
class Verdict:
    """The answer to an answer; shown as one line of text. ``judged`` is False where only its form was looked at."""

    status: Status
    message: str
    mark: str = ""
    judged: bool = True

    def __repr__(self) -> str:
        return f"{self.mark or MARKS[self.status]} {self.message}"


@dataclass(frozen=True)
class Mistake:
    """A recognised wrong answer (a value, or a function for code exercises) and the hint it deserves."""

    answer: Any
    hint: str


def nothing(answer: Any) -> str | None:
    """Nothing to say about an answer."""
    return None


def as_it_is(answer: Any) -> Any:
    """The answer itself: the reader of exercises that look at forms on their own."""
    return answer


@dataclass(frozen=True)
class Exercise:
    """A question with a key. Call it with an answer to get a `Verdict`; nothing is raised for a wrong answer.

    ``read`` turns what was typed into what is meant, or raises `Unreadable`; all the rest sees what is meant.
    ``solution`` computes a right answer, ``matches`` says whether an answer equals a given one, ``why`` is the
    sentence a right answer earns, ``otherwise`` the way to it, the larger hint. ``complaint`` says why an answer
    cannot be right (None if it can), ``nearly`` what an unforeseen answer has right already, ``pointer`` what kind
    of thing is wrong with any other, ``aside`` what there is to say about a right one; ``wrong_mark`` is how a wrong
    one is announced, ``options`` the letters of a multiple-choice question.
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
    read: Callable[[Any], Any] = as_it_is
    nearly: Callable[[Any], str | None] = field(default=lambda answer: None)
    pointer: Callable[[Any], str] = field(default=lambda answer: "It differs from what is asked in no usual way.")
    aside: Callable[[Any], str] = field(default=lambda answer: "")
    options: tuple[str, ...] = ()

    def __call__(self, answer: Any = ...) -> Verdict:
        if answer is None:
            return Verdict("not answered yet", NONE)
        if is_unanswered(answer):
            return Verdict("not answered yet", self.unanswered)
        try:
            with same_random_state():
                return self._judged(self.read(answer))
        except Unreadable as unclear:
            return Verdict("wrong", str(unclear), FORM, judged=False)
        except TooSlow:
            return Verdict("wrong", TOO_SLOW)
        except KeyboardInterrupt:
            return Verdict("wrong", "Your answer was interrupted before it was judged.", FORM, judged=False)
        except Exception as error:  # raised by the student's own code or object, whatever it is
            told = f"{type(error).__name__}: {error}"
            return Verdict("wrong", f"Your answer cannot be judged: it stopped the check with {told}.")

    def _judged(self, answer: Any) -> Verdict:
        complaint = self.complaint(answer)
        if complaint in (UNANSWERED, STILL_OPEN, NOTHING_RETURNED, NO_RETURN, PRINTED):
            return Verdict("not answered yet", complaint)
        if complaint:
            return Verdict("wrong", complaint)
        if self.matches(answer, self.solution()):
            return Verdict("right", f"{self.why} {self.aside(answer)}".rstrip())
        for mistake in self.mistakes():
            if self.matches(answer, mistake.answer):
                return Verdict("wrong", mistake.hint, self.wrong_mark(answer))
        if near := self.nearly(answer):
            return Verdict("wrong", near, self.wrong_mark(answer))
        return Verdict("wrong", f"{self.pointer(answer)} {self.help}", self.wrong_mark(answer))

    @property
    def help(self) -> str:
        """Where to get a hint."""
        return f'check.hint("{number_of(self.name)}") gives a hint.'

    def hints(self) -> list[str]:
        """A small hint, where to look, and a larger one, the way; of letters, two at least are left to choose from."""
        if self.options:
            named = [f"Not {mistake.answer}: {mistake.hint}" for mistake in self.mistakes()]
            return [named[0], " ".join(named[:2])][: len(named) - 1]
        return [NUDGES[self.name], self.otherwise]


def number(
    name: str,
    key: Callable[[], float],
    *,
    why: str,
    mistakes: Callable[[], Mapping[float, str]],
    otherwise: str,
    relative: float = 0.0,
    points: bool = False,
    nearly: Callable[[Any], str | None] = nothing,
) -> Exercise:
    """An exercise answered with one number, exact or to a ``relative`` tolerance; ``mistakes`` maps wrong → hint.

    Where the answer is in percentage ``points``, "0.8%" means 0.8; where it is a share, "80%" means 0.8.
    """

    def read(answer: Any) -> float:
        parts = forms.plain(answer)
        several = isinstance(parts, tuple) and len(parts) > 1
        if several and all(isinstance(part, int | float) for part in parts) and _close(sum(parts), key(), relative):
            raise Unreadable("These are the parts of one number: add them up.")
        return forms.points(answer) if points else _asked(forms.number(answer, whole=isinstance(key(), int)), key())

    def matches(answer: Any, expected: float) -> bool:
        return _close(answer, expected, relative)

    def near(answer: float) -> str | None:
        if said := nearly(answer):
            return said
        if not points and 0 < abs(key()) <= 1 and _close(answer, 100 * key(), max(relative, 5e-3)):
            return PERCENT
        return DIGITS if _rounded(answer, key()) else None

    def pointer(answer: float) -> str:
        if answer * key() <= 0:
            return "It is not zero, however small it is." if answer == 0 else "The sign is wrong."
        ratio = answer / key()
        if 0.1 <= ratio <= 10:
            return "The size is not far off: look for a part that is missing, or counted once too often."
        return f"That is more than ten times too {'large' if ratio > 1 else 'small'}: look at units and powers."

    return Exercise(name, key, matches, why, otherwise, _listed(mistakes), read=read, nearly=near, pointer=pointer)


def numbers(
    name: str,
    key: Callable[[], tuple[float, ...]],
    *,
    why: str,
    mistakes: Callable[[], Mapping[tuple[float, ...], str]],
    otherwise: str,
    relative: float = 0.0,
    groups: Sequence[str] = (),
    expected: str = "",
    nearly: Callable[[Any], str | None] = nothing,
) -> Exercise:
    """An exercise answered with a tuple or list of numbers, such as a shape; a mistake may be of another length.

    ``groups`` names equal parts of the key, so that an answer nobody foresaw is told which of them are right: a key
    of ten numbers and five names makes five pairs. ``expected`` says what is to be given, ``nearly`` is asked
    first what such an answer has right.
    """

    def read(answer: Any) -> tuple[float, ...]:
        wanted = key()
        found = forms.numbers(answer, whole=[isinstance(part, int) for part in wanted])
        if any(matches(found, wrong) for wrong in mistakes()):
            return found
        if len(found) > len(wanted) and found[: -len(wanted)] == (1,) * (len(found) - len(wanted)):
            return found[-len(wanted) :]
        if len(found) != len(wanted):
            raise Unreadable(expected or forms.miscounted(found, wanted))
        return tuple(_asked(part, one) for part, one in zip(found, wanted, strict=True))

    def matches(answer: Any, wanted: tuple[float, ...]) -> bool:
        return len(answer) == len(wanted) and all(_close(a, w, relative) for a, w in zip(answer, wanted, strict=True))

    def near(answer: Any) -> str | None:
        if said := nearly(answer):
            return said
        pairs = list(zip(answer, key(), strict=True))
        if all(_close(a, 100 * k, max(relative, 5e-3)) for a, k in pairs):
            return PERCENT
        if all(_close(a, k, relative) or _rounded(a, k) for a, k in pairs):
            return DIGITS
        if len(set(key())) > 1 and sorted(answer) == sorted(key()):
            return SWAPPED
        return None

    def pointer(answer: Any) -> str:
        pairs = list(zip(answer, key(), strict=True))
        if right := _right_groups(pairs, groups, relative):
            return f"Right so far: {', '.join(right)}."
        return f"{sum(_close(a, k, relative) for a, k in pairs) or 'None'} of the {len(pairs)} numbers are right."

    return Exercise(name, key, matches, why, otherwise, _listed(mistakes), read=read, nearly=near, pointer=pointer)


def choice(
    name: str,
    key: Callable[[], str] | str = "",
    *,
    why: str,
    hints: Mapping[str, str],
    value: Callable[[], float] | None = None,
    options: Mapping[str, float] | None = None,
    unanswered: str = NO_LETTER,
    mistakes: Callable[[], Sequence[Mistake]] | None = None,
) -> Exercise:
    """A multiple-choice question: ``hints`` gives every wrong letter its own hint.

    The right letter is ``key``, or the one of the ``options`` (letter → number) that lies nearest to ``value``.
    """
    letters = tuple(sorted({*hints, *(options or {}), *([key] if isinstance(key, str) and key else [])}))

    def solution() -> str:
        if value is not None and options:
            measured = value()
            return min(options, key=lambda letter: abs(options[letter] - measured))
        return key if isinstance(key, str) else key()

    def offered() -> tuple[str, ...]:
        return tuple(sorted({*letters, solution()}))

    def read(answer: Any) -> str:
        return forms.letter(answer, offered())

    listed = [Mistake(letter, hint) for letter, hint in hints.items()]
    return Exercise(
        name, solution, lambda answer, expected: answer == expected, why, "Read the options once more.",
        mistakes or (lambda: listed), unanswered=unanswered, wrong_mark=lambda answer: f"✘ Not {answer}.",
        read=read, options=letters,
    )  # fmt: skip


def code(
    name: str,
    reference: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    *,
    why: str,
    mistakes: Mapping[str, Callable[..., Any]] | Sequence[Mistake],
    otherwise: str,
    tolerance: float = 1e-5,
    complaint: Callable[[Any], str | None] = nothing,
    nearly: Callable[[Any], str | None] = nothing,
    matches: Callable[[Any, Any], bool] | None = None,
    on_stop: Callable[[Any, str], str] = lambda answer, sentence: sentence,
) -> Exercise:
    """An exercise answered with a function, judged by what it returns for several ``cases`` of arguments.

    ``mistakes`` maps a hint to a function that makes that mistake. Every call gets its own copy of the arguments, so
    that a function which changes them in place spoils nothing. ``complaint`` is asked about functions that return
    something for every case, ``nearly`` about results that nobody foresaw, ``on_stop`` about the sentence for a
    function that stops with an error; ``matches`` compares two functions where equal
    results are not enough.
    """
    expected_results: dict[int, list[Any]] = {}

    def results(function: Callable[..., Any]) -> list[Any]:
        """What a function of the package returns for each case, computed once."""
        if id(function) not in expected_results:
            expected_results[id(function)] = [function(*deepcopy(case)) for case in cases]
        return expected_results[id(function)]

    def unusable(answer: Student) -> str | None:
        for case, expected in zip(cases, results(reference), strict=True):
            try:
                result = answer(*deepcopy(case))
            except (Exception, TooSlow) as error:
                return on_stop(answer, stopped(error, case))
            if result is None and any(_gives(answer, other) for other in cases):
                return f"Called with {_brief(case)}, your function returns nothing: each way through it needs a return."
            if result is None:
                return without_return(answer)
            if is_unanswered(result):
                return UNANSWERED
            if isinstance(result, str) and not isinstance(expected, str):
                return f"Your function returns the text {result[:40]!r}; return the value itself, unformatted."
        return complaint(answer)

    def equal(answer: Any, expected: Callable[..., Any]) -> bool:
        if matches:
            return matches(answer, expected)
        return all(_same(answer(*deepcopy(c)), e, tolerance) for c, e in zip(cases, results(expected), strict=True))

    def near(answer: Student) -> str | None:
        if said := nearly(answer):
            return said
        pairs = [(answer(*deepcopy(case)), e) for case, e in zip(cases, results(reference), strict=True)]
        matters = [form_of(*pair, tolerance) for pair in pairs if not _same(*pair, tolerance)]
        return matters[0] if matters and all(matters) else None

    def pointer(answer: Student) -> str:
        said = "your function returns something else than it should."
        for case, expected in zip(cases, results(reference), strict=True):
            result = answer(*deepcopy(case))
            if not matches and not _same(result, expected, tolerance):
                return f"Called with {_brief(case)}, {_shapes(result, expected) or said}"
        return said.capitalize()

    def aside(answer: Student) -> str:
        if not cases:
            return ""
        result, expected = answer(*deepcopy(cases[0])), results(reference)[0]
        kind = type(result).__name__
        if isinstance(expected, torch.Tensor) and not isinstance(result, torch.Tensor):
            return f"It came as {kind}; give it as a tensor where PyTorch goes on with it."
        return OVERWRITES if answer.overwrites else ""

    pairs = mistakes.items() if isinstance(mistakes, Mapping) else [(known.hint, known.answer) for known in mistakes]
    listed = [Mistake(function, hint) for hint, function in pairs]

    def blank(*_: Any) -> Any:
        return ...

    return Exercise(
        name, lambda: reference, equal, why, otherwise, lambda: listed, unusable, stub=blank, read=as_function,
        nearly=near, pointer=pointer, aside=aside,
    )  # fmt: skip


def as_function(answer: Any, *, once: bool = True) -> Student:
    """A student's function, to be called with care.

    Raises:
        Unreadable: it is no function.
    """
    if isinstance(answer, torch.nn.Module):
        raise Unreadable("Your answer is a layer, built already; a function is expected: pass its name, uncalled.")
    if callable(answer):
        return answer if isinstance(answer, Student) else Student(answer, once=once)
    kind = type(answer).__name__
    raise Unreadable(f"Your answer is of type {kind}; a function is expected: pass its name, uncalled, so without ().")


def stopped(error: BaseException, case: tuple[Any, ...]) -> str:
    """What stopped the student's function, on what, and where to look; or that it is not filled in yet."""
    if isinstance(error, NotImplementedError):
        return UNANSWERED
    if "ellipsis" in str(error):
        return STILL_OPEN
    if isinstance(error, TooSlow):
        return TOO_SLOW
    if isinstance(error, RecursionError):
        return RECURSION
    where_to_look = next((advice for kind, advice in ADVICE.items() if isinstance(error, kind)), "")
    if isinstance(error, Exception) and missing_brackets(error):
        where_to_look = "Is a pair of brackets () missing after a name?"
    if "result type" in str(error):
        where_to_look = "Whole numbers hold no fractions: make a new tensor, such as x.float() / 255, not one in place."
    message = f"Your function stopped with {type(error).__name__}: {error} (called with {_brief(case)})."
    return f"{message} {where_to_look}".strip()


def form_of(result: Any, expected: Any, tolerance: float) -> str | None:
    """A sentence for a result whose content is right and whose form is not; None where the content differs."""
    several = isinstance(result, tuple | list) and len(result) > 1 and not isinstance(expected, tuple | list)
    if several and any(_same(part, expected, tolerance) for part in result):
        return "Your function returns several things, and one of them is right: return that one alone."
    try:
        found, wanted = _array(result), _array(expected)
    except (TypeError, ValueError, RuntimeError, Unreadable):
        return None
    if found.shape == wanted.shape:
        rounded = zip(found.ravel(), wanted.ravel(), strict=True)
        if not _whole(wanted) and all(_close(f, w, tolerance) or _rounded(f, w) for f, w in rounded):
            return "About right, but rounded: return every digit."
        if _whole(wanted) and not _whole(found) and np.allclose(found, wanted):
            return "The right values, but as floats; whole numbers are expected, such as .long() or int(...) makes."
        shares = not _whole(wanted) and wanted.any() and (abs(wanted) <= 1).all()
        return PERCENT if shares and np.allclose(found, 100 * wanted, rtol=tolerance, atol=tolerance) else None
    if found.size == wanted.size and np.allclose(found.ravel(), wanted.ravel(), rtol=tolerance, atol=tolerance):
        return f"The right numbers in another shape: yours is {found.shape}, {wanted.shape} is expected."
    return None


def _shapes(result: Any, expected: Any) -> str:
    if not isinstance(result, torch.Tensor) or not isinstance(expected, torch.Tensor) or result.shape == expected.shape:
        return ""
    return f"its result has the shape {tuple(result.shape)}; {tuple(expected.shape)} is expected."


def without_return(answer: Student) -> str:
    """The sentence for a function that gave None: it is empty yet, it prints, or its return is missing."""
    if answer.empty:
        return NOTHING_RETURNED
    return PRINTED if answer.printed else NO_RETURN


def _gives(answer: Student, case: tuple[Any, ...]) -> bool:
    """Whether the function returns anything for this case."""
    with suppress(Exception, TooSlow):
        return answer(*deepcopy(case)) is not None
    return False


def _same(result: Any, expected: Any, tolerance: float) -> bool:
    """Whether a result says what is expected: numbers in any container of the same shape; indices as whole numbers."""
    if isinstance(expected, torch.Tensor | tuple | list | int | float) and not isinstance(expected, bool):
        try:
            found, wanted = _array(result), _array(expected)
        except (TypeError, ValueError, RuntimeError, Unreadable):
            return _same_parts(result, expected, tolerance)
        if not isinstance(expected, torch.Tensor):
            found, wanted = found.squeeze(), wanted.squeeze()
        if found.shape != wanted.shape and not (wanted.ndim == 0 and found.size == 1):
            return False
        if isinstance(expected, torch.Tensor) and _whole(wanted) and not _whole(found):
            return False
        return bool(np.allclose(found, wanted, rtol=tolerance, atol=tolerance))
    return bool(forms.alone(result) == expected)


def _same_parts(result: Any, expected: Any, tolerance: float) -> bool:
    if not isinstance(expected, tuple | list) or not isinstance(result, tuple | list) or len(result) != len(expected):
        return False
    return all(_same(r, e, tolerance) for r, e in zip(result, expected, strict=True))


def _array(value: Any) -> np.ndarray[Any, Any]:
    """Numbers in any container as an array of whole numbers or doubles; ValueError for anything else."""
    found = np.array(forms.plain(value))
    if found.dtype.kind not in "iuf":
        raise ValueError("no numbers")
    return found


def _whole(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype.kind in "iu"


def _close(answer: float, expected: float, relative: float) -> bool:
    return math.isclose(float(answer), expected, rel_tol=relative or 1e-9, abs_tol=0 if expected else 1e-12)


def _asked(answer: float, key: float) -> float:
    """The answer, unless it is a share where none can be meant.

    Raises:
        Unreadable: it was given in percent, and the ``key`` is larger than 1.
    """
    if isinstance(answer, Percent) and abs(key) > 1:
        raise Unreadable(NO_SHARE)
    return answer


def _rounded(answer: float, key: float) -> bool:
    """Whether ``answer`` is ``key`` with fewer digits, two at least, or as float32 holds it."""
    if not key or answer == key:
        return False
    if answer == float(np.float32(key)):
        return True
    leading = -math.floor(math.log10(abs(key)))
    return any(_close(answer, round(key, leading + digits), 1e-9) for digits in range(1, 8))


def _right_groups(pairs: Sequence[tuple[float, float]], names: Sequence[str], relative: float) -> list[str]:
    """The names of the equal parts of an answer, in pairs with the key, in which every number is right."""
    size = len(pairs) // len(names) if names else 0
    parts = {name: pairs[index * size : (index + 1) * size] for index, name in enumerate(names)}
    return [name for name, part in parts.items() if all(_close(a, k, relative) for a, k in part)]


def _listed(mistakes: Callable[[], Mapping[Any, str]]) -> Callable[[], list[Mistake]]:
    return lambda: [Mistake(answer, hint) for answer, hint in mistakes().items()]


def _brief(case: tuple[Any, ...]) -> str:
    parts = [f"a tensor of shape {tuple(a.shape)}" if isinstance(a, torch.Tensor) else repr(a)[:60] for a in case]
    return ", ".join(parts) or "no arguments"
