"""The students' edition: a folder, ready to be a repository of its own, from which a class starts.

``python -m tools student DIR`` writes working copies of the notebooks without outputs, notes and folded solutions, the
package with its data sample and weights, ``binder/``, and a README for students. The instructor's guide with its
answers, the sources of the homework, tools and tests stay behind. ``--with-solutions`` keeps the folded solutions.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tools.paths import NOTEBOOKS, ROOT, notebooks
from vgg_lesson.classroom.working_copy import stripped
from vgg_lesson.support.files import write_atomically

FOLDERS = ("vgg_lesson", "binder")
FILES = ("pyproject.toml", "requirements.txt", "LICENSE", "LICENSE-text", "CITATION.cff", ".gitignore")
BESIDE = ("glossary.md", "before_and_after_test.md", "images")  # what notebooks link to
UNWANTED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".ipynb_checkpoints")
README = """# VGG, taught step by step

Notebooks that take you from "why would depth matter?" to a VGG that you built, counted, trained and looked inside. You
predict, you run, then you explain; every exercise can be checked on the spot.

Open `notebooks/00_start_here.ipynb`. On your own machine, with Python 3.11 or newer:

```bash
python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
.venv/bin/jupyter lab notebooks/00_start_here.ipynb
```

On Windows write `py -m venv .venv`, and `.venv\\Scripts\\pip` and `.venv\\Scripts\\jupyter` for the other two.
`.venv/bin/python -m vgg_lesson doctor` says whether your machine will do.

Code: MIT License. Text and figures: CC BY 4.0.
"""


def write(target: Path, *, with_solutions: bool = False) -> list[Path]:
    """Write the edition; returns the notebooks in it.

    Raises:
        ValueError: ``target`` lies in this repository, or holds something that is no edition.
    """
    target = target.resolve()
    if target.is_relative_to(ROOT):
        raise ValueError(f"DIR={str(target)!r} lies in this repository; name a folder outside")
    if target.exists() and any(target.iterdir()) and not (target / "notebooks" / "00_start_here.ipynb").exists():
        raise ValueError(f"DIR={str(target)!r} is not empty and no students' edition; name another folder")
    for name in FOLDERS:
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(ROOT / name, target / name, ignore=UNWANTED)
    for name in filter(lambda name: (ROOT / name).exists(), FILES):
        shutil.copy2(ROOT / name, target / name)
    for name in filter(lambda name: (NOTEBOOKS / name).exists(), BESIDE):
        source, place = NOTEBOOKS / name, target / "notebooks" / name
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            write_atomically(place, source.read_bytes())
    write_atomically(target / "README.md", README.encode())
    written = []
    for path in notebooks():
        written.append(target / "notebooks" / path.name)
        write_atomically(written[-1], stripped(path.read_bytes(), with_solutions))
    return written


def main(arguments: list[str]) -> int:
    """``python -m tools student DIR [--with-solutions]``"""
    parser = argparse.ArgumentParser(prog="python -m tools student", description=__doc__)
    parser.add_argument("target", metavar="DIR", type=Path, help="a folder outside this repository")
    parser.add_argument("--with-solutions", action="store_true", help="keep the folded solutions")
    options = parser.parse_args(arguments)
    try:
        written = write(options.target, with_solutions=options.with_solutions)
    except ValueError as error:
        parser.error(str(error))
    print(f"wrote {len(written)} notebooks and what they need to {options.target}. To publish it:")
    print(f"  cd {options.target} && git init -b main && git add -A && git commit -m 'The lesson for our class'")
    return 0
