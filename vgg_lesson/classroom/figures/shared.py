"""What figures are given, by shape: names for the annotations of their arguments."""

from __future__ import annotations

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
