"""What was measured about running the notebooks: ``tools/records/times.json``, written by ``tools.times``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.paths import RECORDS

TIMES = RECORDS / "times.json"


def measured(path: Path = TIMES) -> dict[str, Any]:
    """``{"budget", "machine", "notebooks": {"05": {"all": {…}, "one": {…}}}}``; empty if nothing was measured yet.

    "all" is a run on all cores, "one" on a single one; each holds ``cores``, ``threads`` (None if the banner did not
    tell), ``seconds`` from starting the kernel to stopping it, ``slowest_seconds`` and ``slowest_cell`` (its first
    line), and ``peak_mb``, the largest resident memory of the kernel and its children in 10⁶ bytes.
    """
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def time_fact(number: str, cores: str, field: str) -> float:
    """The fact ``times.NUMBER.CORES.FIELD``, such as ``times.05.one.seconds``.

    Raises:
        KeyError: it was not measured.
    """
    return measured()["notebooks"][number][cores][field]
