"""What the proofs of notebooks share: a JupyterLab on the repository, the cells, and what is wrong with a run."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from tests.browser.lab import Server, free_port, running
from tests.notebook_rules import read
from tools.paths import ROOT, notebooks
from tools.proofs.kernels import Ran
from tools.proofs.outputs import differences, outdated
from tools.proofs.report import Proof

# The tests bring them, a student's server has none; they cost it seconds and memory.
EXTENSIONS_LEFT_OUT = ("assignment_list", "course_list", "formgrader", "validate_assignment")
AS_STORED = "no error; untagged cells as stored"


@contextmanager
def jupyterlab(variables: Mapping[str, str]) -> Iterator[Server]:
    """A JupyterLab whose files are the repository's; its kernels have ``variables`` in their environment."""
    place = Server("jupyterlab", free_port(), secrets.token_hex(16))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        private = {f"JUPYTER_{part.upper()}_DIR": str(folder / part) for part in ("config", "data", "runtime")}
        environment = {"VGG_LESSON_OFFLINE": "1", "VGG_LESSON_PROGRESS": "memory", **os.environ, **private, **variables}
        with running(place, command(place, ROOT), folder / "server.log", env=environment):
            yield place


def command(place: Server, root: Path) -> list[str]:
    """What starts a JupyterLab that listens at ``place`` and shows ``root``."""
    return [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={place.port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={place.token}", f"--ServerApp.root_dir={root}",
        *(f"--ServerApp.jpserver_extensions=nbgrader.server_extensions.{name}=False" for name in EXTENSIONS_LEFT_OUT),
    ]  # fmt: skip


def code(path: Path) -> list[NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def judged(cells: Sequence[NotebookNode], runs: Sequence[Ran]) -> list[str]:
    """Errors, outputs that differ from the stored ones, and warnings that the lesson's own code is outdated."""
    found = [f"{len(cells) - len(runs)} cells were not reached"] if len(runs) < len(cells) else []
    for cell, ran in zip(cells, runs, strict=False):
        complaints = [ran.error, "" if ran.error else differences(cell, ran.outputs), *outdated(ran.outputs)]
        found += [f"`{ran.name}`: {complaint}" for complaint in complaints if complaint]
    return found


def joined(proof: Proof, figures: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Figures by notebook and way of running: these, and those kept of earlier runs, in the series' order."""
    kept = proof.kept().get("notebooks", {})
    numbers = [path.stem[:2] for path in notebooks()]
    both = {number: {**kept.get(number, {}), **figures.get(number, {})} for number in numbers}
    return {number: row for number, row in both.items() if row}
