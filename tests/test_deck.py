"""What a talk shows of a notebook, what it leaves to the speaker, and what nobody sees."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import readability
from tools.deck import BLOCKS, HOUSEKEEPING, LISTED, OPTION, POINTING, SENTENCE, asks, deck, filled, paged, slide_types
from tools.pages import formula
from tools.paths import notebooks
from tools.run_sheets import skipped
from tools.slides import PAGES_AN_HOUR, most_pages, shown, talk
from tools.times import planned
from vgg_lesson.classroom.working_copy import stripped

LONG = " ".join(f"Sentence number {n} says a little more than the one before." for n in range(20))


def code(source: str, text: str = "", *tags: str) -> NotebookNode:
    """A code cell with an output."""
    outputs = [new_output("stream", name="stdout", text=text)] if text else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": [*tags]} if tags else {})


def cells() -> list[NotebookNode]:
    """A small notebook of the series."""
    return [
        new_markdown_cell("# A title\n\nA promise.\n\nNext: [02](02_x.ipynb)"),
        code("import math", "", "setup"),
        code("banner()", "budget class"),
        new_markdown_cell("## A question\n\nHow many?\n\n- **a** one\n- **b** two"),
        code('my_guess = ...  # one of "a", "b"'),
        code("print(1 + 1)", "2"),
        new_markdown_cell(f"Two. {LONG}\n\n## The next section\n\nShort."),
        code("assert 1 + 1 == 2"),
        new_markdown_cell("### Exercise 1.1 (core): add\n\nAdd."),
        code("answer = ...\ncheck.add(answer)", "… Not answered yet.", "exercise"),
        new_markdown_cell("<details><summary>Solution</summary>\n\nIt is 2.\n\n</details>"),
        code('check.progress("start_here")', "table"),
    ]


def test_types_by_rule() -> None:
    assert slide_types(cells()) == [
        "slide", "skip", "skip", "slide", "skip", "subslide", "slide", "skip", "subslide", "-", "skip", "skip",
    ]  # fmt: skip


def test_metadata_decide_and_unknown_types_are_refused() -> None:
    given = cells()
    given[5].metadata["slideshow"] = {"slide_type": "skip"}
    assert slide_types(given)[5] == "skip"
    given[5].metadata["slideshow"] = {"slide_type": "page"}
    with pytest.raises(ValueError, match=r"slide_type='page'.*subslide"):
        slide_types(given)


def test_what_is_shown_and_what_is_said() -> None:
    given = cells()
    given[5].metadata["slideshow"] = {"slide_type": "subslide", "notes": "Ask before you run."}
    soup = BeautifulSoup(talk(new_notebook(cells=given)), "html.parser")
    said = " ".join(notes.extract().get_text() for notes in soup.select("aside.notes"))
    shown = soup.select(".slides")[0].get_text()
    assert "Ask before you run." in said and "Ask before you run." not in shown
    assert "Sentence number 19" in said and "Sentence number 19" not in shown
    assert "Two." in shown and "**" not in shown and "How many?" in shown
    for hidden in (
        "It is 2.",
        "import math",
        "budget class",
        "my_guess",
        "assert",
        "Not answered yet",
        "Next:",
        "table",
    ):
        assert hidden not in shown + said, hidden
    assert [heading.get_text() for heading in soup.select("section.page h1, section.page h2, section.page h3")] == [
        "A title", "A question", "The next section", "Exercise 1.1 (core): add",
    ]  # fmt: skip


def test_progress_bars_are_left_out_and_long_outputs_cut() -> None:
    bar = new_code_cell("fit()", outputs=[new_output("display_data", {"text/plain": "5 layers: 100%|###| 9/9"})])
    pieces = deck(new_notebook(cells=[bar, code("show()", "\n".join(map(str, range(99))))])).cells
    assert [len(piece.outputs) for piece in pieces if piece.cell_type == "code"] == [0, 1]
    assert pieces[-1].outputs[0].text.splitlines()[-1] == "…"


def test_code_in_a_text_stays_whole_and_the_check_of_a_guess_is_not_shown() -> None:
    text = "## Code\n\nIn short:\n\n```python\na = 1\n\nb = 2\n```\n\nThat is all."
    verdict = new_output("execute_result", {"text/plain": "… Not answered yet."})
    checked = new_code_cell("print(3)\ncheck.sum(my_guess)", outputs=[*code("", "3").outputs, verdict])
    first, *_, last = deck(new_notebook(cells=[new_markdown_cell(text), checked])).cells
    assert first.source == text
    assert last.source == "print(3)" and [output.output_type for output in last.outputs] == ["stream"]


def test_formulas_are_mathml() -> None:
    drawn = formula(r"\mathrm{E}\big(x^2\big) = \text{fan\_in}", "block")
    assert drawn.startswith("<math") and 'display="block"' in drawn
    assert "<mtext>E</mtext>" in drawn and "fan_in" in drawn and "\\" not in drawn


def test_the_notebook_itself_is_left_alone() -> None:
    notebook = new_notebook(cells=cells())
    before = nbformat.writes(notebook)
    talk(notebook)
    assert nbformat.writes(notebook) == before


def test_a_students_copy_has_no_notes() -> None:
    text = notebooks()[0].read_bytes()
    assert b'"notes"' in text and b'"notes"' not in stripped(text)


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_cells_say_where_they_are_shown_and_notes_stand_on_what_is_shown(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert sum("slide_type" in cell.metadata.get("slideshow", {}) for cell in cells) >= 0.8 * len(cells)
    for cell, kind in zip(cells, slide_types(cells), strict=True):
        assert kind != "skip" or "notes" not in cell.metadata.get("slideshow", {}), (
            f"{cell.id} is skipped and has notes"
        )


def decked_cells(cells: list[NotebookNode]) -> list[list[NotebookNode]]:
    """The pages of a small notebook, without notes."""
    return paged(deck(new_notebook(cells=cells)))


@cache
def decked(path: Path, for_class: bool = False) -> list[list[NotebookNode]]:
    """The pages of a notebook's talk, without what only the speaker sees."""
    notebook = nbformat.read(path, as_version=4)
    pieces = shown(notebook, skipped(path.stem[:2]), most_pages(path)) if for_class else shown(notebook)
    return paged(pieces)


