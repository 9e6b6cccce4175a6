"""Where things stand in the repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CLAIMS = ROOT / "tests" / "claims"
ASSETS = ROOT / "vgg_lesson" / "assets"
RECORDS = ROOT / "tools" / "records"  # what was measured for maintainers and the guide; the package goes without


class WrongNameError(ValueError):
    """A name on the command line that fits no notebook, or several."""


def notebooks(names: Iterable[str] = ()) -> list[Path]:
    """The notebooks in order, or those that ``names`` names: "05", "05_why_it_stalls" or a path.

    Raises:
        WrongNameError: a name that fits no notebook or several.
    """
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    return [_find(name, every) for name in names] or every


def homework() -> list[Path]:
    """The homework's notebooks, as instructors see them, and their README."""
    folder = NOTEBOOKS / "homework"
    return [*sorted((folder / "source").glob("hw*/*.ipynb")), folder / "README.md"]


def documents() -> list[Path]:
    """Everything with fact markers in its prose: the README, the notebooks, the guides beside them, the homework."""
    return [ROOT / "README.md", *sorted(NOTEBOOKS.glob("*.md")), *notebooks(), *homework()]


def _find(name: str, every: list[Path]) -> Path:
    stem = Path(name).name.removesuffix(".ipynb")
    fitting = [path for path in every if path.stem == stem] or [path for path in every if path.stem.startswith(stem)]
    if len(fitting) != 1:
        raise WrongNameError(f"notebook {name!r} fits {len(fitting)} of {', '.join(path.stem for path in every)}")
    return fitting[0]
