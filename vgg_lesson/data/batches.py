"""Any data a PyTorch user has, as batches of what a network reads: raw bytes are prepared, floats go as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate, pad
from torch.utils.data import DataLoader, Dataset, IterableDataset

from vgg_lesson.data.datasets import MEAN, PADDED, SIDE, STD, ImageSet, check_raw
from vgg_lesson.support.arguments import Count, Positive, Seed, check_record, checked, described, says
from vgg_lesson.support.machine import as_device

# An ImageSet, a map-style Dataset of pairs, a DataLoader of pairs of batches, or a pair of tensors (images, labels).
Data: TypeAlias = ImageSet | Dataset[Any] | DataLoader[Any] | Sequence[Tensor]
Augmentation = Callable[[Tensor, Generator], Tensor]
Augment = Annotated[
    Augmentation, says("a function of raw images and a generator, such as random_flip of vgg_lesson.data.augmentation,")
]
Device = torch.device | str | None
KINDS = "an ImageSet such as load_fashion_mnist(), a Dataset, a DataLoader or a pair (images, labels) of tensors"


@dataclass(frozen=True)
class Preprocessing:
    """How bytes become a network's input: the side in pixels, the mean and deviation that they are normalised by.

    Pixels are scaled to 0-1 first. ``mean`` and ``std`` are one number, or one per channel. ``channels`` 3 repeats a
    grey image three times.
    """

    image_size: Count = PADDED
    mean: float | tuple[float, ...] = MEAN
    std: Positive | tuple[Positive, ...] = STD
    channels: Count | None = None

    def __post_init__(self) -> None:
        check_record(self)

    def __call__(self, images: Tensor, device: Device = "cpu", *, channels_last: bool = False) -> Tensor:
        """Raw images, uint8 (B, H, W) or (B, C, H, W), as the network's input, float32 (B, C, S, S)."""
        pixels = images.to(as_device(device))
        pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels
        if (pixels.shape[-1], self.image_size) == (SIDE, PADDED):
            pixels = pad(pixels, ((PADDED - SIDE) // 2,) * 4)
        batch = pixels.to(torch.float32).div_(255)
        if tuple(batch.shape[-2:]) != (self.image_size,) * 2:
            shrinks = max(batch.shape[-2:]) > self.image_size
            size = (self.image_size, self.image_size)
            batch = interpolate(batch, size=size, mode="bilinear", align_corners=False, antialias=shrinks)
        batch = batch.sub_(_per_channel(self.mean, batch)).div_(_per_channel(self.std, batch))
        if self.channels and batch.shape[1] == 1:
            batch = batch.repeat(1, self.channels, 1, 1)
        return batch.contiguous(memory_format=torch.channels_last) if channels_last else batch

    @property
    def black(self) -> float:
        """What a black pixel becomes, of a network with one mean and deviation."""
        return float(-self.mean / self.std)  # type: ignore[operator]


def preprocessing_of(model: object, images: Tensor) -> Preprocessing:
    """``model.preprocessing`` where a model has it; else images keep their side, and 28 pixels become 32."""
    own = getattr(model, "preprocessing", None)
    side = images.shape[-1]
    return own if isinstance(own, Preprocessing) else Preprocessing(PADDED if side == SIDE else side)


@checked
def to_batch(
    images: Annotated[Tensor, says("a uint8 tensor")],
    image_size: Count = PADDED,
    device: Any = "cpu",
    mean: float | tuple[float, ...] = MEAN,
    std: Positive | tuple[Positive, ...] = STD,
    *,
    channels_last: bool = False,
) -> Tensor:
    """Turn raw images, uint8 (B, H, W) or (B, C, H, W), into a network's input, float32 (B, C, S, S).

    S is ``image_size``: the images' own side leaves them as they are, 32 surrounds 28 with two pixels of black, any
    other resizes them (bilinear; antialiased when it shrinks them, as PIL does). Then pixels are scaled to 0-1 and
    normalised, so black is ``-mean / std``.

    Raises:
        ValueError, TypeError: images of another type or shape, a size below 1, a ``std`` not above 0, no such device.
    """
    check_raw("images", images)
    return Preprocessing(image_size, mean, std)(images, device, channels_last=channels_last)


@checked
def batches(
    data: Annotated[ImageSet, says("an ImageSet such as load_fashion_mnist()")],
    batch_size: Count,
    *,
    image_size: Count = PADDED,
    preprocessing: Annotated[Preprocessing | None, says("a Preprocessing, such as a model's,")] = None,
    shuffle: bool = False,
    seed: Seed = 0,
    device: Any = "cpu",
    augment: Augment | None = None,
    channels_last: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through ``data`` once: pairs of inputs, float32 (B, C, S, S), and labels, int64 (B,), on ``device``.

    The data stay bytes; each batch is converted when its turn comes. The last one is smaller if ``batch_size`` does
    not divide N. ``preprocessing``, such as a model's, decides size, mean and deviation in place of ``image_size``.
    ``seed`` decides the order under ``shuffle`` and what ``augment``, a function of raw images and a generator, draws.

    Raises:
        ValueError, TypeError: an argument out of range, at the call, before the first batch.
    """
    place, prepare = as_device(device), preprocessing or Preprocessing(image_size)
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(data), generator=generator).to(place) if shuffle else None

    def produce() -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = data.images.to(place), data.labels.to(place)
        for start in range(0, len(data), batch_size):
            part = slice(start, start + batch_size)
            chosen = part if order is None else order[part]
            raw = images[chosen] if augment is None else _augmented(augment, images[chosen], generator)
            yield prepare(raw, place, channels_last=channels_last), labels[chosen]

    return produce()


class Feed:
    """Data of any kind as batches that ``model`` reads, on ``device``; ``name`` is what errors call the data.

    An `ImageSet` and a pair of byte tensors are prepared as `preprocessing_of` says; floats go as they are. A
    `DataLoader` keeps its own batches, whatever batch size is asked for.

    Raises:
        TypeError, ValueError: data of another kind, or none; the message says what is expected.
    """

    def __init__(self, name: str, data: Data, model: object, device: torch.device):
        self.name, self.model, self.device = name, model, device
        self.classes: int | None = None  # how many the labels may name, once that is known
        self.data = _as_data(name, data)
        if self.count == 0:
            raise ValueError(f"{name} holds no image; at least one is needed")

    @property
    def count(self) -> int:
        """How many images there are."""
        counted: Any = self.data.dataset if isinstance(self.data, DataLoader) else self.data
        return len(counted)

    def steps(self, batch_size: int) -> int:
        """Batches in one pass."""
        return len(self.data) if isinstance(self.data, DataLoader) else -(-self.count // batch_size)

    def batches(
        self, batch_size: int, *, shuffle: bool = False, seed: int = 0, augment: Augmentation | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass: pairs of inputs and labels. The same seed gives the same order, also of a `DataLoader`."""
        if isinstance(self.data, ImageSet):
            prepare = preprocessing_of(self.model, self.data.images)
            return batches(
                self.data,
                batch_size,
                preprocessing=prepare,
                shuffle=shuffle,
                seed=seed,
                device=self.device,
                augment=augment,
            )
        return self._loaded(batch_size, shuffle, seed, augment)

    def sample(self, count: int = 2) -> tuple[Tensor, Tensor]:
        """The first images as a batch, for a look before anything starts."""
        if isinstance(self.data, ImageSet):
            return next(self.batches(count))
        source: Any = self.data.dataset if isinstance(self.data, DataLoader) else self.data
        collate = self.data.collate_fn if isinstance(self.data, DataLoader) else torch.utils.data.default_collate
        items = [source[index] for index in range(min(count, self.count))]
        if not all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
            raise TypeError(f"{self.name}[0] is {described(items[0])}; a pair of an image and its label is expected")
        if not hasattr(items[0][0], "dtype"):  # neither a tensor nor an array
            raise TypeError(
                f"{self.name}[0] holds {described(items[0][0])} as its image; a tensor is expected: give the data set "
                "transform=torchvision.transforms.ToTensor()"
            )
        try:
            images, labels = collate(items)
        except RuntimeError as error:
            raise ValueError(f"{self.name}: its images make no batch, all must have one shape: {error}") from error
        return self._prepared(images, labels)

    def check_labels(self, labels: Tensor) -> None:
        """Raise ValueError where a label is none of ``classes``."""
        if self.classes and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            wrong = int(labels.max()) if int(labels.min()) >= 0 else int(labels.min())
            raise ValueError(
                f"{self.name} holds the label {wrong}; this model tells {self.classes} classes apart, from 0 on"
            )

    def _loaded(
        self, batch_size: int, shuffle: bool, seed: int, augment: Augmentation | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        generator = Generator().manual_seed(seed)
        if isinstance(self.data, DataLoader):
            loader = self.data
            if loader.generator is not None:
                loader.generator.manual_seed(seed)
        else:
            order = Generator().manual_seed(seed)
            loader = DataLoader(self.data, batch_size, shuffle=shuffle, generator=order)
        for images, labels in loader:
            raw = images if augment is None else _augmented(augment, images, generator)
            yield self._prepared(raw, labels)

    def _prepared(self, images: Any, labels: Any) -> tuple[Tensor, Tensor]:
        if not isinstance(images, Tensor) or not isinstance(labels, Tensor):
            told = f"{described(images)} and {described(labels)}"
            raise TypeError(f"{self.name} gives batches of {told}; tensors of images and of labels are expected")
        if not labels.is_floating_point():
            labels = labels.long()
            self.check_labels(labels)
        if images.dtype == torch.uint8:
            return preprocessing_of(self.model, images)(images, self.device), labels.to(self.device)
        if not (images.is_floating_point() or images.dtype == torch.bool):
            raise TypeError(f"{self.name} holds images of {images.dtype}; bytes (torch.uint8) or floats are expected")
        return images.to(self.device, torch.float32), labels.to(self.device)


def _augmented(augment: Augmentation, images: Tensor, generator: Generator) -> Tensor:
    made: Any = augment(images, generator)
    if not isinstance(made, Tensor) or len(made) != len(images):
        raise TypeError(f"augment makes {described(made)} of {len(images)} images; a tensor of as many is expected")
    return made


class _Pair(Dataset[tuple[Tensor, Tensor]]):
    """Float inputs and their labels."""

    def __init__(self, images: Tensor, labels: Tensor):
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


def _as_data(name: str, data: Any) -> ImageSet | Dataset[Any] | DataLoader[Any]:
    if isinstance(data, IterableDataset):
        raise TypeError(f"{name} is an IterableDataset; {KINDS} is expected: wrap it in a DataLoader over a list of it")
    if isinstance(data, ImageSet | Dataset | DataLoader):
        if isinstance(data, DataLoader) and isinstance(data.dataset, IterableDataset):
            raise TypeError(f"{name} loads an IterableDataset, whose length nobody knows; {KINDS} is expected")
        return data
    if isinstance(data, tuple | list) and len(data) == 2:
        images, labels = (torch.as_tensor(part) if hasattr(part, "__array__") else part for part in data)
        if isinstance(images, Tensor) and isinstance(labels, Tensor):
            if len(images) != len(labels):
                counts = f"{len(images)} images and {len(labels)} labels"
                raise ValueError(f"{name} holds {counts}; equally many are expected")
            if images.dtype == torch.uint8:
                return ImageSet(images, labels.long(), classes=tuple(map(str, range(int(labels.max()) + 1))))
            return _Pair(images, labels)
    if (
        hasattr(data, "__getitem__")
        and hasattr(data, "__len__")
        and not isinstance(data, Tensor | str | tuple | list | dict)
    ):
        return data
    raise TypeError(f"{name} is {described(data)}; {KINDS} is expected")


def _per_channel(value: float | tuple[float, ...], batch: Tensor) -> float | Tensor:
    if isinstance(value, tuple):
        return torch.tensor(value, device=batch.device)[None, :, None, None]
    return value
