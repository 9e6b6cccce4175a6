"""Writing files so that a reader finds the old ones or the new ones, never half of one, nor one of two.

What was there is replaced as a careful editor does it: a link stays a link, modes and owners stay, a new file gets what
the umask allows.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import math
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

DRAFT_LETTERS = 8  # that `_draft` adds to a name
LONGEST_NAME = 255  # bytes of a file's name that the usual disks allow
REASONS = {
    errno.ENOSPC: "the disk is full; make room and try again",
    getattr(errno, "EDQUOT", -1): "your share of the disk is used up; make room and try again",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "you may not write there; choose another folder",
    errno.EPERM: "you may not write there; choose another folder",
    errno.ENOTDIR: "a file is in the place of the folder; choose another folder",
    errno.EISDIR: "that is a folder; choose another name",
    errno.ENAMETOOLONG: "the name is too long for this disk; choose a shorter one",
    errno.ELOOP: "it is a link that leads to itself; choose another name",
    errno.ENOENT: "there is no such folder, and none can be made; choose another folder",
    errno.EEXIST: "that is a file; choose a folder",
}
# Some network drives and sticks do not know how to wait for the disk; a disk that is full says so by other codes.
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, getattr(errno, "ENOTSUP", -1), getattr(errno, "EOPNOTSUPP", -1), errno.EBADF}
_PRIVATE, _ANYBODY = 0o600, 0o666

PACKAGE = Path(str(files("vgg_lesson")))
if not PACKAGE.is_dir():
    raise ImportError(f"vgg_lesson cannot run from inside {PACKAGE.parent}; unpack it, or install it with pip")


def asset(*parts: str) -> Path:
    """The path of a file or folder that the package carries in its ``assets``."""
    return PACKAGE.joinpath("assets", *parts)


def user_path(path: str | os.PathLike[str]) -> Path:
    """``path`` with a leading ``~`` as the home folder, which a shell does not replace in ``--to=~/data``.

    ``./~`` is a folder of that name here; it comes back absolute, since `Path` forgets the ``./``.
    """
    if os.fspath(path).startswith(os.path.join(os.curdir, "~")):
        return Path(path).absolute()
    with suppress(RuntimeError):  # no home folder is known
        return Path(path).expanduser()
    return Path(path)


def named_beside(path: Path, ending: str) -> Path:
    """A file beside ``path``, its name with ``ending``; a name that would be too long is cut to fit."""
    if len(os.fsencode(path.name + ending)) <= LONGEST_NAME:
        return path.with_name(path.name + ending)
    return path.with_name(_digest(path.name) + ending)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """``value`` as JSON; numbers that JSON does not know, such as the loss of a run that diverged, become null."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` through a temporary file in the same folder, which is made if missing.

    Raises:
        OSError: the folder cannot be written or the disk is full, said in words; ``path`` is then as it was.
    """
    write_together({path: content})


def write_together(contents: Mapping[str | Path, bytes]) -> None:
    """Write files that belong together, given by path: all of them, or none if one cannot be written.

    Raises:
        OSError: a folder cannot be written or the disk is full, said in words; all files are then as they were.
    """
    paths = [user_path(path) for path in contents]
    missing: list[Path] = []
    drafts: dict[Path, Path] = {}
    kept: dict[Path, Path | None] = {}
    path = paths[0]
    try:
        for path, content in zip(paths, contents.values(), strict=True):
            if _is_special(path):  # before its links are followed: /dev/stdout leads to a pipe that has no path
                path.write_bytes(content)
                continue
            target = _target(path)
            missing += [folder for folder in target.parents if not folder.exists()]
            drafts[target] = _draft(target, content)
        for target, draft in drafts.items():
            path = target
            if len(drafts) > 1:
                kept[target] = _kept(target)
            draft.replace(target)
    except BaseException as error:
        _undo(drafts, kept, missing)
        if isinstance(error, OSError):
            number = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno or 0  # of the folder
            if words := REASONS.get(number):
                raise OSError(number, words, str(path)) from error
        raise
    for copy in kept.values():
        if copy is not None:
            copy.unlink(missing_ok=True)


def remove_drafts(*paths: str | Path) -> None:
    """Remove what processes that were killed while writing ``paths`` left beside them; nobody else may be writing."""
    for path in map(user_path, paths):
        with suppress(OSError):
            target = _target(path)
            for draft in target.parent.glob(glob.escape(_prefix(target)) + "?" * DRAFT_LETTERS):
                draft.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """The file that is to be written: where a link leads, though nothing may be there yet."""
    if not path.is_symlink():
        return path
    try:
        return path.resolve()
    except RuntimeError as error:  # how Python before 3.13 says it
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error


def _is_special(path: Path) -> bool:
    """Whether it is no file to be replaced but a place to write to, such as /dev/stdout or a pipe."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _prefix(path: Path) -> str:
    is_long = len(os.fsencode(path.name)) > LONGEST_NAME - DRAFT_LETTERS - len("..")
    return f".{_digest(path.name) if is_long else path.name}."


def _digest(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:32]


def _fresh(path: Path) -> Path:
    """A name that nobody uses, beside ``path``."""
    return path.with_name(_prefix(path) + secrets.token_hex(DRAFT_LETTERS // 2))


def _draft(path: Path, content: bytes) -> Path:
    """``content`` in a temporary file beside ``path``, surely on the disk, with the mode that ``path`` shall have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    before = path.stat() if path.exists() else None
    draft = _fresh(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    # What stays private is private from its first byte on; a new file gets what the umask leaves.
    handle = os.open(draft, flags, _PRIVATE if before else _ANYBODY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            try:
                os.fsync(file.fileno())
            except OSError as error:
                if error.errno not in _NO_SYNC:
                    raise
        if before:
            _take_over(draft, before)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _take_over(draft: Path, before: os.stat_result) -> None:
    """Owner and mode of the file that is replaced, as far as the disk knows such things and one may."""
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(draft, before.st_uid, before.st_gid)
    with suppress(OSError):
        draft.chmod(stat.S_IMODE(before.st_mode))


def _kept(path: Path) -> Path | None:
    """What is at ``path`` under a second name, until all files that belong together are written; None if nothing is."""
    if not path.exists():
        return None
    copy = _fresh(path)
    try:
        os.link(path, copy)
    except OSError:  # not every disk knows links
        shutil.copy2(path, copy)
    return copy


def _undo(drafts: Mapping[Path, Path], kept: Mapping[Path, Path | None], missing: list[Path]) -> None:
    """Put everything back as it was."""
    for target, copy in kept.items():
        with suppress(OSError):
            if drafts[target].exists():  # it was not replaced yet
                if copy is not None:
                    copy.unlink()
            elif copy is not None:
                copy.replace(target)
            else:
                target.unlink()
    for draft in drafts.values():
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    for folder in missing:
        with suppress(OSError):
            folder.rmdir()
