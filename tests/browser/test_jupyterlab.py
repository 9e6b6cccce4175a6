"""The main line in JupyterLab, 00 to 07: every notebook from a fresh kernel, every control of its views.

Screenshots are left in ``build/browser``; ``VGG_LESSON_SCREENSHOTS=DIR`` puts them elsewhere. The other notebooks have
a file of their own, so that two processes can share the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import Server, run_and_move
from tools.paths import notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = [path.stem for path in notebooks() if path.stem < "08"]


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_its_views_answer(lab: Server, page: Page, name: str) -> None:
    run_and_move(lab, page, name)
