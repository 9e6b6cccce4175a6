"""Measure how long each notebook runs, on all cores and on one, and write what the instructor's guide says about it.

Each notebook gets a fresh kernel under the budget ``class`` with the full data, first on every core this process may
use, then pinned to one. Run it on a machine that does nothing else. Every notebook's figures are written as soon as
they are there; then the guide's lines between ``<!-- times:NAME -->`` and ``<!-- /times -->``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import torch
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tools.measured import TIMES, measured
from tools.paths import NOTEBOOKS, notebooks
from tools.refresh import execute, not_for_readers, output_text
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import cpu_count

GUIDE = NOTEBOOKS / "instructor_guide.md"
BLOCK = re.compile(r"(<!-- times:(\w+) -->\n)(?:(?!<!-- times:).)*?(<!-- /times -->)", re.DOTALL)
MINUTES = re.compile(r"^\|\s*\**Minutes\**\s*\|\s*(\d+)[^\d\n]+(\d+)", re.MULTILINE)
THREADS = re.compile(r"(\d+) threads?\b")
# They would limit the kernel to fewer threads than it has cores, or ask for more.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LABEL, SETUP = 48, "from importlib.util import find_spec"  # the first line of every notebook's setup cell
UNMEASURED = "Not measured yet: `python -m tools times` does it."
HEAD = """\
| notebook | in class: a plan | runs on {all} | its slowest cell | runs on one core | its slowest cell | memory |
|---|---:|---:|---:|---:|---:|---:|"""


def main(arguments: list[str]) -> int:
    """``python -m tools times [--try | --table] [NAME …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools times", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--try", dest="attempt", action="store_true", help="measure under any budget, write nothing")
    what.add_argument("--table", action="store_true", help="measure nothing, only write the guide's lines")
    parser.add_argument("names", nargs="*", metavar="NAME", help='notebooks, such as "05"; default: all')
    options = parser.parse_args(arguments)
    if not options.table:
        if not options.attempt and (reason := _not_to_be_kept(options.names)):
            parser.exit(1, f"nothing is run: {reason}\n")
        if failed := _measure_all(notebooks(options.names), keep=not options.attempt):
            print(f"stopped with an error: {', '.join(failed)}")
            return 1
    if not options.attempt:
        print("the guide changed" if write_guide() else "the guide says so already")
    return 0


def measure(path: Path, cores: Sequence[int]) -> dict[str, Any]:
    """Run a notebook on these cores and return its figures; see `tools.measured.measured`. Its file stays as it is.

    Raises:
        RuntimeError: a cell stopped with an error.
    """
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    with pinned_to(cores):
        try:
            seconds, peak = asyncio.run(execute(notebook))
        except CellExecutionError as error:
            raise RuntimeError(f"{path.name}: {error}") from None
    total = time.perf_counter() - start
    slowest = max(range(len(seconds)), key=seconds.__getitem__)
    return {
        "cores": len(cores),
        "threads": threads_of(notebook),
        "seconds": round(total, 1),
        "slowest_seconds": round(seconds[slowest], 1),
        "slowest_cell": label(notebook.cells[slowest].source),
        "peak_mb": round(peak),
    }


@contextmanager
def pinned_to(cores: Sequence[int]) -> Iterator[None]:
    """Let what is started here run on these cores only, as many threads as cores; afterwards all is as before.

    Raises:
        ValueError: no core, or this system cannot pin a process.
    """
    if not cores or not hasattr(os, "sched_setaffinity"):
        raise ValueError(f"cores={list(cores)} cannot be pinned here; Linux and at least one core are needed")
    before, kept = os.sched_getaffinity(0), {name: os.environ.pop(name, None) for name in THREAD_VARIABLES}
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        os.environ.update({name: value for name, value in kept.items() if value is not None})


def threads_of(notebook: NotebookNode) -> int | None:
    """The threads that the banner of a run reports; None if it does not."""
    shown = "\n".join(output_text(output) for cell in notebook.cells for output in cell.get("outputs", []))
    match = THREADS.search(shown)
    return int(match[1]) if match else None


def label(source: str) -> str:
    """The first line of a cell, shortened, without the characters that end code in Markdown or a table's cell."""
    first = next((line.strip() for line in source.splitlines() if line.strip()), "").replace("`", "'").replace("|", "/")
    return first if len(first) <= LABEL else first[: LABEL - 1].rstrip() + "…"


