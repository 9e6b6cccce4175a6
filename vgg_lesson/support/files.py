"""Writing files so that a reader finds the old ones or the new ones, never half of one, nor one of two."""

from __future__ import annotations

import errno
import glob
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

DRAFT_LETTERS = 8  # that tempfile.mkstemp adds to a name
REASONS = {
    errno.ENOSPC: "the disk is full; make room and try again",
    getattr(errno, "EDQUOT", -1): "your share of the disk is used up; make room and try again",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "you may not write there; choose another folder",
    errno.EPERM: "you may not write there; choose another folder",
    errno.ENOTDIR: "a file is in the place of the folder; choose another folder",
    errno.EISDIR: "that is a folder; choose another name",
}

PACKAGE = Path(str(files("vgg_lesson")))


def asset(*parts: str) -> Path:
    """The path of a file or folder that the package carries in its ``assets``."""
    return PACKAGE.joinpath("assets", *parts)


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` through a temporary file in the same folder, which is made if missing.

    Raises:
        OSError: the folder cannot be written or the disk is full, said in words; ``path`` is then as it was.
    """
    write_together({path: content})


def write_together(contents: Mapping[str | Path, bytes]) -> None:
    """Write files that belong together, given by path: none is replaced before all of them are on the disk.

    Raises:
        OSError: a folder cannot be written or the disk is full, said in words; all files are then as they were.
    """
    paths = [Path(path) for path in contents]
    missing = [folder for path in paths for folder in path.parents if not folder.exists()]
    drafts: list[Path] = []
    path = paths[0]
    try:
        for path, content in zip(paths, contents.values(), strict=True):
            drafts.append(_draft(path, content))
        for path, draft in zip(paths, drafts, strict=True):
            draft.replace(path)
    except BaseException as error:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError) and (words := REASONS.get(error.errno or 0)):
            raise OSError(error.errno, words, str(path)) from error
        raise


def remove_drafts(*paths: str | Path) -> None:
    """Remove what processes that were killed while writing ``paths`` left beside them; nobody else may be writing."""
    for path in map(Path, paths):
        for draft in path.parent.glob(glob.escape(f".{path.name}.") + "?" * DRAFT_LETTERS):
            draft.unlink(missing_ok=True)


def _draft(path: Path, content: bytes) -> Path:
    """``content`` in a temporary file beside ``path``, surely on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft
