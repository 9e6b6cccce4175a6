"""Killed runs, damaged checkpoints, bad data, wrong calls, and what a search for weak spots finds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests import bad_input, test_bad_input, test_damaged_checkpoints, test_security
from tests.test_kill_and_resume import kill_and_resume
from tools.paths import ROOT
from tools.proofs.report import Proof
from vgg_lesson import check

KILLS = 20
LOOKED_AT = ("vgg_lesson", "tools")
BAD_DATA = ("tests/test_unreadable_data.py", "tests/test_datasets.py")
BAD_DATA_TESTS = "bad or permission or mnist or unreadable or cannot_be_read or wrong or unbalanced or server or bytes"
AUDIT = ("pip_audit", "--local", "--skip-editable")


def run(names: Sequence[str] = ()) -> Proof:
    """Every part, or those that ``names`` names: "kills", "damage", "data", "input", "security"."""
    proof = Proof("rough", "Crashes, damaged files, wrong data and wrong calls", ("what", "result"))
    proof.unfit = "only a part was run" if names else ""
    parts: dict[str, Callable[[Proof], None]] = {
        "kills": _kills, "damage": _damage, "data": _data, "input": _input, "security": _security,
    }  # fmt: skip
    for name, part in parts.items():
        if not names or name in names:
            part(proof)
    return proof


def _kills(proof: Proof) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_resume(Path(folder), KILLS)
    proof.rows.append((f"training killed at {KILLS} random moments", str(found)))
    proof.figures |= {"kills": found.hits, "kill_seconds": found.seconds, "left_files": len(found.left)}
    proof.verdicts["a run killed again and again ends with the weights of the one left alone, bit for bit"] = (
        found.same_weights and not found.left and found.hits == KILLS
    )
    proof.lines.append(
        (
            "`train` killed with SIGKILL at random moments, resumed each time",
            "{kills} kills: the final weights equal the undisturbed run's bit for bit, and no file is left over",
        )
    )


def _damage(proof: Proof) -> None:
    """Every length that a checkpoint may be cut to, a wrong bit in every byte, zeros from every place on."""
    kinds = ("cut short", "bit", "zeros")
    tried = recognised = 0
    with tempfile.TemporaryDirectory() as folder:
        path = test_damaged_checkpoints.saved(Path(folder))
        whole = path.read_bytes()
        for kind in kinds:
            for place in range(len(whole)):
                content = test_damaged_checkpoints.damaged(whole, kind, place, place % 8)
                if content == whole:
                    continue
                path.write_bytes(content)
                state, told = test_damaged_checkpoints.read(path)
                tried += 1
                recognised += state is not None and state["step"] == 1 and "the one before it" in told
    proof.rows.append(("checkpoints damaged at every byte", f"{recognised} of {tried} recognised"))
    proof.figures |= {"damages": tried, "recognised": recognised}
    proof.verdicts["every damaged checkpoint gives way to the one before"] = recognised == tried
    proof.lines.append(
        (
            "a checkpoint cut short, with a wrong bit or with zeros, at every one of its bytes",
            "{recognised:,} of {damages:,} damages recognised and told, the checkpoint before it used",
        )
    )


def _data(proof: Proof) -> None:
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [sys.executable, "-m", "pytest", *BAD_DATA, "-k", BAD_DATA_TESTS, "-q", "-p", "no:nbval", "-o",
                   "addopts=", f"--junitxml={report.name}"]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
        suite = next(ElementTree.parse(report.name).iter("testsuite")).attrib
    total, lost = int(suite["tests"]), sum(int(suite[name]) for name in ("failures", "errors", "skipped"))
    proof.rows.append(("data that are not FashionMNIST, or may not be read", f"{total - lost} of {total}"))
    proof.figures |= {"bad_data": total, "bad_data_refused": total - lost}
    proof.verdicts["bad data are named and refused, with what to do"] = total > 0 and not lost
    proof.lines.append(
        (
            "truncated gzip, wrong magic number, swapped labels, MNIST, wrong counts, empty or locked folders",
            "{bad_data_refused} of {bad_data} cases: named, refused, with what to do",
        )
    )


def _input(proof: Proof) -> None:
    counted, complaints = [0], []

    def counting(row: bad_input.Row, name: str, wrong: Any) -> str:
        counted[0] += 1
        complaints.append(told := bad_input.complaint(row, name, wrong))
        return told

    for row in test_bad_input.ROWS.values():
        if row.arguments():
            test_bad_input.spoil(row, counting)
    answers = [0]
    for name in check.EXERCISES:
        answers[0] += test_bad_input.answer_wrongly(name)
    functions = len(test_bad_input.ROWS)
    proof.rows.append((f"generated wrong calls of {functions} functions", f"{counted[0]}, and {answers[0]} answers"))
    proof.figures |= {
        "functions": functions, "wrong_calls": counted[0], "exercises": len(check.EXERCISES), "answers": answers[0],
    }  # fmt: skip
    proof.verdicts["every wrong call is answered with the name of the argument"] = not any(complaints)
    proof.lines.append(
        (
            "generated wrong calls of the public functions and methods that take what a reader brings",
            "{wrong_calls:,} calls of {functions} functions: a `ValueError` or `TypeError` of the package that names "
            "the argument",
        )
    )
    proof.lines.append(
        (
            "generated wrong answers to every check",
            "{answers:,} answers to {exercises} checks: no error, never taken for right",
        )
    )


def _security(proof: Proof) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "json", *LOOKED_AT]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = [one for one in json.loads(ran.stdout) if str(one["code"]).startswith(("S", "TID"))]
    texts = [path.read_text(encoding="utf-8") for folder in LOOKED_AT for path in (ROOT / folder).rglob("*.py")]
    proof.figures |= {
        "weak_spots": len(found), "lines_looked_at": sum(len(text.splitlines()) for text in texts),
        "explained": sum(len(test_security.BANNED.findall(text)) for text in texts),
    }  # fmt: skip
    proof.rows.append(("ruff's security rules", f"{len(found)} findings in {proof.figures['lines_looked_at']} lines"))
    proof.verdicts["ruff's security rules find nothing that is not explained"] = not found
    proof.lines.append(
        (
            f"`ruff check {' '.join(LOOKED_AT)}` with its security rules",
            "{weak_spots} findings in {lines_looked_at:,} lines; {explained} are explained where they stand",
        )
    )
    _audit(proof)


def _audit(proof: Proof) -> None:
    """Known weaknesses of what is installed; the service that knows them is not everywhere within reach."""
    command = [sys.executable, "-m", *AUDIT, "--progress-spinner", "off", "--format", "json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    told = "`pip-audit --local`, over all packages installed"
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        last = (ran.stderr.strip().splitlines() or ["no answer"])[-1][:160]
        proof.rows.append(("pip-audit", f"could not be run here: {last}"))
        reason = "its service was out of reach" if "onnect" in ran.stderr else "it ended early"
        proof.lines.append((told, f"could not be run here: {reason}; the weekly tests run it"))
        return
    weak = [package["name"] for package in packages if package.get("vulns")]
    proof.figures |= {"audited": len(packages), "weak": len(weak)}
    proof.rows.append(("pip-audit", f"{len(weak)} of {len(packages)} packages with a known weakness: {weak}"))
    proof.verdicts["no package has a known weakness"] = not weak
    proof.lines.append((told, "{weak} of {audited} packages have a known weakness"))
