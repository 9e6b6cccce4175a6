"""A copy of the notebooks to work in: without outputs, so that no prediction is spoiled and no update loses work."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from vgg_lesson.support.files import PACKAGE, write_atomically

RECORD = ".copied.json"
FIRST = "00_start_here.ipynb"
# What the wheel carries; beside it a clone holds the instructor's files and what its notebooks wrote when they ran.
_CARRIED, _GUIDE = ("*.ipynb", "*.md", "images/*"), "instructor_guide.md"
_FOLDED = re.compile(r"<details>\s*<summary>.*?</details>", re.DOTALL)
_GONE = "*The solution is left out of this copy.*"


@dataclass
class Copied:
    """What a copy did, file by file; the paths lie in the target.

    ``written``: new or renewed. ``kept``: edited here, unchanged in the lesson, left alone. ``beside``: edited here and
    changed in the lesson, with the path of the new version that was laid beside it. ``saved``: replaced by force, with
    the path of what stood there.
    """

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    beside: dict[Path, Path] = field(default_factory=dict)
    saved: dict[Path, Path] = field(default_factory=dict)


def originals() -> Path:
    """The folder of the notebooks: inside an installed package, or beside the package in a clone.

    Raises:
        ValueError: there are none, as when the package was installed without them.
    """
    clone = PACKAGE.parent
    packed = [PACKAGE / "notebooks", *([clone / "notebooks"] if (clone / "pyproject.toml").is_file() else [])]
    for folder in packed:
        if (folder / FIRST).is_file():
            return folder
    raise ValueError(f"no notebooks beside {PACKAGE}; install the lesson again, as its README says")


def copy_notebooks(target: Path, *, force: bool = False, solutions: bool = True, source: Path | None = None) -> Copied:
    """Bring ``target`` up to date with the lesson, file by file, and lose nothing that was edited there.

    A file that differs only in outputs counts as unedited. What was not edited since it was copied, which a hidden
    file in ``target`` records, is renewed. An edited file stays; if the lesson's changed as well, the new version is
    written beside it, as ``NAME.new.ipynb``. ``force`` replaces edited files and keeps them as ``NAME.backup.ipynb``.
    ``solutions=False`` leaves the folded solutions out.

    Raises:
        ValueError: the notebooks are not there, or ``target`` lies among them or is in the way of a file.
        OSError: ``target`` cannot be written.
    """
    source = originals() if source is None else source
    if not any(source.glob("*.ipynb")):
        raise ValueError(f"no notebooks in {source}; install the lesson again, as its README says")
    if target.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"DIR={str(target)!r} is the folder of the originals; name another one")
    contents = {path.relative_to(source).as_posix(): _content(path, solutions) for path in _files(source)}
    for name in contents:
        if (target / name).is_dir():
            raise ValueError(f"{target / name} is a folder where a file of the lesson belongs; rename it")
    recorded = _read_record(target)
    done = Copied()
    try:
        for name, content in contents.items():
            _copy_one(target, name, content, recorded, force, done)
    finally:  # what was written before a disk was full is known the next time
        if target.is_dir():
            write_atomically(target / RECORD, json.dumps(recorded, indent=1).encode())
    return done


def stripped(notebook: bytes, solutions: bool = True) -> bytes:
    """A notebook (JSON, UTF-8) without outputs, execution counts, the state of widgets and the speaker's notes.

    ``solutions=False`` takes the folded solutions out as well, and leaves a line where they were.
    """
    content = nbformat.reads(notebook.decode("utf-8"), as_version=4)
    content.metadata.pop("widgets", None)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif not solutions:
            cell.source = _FOLDED.sub(_GONE, cell.source)
        cell.metadata.pop("execution", None)
        cell.metadata.get("slideshow", {}).pop("notes", None)
    return (nbformat.writes(content) + "\n").encode("utf-8")


def enclosing_copy(folder: Path) -> Path | None:
    """The working copy that ``folder`` is or lies in, if any."""
    folder = folder.resolve()
    return next((place for place in (folder, *folder.parents) if (place / RECORD).is_file()), None)


def other_copies(target: Path) -> list[Path]:
    """The working copies of this account elsewhere that still exist; ``target`` is remembered as one more."""
    listed = Path.home() / ".vgg-lesson" / "copies.json"
    known: list[str] = []
    with suppress(OSError, ValueError, TypeError, RecursionError):
        known = [str(name) for name in json.loads(listed.read_bytes())]
    here = str(target.resolve())
    if here not in known:
        with suppress(OSError):
            write_atomically(listed, json.dumps([*known, here], indent=1).encode())
    return [Path(name) for name in known if name != here and (Path(name) / RECORD).is_file()]


def _copy_one(target: Path, name: str, content: bytes, recorded: dict[str, str], force: bool, done: Copied) -> None:
    """Bring one file up to date; ``recorded`` and ``done`` are changed in place."""
    path, digest = target / name, _digest(name, content)
    present = _digest(name, path.read_bytes()) if path.exists() else None
    if present in (None, recorded.get(name), digest):
        if present != digest:
            write_atomically(path, content)
            done.written.append(path)
    elif force:
        done.saved[path] = _free(path, "backup")
        write_atomically(done.saved[path], path.read_bytes())
        write_atomically(path, content)
        done.written.append(path)
    elif recorded.get(name) == digest:
        done.kept.append(path)
    else:
        done.beside[path] = _lay_beside(target, path, content, recorded)
    recorded[name] = digest


def _lay_beside(target: Path, path: Path, content: bytes, recorded: dict[str, str]) -> Path:
    """Write a new version beside an edited file; an earlier new version is replaced if nobody edited that one."""
    beside = path.with_name(f"{path.stem}.new{path.suffix}")
    name = beside.relative_to(target).as_posix()
    if beside.exists() and _digest(name, beside.read_bytes()) != recorded.get(name):
        beside = _free(path, "new")
        name = beside.relative_to(target).as_posix()
    write_atomically(beside, content)
    recorded[name] = _digest(name, content)
    return beside


def _free(path: Path, word: str) -> Path:
    """The first of ``NAME.WORD.ipynb``, ``NAME.WORD2.ipynb``, … that is not taken."""
    names = (f"{path.stem}.{word}{number if number > 1 else ''}{path.suffix}" for number in itertools.count(1))
    return next(free for free in map(path.with_name, names) if not free.exists())


def _files(source: Path) -> list[Path]:
    found = [path for pattern in _CARRIED for path in source.glob(pattern)]
    return sorted(path for path in found if path.is_file() and not path.name.startswith(".") and path.name != _GUIDE)


def _content(path: Path, solutions: bool) -> bytes:
    return stripped(path.read_bytes(), solutions) if path.suffix == ".ipynb" else path.read_bytes()


def _digest(name: str, content: bytes) -> str:
    """What identifies a file as unedited: its bytes, or a notebook's cells, which running and saving do not change."""
    if name.endswith(".ipynb"):
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            cells = [[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(content)["cells"]]
            content = json.dumps(cells).encode()
    return hashlib.sha256(content).hexdigest()


def _read_record(target: Path) -> dict[str, str]:
    try:
        return dict(json.loads((target / RECORD).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
