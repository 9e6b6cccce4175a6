"""The cells as instructors run them: twice, from the middle, interrupted, elsewhere; in one JupyterLab.

Wherever a cell is deterministic its outputs must be the stored ones, and nowhere may a cell stop with an error. A cell
that an interrupt cut off, such as a loop written out in the notebook, is run again, and all that follow must run.
All under the budget smoke, but for the interrupts, which need cells that take long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from tests.browser.lab import Server
from tests.notebook_rules import tags
from tools.paths import notebooks
from tools.proofs.kernels import Kernel, Ran, kernel, run_all
from tools.proofs.report import Proof
from tools.proofs.series import AS_STORED, code, joined, judged, jupyterlab

INTERRUPT_AFTER = 1.5  # seconds
CUT_OFF = ("KeyboardInterrupt", "RuntimeError: interrupted")  # the second is what 09 and 12 say themselves
PROMISES = {
    "in order": "every notebook after another in one JupyterLab",
    "at the root": "the same with the working directory at the repository's root",
    "twice": "every cell twice in a row",
    "middle": "restart, run to the middle, on to the end, and again from the middle",
    "interrupted": f"■ in every cell but the imports that runs more than {INTERRUPT_AFTER} s, and on to the end",
}
Result = dict[str, Any]
Way = Callable[[Server, Path], Result]


def run(names: Sequence[str] = ()) -> Proof:
    """All ways of running all notebooks, or those named: ways ("twice"), notebooks ("05"), or both."""
    ways = [name for name in WAYS if name in names] or list(WAYS)
    paths = notebooks([name for name in names if name not in WAYS])
    proof = Proof("cells", "Cells as instructors run them", ("notebook", *WAYS))
    figures: dict[str, Result] = {path.stem[:2]: {} for path in paths}
    for budget in ("smoke", "class"):
        here = [way for way in ways if (way == "interrupted") == (budget == "class")]
        if not here:
            continue
        with jupyterlab({"VGG_LESSON_BUDGET": budget}) as place:
            for path in paths:
                for way in here:
                    figures[path.stem[:2]][way] = result = WAYS[way](place, path)
                    print(path.stem, f"{way}:", result, flush=True)
    _conclude(proof, joined(proof, figures))
    return proof


def in_order(place: Server, path: Path) -> Result:
    """From top to bottom, in a fresh kernel, with the working directory in ``notebooks/``."""
    return _ran(place, f"notebooks/{path.name}", code(path))


def at_the_root(place: Server, path: Path) -> Result:
    """The same with the working directory at the repository's root."""
    return _ran(place, path.name, code(path))


def twice(place: Server, path: Path) -> Result:
    """Every cell twice in a row."""
    return _ran(place, f"notebooks/{path.name}", [cell for cell in code(path) for _ in range(2)])


def from_the_middle(place: Server, path: Path) -> Result:
    """Restart and run to the middle, go on to the end, then again from the middle."""
    cells = code(path)
    half = len(cells) // 2
    return _ran(place, f"notebooks/{path.name}", [*cells, *cells[half:]], restart_after=half)


def interrupted(place: Server, path: Path) -> Result:
    """Interrupt each cell that runs for more than a moment, as often as it takes; then carry on."""
    found, presses, cut_off = [], 0, 0
    with kernel(place, f"notebooks/{path.name}") as used:
        for cell in code(path):
            # An import that is cut off leaves Python's modules half made; there the advice is to restart.
            ran = used.run(cell.source, interrupt_every=None if "setup" in tags(cell) else INTERRUPT_AFTER)
            presses += ran.interrupts
            if ran.interrupts and ran.error.startswith(CUT_OFF):
                cut_off += 1
                ran = used.run(cell.source)
            if ran.interrupts and not ran.error:
                continue  # what a shortened run shows is its own affair
            found += judged([cell], [ran])
    return {"said": found, "presses": presses, "cut_off": cut_off}


def _ran(place: Server, path: str, cells: Sequence[NotebookNode], restart_after: int = 0) -> Result:
    with kernel(place, path) as used:
        if restart_after:
            _restarted(used, cells[:restart_after])
        runs: list[Ran] = run_all(used, cells)
    return {"said": judged(cells, runs), "seconds": round(sum(ran.seconds for ran in runs), 1)}


def _restarted(used: Kernel, cells: Sequence[NotebookNode]) -> None:
    run_all(used, cells)
    used.restart()


def _conclude(proof: Proof, figures: dict[str, Result]) -> None:
    for number, row in figures.items():
        shown = ("; ".join(row[way]["said"]) or "as stored" if way in row else "not run" for way in WAYS)
        proof.rows.append((number, *shown))
    pressed = [row["interrupted"] for row in figures.values() if "interrupted" in row]
    proof.figures = {
        "notebooks": figures, "count": len(figures), "presses": sum(row["presses"] for row in pressed),
        "cut_off": sum(row["cut_off"] for row in pressed),
    }  # fmt: skip
    results = [result for row in figures.values() for result in row.values()]
    proof.verdicts = {
        "every notebook in every way": len(results) == len(notebooks()) * len(WAYS),
        "no error, untagged cells as stored": not any(result["said"] for result in results),
    }
    proof.lines = [(promise, f"{{count}} notebooks: {AS_STORED}") for promise in PROMISES.values()]
    proof.lines[-1] = (
        PROMISES["interrupted"],
        f"{{presses}} presses, {{cut_off}} cells cut off and run again; {AS_STORED}",
    )


WAYS: dict[str, Way] = {
    "in order": in_order,
    "at the root": at_the_root,
    "twice": twice,
    "middle": from_the_middle,
    "interrupted": interrupted,
}
