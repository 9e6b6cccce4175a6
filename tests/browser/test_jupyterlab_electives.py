"""The electives and the end in JupyterLab, 08 to 12, as `test_jupyterlab` does the main line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import Server, run_and_move
from tools.paths import notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = [path.stem for path in notebooks() if path.stem >= "08"]


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_its_views_answer(lab: Server, page: Page, name: str) -> None:
    run_and_move(lab, page, name)
