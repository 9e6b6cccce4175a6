"""What a proof prints and, when asked, leaves in the package for the instructor's guide to show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.benchmarks.report import Report, machine
from tools.proof_guide import PROOFS, code_digest, proved
from vgg_lesson.support.files import write_atomically


@dataclass
class Proof(Report):
    """A report whose ``lines`` go into the guide: (what is promised, what was measured).

    In what was measured, ``{name:format}`` stands for a number of ``figures``.
    """

    lines: list[Sequence[str]] = field(default_factory=list)
    unfit: str = ""  # why the figures must not be stored

    def store(self, folder: Path | None = None) -> Path:
        """Write figures, lines, verdicts and the machine as JSON; returns the path."""
        path = (folder or PROOFS) / f"{self.name}.json"
        content = {
            "command": f"python -m tools.proofs {self.name}", "title": self.title,
            "machine": machine(), "figures": self.figures, "lines": [list(line) for line in self.lines],
            "goals": self.verdicts, "notes": self.notes, "code": code_digest(),
        }  # fmt: skip
        write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
        return path

    def kept(self) -> dict[str, Any]:
        """The figures of an earlier run of the same proof on the same machine, for one that runs in parts."""
        before = proved(self.name)
        return dict(before.get("figures", {})) if before.get("machine") == machine() else {}
