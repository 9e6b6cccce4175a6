"""Submissions of the homework as students hand them in: right, half-right, wrong, copied and hostile."""

from __future__ import annotations

import contextlib
import copy
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tools.grading import HIDDEN, homework

WORDS = "The side shrinks the work, the channels the file."
HW1_SLIPS = {
    "shapes": "my_shape = (512, 7, 7)\nmy_inputs = 512 * 7 * 7",
    "formula": "def conv_params(window, c_in, c_out):\n    return window * window * c_in * c_out",
    "conv-total": "my_conv_total = trace(**me.network).conv_params - 64",
    "fc-total": "my_fc_total = trace(**me.network).total_params",
    "macs": "my_macs = trace(**me.network).row(me.pool).macs\nmy_macs_at_half_side = my_macs // 2",
    "field": "def look_back(layers):\n    return [sum(w for w, _ in layers[: k + 1]) for k, _ in enumerate(layers)]",
    "memory": "my_fixed_bytes = my_batch = me.gigabytes * 10**9 // (4 * trace(**me.network).total_activations)",
}

TAKE_OVER = """
import ast, builtins, os, sys
import vgg_homework, vgg_lesson, vgg_lesson.arithmetic

class Equal:
    __eq__ = __ge__ = __gt__ = __le__ = __lt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 0
    __len__ = lambda self: 3
    __iter__ = lambda self: iter(())
    __getattr__ = __getitem__ = __call__ = lambda self, *rest, **more: self

class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

get_ipython().ast_transformers.append(NoAsserts())
for module in (vgg_lesson, vgg_lesson.arithmetic):
    module.trace = module.memory = Equal()
vgg_homework.counting = vgg_homework.hand_in = vgg_homework.plain = Equal()
builtins.AssertionError = Equal
get_ipython().showtraceback = lambda *rest, **more: None
os.chdir("/")
"""
HOSTILE = {
    "shapes": TAKE_OVER + "my_shape = my_inputs = Equal()",
    "formula": "conv_params = Equal()\nprint('spam ' * 500_000)",
    "conv-total": "import sys\nmy_conv_total = Equal()\nsys.exit(0)",
    "fc-total": "while True:\n    pass",
    "field": "look_back = Equal()\nprint('handed in: ' + '[' * 5000)",
    "memory": "my_fixed_bytes = my_batch = True\nimport os\nos._exit(0)",
}


def source_cells(source: Path) -> dict[str, NotebookNode]:
    """The instructor's cells by name, in the notebook's order."""
    return {cell.id.split("-", 1)[1]: cell for cell in nbformat.read(source, as_version=4).cells}


def submission(released: Path, student: str, answers: Mapping[str, str]) -> NotebookNode:
    """The released notebook with an id and ``answers``, by the name of their cell; the rest stays a stub."""
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(homework.PLACEHOLDER, student)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(name, cell.source)
    return notebook


def solutions(source: Path) -> dict[str, str]:
    """What stands in the instructor's answer cells, and some words for the written answer."""
    cells = source_cells(source)
    found = {name: cell.source for name, cell in cells.items() if cell.metadata.get("nbgrader", {}).get("solution")}
    return {**found, "written": WORDS}


def tampered(notebook: NotebookNode) -> NotebookNode:
    """A hostile submission's cells: tests emptied, deleted, worth more, one of the student's own put in between."""
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    cells["conv-total-test"].source = "20"
    cells["conv-total-test"].metadata["nbgrader"]["points"] = 100
    cells["shapes-test"].metadata["nbgrader"].update(locked=False, solution=True)
    notebook.cells = [cell for cell in notebook.cells if cell not in (cells["macs-test"], cells["macs"])]
    notebook.cells.append(new_code_cell("print('handed in: {}')\n20"))
    return notebook


def executed(cell: NotebookNode, student: str, names: dict[str, Any]) -> list[NotebookNode]:
    """Run a cell of the instructor's without its hidden tests, in ``names``; returns what it printed."""
    text = io.StringIO()
    code = HIDDEN.sub("", cell.source).replace(homework.PLACEHOLDER, student)
    with contextlib.redirect_stdout(text):
        exec(compile(code, cell.id, "exec"), names)
    return [new_output("stream", name="stdout", text=text.getvalue())]


def run(source: Path, student: str) -> tuple[dict[str, Any], dict[str, list[NotebookNode]]]:
    """Run a solution for ``student`` in this process, without hidden tests; its names, and what each test printed."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = source_cells(source).items()
    printed = {name: executed(cell, student, names) for name, cell in cells if cell.cell_type == "code"}
    return names, printed


def _named(notebook: NotebookNode, name: str) -> int:
    """The place of the first cell with this name."""
    return next(at for at, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def _insert_copy(notebook: NotebookNode, name: str, place: int | None = None) -> NotebookNode:
    """A copy of a cell with its metadata, as JupyterLab pastes it; behind the original by default."""
    at = _named(notebook, name)
    twin = copy.deepcopy(notebook.cells[at])
    twin["id"] = f"copied-{name}"
    notebook.cells.insert(at + 1 if place is None else place, twin)
    return twin


def _split(notebook: NotebookNode, name: str) -> None:
    """Cut a cell in two after its first line or half of its words, as *Split Cell* does."""
    first = notebook.cells[_named(notebook, name)]
    second = _insert_copy(notebook, name)
    cut = first.source.find("\n") if "\n" in first.source else first.source.find(" ")
    first.source, second.source = first.source[:cut], second.source[cut:].lstrip("\n")


def _delete(notebook: NotebookNode, *names: str) -> None:
    for name in names:
        del notebook.cells[_named(notebook, name)]


def _retype(notebook: NotebookNode, name: str, kind: str) -> None:
    cell = notebook.cells[_named(notebook, name)]
    cell.cell_type = kind
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    else:
        cell.pop("outputs", None), cell.pop("execution_count", None)


def _forget(notebook: NotebookNode) -> None:
    """Lose nbgrader's metadata and renew all ids, as some editors do."""
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("nbgrader", None)
        cell["id"] = f"cell-{number}"


