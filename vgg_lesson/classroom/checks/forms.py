"""One answer, many spellings: what a student typed, turned into the letter, the number or the numbers that are meant.

Every reader raises `Unreadable` with one sentence when it cannot tell what is meant; it judges nothing.
"""

from __future__ import annotations

import math
import numbers as abstract
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import torch

DEEPEST = 8  # lists in lists that are looked into; a list that holds itself has no end
NUMBER = re.compile(r"[+-]?(\d[\d_  ]*)?([.,]\d*)?(e[+-]?\d+)?", re.IGNORECASE)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
FRACTION = re.compile(r"\s*([+-]?\d+)\s*/\s*(\d+)\s*")
LETTER = re.compile(r"(?:option|answer|letter)?\W*([a-z])(?:\W*|\s*[).:\]]\s.*)", re.IGNORECASE | re.DOTALL)
UNITS = ("percent", "per cent", "times", "points", "pixels", "x", "×", "%")


class Unreadable(Exception):
    """The form of an answer hides what it says; the text is one sentence for the student."""


class Percent(float):
    """A share that was written in percent, so 0.55 for "55%"."""


def is_unanswered(answer: Any, depth: int = 0) -> bool:
    """True for ``...``, for None, for an empty text and for a tuple or list that still holds one of them."""
    if answer is ... or answer is None or (isinstance(answer, str) and answer.strip() in ("", "...", "…")):
        return True
    inside = answer.values() if isinstance(answer, dict) else answer
    return (
        isinstance(answer, tuple | list | dict) and depth < DEEPEST and any(is_unanswered(a, depth + 1) for a in inside)
    )


def plain(answer: Any, depth: int = 0) -> Any:
    """The answer with arrays, tensors, sets of one, ranges and dictionaries turned into tuples of Python's numbers.

    A fraction or a decimal number becomes an int where it is whole, a float elsewhere.

    Raises:
        Unreadable: a list holds itself or lists in lists too deep, or a tensor has no values (device "meta").
    """
    if depth > DEEPEST:
        raise Unreadable("Your answer is a list within lists without an end; give the numbers in one list.")
    if isinstance(answer, torch.Tensor):
        if answer.is_meta:
            raise Unreadable("Your answer is a tensor on the meta device, which holds no values; a number is expected.")
        return plain(answer.detach().cpu().resolve_conj().tolist(), depth)
    if isinstance(answer, np.ndarray | np.generic):
        return plain(answer.tolist(), depth) if answer.dtype.kind in "biufUSc" else answer
    if isinstance(answer, dict):
        return tuple(plain(part, depth + 1) for part in answer.values())
    if isinstance(answer, tuple | list | range | map | zip) or (isinstance(answer, set) and len(answer) == 1):
        return tuple(plain(part, depth + 1) for part in answer)
    if isinstance(answer, Fraction | Decimal) and math.isfinite(answer):
        return int(answer) if answer == int(answer) else float(answer)
    return answer


def flat(answer: Any) -> tuple[Any, ...]:
    """All parts of a `plain` answer in one row."""
    return tuple(part for inner in answer for part in flat(inner)) if isinstance(answer, tuple) else (answer,)


def alone(answer: Any) -> Any:
    """What brackets around a single part hold: 3 for ``[3]`` and ``tensor([[3]])``; anything else as it is."""
    answer = plain(answer)
    while isinstance(answer, tuple) and len(answer) == 1:
        answer = answer[0]
    return answer


def letter(answer: Any, letters: Sequence[str]) -> str:
    """The small letter that ``answer`` names, one of ``letters``: "b", " B ", "b)", "(b)", "C.", ["b"].

    Raises:
        Unreadable: it names none of them.
    """
    expected = f"one of the letters {', '.join(letters)} in quotes is expected"
    said = alone(answer)
    if not isinstance(said, str):
        kind = type(answer).__name__
        shown = f"{said!r}" if isinstance(said, int | float) else f"of type {kind}"
        raise Unreadable(f'Your answer is {shown}; {expected}, such as "{letters[0]}".')
    found = LETTER.fullmatch(said.strip())
    if not found or found[1].lower() not in letters:
        raise Unreadable(f"Your answer is {said[:40]!r}; {expected}.")
    return found[1].lower()


def number(answer: Any, *, whole: bool = False) -> float:
    """The one number that ``answer`` is: int, float, Fraction, NumPy or torch scalar, or a text such as "55%".

    ``whole`` says that a whole number is meant, which reads "1,000" as a thousand; otherwise it is 1.0.

    Raises:
        Unreadable: it is no number, more than one, or not finite.
    """
    said = alone(answer)
    if isinstance(said, str):
        return _from_text(said, whole)
    if isinstance(said, tuple):
        raise Unreadable(_too_many(flat(said), whole))
    if callable(said):
        name = getattr(said, "__name__", "it")
        raise Unreadable(f"Your answer is the function {name} itself; a number is expected: call it, with ().")
    real = isinstance(said, abstract.Real | Decimal) or hasattr(said, "__float__")
    if isinstance(said, bool) or not real:
        raise Unreadable(f"Your answer is of type {type(answer).__name__}; a number is expected.")
    try:
        value = float(said)
    except Exception as error:
        raise Unreadable(
            f"Your answer is of type {type(answer).__name__}; a single, finite number is expected."
        ) from error
    if not math.isfinite(value):
        raise Unreadable(f"Your answer is {value}; a finite number is expected.")
    return int(said) if isinstance(said, int) else value


