"""What figures are given, by shape: names for the annotations of their arguments; and the names along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from torch import Tensor

Picture: TypeAlias = Tensor  # one channel of an image: (H, W)
Pictures: TypeAlias = Tensor  # (N, H, W)
Square: TypeAlias = Tensor  # (S, S)
Garment: TypeAlias = Tensor  # uint8 (28, 28)
Garments: TypeAlias = Tensor  # uint8 (N, 28, 28)
Filters: TypeAlias = Tensor  # (N, 3, 3)
Labels: TypeAlias = Tensor  # int64 (N,)
Table: TypeAlias = Tensor  # (N, K)
Values: TypeAlias = Tensor  # any shape
Shares: TypeAlias = Tensor  # float (classes,), each 0 to 1
Counts: TypeAlias = Tensor  # (classes,)
ShareRows: TypeAlias = Tensor  # float (N, classes), each 0 to 1
Confusions: TypeAlias = Tensor  # int64 (classes, classes): true class down, predicted across

MOST_NAMED = 20  # names along an axis that can be read


def class_names(classes: Sequence[str], count: int) -> list[str]:
    """Short names of ``count`` classes: ``classes``, or their numbers where it does not name so many."""
    return [name.removesuffix("/top") for name in classes] if len(classes) == count else [*map(str, range(count))]


def named_places(names: Sequence[str]) -> tuple[range, list[str]]:
    """Which places along an axis get a name, all or every so many of them, and the names."""
    places = range(0, len(names), math.ceil(len(names) / MOST_NAMED))
    return places, [names[place] for place in places]