def machine() -> dict[str, Any]:
    """What ran: processor, cores this process may use, memory in 10⁹ bytes, versions. No name of the machine."""
    return {
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def planned(path: Path) -> tuple[int, int]:
    """Minutes in class and alone, from the title table of a notebook.

    Raises:
        ValueError: its first cell has no such row.
    """
    match = MINUTES.search(nbformat.read(path, as_version=4).cells[0].source)
    if not match:
        raise ValueError(f"{path.name}: no row `Minutes` in the table of the first cell")
    return int(match[1]), int(match[2])


def write_guide(path: Path = GUIDE, times: Mapping[str, Any] | None = None) -> bool:
    """Write what was measured between the markers of the guide; returns whether that changed it."""
    old = path.read_text(encoding="utf-8")
    new = rendered(old, measured() if times is None else times)
    if new != old:
        write_atomically(path, new.encode())
    return new != old


def rendered(text: str, times: Mapping[str, Any]) -> str:
    """The guide's text with its blocks as ``times`` has them: ``table``, ``machine``, and one per notebook's number.

    Raises:
        ValueError: a block of another name.
    """

    def block(match: re.Match[str]) -> str:
        if match[2] == "table":
            return match[1] + _table(times) + "\n" + match[3]
        if match[2] == "machine":
            return match[1] + _machine_line(times) + "\n" + match[3]
        if match[2] not in {path.stem[:2] for path in notebooks()}:
            raise ValueError(f"times:{match[2]} is unknown; choose table, machine or the number of a notebook")
        return match[1] + _line(match[2], times) + "\n" + match[3]

    return BLOCK.sub(block, text)


def _measure_all(paths: Sequence[Path], *, keep: bool) -> list[str]:
    cores, failed = sorted(os.sched_getaffinity(0)), []
    print(f"budget {get_budget().name}{'' if keep else ', writing nothing'}; {machine()}", flush=True)
    for path in paths:
        try:
            runs = {name: measure(path, used) for name, used in (("all", cores), ("one", cores[-1:]))}
        except RuntimeError as error:
            print(error)
            failed.append(path.name)
            continue
        print(path.stem, *(f"  {name}: {run}" for name, run in runs.items()), sep="\n", flush=True)
        if keep:
            _keep(path.stem[:2], runs)
    return failed


def _keep(number: str, runs: Mapping[str, Any]) -> None:
    before = measured()
    entries = before.get("notebooks", {}) if before.get("machine") == machine() else {}
    content = {"budget": get_budget().name, "machine": machine()}
    content["notebooks"] = dict(sorted({**entries, number: dict(runs)}.items()))
    write_atomically(TIMES, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _not_to_be_kept(names: Sequence[str]) -> str:
    """Why times measured here and now must not go into the guide; empty if they may."""
    if reason := not_for_readers():
        return f"{reason}. --try measures and writes nothing."
    known = measured().get("machine")
    if names and known not in (None, machine()):
        return "the other notebooks were measured on another machine; run all of them"
    return ""


def _value(number: str, cores: str, field: str, form: str, times: Mapping[str, Any]) -> str:
    divisor, _, spec = form.rpartition(":")
    value = times["notebooks"][number][cores][field] / float(divisor[1:] or 1)
    return f"{value:{spec}}<!--=times.{number}.{cores}.{field}{form}-->"


def _seconds(number: str, cores: str, times: Mapping[str, Any]) -> tuple[str, str]:
    total, slowest = (_value(number, cores, field, ":.0f", times) for field in ("seconds", "slowest_seconds"))
    return f"{total} s", f"{slowest} s"


def _table(times: Mapping[str, Any]) -> str:
    lines = [HEAD.format(all=_all_cores(times))]
    for path in notebooks():
        number, minutes = path.stem[:2], planned(path)[0]
        cells = ["–"] * 5
        if number in times.get("notebooks", {}):
            memory = _value(number, "all", "peak_mb", "/1e3:.1f", times)
            cells = [*_seconds(number, "all", times), *_seconds(number, "one", times), f"{memory} GB"]
        lines.append(f"| [{path.stem.replace('_', ' ')}]({path.name}) | {minutes} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _line(number: str, times: Mapping[str, Any]) -> str:
    if number not in times.get("notebooks", {}):
        return UNMEASURED
    (total, slowest), (alone, longest) = (_seconds(number, cores, times) for cores in ("all", "one"))
    cell = times["notebooks"][number]["one"]["slowest_cell"]
    where = "the imports" if cell == SETUP else f"`{cell}`"
    return (
        f"Measured: all cells take {total} on {_all_cores(times)}, {alone} on one. "
        f"You wait longest at {where}: {slowest}, on one core {longest}."
    )


def _machine_line(times: Mapping[str, Any]) -> str:
    if not times:
        return UNMEASURED
    used = times["machine"]
    return (
        f"Measured under the budget `{times['budget']}` with a fresh kernel each, on `{used['processor']}` "
        f"({used['system']}, {used['cores']} cores, `{used['memory_gb']} GB`), `Python {used['python']}`, "
        f"`torch {used['torch']}`. Yours will differ: on Linux, `python -m tools times --try 05` measures it and "
        "writes nothing."
    )


def _all_cores(times: Mapping[str, Any]) -> str:
    cores = times["machine"]["cores"] if times else None
    return {None: "all cores", 1: "one core", 2: "two cores"}.get(cores, f"{cores} cores")


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.processor() or platform.machine()
