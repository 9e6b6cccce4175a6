"""Run the notebooks from top to bottom and store what came out, if every claim of the text holds.

The kernel runs in this very environment, under the budget that ``VGG_LESSON_BUDGET`` names (default: class).
Each notebook gets a fresh kernel that knows of no earlier answers; its claims, ``tests/claims/NAME.py``, are asserted
there at the end.
Nothing is written for a notebook that stopped with an error, whose claim failed, or whose outputs show
paths of this machine. ``--check`` runs everything and writes nothing: the command before a release.
Outputs are only stored under the budget ``class`` and with the full data; ``--draft`` stores any, for authors.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tools import numbers
from tools.paths import CLAIMS, documents, notebooks
from vgg_lesson.classroom.checks.memory import VARIABLE as PROGRESS
from vgg_lesson.data.datasets import load_fashion_mnist
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.support.budgets import VARIABLE, get_budget
from vgg_lesson.support.files import write_atomically

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_CELL_METADATA = ("tags", "jupyter", "slideshow")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MACHINE_PATH = re.compile(r"(?:/root|/home|/tmp|/work|/Users|/opt|/private/var)/\S+|[A-Za-z]:\\\\?Users\S+")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
SAMPLE_EVERY = 0.2


@dataclass(frozen=True)
class Run:
    """How one notebook ran: seconds, its slowest code cell, the kernel's peak in MB, the file in kB."""

    seconds: float
    longest: float
    longest_cell: int
    peak_mb: float
    kilobytes: float
    claims: str

    def __str__(self) -> str:
        slowest = f"{self.longest:.1f} s (no. {self.longest_cell})"
        figures = f"{self.seconds:>8.1f}{slowest:>16}{self.peak_mb:>9.0f}{self.kilobytes:>9.0f}"
        return f"{figures}  {self.claims}"


class ThisEnvironment(KernelSpecManager):
    """Knows one kernel, the running Python, whatever kernels the user has registered under the same name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The running interpreter's kernel, for every name."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


async def execute(notebook: NotebookNode, claims: str | None = None) -> tuple[list[float], float]:
    """Run all cells in a fresh kernel and an empty folder, then ``claims`` in the same kernel; fill in the outputs.

    Nothing that an earlier run left, such as the trials of notebook 06, makes this one shorter.

    Returns the seconds of each cell (0 for Markdown) and the kernel's peak resident memory in MB.

    Raises:
        CellExecutionError: a cell that stopped, or a claim that failed.
    """
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisEnvironment())
    client = NotebookClient(
        notebook, km=manager, timeout=None, store_widget_state=False, record_timing=False, coalesce_streams=True
    )
    claims_cell = [nbformat.v4.new_code_cell(claims)] if claims else []
    seconds = []
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options: dict[str, Any] = {
            "cwd": folder,
            "stderr": subprocess.DEVNULL,
            "env": {**os.environ, PROGRESS: "memory"},
        }
        async with client.async_setup_kernel(cleanup_kc=True, **options):
            peak = asyncio.create_task(_peak_memory(manager))
            notebook.cells.extend(claims_cell)
            try:
                for index, cell in enumerate(notebook.cells):
                    start = time.perf_counter()
                    await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
                    seconds.append(time.perf_counter() - start if cell.cell_type == "code" else 0.0)
            finally:
                peak.cancel()
                if claims_cell:
                    notebook.cells.pop()
        for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
            if output.output_type == "stream":  # 00's doctor names the folder that a reader's files go to
                output.text = output.text.replace(folder, "notebooks")
    return seconds[: len(notebook.cells)], await peak


def tidied(notebook: NotebookNode) -> NotebookNode:
    """The notebook in place, without what changes from run to run: widget views, timing, stray metadata."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: cell.metadata[k] for k in KEPT_CELL_METADATA if k in cell.metadata})
        for output in cell.get("outputs", []):
            output.pop("transient", None)
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if output.output_type == "stream":
                output.text = collapsed(output.text)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
    return notebook


