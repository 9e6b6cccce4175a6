"""Read FashionMNIST's files and make sure that they are what their names say.

The idx format: http://yann.lecun.com/exdb/mnist/; the data set: https://github.com/zalandoresearch/fashion-mnist.
Labels and file names alone cannot tell FashionMNIST from MNIST, so the decoded arrays are compared by checksum.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    }
)
FULL_COUNTS: Mapping[str, int] = MappingProxyType({"train": 60_000, "test": 10_000})
SAMPLE_COUNTS: Mapping[str, int] = MappingProxyType({"train": 8_000, "test": 2_000})
# SHA-256 of the decoded pixels and labels, without the idx headers.
CHECKSUMS: Mapping[tuple[str, int], tuple[str, str]] = MappingProxyType(
    {
        ("train", 60_000): (
            "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        ),
        ("test", 10_000): (
            "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        ),
        ("train", 8_000): (
            "b86fbee801803e469aaacdfddb30b669eae5a077698b9c88d39dff2aa4bc48b0",
            "f8e8cbaba738666c80f861044dd2347c859ec0abf8fc047e4bc3a3395d58a985",
        ),
        ("test", 2_000): (
            "09bbac78738f0229a68f7ca74e62665d7fb34f45ea7a3509ab5c4a202c1370de",
            "a86243d2b2400909bc0a82f5fd5c9df83bf827852a1543e3dc70af890035a9d4",
        ),
    }
)
_MNIST_LABELS = (bytes([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]), bytes([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]))
_PLACES = ("FashionMNIST/raw", "raw", "")
_SUFFIXES = ("", ".gz", ".xz")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".rar", ".7z")
_UNFINISHED = (".crdownload", ".part", ".partial", ".download", ".opdownload", ".tmp")
_ALIKE = re.compile(r"(train|t10k|test).*(image|label)|idx[13].*ubyte", re.IGNORECASE)
_IMAGES, _LABELS = 0x803, 0x801
_KINDS = {_IMAGES: "images", _LABELS: "labels"}
_SIDE = 28
_LONGEST = 16 + 60_000 * _SIDE * _SIDE  # bytes of the longest file
PERMIT = "it needs permission to be read, for a folder also to be entered"


class BadDataError(ValueError):
    """Files are there, but they are not FashionMNIST as published; the message says what is wrong with which."""


def read_split(folder: Path, split: str) -> tuple[Tensor, Tensor] | None:
    """Images, uint8 (N, 28, 28), and labels, int64 (N,), of one split; None if the folder has no file of it.

    The files lie in ``folder`` itself or in torchvision's ``FashionMNIST/raw``, plain, ``.gz`` or ``.xz``. N is that
    of the full split or of the shipped sample.

    Raises:
        BadDataError: a file is missing, unreadable, cut short, or not what it should be.
    """
    wrong: list[BadDataError] = []
    for place in _PLACES:
        try:
            found = _read_place(folder / place, split)
        except BadDataError as error:
            wrong.append(error)
            continue
        if found is not None:
            if wrong:
                warnings.warn(f"{wrong[0]}; it is left aside, and {_shown_place(place)} is read", stacklevel=3)
            return found
    if wrong:
        raise wrong[0]
    return None


def encode_split(split: str, images: Tensor, labels: Tensor) -> dict[str, bytes]:
    """The two idx files, by name, that hold images, uint8 (N, 28, 28), and labels, int64 (N,)."""
    contents = (
        struct.pack(">IIII", _IMAGES, len(images), _SIDE, _SIDE) + images.numpy().tobytes(),
        struct.pack(">II", _LABELS, len(labels)) + bytes(labels.tolist()),
    )
    return dict(zip(FILES[split], contents, strict=True))


def near_misses(folder: Path, split: str) -> str:
    """What in ``folder`` looks like the data that `read_split` did not find there, in words; "" if nothing does."""
    names = sorted(path.name for path in folder.iterdir())
    if tables := [name for name in names if name.lower().endswith(".csv") and "mnist" in name.lower()]:
        return f"{tables[0]} is a table of the pixels in another order, as Kaggle offers it, and is not read"
    if packed := [name for name in names if name.lower().endswith(_ARCHIVES)]:
        return f"{packed[0]} is an archive: unpack it first"
    if broken := [name for name in names if name.lower().endswith(_UNFINISHED)]:
        return f"{broken[0]} is a download that did not end"
    other = FILES["test" if split == "train" else "train"][0]
    for below in (f"*/{place}/" for place in (".", "raw", "FashionMNIST/raw", "data/FashionMNIST/raw")):
        if deeper := next(iter(sorted(folder.glob(f"{below}{FILES[split][0]}*"))), None):
            return f"{deeper.relative_to(folder).as_posix()} lies deeper: name the folder {str(deeper.parent)!r}"
    if alike := [name for name in names if _ALIKE.search(name)]:
        return f"{alike[0]} has another name" + (" (it is of the other split)" if alike[0].startswith(other) else "")
    return ""


def _read_place(place: Path, split: str) -> tuple[Tensor, Tensor] | None:
    """One split from one folder; where a file is there in several forms, the first that is whole."""
    try:
        images, labels = ([path for path in _forms(place, name) if is_there(path)] for name in FILES[split])
    except OSError as error:
        raise BadDataError(f"{place} cannot be read ({error.strerror}); {PERMIT}") from error
    if not images and not labels:
        return None
    if not images or not labels:
        missing = FILES[split][0 if labels else 1]
        raise BadDataError(f"{missing} (plain or .gz) is missing beside {(images or labels)[0].name}")
    contents: dict[Path, bytearray] = {}
    wrong: list[BadDataError] = []
    for image_path, label_path in product(images, labels):
        try:
            for path, magic in ((image_path, _IMAGES), (label_path, _LABELS)):
                if path not in contents:
                    contents[path] = _read(path, magic)
            _verify(split, contents[image_path], contents[label_path])
        except BadDataError as error:
            wrong.append(error)
            continue
        if wrong:
            used = f"{image_path.name} and {label_path.name}"
            warnings.warn(f"{wrong[0]}; that is left aside, and {used} in the same folder are read", stacklevel=4)
        pixels = torch.frombuffer(contents[image_path], dtype=torch.uint8).reshape(-1, _SIDE, _SIDE)
        return pixels, torch.frombuffer(contents[label_path], dtype=torch.uint8).long()
    raise wrong[0]


def _forms(place: Path, name: str) -> Iterator[Path]:
    """The names under which a file is found: plain or packed, with a dot as some programs unpack it, in a folder."""
    for stem in (name, name.replace("-idx", ".idx")):
        for suffix in _SUFFIXES:
            path = place / (stem + suffix)
            yield path / path.name if path.is_dir() and is_there(path / path.name) else path


def _shown_place(place: str) -> str:
    return f"{place} in the same folder" if place else "what lies beside that folder"


def is_there(path: Path) -> bool:
    """Whether ``path`` exists; unlike `Path.exists`, on every version of Python, OSError where one may not look."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _read(path: Path, magic: int) -> bytearray:
    content = _unpack(path)
    header = 16 if magic == _IMAGES else 8
    if len(content) < header:
        raise BadDataError(f"{path.name} is {len(content)} bytes long, too short for the header of an idx file")
    found, count = struct.unpack_from(">II", content)
    if found in _KINDS and found != magic:
        raise BadDataError(f"{path.name} holds {_KINDS[found]} where {_KINDS[magic]} belong: two files are swapped")
    if found != magic:
        raise BadDataError(f"{path.name} is no idx file of {_KINDS[magic]}: it starts with {found}, not {magic}")
    size = count
    if magic == _IMAGES:
        height, width = struct.unpack_from(">II", content, 8)
        if (height, width) != (_SIDE, _SIDE):
            raise BadDataError(f"{path.name} holds images of {height}×{width} pixels; FashionMNIST's are 28×28")
        size *= _SIDE * _SIDE
    if len(content) - header != size:
        raise BadDataError(
            f"{path.name} is cut short or damaged: its header promises {size:,} bytes, {len(content) - header:,} follow"
        )
    del content[:header]
    return content


