"""A projector of 1280×720 at 150%: figures fit the screen, and code of 79 columns is not cut."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import SECONDS_TO_START, SETTINGS, OpenNotebook, Server, free_port, running, shoot
from tests.marks import long
from tools.paths import NOTEBOOKS, notebooks
from tools.proofs.series import command

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ZOOM = 1.5
SCREEN = {"width": round(1280 / ZOOM), "height": round(720 / ZOOM)}
COLUMNS = 79
LEAVE_THE_FILES = "() => { jupyterapp.shell.collapseLeft(); jupyterapp.shell.mode = 'single-document'; }"
MEASURE = """(columns) => {
  const inside = (element) => element.closest(".jp-WindowedPanel-outer, .jp-NotebookPanel-notebook");
  const found = {wide: [], tall: [], cut: [], pictures: 0, lines: 0};
  for (const image of document.querySelectorAll(".jp-OutputArea-output img")) {
    const box = image.getBoundingClientRect(), frame = inside(image).getBoundingClientRect();
    if (!box.width) continue;
    found.pictures += 1;
    if (box.right > frame.right + 1) found.wide.push(image.alt.slice(0, 60));
    if (box.height > window.innerHeight) found.tall.push(image.alt.slice(0, 60) + " " + box.height);
  }
  for (const line of document.querySelectorAll(".jp-CodeCell .cm-line")) {
    if (line.textContent.length > columns) continue;
    found.lines += 1;
    const range = document.createRange();
    range.selectNodeContents(line);
    const shown = line.closest(".cm-scroller").getBoundingClientRect();
    if (range.getBoundingClientRect().right > shown.right + 1) found.cut.push(line.textContent);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab on the notebooks as they are stored, outputs included."""
    folder = tmp_path_factory.mktemp("projector")
    (folder / "settings").mkdir()
    (folder / "settings" / "overrides.json").write_text(json.dumps(SETTINGS))
    place = Server("jupyterlab", free_port(), secrets.token_hex(16))
    start = [*command(place, NOTEBOOKS), "--LabApp.expose_app_in_browser=True"]
    start.append(f"--LabApp.app_settings_dir={folder / 'settings'}")
    private = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")}
    with running(place, start, folder / "server.log", env={**os.environ, **private}):
        yield place


@pytest.fixture
def projected(chromium: Browser) -> Iterator[Page]:
    """A page as a projector shows it."""
    context = chromium.new_context(viewport=SCREEN, device_scale_factor=ZOOM)  # type: ignore[arg-type]
    context.set_default_timeout(1000 * SECONDS_TO_START)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("number", [pytest.param(number, marks=long) for number in ("02", "03", "05", "07")])
def test_figures_fit_and_code_is_not_cut(stored: Server, projected: Page, number: str) -> None:
    (path,) = notebooks([number])
    OpenNotebook(projected, stored, path.stem)
    projected.evaluate(LEAVE_THE_FILES)
    projected.wait_for_timeout(1500)
    found = projected.evaluate(MEASURE, COLUMNS)
    shoot(projected, f"projector_{number}")
    assert found["lines"] > 50 and found["pictures"] >= 3
    assert not found["wide"] and not found["cut"] and not found["tall"], found
