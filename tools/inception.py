"""Train both networks of notebook 12 with more seeds than a class has time for: ``assets/runs/inception.csv``.

The networks and the recipe are the notebook's own: its cells tagged ``taught`` are executed, so that the log can be of
nothing else. A finished run is kept in ``build/runs/inception``; the same command goes on with the next one.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import nbformat
import torch

from tools.paths import ASSETS, ROOT, notebooks
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build" / "runs" / "inception"
LOG = ASSETS / "runs" / "inception.csv"
NETWORKS = ("rival", "small_inception")
SEEDS = range(6)
COLUMNS = ("network", "seed", "steps", "accuracy", "seconds")
HEADER = """\
# Both networks of notebook 12 after its 150 steps, batch 128, float32, 32x32, trained on 55,000 of the 60,000 \
training images. Made by: python -m tools inception
# accuracy: on the other 5,000; no run has seen the test set. seconds: processor time of one thread, validation too.
"""


def main(arguments: list[str]) -> int:
    """``python -m tools inception``"""
    argparse.ArgumentParser(prog="python -m tools inception", description=__doc__).parse_args(arguments)
    torch.set_num_threads(1)
    lesson = taught()
    if len(lesson["train"]) + len(lesson["validation"]) != FULL_COUNTS["train"]:
        print("nothing is run: the full data and another budget than smoke are needed")
        return 1
    for seed in SEEDS:
        for name in NETWORKS:
            if not (kept := FOLDER / f"{name}_{seed}.csv").exists():
                write_atomically(kept, one_run(lesson, name, seed).encode())
                print(kept.read_text().strip(), flush=True)
    rows = [(FOLDER / f"{name}_{seed}.csv").read_text() for seed in SEEDS for name in NETWORKS]
    write_atomically(LOG, (HEADER + ",".join(COLUMNS) + "\n" + "".join(rows)).encode())
    print(f"wrote {LOG.relative_to(ROOT)}")
    for kept in FOLDER.iterdir():
        kept.unlink()
    return 0


def taught() -> dict[str, Any]:
    """The names that notebook 12 defines: its imports and its cells tagged ``taught``."""
    (path,) = notebooks(["12"])
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in nbformat.read(path, as_version=4).cells:
        if {"setup", "taught"} & {*cell.metadata.get("tags", [])}:
            exec(compile(cell.source, path.name, "exec"), names)  # noqa: S102  a notebook of this repository
    return names


def one_run(lesson: dict[str, Any], name: str, seed: int) -> str:
    """Train one network from one seed and return its row."""
    started = time.process_time()
    history = lesson["trial"](lesson[name], seed)
    seconds = time.process_time() - started
    return f"{name},{seed},{len(history.step_losses)},{history.last.validation_accuracy:.4f},{seconds:.1f}\n"
