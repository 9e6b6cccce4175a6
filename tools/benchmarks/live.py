"""The page "VGG, live" on one core: how long a stroke of the pen takes until all of it is computed and drawn."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from tools.benchmarks.report import Report, spread
from tools.live import write_page

FRAMES, WARM = 200, 30
MEDIAN, LONGEST, FIRST = 50.0, 100.0, 1000.0  # milliseconds


def run() -> Report:
    """200 frames while a mouse draws in Chromium, pinned to one processor; Linux only.

    Raises:
        RuntimeError: no Chromium on the path.
    """
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        raise RuntimeError("no chromium on the path; this benchmark draws in it")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            path = write_page(Path(folder, "live.html"))
            browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(path.as_uri())
            page.wait_for_function("globalThis.vggLive?.parts?.see?.ready")
            first = page.evaluate("performance.getEntriesByName('first-picture')[0].startTime")
            box = page.locator("#pad-a").bounding_box()
            assert box
            page.mouse.move(box["x"] + 20, box["y"] + 20)
            page.mouse.down()
            for step in range(10 * FRAMES):
                page.mouse.move(box["x"] + 20 + 7 * step % 200, box["y"] + 20 + 11 * step % 190)
                if page.evaluate("vggLive.parts.see.frames.length") >= WARM + FRAMES:
                    break
            frames = page.evaluate("vggLive.parts.see.frames")[WARM : WARM + FRAMES]
            browser.close()
    finally:
        os.sched_setaffinity(0, cores)
    report = Report("live", "A stroke on the page VGG, live", ("frames", "milliseconds a frame", "first picture, ms"))
    report.rows.append((str(len(frames)), spread(frames), f"{first:.0f}"))
    report.figures = {"median": median(frames), "longest": max(frames), "first_picture": first}
    report.verdicts = {
        f"{1000 / MEDIAN:.0f} frames a second": median(frames) <= MEDIAN,
        f"no frame over {LONGEST:.0f} ms": max(frames) <= LONGEST,
        f"first picture within {FIRST:.0f} ms": first <= FIRST,
    }
    report.notes.append("Computing and drawing of a frame, without the browser's own composition of the page.")
    return report
