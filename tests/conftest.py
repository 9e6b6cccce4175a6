"""The surroundings of a test run: smoke budget, no download; and how many outputs were compared at all."""

from __future__ import annotations

import os

# Before any kernel starts: kernels inherit this environment.
os.environ["VGG_LESSON_BUDGET"] = "smoke"
os.environ["VGG_LESSON_OFFLINE"] = "1"

import pytest
from nbval.plugin import IPyNbFile

from tests.notebook_rules import read, strict_share
from tools.paths import notebooks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let libraries write to stderr on one machine and not on another; everything else is compared."""
    for file in {item.parent for item in items if isinstance(item.parent, IPyNbFile)}:
        file.skip_compare += ("stderr",)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the share of output-bearing cells whose stored output is compared strictly."""
    shares = [strict_share(read(path)) for path in notebooks()]
    strict, bearing = (sum(column) for column in zip(*shares, strict=True)) if shares else (0, 0)
    if bearing:
        terminalreporter.write_line(f"outputs compared strictly: {strict} of {bearing} cells ({strict / bearing:.0%})")
