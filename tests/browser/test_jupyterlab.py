"""JupyterLab: a whole notebook from a fresh kernel, and every view of the series behind its setup cell alone.

That every notebook runs to its end is nbval's to show. Screenshots are left in ``build/browser``;
``VGG_LESSON_SCREENSHOTS=DIR`` puts them elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import OpenNotebook, Server, View, move_every_control, shoot
from tests.marks import long
from tests.notebook_rules import read
from tools.paths import notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Page

VIEWS = [
    (path.stem, cell.source)
    for path in notebooks()
    for cell in read(path).cells
    if cell.cell_type == "code" and cell.source.startswith("widgets.")
]


def test_a_notebook_runs_from_a_fresh_kernel_to_its_end(lab: Server, page: Page) -> None:
    notebook = OpenNotebook(page, lab, "00_start_here")
    notebook.restart_and_run_all()
    assert not notebook.errors
    shoot(page, "00_start_here")


@long
@pytest.mark.parametrize(("name", "call"), VIEWS)
def test_a_view_answers_every_control(lab: Server, page: Page, name: str, call: str) -> None:
    notebook = OpenNotebook(page, lab, name)
    notebook.run_setup()
    notebook.answer(number := notebook.number_of(call), call)
    view = View(notebook, number)
    move_every_control(view, f"{name}, {call}")
    view.settle()
    shoot(page, f"{name}-{call.removeprefix('widgets.').partition('(')[0]}")
    assert not notebook.errors
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
