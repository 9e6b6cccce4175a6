"""Facts of notebook 11: bytes that travel, what the stored log says, and what the model makes of the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.scale_up import convolutions_only, sent_by_each
from vgg_lesson.classroom.scale_up import fit_waits, gradient_bytes, paper_model, ring_bytes, stored_scaling
from vgg_lesson.records.published import published

Number = int | float


def measured_mb(row: int) -> float:
    """Megabytes of gradients of a network of the stored log."""
    return stored_scaling()[0][row].size / 1e6


def paper_bytes() -> float:
    """What each of the paper's GPUs would send in a step, as a ring."""
    return ring_bytes(gradient_bytes(trace("VGG-16")), published("paper_gpus"))


FACTS: Mapping[str, Callable[[], Number]] = {
    "scaling.ring4_mb": sent_by_each,
    "scaling.conv_times_fewer": convolutions_only,
    "scaling.small_mb": lambda: measured_mb(0),
    "scaling.middle_mb": lambda: measured_mb(1),
    "scaling.large_mb": lambda: measured_mb(-1),
    "scaling.bandwidth_gb": lambda: fit_waits(stored_scaling()[0])[0] / 1e9,
    "scaling.paper_step": lambda: paper_model().seconds(published("paper_gpus")),
    "scaling.paper_wait": lambda: paper_model().wait(published("paper_gpus")),
    "scaling.paper_bandwidth_gb": lambda: paper_bytes() / paper_model().wait(published("paper_gpus")) / 1e9,
    "scaling.eight": lambda: paper_model().speedup(8),
    "scaling.modern_four": lambda: paper_model(faster=10).speedup(4),
}
