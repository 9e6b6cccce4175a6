"""Every notebook as on a Binder pod: `binder/start`, a server, a fresh kernel, all cells, in 2 GB and on one CPU.

Server and kernel run in a control group of their own for each notebook; what drives them, as a browser would, does
not. Memory is what the limit counts, so it includes the file cache of what the pod was the first to read.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.lab import Server, free_port, running
from tools.paths import ROOT, notebooks
from tools.proofs.kernels import KernelDiedError, kernel, run_all
from tools.proofs.pods import Pod, pod, reason_against
from tools.proofs.report import Proof
from tools.proofs.series import code, command, judged
from tools.refresh import not_for_readers
from vgg_lesson.support.budgets import get_budget

MEMORY, CPUS = 2_000_000_000, 1.0
GIGABYTES, GIGABYTES_OF = 1.5, {"11": 1.9}
MINUTES, SERIES_MINUTES = 10, 60
VARIABLES = {"CPU_LIMIT": "1.0", "MEM_LIMIT": str(MEMORY), "VGG_LESSON_OFFLINE": "1"}


def run(names: Sequence[str] = ()) -> Proof:
    """Each notebook named, or all; those measured before on the same machine are kept in the table."""
    proof = Proof(
        "pod", f"Every notebook in a pod of {MEMORY / 1e9:g} GB and {CPUS:g} CPU, budget {get_budget().name}",
        ("notebook", "minutes", "CPU minutes", "peak, GB", "without file cache", "killed", "said"),
    )  # fmt: skip
    if reason := reason_against():
        proof.notes.append(f"Skipped: {reason}.")
        return proof
    figures = {} if names == () else proof.kept().get("notebooks", {})
    for path in notebooks(names):
        figures[path.stem[:2]] = row = measured(path)
        print(path.stem, row, flush=True)
    _conclude(proof, {path.stem[:2]: figures[path.stem[:2]] for path in notebooks() if path.stem[:2] in figures})
    return proof


def measured(path: Path) -> dict[str, Any]:
    """What one notebook took: seconds, CPU seconds, peaks in bytes, processes killed, what went wrong."""
    cells = code(path)
    with tempfile.TemporaryDirectory() as folder, pod(MEMORY, CPUS) as bounds:
        said, seconds = "", 0.0
        try:
            with serving(Path(folder), bounds) as place, kernel(place, f"my-lesson/{path.name}") as used:
                used.restart()
                runs = run_all(used, cells)
            seconds = sum(ran.seconds for ran in runs)
            said = "; ".join(judged(cells, runs))
        except KernelDiedError as error:
            said = str(error)
        return {
            "seconds": round(seconds, 1), "cpu_seconds": round(bounds.cpu_seconds, 1), "peak": bounds.peak,
            "anonymous": bounds.highest_anonymous, "killed": bounds.killed, "said": said,
        }  # fmt: skip


@contextmanager
def serving(folder: Path, bounds: Pod) -> Iterator[Server]:
    """A JupyterLab that ``binder/start`` hands over to, at home in ``folder``, inside the pod."""
    place = Server("jupyterlab", free_port(), secrets.token_hex(16))
    start = ["bash", str(ROOT / "binder" / "start"), *command(place, folder)]
    outside = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**outside, **VARIABLES, "HOME": str(folder), "PATH": path, "PYTHONPATH": str(ROOT)}
    log = folder / "server.log"
    with running(place, start, log, env=environment, cwd=folder, preexec_fn=bounds.join):
        yield place


def _conclude(proof: Proof, figures: dict[str, dict[str, Any]]) -> None:
    for number, row in figures.items():
        memory = f"{row['peak'] / 1e9:.2f}", f"{row['anonymous'] / 1e9:.2f}"
        times = f"{row['seconds'] / 60:.1f}", f"{row['cpu_seconds'] / 60:.1f}"
        proof.rows.append((number, *times, *memory, str(row["killed"]), row["said"] or "as stored"))
    cpu = sum(row["cpu_seconds"] for row in figures.values())
    slowest = max(figures, key=lambda number: figures[number]["seconds"])
    largest = max(figures, key=lambda number: figures[number]["peak"] * (number not in GIGABYTES_OF))
    peaks = {number: figures[number]["peak"] / 1e9 for number in (largest, *GIGABYTES_OF) if number in figures}
    proof.figures = {
        "notebooks": figures, "count": len(figures), "cpu_minutes": cpu / 60,
        "slowest_minutes": figures[slowest]["seconds"] / 60, "peaks_gb": peaks,
    }  # fmt: skip
    proof.verdicts = {
        "every notebook of the series": len(figures) == len(notebooks()),
        "none killed, no error, untagged cells as stored": not any(r["killed"] or r["said"] for r in figures.values()),
        f"peak at most {GIGABYTES} GB ({GIGABYTES_OF['11']} GB for 11)": all(
            row["peak"] <= 1e9 * GIGABYTES_OF.get(number, GIGABYTES) for number, row in figures.items()
        ),
        f"each at most {MINUTES} minutes": figures[slowest]["seconds"] <= 60 * MINUTES,
        f"the series inside {SERIES_MINUTES} CPU minutes": cpu <= 60 * SERIES_MINUTES,
    }
    proof.lines = [
        ("a Binder pod (2 GB, one CPU) runs every notebook, none is killed", "{count} notebooks, all cells, no error"),
        (
            f"peak memory at most {GIGABYTES} GB ({GIGABYTES_OF['11']} GB for 11)",
            "; ".join(f"{{peaks_gb.{number}:.2f}} GB (notebook {number})" for number in peaks)
            + ", file cache included",
        ),
        (f"each notebook at most {MINUTES} minutes", f"{{slowest_minutes:.1f}} minutes (notebook {slowest})"),
        ("the whole series inside one CPU hour", "{cpu_minutes:.0f} minutes"),
    ]
    proof.unfit = not_for_readers()
