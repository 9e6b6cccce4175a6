"""The half-day in one pod: 02, 03, 05 and 07 one after another in one JupyterLab, their kernels left open, in 2 GB.

As `tools.proofs.pod`, but the server and all four kernels share the limit, as they do when nobody closes a notebook.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.browser.lab import Server
from tools.paths import notebooks
from tools.proofs.kernels import KernelDiedError, kernel, run_all
from tools.proofs.pod import CPUS, MEMORY, serving
from tools.proofs.pods import Pod, pod, reason_against
from tools.proofs.report import Proof
from tools.proofs.series import code
from tools.refresh import not_for_readers
from tools.run_sheets import run_sheet
from vgg_lesson.support.budgets import get_budget


def run(names: Sequence[str] = ()) -> Proof:
    """The notebooks of the guide's half-day, or those named."""
    names = names or list(dict.fromkeys(step.notebook for step in run_sheet("half_day")))
    proof = Proof(
        "half_day",
        f"{', '.join(names)} one after another, kernels left open, in {MEMORY / 1e9:g} GB and {CPUS:g} CPU, budget"
        f" {get_budget().name}",
        ("after", "minutes", "in use, GB", "peak, GB", "kernels open", "killed", "said"),
    )  # fmt: skip
    if reason := reason_against():
        proof.notes.append(f"Skipped: {reason}.")
        return proof
    with tempfile.TemporaryDirectory() as folder, pod(MEMORY, CPUS) as bounds:
        rows = _measured(Path(folder), bounds, names)
    for row in rows:
        sizes = f"{row['in_use'] / 1e9:.2f}", f"{row['peak'] / 1e9:.2f}"
        minutes, said = f"{row['seconds'] / 60:.1f}", row["said"] or "no error"
        proof.rows.append((row["notebook"], minutes, *sizes, str(row["open"]), str(row["killed"]), said))
    proof.figures = {
        "notebooks": rows, "count": len(rows), "peak_gb": rows[-1]["peak"] / 1e9, "open": rows[-1]["open"],
        "minutes": sum(row["seconds"] for row in rows) / 60, "killed": rows[-1]["killed"],
    }  # fmt: skip
    proof.verdicts = {
        "all notebooks to their last cell, no error": not any(row["said"] for row in rows) and len(rows) == len(names),
        "nothing killed": rows[-1]["killed"] == 0,
    }
    proof.lines = [
        (
            "the half-day in one pod of 2 GB, kernels left open: nothing is killed",
            "{count} notebooks, {killed} killed, at most {peak_gb:.2f} GB; kernels still open in the end: {open}",
        )
    ]
    proof.unfit = not_for_readers()
    return proof


def _measured(folder: Path, bounds: Pod, names: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    with serving(folder, bounds) as place, ExitStack() as opened:
        for path in notebooks(names):
            said, seconds = "", 0.0
            try:
                used = opened.enter_context(kernel(place, f"my-lesson/{path.name}"))
                runs = run_all(used, code(path))
                seconds, said = sum(ran.seconds for ran in runs), next((ran.error for ran in runs if ran.error), "")
            except KernelDiedError as error:
                said = str(error)
            rows.append(
                {
                    "notebook": path.stem[:2], "seconds": round(seconds, 1), "in_use": bounds.anonymous,
                    "peak": bounds.peak, "open": _count(place), "killed": bounds.killed, "said": said,
                }
            )  # fmt: skip
            print(rows[-1], flush=True)
    return rows


def _count(place: Server) -> int:
    """How many kernels the server has."""
    with urlopen(f"http://127.0.0.1:{place.port}/api/kernels?token={place.token}") as answer:
        return len(json.load(answer))
