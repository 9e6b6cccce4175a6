"""What every notebook of the series has to be: one small function per rule, each returning its complaints."""

from __future__ import annotations

import copy
import json
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.cell_code import shows_something, trains_what_it_did_not_build
from tests.prose_rules import PROSE_RULES, words
from tools.links import FETCHED
from tools.refresh import output_text, tidied, traces_of_the_machine
from vgg_lesson.data.idx import FULL_COUNTS

TITLE_ROWS = ("You will do", "You will be able to", "You need", "Minutes")
MAX_BYTES = 1_000_000
WORDS = range(1200, 2001)
MARKDOWN_PER_CODE = (0.6, 2.0)
MEDIAN_LINES, MAX_LINES, MAX_TAUGHT_LINES = 5, 15, 30
TAGS = {"setup", "exercise", "taught", "nbval-ignore-output"}
FIRST, LAST_HEADING = "00_start_here", "## What you can say now"
EXERCISE = re.compile(r"^### Exercise \d+\.\d+ \((core|go further)\): \S.*", re.MULTILINE)
SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>(.*?)</details>", re.DOTALL)
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
CHECK_CALL = re.compile(r"^check\.(\w+)\(\w+\)$")
IGNORED = "nbval-ignore-output"
ALL_IMAGES = f"{FULL_COUNTS['train']:,} training and {FULL_COUNTS['test']:,} test"


@dataclass(frozen=True)
class Notebook:
    """A notebook, its path, and the stems of the series in order (for the links between neighbours)."""

    path: Path
    node: NotebookNode
    series: Sequence[str]

    @cached_property
    def cells(self) -> list[NotebookNode]:
        """All cells."""
        return list(self.node.cells)

    @cached_property
    def code(self) -> list[NotebookNode]:
        """The code cells."""
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def markdown(self) -> str:
        """All Markdown, solutions included."""
        return "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")

    @property
    def core_exercises(self) -> range:
        """How many core exercises it may have."""
        return range(0, 4) if self.path.stem == FIRST else range(3, 4)


@dataclass(frozen=True)
class Exercise:
    """The three cells of an exercise and the name of its check, where they could be told."""

    heading: str
    stub: NotebookNode | None
    fence: str | None
    check: str | None


def read(path: Path) -> NotebookNode:
    """The notebook file as nbformat 4."""
    return nbformat.read(path, as_version=4)


def tags(cell: NotebookNode) -> set[str]:
    """A cell's tags."""
    return set(cell.metadata.get("tags", []))


def strict_share(node: NotebookNode) -> tuple[int, int]:
    """How many cells nbval compares strictly, of how many with outputs; a picture without any text is not compared."""
    bearing = [cell for cell in node.cells if cell.get("outputs")]
    compared = [cell for cell in bearing if any(output_text(output).strip() for output in cell.outputs)]
    return sum(IGNORED not in tags(cell) for cell in compared), len(bearing)


def exercises(notebook: Notebook) -> list[Exercise]:
    """The exercises in order: heading, the next code cell, the fence of the Markdown cell right below it."""
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown" or not (match := EXERCISE.search(cell.source)):
            continue
        after = notebook.cells[index + 1 : index + 3]
        stub = after[0] if after and after[0].cell_type == "code" else None
        solution = SOLUTION.search(after[1].source) if len(after) == 2 else None
        fence = FENCE.search(solution[1]) if solution else None
        found.append(Exercise(match[0], stub, fence[1] if fence else None, _check(stub.source if stub else "")))
    return found


def title(notebook: Notebook) -> Iterator[str]:
    """A title, a sentence of promise and the table of what it takes."""
    first = notebook.cells[0].source
    if notebook.cells[0].cell_type != "markdown" or not re.match(r"# \S.*\n\n\w", first):
        yield "the first cell is not a # title followed by a sentence of promise"
    yield from (
        f"the title table lacks {row}" for row in TITLE_ROWS if not re.search(rf"^\|\s*\**{row}\**\s*\|", first, re.M)
    )
    if not re.search(r"Minutes\**\s*\|.*\d+[^\d\n]+\d+", first):
        yield "the title table does not give minutes in class and alone"


def neighbours(notebook: Notebook) -> Iterator[str]:
    """The first cell links to the start and both neighbours, the last one to the next notebook."""
    place = notebook.series.index(notebook.path.stem)
    before = notebook.series[max(place - 1, 0)]
    after = notebook.series[place + 1 : place + 2]
    for stem in {FIRST, before, *after} - {notebook.path.stem}:
        if f"]({stem}.ipynb)" not in notebook.cells[0].source:
            yield f"the first cell has no link to {stem}.ipynb"
    if after and f"]({after[0]}.ipynb)" not in notebook.cells[-1].source:
        yield f"the last cell has no link to {after[0]}.ipynb"


