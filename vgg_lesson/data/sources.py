"""Where FashionMNIST comes from on this machine: the search order, and the download or sample at its end."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from vgg_lesson.data.download import download
from vgg_lesson.data.idx import FILES, PERMIT, SAMPLE_COUNTS, BadDataError, is_there, near_misses, read_split
from vgg_lesson.support.environment import switch_from
from vgg_lesson.support.files import PACKAGE, asset, user_path

FOLDER_VARIABLE = "VGG_LESSON_DATA"
OFFLINE_VARIABLE = "VGG_LESSON_OFFLINE"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
SAMPLE = asset("sample")
REPOSITORY = PACKAGE.resolve().parent  # a clone; of an installed package the folder that holds packages
REPOSITORY_MARKS = ("pyproject.toml", "notebooks/00_start_here.ipynb")
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
        return _read_named("root", root, split)
    if folder := named_folder():
        return _read_named(FOLDER_VARIABLE, folder, split)
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
    folders = [_here() / "data", *_folders_of_repository(), DEBIAN]
    return list(dict.fromkeys(folders))


def download_folder() -> Path:
    """Where a download goes: ``data`` in the repository, or here if the package is installed without it."""
    return next(_folders_of_repository(), _here() / "data")


def named_folder() -> str:
    """What ``VGG_LESSON_DATA`` says, without blanks and quotation marks around it; "" if it says nothing."""
    return os.environ.get(FOLDER_VARIABLE, "").strip().strip("\"'")


def is_offline() -> bool:
    """Whether ``VGG_LESSON_OFFLINE`` forbids the download; ValueError if it says neither yes nor no."""
    return switch_from(OFFLINE_VARIABLE)


def shown(folder: Path) -> str:
    """``folder`` as a reader knows it: relative to the repository or the home folder where it lies in there."""
    with suppress(ValueError):
        return folder.relative_to(REPOSITORY).as_posix()
    with suppress(ValueError, RuntimeError, KeyError):  # not everybody has a home folder
        return "~/" + folder.relative_to(Path.home()).as_posix()
    return str(folder)


def is_repository() -> bool:
    """Whether the package lies in a clone of this lesson, not beside other packages, which may have notebooks too."""
    return all((REPOSITORY / mark).is_file() for mark in REPOSITORY_MARKS)


def _here() -> Path:
    """The current folder; a relative path where it was removed under us."""
    try:
        return Path.cwd()
    except OSError:
        return Path()


def _folders_of_repository() -> Iterator[Path]:
    if is_repository():
        yield REPOSITORY / "data"
        yield REPOSITORY / "notebooks" / "data"


def _read_named(name: str, given: str | Path, split: str) -> Found:
    place = f"{name}={str(given)!r}"
    remedy = f"Name a folder with FashionMNIST's four files, or none; {ADVICE}."
    try:
        folder = user_path(given)
        if not is_there(folder) or not folder.is_dir():
            is_file = is_there(folder)
            kind = "a file; the folder that it lies in is expected" if is_file else "missing"
            raise ValueError(f"{place} is {kind}. {remedy}")
        arrays = read_split(folder, split)
        near = "" if arrays else near_misses(folder, split)
    except OSError as error:
        raise ValueError(f"{place} cannot be read ({error.strerror}); {PERMIT}. {remedy}") from error
    except BadDataError as error:
        raise ValueError(f"{place}: {error}. {remedy}") from error
    if arrays is None:
        told = f"; {near}" if near else ""
        raise ValueError(
            f"{place} holds no {FILES[split][0]} (plain or .gz), nor does FashionMNIST/raw in it{told}. {remedy}"
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
