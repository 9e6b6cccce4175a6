"""What the proofs measured, ``tools/records/proofs/NAME.json``, and the guide's lines that show it.

The guide's lines between ``<!-- proofs:NAME -->`` and ``<!-- /proofs -->`` are written from what
``python -m tools.proofs NAME --store`` left there; their numbers carry markers for the facts ``proofs.NAME.FIGURE``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.paths import NOTEBOOKS, RECORDS, ROOT
from vgg_lesson.support.files import write_atomically

PROOFS = RECORDS / "proofs"
GUIDE = NOTEBOOKS / "instructor_guide.md"
BLOCK = re.compile(r"(<!-- proofs:(\w+) -->\n)(?:(?!<!-- proofs:).)*?(<!-- /proofs -->)", re.DOTALL)
FIGURE = re.compile(r"\{([\w.]+)((?:/[\w.]+)?(?::[^}]*)?)\}")
HEAD = "| what is promised | what was measured |\n|---|---|"


def main(arguments: list[str]) -> int:
    """``python -m tools proofs``"""
    parser = argparse.ArgumentParser(prog="python -m tools proofs", description=__doc__)
    parser.add_argument("--older", action="store_true", help="only say which proofs are of an older state of the code")
    if not parser.parse_args(arguments).older:
        print("the guide changed" if write_guide() else "the guide says so already")
    names = older()
    print(f"of an older state of the code: {', '.join(names)}" if names else "every stored proof is of this code")
    return 0


def code_digest() -> str:
    """A digest of what the proofs are about: the package, the notebooks' code cells and the requirements.

    Words of the notebooks, stored outputs, tests and tools may change without making a proof older.
    """
    command = ["git", "ls-files", "vgg_lesson", "notebooks/*.ipynb", "requirements.txt", "pyproject.toml"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    digest = hashlib.sha256()
    for name in listed.stdout.splitlines():
        content = (ROOT / name).read_bytes()
        digest.update(name.encode() + b"\0" + (_code(content) if name.endswith(".ipynb") else content))
    return digest.hexdigest()


def _code(notebook: bytes) -> bytes:
    cells = json.loads(notebook)["cells"]
    return json.dumps([cell["source"] for cell in cells if cell["cell_type"] == "code"]).encode()


def older(state: str = "") -> list[str]:
    """The stored proofs that were made of another state of the code than ``state``, by default today's."""
    state = state or code_digest()
    return [path.stem for path in sorted(PROOFS.glob("*.json")) if proved(path.stem).get("code") != state]


def proved(name: str) -> dict[str, Any]:
    """What was stored of a proof: command, title, machine, figures, lines, goals, notes; empty if nothing was."""
    path = PROOFS / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def proof_fact(name: str, *figure: str) -> Any:
    """The fact ``proofs.NAME.FIGURE``; a figure that is a table takes the names of its rows, joined by dots.

    Raises:
        KeyError: it was not measured.
    """
    value: Any = proved(name)["figures"]
    for part in figure:
        value = value[part]
    return value


def write_guide(path: Path = GUIDE) -> bool:
    """Write what was measured between the markers of the guide; returns whether that changed it."""
    old = path.read_text(encoding="utf-8")
    new = rendered(old)
    if new != old:
        write_atomically(path, new.encode())
    return new != old


def rendered(text: str) -> str:
    """The guide's text with its blocks as the stored proofs have them."""
    return BLOCK.sub(lambda match: match[1] + _table(match[2], proved(match[2])) + match[3], text)


def _table(name: str, proof: Mapping[str, Any]) -> str:
    if not proof:
        return f"Not measured yet: `python -m tools.proofs {name} --store` does it.\n"
    rows = [f"| {promise} | {FIGURE.sub(lambda m: _value(name, proof, m), text)} |" for promise, text in proof["lines"]]
    missed = [f"Missed: {goal}." for goal, met in proof["goals"].items() if not met]
    notes = "".join(f"\n{note}\n" for note in (*missed, *proof["notes"]))
    source = f"`{proof['command']}`, on `{proof['machine']}`."
    return "\n".join([HEAD, *rows, "", source]) + "\n" + notes


def _value(name: str, proof: Mapping[str, Any], match: re.Match[str]) -> str:
    figure, form = match[1], match[2]
    value: Any = proof["figures"]
    for part in figure.split("."):
        value = value[part]
    divisor, _, spec = form.partition(":")
    shown = value / float(divisor[1:]) if divisor else value
    return f"{shown:{spec}}<!--=proofs.{name}.{figure}{form}-->"
