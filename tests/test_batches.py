"""Image sets, batches made in memory, and the classic loaders, on the shipped sample."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.data_fixtures import idx_files_fixture, sample_fixture, write  # noqa: F401
from vgg_lesson.data import datasets
from vgg_lesson.data.augmentation import views_of
from vgg_lesson.data.batches import Preprocessing, batches, to_batch
from vgg_lesson.data.datasets import CLASSES, ImageSet, data_loaders, load_fashion_mnist


def test_image_set_subset(sample: dict[str, ImageSet]) -> None:
    data = sample["test"]
    assert len(data.subset(10)) == 10 and len(data.subset(10**6)) == len(data) and data.subset(None) is data
    assert torch.equal(data.subset([5, -1]).images, data.images[[5, -1]])
    assert torch.equal(data.subset(range(3)).labels, data.labels[:3])
    shirts = data.subset(data.labels == CLASSES.index("Shirt"))
    assert set(shirts.labels.tolist()) == {6} and shirts.source == data.source
    assert repr(data) == "ImageSet(2,000 images, source='the shipped sample')"


@pytest.mark.parametrize(
    ("chosen", "error"),
    [(0, ValueError), (-3, ValueError), ([], ValueError), ([2000], ValueError), (True, TypeError), ([0.5], TypeError)],
)
def test_image_set_subset_refuses(sample: dict[str, ImageSet], chosen: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="chosen"):
        sample["test"].subset(chosen)  # type: ignore[arg-type]


def test_image_set_split(sample: dict[str, ImageSet]) -> None:
    numbered = ImageSet(sample["test"].images, torch.arange(2000) % 10)
    train, validation = numbered.split(300, seed=1)
    assert (len(train), len(validation)) == (1700, 300)
    assert torch.equal(validation.images, numbered.split(0.15, seed=1)[1].images)
    assert not torch.equal(validation.images, numbered.split(300, seed=2)[1].images)
    both = torch.cat([train.images, validation.images]).flatten(1).sum(1).sort().values
    assert torch.equal(both, numbered.images.flatten(1).sum(1).sort().values)
    for bad in (0, 2000, 1.0, -1):
        with pytest.raises(ValueError, match=f"validation={bad}"):
            numbered.split(bad)


@pytest.mark.parametrize(
    ("images", "labels", "error", "match"),
    [
        (torch.zeros(2, 28, 28), torch.zeros(2).long(), TypeError, "images is a torch.float32"),
        (torch.zeros(2, 2, 32, 32).byte(), torch.zeros(2).long(), ValueError, "images has shape"),
        (torch.zeros(2, 28, 28).byte(), torch.zeros(2), TypeError, "labels is a torch.float32"),
        (torch.zeros(2, 28, 28).byte(), torch.zeros(3).long(), ValueError, r"labels has shape \(3,\)"),
        (torch.zeros(2, 28, 28).byte(), torch.tensor([0, 10]), ValueError, "labels run from 0 to 10"),
        ([[0]], torch.zeros(2).long(), TypeError, "images is list"),
    ],
)
def test_image_set_validates(images: torch.Tensor, labels: torch.Tensor, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ImageSet(images, labels)


def test_to_batch_pads_with_black_and_normalises(sample: dict[str, ImageSet]) -> None:
    raw = sample["test"].images[:4]
    batch = to_batch(raw)
    assert batch.shape == (4, 1, 32, 32) and batch.dtype == torch.float32
    expected = (raw.double() / 255 - 0.2860) / 0.3530
    torch.testing.assert_close(batch[:, 0, 2:-2, 2:-2].double(), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(batch[:, :, :2], torch.full((4, 1, 2, 32), -0.2860 / 0.3530))
    torch.testing.assert_close(to_batch(raw, 28), batch[:, :, 2:-2, 2:-2])
    assert torch.equal(Preprocessing()(raw), batch)


@pytest.mark.parametrize("size", [64, 96, 224])
def test_to_batch_enlarges_as_pil_does(sample: dict[str, ImageSet], size: int) -> None:
    raw = sample["test"].images[:3]
    enlarged = [Image.fromarray(image.numpy()).resize((size, size), Image.Resampling.BILINEAR) for image in raw]
    expected = torch.from_numpy(np.stack([np.asarray(image) for image in enlarged])).float() / 255
    ours = to_batch(raw, size, mean=0.0, std=1.0, channels_last=True)[:, 0]
    assert (ours - expected).abs().max() < 1.01 / 255


@pytest.mark.parametrize("size", [0, -1])
def test_to_batch_refuses_sizes(sample: dict[str, ImageSet], size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size={size}"):
        to_batch(sample["test"].images[:1], size)
    with pytest.raises(ValueError, match=f"image_size={size}"):
        batches(sample["test"], 10, image_size=size)  # at once, not at the first batch


def test_preprocessing_refuses() -> None:
    with pytest.raises(ValueError, match="std=0"):
        Preprocessing(std=0.0)


def test_batches_cover_the_set_once(sample: dict[str, ImageSet]) -> None:
    data = sample["test"].subset(1000)
    parts = list(batches(data, 128))
    assert [len(labels) for _, labels in parts] == [128] * 7 + [104]
    assert torch.equal(torch.cat([labels for _, labels in parts]), data.labels)
    assert torch.equal(torch.cat([images for images, _ in parts]), to_batch(data.images))
    shuffled = torch.cat([images for images, _ in batches(data, 128, shuffle=True, seed=3)])
    again = torch.cat([images for images, _ in batches(data, 128, shuffle=True, seed=3)])
    assert torch.equal(shuffled, again) and not torch.equal(shuffled, to_batch(data.images))
    assert torch.equal(shuffled.sum((1, 2, 3)).sort().values, to_batch(data.images).sum((1, 2, 3)).sort().values)


def test_batches_augment_raw_images(sample: dict[str, ImageSet]) -> None:
    data = sample["test"].subset(10)
    ((images, _),) = batches(data, 10, augment=lambda raw, generator: raw.flip(2))
    assert torch.equal(images, to_batch(data.images.flip(2)))


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.skipif(os.name == "nt", reason="slow"))])
def test_data_loaders_of_the_post(idx_files: dict[str, bytes], tmp_path: Path, workers: int) -> None:
    train, test = data_loaders(128, 224, root=write(tmp_path, idx_files), num_workers=workers)
    images, labels = next(iter(train))
    assert images.shape == (128, 1, 224, 224) and images.dtype == torch.float32
    assert labels.shape == (128,) and labels.dtype == torch.int64
    assert images.min() >= 0 and images.max() <= 1
    data = load_fashion_mnist("test", root=tmp_path)
    images, labels = next(iter(test))
    assert torch.equal(labels, data.labels[:128])
    assert (images - to_batch(data.images[:128], 224, mean=0.0, std=1.0)).abs().max() < 1.01 / 255


def test_data_loaders_default_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "cpu_count", lambda: 4)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2, 0, 1000))
    assert datasets._safe_workers(10) == 0  # smoke
    monkeypatch.setenv("VGG_LESSON_BUDGET", "class")
    assert datasets._safe_workers(10) == 2
    assert datasets._safe_workers(1000) == 0
    monkeypatch.setattr(sys, "platform", "darwin")
    assert datasets._safe_workers(10) == 0


def test_the_views_are_mirrored_and_moved_by_one_pixel() -> None:
    image = torch.arange(20.0).view(1, 1, 4, 5)
    assert [len(views_of(image, kind)) for kind in ("one", "flip", "flip+shift")] == [1, 2, 10]
    mirrored = image.flip(3)
    up, down, left, right = views_of(image, "flip+shift")[2:6]
    assert torch.equal(views_of(image, "flip")[1], mirrored)
    assert torch.equal(up[..., 1:, :], image[..., :-1, :]) and torch.equal(up[..., 0, :], image[..., 0, :])
    assert torch.equal(down[..., :-1, :], image[..., 1:, :]) and torch.equal(down[..., -1, :], image[..., -1, :])
    assert torch.equal(left[..., 1:], image[..., :-1]) and torch.equal(left[..., 0], image[..., 0])
    assert torch.equal(right[..., :-1], image[..., 1:]) and torch.equal(right[..., -1], image[..., -1])
    for moved, view in zip(views_of(image, "flip+shift")[6:], views_of(mirrored, "flip+shift")[2:6], strict=True):
        assert torch.equal(moved, view)
