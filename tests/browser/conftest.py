"""A browser without internet, and the talks and the site that it looks at, each made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.browser.lab import SECONDS_TO_START, Server, server
from tools import site, slides
from tools.paths import notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

# The shell comes first: it has no window to draw.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SCREEN, LAB_SCREEN = {"width": 1280, "height": 720}, {"width": 1280, "height": 900}


class OfflinePage:
    """A page that reaches files only; ``left`` lists what it wanted from elsewhere, ``errors`` what failed in it."""

    def __init__(self, page: Page):
        self.page = page
        self.left: list[str] = []
        self.errors: list[str] = []
        page.route("**/*", self._route)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: Path) -> Page:
        """Show a file."""
        self.page.goto(path.as_uri())
        return self.page

    def _route(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:", "about:")):
            route.continue_()
        else:
            self.left.append(route.request.url)
            route.abort()


# Of the package, not of the session: while Playwright runs, no other test could use asyncio.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium without a window; skips where it or Playwright is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if binary is None:
        pytest.skip(f"no browser here: none of {', '.join(CHROMIUM)} is on the path")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"] if root else [])
        yield browser
        browser.close()


@pytest.fixture
def offline(chromium: Browser) -> Iterator[OfflinePage]:
    """A fresh page of 1280×720 that reaches files only."""
    context = chromium.new_context(viewport=SCREEN)  # type: ignore[arg-type]
    yield OfflinePage(context.new_page())
    context.close()


class Talks(dict[str, Path]):
    """Talks by the notebook's name, "05_why_it_stalls", and "-class" for its cut; made when they are asked for."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Path:
        (path,) = notebooks([name[:2]])
        self[name] = slides.write(path, self.folder, for_class=name.endswith("-class"))
        return self[name]


@pytest.fixture(scope="package")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Talks:
    """The talks of all notebooks, whole and cut for a class."""
    return Talks(tmp_path_factory.mktemp("slides"))


@pytest.fixture(scope="package")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static site, built once for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            site.build(folder)
    return folder


@pytest.fixture(scope="package")
def lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests here; asked for after the browser, so that it starts only where there is one."""
    with server(tmp_path_factory.mktemp("lab")) as place:
        yield place


@pytest.fixture(scope="package")
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """What all pages of a server share: the scripts that were fetched and translated once."""
    context = chromium.new_context(viewport=LAB_SCREEN)  # type: ignore[arg-type]
    context.set_default_timeout(1000 * SECONDS_TO_START)
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Iterator[Page]:
    """A fresh page of 1280×900."""
    page = window.new_page()
    yield page
    page.close()
