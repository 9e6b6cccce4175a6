"""Talks from the notebooks: one HTML file each, which needs neither internet nor a server.

``python -m tools slides 05`` writes ``build/slides/05.html``; with ``--class`` the cut for a class: the core exercises,
the sections that the guide plans, at most thirty pages an hour. Open it in a browser; ``S`` opens the speaker's view
with the notes, ``O`` the overview, and ``?print-pdf`` behind the address lays out pages to print. ``tools/deck.py``
says what is shown; stored outputs are shown, nothing is run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools import pages
from tools.deck import deck
from tools.live import write_page
from tools.paths import NOTEBOOKS, ROOT, notebooks
from tools.run_sheets import skipped
from tools.times import planned
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build" / "slides"
PAGES_AN_HOUR = 30
WRITTEN = ("reveal/reveal.css", "deck/deck.css")


class TalkExporter(SlidesExporter):
    """nbconvert's slides on the plain template, with formulas as MathML and the pieces that ``tools.deck`` chooses."""

    def __init__(self, **options: Any):
        super().__init__(
            template_name="deck", extra_template_basedirs=[str(pages.ASSETS)], embed_images=True,
            exclude_input_prompt=True, exclude_output_prompt=True, **options,
        )  # fmt: skip
        self.register_filter("markdown2html", partial(pages.markdown, images=NOTEBOOKS))


def shown(notebook: NotebookNode, left_out: Sequence[str] | None = None, most: int | None = None) -> NotebookNode:
    """The pieces of a talk as `deck` chooses them, and the live page behind them where the notebook names it."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    addresses = pages.LIVE_CALL.findall("\n".join(texts))
    pieces = deck(notebook, left_out, most and most - bool(addresses))
    pieces.cells += [_live(address) for address in addresses[-1:]]
    return pieces


def talk(notebook: NotebookNode, left_out: Sequence[str] | None = None, most: int | None = None) -> str:
    """The notebook as one HTML page of slides, everything it needs inside; the rest as for `shown`."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    body, _ = TalkExporter().from_notebook_node(shown(notebook, left_out, most))
    soup = pages.accessible(BeautifulSoup(body, "html.parser"))
    return pages.filled(
        "deck/page.html",
        title=pages.title_of(texts[0], "Slides"), slides=str(soup),
        style="\n".join([*map(pages.asset, WRITTEN), pages.code_colors()]),
        reveal=pages.asset("reveal/reveal.js"), notes=pages.asset("reveal/notes.js"), fit=pages.asset("deck/fit.js"),
    )  # fmt: skip


def _live(address: str) -> NotebookNode:
    """The last page of a talk whose notebook calls `vgg_lesson.live`: the page itself."""
    frame = (
        f'## VGG, live\n\n<iframe class="live" title="VGG, live" src="{pages.LIVE_PAGE}#{escape(address)}"></iframe>'
    )
    return new_markdown_cell(frame, metadata={"slideshow": {"slide_type": "slide"}})


def write(path: Path, folder: Path = FOLDER, *, for_class: bool = False) -> Path:
    """Write the talk of one notebook; returns the file, named after the notebook's number."""
    notebook, number = nbformat.read(path, as_version=4), path.stem[:2]
    target = folder / (f"{number}-class.html" if for_class else f"{number}.html")
    page = talk(notebook, skipped(number), most_pages(path)) if for_class else talk(notebook)
    write_atomically(target, page.encode())
    if pages.LIVE_PAGE in page:
        write_page(folder / pages.LIVE_PAGE)
    return target


def most_pages(path: Path) -> int:
    """How many pages a class has time for, the live one included: thirty in an hour of the minutes in the plan."""
    in_class, _ = planned(path)
    return PAGES_AN_HOUR * in_class // 60


def main(arguments: list[str]) -> int:
    """``python -m tools slides [NAME …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools slides", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help='notebooks, such as "05"; default: all')
    parser.add_argument("--class", action="store_true", dest="for_class", help="the cut for a class, NN-class.html")
    options = parser.parse_args(arguments)
    for path in notebooks(options.names):
        print(f"wrote {pages.relative(write(path, for_class=options.for_class))}")
    return 0