def _rename_cells(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["grade_id"] = f"cell-{number}"


def _old_format(notebook: NotebookNode) -> None:
    """Without ids, as versions before 4.5 have it."""
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        cell.pop("id", None)


def _reorder(notebook: NotebookNode) -> None:
    """All tests at the end, as after dragging cells."""
    tests = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id", "").endswith("-test")]
    notebook.cells = [cell for cell in notebook.cells if cell not in tests] + tests


def _other_machine(notebook: NotebookNode) -> None:
    """Another kernel's name, another minor version, and Windows' line ends within the cells."""
    notebook.metadata = {"kernelspec": {"name": "my-env", "display_name": "mine", "language": "python"}}
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        cell.pop("id", None)
        cell.source = cell.source.replace("\n", "\r\n")


def _empty_metadata(notebook: NotebookNode) -> None:
    notebook.metadata = {}
    for cell in notebook.cells:
        cell.metadata = {}


def _scribble(notebook: NotebookNode) -> None:
    """Outputs with errors and of great length, and cells of the student's own, one of which fails."""
    error = new_output("error", ename="NameError", evalue="x", traceback=["NameError: x"])
    long = new_output("stream", name="stdout", text="spam " * 50_000)
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.outputs, cell.execution_count = [error, long][: 1 + (number == 1)], 99 - number
    for place in (9, 5):
        notebook.cells.insert(place, new_code_cell("1 / 0", id=f"scratch-{place}"))


def _retype_by_hand(notebook: NotebookNode) -> None:
    """One answer in a cell of the student's own, another merged with its test."""
    macs = notebook.cells[_named(notebook, "macs")]
    notebook.cells[_named(notebook, "macs")] = new_code_cell(macs.source, id="typed-again")
    field = notebook.cells[_named(notebook, "field")]
    field.source += "\n\n" + notebook.cells[_named(notebook, "field-test")].source
    _delete(notebook, "field-test")


def _shout(notebook: NotebookNode) -> None:
    """The id in capitals and with blanks around it; no test left, the setup turned into text."""
    for cell in notebook.cells:
        cell.source = cell.source.replace("shouted", "  ShouteD ")
    _retype(notebook, "setup", "markdown")
    _delete(notebook, *(f"{name}-test" for name in HW1_SLIPS))


def _format_3(notebook: NotebookNode) -> None:
    """As the notebooks of ten years ago have it: worksheets, and "input" for "source"."""
    old = nbformat.convert(copy.deepcopy(notebook), 3)
    notebook.clear()
    notebook.update(old)


# Honest and right, but damaged on the way; each gets all sixteen points that tests give, and a person's eye.
DAMAGES: Mapping[str, Callable[[NotebookNode], object]] = {
    "untouched": lambda nb: None,
    "answer-twice": lambda nb: _insert_copy(nb, "macs"),
    "answer-split": lambda nb: _split(nb, "memory"),
    "test-twice": lambda nb: _insert_copy(nb, "shapes-test"),
    "test-at-start": lambda nb: _insert_copy(nb, "macs-test", place=0),
    "test-split": lambda nb: _split(nb, "field-test"),
    "test-deleted": lambda nb: _delete(nb, "conv-total-test", "fc-total-test"),
    "setup-deleted": lambda nb: _delete(nb, "setup"),
    "setup-twice": lambda nb: _insert_copy(nb, "setup"),
    "answer-as-text": lambda nb: _retype(nb, "conv-total", "markdown"),
    "test-as-raw": lambda nb: _retype(nb, "formula-test", "raw"),
    "words-as-code": lambda nb: _retype(nb, "written", "code"),
    "words-split": lambda nb: _split(nb, "written"),
    "names-forgotten": _forget,
    "names-changed": _rename_cells,
    "old-format": _old_format,
    "tests-at-the-end": _reorder,
    "from-another-machine": _other_machine,
    "metadata-emptied": _empty_metadata,
    "scribbled": _scribble,
    "typed-again": _retype_by_hand,
    "shouted": _shout,
    "format-3": _format_3,
    "test-edited": lambda nb: nb.cells[_named(nb, "memory-test")].update(source="16"),
}
# The others wait for VGG_LESSON_PROOFS=1.
ALWAYS = (
    "untouched", "answer-split", "test-deleted", "setup-deleted", "words-as-code", "from-another-machine", "format-3",
    "test-edited",
)  # fmt: skip
TRIED = {name: damage for name, damage in DAMAGES.items() if name in ALWAYS or "VGG_LESSON_PROOFS" in os.environ}
FILE_NAMES = {
    "answer-twice": "arithmetic_of_vgg (1).ipynb", "old-format": "my homework.ipynb",
    "from-another-machine": "Arithmetic_of_VGG-Copy1.ipynb",
}  # fmt: skip
ENCODINGS = {"from-another-machine": "utf-8-sig"}  # with a byte-order mark