def text_of(page: list[NotebookNode]) -> str:
    """What a page says."""
    return "\n\n".join(piece.source for piece in page if piece.cell_type == "markdown")


ALL = [(path, for_class) for path in notebooks() for for_class in (False, True)]
NAMES = [f"{path.stem}-{'class' if for_class else 'all'}" for path, for_class in ALL]


@pytest.mark.parametrize(("path", "for_class"), ALL, ids=NAMES)
def test_options_stand_under_their_question_and_nothing_follows_them(path: Path, for_class: bool) -> None:
    pages = decked(path, for_class)
    if not for_class:
        cells = nbformat.read(path, as_version=4).cells
        asked = sum(bool(OPTION.search(cell.source)) for cell in cells if cell.cell_type == "markdown")
        assert sum(bool(OPTION.search(text_of(page))) for page in pages) == asked
    for page in pages:
        options = [number for number, piece in enumerate(page) if OPTION.search(piece.source)]
        for piece in page[options[0] + 1 :] if options else ():
            assert piece.cell_type == "markdown" or not piece.outputs, text_of(page)[:200]


@pytest.mark.parametrize(("path", "for_class"), ALL, ids=NAMES)
def test_no_page_speaks_of_the_notebook_or_points_at_what_is_not_there(path: Path, for_class: bool) -> None:
    for page in decked(path, for_class):
        prose = [block for block in BLOCKS.findall(text_of(page)) if not LISTED.match(block) and block[0] not in "#<`"]
        assert not [block for block in prose if HOUSEKEEPING.search(block)], text_of(page)
        there = any(piece.cell_type == "code" or "![" in piece.source or "```" in piece.source for piece in page)
        if not there and not OPTION.search(text_of(page)):
            sentences = [sentence for block in prose for sentence in SENTENCE.split(block)]
            assert not [sentence for sentence in sentences if POINTING.search(sentence)], text_of(page)


@pytest.mark.parametrize(("path", "for_class"), ALL, ids=NAMES)
def test_a_view_is_shown_as_a_picture(path: Path, for_class: bool) -> None:
    for page in decked(path, for_class):
        for piece in page:
            assert "widgets." not in piece.source or piece.cell_type == "markdown"


def test_links_inside_a_sentence_stay_and_navigation_goes() -> None:
    kept = "## A\n\nSee [05](05_x.ipynb) for more.\n\n[05](05_x.ipynb) shows it."
    text = f"{kept}\n\n[← 01](01_x.ipynb) · [03 →](03_x.ipynb)\n\nNext: [03](03_x.ipynb), which counts."
    (piece,) = deck(new_notebook(cells=[new_markdown_cell(text)])).cells
    assert piece.source == kept


