"""The run-sheets of the instructor's guide: which section of a notebook a path takes, when, and which it skips."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.proof_guide import GUIDE

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
    """The sections of a notebook ("05") that the half-day skips; none of a notebook that is not on it."""
    return [step.section for step in run_sheet("half_day") if step.notebook == notebook and step.minutes is None]
