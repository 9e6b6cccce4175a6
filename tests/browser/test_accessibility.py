"""axe-core finds nothing serious in any page of the site, on a wide screen and on a phone."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SCREEN, OfflinePage
from tests.marks import long
from tools import site

SERIOUS = ("serious", "critical")
# All pages share their styles: these are looked at each time, the others with VGG_LESSON_PROOFS=1; every other one in
# the dark.
ALWAYS = ("index", "05_why_it_stalls", "search")
PAGES = [
    pytest.param(f"{name}.html", scheme, marks=() if name in ALWAYS else long)
    for name, scheme in zip(
        ["index", "live", *(path.stem for path in site.sources()), "search"], cycle(("light", "dark")), strict=False
    )
]


def violations(page: Any, *rules: str) -> list[str]:
    """The serious and critical violations that axe-core sees in a drawn page, of all rules or of some, by element."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    options = {"resultTypes": ["violations"], **({"runOnly": [*rules]} if rules else {})}
    found = axe.Axe().run(page, options=options).response["violations"]
    return [
        f"{violation['impact']} {violation['id']}: {node['html'][:120]}"
        for violation in found
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("name", "scheme"), PAGES)
def test_page_is_accessible(site_folder: Path, offline: OfflinePage, name: str, scheme: str) -> None:
    # In the dark the theme's buttons fade in from light ones, and half way there is too little contrast.
    offline.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = offline.open(site_folder / name)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    found = {"on a wide screen": violations(page)}
    page.set_viewport_size({"width": 390, "height": 720})
    found["on a phone"] = violations(page, "scrollable-region-focusable")
    assert not any(found.values()), found
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page scrolls sideways"


@pytest.mark.parametrize("html", [
    '<html lang="en"><title>x</title><main><img src="data:image/png;base64,AA"></main></html>',
    '<html><title>x</title><main><p>no language</p></main></html>',
    '<html lang="en"><title>x</title><main><p style="color: #aaa">too pale</p></main></html>',
    '<html lang="en"><title>x</title><main><pre style="width: 5em; overflow: auto">a long line</pre></main></html>',
])  # fmt: skip
def test_a_violation_is_noticed(tmp_path: Path, offline: OfflinePage, html: str) -> None:
    (tmp_path / "page.html").write_text(f"<!DOCTYPE html>{html}")
    page = offline.open(tmp_path / "page.html")
    page.set_viewport_size(SCREEN)  # type: ignore[arg-type]
    assert violations(page)
