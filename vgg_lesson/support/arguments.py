"""Arguments checked against a signature: the type that is written there, and limits that ``Annotated`` adds to it.

Every figure is checked so (`vgg_lesson.support.style.styled`), and the plain records. A sequence or mapping must hold
something unless its default is empty or `MAY_BE_EMPTY` says otherwise; a number of its own must be finite.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache, wraps
from math import inf, isfinite
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")
SHORT = 40  # characters of a wrong value that a message repeats


@dataclass(frozen=True)
class Limit:
    """What a value must fulfil besides its type, and how that is said."""

    holds: Callable[[Any], bool]
    expected: str


def between(low: float, high: float) -> Limit:
    """A number from ``low`` to ``high``, both included."""
    return Limit(lambda value: low <= value <= high, f"a number from {low:g} to {high:g}")


def one_of(accepted: Sequence[str]) -> Limit:
    """One of these strings."""
    return Limit(lambda value: value in accepted, f"one of {', '.join(accepted)}")


def check_kind(name: str, value: object, kind: type, expected: str) -> None:
    """Raise TypeError unless ``value`` is a ``kind``; ``expected`` says how to get one."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {_described(value)}; {expected} is expected")


def check_path(name: str, value: object) -> None:
    """Raise TypeError unless ``value`` is a path: a string or a ``pathlib.Path``."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name}={_short(value)} is {_described(value)}; a path, as a string or a Path, is expected")


def entries(low: int, high: int | None = None) -> Limit:
    """From ``low`` to ``high`` entries; without ``high``, at least ``low``."""
    count = f"at least {low}" if high is None else f"{low}" if low == high else f"{low} to {high}"
    return Limit(lambda value: low <= len(value) <= (high or len(value)), f"a collection of {count} entries")


MAY_BE_EMPTY = Limit(lambda value: True, "")
Count = Annotated[int, Limit(lambda value: value >= 1, "a whole number of at least 1")]
Index = Annotated[int, Limit(lambda value: value >= 0, "a whole number of at least 0")]
Positive = Annotated[float, Limit(lambda value: value > 0, "a number above 0")]
Share = Annotated[float, between(0, 1)]
Label = Annotated[int, Limit(lambda value: 0 <= value < 10, "a class, 0 to 9,")]


def check_call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError, which names it, for the first of ``arguments`` that does not fit its annotation.

    ``arguments`` holds those that were given, by name; a value that is its parameter's default is let through.
    """
    kinds, defaults = _signature(function)
    for name, value in arguments.items():
        if name in kinds and not (name in defaults and value is defaults[name]):
            empty = name in defaults and isinstance(defaults[name], Sequence | Mapping) and not defaults[name]
            _check(name, value, kinds[name], top=True, may_be_empty=empty)


def check_record(record: Any) -> None:
    """Raise TypeError or ValueError, which names it, for the first field of a dataclass that does not fit its type."""
    described: Callable[..., Any] = type(record)
    hints = _hints(described)
    for part in fields(record):
        may_be_empty = part.default is not MISSING or part.default_factory is not MISSING
        _check(part.name, getattr(record, part.name), hints[part.name], may_be_empty=may_be_empty)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Check the arguments of every call as `check_call` does, then make it."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        check_call(function, inspect.signature(function).bind(*args, **kwargs).arguments)
        return function(*args, **kwargs)

    return wrapper


def check_positive_int(name: str, value: object) -> None:
    """Raise unless ``value`` is an int of at least 1; ``name`` is the argument that the message names."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}={value!r} is {type(value).__name__}; a whole number of at least 1 is expected")
    if value < 1:
        raise ValueError(f"{name}={value} is too small; a whole number of at least 1 is expected")


def check_bool(name: str, value: object) -> None:
    """Raise TypeError unless ``value`` is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}={value!r} is {type(value).__name__}; True or False is expected")


def check_choice(name: str, value: object, accepted: Collection[str]) -> None:
    """Raise ValueError unless ``value`` is one of the strings in ``accepted``."""
    if not (isinstance(value, str) and value in accepted):
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(accepted)}")


def check_number(name: str, value: object, *, above: float = -inf) -> None:
    """Raise unless ``value`` is an int or float that is finite and greater than ``above``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} is {type(value).__name__}; a number is expected")
    if not (isfinite(value) and value > above):
        least = f" above {above:g}" if isfinite(above) else ""
        raise ValueError(f"{name}={value} is out of range; a finite number{least} is expected")


def check_seed(seed: object) -> None:
    """Raise unless ``seed`` is a whole number that torch takes as a seed."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed={seed!r} is {type(seed).__name__}; a whole number is expected")
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed={seed} is out of range; -2**63 to 2**64 - 1 is expected")


