"""Seconds of a step by one process and by two, for networks whose gradients differ in size; one thread per process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from statistics import median
from typing import Any

import torch

from tools.benchmarks.report import Report
from tools.paths import ROOT
from vgg_lesson import fit, load_fashion_mnist, trace
from vgg_lesson.classroom.scale_up import Measured, fit_waits, gradient_bytes
from vgg_lesson.configs import CLASS_NETWORK
from vgg_lesson.models import build_vgg
from vgg_lesson.training.distributed import init_distributed
from vgg_lesson.training.recipes import PLANS

HIDDEN, BATCH, STEPS, EPOCHS, ROUNDS = (512, 2048, 4096), 128, 8, 4, 5
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")


def run() -> Report:
    """One process with the batch, one with half of it, two with half each: in turn, five rounds, medians."""
    report = Report(
        "scaling", f"The class network, batch {BATCH}, one thread per process: seconds of a step",
        ("hidden units", "gradients, MB", "one", "one, half the batch", "two", "speed-up"),
    )  # fmt: skip
    rounds = [(_started(BATCH), _started(BATCH // 2), _started(BATCH, TORCHRUN)) for _ in range(ROUNDS)]
    one, half, two = ({key: median(taken[key] for taken in way) for key in way[0]} for way in zip(*rounds, strict=True))
    rows = []
    for hidden in HIDDEN:
        size = gradient_bytes(trace(**{**CLASS_NETWORK, "hidden": hidden}))
        rows.append(Measured(hidden, size, *(taken[str(hidden)] for taken in (one, half, two))))
        seconds = [f"{taken[str(hidden)]:.3f}" for taken in (one, half, two)]
        report.rows.append((str(hidden), f"{size / 1e6:.1f}", *seconds, f"{rows[-1].one / rows[-1].two:.2f}"))
    bandwidth, latency = fit_waits(rows)
    report.figures = {"rows": [asdict(row) for row in rows], "bandwidth": bandwidth, "latency": latency}
    report.notes.append(f"Fitted: {bandwidth / 1e9:.2f} GB/s, {latency * 1e3:.1f} ms besides.")
    report.verdicts = {"two processes wait longer for larger gradients": rows[-1].wait > rows[0].wait}
    return report


def _started(batch: int, torchrun: Sequence[str] = ()) -> Mapping[str, float]:
    """What `work` prints: hidden units → seconds of a step."""
    done = subprocess.run(
        [sys.executable, *torchrun, "-m", "tools.benchmarks.scaling", str(batch)],
        cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def work(batch: int) -> None:
    """Train each network in this process, or in this process of a group; the first epoch warms up."""
    with init_distributed() as group:
        data = load_fashion_mnist("train").subset(batch * STEPS)
        taken = {}
        for hidden in HIDDEN:
            torch.manual_seed(0)
            model = build_vgg(**_network(hidden))
            history = fit(model, data, epochs=EPOCHS, batch_size=batch, lr=0.01, momentum=0.9, device="cpu", show=False)
            ends = [epoch.seconds for epoch in history.epochs]
            taken[hidden] = median(after - before for before, after in pairwise(ends)) / STEPS
        if group.is_main:
            print(json.dumps(taken), flush=True)


def _network(hidden: int) -> dict[str, Any]:
    return {**PLANS["class"].architecture, "hidden": hidden}


if __name__ == "__main__":
    work(int(sys.argv[1]))
