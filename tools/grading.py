"""Grade homework outside the student's kernel, and mend what a submission damaged, as preprocessors of nbgrader.

nbgrader runs its tests in the kernel in which the submission runs, and whoever owns a kernel can patch whatever a
test calls. Here the kernel only prints the answers, as plain data; the hidden tests are taken out before it starts
and run afterwards, in the grader's process, on what was printed, with the id of the folder that was handed in.
``notebooks/homework/nbgrader_config.py`` switches this on.
"""

from __future__ import annotations

import ast
import codecs
import importlib.util
import io
import json
import logging
import re
import shutil
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, OverwriteCells
from nbgrader.utils import compute_checksum, is_grade, is_solution

from tools.paths import NOTEBOOKS
from vgg_lesson.support.files import write_atomically

MODULE = "vgg_homework"
IDS = "students.txt"  # the instructor's list, one id a line, beside nbgrader_config.py; never handed out
# A homework made of questions of the others: for a class that had 02, 03, 05 and 07, sixteen points and four.
HALF_DAY = "half_day/count_start_judge.ipynb"
HALF_DAY_TITLE = """# Homework: count it, start it, judge it

For those who worked through notebooks 02, 03, 05 and 07. {how}"""
HALF_DAY_QUESTIONS = {
    "hw1": ("student-id", "setup", "network", "shapes", "conv", "conv-total", "fc-total", "macs"),
    "hw2": ("setup", "std", "left", "predictions", "confusion", "trust", "written"),
}
HIDDEN = re.compile(r"^\s*### BEGIN HIDDEN TESTS$.*?^\s*### END HIDDEN TESTS$\n?", re.MULTILINE | re.DOTALL)
UNNAMED = re.compile(r'(<a href="#([\w-]+?)-test">)Test cell</a>')
MOST_OUTPUT = 2_000
LOG = logging.getLogger("nbgrader")


