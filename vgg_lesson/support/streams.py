"""Output that can be pasted into a shell, and streams that may be closed, full or broken without ending the work."""

from __future__ import annotations

import errno
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

_PLAIN = re.compile(r"[\w@%+=:,./\\~-]+", re.ASCII)


def quoted(text: str | os.PathLike[str], *, windows: bool = sys.platform == "win32") -> str:
    """``text`` as one word of a command line: for PowerShell on Windows, else for bash and zsh."""
    word = os.fspath(text)
    if windows:
        is_plain = _PLAIN.fullmatch(word) and not word.startswith(("~", "-", "@", "%"))
        return word if is_plain else "'" + re.sub(r"(['‘’‚‛])", r"\1\1", word) + "'"
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_as_octal(byte) for byte in os.fsencode(word)) + "'"


def setting(variable: str, value: str | os.PathLike[str], *, windows: bool = sys.platform == "win32") -> str:
    """The command that sets an environment variable: for PowerShell on Windows, else for bash and zsh."""
    if windows:
        word = quoted(value, windows=True)
        return f"$env:{variable} = {word}" if word.startswith("'") else f"$env:{variable} = '{word}'"
    return f"export {variable}={quoted(value, windows=False)}"


def as_argument(path: Path) -> str:
    """A path as an argument of a command: quoted, and never taken for an option."""
    text = str(path)
    return quoted(f".{os.sep}{text}" if text.startswith("-") else text)


@contextmanager
def forgiving_streams() -> Iterator[list[str]]:
    """Inside, what is printed to a closed, full or broken stdout or stderr is lost, and nothing else.

    The list that is given names what of stdout was lost, other than to a reader that went away.
    """
    before = sys.stdout, sys.stderr
    _occupy_standard_handles()
    lost: list[str] = []
    sys.stdout, sys.stderr = _Forgiving(before[0], lost), _Forgiving(before[1], [])
    try:
        yield lost
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        sys.stdout, sys.stderr = before


class _Forgiving:
    """A text stream that writes to another one as long as that takes it."""

    def __init__(self, stream: TextIO | None, lost: list[str]):
        self._stream: Any = stream if stream is not None else io.StringIO()
        self._lost, self._broken = lost, stream is None
        if isinstance(stream, io.TextIOWrapper):  # an arrow must not end a command where the terminal knows none
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Write it, or lose it; returns its length."""
        self._tried("write", text)
        return len(text)

    def flush(self) -> None:
        """Hand on what waits, as far as that can be done."""
        self._tried("flush")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _tried(self, method: str, *arguments: Any) -> None:
        if self._broken:
            return
        try:
            getattr(self._stream, method)(*arguments)
        except (OSError, ValueError) as error:  # ValueError is said of a stream that was closed
            self._broken = True
            if getattr(error, "errno", None) not in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL of a pipe
                self._lost.append(getattr(error, "strerror", None) or str(error))
            self._turn_away()

    def _turn_away(self) -> None:
        """Lead what still waits in the stream to nowhere, or its last flush complains when Python ends."""
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def _as_octal(byte: int) -> str:
    return chr(byte) if chr(byte).isascii() and chr(byte).isprintable() and chr(byte) not in "'\\" else f"\\{byte:03o}"


def _occupy_standard_handles() -> None:
    """A file that is opened while 0, 1 or 2 is closed would take its number, and whatever a library prints there."""
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
