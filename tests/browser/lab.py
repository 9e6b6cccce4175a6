"""JupyterLab, or Notebook 7, as a student has it: a server on a copy of the notebooks, a page, and what one does."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from tools.paths import ROOT
from vgg_lesson.classroom.working_copy import copy_notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SECONDS_TO_START, SECONDS_TO_RUN = 120, 300
PATIENCE = 30.0  # seconds until a view shows something else on a busy machine
POLLING = 100  # milliseconds; by itself, a page that is waited for would be drawn all the time
PAGES = 20  # of five steps; enough for half of the longest slider
SCREENSHOTS = Path(os.environ.get("VGG_LESSON_SCREENSHOTS", ROOT / "build" / "browser"))
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
PAGE = {"disabledExtensions": {"@jupyter/nbgrader": True}}  # the tests bring it, a student does not have it
APPS = {"jupyterlab": "LabApp", "notebook": "JupyterNotebookApp"}
PANEL = "jupyterapp.shell.currentWidget"
KERNEL = f"{PANEL}.sessionContext?.session?.kernel"
IS_OPEN = f"() => window.jupyterapp && {PANEL}?.context?.isReady && {KERNEL}?.status === 'idle'"
HAS_RUN = f"""() => {{
    const cells = {PANEL}.content.model.sharedModel.cells.filter((cell) => cell.cell_type === 'code');
    const waiting = cells.filter((cell) => cell.source.trim() && cell.execution_count === null);
    const kernel = {PANEL}.sessionContext.session?.kernel?.status;
    return kernel === 'dead' || (waiting.length === 0 && kernel === 'idle');
}}"""
BROKEN = ("Error displaying widget", "Click to show javascript error", "Loading widget...")
MARK = f"""async (number) => {{
    {PANEL}.content.widgets[number].node.dataset.number = number;
    await {PANEL}.content.scrollToItem(number);
}}"""
CELLS = f"() => {PANEL}.content.model.sharedModel.toJSON().cells"


class Server:
    """Where a server listens and what opens its doors."""

    def __init__(self, application: str, port: int, token: str):
        self.application, self.port, self.token = application, port, token

    def address(self, path: str) -> str:
        """The address of a notebook; in JupyterLab in a workspace without other tabs."""
        lab = f"lab/workspaces/auto-{secrets.token_hex(4)}/tree"
        place = lab if self.application == "jupyterlab" else "notebooks"
        return f"http://127.0.0.1:{self.port}/{place}/{path}?token={self.token}"


@contextmanager
def server(folder: Path, application: str = "jupyterlab") -> Iterator[Server]:
    """``application``, or "notebook", on a working copy of the notebooks in ``folder``, under the smoke budget."""
    copy_notebooks(folder / "lesson")
    settings, config = folder / "settings", folder / "config" / "labconfig"
    for part in (settings, config):
        part.mkdir(parents=True)
    (settings / "overrides.json").write_text(json.dumps(SETTINGS))
    (config / "page_config.json").write_text(json.dumps(PAGE))
    place = Server(application, free_port(), secrets.token_hex(16))
    app = APPS[application]
    command = [
        sys.executable, "-m", application, "--no-browser", "--allow-root", f"--ServerApp.port={place.port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={place.token}", f"--{app}.expose_app_in_browser=True",
        f"--{app}.app_settings_dir={settings}", f"--ServerApp.root_dir={folder / 'lesson'}",
    ]  # fmt: skip
    private = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")}
    with running(place, command, folder / "server.log", env={**os.environ, **private}):
        yield place


@contextmanager
def running(place: Server, command: Sequence[str], log: Path, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The server that ``command`` starts, listening at ``place``; ``how`` is passed on to `subprocess.Popen`.

    Raises:
        RuntimeError: it did not start.
    """
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **how)
    try:
        _wait_for(place, process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # a kernel under way can keep it
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(place: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(f"http://127.0.0.1:{place.port}/api?token={place.token}", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{place.application} did not start: {log.read_text()[-2000:]}")


class OpenNotebook:
    """One notebook in a browser; ``cells`` are as the page has them now."""

    def __init__(self, page: Page, place: Server, name: str):
        self.page = page
        page.goto(place.address(f"{name}.ipynb"))
        page.wait_for_function(IS_OPEN, timeout=1000 * SECONDS_TO_START, polling=POLLING)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """All cells with their outputs, in nbformat."""
        return list(self.page.evaluate(CELLS))

    @property
    def errors(self) -> list[str]:
        """Errors among the outputs, and widgets that the page could not show."""
        raised = [
            f"{output['ename']}: {output['evalue']} in {cell['source'][:60]!r}"
            for cell in self.cells
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]
        return raised + [text for text in BROKEN for _ in range(self.page.get_by_text(text).count())]

    def restart_and_run_all(self) -> None:
        """What the menu's *Restart Kernel and Run All Cells* does, its question answered with yes."""
        # Numbers of an earlier run, stored in the notebook, would pass for new ones.
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        self.page.evaluate("() => { jupyterapp.commands.execute('notebook:restart-run-all') }")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.wait_for_function(HAS_RUN, timeout=1000 * SECONDS_TO_RUN, polling=POLLING)

    def run_setup(self) -> None:
        """Run the cell with the imports alone."""
        number = next(i for i, cell in enumerate(self.cells) if "setup" in cell["metadata"].get("tags", []))
        self.answer(number, self.cells[number]["source"])

    def number_of(self, text: str) -> int:
        """The place of the one code cell that holds ``text``."""
        (found,) = (i for i, c in enumerate(self.cells) if c["cell_type"] == "code" and text in c["source"])
        return found

    def cell(self, number: int) -> Locator:
        """A cell on the page, where Notebook 7.2 has only the cells in sight."""
        self.page.evaluate(MARK, number)
        return self.page.locator(f"[data-number='{number}']")

    def answer(self, number: int, source: str) -> Locator:
        """Type ``source`` over a cell, run it, and return where it shows its outputs, which the page may yet draw."""
        before = self.cells[number]["execution_count"]
        editor = self.cell(number).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            f"(before) => ![null, before].includes({PANEL}.content.model.sharedModel.cells[{number}].execution_count)"
            f" && {PANEL}.sessionContext.session.kernel.status === 'idle'", arg=before, polling=POLLING,
        )  # fmt: skip
        return self.cell(number).locator(".jp-OutputArea")


class View:
    """The controls of a cell's view, and what it shows."""

    def __init__(self, notebook: OpenNotebook, number: int):
        self.page, self.area = notebook.page, notebook.cell(number).locator(".jp-OutputArea")
        self.area.locator("select, button, .noUi-handle").first.wait_for()
        self.area.locator("img").first.wait_for()
        self.area.scroll_into_view_if_needed()

    @property
    def shown(self) -> str:
        """Every picture's address, which changes with the picture, and all text."""
        pictures = self.area.locator("img").evaluate_all("(images) => images.map((image) => image.src)")
        return "\n".join([*pictures, *self.area.locator(".widget-html").all_inner_texts()])

    @property
    def complaint(self) -> str:
        """The sentence that a view shows instead of a picture, if it does."""
        return " ".join(self.area.locator("[role=alert]").all_inner_texts())

    def changed_from(self, before: str, seconds: float = 4.0) -> bool:
        """Whether the view shows something else within ``seconds``."""
        deadline = time.monotonic() + seconds
        while self.shown == before and time.monotonic() < deadline:
            self.page.wait_for_timeout(POLLING)
        return self.shown != before

    def settle(self, seconds: float = 0.7) -> None:
        """Wait until nothing changes any more."""
        while self.changed_from(self.shown, seconds):
            pass

    def controls(self) -> list[tuple[str, Locator]]:
        """Kind and element of each control that is switched on; buttons are not among them."""
        kinds = {
            "menu": "select",
            "slider": ".noUi-handle",
            "box": "input[type=checkbox]",
            "number": "input[type=number]",
        }
        found = [(kind, item) for kind, selector in kinds.items() for item in self.area.locator(selector).all()]
        return [(kind, item) for kind, item in found if item.is_visible() and item.is_enabled()]

    def put(self, kind: str, control: Locator, place: int) -> bool:
        """Move a control to its first (0), middle (1) or last (2) position, sliders with the keyboard.

        Returns whether it says something else than before.
        """
        before = _said(kind, control)
        if kind == "menu":
            last = control.locator("option").count() - 1
            control.select_option(index=(0, last // 2, last)[place])
        elif kind == "slider":
            _slide(control, place)
        elif kind == "box":
            control.set_checked(place == 1)
        else:
            low, high = (int(control.get_attribute(bound) or 0) for bound in ("min", "max"))
            control.fill(str((low, (low + high) // 2, high)[place]))
            control.press("Enter")
        return _said(kind, control) != before


def _slide(control: Locator, place: int) -> None:
    """Move a slider's handle by the keyboard; halfway it stops short of the end, where another handle may be stuck."""
    low, high = (float(control.get_attribute(f"aria-value{end}") or 0) for end in ("min", "max"))
    control.focus()
    control.press("End" if place == 2 else "Home")
    if place == 1:
        for _ in range(PAGES):
            if float(_said("slider", control) or high) < (low + high) / 2:
                control.press("PageUp")
        if float(_said("slider", control) or low) == high:
            control.press("ArrowLeft")


def _said(kind: str, control: Locator) -> str | None:
    """What a control says now."""
    if kind == "slider":
        return control.get_attribute("aria-valuenow")
    return str(control.is_checked()) if kind == "box" else control.input_value()


def shoot(page: Page, name: str) -> None:
    """Keep a screenshot."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def move_every_control(view: View, place: str) -> None:
    """Something else is shown once a control has been moved; what all its values do is for tests without a page."""
    controls = view.controls()
    assert controls or view.area.locator("button").count(), place
    for kind, control in controls:
        view.settle()
        before = view.shown
        for position in (2, 0, 1):
            if view.put(kind, control, position) and view.changed_from(before, 2.0):
                break
        assert view.changed_from(before, PATIENCE), f"{place}: a {kind} changes nothing"
        assert not view.complaint, f"{place}, {kind}: {view.complaint}"
        view.put(kind, control, 1)  # at its end it could leave another control nothing to do
