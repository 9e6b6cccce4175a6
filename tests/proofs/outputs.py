"""What of a cell's outputs must be the same on every run: what nbval compares."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from nbformat import NotebookNode
from nbval.plugin import coalesce_streams

from tests.notebook_rules import IGNORED, tags

LEFT_OUT = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
# A warning names the file and the line of the code that is to blame; a cell's file is ipykernel's.
OUTDATED = re.compile(r"^.*(?:ipykernel_|/vgg_lesson/)\S*:\d+: (?:Pending)?(?:Deprecation|Future)Warning: .*$", re.M)


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
