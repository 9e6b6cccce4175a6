"""Changes to images that keep their label: random ones for training, on raw uint8 batches; all of them for a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

MAX_SHIFT = 2
ERASED_SIDES = (4, 14)  # of 28 pixels
VIEWS = ("one", "flip", "flip+shift")


def random_flip(images: Tensor, generator: Generator) -> Tensor:
    """Mirror about half of the images, (B, H, W) or (B, C, H, W), left to right."""
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(chosen.to(images.device).view(-1, *[1] * (images.ndim - 1)), images.flip(-1), images)


def random_shift(images: Tensor, generator: Generator) -> Tensor:
    """Move each image, (B, H, W) or (B, C, H, W), by up to two pixels each way; what enters is black (0)."""
    count, height, width = len(images), *images.shape[-2:]
    offsets = torch.randint(0, 2 * MAX_SHIFT + 1, (2, count, 1), generator=generator).to(images.device)
    rows = (offsets[0] + torch.arange(height, device=images.device))[:, :, None]
    columns = (offsets[1] + torch.arange(width, device=images.device))[:, None, :]
    index = torch.arange(count, device=images.device)[:, None, None]
    padded = pad(images, (MAX_SHIFT,) * 4)
    if images.ndim == 3:
        return padded[index, rows, columns]
    return padded.movedim(1, -1)[index, rows, columns].movedim(-1, 1)


def random_erase(images: Tensor, generator: Generator) -> Tensor:
    """Fill a rectangle in about half of the images, (B, H, W) or (B, C, H, W), with noise.

    Its sides are a seventh to a half of the image's, 4 to 14 pixels of 28.
    Source: Zhong et al., "Random Erasing Data Augmentation", https://arxiv.org/abs/1708.04896, with sides drawn one by
    one instead of by area and ratio. torchvision's RandomErasing draws one rectangle for a whole batch, and draws it
    from the global generator.
    """
    count, (height, width) = len(images), images.shape[-2:]
    inside = (torch.rand(count, generator=generator) < 0.5)[:, None, None]
    for dimension, length in ((2, height), (1, width)):
        least, most = (max(1, side * length // 28) for side in ERASED_SIDES)
        side = torch.randint(least, most + 1, (count, 1), generator=generator)
        start = (torch.rand(count, 1, generator=generator) * (length - side + 1)).long()
        place = torch.arange(length)
        inside = inside & ((place >= start) & (place < start + side)).unsqueeze(dimension)
    inside = inside.view(count, *[1] * (images.ndim - 3), height, width).to(images.device)
    noise = torch.randint(256, images.shape, generator=generator, dtype=torch.uint8).to(images)
    return torch.where(inside, noise, images)


def views_of(images: Tensor, kind: str) -> list[Tensor]:
    """A test batch, float (B, C, H, W), as a network is asked about it: itself ("one") and copies of it.

    "flip" adds the mirrored batch, "flip+shift" also both moved by a pixel up, down, left and right, edges repeated.
    """
    _, _, height, width = images.shape
    views = [images] if kind == "one" else [images, images.flip(3)]
    if kind == "flip+shift":
        for padded in [pad(view, (1, 1, 1, 1), mode="replicate") for view in views]:
            views += [padded[:, :, y : y + height, x : x + width] for y, x in ((0, 1), (2, 1), (1, 0), (1, 2))]
    return views


def _flip_and_shift(images: Tensor, generator: Generator) -> Tensor:
    return random_shift(random_flip(images, generator), generator)


def _flip_shift_and_erase(images: Tensor, generator: Generator) -> Tensor:
    return random_erase(_flip_and_shift(images, generator), generator)


AUGMENTATIONS: Mapping[str, Callable[[Tensor, Generator], Tensor]] = MappingProxyType(
    {"flip": random_flip, "flip+shift": _flip_and_shift, "flip+shift+erase": _flip_shift_and_erase}
)
