"""Talks from the notebooks: one HTML file each, which needs neither internet nor a server.

``python -m tools slides 05`` writes ``build/slides/05.html``. Open it in a browser; ``S`` opens the speaker's view with
the notes, ``O`` the overview, and ``?print-pdf`` behind the address lays out pages to print. ``tools/deck.py`` says
what is shown; stored outputs are shown, nothing is run.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from tools import pages
from tools.deck import deck
from tools.paths import NOTEBOOKS, ROOT, notebooks
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build" / "slides"
WRITTEN = ("reveal/reveal.css", "deck/deck.css")


class TalkExporter(SlidesExporter):
    """nbconvert's slides on the plain template, with formulas as MathML and the pieces that ``tools.deck`` chooses."""

    def __init__(self, **options: Any):
        super().__init__(
            template_name="deck", extra_template_basedirs=[str(pages.ASSETS)], embed_images=True,
            exclude_input_prompt=True, exclude_output_prompt=True, **options,
        )  # fmt: skip
        self.register_filter("markdown2html", partial(pages.markdown, images=NOTEBOOKS))


def talk(notebook: NotebookNode) -> str:
    """The notebook as one HTML page of slides, everything it needs inside."""
    shown = deck(notebook)
    body, _ = TalkExporter().from_notebook_node(shown)
    soup = pages.accessible(BeautifulSoup(body, "html.parser"))
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    return pages.filled(
        "deck/page.html",
        title=pages.title_of(first, "Slides"), slides=str(soup),
        style="\n".join([*map(pages.asset, WRITTEN), pages.code_colors()]),
        reveal=pages.asset("reveal/reveal.js"), notes=pages.asset("reveal/notes.js"), fit=pages.asset("deck/fit.js"),
    )  # fmt: skip


def write(path: Path, folder: Path = FOLDER) -> Path:
    """Write the talk of one notebook; returns the file, named after the notebook's number."""
    target = folder / f"{path.stem[:2]}.html"
    write_atomically(target, talk(nbformat.read(path, as_version=4)).encode())
    return target


def main(arguments: list[str]) -> int:
    """``python -m tools slides [NAME …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools slides", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help='notebooks, such as "05"; default: all')
    for path in notebooks(parser.parse_args(arguments).names):
        print(f"wrote {pages.relative(write(path))}")
    return 0
