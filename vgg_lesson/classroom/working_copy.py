"""A copy of the notebooks to work in: without outputs, so that no prediction is spoiled and no update collides."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

import nbformat

from vgg_lesson.data.sources import REPOSITORY
from vgg_lesson.support.files import write_atomically

NOTEBOOKS = REPOSITORY / "notebooks"
_LEFT_OUT = {"data", "__pycache__", "instructor_guide.md", "homework"}
_RECORD = ".copied.json"


class EditedFilesError(ValueError):
    """The target holds files that differ from what would be written there; ``paths`` lists them."""

    def __init__(self, paths: list[Path]):
        self.paths = paths
        super().__init__(f"edited since they were copied: {', '.join(map(str, paths))}")


def copy_notebooks(target: Path, *, force: bool = False, source: Path = NOTEBOOKS) -> list[Path]:
    """Write the notebooks without outputs, and the files that belong to them, to ``target``; returns what was written.

    A file that is there already stays if it differs only in outputs, and is brought up to date if it is as it was
    copied the last time, which a hidden file in ``target`` records.

    Raises:
        EditedFilesError: files there differ, and ``force`` is False; nothing is written then.
        ValueError: the lesson's notebooks are not there to be copied, or ``target`` lies among them.
        OSError: ``target`` cannot be written.
    """
    if not any(source.glob("*.ipynb")):
        raise ValueError(f"no notebooks in {source}; install the package from a clone: pip install -e .")
    if target.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"DIR={str(target)!r} is the folder of the originals; name another one")
    contents = {path.relative_to(source).as_posix(): _content(path) for path in _files(source)}
    digests = {name: _digest(name, content) for name, content in contents.items()}
    present = {name: _digest(name, (target / name).read_bytes()) for name in contents if (target / name).exists()}
    pending = [name for name in contents if present.get(name) != digests[name]]
    recorded = _read_record(target)
    edited = [target / name for name in pending if name in present and present[name] != recorded.get(name)]
    if edited and not force:
        raise EditedFilesError(edited)
    for name in pending:
        write_atomically(target / name, contents[name])
    write_atomically(target / _RECORD, json.dumps(digests, indent=1).encode())
    return [target / name for name in pending]


def stripped(notebook: bytes) -> bytes:
    """A notebook (JSON, UTF-8) without outputs, execution counts, the state of widgets and the speaker's notes."""
    content = nbformat.reads(notebook.decode("utf-8"), as_version=4)
    content.metadata.pop("widgets", None)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cell.metadata.pop("execution", None)
        cell.metadata.get("slideshow", {}).pop("notes", None)
    return (nbformat.writes(content) + "\n").encode("utf-8")


def _files(source: Path) -> list[Path]:
    return [
        path
        for path in sorted(source.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") or part in _LEFT_OUT for part in path.relative_to(source).parts)
    ]


def _content(path: Path) -> bytes:
    return stripped(path.read_bytes()) if path.suffix == ".ipynb" else path.read_bytes()


def _digest(name: str, content: bytes) -> str:
    """What identifies a file as unedited: its bytes, or a notebook's cells, which running and saving do not change."""
    if name.endswith(".ipynb"):
        with suppress(ValueError, KeyError, TypeError):
            cells = [[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(content)["cells"]]
            content = json.dumps(cells).encode()
    return hashlib.sha256(content).hexdigest()


def _read_record(target: Path) -> dict[str, str]:
    try:
        return dict(json.loads((target / _RECORD).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}
