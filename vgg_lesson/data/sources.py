"""Where FashionMNIST comes from on this machine: the search order, and the download or sample at its end."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from vgg_lesson.data.download import download
from vgg_lesson.data.idx import FILES, PERMIT, SAMPLE_COUNTS, BadDataError, is_there, read_split
from vgg_lesson.support.files import PACKAGE, asset

FOLDER_VARIABLE = "VGG_LESSON_DATA"
OFFLINE_VARIABLE = "VGG_LESSON_OFFLINE"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
SAMPLE = asset("sample")
REPOSITORY = PACKAGE.resolve().parent  # a clone; of an installed package the folder that holds packages
ADVICE = "`python -m vgg_lesson data --to DIR` fetches it into DIR"

_failed_download = ""


class Found(NamedTuple):
    """One verified split: images, uint8 (N, 28, 28), labels, int64 (N,), and where they were read from."""

    images: Tensor
    labels: Tensor
    source: str


def find(split: str, root: str | Path | None = None) -> Found:
    """Read ``split`` from the first place that has it.

    The places: ``root``, the folder that ``VGG_LESSON_DATA`` names, torchvision's ``data`` folders, Debian's package,
    torchvision's download (once per process, never when ``VGG_LESSON_OFFLINE`` is 1), the shipped sample.

    Raises:
        ValueError: an unknown split; or a folder that was named explicitly and does not hold FashionMNIST.
    """
    if not isinstance(split, str) or split not in FILES:
        raise ValueError(f"split={split!r} is unknown; choose one of {', '.join(map(repr, FILES))}")
    if root is not None:
        return _read_named("root", Path(root), split)
    if folder := os.environ.get(FOLDER_VARIABLE):
        return _read_named(FOLDER_VARIABLE, Path(folder), split)
    return find_here(split) or _download(split) or _read_sample(split)


def find_here(split: str) -> Found | None:
    """Read ``split`` from the first of the usual folders that has it; a bad one is skipped with a warning."""
    for place in usual_folders():
        try:
            arrays = read_split(place, split)
        except BadDataError as error:
            warnings.warn(f"{shown(place)} is skipped: {error}. {ADVICE}.", stacklevel=2)
            continue
        if arrays:
            return Found(*arrays, shown(place))
    return None


def usual_folders() -> list[Path]:
    """The folders looked into without being named: ``data`` here, beside the notebooks, in the repository; Debian's."""
    folders = [Path.cwd() / "data", *_folders_of_repository(), DEBIAN]
    return list(dict.fromkeys(folders))


def download_folder() -> Path:
    """Where a download goes: ``data`` in the repository, or here if the package is installed without it."""
    return next(_folders_of_repository(), Path.cwd() / "data")


def is_offline() -> bool:
    """Whether ``VGG_LESSON_OFFLINE`` forbids the download."""
    return os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0")


def shown(folder: Path) -> str:
    """``folder`` as a reader knows it: relative to the repository or the home folder where it lies in there."""
    for base, prefix in ((REPOSITORY, ""), (Path.home(), "~/")):
        if folder.is_absolute() and folder.is_relative_to(base):
            return prefix + folder.relative_to(base).as_posix()
    return str(folder)


def _folders_of_repository() -> Iterator[Path]:
    if (REPOSITORY / "notebooks").is_dir():
        yield REPOSITORY / "data"
        yield REPOSITORY / "notebooks" / "data"


def _read_named(name: str, folder: Path, split: str) -> Found:
    place = f"{name}={str(folder)!r}"
    remedy = f"Name a folder with FashionMNIST's four files, or none; {ADVICE}."
    try:
        if not is_there(folder) or not folder.is_dir():
            raise ValueError(f"{place} is {'a file' if is_there(folder) else 'missing'}. {remedy}")
        arrays = read_split(folder, split)
    except OSError as error:
        raise ValueError(f"{place} cannot be read ({error.strerror}); {PERMIT}. {remedy}") from error
    except BadDataError as error:
        raise ValueError(f"{place}: {error}. {remedy}") from error
    if arrays is None:
        raise ValueError(
            f"{place} holds no {FILES[split][0]} (plain or .gz), nor does FashionMNIST/raw in it. {remedy}"
        )
    return Found(*arrays, shown(folder))


def _download(split: str) -> Found | None:
    global _failed_download
    if is_offline() or _failed_download:
        return None
    folder = download_folder()
    try:
        download(folder)
        arrays = read_split(folder, split)
    except (OSError, BadDataError) as error:
        _failed_download = str(error)
        warnings.warn(f"FashionMNIST cannot be downloaded ({error}); the shipped sample stands in.", stacklevel=3)
        return None
    return Found(*arrays, shown(folder)) if arrays else None


def _read_sample(split: str) -> Found:
    arrays = read_split(SAMPLE, split)
    if arrays is None or len(arrays[0]) != SAMPLE_COUNTS[split]:
        raise BadDataError(f"the shipped sample is missing from {shown(SAMPLE)}; install the package again")
    return Found(*arrays, "the shipped sample")
