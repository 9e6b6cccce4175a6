"""Writing files so that a reader finds the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

REASONS = {
    errno.ENOSPC: "the disk is full; make room and try again",
    getattr(errno, "EDQUOT", -1): "your share of the disk is used up; make room and try again",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "you may not write there; choose another folder",
    errno.EPERM: "you may not write there; choose another folder",
    errno.ENOTDIR: "a file is in the place of the folder; choose another folder",
    errno.EISDIR: "that is a folder; choose another name",
}


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` through a temporary file in the same folder, which is made if missing.

    Raises:
        OSError: the folder cannot be written or the disk is full, said in words; ``path`` is then as it was.
    """
    path = Path(path)
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, content)
    except OSError as error:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        words = REASONS.get(error.errno or 0)
        if words is None:
            raise
        raise OSError(error.errno, words, str(path)) from error


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
