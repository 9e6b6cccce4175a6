"""Wrong arguments made from right ones: what a number, a name, a tensor or a list turns into when a caller slips.

A `Row` holds a valid call. From every argument's valid value, `slips` makes families of wrong ones ("type", "empty",
"nan", "size" and so on); a row names the families that are legal for an argument, and why by their names alone.
"""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image
from torch import Tensor, nn

from vgg_lesson.data.datasets import ImageSet

PACKAGE = Path(__file__).resolve().parent.parent / "vgg_lesson"
ANY = ("*",)  # the argument may be anything, such as a guess, or "..." for none

Slips = dict[str, SearchStrategy[Any]]
TEXTS = st.sampled_from(["", "x", "VGG-12", "3", "nan", "trian", "né"]) | st.text(max_size=6)
NOT_NUMBERS = st.sampled_from(["3", "", "many", [1], (2,), {}, b"1", 1j, object(), len])
NOT_FINITE = st.sampled_from([float("nan"), float("inf"), float("-inf")])


@dataclass(frozen=True)
class Row:
    """A valid call: ``call(**arguments())``. ``legal`` maps an argument to families of slips that are none there.

    ``also`` maps an argument to further wrong values of its own.
    """

    call: Callable[..., Any]
    arguments: Callable[[], dict[str, Any]]
    legal: Mapping[str, Sequence[str]] = field(default_factory=dict)
    also: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def slips(self) -> dict[tuple[str, str], SearchStrategy[Any]]:
        """(argument, family) → wrong values, for every argument and every family that is not legal."""
        found = {}
        for name, value in self.arguments().items():
            legal = self.legal.get(name, ())
            families = {} if legal == ANY else slips(value)
            unknown = set(legal) - {*families, *ANY}
            assert not unknown, f"{name}: {sorted(unknown)} are no slips of {value!r}; there are {sorted(families)}"
            if self.also.get(name):
                families["own"] = st.sampled_from(list(self.also[name]))
            found.update({(name, kind): wrong for kind, wrong in families.items() if kind not in legal})
        return found


def slips(value: Any) -> Slips:
    """Families of values that are wrong where ``value`` is right."""
    none: Slips = {} if value is None else {"none": st.none()}
    makers: tuple[tuple[Any, Callable[[Any], Slips]], ...] = (
        (bool, _of_flag), (int, _of_count), (float, _of_number), (str, _of_word), (Path, _of_path),
        (Tensor, _of_tensor), (ImageSet, _of_images), (Image.Image, _of_object), (nn.Module, _of_object),
        (range, _of_object), (Mapping, _of_mapping), (tuple, _of_sequence), (list, _of_sequence),
    )  # fmt: skip
    if is_dataclass(value) and not isinstance(value, ImageSet):
        return none | _of_object(value)
    maker = next((make for kind, make in makers if isinstance(value, kind)), _of_object)
    return none | maker(value)


def _of_flag(value: bool) -> Slips:
    return {"type": st.sampled_from(["yes", "", [], 2, 0.5, object()]) | st.integers(2, 9)}


def _of_count(value: int) -> Slips:
    return {
        "type": NOT_NUMBERS, "fraction": st.sampled_from([0.5, 1.5, 2.25]), "bool": st.booleans(), "nan": NOT_FINITE,
        "zero": st.just(0), "negative": st.integers(-(10**12), -1),
    }  # fmt: skip


def _of_number(value: float) -> Slips:
    return {
        "type": NOT_NUMBERS, "bool": st.booleans(), "nan": NOT_FINITE, "zero": st.just(0.0),
        "negative": st.floats(-1e9, -1e-9), "large": st.floats(1e30, 1e300),
    }  # fmt: skip


def _of_word(value: str) -> Slips:
    return {
        "type": st.integers() | st.floats() | st.sampled_from([b"x", ["x"], ("x",), {}, object()]),
        "unknown": TEXTS.filter(lambda text: text != value),
    }  # fmt: skip


def _of_path(value: Path) -> Slips:
    return {"type": st.integers(0, 9) | st.sampled_from([1.5, b"x", ["x"], {}, object()])}


def _of_object(value: Any) -> Slips:
    return {"type": st.integers() | TEXTS | st.sampled_from([[], {}, (1, 2), 0.5, object(), torch.zeros(3)])}


def _of_images(value: ImageSet) -> Slips:
    return {
        **_of_object(value), "unlabelled": st.just(value.images),
        "empty": st.just(ImageSet(value.images[:0], value.labels[:0])),
        "fewer": st.just(value.subset(len(value) - 1)),
    }  # fmt: skip


def _of_tensor(value: Tensor) -> Slips:
    found: Slips = {
        "type": st.integers() | TEXTS | st.sampled_from([[], {}, object()]) | st.just(value.tolist()),
        "axes": st.sampled_from([value.unsqueeze(0), value.unsqueeze(-1), value.flatten()[0]]),
        "complex": st.just(value.to(torch.complex64)), "empty": st.just(value[:0]),
        "longer": st.just(torch.cat([value, value])), "size": st.just(value[..., :-1]),
        "dtype": st.just(value.to(torch.int32) if value.is_floating_point() else value.float()),
    }  # fmt: skip
    if value.is_floating_point():
        found["nan"] = st.sampled_from([torch.full_like(value, number) for number in (float("nan"), float("inf"))])
    return found


def _of_mapping(value: Mapping[Any, Any]) -> Slips:
    first = next(iter(value))
    return {
        "type": st.integers() | TEXTS | st.sampled_from([object(), 0.5]) | st.just(list(value)),
        "empty": st.just({}), "keys": st.just({object(): part for part in value.values()}),
        "values": st.sampled_from([{**value, first: wrong} for wrong in (object(), {1j})]),
    }  # fmt: skip


def _of_sequence(value: Sequence[Any]) -> Slips:
    kind: Any = type(value)
    return {
        "type": st.integers() | st.sampled_from(["x", "", object(), 0.5, {"a": 1}]), "empty": st.just(kind()),
        "parts": st.sampled_from([kind([*value[:-1], wrong]) for wrong in (object(), None)]),
        "longer": st.just(kind([*value, value[-1]])), "shorter": st.just(kind(value[:-1])),
    }  # fmt: skip


class Stubborn:
    """Compares, counts and converts to nothing."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare me")

    def __float__(self) -> float:
        raise RuntimeError("I am no number")

    def __len__(self) -> int:
        raise RuntimeError("I have no length")

    __hash__ = object.__hash__


def fails(*_: Any, **__: Any) -> Any:
    """A student's function with a bug."""
    raise LookupError("nothing there")


def recursive(*arguments: Any) -> Any:
    """A student's function without an end."""
    return recursive(*arguments)


# What a student may hand to a check and no exercise asks for; "functions" are answers to exercises that ask for one.
WRONG_ANSWERS: Slips = {
    "numbers": st.sampled_from([float("nan"), float("inf"), 1j, True, 10**400, np.float32("nan"), Decimal("NaN")]),
    "texts": st.sampled_from([b"a", "?", "", "a b", "ä", "\n"]) | st.text(min_size=2, max_size=5),
    "rows": st.sampled_from([[], (), {}, set(), [[]], [object()], (float("nan"),) * 3, ("a",) * 9, {"a": 1}]),
    "tensors": st.sampled_from(
        [torch.zeros(0), torch.full((2, 3), float("nan")), torch.tensor(True), torch.zeros(1, device="meta"), nn.ReLU()]
    ),
    "objects": st.sampled_from([object(), Stubborn(), (Stubborn(),), int, math, ...]),
    "functions": st.sampled_from(
        [fails, recursive, len, print, lambda: 1, lambda *_: object(), lambda *_: float("nan"), lambda *_: Stubborn(),
         lambda *_: np.arange(3), lambda *_: [object()], lambda *_: (yield), lambda *_: "x", lambda *_: torch.zeros(0),
         lambda *_: ..., lambda *_: {}, lambda *_: torch.full((3,), float("nan"))]
    ),
}  # fmt: skip


def complaint(row: Row, name: str, wrong: Any) -> str:
    """Why the answer to a wrong value of argument ``name`` is not good enough; "" if it is."""
    told = f"{name}={repr(wrong)[:60]}"
    try:
        row.call(**{**row.arguments(), name: wrong})
    except (ValueError, TypeError) as error:
        if not re.search(rf"\b{name}\b", str(error)):
            return f"{told}: the message does not name it: {error}"
        last = traceback.extract_tb(error.__traceback__)[-1]
        return "" if PACKAGE in Path(last.filename).parents else f"{told}: raised in {last.filename}:{last.lineno}"
    except Exception as error:
        return f"{told}: {type(error).__name__}: {error}"
    return f"{told}: accepted"