def numbers(answer: Any, *, whole: Sequence[bool] = ()) -> tuple[float, ...]:
    """The numbers that ``answer`` holds, in order, inner brackets left out; a text such as "64, 112, 112" is split.

    ``whole`` says of each whether a whole number is meant.

    Raises:
        Unreadable: one of them is no number.
    """
    said = plain(answer)
    if isinstance(said, str):
        said = _split(said, len(whole))
    if not isinstance(said, tuple):
        kind = type(answer).__name__
        raise Unreadable(f"Your answer is of type {kind}; a tuple of {len(whole) or 'several'} numbers is expected.")
    parts = flat(said)
    if len(parts) == len(whole):
        return tuple(number(part, whole=w) for part, w in zip(parts, whole, strict=True))
    return tuple(number(part, whole=True) for part in parts)


def _split(text: str, count: int) -> tuple[str, ...]:
    """The parts of a text: at the first kind of sign that makes ``count`` of them, at every sign where none does.

    So "22,5; 24,5" and "22,5 24,5" are two numbers with a comma for the point, "640, 1,000" has a thousand.
    """
    inner = re.sub(r"[()\[\]]", " ", text).strip()
    for sign in (r";", r",\s+", r"\s+", r",", r"[×x]"):
        parts = tuple(part for part in re.split(rf"\s*{sign}\s*", inner) if part)
        if len(parts) == count:
            return parts
    return tuple(part for part in re.split(r"\s*[,;×x]\s*|\s+", inner) if part)


def miscounted(found: Sequence[float], wanted: Sequence[float]) -> str:
    """A sentence for a row with too many numbers or too few; 22,5 without a decimal point comes as two."""
    said = f"Your answer holds {len(found)} number{'s' * (len(found) != 1)}; {len(wanted)} are expected."
    if len(found) < len(wanted):
        return said
    if len(found) == 2 * len(wanted) and not all(isinstance(part, int) for part in wanted):
        one, two = (f"{part:g}" for part in found[:2])
        return f"{said} If you mean decimal numbers, type points: {one}.{two}, not {one},{two}."
    return f"{said} Python reads 1,000 as two numbers: leave the comma out, or write 1_000."


def share(answer: Any) -> float:
    """A share between 0 and 1: 0.55, "0.55", "55%" and 55 alike; above 1 a number is percent.

    Raises:
        Unreadable: it is no number or lies outside 0 to 100 percent.
    """
    value = number(answer)
    value = float(value) if isinstance(value, Percent) or 0 <= value <= 1 else value / 100
    if not 0 <= value <= 1:
        raise Unreadable(f"Your answer is {value * 100:g}%; a share between 0 and 100 percent is expected.")
    return value


def points(answer: Any) -> float:
    """Percentage points: 0.8, "0.8" and "0.8%" alike.

    Raises:
        Unreadable: it is no number.
    """
    value = number(answer)
    return round(100 * value, 12) if isinstance(value, Percent) else value


def class_numbers(answer: Any, count: int, classes: Sequence[str]) -> tuple[int, ...]:
    """``count`` class numbers, given as numbers, texts or names of ``classes``.

    Raises:
        Unreadable: there are fewer or more, or one names no class.
    """
    said = plain(answer)
    said = tuple(re.split(r"\s*[,;]\s*|\s+", said.strip().strip("()[]"))) if isinstance(said, str) else said
    by_name: Mapping[str, int] = {name.lower(): index for index, name in enumerate(classes)}
    parts = flat(said)
    if len(parts) != count:
        raise Unreadable(f"Your answer holds {len(parts)} numbers; {count} are expected.")
    found = [by_name.get(str(part).strip().lower(), part) for part in parts]
    values = [number(part, whole=True) for part in found]
    if any(value not in range(len(classes)) for value in values):
        raise Unreadable(f"Your answer names a class that there is not; the numbers go from 0 to {len(classes) - 1}.")
    return tuple(int(value) for value in values)


def _from_text(text: str, whole: bool) -> float:
    bare = text.strip().rstrip(".").strip() if not re.fullmatch(r"\s*\d+\.\s*", text) else text.strip()
    unit = next((u for u in UNITS if bare.lower().endswith(u)), "")
    bare = bare[: len(bare) - len(unit)].strip() if unit else bare
    if found := FRACTION.fullmatch(bare):
        if not int(found[2]):
            raise Unreadable(f"Your answer is {text!r}; a finite number is expected.")
        value = int(found[1]) / int(found[2])
    elif THOUSANDS.fullmatch(bare) and (whole or bare.count(",") > 1 or "." in bare):
        value = float(bare.replace(",", ""))
    elif NUMBER.fullmatch(bare) and any(sign.isdigit() for sign in bare):
        value = float(re.sub(r"[_  ]", "", bare).replace(",", "."))
    else:
        raise Unreadable(f"Your answer is the text {text[:40]!r}; a number is expected.")
    if not math.isfinite(value):
        raise Unreadable(f"Your answer is {value}; a finite number is expected.")
    return Percent(value / 100) if unit in ("%", "percent", "per cent") else value


def _too_many(parts: Sequence[Any], whole: bool) -> str:
    """A sentence for several numbers where one is expected; 2,303 without a decimal point comes as (2, 303)."""
    if not whole and len(parts) == 2 and all(isinstance(part, int) and part >= 0 for part in parts):
        typed = f"{parts[0]},{parts[1]}"
        return (
            f"Your answer is two numbers; a single number is expected. If you mean the decimal number {typed}, type "
            f"a point: {parts[0]}.{parts[1]}; if it is thousands, leave the comma out or write 1_000."
        )
    grouped = len(parts) > 1 and all(part == 0 or len(str(part)) == 3 for part in parts[1:])
    advice = " Python reads 1,000 as two numbers: leave the comma out, or write 1_000." * grouped
    return f"Your answer holds {len(parts)} numbers; a single number is expected.{advice}"