def homework_module(folder: Path = NOTEBOOKS / "homework") -> ModuleType:
    """The module that students import, from its one source, under its own name, so that hidden tests find it."""
    if MODULE not in sys.modules:
        spec = importlib.util.spec_from_file_location(MODULE, folder / f"{MODULE}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[MODULE] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[MODULE])
    return sys.modules[MODULE]


homework = homework_module()


def ship(course: Path) -> None:
    """Put the students' module, and the class list if there are ids, into each assignment's source folder.

    nbgrader hands out what lies there with the notebook. The half-day's homework is composed first. Git ignores both.

    Raises:
        ValueError: a line of the list is no id.
    """
    compose_half_day(course / "source")
    origin = course if (course / f"{MODULE}.py").exists() else NOTEBOOKS / "homework"
    content = {f"{MODULE}.py": (origin / f"{MODULE}.py").read_bytes()}
    if (course / IDS).exists():
        ids = (course / IDS).read_text(encoding="utf-8").splitlines()
        content[str(homework.CLASS_LIST)] = homework.class_list(ids).encode()
    for folder in (path.parent for path in (course / "source").glob("*/*.ipynb")):
        for name, text in content.items():
            if not (folder / name).exists() or (folder / name).read_bytes() != text:
                write_atomically(folder / name, text)


def compose_half_day(sources: Path) -> None:
    """Write the homework of the half-day from the questions of the other two, numbered anew.

    `me` is drawn twice: for the network to be counted, then for what is started and judged.
    """
    books = {name: nbformat.read(next((sources / name).glob("*.ipynb")), as_version=4) for name in HALF_DAY_QUESTIONS}
    how = books["hw1"].cells[0].source.split("\n\n")[-1]
    cells = [nbformat.v4.new_markdown_cell(HALF_DAY_TITLE.format(how=how), id="half-day-title")]
    for name, wanted in HALF_DAY_QUESTIONS.items():
        for cell in books[name].cells:
            part = re.sub(r"-(question|test)$", "", cell.id.removeprefix(f"{name}-"))
            if part in wanted:
                if part == "setup":
                    cell.metadata.nbgrader.grade_id = f"setup-{name}"
                cells.append(cell)
    number = 0
    for cell in cells:
        if cell.cell_type == "markdown" and re.search(r"^## \d+ ", cell.source, re.MULTILINE):
            number += 1
            cell.source = re.sub(r"^## \d+ ", f"## {number} ", cell.source, flags=re.MULTILINE)
    book = nbformat.v4.new_notebook(cells=cells, metadata=books["hw1"].metadata)
    text = (nbformat.writes(book) + "\n").encode()
    target = sources / HALF_DAY
    if not target.exists() or target.read_bytes() != text:
        write_atomically(target, text)


def accept_renamed(assignment: str, student: str, notebooks: list[str]) -> None:
    """nbgrader's hook before a submission is converted: a renamed notebook is graded under the assignment's name.

    ``notebooks`` are those of one submission; the list is changed in place. Of several the right name wins, else the
    newest file. One of an older format or with a byte-order mark, which nbgrader cannot read, is written anew.
    """
    if not notebooks:
        return
    folder = Path(notebooks[0]).parent
    for source in Path("source", assignment).glob("*.ipynb"):
        wanted = folder / source.name
        if str(wanted) not in notebooks:
            handed = max(map(Path, notebooks), key=lambda path: path.stat().st_mtime)
            LOG.warning("%s is graded as %s", handed, wanted.name)
            shutil.copy2(handed, wanted)
            notebooks.append(str(wanted))
        notebooks[:] = [str(wanted)]
        _renew(wanted)


def _renew(path: Path) -> None:
    """Write a notebook in today's format; what was handed in stays beside it. What is no notebook stays as it is."""
    handed = path.read_bytes()
    with suppress(ValueError, KeyError, AttributeError, nbformat.ValidationError):
        text = handed.decode("utf-8-sig")
        if handed.startswith(codecs.BOM_UTF8) or json.loads(text)["nbformat"] != nbformat.current_nbformat:
            content = nbformat.writes(nbformat.reads(text, as_version=nbformat.current_nbformat))
            write_atomically(path.with_name(f"{path.name}.handed-in"), handed)
            write_atomically(path, content.encode())


def name_questions(assignment: str, student: str, notebooks: Iterable[str]) -> None:
    """nbgrader's hook after feedback is written: its list names questions instead of saying "Test cell"."""
    titles = question_titles(Path("source", assignment))
    for notebook in notebooks:
        path = Path(notebook)
        page = Path("feedback", *path.parts[-3:-1], f"{path.stem}.html")
        text = page.read_text(encoding="utf-8")
        named = UNNAMED.sub(lambda match: f"{match[1]}{titles.get(match[2], match[2])}</a>", text)
        write_atomically(page, named.encode())


def question_titles(folder: Path) -> dict[str, str]:
    """The heading above each graded cell of an assignment, without its points, by the cell's name before "-test"."""
    titles, title = {}, ""
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            heading = re.match(r"## (.+?)(?: \(.*\))?$", cell.source, re.MULTILINE)
            title = heading[1] if heading and cell.cell_type == "markdown" else title
            if is_grade(cell):
                titles[cell.metadata.nbgrader.grade_id.removesuffix("-test")] = title
    return titles


class ExecuteAndJudge(Execute):
    """Runs a submission without the hidden tests, then judges what each graded cell printed."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, km: AsyncKernelManager | None = None
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute ``nb`` in place and replace the outputs of its autograded cells by the verdicts."""
        graded = [cell for cell in nb.cells if cell.cell_type == "code" and is_grade(cell) and not is_solution(cell)]
        sources = [cell.source for cell in graded]
        for cell in graded:
            cell.source = HIDDEN.sub("", cell.source)
        try:
            nb, resources = super().preprocess(nb, resources, km)
        except (DeadKernelError, CellTimeoutError) as error:
            self.log.warning("The kernel ended early (%s); what was handed in before counts", type(error).__name__)
        for cell, source in zip(graded, sources, strict=True):
            cell.source = source
            cell.outputs = judged(source, cell.outputs, resources["nbgrader"]["student"])
        for output in (output for cell in nb.cells for output in cell.get("outputs", []) if "text" in output):
            output.text = output.text[: homework.MOST_CHARACTERS]  # LimitOutput counts lines; a line may be endless
        return nb, resources


class Mend(NbGraderPreprocessor):
    """Makes a submission one that nbgrader can grade: names that were lost are found again, each stands once.

    JupyterLab copies nbgrader's metadata when a cell is split, duplicated or pasted, and other editors drop them.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Mend ``nb`` in place by the assignment's own notebook."""
        info = resources["nbgrader"]
        source = nbformat.read(Path("source", info["assignment"], f"{info['notebook']}.ipynb"), as_version=4)
        mend(nb, source)
        return nb, resources


def mend(nb: NotebookNode, source: NotebookNode) -> None:
    """Bring the nbgrader cells of a submission back to those of ``source``, the assignment, in place.

    - An unknown or lost name is found by the cell's id or, for a locked cell, its text.
    - Of a locked cell the last copy is kept: all that it needs was run before.
    - Of an answer the first cell keeps the name; its other parts stay, and a written answer is joined into one.
    - A locked cell that nothing grades is put back behind the id, where it stood; `PutBack` appends the graded ones.
    """
    origin = {cell.metadata.nbgrader.grade_id: cell for cell in source.cells if "nbgrader" in cell.metadata}
    by_id = {cell.id: name for name, cell in origin.items()}
    by_text = {_plain(cell.source): name for name, cell in origin.items() if cell.metadata.nbgrader.locked}
    named: dict[str, list[NotebookNode]] = {}
    for cell in nb.cells:
        cell.source = cell.source.replace("\r\n", "\n")
        meta = cell.metadata.pop("nbgrader", {})
        name = meta.get("grade_id") if isinstance(meta, dict) else None
        name = name if name in origin else by_id.get(cell.get("id")) or by_text.get(_plain(cell.source))
        if name:
            named.setdefault(name, []).append(cell)
    _find_written(nb, source, origin, named)
    for name, cells in named.items():
        expected = origin[name]
        locked = expected.metadata.nbgrader.locked
        kept, *others = cells[::-1] if locked else cells
        if expected.cell_type == "markdown":
            kept.source = "\n\n".join(cell.source for cell in cells)
        if locked or expected.cell_type == "markdown":
            nb.cells = [cell for cell in nb.cells if not any(cell is other for other in others)]
        kept.metadata["nbgrader"] = NotebookNode(expected.metadata.nbgrader)
        _retype(kept, expected.cell_type)
    _put_back_setup(nb, origin, named)


class PutBack(OverwriteCells):
    """Restores what a submission changed in locked cells, and puts deleted tests back at the end.

    It speaks of a change only where a student made one: the instructor's cell differs from the one handed out by the
    hidden tests.
    """

    def report_change(self, name: str, attr: str, old: Any, new: Any) -> None:
        """Say what was changed, in words; nothing where it is as it was handed out."""
        if attr != "checksum" or new != self.handed_out.get(name):
            what = "text" if attr == "checksum" else attr
            self.log.warning("The cell %s was changed (its %s) and is restored", name, what)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Restore one cell."""
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name is not None:
            known = self.gradebook.find_source_cell(name, self.notebook_id, self.assignment_id)
            shown = NotebookNode({**cell, "source": HIDDEN.sub("", known.source).rstrip("\n")})
            self.handed_out[name] = compute_checksum(shown)
        return super().preprocess_cell(cell, resources, cell_index)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Restore every cell of ``nb``."""
        self.handed_out: dict[str, str] = {}
        return super().preprocess(nb, resources)

    def add_missing_grade_cells(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Append each graded cell of the assignment that ``nb`` lacks."""
        there = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        assignment = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        written = {cell.name for cell in assignment.solution_cells}
        sources = {cell.name: cell for cell in assignment.source_cells}
        for graded in assignment.grade_cells:
            if graded.name not in there:
                cell = self.missing_cell_transform(sources[graded.name], graded.max_score, graded.name in written)
                nb.cells.append(NotebookNode({**cell, "id": f"put-back-{graded.name}"}))
        return nb, resources


def judged(source: str, outputs: list[NotebookNode], student: str) -> list[NotebookNode]:
    """What a graded cell shall show: the line that was handed in, a verdict on each part, and the points.

    Where nothing can be judged, one error instead.
    """
    line = handed_in(outputs)
    shown = [new_output("stream", name="stdout", text=line[:MOST_OUTPUT] + "\n")] if line else []
    try:
        verdicts, points = run_tests(
            source, json.loads(line.removeprefix(homework.HANDED_IN)) if line else None, student
        )
        shown.append(new_output("stream", name="stdout", text=verdicts[: 2 * MOST_OUTPUT]))
        shown.append(new_output("execute_result", {"text/plain": f"{points:g}"}))
    except Exception as error:
        shown.append(_as_output(error))
        reason = next((output for output in outputs if output.output_type == "error"), None)
        if not line and reason is not None:  # what went wrong in the kernel helps the student more
            shown[-1] = new_output("error", **{key: _short(reason[key]) for key in ("ename", "evalue", "traceback")})
    return shown


def handed_in(outputs: list[NotebookNode]) -> str:
    """The last line of answers that a cell printed, or "" if there is none of a reasonable length."""
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    lines = [
        line for line in printed[-2 * homework.MOST_CHARACTERS :].splitlines() if line.startswith(homework.HANDED_IN)
    ]
    return lines[-1] if lines else ""


def run_tests(source: str, given: Any, student: str) -> tuple[str, float]:
    """Run a graded cell's hidden tests on ``given``; returns what they print, and their last value, the points.

    Raises:
        ValueError: nothing was handed in, or under another id than ``student``. Exception: whatever a test raises.
    """
    if not isinstance(given, dict):
        raise ValueError("nothing was handed in here")
    if given.get("student_id") != homework.checked_id(student):
        raise ValueError(
            f"the answers are those of {given.get('student_id')!r}, handed in by {student!r}; the numbers of a homework"
            f" belong to one id, so with the other id nothing counts"
        )
    hidden = HIDDEN.search(source)
    *tests, last = ast.parse(hidden[0] if hidden else "").body
    assert isinstance(last, ast.Expr), "hidden tests end with score(…)"
    names = {"__name__": "tests", "given": given}
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(ast.Module(tests, []), "<tests>", "exec"), names)  # noqa: S102  the instructor's own cells
        points = eval(compile(ast.Expression(last.value), "<tests>", "eval"), names)  # noqa: S307  the instructor's too
    return printed.getvalue(), float(points)


def _find_written(
    nb: NotebookNode, source: NotebookNode, origin: dict[str, NotebookNode], named: dict[str, list[NotebookNode]]
) -> None:
    """Take for a written answer that lost its name all text that the assignment does not have."""
    known = {_plain(cell.source) for cell in source.cells}
    claimed = {id(cell) for cells in named.values() for cell in cells}
    for name, expected in origin.items():
        if expected.cell_type == "markdown" and expected.metadata.nbgrader.solution and name not in named:
            own = [cell for cell in nb.cells if cell.cell_type != "code" and id(cell) not in claimed]
            if found := [cell for cell in own if cell.source.strip() and _plain(cell.source) not in known]:
                named[name] = found


def _put_back_setup(nb: NotebookNode, origin: dict[str, NotebookNode], named: dict[str, list[NotebookNode]]) -> None:
    """Insert locked cells without points that are gone: behind the cell before them, the first behind the id."""
    place = next((at for at, cell in enumerate(nb.cells) if "student_id =" in cell.source), -1)
    for name, expected in origin.items():
        meta = expected.metadata.nbgrader
        if name in named:
            place = max(at for at, cell in enumerate(nb.cells) if any(cell is kept for kept in named[name]))
        elif meta.locked and not meta.grade:
            place += 1
            nb.cells.insert(place, nbformat.from_dict({**expected, "id": f"put-back-{name}"}))


def _retype(cell: NotebookNode, wanted: str) -> None:
    """Make a cell code or text, as the assignment has it."""
    if cell.cell_type == wanted:
        return
    cell.cell_type = wanted
    cell.pop("attachments", None)
    if wanted == "code":
        cell.outputs, cell.execution_count = [], None
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _plain(source: str) -> str:
    """A cell's text as handed out, without the blanks that editors change."""
    return "\n".join(line.rstrip() for line in HIDDEN.sub("", source).strip().splitlines())


def _as_output(error: Exception) -> NotebookNode:
    text = f"{type(error).__name__}: {error}"
    return new_output("error", ename=type(error).__name__, evalue=_short(str(error)), traceback=[_short(text)])


def _short(text: Any) -> Any:
    return [_short(line) for line in text[-20:]] if isinstance(text, list) else str(text)[:MOST_OUTPUT]
