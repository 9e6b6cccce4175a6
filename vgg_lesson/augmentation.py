"""Random changes to training images that keep their label, on raw uint8 batches, on any device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

MAX_SHIFT = 2
ERASED_SIDES = (4, 14)


def random_flip(images: Tensor, generator: Generator) -> Tensor:
    """Mirror about half of the images (B, H, W) left to right."""
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(chosen.to(images.device)[:, None, None], images.flip(2), images)


def random_shift(images: Tensor, generator: Generator) -> Tensor:
    """Move each image (B, H, W) by up to two pixels each way; what enters is black (0)."""
    count, height, width = images.shape
    offsets = torch.randint(0, 2 * MAX_SHIFT + 1, (2, count, 1), generator=generator).to(images.device)
    rows = offsets[0] + torch.arange(height, device=images.device)
    columns = offsets[1] + torch.arange(width, device=images.device)
    index = torch.arange(count, device=images.device)[:, None, None]
    return pad(images, (MAX_SHIFT,) * 4)[index, rows[:, :, None], columns[:, None, :]]


def random_erase(images: Tensor, generator: Generator) -> Tensor:
    """Fill a rectangle in about half of the images (B, H, W) with noise; each side has 4 to 14 pixels.

    Source: Zhong et al., "Random Erasing Data Augmentation", https://arxiv.org/abs/1708.04896, with sides drawn one by
    one instead of by area and ratio.
    """
    count, height, width = images.shape
    chosen = torch.rand(count, generator=generator) < 0.5
    inside = chosen[:, None, None]
    for dimension, length in ((2, height), (1, width)):
        side = torch.randint(ERASED_SIDES[0], ERASED_SIDES[1] + 1, (count, 1), generator=generator)
        start = (torch.rand(count, 1, generator=generator) * (length - side + 1)).long()
        place = torch.arange(length)
        inside = inside & ((place >= start) & (place < start + side)).unsqueeze(dimension)
    noise = torch.randint(256, images.shape, generator=generator, dtype=torch.uint8)
    return torch.where(inside.to(images.device), noise.to(images.device), images)


def _flip_and_shift(images: Tensor, generator: Generator) -> Tensor:
    return random_shift(random_flip(images, generator), generator)


def _flip_shift_and_erase(images: Tensor, generator: Generator) -> Tensor:
    return random_erase(_flip_and_shift(images, generator), generator)


AUGMENTATIONS: Mapping[str, Callable[[Tensor, Generator], Tensor]] = MappingProxyType(
    {"flip": random_flip, "flip+shift": _flip_and_shift, "flip+shift+erase": _flip_shift_and_erase}
)
