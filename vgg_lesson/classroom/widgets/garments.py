"""The pictures that the views show: the first test picture of every class."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vgg_lesson.data.datasets import CLASSES, load_fashion_mnist

BLACK = "empty image"
FIRST = 200  # pictures among which every class is found; the same in the sample and in the full data


@cache
def first_garments() -> dict[str, Tensor]:
    """Class name → its first test picture, uint8 (28, 28)."""
    test = load_fashion_mnist("test").subset(FIRST)
    return {name: test.images[int((test.labels == label).nonzero()[0])] for label, name in enumerate(CLASSES)}


@cache
def first_pictures(count: int) -> Tensor:
    """The first ``count`` test pictures, uint8 (count, 28, 28)."""
    return load_fashion_mnist("test").subset(count).images


def picture(name: str) -> Tensor:
    """The garment of that class, or an empty image, uint8 (28, 28)."""
    garments = first_garments()
    return torch.zeros_like(garments[CLASSES[0]]) if name == BLACK else garments[name]


def enlarged(garment: Tensor, size: int) -> Tensor:
    """A garment, uint8 (28, 28), at ``size`` pixels a side: float32 (size, size), bilinear as in the post."""
    return interpolate(garment[None, None].float(), size=(size, size), mode="bilinear")[0, 0]
