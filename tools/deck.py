"""From a notebook to the pages of a talk: which cell is shown where, and what is said instead of shown.

``slideshow.slide_type`` in a cell's metadata decides; where it is missing, ``slide_types`` chooses by rule. A page
shows of a text its heading, lists, tables, formulas and first sentences; the rest goes to the speaker's notes, together
with ``slideshow.notes`` from the metadata. A student who opens the notebook sees neither. Pages that are not full take
up what follows them in their section, except across a question: its answer waits on the next page. A page that is still
under half full shows more of its text, or joins a neighbour. `deck` can leave out what a class has no time for.
"""

from __future__ import annotations

import base64
import copy
import itertools
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from html import escape

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

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
BLOCKS = re.compile(r"^```[\s\S]*?^```|\S(?:[^\n]|\n(?!\n|```))*", re.MULTILINE)
LISTED = re.compile(r"^\s*([-*] |\d\. |\||\$\$|!\[)", re.MULTILINE)
SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*`$\"])")
LINK = r"\[[^\]]*\]\([^)]*\.ipynb[^)]*\)"
# A line of nothing but links to notebooks, or one that begins with "Next:"; links inside a sentence stay.
NAVIGATION = re.compile(rf"^(?:{LINK}(?:\s*[·|]\s*{LINK})*|(?:Next|Previous): {LINK}.*)$", re.MULTILINE)
OPTION = re.compile(r"^- \*\*[a-d]\*\* ", re.MULTILINE)
# What belongs to working in a notebook and not on a wall.
HOUSEKEEPING = re.compile(
    r"letter in quotes|[Rr]un (it|its cell|this cell|the cell)s? (again|once more)|cells? (above|below)|"
    r"fresh kernel|Kernel lost|Select your cell|Your account for|the \*kernel\*|check\.progress|Restart|run this cell|"
    r"[Tt]he next cell|In the notebook|Which exercises have you solved"
)
POINTING = re.compile(r"\b(above|below)\b|^(Left|Right|Middle|Top|Bottom)\b[^.]{0,40}[:,]")
# Somebody is asked to commit an answer to what the next cell prints.
ASKS = re.compile(r"before you run|before the run|[Gg]uess (it )?first|aloud|\b[Pp]redict\b|Your number will|\?\s*$")
VIEW = re.compile(r"^widgets\.(\w+)\(\)$", re.MULTILINE)
PAGE_HEIGHT, LINE, CODE_LINE, LIVE_PAGE = 720, 40, 29, 570  # pixels at full size
WORDS_IN_LINE, ROOM = 13, 75  # words; pixels of margins
# What a page takes, in pixels at full size: more than the screen has, since a page may shrink a little; what fills less
# than half of it may make its neighbour shrink more.
FULLEST, TIGHTEST, HALF = 800, 920, 450
WANTED, CROWDED = 0.61, 970  # of the screen, more than half since this is an estimate; pixels of what joins for that
MORE_WORDS = 12  # by how many words an empty page grows at a time
LARGEST, CODE_COLUMNS = 1.3, 91  # by how much fit.js enlarges a page without pictures; columns of code at full size


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
        if wanted in ("skip", "notes") and cell.cell_type == "markdown" and OPTION.search(cell.source):
            wanted = "subslide"  # whoever is asked must see what to choose from
        types.append(wanted or _by_rule(cells, index, types))
    return types


def deck(notebook: NotebookNode, left_out: Sequence[str] | None = None, most: int | None = None) -> NotebookNode:
    """A copy of the notebook whose cells are the pieces of the talk, each with its slide type.

    ``left_out`` names sections that a class skips; with it, exercises to go further are left out as well, and of more
    than ``most`` pages those that only tell, or only show code, become notes.
    """
    pages = _filled(_packed(list(_pages(notebook, left_out))))
    while most is not None and len(pages) > most and (weakest := _weakest(pages)):
        told = [_piece(_as_note(piece), "notes") for piece in _body(pages[weakest])]
        pages[weakest - 1] += [piece for piece in told if piece.source]
        pages = _filled(_packed([*pages[:weakest], *pages[weakest + 1 :]]))
    pieces = [piece for page in pages for piece in _finished(page)]
    return nbformat.v4.new_notebook(cells=pieces, metadata=copy.deepcopy(notebook.metadata))


def paged(talk: NotebookNode) -> list[list[NotebookNode]]:
    """The pages of a finished talk, without what only the speaker sees."""
    pages: list[list[NotebookNode]] = []
    for piece in talk.cells:
        if _kind(piece) in ("slide", "subslide"):
            pages.append([])
        if _kind(piece) != "notes":
            pages[-1].append(piece)
    return pages


def _pages(notebook: NotebookNode, left_out: Sequence[str] | None) -> Iterator[list[NotebookNode]]:
    """The pages as cells and headings cut them; a page's first piece has its slide type, the others have "-"."""
    cells = copy.deepcopy(list(notebook.cells))
    pieces: list[NotebookNode] = []
    section, further = "", False
    for cell, kind in zip(cells, slide_types(cells), strict=True):
        notes = cell.metadata.get("slideshow", {}).get("notes")
        before = next((piece for piece in reversed(pieces) if _kind(piece) != "notes"), None)
        asked = before is not None and before.cell_type == "markdown" and ASKS.search(before.source)
        cell.metadata["asked"] = bool(asked) and cell.cell_type == "code"
        for piece in _pieces(cell, kind, after_code=before is not None and before.cell_type == "code"):
            heading = HEADING.match(piece.source) if piece.cell_type == "markdown" else None
            if heading:
                further = "go further" in heading[2]
                section = heading[2] if len(heading[1]) == 2 else section
            if left_out is not None and (further or section in left_out):
                continue
            if not heading and _kind(piece) in ("slide", "subslide") and section:
                pieces.append(_piece(f'<p class="running">{escape(section)}</p>', _kind(piece)))
                pieces[-1].metadata["running"] = section
                _set_kind(piece, "-")
            piece.metadata["section"] = section
            pieces.append(piece)
        if notes and pieces and (left_out is None or not (further or section in left_out)):
            pieces.append(_piece(notes, "notes"))
    page: list[NotebookNode] = []
    for piece in pieces:
        if _kind(piece) in ("slide", "subslide") and page:
            yield page
            page = []
        page.append(piece)
    if page:
        yield page


def _packed(pages: Sequence[list[NotebookNode]]) -> list[list[NotebookNode]]:
    """Pages joined while they fit and belong together: in one section, and never a question with what follows it."""
    packed: list[list[NotebookNode]] = []
    for page in pages:
        if packed and all(_kind(piece) == "notes" or not piece.source for piece in _body(page)):
            packed[-1] += _body(page)  # nothing of it is for the wall
            continue
        if packed and _belong_together(packed[-1], page):
            small = min(_height(packed[-1]), _height(page)) < HALF
            if _height(packed[-1]) + _height(_body(page)) <= (TIGHTEST if small else FULLEST):
                packed[-1] = _joined(packed[-1], page)
                continue
        packed.append(list(page))
    return packed


def _belong_together(page: Sequence[NotebookNode], following: Sequence[NotebookNode]) -> bool:
    """Whether a page may go on with the next one: no new section, no answer to what it asks; a question may end it."""
    crowded = _is_question(following) and _height(page) >= HALF
    return _section(reversed(page)) == _section(following) and not (crowded or asks(page))


def _filled(pages: Sequence[list[NotebookNode]]) -> list[list[NotebookNode]]:
    """Pages of which none is under half full if it can be helped: they show more of their text, or join a neighbour."""
    pages, number = list(pages), 0
    while number < len(pages):
        if _is_empty(pages[number]):
            _show_more(pages[number])
            _take_lead_in(pages[number], pages[number - 1] if number else [])
        joins = (number - 1, number) if _is_empty(pages[number]) else ()
        first = next((at for new in (False, True) for at in joins if _may_join(pages[at : at + 2], new)), None)
        if first is None:
            number += 1
        else:
            pages[first : first + 2] = [_joined(*pages[first : first + 2])]
            number = first
    return pages


def filled(page: Sequence[NotebookNode]) -> float:
    """About which share of the screen's height a page fills, enlarged as `fit.js` does it."""
    codes = [piece for piece in page if piece.cell_type == "code"]
    longest = max((len(line) for code in codes for line in code.source.splitlines()), default=1)
    enlarged = 1 if any(map(_has_picture, codes)) else min(LARGEST, CODE_COLUMNS / longest)
    return enlarged * _height(page) / PAGE_HEIGHT


def _is_empty(page: Sequence[NotebookNode]) -> bool:
    """Whether a page leaves half of the screen free and has neither options to choose from nor an exercise."""
    return filled(page) < WANTED and not _is_question(page)


def _may_join(pages: Sequence[list[NotebookNode]], new_section: bool) -> bool:
    """Whether two pages, of which one is empty, fit on one, and nothing there answers what is asked above it."""
    if len(pages) < 2 or new_section == (_section(reversed(pages[0])) == _section(pages[1])):
        return False
    shown = [piece for piece in _body(pages[1]) if _kind(piece) != "notes"]
    only_asks = all(ASKS.search(p.source) if p.cell_type == "markdown" else not p.outputs for p in shown)
    exercise = any(piece.source.startswith("### Exercise") for piece in pages[0])  # its solution is folded, not below
    answers = asks(pages[0]) and not (only_asks or (new_section and exercise))
    opens = not new_section or shown[0].source.startswith("##")
    return opens and not answers and _height(pages[0]) + _height(_body(pages[1])) <= CROWDED


def _show_more(page: list[NotebookNode]) -> None:
    """Let an empty page show the code above its print, or more of its text and less in the notes, until it fills."""
    for piece, following in itertools.pairwise([*page, _piece("", "notes")]):
        if piece.cell_type == "code" and not _has_picture(piece):
            piece.metadata.pop("transient", None)
        more = piece.metadata.get("more")
        while more and following.source and _is_empty(page):
            more["words"] += MORE_WORDS
            shown, told = _divided(more["text"], more["words"])
            piece.source, following.source = "\n\n".join(shown), "\n\n".join(told)
    page[:] = [piece for piece in page if piece.source or piece.cell_type == "code"]


def _take_lead_in(page: list[NotebookNode], before: list[NotebookNode]) -> None:
    """Let an empty page have the text before it that leads in to it, if the page before keeps enough."""
    shown = [piece for piece in _body(before) if _kind(piece) != "notes"]
    if _is_empty(page) and len(shown) > 1 and shown[-1].cell_type == "markdown" and not asks(before):
        at = before.index(shown[-1])
        leads_in = page[-1].cell_type == "code" or shown[-1].source.endswith(":")
        if leads_in and not _is_empty(before[:at]) and _section(reversed(before)) == _section(page):
            page[1:1] = before[at:]
            del before[at:]


def _joined(page: Sequence[NotebookNode], following: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Two pages on one."""
    for piece in _body(following):
        if _kind(piece) != "notes":
            _set_kind(piece, "-")
    return [*page, *_body(following)]


def _section(pieces: Iterable[NotebookNode]) -> str:
    """The section to which the first of the pieces that tells it belongs."""
    named = (piece.metadata.get("running") or piece.metadata.get("section") for piece in pieces)
    return str(next(filter(None, named), ""))


def _body(page: Sequence[NotebookNode]) -> list[NotebookNode]:
    """A page without the line that names its section."""
    return [piece for piece in page if piece.metadata.get("running") is None]


def _weakest(pages: Sequence[list[NotebookNode]]) -> int | None:
    """The page that a class misses least: one that only tells, else only shows code, else shows code and its print.

    If nothing else is left, a page that opens a section goes, then one with a picture, then a vote, then a picture with
    a question behind it; never the first page, the last or an exercise.
    """

    def rank(number: int) -> float:
        shown = [piece for piece in _body(pages[number]) if _kind(piece) != "notes"]
        codes = [piece for piece in shown if piece.cell_type == "code"]
        if _is_question(pages[number]):
            return 0 if any(piece.source.startswith("### Exercise") for piece in shown) else 0.2
        if any(map(_has_picture, codes)):  # of several in a row the first must do; a question may be about the picture
            return 0.5 if any(map(_has_picture, pages[number - 1])) else 0.1 if _is_question(pages[number + 1]) else 0.3
        if any("$$" in piece.source or HEADING.match(piece.source) for piece in shown):
            return 0.4
        if not codes:
            return 1 if any(LISTED.search(piece.source) for piece in shown) else 3
        return 1 if any(code.outputs for code in codes) else 2

    ranks = [(rank(number), -_height(pages[number]), number) for number in range(1, len(pages) - 1)]
    best = max(ranks, default=(0, 0, 0))
    return best[2] if best[0] else None


def _finished(page: list[NotebookNode]) -> list[NotebookNode]:
    """A page whose sentences point at nothing that is not there."""
    there = any(piece.cell_type == "code" or "![" in piece.source or "```" in piece.source for piece in page)
    for piece in page:
        if piece.cell_type == "markdown" and _kind(piece) != "notes" and not there and not OPTION.search(piece.source):
            kept = [_without(block, POINTING) for block in BLOCKS.findall(piece.source)]
            piece.source = "\n\n".join(block for block in kept if block)
        for mark in ("running", "section", "asked", "more"):
            piece.metadata.pop(mark, None)
    return page