def setup(notebook: Notebook) -> Iterator[str]:
    """Imports first, tagged ``setup``; then the banner, whose output is not compared and tells of a class run."""
    imports, banner = (notebook.code + [nbformat.v4.new_code_cell()] * 2)[:2]
    if "setup" not in tags(imports) or not re.match(r"(from|import) ", imports.source):
        yield "the first code cell is not the imports, tagged setup"
    if "banner()" not in banner.source or IGNORED not in tags(banner):
        yield f"the second code cell is not banner(), tagged {IGNORED}"
        return
    shown = "\n".join(map(output_text, banner.outputs))
    if not re.search(r"^budget\s+class\b", shown, re.MULTILINE):
        yield "the stored outputs are not those of a class run"
    if ALL_IMAGES not in shown:
        yield f"the stored outputs are not those of the full data, {ALL_IMAGES} images"


def ending(notebook: Notebook) -> Iterator[str]:
    """It ends with what the student can say now, in three to five sentences, and the line with the link."""
    headings = re.findall(r"^## .*$", notebook.markdown, re.MULTILINE)
    if not headings or headings[-1] != LAST_HEADING:
        yield f"the last section is not {LAST_HEADING!r}"
        return
    said = notebook.markdown.rpartition(LAST_HEADING)[2]
    sentences = len(re.findall(r"[.?!](?:\s|$|\*|”|\")", re.sub(r"^.*\.ipynb\).*$|<!--.*?-->", "", said, flags=re.M)))
    if not 3 <= sentences <= 5:
        yield f"{LAST_HEADING!r} has {sentences} sentences instead of three to five"


def exercise_cells(notebook: Notebook) -> Iterator[str]:
    """Each exercise is heading, stub and folded solution, stub and solution ending in the same check."""
    found = exercises(notebook)
    for exercise in found:
        if exercise.stub is None or "exercise" not in tags(exercise.stub) or "..." not in exercise.stub.source:
            yield f"{exercise.heading}: no stub with ... tagged exercise under it"
        if exercise.check is None:
            yield f"{exercise.heading}: its cell does not end in check.name(answer)"
        if exercise.fence is None:
            yield f"{exercise.heading}: no folded solution with a python fence right below the stub"
        elif _check(exercise.fence) != exercise.check:
            yield f"{exercise.heading}: the solution does not end in the check of its stub"
    if len([cell for cell in notebook.code if "exercise" in tags(cell)]) != len(found):
        yield "a cell tagged exercise has no heading of the form ### Exercise N.k (core): title"
    core = sum("(core)" in exercise.heading for exercise in found)
    if core not in notebook.core_exercises:
        yield f"{core} core exercises"
    if len(found) < 3:
        yield f"{len(found)} exercises; three are the least"


def predictions(notebook: Notebook) -> Iterator[str]:
    """At least one guess is committed before a run."""
    code = "\n".join(cell.source for cell in notebook.code)
    if not re.search(r'^check\.guess\("\w+", ', code, re.MULTILINE):
        yield 'no guess, check.guess("exercise", ...), is asked for'
    yield from (
        f"the guess {name} is kept in a variable" for name in re.findall(r"^(my_\w*guess\w*) = ", code, re.MULTILINE)
    )


def lengths(notebook: Notebook) -> Iterator[str]:
    """Short cells, and about as much Markdown as code."""
    sizes = []
    for cell in notebook.code:
        source = FETCHED.sub("", cell.source)  # the same in every setup cell
        lines = [line for line in source.splitlines() if line.strip()]
        sizes.append(len(lines))
        most = MAX_TAUGHT_LINES if "taught" in tags(cell) else MAX_LINES
        if len(lines) > most:
            yield f"a code cell has {len(lines)} lines, more than {most}: {lines[0]}"
    if statistics.median(sizes or [0]) > MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(sizes)} lines, more than {MEDIAN_LINES}"
    ratio = (len(notebook.cells) - len(sizes)) / max(len(sizes), 1)
    if not MARKDOWN_PER_CODE[0] <= ratio <= MARKDOWN_PER_CODE[1]:
        yield f"{ratio:.1f} Markdown cells per code cell"
    count = words("\n\n".join(cell.source for cell in notebook.cells if _is_running_text(cell)))
    if count not in WORDS:
        yield f"{count} words of Markdown; {WORDS.start} to {WORDS.stop - 1} are wanted"


def training(notebook: Notebook) -> Iterator[str]:
    """A cell that trains builds what it trains, so that running it twice gives the same result."""
    for cell in notebook.code:
        for call in trains_what_it_did_not_build(cell.source):
            yield f"{call!r} trains a network that its cell does not build"