def test_the_answer_waits_for_the_next_page() -> None:
    given = [
        new_markdown_cell("## A\n\nTwo words."),
        new_markdown_cell("Which?\n\n- **a** one\n- **b** two"),
        code("print(1)", "1"),
        new_markdown_cell("Now say it aloud before you run this."),
        code("print(2)", "2"),
    ]
    soup = BeautifulSoup(talk(new_notebook(cells=given)), "html.parser")
    for notes in soup.select("aside.notes"):
        notes.extract()
    asked, answered, printed = [page.get_text("", strip=True) for page in soup.select("section.page")]
    assert "Two words." in asked and "two" in asked and "print" not in asked
    assert "print(1)1" in answered and answered.endswith("aloud before you run this.print(2)")
    assert printed.endswith("print(2)2") and "aloud" not in printed


@pytest.mark.parametrize(("path", "for_class"), ALL, ids=NAMES)
def test_no_page_is_under_half_full_unless_it_is_a_question(path: Path, for_class: bool) -> None:
    """By the estimate that the deck is packed with, and some more; the browser's tests measure."""
    empty = [text_of(page) for page in decked(path, for_class) if filled(page) < 0.55 and not asks(page)]
    assert not empty


def test_an_empty_page_shows_more_of_its_text_or_joins_a_neighbour() -> None:
    words = [new_markdown_cell("# A title\n\nIt is long.\n\n- one\n- two\n- three\n- four\n- five\n- six")]
    long = "Here is one more short sentence. " * 30
    (alone,) = decked_cells([new_markdown_cell("## A\n\nFew words.")])
    assert filled(alone) < 0.5
    more = decked_cells([*words, new_markdown_cell(f"## A\n\n{long}")])[-1]
    assert filled(more) > 0.5 and 70 < len(text_of(more).split()) < 180
    (joined,) = decked_cells([*words, new_markdown_cell("## A\n\nFew words.")])
    assert "six" in text_of(joined) and text_of(joined).endswith("## A\n\nFew words.")


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_class_cut_has_thirty_pages_an_hour_and_core_exercises_only(path: Path) -> None:
    pages, number = decked(path, True), path.stem[:2]
    assert 60 * len(pages) <= PAGES_AN_HOUR * planned(path)[0] and len(pages) < len(decked(path))
    words = "\n".join(map(text_of, pages))
    assert "go further" not in words
    source = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    core = re.findall(r"^### (Exercise \d+\.\d+) \(core\)", source, re.MULTILINE)
    assert all(exercise in words for exercise in core) and len(core) >= 2
    assert not [section for section in skipped(number) if f"## {section}" in words]


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_prose_is_plain_english(path: Path) -> None:
    found = readability.readability(readability.prose(path))
    assert found.grade < 8 and found.ease > 65


def test_readability_is_that_of_the_formulas() -> None:
    simple = readability.readability("The cat sat on the mat. It was warm.")
    assert (simple.words, simple.sentences, simple.syllables) == (9, 2, 9)
    assert simple.ease == pytest.approx(206.835 - 1.015 * 4.5 - 84.6)
    assert simple.grade == pytest.approx(0.39 * 4.5 + 11.8 - 15.59)
    hard = "Notwithstanding considerable methodological heterogeneity, generalisation capabilities deteriorate."
    assert readability.readability(hard).grade > 20
    with pytest.raises(ValueError, match="no words"):
        readability.readability("```python\nx = 1\n```")


@pytest.mark.parametrize(("word", "count"), [
    ("network", 2), ("picture", 2), ("tables", 2), ("made", 1), ("images", 3), ("walked", 1), ("wanted", 2), ("the", 1),
])  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    assert readability.syllables(word) == count


def test_a_kernel_and_a_cell_of_a_convolution_are_no_housekeeping() -> None:
    assert not HOUSEKEEPING.search("ZFNet (2013) starts with 7×7 kernels, stride 2.")
    assert not HOUSEKEEPING.search("Without which of them does the last cell see least?")
    assert HOUSEKEEPING.search("The notebook stays small if you run this section in a fresh kernel.")


def test_an_exercise_is_shown_whole() -> None:
    part = re.compile(r"^### (Exercise [\d.]+ [^\n]*)\n(.*?)(?=^#{1,4} |\Z)", re.MULTILINE | re.DOTALL)
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        shown = [cell for page in paged(deck(notebook)) for cell in page]
        written, on_slides = (
            {
                title: text.split()
                for cell in cells
                if cell.cell_type == "markdown"
                for title, text in part.findall(cell.source)
            }
            for cells in (notebook.cells, shown)
        )
        for title, words in on_slides.items():
            assert len(words) >= len(written[title]) - 2, f"{path.stem}, {title}: {' '.join(words)}"
