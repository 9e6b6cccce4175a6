"""What is kept between two runs of a kernel: guesses, what was right once, tries and hints, in a file beside notebooks.

Where no notebook lies beside, where nothing can be written, or with ``VGG_LESSON_PROGRESS=memory``, memory is all.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vgg_lesson.support.files import write_atomically

FILE = ".vgg_lesson_progress.json"
VARIABLE = "VGG_LESSON_PROGRESS"
VERSION = 1
MOST_TRIES = 1000


@dataclass
class Entry:
    """What is known of one question: the noted guess, whether it was ever right, different answers tried, hints seen.

    ``tries`` holds a short mark of each different answer, so that a cell that is run again is not a further try.
    """

    guess: Any = None
    right: bool = False
    tries: list[str] = field(default_factory=list)
    hints: int = 0

    def merged(self, other: Entry) -> Entry:
        """This entry with what ``other``, written by another kernel, has found out beside it."""
        tries = [*self.tries, *(mark for mark in other.tries if mark not in self.tries)]
        guess = other.guess if self.guess is None else self.guess
        return Entry(guess, self.right or other.right, tries[:MOST_TRIES], max(self.hints, other.hints))


class Memory:
    """The entries by name; read from the file of the current folder at first use, written after each change."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._read_from: Path | None = None

    def entry(self, name: str) -> Entry:
        """The entry of this name, an empty one if there is none yet."""
        path = self.path()
        if path != self._read_from:
            self._read_from = path
            for known, entry in _read(path).items():
                self._entries[known] = self._entries.get(known, Entry()).merged(entry)
        return self._entries.setdefault(name, Entry())

    def save(self, name: str) -> None:
        """Write the entry to the file, beside what other kernels wrote there; where that fails, memory is all."""
        path = self.path()
        if path is None:
            return
        entries = _read(path)
        self._entries[name] = entries[name] = self._entries[name].merged(entries.get(name, Entry()))
        content = {"version": VERSION, "exercises": {n: asdict(entry) for n, entry in sorted(entries.items())}}
        with suppress(OSError, TypeError, ValueError):
            write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())

    @staticmethod
    def path() -> Path | None:
        """The file beside the notebooks of the current folder; None where there are none, or where it is not wanted."""
        if os.environ.get(VARIABLE, "").lower() == "memory":
            return None
        with suppress(OSError):
            folder = Path.cwd()
            if next(folder.glob("*.ipynb"), None):
                return folder / FILE
        return None


def mark_of(answer: Any) -> str:
    """A short mark that is the same for the same answer: of a function, its code counts and not its place."""
    body = getattr(answer, "__code__", None)
    said = (
        f"{body.co_code!r}{[c for c in body.co_consts if not hasattr(c, 'co_code')]}{body.co_names}" if body else answer
    )
    try:
        text = repr(said)
    except Exception:
        text = type(answer).__name__
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(path: Path | None) -> dict[str, Entry]:
    """The entries of a file; none where it is missing, damaged or of another kind."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        return {str(name): _entry(values) for name, values in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _entry(values: dict[str, Any]) -> Entry:
    tries = [str(mark) for mark in values.get("tries", [])]
    guess = values.get("guess")
    return Entry(
        tuple(guess) if isinstance(guess, list) else guess,
        bool(values.get("right")),
        tries,
        int(values.get("hints", 0)),
    )
