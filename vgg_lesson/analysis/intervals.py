"""How far a mean of a few runs can be trusted, and when two of them have been told apart: Student's t intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

# Student's t: the factor that keeps 95% with 2 values, 3 values, …; their t has one degree of freedom less.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


@dataclass(frozen=True)
class Interval:
    """A mean, and how far to either side its 95% interval reaches, in the unit of the values behind it."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half

    @property
    def holds_zero(self) -> bool:
        """Whether zero lies inside: of a difference, whether the two have not been told apart."""
        return self.low <= 0 <= self.high


def t_factor(count: int) -> float:
    """Student's t for the 95% interval of the mean of ``count`` values, 2 to 10 of them."""
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= len(T95) + 1:
        raise ValueError(f"count={count!r} values; 2 to {len(T95) + 1} are expected")
    return T95[count - 2]


def interval(values: Sequence[float]) -> Interval:
    """The 95% t interval of the mean of 2 to 10 independent ``values``: mean ± t·s/√n.

    Raises:
        ValueError: too few or too many values, or one that is not finite.
    """
    t = t_factor(len(values))
    if not all(map(math.isfinite, values)):
        raise ValueError(f"values={list(values)} holds one that is not finite")
    return Interval(mean(values), t * stdev(values) / math.sqrt(len(values)))


def difference(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """How much the mean of ``values`` lies above that of ``reference``, the half-widths added as squares.

    With as many values on both sides this is a t interval with the degrees of freedom of one side, which is wide:
    of five values each it holds the truth in 98 of 100, of three each in 99.
    """
    one, other = interval(values), interval(reference)
    return Interval(one.mean - other.mean, math.hypot(one.half, other.half))
