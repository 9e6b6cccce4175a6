"""Arguments checked against what is written down: the type of a parameter or field, and the limits ``Annotated`` adds.

This is the one place where anything is checked: `checked` decorates a function, `check_record` stands in a record's
``__post_init__``, `accept` judges a single value. NumPy's and torch's scalars count as numbers and arrive as Python's.
"""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache, wraps
from math import inf, isfinite
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")
SHORT = 40  # characters of a wrong value that a message repeats
NUMBERS = (int, float, bool)


@dataclass(frozen=True)
class Limit:
    """What a value must fulfil besides its type, and how that is said."""

    holds: Callable[[Any], bool]
    expected: str


def says(expected: str) -> Limit:
    """No limit, but better words for the type: "a VGG such as build_vgg()"."""
    return Limit(lambda value: True, expected)


def between(low: float = -inf, high: float = inf, *, above: float = -inf, below: float = inf) -> Limit:
    """A number from ``low`` to ``high``, both included; ``above`` and ``below`` are not."""
    if isfinite(low) and isfinite(high):
        words = f"a number from {low:g} to {high:g}"
    else:
        limits = {"at least": low, "above": above, "at most": high, "below": below}
        told = [f"{word} {limit:g}" for word, limit in limits.items() if isfinite(limit)]
        words = f"a number {' and '.join(told)}"
    return Limit(lambda value: isfinite(value) and low <= value <= high and above < value < below, words)


def at_least(low: int) -> Limit:
    """A whole number of at least ``low``."""
    return Limit(lambda value: value >= low, f"a whole number of at least {low}")


def one_of(accepted: Sequence[str]) -> Limit:
    """One of these strings."""
    return Limit(lambda value: value in accepted, f"one of {', '.join(accepted)}")


MAY_BE_EMPTY = Limit(lambda value: True, "")
Count = Annotated[int, at_least(1)]
Index = Annotated[int, at_least(0)]
Positive = Annotated[float, between(above=0)]
Share = Annotated[float, between(0, 1)]
Seed = Annotated[int, Limit(lambda value: -(2**63) <= value < 2**64, "a whole number from -2**63 to 2**64 - 1")]
PathLike = Annotated[str | os.PathLike[str], says("a path, as a string or a Path,")]


