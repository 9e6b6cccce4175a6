"""What figures are given, as annotations that `vgg_lesson.support.arguments` checks: pictures, and values by class."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from vgg_lesson.analysis.predictions import Predictions
from vgg_lesson.data.datasets import CLASSES
from vgg_lesson.support.arguments import Limit, entries
from vgg_lesson.support.style import COLORS


def shaped(*sides: int | str, dtype: torch.dtype | None = None, finite: bool = False) -> Limit:
    """A tensor's axes: a number is a side, a letter any side of at least 1, the same wherever it stands twice.

    Values are of ``dtype``; by default of any but bool and complex. ``finite`` ones hold no NaN.
    """

    def holds(value: Tensor) -> bool:
        if value.ndim != len(sides) or 0 in value.shape or not _right_dtype(value):
            return False
        found: dict[int | str, int] = {}
        pairs = list(zip(sides, value.shape, strict=True))
        fits = all(found.setdefault(side, length) == length for side, length in pairs)
        fits = fits and all(isinstance(side, str) or side == length for side, length in pairs)
        return fits and not (finite and value.is_floating_point() and not bool(value.isfinite().all()))

    def _right_dtype(value: Tensor) -> bool:
        if dtype is not None:
            return value.dtype == dtype
        return value.dtype != torch.bool and not value.is_complex()

    kind = f"{dtype} values".removeprefix("torch.") if dtype else "finite numbers" if finite else "numbers"
    return Limit(holds, f"a tensor of {kind} and shape ({', '.join(map(str, sides))}{',' * (len(sides) == 1)})")


APART = entries(1, len(COLORS))  # as many lines as there are colours, markers and dashes


def _shares(value: Tensor) -> bool:
    return value.is_floating_point() and bool(((value >= 0) & (value <= 1)).all())


SHARES = Limit(_shares, "a tensor of probabilities, each 0 to 1,")
Picture = Annotated[Tensor, shaped("H", "W", finite=True)]
Pictures = Annotated[Tensor, shaped("N", "H", "W", finite=True)]
Square = Annotated[Tensor, shaped("S", "S", finite=True)]
Garment = Annotated[Tensor, shaped(28, 28, dtype=torch.uint8)]
Garments = Annotated[Tensor, shaped("N", 28, 28, dtype=torch.uint8)]
Filters = Annotated[Tensor, shaped("N", 3, 3, finite=True)]
Labels = Annotated[
    Tensor,
    shaped("N", dtype=torch.int64),
    Limit(lambda value: bool(((value >= 0) & (value < len(CLASSES))).all()), "labels from 0 to 9"),
]
Table = Annotated[Tensor, shaped("N", "K", finite=True)]
Walk = Annotated[
    Tensor, shaped("N", 2, finite=True), Limit(lambda value: value.is_floating_point(), "a tensor of floats")
]
Values = Annotated[
    Tensor,
    Limit(lambda value: value.numel() > 1 and not value.is_complex(), "a tensor of at least two numbers"),
    Limit(lambda value: bool(value.isfinite().all()), "a tensor of finite numbers"),
]
Shares = Annotated[Tensor, shaped(10, finite=True), SHARES]
Accuracies = Shares
Counts = Annotated[Tensor, shaped(10), Limit(lambda value: bool((value >= 1).all()), "ten counts of at least 1")]
TenShares = Annotated[Tensor, shaped("N", 10, finite=True), SHARES]
Confusions = Annotated[
    Tensor,
    shaped(10, 10, dtype=torch.int64),
    Limit(lambda value: bool((value >= 0).all()) and bool(value.any()), "counts of which one is above 0"),
]
TenClasses = Annotated[
    Predictions,
    Limit(lambda value: value.probabilities.shape[1] == len(CLASSES), "Predictions of ten classes"),
]
