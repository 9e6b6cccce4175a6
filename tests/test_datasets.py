"""Finding, verifying and fetching FashionMNIST; few tests need more than the shipped sample."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.data_fixtures import (  # noqa: F401
    alone_fixture,
    full_fixture,
    idx_files_fixture,
    mirror_fixture,
    sample_fixture,
    write,
)  # fmt: skip
from tests.marks import long
from tools.make_sample import sample_files
from vgg_lesson.data import datasets, download, sources
from vgg_lesson.data.datasets import ImageSet, load_fashion_mnist
from vgg_lesson.data.idx import CHECKSUMS, FILES, FULL_COUNTS, SAMPLE_COUNTS, BadDataError, encode_split, read_split

IMAGES, LABELS = FILES["test"]
MNIST_LABELS = bytes([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])


# --- the sample


def test_sample_is_small_licensed_and_as_published(sample: dict[str, ImageSet]) -> None:
    assert sum(file.stat().st_size for file in sources.SAMPLE.iterdir()) <= 4_500_000
    licence = (sources.SAMPLE / "LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in licence and "Copyright © 2017 Zalando SE" in licence
    for split, data in sample.items():
        assert len(data) == SAMPLE_COUNTS[split]
        digests = tuple(hashlib.sha256(a.numpy().tobytes()).hexdigest() for a in (data.images, data.labels.byte()))
        assert digests == CHECKSUMS[split, len(data)]


def test_sample_is_the_start_of_the_full_data(full: dict[str, ImageSet], sample: dict[str, ImageSet]) -> None:
    for split, data in full.items():
        assert torch.equal(data.images[: len(sample[split])], sample[split].images)
        assert torch.equal(data.labels[: len(sample[split])], sample[split].labels)
        assert set(torch.bincount(data.labels).tolist()) == {FULL_COUNTS[split] // 10}
    pixels = full["train"].images.float() / 255
    assert (round(pixels.mean().item(), 4), round(pixels.std().item(), 4)) == (datasets.MEAN, datasets.STD)


@long
def test_sample_is_remade_byte_for_byte(full: dict[str, ImageSet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sources.FOLDER_VARIABLE, raising=False)
    for name, content in sample_files().items():
        assert (sources.SAMPLE / name).read_bytes() == content, name


# --- the search


def test_places_in_order(alone: Path, idx_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_fashion_mnist("test").source == "the shipped sample"
    debian = {name + ".gz": gzip.compress(content, 1) for name, content in idx_files.items()}
    monkeypatch.setattr(sources, "DEBIAN", write(alone.parent / "debian", debian))
    assert load_fashion_mnist("test").source == sources.shown(alone.parent / "debian")
    write(alone / "FashionMNIST" / "raw", idx_files)
    assert load_fashion_mnist("test").source == sources.shown(alone)
    monkeypatch.setenv(sources.FOLDER_VARIABLE, str(write(alone.parent / "named", idx_files)))
    assert load_fashion_mnist("test").source == sources.shown(alone.parent / "named")
    assert load_fashion_mnist("test", root=alone).source == sources.shown(alone)


def test_data_beside_the_notebooks_are_found(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "REPOSITORY", alone.parent)
    (alone.parent / "notebooks").mkdir()
    assert sources.usual_folders()[:2] == [alone, sources.DEBIAN]  # somebody else's notebooks beside other packages
    for mark in sources.REPOSITORY_MARKS:
        (alone.parent / mark).touch()
    assert sources.usual_folders()[:2] == [alone, alone.parent / "notebooks" / "data"]
    assert sources.download_folder() == alone
    assert sources.shown(alone) == "data"


def test_bad_usual_folder_is_skipped_with_a_warning(alone: Path, idx_files: dict[str, bytes]) -> None:
    write(alone, {IMAGES: idx_files[IMAGES][:-1], LABELS: idx_files[LABELS]})
    with pytest.warns(UserWarning, match=r"data is skipped: t10k-images-idx3-ubyte is cut short"):
        assert load_fashion_mnist("test").source == "the shipped sample"


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="split='validation' is unknown; choose one of 'train', 'test'"):
        load_fashion_mnist("validation")


def renumbered(content: bytes, at: int, number: int) -> bytes:
    return content[:at] + number.to_bytes(4, "big") + content[at + 4 :]


BAD_FILES: dict[str, tuple[Callable[[bytes, bytes], dict[str, bytes]], str]] = {
    "empty folder": (lambda images, labels: {}, "holds no t10k-images"),
    "labels missing": (lambda images, labels: {IMAGES: images}, "t10k-labels.* is missing beside t10k-images"),
    "images missing": (lambda images, labels: {LABELS: labels}, "t10k-images.* is missing beside t10k-labels"),
    "empty file": (lambda images, labels: {IMAGES: b"", LABELS: labels}, "0 bytes long, too short"),
    "cut short": (lambda images, labels: {IMAGES: images[:-5], LABELS: labels}, "is cut short.*1,567,995 follow"),
    "gzip cut short": (
        lambda images, labels: {IMAGES + ".gz": gzip.compress(images, 1)[:-90], LABELS: labels},
        "images-idx3-ubyte.gz is cut short: the compressed data end too early",
    ),
    "no gzip": (
        lambda images, labels: {IMAGES + ".gz": b"<html>please log in</html>", LABELS: labels},
        "damaged or no .gz file",
    ),
    "wrong magic": (
        lambda images, labels: {IMAGES: renumbered(images, 0, 7), LABELS: labels},
        "starts with 7, not 2051",
    ),
    "swapped files": (lambda images, labels: {IMAGES: labels, LABELS: images}, "holds labels where images belong"),
    "other size": (
        lambda images, labels: {IMAGES: renumbered(renumbered(images, 8, 14), 12, 56), LABELS: labels},
        "14×56 pixels",
    ),
    "MNIST": (
        lambda images, labels: {IMAGES: images, LABELS: labels[:8] + MNIST_LABELS + labels[18:]},
        "this is MNIST",
    ),
    "labels of another split": (
        lambda images, labels: {IMAGES: images, LABELS: renumbered(labels, 4, 1999)[:-1]},
        "2,000 images but 1,999 labels",
    ),
    "too few": (
        lambda images, labels: {
            IMAGES: renumbered(images, 4, 9)[: 16 + 9 * 784],
            LABELS: renumbered(labels, 4, 9)[:17],
        },
        "9 images; FashionMNIST's test split has 10,000",
    ),
    "other pixels": (lambda images, labels: {IMAGES: images[:-1] + b"\x07", LABELS: labels}, "pixels are not"),
    "labels in another order": (
        lambda images, labels: {IMAGES: images, LABELS: labels[:8] + labels[:7:-1]},
        "labels are not those of the images",
    ),
    "label out of range": (lambda images, labels: {IMAGES: images, LABELS: labels[:-1] + b"\x0a"}, "labels reach 10"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_named_folder_with_bad_files(case: str, idx_files: dict[str, bytes], tmp_path: Path) -> None:
    make, message = BAD_FILES[case]
    write(tmp_path, make(idx_files[IMAGES], idx_files[LABELS]))
    with pytest.raises(ValueError, match=message) as caught:
        load_fashion_mnist("test", root=tmp_path)
    assert str(caught.value).startswith(f"root={str(tmp_path)!r}") and "vgg_lesson data" in str(caught.value)


def test_unbalanced_full_set_is_named(tmp_path: Path, full: dict[str, ImageSet]) -> None:
    labels = full["test"].labels.clone()
    labels[-1] = (labels[-1] + 1) % 10
    write(tmp_path, encode_split("test", full["test"].images, labels))
    with pytest.raises(ValueError, match="unbalanced, 999 to 1,001 per class"):
        load_fashion_mnist("test", root=tmp_path)


def test_named_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="is missing"):
        load_fashion_mnist(root=tmp_path / "typo")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file"):
        load_fashion_mnist(root=tmp_path / "file")
    (tmp_path / IMAGES).mkdir()
    (tmp_path / LABELS).mkdir()
    monkeypatch.setenv(sources.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(
        ValueError, match=r"^VGG_LESSON_DATA=.*t10k-images-idx3-ubyte is a folder; the file of that name"
    ):
        load_fashion_mnist("test")


# --- the download


def test_download_is_installed_whole_and_found_again(mirror: Path, alone: Path, idx_files: dict[str, bytes]) -> None:
    assert load_fashion_mnist("test").source == sources.shown(alone)
    assert {file.name: file.read_bytes() for file in (alone / "FashionMNIST" / "raw").iterdir()} == idx_files
    assert [path.name for path in alone.iterdir()] == ["FashionMNIST"]
    shutil.rmtree(mirror)
    assert load_fashion_mnist("train").source == sources.shown(alone)


def test_download_mends_what_a_broken_one_left(mirror: Path, alone: Path, idx_files: dict[str, bytes]) -> None:
    raw = write(alone / "FashionMNIST" / "raw", {IMAGES: b"half"})
    with pytest.warns(UserWarning, match="data is skipped"):
        assert load_fashion_mnist("test").source == sources.shown(alone)
    assert (raw / IMAGES).read_bytes() == idx_files[IMAGES]


def test_failed_download_is_tried_once_and_leaves_nothing(mirror: Path, alone: Path) -> None:
    (mirror / (LABELS + ".gz")).write_bytes(b"<html>please log in</html>")
    with pytest.warns(UserWarning, match="cannot be downloaded.*something else than t10k-labels.*sample stands in"):
        assert load_fashion_mnist("train").source == "the shipped sample"
    assert not alone.exists()
    shutil.rmtree(mirror)
    assert load_fashion_mnist("test").source == "the shipped sample"


def test_a_server_that_never_stops_sending_is_left(mirror: Path, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DOWNLOAD_BYTES", 100_000)
    with pytest.raises(BadDataError, match=r"sends more than all of FashionMNIST as train-images-idx3-ubyte.gz"):
        download.download(alone, show=False)
    assert not alone.exists()


def test_other_bytes_of_the_right_length_are_refused(mirror: Path, alone: Path) -> None:
    path = mirror / (LABELS + ".gz")
    path.write_bytes(path.read_bytes()[:-9] + b"?" + path.read_bytes()[-8:])
    with pytest.raises(BadDataError, match="something else than t10k-labels"):
        download.download(alone, show=False)
    assert not alone.exists()


def test_offline_variable_forbids_the_download(mirror: Path, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sources.OFFLINE_VARIABLE, "1")
    assert load_fashion_mnist("test").source == "the shipped sample"
    assert not alone.exists()


def test_silent_network_is_given_up(mirror: Path, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import FashionMNIST

    assert download._SILENCE <= 10
    monkeypatch.setattr(download, "_SILENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setattr(FashionMNIST, "mirrors", [f"http://127.0.0.1:{deaf.getsockname()[1]}/"])
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            download.download(alone, show=False)
    assert time.monotonic() - started < 60
    with pytest.raises(TimeoutError, match=r"no answer within 0.1 seconds"):
        download._answer_within(0.1, lambda: time.sleep(1))
    assert not alone.exists()


def test_slow_network_is_given_up(mirror: Path, alone: Path) -> None:
    with pytest.raises(ConnectionError, match="too slow"):
        download.download(alone, seconds=0, show=False)


def test_interrupted_install_leaves_nothing(
    alone: Path, idx_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_publish", interrupted)
    monkeypatch.setattr(download, "FULL_COUNTS", SAMPLE_COUNTS)
    with pytest.raises(KeyboardInterrupt):
        download.install(idx_files, alone)
    assert not alone.exists()
    abandoned = alone / (download._TEMPORARY + "x")
    abandoned.mkdir(parents=True)
    os.utime(abandoned, (0, 0))
    with pytest.raises(KeyboardInterrupt):
        download.install(idx_files, alone)
    assert list(alone.iterdir()) == []


def test_wrong_files_are_not_installed(alone: Path, idx_files: dict[str, bytes]) -> None:
    with pytest.raises(BadDataError, match="do not make up both splits"):
        download.install(idx_files, alone)  # the sample is not the full set
    assert not alone.exists()


def test_two_processes_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from vgg_lesson.data import download, idx, sources\n"
        "download.FULL_COUNTS = idx.SAMPLE_COUNTS\n"
        "splits = {s: sources._read_sample(s) for s in idx.FILES}\n"
        "files = {n: c for s, f in splits.items() for n, c in idx.encode_split(s, f.images, f.labels).items()}\n"
        "for _ in range(4): download.install(files, Path(sys.argv[1]))\n"
    )
    folder = tmp_path / "shared"
    writers = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(2)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        found = read_split(folder, "test")
        assert found is not None or not seen
        seen += found is not None
        time.sleep(0.01)
    assert [writer.returncode for writer in writers] == [0, 0] and seen
    assert [path.name for path in folder.iterdir()] == ["FashionMNIST"]
