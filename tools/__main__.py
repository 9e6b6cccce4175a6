"""``python -m tools COMMAND``: the commands that keep outputs, numbers and links of the lesson true."""

from __future__ import annotations

import importlib
import sys

from tools.paths import WrongNameError

COMMANDS = {
    "refresh": "run the notebooks, check their claims, store outputs and numbers (--check: write nothing)",
    "numbers": "write the numbers in the prose from their facts (--check: only list the stale ones)",
    "links": "write badges and links from the repository address in pyproject.toml",
    "slides": "make talks of the notebooks: build/slides/NN.html, without internet (--class: the cut for a class)",
    "site": "make the static site of the notebooks: build/site/, to be read without internet",
    "readability": "print how hard the prose of each notebook is to read",
    "times": "measure how long the notebooks run and write it into the instructor's guide (--table: only write it)",
    "proofs": "write what the proofs (python -m tools.proofs) measured into the instructor's guide",
    "live": "export what the page VGG, live carries, and write it: build/live/live.html (--page: only write it)",
    "handout": "print the page for the door and the page for the end: build/door.pdf and build/end.pdf",
    "student": "make the students' edition in a folder DIR: no outputs, no solutions, no guide, no homework sources",
    "picture": "draw the picture at the top of the README",
    "sample": "make the data sample that is shipped with the package",
    "runs": "make the stored training logs (one group in a minute, all in a day; goes on where it stopped)",
    "ship": "make the shipped weights vgg-full of the full plan's first run",
    "inception": "make the stored runs of notebook 12 (four minutes of one processor; goes on where it stopped)",
    "screenshots": "take the README's pictures of JupyterLab",
}
MODULES = {"sample": "make_sample", "proofs": "proof_guide"}


def main(arguments: list[str]) -> int:
    """Run one command with its own arguments; returns the exit status."""
    if not arguments or arguments[0] not in COMMANDS:
        width = max(map(len, COMMANDS))
        print("usage: python -m tools COMMAND", *(f"  {n:<{width}}  {t}" for n, t in COMMANDS.items()), sep="\n")
        return 2
    name, *rest = arguments
    module = importlib.import_module(f"tools.{MODULES.get(name, name)}")
    try:
        return int(module.main(rest) or 0)
    except (WrongNameError, OSError) as error:  # a file that is not there, or cannot be written
        print(f"python -m tools {name}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
