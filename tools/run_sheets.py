"""The run-sheets of the instructor's guide: which section of a notebook a path takes, when, and which it skips."""

from __future__ import annotations

import re
from dataclasses import dataclass

import nbformat

from tools.paths import notebooks
from tools.proof_guide import GUIDE

CLOSING = "What you can say now"
SHEET = re.compile(r"<!-- path:(\w+) -->\n(.*?)<!-- /path -->", re.DOTALL)
TABLE = re.compile(r"^\| starts at \| takes \| section of (\d\d) \|.*\n\|[-:|]+\|\n((?:\|.*\|\n?)+)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A row of a run-sheet: a section of a notebook, the minute it starts at and how many it takes, None if skipped."""

    notebook: str
    section: str
    starts: int | None
    minutes: int | None
    what: str


def run_sheet(path: str, guide: str | None = None) -> list[Step]:
    """The rows of a path, "fifty" or "half_day", in order.

    Raises:
        KeyError: the guide has no such path.
    """
    text = dict(SHEET.findall(guide if guide is not None else GUIDE.read_text(encoding="utf-8")))[path]
    steps = []
    for notebook, rows in TABLE.findall(text):
        for row in rows.splitlines():
            starts, takes, section, what = (cell.strip() for cell in row.strip().strip("|").split("|"))
            taken = takes != "skip"
            steps.append(Step(notebook, section, int(starts) if taken else None, int(takes) if taken else None, what))
    return steps


def skipped(notebook: str) -> list[str]:
    """The sections of a notebook ("05") that a class skips: those of the half-day, else those without a minute."""
    steps = [step for step in run_sheet("half_day") if step.notebook == notebook]
    if steps:
        return [step.section for step in steps if step.minutes is None]
    planned = re.findall(r"^\| ([^|]+) \| \d+ \|", _part(notebook), re.MULTILINE)
    (path,) = notebooks([notebook])
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    sections = re.findall(r"^## (.*)$", "\n".join(texts), re.MULTILINE)
    return [section for section in sections if section not in (*planned, CLOSING)]


def _part(notebook: str) -> str:
    """The guide's section on a notebook."""
    found = re.search(rf"^## {notebook} .*?(?=^## )", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"the guide has no section on {notebook}"
    return found[0]