def _without(block: str, unwanted: re.Pattern[str]) -> str:
    """A block of text without the sentences that match; lists, tables, headings and code stay as they are."""
    if re.match(r"\s*(#|[-*] |\d\. |\||\$\$|!\[|```|<)", block):
        return block
    return " ".join(sentence for sentence in SENTENCE.split(block) if not unwanted.search(sentence))


def _is_question(page: Sequence[NotebookNode]) -> bool:
    """Whether a page has options to choose from, or an exercise."""
    shown = [piece.source for piece in page if piece.cell_type == "markdown" and _kind(piece) != "notes"]
    return any(OPTION.search(text) or re.search(r"^### Exercise", text, re.MULTILINE) for text in shown)


def asks(page: Sequence[NotebookNode]) -> bool:
    """Whether what a page shows last asks for an answer that must not stand below it; code may follow, no output."""
    for piece in reversed([piece for piece in page if _kind(piece) != "notes"]):
        if piece.cell_type == "markdown":
            return _is_question(page) or bool(ASKS.search(piece.source))
        if piece.outputs or piece.metadata.get("asked"):
            return _is_question(page) or not piece.outputs
    return _is_question(page)


def _height(page: Sequence[NotebookNode]) -> float:
    """About how many pixels of 720 a page needs at full size."""
    return ROOM / 2 + sum(map(_piece_height, page))


