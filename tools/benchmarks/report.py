"""The table that every benchmark prints and, when asked, leaves in the package for the notebooks to quote."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from tools.paths import ASSETS, RECORDS
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import cpu_count, fast_precision

RESULTS = RECORDS / "benchmarks"
SHIPPED = {"scaling": ASSETS / "runs", "ecosystem": ASSETS / "runs"}  # notebooks 11 and 12 read them
PAGE = Path(__file__).with_name("results.md")
HEAD = """\
# What was measured

Written by `python -m tools.benchmarks --store` from the figures in `tools/records/benchmarks` and, for the two tables
that notebooks draw, in `vgg_lesson/assets/runs`. Figures in one table come from one run on one machine, so ratios can
be compared, seconds with those of another table cannot. A figure with two more in brackets is a median, with the least
and the greatest.
"""


@dataclass
class Report:
    """``rows`` as shown; ``figures`` are the numbers behind them, by name; ``verdicts`` say which goals were met."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    verdicts: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        table = [self.columns, *self.rows]
        widths = [max(len(str(row[column])) for row in table) for column in range(len(self.columns))]
        lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        goals = [f"[{'met' if met else 'missed'}] {goal}" for goal, met in self.verdicts.items()]
        return "\n".join([self.title, machine(), *lines, *goals, *self.notes])

    def store(self, folder: Path | None = None) -> Path:
        """Write the figures, the verdicts and the machine as JSON; returns the path."""
        path = (folder or SHIPPED.get(self.name, RESULTS)) / f"{self.name}.json"
        content = {
            "command": f"python -m tools.benchmarks {self.name}", "title": self.title, "machine": machine(),
            "columns": self.columns, "rows": self.rows, "figures": self.figures, "goals": self.verdicts,
            "notes": self.notes,
        }  # fmt: skip
        write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
        return path


def page(folder: Path = RESULTS) -> str:
    """Every stored report as a table, in Markdown, by name."""
    shipped = [path / f"{name}.json" for name, path in SHIPPED.items() if folder == RESULTS]
    stored = sorted([*folder.glob("*.json"), *shipped], key=lambda path: path.name)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in stored]
    return "\n".join([HEAD, *map(_section, reports)])


def _section(report: Mapping[str, Any]) -> str:
    columns = report["columns"]
    table = [columns, ["---"] * len(columns), *report["rows"]]
    goals = [f"{'Met' if met else '**Missed**'}: {goal}." for goal, met in report["goals"].items()]
    notes = "".join(f"\n{line}\n" for line in (*goals, *report["notes"]))
    rows = "\n".join(f"| {' | '.join(map(str, row))} |" for row in table)
    return f"## {report['title']}\n\n{rows}\n{notes}\n`{report['command']}`, on `{report['machine']}`.\n"


def machine() -> str:
    """One line about what the figures were measured on."""
    return (
        f"{cpu_count()} CPU(s), {platform.machine()}, {torch.get_num_threads()} thread(s), Python "
        f"{platform.python_version()}, torch {version('torch')}, fast precision {fast_precision('cpu')}"
    )


def spread(values: Sequence[float], form: str = ".1f") -> str:
    """``median (least to greatest)``."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def timed(call: Callable[[], object], repeats: int, warm_up: int = 1) -> list[float]:
    """Seconds of each of ``repeats`` calls after ``warm_up`` uncounted ones."""
    seconds = []
    for repeat in range(warm_up + repeats):
        started = perf_counter()
        call()
        if repeat >= warm_up:
            seconds.append(perf_counter() - started)
    return seconds


def alternating(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call, taken in turns, so that a slow minute of the machine hits all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            taken = timed(call, 1, warm_up=0)
            if repeat:
                seconds[name] += taken
    return seconds
