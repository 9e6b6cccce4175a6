"""``python -m vgg_lesson data``: the full data set on this machine, whole and verified, ahead of a class."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path

from vgg_lesson.data.download import download, install, is_complete
from vgg_lesson.data.idx import FULL_COUNTS, BadDataError, encode_split
from vgg_lesson.data.sources import FOLDER_VARIABLE, OFFLINE_VARIABLE, download_folder, find_here, is_offline
from vgg_lesson.support.files import REASONS, user_path
from vgg_lesson.support.streams import setting

_PATIENCE = 3600  # seconds, ahead of a class
_REASONS = {**REASONS, errno.ENOSPC: "the disk is full; make room for 0.2 GB and try again"}


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """What ``data`` takes."""
    parser.add_argument("--to", metavar="DIR", type=user_path, default=download_folder(), help="default: %(default)s")
    parser.set_defaults(run=lambda options: fetch_data(options.to))


def fetch_data(folder: Path) -> int:
    """Make ``folder`` hold the full data set in torchvision's layout, from this machine or the network."""
    try:
        if _is_complete(folder):
            print(f"{folder} already holds FashionMNIST, whole and verified.")
        else:
            _fill(folder)
            print(f"FashionMNIST, 60,000 training and 10,000 test images, is in {folder}, verified.")
    except BadDataError as error:
        return _failure(f"the download is of no use: {error}")
    except ConnectionError as error:
        return _failure(
            f"FashionMNIST cannot be downloaded: {error}. Connect to the network and try again, or copy a folder that"
            f" has it and name it in {FOLDER_VARIABLE}. Without it the notebooks use the shipped sample."
        )
    except OSError as error:
        return _failure(f"{folder}: {_REASONS.get(error.errno or 0, error)}")
    print(f"To use it elsewhere, or from a shared folder: {setting(FOLDER_VARIABLE, folder.resolve())}")
    return 0


def _is_complete(folder: Path) -> bool:
    try:
        return is_complete(folder)
    except BadDataError as error:
        print(f"Replacing what is in {folder}: {error}.", file=sys.stderr)
        return False


def _fill(folder: Path) -> None:
    if files := _files_of_this_machine():
        install(files, folder)
    elif is_offline():
        raise ConnectionError(f"{OFFLINE_VARIABLE} forbids it")
    else:
        download(folder, seconds=_PATIENCE)


def _files_of_this_machine() -> dict[str, bytes]:
    """The four idx files if one of the usual folders has them, else nothing."""
    files: dict[str, bytes] = {}
    for split, count in FULL_COUNTS.items():
        found = find_here(split)
        if found is None or len(found.images) != count:
            return {}
        print(f"The {split} split comes from {found.source}.")
        files |= encode_split(split, found.images, found.labels)
    return files


def _failure(message: str) -> int:
    print(message, file=sys.stderr)
    return 1
