"""``python -m vgg_lesson COMMAND``: what is done before and beside the notebooks."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path

from vgg_lesson.classroom.doctor import doctor
from vgg_lesson.classroom.live import open_in_browser
from vgg_lesson.data.download import download, install, is_complete
from vgg_lesson.data.idx import FULL_COUNTS, BadDataError, encode_split
from vgg_lesson.data.sources import FOLDER_VARIABLE, OFFLINE_VARIABLE, download_folder, find_here, is_offline
from vgg_lesson.support.files import REASONS, user_path
from vgg_lesson.support.streams import as_argument, forgiving_streams, setting
from vgg_lesson.training.command import add_train_parser

_PATIENCE = 3600  # seconds, ahead of a class
_REASONS = {**REASONS, errno.ENOSPC: "the disk is full; make room for 0.2 GB and try again"}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 not done and the reason printed, 2 misused, 130 interrupted.

    What is printed to a closed stream, a full disk or a reader that went away is lost and ends nothing.
    """
    with forgiving_streams() as lost:
        try:
            options = build_parser().parse_args(arguments)
            status = int(options.run(options))
        except KeyboardInterrupt:
            status = _failure("interrupted", status=130)
        except ValueError as error:  # a setting that says neither yes nor no, say
            status = _failure(str(error))
    if lost:
        status = _failure(f"what was printed could not be written: {lost[0]}", status=status or 1)
    return status


def build_parser() -> argparse.ArgumentParser:
    """The commands with their options; each sets ``run``, a function of the parsed options."""
    parser = argparse.ArgumentParser(prog="python -m vgg_lesson", description="Commands of the VGG lesson.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("doctor", help="check this machine and say what to mend")
    check.set_defaults(run=lambda options: doctor())
    data = commands.add_parser("data", help="fetch and verify FashionMNIST ahead of a class")
    data.add_argument("--to", metavar="DIR", type=user_path, default=download_folder(), help="default: %(default)s")
    data.set_defaults(run=lambda options: fetch_data(options.to))
    copy = commands.add_parser("copy", help="write a working copy of the notebooks, without outputs")
    copy.add_argument("target", metavar="DIR", type=user_path)
    copy.add_argument("--force", action="store_true", help="overwrite files that were edited in DIR")
    copy.set_defaults(run=lambda options: make_copy(options.target, force=options.force))
    live = commands.add_parser("live", help="open the page VGG, live, in a browser; it needs no network")
    live.add_argument("--to", metavar="FILE", type=Path, help="where the page is written; default: a temporary file")
    live.set_defaults(run=lambda options: show_live(options.to))
    add_train_parser(commands)
    return parser


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


def make_copy(target: Path, *, force: bool = False) -> int:
    """Write the working copy and say how to use it."""
    from vgg_lesson.classroom.working_copy import (  # nbformat takes a second or more to import
        EditedFilesError,
        copy_notebooks,
    )

    try:
        written = copy_notebooks(target, force=force)
    except EditedFilesError as error:
        names = "".join(f"\n  {path}" for path in error.paths)
        return _failure(f"nothing was copied, for these were edited:{names}\nName another folder, or add --force.")
    except ValueError as error:
        return _failure(str(error))
    except OSError as error:
        return _failure(f"{target}: {REASONS.get(error.errno or 0, error)}")
    print(f"{len(written)} files written to {target}." if written else f"{target} is up to date.")
    print(f"Open it: jupyter lab {as_argument(target / '00_start_here.ipynb')}")
    return 0


def show_live(path: Path | None) -> int:
    """Write the page that runs a network in the browser, open it, and say where it is."""
    try:
        print(f"VGG, live: {open_in_browser(path)} (one file; pass it on)")
    except OSError as error:
        reasons = {**REASONS, errno.EEXIST: REASONS[errno.ENOTDIR]}
        return _failure(f"{path or 'the page'}: {reasons.get(error.errno or 0, error)}")
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


def _failure(message: str, *, status: int = 1) -> int:
    with forgiving_streams():
        print(message, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
