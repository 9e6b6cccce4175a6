"""Images and labels in memory, as bytes; FashionMNIST, read and verified; and the classic loaders of torchvision.

FashionMNIST: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747, https://github.com/zalandoresearch/fashion-mnist.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import torch
from PIL import Image
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset

from vgg_lesson.data.sources import find
from vgg_lesson.support.arguments import Count, Index, PathLike, Seed, accept, checked, described, says
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.machine import cpu_count

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
MEAN, STD = 0.2860, 0.3530  # of the training pixels, scaled to 0-1
SIDE, PADDED = 28, 32

# Items are pairs of an image and an int; a batch is a pair of tensors.
Loader = DataLoader[tuple[Tensor, int]]


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet(Dataset[tuple[Tensor, int]]):
    """Images with labels, in memory; a map-style Dataset whose items are a raw image and its label.

    ``images`` is uint8, (N, H, W) or (N, C, H, W) with 1 or 3 channels, ``labels`` int64 (N,), places in ``classes``;
    ``source`` says where they were read from.

    Raises:
        TypeError, ValueError: tensors of another type or shape, lengths that differ, labels out of range.
    """

    images: Tensor
    labels: Tensor
    source: str = ""
    classes: tuple[str, ...] = CLASSES

    def __post_init__(self) -> None:
        check_raw("images", self.images)
        accept("source", self.source, str)
        object.__setattr__(self, "classes", tuple(accept("classes", self.classes, Sequence[str])))
        if not isinstance(self.labels, Tensor) or self.labels.dtype != torch.int64:
            raise TypeError(f"labels is {described(self.labels)}; an int64 tensor is expected")
        if self.labels.shape != (len(self.images),):
            raise ValueError(
                f"labels has shape {tuple(self.labels.shape)}; one label per image, ({len(self.images)},), is expected"
            )
        last = len(self.classes) - 1
        if len(self.labels) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) <= last:
            raise ValueError(f"labels run from {self.labels.min()} to {self.labels.max()}; 0 to {last} is expected")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], int(self.labels[index])

    def __repr__(self) -> str:
        return f"ImageSet({len(self):,} images, source={self.source!r})"

    def subset(self, chosen: int | Sequence[int] | Tensor | None) -> ImageSet:
        """The first ``chosen`` images (all, if there are fewer, or for None), or those at the given indices.

        ``chosen`` may also be a tensor of N booleans, such as ``data.labels == 6``.

        Raises:
            ValueError: a number below 1, no index at all, or an index out of range.
            TypeError: neither a number nor indices.
        """
        if chosen is None:
            return self
        if isinstance(chosen, int) or getattr(chosen, "ndim", 1) == 0:
            return self._at(slice(accept("chosen", chosen, Count)))
        return self._at(self._indices(chosen))

    @checked
    def split(self, validation: int | float, seed: Seed = 0) -> tuple[ImageSet, ImageSet]:
        """Hold out ``validation`` images, a number or a share between 0 and 1: (the rest, those held out).

        The same seed holds out the same images; both parts keep the order of the whole.

        Raises:
            ValueError: nothing would be held out, or nothing would be left.
        """
        share = validation * len(self)
        count = validation if isinstance(validation, int) else round(share) if isfinite(share) else 0
        if not 1 <= count < len(self):
            raise ValueError(
                f"validation={validation} of {len(self):,} images; 1 to {len(self) - 1:,}, or a share between 0 and 1,"
                " is expected"
            )
        order = torch.randperm(len(self), generator=Generator().manual_seed(seed))
        return self._at(order[count:].sort().values), self._at(order[:count].sort().values)

    def _at(self, index: slice | Tensor) -> ImageSet:
        return ImageSet(self.images[index], self.labels[index], self.source, self.classes)

    def _indices(self, chosen: Sequence[int] | Tensor) -> Tensor:
        try:
            index = torch.as_tensor(chosen if isinstance(chosen, Tensor) else list(chosen))
        except (TypeError, ValueError, RuntimeError):
            raise TypeError(
                f"chosen={chosen!r} is {type(chosen).__name__}; a number of images or a row of indices is expected"
            ) from None
        if index.dtype == torch.bool and index.shape == (len(self),):
            index = index.nonzero().flatten()
        if not index.numel():
            raise ValueError("chosen picks no image; at least one is needed")
        if index.ndim != 1 or index.is_floating_point() or index.dtype == torch.bool:
            raise TypeError(
                f"chosen is {described(index)}; one row of whole numbers or {len(self)} booleans is expected"
            )
        index = index.long()  # torch takes bytes for a mask
        if int(index.min()) < -len(self) or int(index.max()) >= len(self):
            raise ValueError(f"chosen runs from {index.min()} to {index.max()}; there are {len(self):,} images")
        return index


@checked
def load_fashion_mnist(split: Any = "train", *, root: PathLike | None = None) -> ImageSet:
    """The "train" split (60,000 images) or the "test" split (10,000), verified; see `sources.find` for the places.

    Without data and network it is the shipped sample: the first 8,000 and 2,000 of them.

    Raises:
        ValueError: an unknown split, or an explicitly named folder that does not hold FashionMNIST.
    """
    return ImageSet(*find(split, None if root is None else Path(root)))


class PILImages(Dataset[tuple[Tensor, int]]):
    """An `ImageSet` as torchvision serves it: item ``i`` is a transformed PIL image with its label."""

    def __init__(self, data: ImageSet, transform: Callable[[Image.Image], Tensor]):
        self.data, self.transform, self.classes = data, transform, data.classes

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data.images[index].numpy())), int(self.data.labels[index])


@checked
def data_loaders(
    batch_size: Count = 128,
    image_size: Count = 224,
    *,
    root: PathLike | None = None,
    num_workers: Annotated[Index | None, says("a whole number, 0 or more,")] = None,
    seed: Seed = 0,
) -> tuple[Loader, Loader]:
    """The classic way: PIL images, resized and turned to tensors one at a time, training images shuffled.

    Batches are float32 (B, 1, S, S) from 0 to 1, not normalised, and int64 (B,). By default two worker processes help
    on Linux if there is room for them; elsewhere, and under the smoke budget, none.
    """
    from torchvision import transforms

    workers = _safe_workers(batch_size * image_size**2 * 4) if num_workers is None else num_workers
    steps = [transforms.Resize(image_size)] if image_size != SIDE else []
    transform = transforms.Compose([*steps, transforms.ToTensor()])
    train, test = (
        Loader(
            PILImages(load_fashion_mnist(split, root=root), transform), batch_size, shuffle=split == "train",
            num_workers=workers, generator=Generator().manual_seed(seed),
        )
        for split in ("train", "test")
    )  # fmt: skip
    return train, test


def _safe_workers(batch_bytes: int) -> int:
    # Where workers are not forked (not Linux, or Python 3.14) each imports torch again. They hand batches over in
    # shared memory, 64 MB in a default container, and die when it is full: two keep up to three batches each there.
    if get_budget().name == "smoke" or sys.platform != "linux" or cpu_count() < 2:
        return 0
    try:
        free = shutil.disk_usage("/dev/shm").free  # noqa: S108  only asked how much room is left, nothing is written
        return 2 if free > 6 * batch_bytes else 0
    except OSError:
        return 0


def check_raw(name: str, images: object) -> None:
    """Raise TypeError or ValueError unless ``images`` is uint8, (N, H, W) or (N, C, H, W) with 1 or 3 channels."""
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        raise TypeError(f"{name} is {described(images)}; a uint8 tensor is expected")
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[1] not in (1, 3)):
        expected = "(N, H, W), or (N, C, H, W) with 1 or 3 channels, is expected"
        raise ValueError(f"{name} has shape {tuple(images.shape)}; {expected}")
