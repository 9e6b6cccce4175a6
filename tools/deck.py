"""From a notebook to the pages of a talk: which cell is shown where, and what is said instead of shown.

``slideshow.slide_type`` in a cell's metadata decides; where it is missing, ``slide_types`` chooses by rule. A page
shows of a text its heading, lists, tables, formulas and first sentences; the rest goes to the speaker's notes, together
with ``slideshow.notes`` from the metadata. A student who opens the notebook sees neither.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from html import escape

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools.numbers import ANY_MARKER

TYPES = ("slide", "subslide", "fragment", "skip", "notes", "-")
HEADING = re.compile(r"^(#{1,4}) (.+)$", re.MULTILINE)
SHOWN_WORDS, CAPTION_WORDS = 75, 34
WORDS_ABOVE_CODE, WORDS_ABOVE_FIGURE = 50, 28
CODE_BESIDE_FIGURE, LINES_ON_PAGE, OUTPUT_LINES = 4, 20, 13
HIDDEN_CODE = re.compile(
    r"(banner\(\)|problems = doctor\(\)|check\.(progress\(.*|\w+\(my_\w*guess\w*.*)\)|my_\w*guess\w* = .*|assert .*)$"
)
PROGRESS = re.compile(r"\d+%\|")
GUESS_CHECK = re.compile(r"^check\.\w+\(my_\w*guess\w*.*\)$", re.MULTILINE)
BLOCKS = re.compile(r"^```.*?^```|\S(?:.|\n(?!\n|```))*", re.MULTILINE | re.DOTALL)
LISTED = re.compile(r"^\s*([-*] |\d\. |\||\$\$|!\[)", re.MULTILINE)
SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*`$\"])")
NAVIGATION = re.compile(r"^(\[|Next|Previous).*\.ipynb\).*$", re.MULTILINE)


def slide_types(cells: Sequence[NotebookNode]) -> list[str]:
    """The type of each cell: what its metadata say, else by rule.

    Headings open pages; what only sets up, commits a guess, checks or asserts is skipped, as solutions are; a result
    opens a page below, and the text after it continues there; a text that leads in opens the page of the code below it.

    Raises:
        ValueError: a ``slide_type`` that does not exist.
    """
    types: list[str] = []
    for index, cell in enumerate(cells):
        wanted = cell.metadata.get("slideshow", {}).get("slide_type")
        if wanted not in (None, "", *TYPES):
            raise ValueError(f"slide_type={wanted!r} of cell {cell.get('id')}; choose one of {', '.join(TYPES)}")
        types.append(wanted or _by_rule(cells, index, types))
    return types


def deck(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook whose cells are the pieces of the talk, each with its slide type."""
    cells = copy.deepcopy(list(notebook.cells))
    pieces: list[NotebookNode] = []
    section = ""
    for cell, kind in zip(cells, slide_types(cells), strict=True):
        notes = cell.metadata.get("slideshow", {}).get("notes")
        added = list(_pieces(cell, kind, after_code=bool(pieces) and pieces[-1].cell_type == "code"))
        for piece in added:
            heading = HEADING.match(piece.source) if piece.cell_type == "markdown" else None
            if heading and len(heading[1]) == 2:
                section = heading[2]
            elif _kind(piece) in ("slide", "subslide") and section and not (heading and len(heading[1]) == 1):
                pieces.append(_piece(f'<p class="running">{escape(section)}</p>', _kind(piece)))
                _set_kind(piece, "-")
            pieces.append(piece)
        if notes:
            pieces.append(_piece(notes, "notes"))
    return nbformat.v4.new_notebook(cells=pieces, metadata=copy.deepcopy(notebook.metadata))


def _by_rule(cells: Sequence[NotebookNode], index: int, types: Sequence[str]) -> str:
    cell = cells[index]
    if cell.cell_type == "code":
        if _only_hidden(cell):
            return "skip"
        if "exercise" in cell.metadata.get("tags", []):
            return "-"
        return "-" if index and _leads_in(cells[index - 1], types[index - 1], _has_picture(cell)) else "subslide"
    if cell.source.lstrip().startswith("<details") or _is_banner_text(cells, index):
        return "skip"
    if heading := HEADING.search(cell.source):
        return "slide" if len(heading[1]) <= 2 else "subslide"
    shown = [i for i in range(index) if types[i] not in ("skip", "notes")]
    follows_result = shown and shown[-1] == index - 1 and cells[index - 1].cell_type == "code"
    before = cells[index - 1]
    checked = index > 1 and before.cell_type == "code" and types[index - 1] == "skip" and "check." in before.source
    return "-" if (follows_result or checked) and not LISTED.search(cell.source) else "subslide"


def _leads_in(text: NotebookNode, kind: str, picture: bool) -> bool:
    """Whether a text opens a page on which the code below it has room: a few words, no list or table, no exercise."""
    if text.cell_type != "markdown" or kind not in ("slide", "subslide"):
        return False
    *_, last = _parts(text.source)
    words = len(ANY_MARKER.sub("", last).split())
    return words <= (WORDS_ABOVE_FIGURE if picture else WORDS_ABOVE_CODE) and not LISTED.search(last)


def _has_picture(cell: NotebookNode) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def _only_hidden(cell: NotebookNode) -> bool:
    lines = [line for line in cell.source.splitlines() if line.strip()]
    tags = cell.metadata.get("tags", [])
    silent = (
        not cell.outputs and not {"taught", "exercise"} & {*tags} and not re.search(r"^(def|class) ", cell.source, re.M)
    )
    return "setup" in tags or silent or all(HIDDEN_CODE.match(line) for line in lines)


