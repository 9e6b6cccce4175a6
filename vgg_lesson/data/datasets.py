"""FashionMNIST in memory, as bytes; batches made from it in an instant; and the classic loaders of torchvision.

FashionMNIST: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747, https://github.com/zalandoresearch/fashion-mnist.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn.functional import interpolate, pad
from torch.utils.data import DataLoader, Dataset

from vgg_lesson.data.sources import find
from vgg_lesson.support.arguments import check_bool, check_number, check_path, check_positive_int, check_seed
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.machine import as_device, cpu_count

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
MEAN, STD = 0.2860, 0.3530  # of the training pixels, scaled to 0-1
SIDE, PADDED = 28, 32

# Items are pairs of an image and an int; a batch is a pair of tensors.
Loader = DataLoader[tuple[Tensor, int]]


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Images, uint8 (N, 28, 28), with labels, int64 (N,) from 0 to 9, and ``source``, where they were read from.

    Raises:
        TypeError, ValueError: tensors of another type or shape, lengths that differ, labels out of range.
    """

    images: Tensor
    labels: Tensor
    source: str = ""

    def __post_init__(self) -> None:
        _check_images(self.images)
        if not isinstance(self.source, str):
            raise TypeError(f"source={self.source!r} is {type(self.source).__name__}; a string is expected")
        if not isinstance(self.labels, Tensor) or self.labels.dtype != torch.int64:
            raise TypeError(f"labels is {_described(self.labels)}; an int64 tensor is expected")
        if self.labels.shape != (len(self.images),):
            raise ValueError(
                f"labels has shape {tuple(self.labels.shape)}; one label per image, ({len(self.images)},), is expected"
            )
        if len(self.labels) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < len(CLASSES):
            raise ValueError(f"labels run from {self.labels.min()} to {self.labels.max()}; 0 to 9 is expected")

    def __len__(self) -> int:
        return len(self.images)

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
        if isinstance(chosen, int):
            check_positive_int("chosen", chosen)
            return ImageSet(self.images[:chosen], self.labels[:chosen], self.source)
        index = self._indices(chosen)
        return ImageSet(self.images[index], self.labels[index], self.source)

    def split(self, validation: int | float, seed: int = 0) -> tuple[ImageSet, ImageSet]:
        """Hold out ``validation`` images, a number or a share between 0 and 1: (the rest, those held out).

        The same seed holds out the same images; both parts keep the order of the whole.

        Raises:
            ValueError: nothing would be held out, or nothing would be left.
        """
        if isinstance(validation, bool) or not isinstance(validation, int | float):
            raise TypeError(f"validation={validation!r} is {type(validation).__name__}; a number is expected")
        check_seed(seed)
        share = validation * len(self)
        count = validation if isinstance(validation, int) else round(share) if isfinite(share) else 0
        if not 1 <= count < len(self):
            raise ValueError(
                f"validation={validation} of {len(self):,} images; 1 to {len(self) - 1:,}, or a share between 0 and 1,"
                " is expected"
            )
        order = torch.randperm(len(self), generator=Generator().manual_seed(seed))
        return self.subset(order[count:].sort().values), self.subset(order[:count].sort().values)

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
                f"chosen is {_described(index)}; one row of whole numbers or {len(self)} booleans is expected"
            )
        index = index.long()  # torch takes bytes for a mask
        if int(index.min()) < -len(self) or int(index.max()) >= len(self):
            raise ValueError(f"chosen runs from {index.min()} to {index.max()}; there are {len(self):,} images")
        return index


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects of its input: the side in pixels, and the mean and spread that pixels are scaled by."""

    image_size: int = PADDED
    mean: float = MEAN
    std: float = STD

    def __post_init__(self) -> None:
        check_positive_int("image_size", self.image_size)
        _check_scale(self.mean, self.std)

    def __call__(self, images: Tensor, device: torch.device | str = "cpu") -> Tensor:
        """Raw images, uint8 (B, 28, 28), as the network's input, float32 (B, 1, S, S); see `to_batch`."""
        return to_batch(images, self.image_size, device, self.mean, self.std)


def load_fashion_mnist(split: str = "train", *, root: str | Path | None = None) -> ImageSet:
    """The "train" split (60,000 images) or the "test" split (10,000), verified; see `sources.find` for the places.

    Without data and network it is the shipped sample: the first 8,000 and 2,000 of them.

    Raises:
        ValueError: an unknown split, or an explicitly named folder that does not hold FashionMNIST.
    """
    if root is not None:
        check_path("root", root)
    return ImageSet(*find(split, root))


