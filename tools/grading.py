"""Grade homework outside the student's kernel, as a preprocessor of nbgrader.

nbgrader runs its tests in the kernel in which the submission runs, and whoever owns a kernel can patch whatever a
test calls. Here the kernel only prints the answers, as plain data; the hidden tests are taken out before it starts
and run afterwards, in the grader's process, on what was printed, with the id of the folder that was handed in.
``notebooks/homework/nbgrader_config.py`` switches this on.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute, OverwriteCells
from nbgrader.utils import is_grade, is_solution

from vgg_lesson.homework import HANDED_IN, MOST_CHARACTERS, checked_id

HIDDEN = re.compile(r"^\s*### BEGIN HIDDEN TESTS$.*?^\s*### END HIDDEN TESTS$\n?", re.MULTILINE | re.DOTALL)
MOST_OUTPUT = 2_000


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
        except DeadKernelError:
            self.log.warning("The kernel died; what was handed in before that counts")
        for cell, source in zip(graded, sources, strict=True):
            cell.source = source
            cell.outputs = judged(source, cell.outputs, resources["nbgrader"]["student"])
        for output in (output for cell in nb.cells for output in cell.get("outputs", []) if "text" in output):
            output.text = output.text[:MOST_CHARACTERS]  # LimitOutput counts lines, and a line may be endless
        return nb, resources


class PutBack(OverwriteCells):
    """Restores what a submission changed in graded cells, metadata included, and puts deleted ones back at the end."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Give a cell of the assignment the kind and the points that it has there, then its source."""
        assignment = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        source = next((known for known in assignment.source_cells if known.name == name), None)
        if source is not None:
            points = {graded.name: graded.max_score for graded in assignment.grade_cells}
            solution = any(known.name == name for known in assignment.solution_cells)
            kind = {"grade": name in points, "solution": solution, "task": False, "locked": source.locked}
            cell.metadata["nbgrader"].pop("points", None)
            cell.metadata["nbgrader"].update(kind, **({"points": points[name]} if name in points else {}))
        return super().preprocess_cell(cell, resources, cell_index)

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
    """What a graded cell shall show: the line that was handed in and, unless it passes every test, one error."""
    line = handed_in(outputs)
    shown = [new_output("stream", name="stdout", text=line[:MOST_OUTPUT] + "\n")] if line else []
    try:
        run_tests(source, json.loads(line.removeprefix(HANDED_IN)) if line else None, student)
    except Exception as error:
        shown.append(_as_output(error))
        reason = next((output for output in outputs if output.output_type == "error"), None)
        if not line and reason is not None:  # what went wrong in the kernel helps the student more
            shown[-1] = new_output("error", **{key: _short(reason[key]) for key in ("ename", "evalue", "traceback")})
    return shown


def handed_in(outputs: list[NotebookNode]) -> str:
    """The last line of answers that a cell printed, or "" if there is none of a reasonable length."""
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    lines = [line for line in printed[-2 * MOST_CHARACTERS :].splitlines() if line.startswith(HANDED_IN)]
    return lines[-1] if lines else ""


def run_tests(source: str, given: Any, student: str) -> None:
    """Run a graded cell's tests, visible and hidden, on ``given``; the statement that calls ``hand_in`` is left out.

    Raises:
        ValueError: nothing was handed in, or under another id than ``student``. Exception: whatever a test raises.
    """
    if not isinstance(given, dict):
        raise ValueError("nothing was handed in here")
    if given.get("student_id") != checked_id(student):
        raise ValueError(f"the answers are those of {given.get('student_id')!r}, handed in by {student!r}")
    tree = ast.parse(source)
    tree.body = [statement for statement in tree.body if "hand_in(" not in ast.unparse(statement)]
    tests = compile(tree, "<tests>", "exec")
    exec(tests, {"__name__": "tests", "given": given})  # noqa: S102  the instructor's cells; answers come in as JSON


def _as_output(error: Exception) -> NotebookNode:
    text = f"{type(error).__name__}: {error}"
    return new_output("error", ename=type(error).__name__, evalue=_short(str(error)), traceback=[_short(text)])


def _short(text: Any) -> Any:
    return [_short(line) for line in text[-20:]] if isinstance(text, list) else str(text)[:MOST_OUTPUT]