def code_style(notebook: Notebook) -> Iterator[str]:
    """No pyplot, no magic that hides output, no trailing semicolon (nbval does not honour it), no line too wide."""
    yield from (f"{len(line)} columns of code, 80 fit a projector: {line!r}" for line in too_wide(notebook.node))
    for cell in notebook.code:
        if "pyplot" in cell.source or "%matplotlib" in cell.source:
            yield f"pyplot in {cell.source.splitlines()[0]!r}; the package's figure functions draw"
        if cell.source.rstrip().endswith(";"):
            yield f"a cell ends in a semicolon: {cell.source.splitlines()[-1]!r}"


def too_wide(node: NotebookNode) -> list[str]:
    """The lines of code over 80 columns."""
    lines = (line for cell in node.cells if cell.cell_type == "code" for line in cell.source.splitlines())
    return [line for line in lines if len(line) > 80]


def executed(notebook: Notebook) -> Iterator[str]:
    """Run once, from top to bottom, without an error, and outputs stored."""
    counts = [cell.execution_count for cell in notebook.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the cells were not run once from top to bottom: {counts}"
    for cell in notebook.code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"an error is stored under {cell.source.splitlines()[0]!r}"
        if not cell.outputs and shows_something(cell.source):
            yield f"no output is stored under {cell.source.splitlines()[-1]!r}"


def clean(notebook: Notebook) -> Iterator[str]:
    """Nothing of the machine, the run or the editor is stored; unique ids; a small file."""
    yield from (f"an output shows this machine: {trace}" for trace in traces_of_the_machine(notebook.node))
    if tidied(copy.deepcopy(notebook.node)) != notebook.node:
        yield "widget state, timing or metadata is stored; python -m tools refresh strips it"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or not unique"
    if (size := len(json.dumps(notebook.node))) > MAX_BYTES:
        yield f"{size / 1e6:.1f} MB; {MAX_BYTES / 1e6:.0f} MB is the most"


def comparison(notebook: Notebook) -> Iterator[str]:
    """nbval compares most outputs; what it does not compare is followed by an assertion in the same section."""
    for unknown in set().union(*map(tags, notebook.cells)) - TAGS:
        yield f"unknown tag {unknown}"
    if re.search(r"#\s*(NBVAL|PYTEST)_", "\n".join(cell.source for cell in notebook.code)):
        yield "an nbval marker stands in a comment; tags keep the code clean"
    strict, bearing = strict_share(notebook.node)
    if bearing and strict < bearing / 2:
        yield f"only {strict} of {bearing} output cells are compared strictly"
    for section in _sections(notebook):
        ignored = [
            index for index, cell in enumerate(section) if IGNORED in tags(cell) and "banner()" not in cell.source
        ]
        if ignored and not any("assert " in cell.source for cell in section[ignored[-1] :] if cell.cell_type == "code"):
            yield f"nothing is asserted after the ignored cell {section[ignored[-1]].source.splitlines()[0]!r}"


def figures(notebook: Notebook) -> Iterator[str]:
    """Every picture has alt text that says something, and prose right before or after it."""
    for index, cell in enumerate(notebook.cells):
        pictures = [
            (output, kind) for output in cell.get("outputs", []) for kind in output.get("data", {}) if "image/" in kind
        ]
        for output, kind in pictures:
            alt = output.metadata.get(kind, {}).get("alt", "")
            if len(alt.split()) < 5 or "No description" in alt:
                yield f"a picture under {cell.source.splitlines()[-1]!r} has the alt text {alt!r}"
        around = notebook.cells[max(index - 1, 0) : index + 2]
        if pictures and all(other.cell_type == "code" for other in around):
            yield f"no Markdown cell stands next to the picture under {cell.source.splitlines()[-1]!r}"


def prose(notebook: Notebook) -> Iterator[str]:
    """The rules for all prose: numbers, links, alt text, words we do not use."""
    for rule in PROSE_RULES:
        yield from rule(notebook.markdown, notebook.path)


RULES: Sequence[Callable[[Notebook], Iterator[str]]] = (
    title, neighbours, setup, ending, exercise_cells, predictions, lengths, training, code_style, executed, clean,
    comparison, figures, prose,
)  # fmt: skip


def _check(source: str) -> str | None:
    lines = source.strip().splitlines()
    match = CHECK_CALL.match(lines[-1]) if lines else None
    return match[1] if match else None


def _is_running_text(cell: NotebookNode) -> bool:
    """Markdown that is neither an exercise nor a solution."""
    return cell.cell_type == "markdown" and not EXERCISE.search(cell.source) and not SOLUTION.search(cell.source)


def _sections(notebook: Notebook) -> list[list[NotebookNode]]:
    sections: list[list[NotebookNode]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            sections.append([])
        sections[-1].append(cell)
    return sections
