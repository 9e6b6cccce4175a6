"""The whole test suite again and again, some of the times with every processor busy: is any test a matter of luck?

Every run is kept in ``build/suite.json`` as soon as it ends, and ``--store`` keeps them among the figures, so that the
command can be stopped and given again; ``build/suite.txt`` is what pytest printed in the last run with a failure. Runs
of other code, notebooks or requirements do not count together.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tools.paths import ROOT
from tools.proofs.outputs import counted
from tools.proofs.report import Proof
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import cpu_count

RUNS, BUSY_RUNS = 20, 5
KEPT = ROOT / "build" / "suite.json"
LEFT_OUT = ("tools/records/proofs/", "tools/records/times.json", "notebooks/instructor_guide.md")
IN_PAIRS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")  # as the README has it
SPIN = "while True: pass"


def run(names: Sequence[str] = ()) -> Proof:
    """As many runs as are missing, or at most the number that ``names`` holds."""
    proof = Proof(
        "suite", "The whole test suite, again and again", ("run", "cores", "minutes", "passed", "failed", "skipped")
    )
    state = code_state()
    runs = max(_runs_of(state, _in_build()), _runs_of(state, proof.kept()), key=len)
    most = int(names[0]) if names else RUNS
    for _ in range(min(most, RUNS - len(runs))):
        runs.append(once(busy=is_busy(len(runs))))
        write_atomically(KEPT, json.dumps({"state": state, "each": runs}, indent=1).encode())
        print(len(runs), runs[-1], flush=True)
    _conclude(proof, state, runs)
    return proof


def is_busy(index: int) -> bool:
    """Whether the run with this index, counted from 0, has company: every fourth one, from the first on."""
    return index % (RUNS // BUSY_RUNS) == 0


def code_state() -> str:
    """A digest of all files of the repository but those that the proofs and the times are written to."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    digest = hashlib.sha256()
    for name in listed.stdout.splitlines():
        if name.startswith(LEFT_OUT):
            continue
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return digest.hexdigest()


def _in_build() -> dict[str, Any]:
    return dict(json.loads(KEPT.read_text())) if KEPT.exists() else {}


def _runs_of(state: str, kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(kept["each"]) if kept.get("state") == state else []


def once(*, busy: bool) -> dict[str, Any]:
    """One run of all tests: its seconds, counts and what failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *IN_PAIRS]
    started = time.monotonic()
    with _company(cpu_count() if busy else 0):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        write_atomically(KEPT.with_suffix(".txt"), done.stdout.encode())
    return {"busy": busy, "seconds": round(time.monotonic() - started), **counted(done)}


@contextmanager
def _company(count: int) -> Iterator[None]:
    """Keep ``count`` processors busy."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def _conclude(proof: Proof, state: str, runs: Sequence[dict[str, Any]]) -> None:
    for number, one in enumerate(runs, 1):
        counts = (str(one[name]) for name in ("passed", "failed", "skipped"))
        proof.rows.append((str(number), "busy" if one["busy"] else "free", f"{one['seconds'] / 60:.1f}", *counts))
        proof.notes += [f"Run {number}: {one['said']}"] if one["said"] else []
    busy = [one["seconds"] for one in runs if one["busy"]]
    free = [one["seconds"] for one in runs if not one["busy"]]
    proof.figures = {
        "runs": len(runs), "busy": len(busy), "failed": sum(one["failed"] for one in runs),
        "passed": sum(one["passed"] for one in runs),
        "free_seconds": statistics.median(free or [0]), "busy_seconds": statistics.median(busy or [0]),
        "state": state, "each": list(runs),
    }  # fmt: skip
    proof.verdicts = {f"{RUNS} runs": len(runs) >= RUNS, "no failure": bool(runs) and not proof.figures["failed"]}
    if len(runs) < RUNS:
        proof.notes.append(f"{len(runs)} of {RUNS} runs are done; the same command goes on.")
    proof.lines = [
        (
            "the whole test suite, again and again",
            "{failed} failures in {runs} runs, {busy} of them with every processor busy ({passed:,} tests passed in "
            "all); minutes a run: {free_seconds/60:.0f}, with company {busy_seconds/60:.0f}",
        )
    ]