def check_same_length(**values: Any) -> None:
    """Raise ValueError unless all values have as many entries as the first."""
    (first, expected), *others = ((name, len(value)) for name, value in values.items())
    for name, count in others:
        if count != expected:
            raise ValueError(f"{name} has {count} entries and {first} has {expected}; equal numbers are expected")


@cache
def _signature(function: Callable[..., Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    hints = _hints(function)
    return (
        {p.name: hints.get(p.name, Any) for p in named},
        {p.name: p.default for p in named if p.default is not p.empty},
    )


@cache
def _hints(described: Any) -> Mapping[str, Any]:
    hints = get_type_hints(described, include_extras=True)
    return {name: kind for name, kind in hints.items() if name != "return"}


def _check(name: str, value: Any, kind: Any, *, top: bool = False, may_be_empty: bool = False) -> None:
    limits: tuple[Limit, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *found = get_args(kind)
        limits = tuple(limit for limit in found if isinstance(limit, Limit))
    expected = next((limit.expected for limit in limits if limit.expected), "") or _in_words(kind)
    if not _is(value, kind):
        raise TypeError(f"{name}={_short(value)} is {_described(value)}; {expected} is expected")
    if top and isinstance(value, Real) and not isfinite(value):
        raise ValueError(f"{name}={value} is out of range; a finite number is expected")
    for limit in limits:
        if not limit.holds(value):
            raise ValueError(f"{name}={_short(value)} is not possible; {limit.expected} is expected")
    _check_parts(name, value, kind, top, may_be_empty or MAY_BE_EMPTY in limits)


def _check_parts(name: str, value: Any, kind: Any, top: bool, may_be_empty: bool) -> None:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        fitting = [option for option in inner if _is(value, _bare(option))]
        _check(name, value, fitting[0], top=top, may_be_empty=may_be_empty)
    elif origin is tuple and inner[-1] is not ...:
        if len(value) != len(inner):
            raise ValueError(f"{name}={_short(value)} has {len(value)} entries; {_in_words(kind)} is expected")
        for place, (part, part_kind) in enumerate(zip(value, inner, strict=True)):
            _check(f"{name}[{place}]", part, part_kind)
    elif origin is not None and inner:
        if not len(value) and not may_be_empty:
            raise ValueError(f"{name}={_short(value)} is empty; at least one entry is expected")
        if isinstance(value, Mapping):
            for key, part in value.items():
                _check(f"{name}'s key", key, inner[0])
                _check(f"{name}[{key!r}]", part, inner[1])
        elif isinstance(value, Sequence):
            for place, part in enumerate(value):
                _check(f"{name}[{place}]", part, inner[0])


def _is(value: Any, kind: Any) -> bool:
    """Whether the outermost type fits; what a container holds is another matter."""
    kind = _bare(kind)
    origin = get_origin(kind) or kind
    if origin in (Union, UnionType):
        return any(_is(value, option) for option in get_args(kind))
    if origin is Any or not isinstance(origin, type):
        return True
    if origin is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if origin is tuple and get_origin(kind) is tuple:
        return isinstance(value, tuple | list)
    if issubclass(origin, Sequence) and origin is not str and get_origin(kind):
        is_row = getattr(value, "ndim", 0) == 1  # a tensor or an array
        return is_row or (isinstance(value, origin) and not isinstance(value, str | bytes))
    return isinstance(value, origin)


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else NoneType if kind is None else kind


def _in_words(kind: Any) -> str:
    kind = _bare(kind)
    simple = {float: "a number", int: "a whole number", str: "a string", bool: "True or False", NoneType: "None"}
    if kind in simple:
        return simple[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, inner))
    if origin is tuple:
        return f"a tuple of {'entries' if inner[-1] is ... else len(inner)}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a dict from {_in_words(inner[0])} to {_in_words(inner[1])}"
    if origin is not None and issubclass(origin, Sequence):
        return f"a list, each entry {_in_words(inner[0])},"
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def _described(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"a {value.dtype} {type(value).__name__} of shape {tuple(value.shape)}"
    return type(value).__name__


def _short(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"<{_described(value)}>"
    text = repr(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
