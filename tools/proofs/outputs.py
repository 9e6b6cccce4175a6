"""What of a cell's outputs must be the same on every run: what nbval compares."""

from __future__ import annotations

import copy
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from nbformat import NotebookNode
from nbval.plugin import coalesce_streams

from tests.notebook_rules import IGNORED, tags

LEFT_OUT = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
# A warning names the file and the line of the code that is to blame; a cell's file is ipykernel's.
OUTDATED = re.compile(r"^.*(?:ipykernel_|/vgg_lesson/)\S*:\d+: (?:Pending)?(?:Deprecation|Future)Warning: .*$", re.M)
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


def differences(cell: NotebookNode, outputs: Sequence[NotebookNode]) -> str:
    """What a run of ``cell`` shows that the stored one does not, or the reverse; empty for a tagged cell."""
    if IGNORED in tags(cell):
        return ""
    stored, shown = compared(cell.outputs), compared(outputs)
    if stored == shown:
        return ""
    kinds = [kind for kind in sorted({*stored, *shown}) if stored.get(kind) != shown.get(kind)]
    return "; ".join(f"{kind}: stored {stored.get(kind)!r}, now {shown.get(kind)!r}" for kind in kinds)


def compared(outputs: Iterable[NotebookNode]) -> dict[str, list[str]]:
    """Kind of output → texts in order, without pictures, live widgets and what libraries write to stderr."""
    texts: dict[str, list[str]] = defaultdict(list)
    for output in coalesce_streams([copy.deepcopy(output) for output in outputs]):
        if output.output_type == "stream":
            if output.name != "stderr":
                texts[output.name].append(output.text)
        elif output.output_type != "error":
            for kind, value in output.data.items():
                if kind not in LEFT_OUT:
                    texts[kind].append("".join(value))
    return dict(texts)


def outdated(outputs: Iterable[NotebookNode]) -> list[str]:
    """Warnings on stderr that the lesson's own code, or a cell, uses what is about to go."""
    errors = (output.text for output in outputs if output.output_type == "stream" and output.name == "stderr")
    return [line for text in errors for line in OUTDATED.findall(text)]


def counted(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """How many tests of a pytest run passed, failed (or broke) and were skipped; ``said`` names the failed."""
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    last = done.stdout.strip().splitlines()[-1:]
    for number, what in COUNTS.findall(last[0] if last else ""):
        counts["failed" if what.startswith("error") else what] += int(number)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode and not failed:
        failed = [(done.stdout + done.stderr)[-500:]]
        counts["failed"] = max(1, counts["failed"])
    return {**counts, "said": "; ".join(failed)[:2000]}
