"""Submissions of the homework as students hand them in: right, half-right, wrong, copied and hostile."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tools.grading import HIDDEN
from vgg_lesson.homework import PLACEHOLDER

WORDS = "The side shrinks the work, the channels the file."
HW1_SLIPS = {
    "shapes": "my_shape = (512, 7, 7)\nmy_inputs = 512 * 7 * 7",
    "formula": "def conv_params(window, c_in, c_out):\n    return window * window * c_in * c_out",
    "conv-total": "my_conv_total = trace(**me.network).conv_params - 64",
    "fc-total": "my_fc_total = trace(**me.network).total_params",
    "macs": "my_macs = trace(**me.network).row(me.layer).macs\nmy_macs_at_half_side = my_macs // 2",
    "field": "def look_back(layers):\n    return [sum(w for w, _ in layers[: k + 1]) for k, _ in enumerate(layers)]",
    "memory": "my_batch = me.gigabytes * 10**9 // (4 * trace(**me.network).total_activations)",
}

TAKE_OVER = """
import ast, builtins, os, sys
import vgg_lesson, vgg_lesson.arithmetic, vgg_lesson.homework

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
vgg_lesson.homework.counting = vgg_lesson.homework.hand_in = vgg_lesson.homework.plain = Equal()
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
    "memory": "my_batch = True\nimport os\nos._exit(0)",
}


def source_cells(source: Path) -> dict[str, NotebookNode]:
    """The instructor's cells by name, in the notebook's order."""
    return {cell.id.split("-", 1)[1]: cell for cell in nbformat.read(source, as_version=4).cells}


def submission(released: Path, student: str, answers: Mapping[str, str]) -> NotebookNode:
    """The released notebook with an id and ``answers``, by the name of their cell; the rest stays a stub."""
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(PLACEHOLDER, student)
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


def run(source: Path, student: str) -> tuple[dict[str, Any], dict[str, list[NotebookNode]]]:
    """Run a solution for ``student`` in this process, without hidden tests; its names, and what each test printed."""
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = {}
    for name, cell in source_cells(source).items():
        if cell.cell_type == "code":
            text = io.StringIO()
            code = HIDDEN.sub("", cell.source).replace(PLACEHOLDER, student)
            with contextlib.redirect_stdout(text):
                exec(compile(code, name, "exec"), names)
            printed[name] = [new_output("stream", name="stdout", text=text.getvalue())]
    return names, printed