def _is_banner_text(cells: Sequence[NotebookNode], index: int) -> bool:
    following = [cell for cell in cells[index + 1 : index + 2] if cell.cell_type == "code"]
    return index > 0 and any("banner()" in c.source or "setup" in c.metadata.get("tags", []) for c in following)


def _pieces(cell: NotebookNode, kind: str, after_code: bool) -> Iterator[NotebookNode]:
    if kind == "skip":
        return
    if cell.cell_type == "code":
        yield from _code_pieces(cell, kind)
    elif kind == "notes":
        yield _piece(cell.source, "notes")
    else:
        yield from _text_pieces(cell.source, kind, after_code)


def _text_pieces(source: str, kind: str, after_code: bool) -> Iterator[NotebookNode]:
    """The parts of a text, cut before each heading: what stands before the first one belongs to the page above."""
    lead, *rest = _parts(source)
    if lead:
        budget = CAPTION_WORDS if rest or (kind == "-" and after_code) else SHOWN_WORDS
        yield from _shown(lead, ("subslide" if LISTED.search(lead) else "-") if rest else kind, budget)
    for number, part in enumerate(rest):
        own = "subslide" if part.startswith("###") else ("slide" if number else kind)
        yield from _shown(part, own, SHOWN_WORDS)


def _parts(source: str) -> list[str]:
    starts = [match.start() for match in HEADING.finditer(_without_fences(source))]
    return [source[a:b].strip() for a, b in zip([0, *starts], [*starts, len(source)], strict=True)]


def _shown(text: str, kind: str, budget: int) -> Iterator[NotebookNode]:
    """The blocks of a text that fit the budget of words, and the others as notes."""
    shown, told = [], []
    for block in BLOCKS.findall(NAVIGATION.sub("", text).strip()):
        if HEADING.match(block) or re.match(r"\s*([-*] |\d\. |\||\$\$|!\[|```)", block):
            shown.append(block)
            continue
        front, behind = _cut(block, budget)
        budget -= len(front.split())
        if behind:
            budget = 0
        shown.extend([front] if front else [])
        told.extend([behind] if behind else [])
    if shown or kind in ("slide", "subslide"):
        yield _piece("\n\n".join(shown), kind)
    if told:
        yield _piece("\n\n".join(told), "notes")


def _cut(paragraph: str, budget: int) -> tuple[str, str]:
    """The sentences at its beginning that fit the budget, at least none, and what remains."""
    sentences = SENTENCE.split(paragraph)
    for count in range(len(sentences), 0, -1):
        front = " ".join(sentences[:count])
        balanced = not (front.count("**") % 2 or front.count("`") % 2 or front.count("$") % 2)
        if len(front.split()) <= budget and balanced and (count == len(sentences) or not front.endswith(":")):
            return front, " ".join(sentences[count:])
    return "", paragraph


def _code_pieces(cell: NotebookNode, kind: str) -> Iterator[NotebookNode]:
    """Code and output on one page if both fit, else on two; a figure's own call is not shown."""
    picture = _has_picture(cell)
    if "exercise" in cell.metadata.get("tags", []):
        cell.outputs = []
    cell.outputs = [_shortened(output) for output in cell.outputs if _is_shown(output)]
    if GUESS_CHECK.search(cell.source):
        cell.source = GUESS_CHECK.sub("", cell.source).rstrip()
        cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
    lines = [line for line in cell.source.splitlines() if line.strip()]
    _set_kind(cell, kind)
    if picture:
        cell.outputs = [output for output in cell.outputs if "image/png" in output.get("data", {})][-1:]
    below = sum(map(_lines, cell.outputs))
    if not cell.outputs or (not picture and len(lines) + below <= LINES_ON_PAGE):
        yield cell
        return
    figure_call = picture and len(lines) <= CODE_BESIDE_FIGURE and lines[-1].startswith("fig.")
    if not figure_call and not (picture and len(lines) <= 2):
        code = copy.deepcopy(cell)
        code.outputs, code["id"] = [], f"{cell.id}-code"
        yield code
        _set_kind(cell, "subslide")
        cell.metadata["transient"] = {"remove_source": True}
    elif figure_call:
        cell.metadata["transient"] = {"remove_source": True}
    yield cell


def _is_shown(output: NotebookNode) -> bool:
    """Not the progress bars and what libraries write to stderr."""
    text = str(output.get("data", {}).get("text/plain", ""))
    return output.get("name") != "stderr" and not (PROGRESS.search(text) and "image/png" not in output["data"])


def _shortened(output: NotebookNode) -> NotebookNode:
    """An output with at most the lines that a page holds."""
    if output.output_type == "stream":
        lines = output.text.rstrip("\n").split("\n")
        if len(lines) > OUTPUT_LINES:
            output.text = "\n".join([*lines[: OUTPUT_LINES - 1], "…"])
    return output


def _lines(output: NotebookNode) -> int:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return len(str(text).strip().splitlines())


def _without_fences(source: str) -> str:
    """The text with everything inside code fences blanked, places kept."""
    return re.sub(r"```.*?```", lambda match: " " * len(match[0]), source, flags=re.DOTALL)


def _piece(source: str, kind: str) -> NotebookNode:
    piece = new_markdown_cell(source)
    _set_kind(piece, kind)
    return piece


def _kind(piece: NotebookNode) -> str:
    return str(piece.metadata.get("slideshow", {}).get("slide_type", "-"))


def _set_kind(piece: NotebookNode, kind: str) -> None:
    piece.metadata["slideshow"] = {"slide_type": kind}
