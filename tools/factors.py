"""Train the runs of notebook 09 and store them as ``vgg_lesson/assets/runs/factors.csv``.

Each run takes one to six minutes of one processor; several processes share the work, one run each at a time:
give the same command in two shells. Finished runs are kept in ``build/runs/factors``; when all are there, the log
is written and they are removed.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch

from tools.paths import ASSETS, ROOT
from vgg_lesson.data.datasets import load_fashion_mnist
from vgg_lesson.records.factors import CHANGES, COLUMNS, VALIDATION, train_changed
from vgg_lesson.support.files import write_atomically
from vgg_lesson.training.history import History

FOLDER = ROOT / "build" / "runs" / "factors"
LOG = ASSETS / "runs" / "factors.csv"
POINTS = 20
HEADER = f"""\
# The class plan (32x32, quarter width, batch norm, batch 64, lr 0.1, one epoch) in float32, with weight \
decay 0.0005 and with the change that the run is named after; see vgg_lesson/factors.py.
# Trained on the first part of a split of the 60,000 training images, accuracy on the other {VALIDATION:,}. \
Made by: python -m tools factors
# loss: mean training loss since the row before. seconds: processor time of one thread.
"""


def main(arguments: list[str]) -> int:
    """``python -m tools factors [NAME …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools factors", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"runs, such as {next(iter(CHANGES))!r}; default: all")
    names = parser.parse_args(arguments).names or list(CHANGES)
    if unknown := set(names) - set(CHANGES):
        parser.error(f"unknown run {', '.join(sorted(unknown))}; choose from {', '.join(CHANGES)}")
    torch.set_num_threads(1)
    train, validation = load_fashion_mnist("train").split(VALIDATION)
    for name, seed in _runs(names):
        with _mine(name, seed) as mine:
            if not mine:
                continue
            started = time.process_time()
            _, history = train_changed(name, train, validation, seed=seed, show=False)
            if history.interrupted:
                return 130
            text = _rows(name, seed, history, time.process_time() - started)
            write_atomically(FOLDER / f"{name}_seed{seed}.csv", text.encode())
            print(f"{time.strftime('%H:%M:%S')}  {text.splitlines()[-1]}", flush=True)
    return _assemble()


def _runs(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Seed by seed, so that an early stop leaves something of everything."""
    for seed in range(max(CHANGES[name].seeds for name in names)):
        yield from ((name, seed) for name in names if seed < CHANGES[name].seeds)


@contextmanager
def _mine(name: str, seed: int) -> Iterator[bool]:
    """Whether the run is neither done nor in the hands of another process."""
    import fcntl  # not on Windows

    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}_seed{seed}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield not (FOLDER / f"{name}_seed{seed}.csv").exists()


def _rows(name: str, seed: int, history: History, seconds: float) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    total = len(history.step_losses)
    steps = [round(total * point / POINTS) for point in range(POINTS + 1)]
    for before, step in pairwise(steps):
        row = {"run": name, "seed": seed, "step": step, "loss": round(history.mean_loss(before + 1, step), 4)}
        writer.writerow(row)
    last = {**row, "accuracy": round(history.last.validation_accuracy or 0.0, 4), "seconds": round(seconds, 1)}
    lines = text.getvalue().splitlines(keepends=True)[:-1]
    end = io.StringIO()
    csv.DictWriter(end, COLUMNS, lineterminator="\n").writerow(last)
    return "".join(lines) + end.getvalue()


def _assemble() -> int:
    """Write the log if every run is there; else say how many are missing."""
    parts = [FOLDER / f"{name}_seed{seed}.csv" for name, change in CHANGES.items() for seed in range(change.seeds)]
    if missing := [part.stem for part in parts if not part.exists()]:
        print(f"{len(missing)} of {len(parts)} runs are missing; the same command goes on with them", flush=True)
        return 1
    text = HEADER + ",".join(COLUMNS) + "\n" + "".join(part.read_text() for part in parts)
    write_atomically(LOG, text.encode())
    print(f"wrote {LOG.relative_to(ROOT)}", flush=True)
    for file in FOLDER.iterdir():
        file.unlink()
    return 0