def collapsed(text: str) -> str:
    """What a terminal would show: of a line overwritten by carriage returns only its last state stays."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(lines)


def traces_of_the_machine(notebook: NotebookNode) -> list[str]:
    """Paths and memory addresses in the outputs, each with the number of its cell."""
    return [
        f"cell {number}: {match[0]}"
        for number, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        for pattern in (MACHINE_PATH, ADDRESS)
        for match in pattern.finditer(output_text(output))
    ]


def output_text(output: Any) -> str:
    """All the text of an output, pictures excepted."""
    data = output.get("data", {})
    parts = [
        output.get("text", ""),
        *(value for kind, value in data.items() if not kind.startswith("image/")),
    ]
    return "\n".join(map(str, [*parts, *output.get("traceback", [])]))


def refresh(path: Path, *, claims: bool = True, keep: bool = True) -> Run:
    """Run one notebook and, with ``keep``, store its outputs and numbers.

    Raises:
        RuntimeError: it stopped, a claim failed or an output shows a path; the file is untouched.
    """
    notebook = nbformat.read(path, as_version=4)
    asserted = CLAIMS / f"{path.stem}.py"
    checked = claims and asserted.exists() and get_budget().name != "smoke"
    start = time.perf_counter()
    try:
        text = asserted.read_text(encoding="utf-8") if checked else None
        seconds, peak = asyncio.run(execute(notebook, text))
    except CellExecutionError as error:
        raise RuntimeError(f"{path.name}: {error}") from None
    total = time.perf_counter() - start
    tidied(notebook)
    if found := traces_of_the_machine(notebook):
        raise RuntimeError(f"{path.name}: outputs show this machine: {'; '.join(found)}")
    numbers.write_cells(notebook)
    text = nbformat.writes(notebook) + "\n"
    if keep:
        write_atomically(path, text.encode())
    longest = max(seconds, default=0.0)
    cell = seconds.index(longest) if seconds else 0
    return Run(total, longest, cell, peak, len(text) / 1000, "held" if checked else "not checked")


def not_for_readers() -> str:
    """Why outputs made here and now must not be stored in the repository; empty if they may."""
    if (budget := get_budget().name) != "class":
        return f"budget {budget}; stored outputs are those of {VARIABLE}=class"
    counts = {split: len(load_fashion_mnist(split)) for split in FULL_COUNTS}
    if counts != dict(FULL_COUNTS):
        return f"only {counts['train']:,} training images here; `python -m vgg_lesson data` fetches the full data"
    return ""


def main(arguments: list[str]) -> int:
    """``python -m tools refresh [--check | --draft] [--no-claims] [NAME …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools refresh", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="run and check the claims, write nothing")
    what.add_argument("--draft", action="store_true", help="store outputs of any budget and data, to look at")
    parser.add_argument("--no-claims", action="store_true", help="do not assert what the text claims of a run")
    parser.add_argument("names", nargs="*", metavar="NAME", help='notebooks, such as "05"; default: all')
    options = parser.parse_args(arguments)
    if not (options.check or options.draft) and (reason := not_for_readers()):
        parser.exit(1, f"nothing is run: {reason}. --check stores nothing, --draft stores it anyway.\n")
    failed = 0
    print(f"budget {get_budget().name}{', writing nothing' if options.check else ''}")
    print(f"{'notebook':<26}{'seconds':>8}{'longest cell':>16}{'peak MB':>9}{'file kB':>9}  claims")
    for path in notebooks(options.names):
        print(f"{path.stem:<26}", end="", flush=True)
        try:
            run = refresh(path, claims=not options.no_claims, keep=not options.check)
        except (RuntimeError, ValueError) as error:
            failed += 1
            print(f"FAILED, file unchanged\n{error}", flush=True)
            continue
        print(run, flush=True)
    if not options.check and not options.names and not failed:
        for document in documents():
            numbers.write(document)
    return int(bool(failed))


async def _peak_memory(manager: AsyncKernelManager) -> float:
    """Sample the resident memory of the kernel and its children until cancelled; the highest value in MB."""
    peak = 0
    try:
        process = psutil.Process(manager.provisioner.pid)  # type: ignore[union-attr]
        while True:
            peak = max(peak, process.memory_info().rss + sum(map(_resident, process.children(recursive=True))))
            await asyncio.sleep(SAMPLE_EVERY)
    except (asyncio.CancelledError, psutil.Error):
        return peak / 1e6


def _resident(process: psutil.Process) -> int:
    """Bytes; 0 for a process that has just ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