def to_batch(
    images: Tensor,
    image_size: int = PADDED,
    device: torch.device | str = "cpu",
    mean: float = MEAN,
    std: float = STD,
    *,
    channels_last: bool = False,
) -> Tensor:
    """Turn raw images, uint8 (B, 28, 28), into a network's input, float32 (B, 1, S, S) with S = ``image_size``.

    28 leaves them as they are, 32 surrounds them with two pixels of black, more resizes them (bilinear, as PIL does
    when enlarging). Then pixels are scaled to 0-1 and normalised, so black is ``-mean / std``.

    Raises:
        ValueError: an ``image_size`` that is none of these, a ``std`` not above 0, an unknown device.
        TypeError: images of another type.
    """
    _check_images(images)
    _check_size(image_size)
    _check_scale(mean, std)
    check_bool("channels_last", channels_last)
    pixels = images.to(as_device(device))
    if image_size == PADDED:
        pixels = pad(pixels, ((PADDED - SIDE) // 2,) * 4)
    batch = pixels.unsqueeze(1).to(torch.float32).div_(255)
    if image_size > PADDED:
        batch = interpolate(batch, size=(image_size, image_size), mode="bilinear", align_corners=False)
    batch = batch.sub_(mean).div_(std)
    return batch.contiguous(memory_format=torch.channels_last) if channels_last else batch


def batches(
    data: ImageSet,
    batch_size: int,
    *,
    image_size: int = PADDED,
    preprocessing: Preprocessing | None = None,
    shuffle: bool = False,
    seed: int = 0,
    device: torch.device | str = "cpu",
    augment: Callable[[Tensor, Generator], Tensor] | None = None,
    channels_last: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through ``data`` once: pairs of inputs, float32 (B, 1, S, S), and labels, int64 (B,), on ``device``.

    The data stay bytes; each batch is converted when its turn comes. The last one is smaller if ``batch_size`` does
    not divide N. ``preprocessing``, such as a model's, decides size, mean and spread in place of ``image_size``.
    ``seed`` decides the order under ``shuffle`` and what ``augment``, a function of raw images and a generator, draws.

    Raises:
        ValueError, TypeError: an argument out of range, at the call, before the first batch.
    """
    if not isinstance(data, ImageSet):
        raise TypeError(f"data is {_described(data)}; an ImageSet such as load_fashion_mnist() is expected")
    if preprocessing is not None and not isinstance(preprocessing, Preprocessing):
        raise TypeError(f"preprocessing={preprocessing!r} is {_described(preprocessing)}; a Preprocessing is expected")
    if augment is not None and not callable(augment):
        raise TypeError(
            f"augment={augment!r} is {_described(augment)}; a function of raw images and a generator, such as "
            "random_flip of vgg_lesson.data.augmentation, is expected"
        )
    check_positive_int("batch_size", batch_size)
    check_bool("shuffle", shuffle)
    check_bool("channels_last", channels_last)
    check_seed(seed)
    wanted, device = preprocessing or Preprocessing(image_size), as_device(device)
    _check_size(wanted.image_size)
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(data), generator=generator).to(device) if shuffle else None

    def produce() -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = data.images.to(device), data.labels.to(device)
        for start in range(0, len(data), batch_size):
            part = slice(start, start + batch_size)
            chosen = part if order is None else order[part]
            raw = images[chosen] if augment is None else augment(images[chosen], generator)
            inputs = to_batch(raw, wanted.image_size, device, wanted.mean, wanted.std, channels_last=channels_last)
            yield inputs, labels[chosen]

    return produce()


class PILImages(Dataset[tuple[Tensor, int]]):
    """An `ImageSet` as torchvision serves it: item ``i`` is a transformed PIL image with its label."""

    def __init__(self, data: ImageSet, transform: Callable[[Image.Image], Tensor]):
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data.images[index].numpy())), int(self.data.labels[index])


def data_loaders(
    batch_size: int = 128,
    image_size: int = 224,
    *,
    root: str | Path | None = None,
    num_workers: int | None = None,
    seed: int = 0,
) -> tuple[Loader, Loader]:
    """The classic way: PIL images, resized and turned to tensors one at a time, training images shuffled.

    Batches are float32 (B, 1, S, S) from 0 to 1, not normalised, and int64 (B,). By default two worker processes help
    on Linux if there is room for them; elsewhere, and under the smoke budget, none.
    """
    from torchvision import transforms

    check_positive_int("batch_size", batch_size)
    check_positive_int("image_size", image_size)
    check_seed(seed)
    is_count = isinstance(num_workers, int) and not isinstance(num_workers, bool) and num_workers >= 0
    if num_workers is not None and not is_count:
        raise ValueError(f"num_workers={num_workers!r} is not possible; a whole number, 0 or more, is expected")
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
        free = shutil.disk_usage("/dev/shm").free  # nosec B108 only asked how much room is left, nothing is written
        return 2 if free > 6 * batch_bytes else 0
    except OSError:
        return 0


def _check_images(images: object) -> None:
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        raise TypeError(f"images is {_described(images)}; a uint8 tensor is expected")
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"images has shape {tuple(images.shape)}; (N, {SIDE}, {SIDE}) is expected")


def _check_size(image_size: int) -> None:
    check_positive_int("image_size", image_size)
    if image_size != SIDE and image_size < PADDED:
        raise ValueError(f"image_size={image_size} is not possible; {SIDE}, or {PADDED} and more, is expected")


def _check_scale(mean: float, std: float) -> None:
    check_number("mean", mean)
    check_number("std", std, above=0.0)


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    return type(value).__name__
