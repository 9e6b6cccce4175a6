"""What a step of training costs when several processes share it: compute, bytes to exchange, bandwidth.

The exchange is a ring all-reduce (P. Patarasu and X. Yuan, J. Parallel Distrib. Comput. 69, 2009): each of n processes
sends 2·(n-1)/n times the gradients' bytes, and receives as many.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression
from typing import Any

from vgg_lesson.arithmetic import FLOAT32_BYTES, LayerTrace, trace
from vgg_lesson.records.published import published
from vgg_lesson.support.arguments import Count, Positive, check_record, checked
from vgg_lesson.support.files import asset

WEEK = 7 * 24 * 3600.0
STEP_WEEKS = 2.5  # the middle of the paper's "2-3 weeks"


def gradient_bytes(counted: LayerTrace) -> int:
    """Bytes of one float32 gradient of every parameter."""
    return FLOAT32_BYTES * counted.total_params


@checked
def ring_bytes(size: Positive, processes: Count) -> float:
    """Bytes that each of ``processes`` sends in a ring all-reduce of ``size`` bytes; ValueError below 1 process."""
    return 2 * (processes - 1) / processes * size


@dataclass(frozen=True)
class StepModel:
    """One step of a batch that n processes share: seconds(n) = compute / n + wait(n).

    ``compute`` is the seconds of one process for the whole batch, ``size`` the bytes of the gradients, ``bandwidth``
    bytes a second, ``latency`` the seconds of a wait that does not depend on the bytes.

    A simplification: compute divides evenly, and nothing is sent while it lasts.
    """

    compute: Positive
    size: Positive
    bandwidth: Positive
    latency: float = 0.0

    def __post_init__(self) -> None:
        check_record(self)

    def wait(self, processes: int) -> float:
        """Seconds of a step in which gradients are exchanged."""
        moved = ring_bytes(self.size, processes)
        return self.latency + moved / self.bandwidth if processes > 1 else 0.0

    def seconds(self, processes: int) -> float:
        """Seconds of a step."""
        return self.compute / processes + self.wait(processes)

    def speedup(self, processes: int) -> float:
        """How many times as fast as one process."""
        return self.seconds(1) / self.seconds(processes)


@checked
def paper_model(
    *, faster: Positive = 1.0, size: Positive | None = None, bandwidth: Positive | None = None
) -> StepModel:
    """VGG-16 on the paper's four GPUs (arXiv:1409.1556, Section 3.3), with GPUs ``faster`` times as fast.

    Compute and bandwidth are chosen so that four GPUs take the paper's time (the middle of 2 to 3 weeks for its
    370,000 steps) and are its 3.75 times as fast as one. ``size`` replaces the bytes of VGG-16's gradients,
    ``bandwidth`` the one that follows.
    """
    gpus, speedup = published("paper_gpus"), published("paper_gpu_speedup")
    step = STEP_WEEKS * WEEK / published("paper_iterations")
    compute = speedup * step
    whole = gradient_bytes(trace("VGG-16"))
    implied = ring_bytes(whole, gpus) / (step - compute / gpus)
    return StepModel(compute / faster, size or whole, bandwidth or implied)


@dataclass(frozen=True)
class Measured:
    """One row of the stored log: a network's gradients in bytes, and seconds of a step, one thread per process.

    ``one`` is one process with the whole batch, ``half`` one process with half of it, ``two`` two with half each.
    """

    hidden: int
    size: int
    one: float
    half: float
    two: float

    @property
    def wait(self) -> float:
        """Seconds that two processes take longer than one with the same half of the batch."""
        return self.two - self.half


def fit_waits(rows: Sequence[Measured]) -> tuple[float, float]:
    """Bandwidth (bytes a second) and latency (seconds) of the line through the waits of several networks.

    Raises:
        ValueError: fewer than two networks, or waits that do not grow with the bytes.
    """
    if len({row.size for row in rows}) < 2:
        raise ValueError(f"rows holds {len(rows)} row(s); two networks of different sizes are the least")
    line = linear_regression([ring_bytes(row.size, 2) for row in rows], [row.wait for row in rows])
    if line.slope <= 0:
        raise ValueError("rows: the waits do not grow with the bytes; measure again on a quiet machine")
    return 1 / line.slope, line.intercept


def stored_scaling() -> tuple[list[Measured], Mapping[str, Any]]:
    """The stored log of one and two processes, and the whole of its file (``machine``, ``command``, …)."""
    text = asset("runs", "scaling.json").read_text(encoding="utf-8")
    content = json.loads(text)
    return [Measured(**row) for row in content["figures"]["rows"]], content