def _piece_height(piece: NotebookNode) -> float:
    if _kind(piece) == "notes":
        return 0
    if piece.cell_type == "markdown":
        blocks = BLOCKS.findall(ANY_MARKER.sub("", piece.source))
        return sum(_block_height(block) for block in blocks)
    shown = 0 if piece.metadata.get("transient", {}).get("remove_source") else len(piece.source.splitlines()) + 1
    pictures = [output["data"]["image/png"] for output in piece.outputs if "image/png" in output.get("data", {})]
    texts = sum(map(_lines, (o for o in piece.outputs if "image/png" not in o.get("data", {}))))
    return CODE_LINE * (shown + texts + bool(texts)) + sum(map(_picture_height, pictures))


def _block_height(block: str) -> float:
    lines = block.splitlines()
    if block.startswith("<iframe"):
        return LIVE_PAGE
    if block.startswith("```"):
        return CODE_LINE * len(lines)
    wrapped = sum(-(-len(line.split()) // WORDS_IN_LINE) for line in lines if not re.match(r"\|[-:| ]+\|$", line))
    return LINE * (wrapped * (1.6 if lines[0].startswith("#") else 1) + 0.5 + 2 * block.startswith("$$"))


def _picture_height(png: str) -> float:
    width, height = struct.unpack(">II", base64.b64decode(png[:64])[16:24])
    return height * min(1180 / width, 1.18)


def _as_note(piece: NotebookNode) -> str:
    """What a page that is left out still gives the speaker to say."""
    return piece.source if piece.cell_type == "markdown" else ""


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
    if lead and after_code and LISTED.search(lead):  # what speaks of the result stays with it
        blocks = BLOCKS.findall(lead)
        first = next(number for number, block in enumerate(blocks) if LISTED.search(block))
        caption = "\n\n".join(blocks[: max(first - 1, 0)])
        if caption:
            yield from _shown(caption, "-", CAPTION_WORDS)
            lead = "\n\n".join(blocks[max(first - 1, 0) :])
            kind = "subslide" if not rest else kind
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
    shown, told = _divided(text, budget)
    if shown or kind in ("slide", "subslide"):
        piece = _piece("\n\n".join(shown), kind)
        if told:
            piece.metadata["more"] = {"text": text, "words": budget}
        yield piece
    if told:
        yield _piece("\n\n".join(told), "notes")


def _divided(text: str, budget: int) -> tuple[list[str], list[str]]:
    """The blocks of a text that fit the budget of words, and what remains."""
    shown, told = [], []
    for block in (_without(block, HOUSEKEEPING) for block in BLOCKS.findall(NAVIGATION.sub("", text).strip())):
        if not block:
            continue
        if HEADING.match(block) or re.match(r"\s*([-*] |\d\. |\||\$\$|!\[|```)", block):
            shown.append(block)
            continue
        front, behind = _cut(block, budget)
        budget -= len(front.split())
        if behind:
            budget = 0
        shown.extend([front] if front else [])
        told.extend([behind] if behind else [])
    return shown, told


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
    """Code and output on one page if both fit, else on two; a figure's own call is not shown, a view is a picture."""
    if view := VIEW.search(cell.source):
        cell.outputs, cell["source"] = [_picture_of(view[1])], f"fig.{view[1]}()"
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
    if cell.metadata.get("asked") and cell.outputs and not picture:
        code = copy.deepcopy(cell)
        code.outputs, code["id"] = [], f"{cell.id}-code"
        yield code
        _set_kind(cell, "subslide")
        cell.metadata["transient"] = {"remove_source": True}
        yield cell
        return
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


def _picture_of(view: str) -> NotebookNode:
    """What a view shows before anyone moves a control."""
    from vgg_lesson import widgets

    png, *_ = getattr(widgets, view)().panel.pictures
    return new_output("display_data", {"image/png": base64.b64encode(png).decode(), "text/plain": f"the view {view}"})


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