def _unpack(path: Path) -> bytearray:
    """The content, read only as far as the longest of the files reaches: a small one may unfold to any size."""
    if path.is_dir():
        raise BadDataError(f"{path.name} is a folder; the file of that name is expected in its place")
    openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
    try:
        with openers.get(path.suffix, open)(path, "rb") as file:
            return bytearray(file.read(_LONGEST + 1))
    except EOFError as error:
        raise BadDataError(f"{path.name} is cut short: the compressed data end too early") from error
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise BadDataError(f"{path.name} is damaged or no {path.suffix} file ({error})") from error
    except MemoryError as error:
        raise BadDataError(f"{path.name} unfolds to more than the memory holds") from error
    except OSError as error:
        raise BadDataError(f"{path.name} cannot be read ({error.strerror or error}); {PERMIT}") from error


def _verify(split: str, images: bytearray, labels: bytearray) -> None:
    if bytes(labels[:10]) in _MNIST_LABELS:
        raise BadDataError("this is MNIST, the handwritten digits; FashionMNIST uses the same file names")
    count = len(images) // (_SIDE * _SIDE)
    if count != len(labels):
        raise BadDataError(f"{count:,} images but {len(labels):,} labels: the labels belong to another split")
    if (split, count) not in CHECKSUMS:
        raise BadDataError(f"{count:,} images; FashionMNIST's {split} split has {FULL_COUNTS[split]:,}")
    expected = CHECKSUMS[split, count]
    if hashlib.sha256(images).hexdigest() != expected[0]:
        raise BadDataError("the pixels are not FashionMNIST's (their checksum differs)")
    if hashlib.sha256(labels).hexdigest() != expected[1]:
        raise BadDataError(_explain_labels(labels))


def _explain_labels(labels: bytearray) -> str:
    counts = [labels.count(label) for label in range(10)]
    if sum(counts) < len(labels):
        return f"the labels reach {max(labels)}; FashionMNIST's are 0 to 9"
    if len(labels) in FULL_COUNTS.values() and len(set(counts)) > 1:
        return f"the labels are unbalanced, {min(counts):,} to {max(counts):,} per class; FashionMNIST's are even"
    return "the labels are not those of the images (their checksum differs)"