def accept(name: str, value: Any, kind: Any, *, finite: bool = True, may_be_empty: bool = False) -> Any:
    """``value`` if it fits ``kind``, a type that may carry limits; a NumPy or torch scalar as a Python number.

    A sequence or mapping must hold something unless ``may_be_empty`` or `MAY_BE_EMPTY` says otherwise; a number must
    be ``finite``.

    Raises:
        TypeError, ValueError: the message names ``name``, the value, and what would be accepted.
    """
    limits: tuple[Limit, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *found = get_args(kind)
        limits = tuple(limit for limit in found if isinstance(limit, Limit))
    expected = next((limit.expected for limit in limits if limit.expected), "") or _in_words(kind)
    value = _plain(value, kind)
    if not _is(value, kind):
        raise TypeError(f"{name}={_short(value)} is {described(value)}; {expected} is expected")
    if finite and isinstance(value, Real) and not isfinite(value):
        raise ValueError(f"{name}={value} is out of range; {expected} is expected, and a finite one")
    for limit in limits:
        if not limit.holds(value):
            raise ValueError(f"{name}={_short(value)} is not possible; {limit.expected} is expected")
    return _accept_parts(name, value, kind, finite, may_be_empty or MAY_BE_EMPTY in limits)


def check_record(record: Any, *, finite: bool = True) -> None:
    """Let every field of a dataclass pass through `accept`, for its ``__post_init__``; frozen ones, too."""
    record_type: Callable[..., Any] = type(record)
    hints = _hints(record_type)
    for part in fields(record):
        may_be_empty = part.default is not MISSING or part.default_factory is not MISSING
        given = getattr(record, part.name)
        if given is not part.default:
            value = accept(part.name, given, hints[part.name], finite=finite, may_be_empty=may_be_empty)
            object.__setattr__(record, part.name, value)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let the arguments of every call pass through `accept`; a default is let through as it is.

    Raises:
        TypeError: an argument that the signature does not have; the nearest name is offered.
    """
    signature = inspect.signature(function)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        unknown = next((name for name in kwargs if name not in signature.parameters), "")
        if unknown and not takes_any:
            near = difflib.get_close_matches(unknown, signature.parameters, n=1)
            advice = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{function.__name__} has no argument {unknown!r}{advice}")
        bound, hints = signature.bind(*args, **kwargs), _hints(function)
        for name, value in bound.arguments.items():
            default = signature.parameters[name].default
            if name in hints and value is not default:
                empty = isinstance(default, Sequence | Mapping) and not default
                bound.arguments[name] = accept(name, value, hints[name], may_be_empty=empty)
        return function(*bound.args, **bound.kwargs)

    return wrapper


def spells_out(record: type) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Write the fields of ``record`` into the signature of a function that takes them as ``**arguments``.

    So they are declared once, and help, Tab and `checked` know them all the same.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        first = [p for p in own if p.kind is not p.KEYWORD_ONLY]
        added = inspect.signature(record).parameters.values()
        spelled = [p.replace(kind=p.KEYWORD_ONLY) for p in added if p.name not in signature.parameters]
        function.__signature__ = signature.replace(parameters=[*first, *spelled, *own[len(first) :]])  # type: ignore[attr-defined]
        return function

    return decorate


def check_takes(name: str, function: Callable[..., Any], arguments: Sequence[str]) -> None:
    """Raise TypeError unless ``function``, the argument called ``name``, can be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # one written in C need not have any
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise TypeError(f"{name} is called with {' and '.join(arguments) or 'nothing'}: {error}") from None


def described(value: Any) -> str:
    """What ``value`` is, in words: its type and, where it has them, its dtype and shape."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"a {value.dtype} {type(value).__name__} of shape {tuple(value.shape)}"
    return type(value).__name__


@cache
def _hints(described: Any) -> Mapping[str, Any]:
    hints = get_type_hints(described, include_extras=True)
    return {name: kind for name, kind in hints.items() if name != "return"}


def _plain(value: Any, kind: Any) -> Any:
    """A NumPy or torch scalar as a Python number where a number may stand."""
    if getattr(value, "ndim", None) != 0 or not any(part in NUMBERS for part in (kind, *map(_bare, get_args(kind)))):
        return value
    try:
        return value.item()
    except (RuntimeError, TypeError, ValueError):
        return value


def _accept_parts(name: str, value: Any, kind: Any, finite: bool, may_be_empty: bool) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        fitting = next(option for option in inner if _is(value, _bare(option)))
        return accept(name, value, fitting, finite=finite, may_be_empty=may_be_empty)
    if origin is tuple and inner[-1] is not ...:
        if len(value) != len(inner):
            raise ValueError(f"{name}={_short(value)} has {len(value)} entries; {_in_words(kind)} is expected")
        parts = zip(value, inner, strict=True)
        return tuple(accept(f"{name}[{n}]", part, part_kind, finite=False) for n, (part, part_kind) in enumerate(parts))
    if inner and isinstance(origin, type) and issubclass(origin, Sequence | Mapping):
        if not len(value) and not may_be_empty:
            raise ValueError(f"{name}={_short(value)} is empty; at least one entry is expected")
        if isinstance(value, Mapping):
            for key, part in value.items():
                accept(f"{name}'s key", key, inner[0], finite=False)
                accept(f"{name}[{key!r}]", part, inner[1], finite=False)
        elif isinstance(value, Sequence):
            parts_ = [accept(f"{name}[{place}]", part, inner[0], finite=False) for place, part in enumerate(value)]
            return tuple(parts_) if origin is tuple else value
    return value


def _is(value: Any, kind: Any) -> bool:
    """Whether the outermost type fits; what a container holds is another matter."""
    kind = _bare(kind)
    origin = get_origin(kind) or kind
    if origin in (Union, UnionType):
        return any(_is(value, option) for option in get_args(kind))
    if _is_callable(origin):
        return callable(value)
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


def _is_callable(origin: Any) -> bool:
    return origin is Callable or origin is get_origin(Callable[..., Any])


def _bare(kind: Any) -> Any:
    if isinstance(kind, TypeVar):
        return kind.__bound__ or Any
    return get_args(kind)[0] if get_origin(kind) is Annotated else NoneType if kind is None else kind


def _in_words(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        told = next((limit.expected for limit in get_args(kind)[1:] if isinstance(limit, Limit) and limit.expected), "")
        return told or _in_words(_bare(kind))
    kind = _bare(kind)
    simple = {float: "a number", int: "a whole number", str: "a string", bool: "True or False", NoneType: "None"}
    if kind in simple:
        return simple[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, inner))
    if _is_callable(origin or kind):
        return "a function"
    if origin is tuple:
        return f"a tuple of {'entries' if inner[-1] is ... else len(inner)}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a dict from {_in_words(inner[0])} to {_in_words(inner[1])}"
    if origin is not None and issubclass(origin, Sequence):
        return f"a list, each entry {_in_words(inner[0])},"
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def _short(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"<{described(value)}>"
    text = " ".join(repr(value).split())
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
