"""Every page of every talk fits the screen, can be read from the back row, and is shown without internet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tests.browser.conftest import SCREEN, OfflinePage, Talks
from tests.marks import long
from tools.deck import asks, paged
from tools.paths import notebooks
from tools.run_sheets import skipped
from tools.slides import most_pages, shown, talk

NAMES = [path.stem for path in notebooks()]
CUTS = [f"{name}-class" for name in NAMES]
HALF_DAY = ("02", "03", "05", "07")  # looked at each time, the others with VGG_LESSON_PROOFS=1
FLOOR = 0.72
SMALLEST_TEXT = 14  # pixels, of 720: one fiftieth of the screen's height
SMALLEST_FIGURE = 0.84  # shown width by width as drawn; the figures' fonts are chosen for it
MEASURE = """() => {
  const shown = (element) => !element.closest("aside.notes");
  const pages = [];
  for (let last = false; !last; Reveal.next()) {
    const page = Reveal.getCurrentSlide();
    last = Reveal.isLastSlide();
    const inside = [...page.querySelectorAll("*")].filter(shown);
    const boxes = inside.map((element) => element.getBoundingClientRect()).filter((box) => box.width && box.height);
    const texts = inside.filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && !element.closest("math"));
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    const lines = page.querySelectorAll("pre");
    pages.push({
      text: page.innerText.trim(), scale: parseFloat(page.dataset.scale), slide: page.getBoundingClientRect().toJSON(),
      left: Math.min(...boxes.map((b) => b.left)), top: Math.min(...boxes.map((b) => b.top)),
      filled: Math.max(...boxes.map((b) => b.bottom)) / 720,
      right: Math.max(page.scrollWidth, ...boxes.map((b) => b.right)),
      bottom: Math.max(page.scrollHeight, ...boxes.map((b) => b.bottom)),
      cut: [...lines].filter((line) => line.scrollWidth > line.clientWidth + 1).map((line) => line.innerText),
      smallest: Math.min(...texts.map(size)),
      pictures: [...page.querySelectorAll("img")].map((i) => i.getBoundingClientRect().width / i.naturalWidth),
    });
  }
  return {pages, sections: document.querySelectorAll("section.page").length};
}"""


def measured(offline: OfflinePage, path: Path) -> list[dict[str, Any]]:
    """Walk through a talk and measure each page as it is shown."""
    page = offline.open(path)
    page.wait_for_function("window.Reveal && Reveal.isReady() && Reveal.getCurrentSlide()?.dataset.scale")
    found = page.evaluate(MEASURE)
    assert len(found["pages"]) == found["sections"] > 0
    return list(found["pages"])


def questions(name: str) -> list[bool]:
    """Which pages of a talk ask something, so that they may leave the screen half empty."""
    (path,) = notebooks([name.removesuffix("-class")])
    notebook = nbformat.read(path, as_version=4)
    cut = (skipped(path.stem[:2]), most_pages(path)) if name.endswith("-class") else ()
    return [asks(page) for page in paged(shown(notebook, *cut))]


def complaints(pages: list[dict[str, Any]]) -> list[str]:
    """What is wrong with pages: content outside, lines cut off, text or figures too small."""
    found = []
    for number, page in enumerate(pages, 1):
        where = f"page {number}, {page['text'][:60]!r}"
        slide = page["slide"]
        if (slide["width"], slide["height"]) != (SCREEN["width"], SCREEN["height"]):
            found.append(f"{where}: the slide is {slide['width']}×{slide['height']}")
        inside = page["left"] >= slide["left"] and page["top"] >= slide["top"]
        if not (inside and page["right"] <= slide["right"] + 0.5 and page["bottom"] <= slide["bottom"] + 0.5):
            found.append(f"{where}: ends at {page['right']:.0f}, {page['bottom']:.0f}, outside the slide")
        found.extend(f"{where}: the line is cut: {line[:60]!r}" for line in page["cut"])
        if page["scale"] < FLOOR - 1e-6 or page["smallest"] < SMALLEST_TEXT:
            found.append(f"{where}: scale {page['scale']}, smallest text {page['smallest']:.1f} px")
        if any(share < SMALLEST_FIGURE for share in page["pictures"]):
            found.append(f"{where}: figures shown at {page['pictures']} of their size")
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name[:2] in HALF_DAY else long) for name in NAMES + CUTS]
)
def test_every_page_of_a_talk_fits_and_needs_no_internet(talks: Talks, offline: OfflinePage, name: str) -> None:
    pages = measured(offline, talks[name])
    assert not complaints(pages), "\n".join(complaints(pages))
    assert offline.left == offline.errors == []
    assert len(pages) >= 15 or name in CUTS
    for page, asked in zip(pages, questions(name), strict=True):
        assert page["filled"] >= 0.5 or asked, f"{page['filled']:.0%} of the screen: {page['text']}"


@pytest.mark.parametrize("cell", ["\n".join(f"- point {n}" for n in range(40)), f"# {'long' * 80}"])
def test_a_page_that_does_not_fit_is_noticed(tmp_path: Path, offline: OfflinePage, cell: str) -> None:
    talk_file = tmp_path / "talk.html"
    talk_file.write_text(talk(new_notebook(cells=[new_markdown_cell("# One"), new_markdown_cell(f"## Two\n\n{cell}")])))
    assert complaints(measured(offline, talk_file))


def test_the_speaker_sees_the_notes_and_the_room_does_not(talks: Talks, offline: OfflinePage) -> None:
    page = offline.open(talks[NAMES[0]])
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert page.locator("aside.notes").count() > 5
    assert not any(page.locator("aside.notes").nth(k).is_visible() for k in range(5))
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    view = opened.value
    view.wait_for_function("document.querySelector('.speaker-controls-notes .value')?.innerText.trim().length > 20")
    assert offline.errors == []


@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] in HALF_DAY])
def test_notes_stand_in_the_metadata_and_only_there(talks: Talks, name: str) -> None:
    path = next(path for path in notebooks() if path.stem == name)
    cells = nbformat.read(path, as_version=4).cells
    notes = [cell.metadata.slideshow.notes for cell in cells if cell.metadata.get("slideshow", {}).get("notes")]
    assert len(notes) >= 5
    html = talks[name].read_text(encoding="utf-8")
    assert html.count('<aside class="notes">') >= len(notes)
    assert not [cell.id for cell in cells if 'class="notes"' in cell.source]
