"""The post's full-width VGG-11 at 224×224, same batch: its loop against the same network fed and laid out well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain, count
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from tools.benchmarks.post import IMAGE_SIZE, LR, PostLoop, post_network
from tools.benchmarks.report import Report, alternating, spread, timed
from vgg_lesson import load_fashion_mnist, trace
from vgg_lesson.data.batches import batches
from vgg_lesson.support.machine import fast_precision, memory_kept, set_threads

BATCH, REPEATS, MATRIX = 32, 4, 4096
GOAL = 6.0
SAMPLE = 2048


class FastLoop:
    """One call is one step of the same network: pictures kept in memory, channels last, the given precision."""

    def __init__(self, precision: str):
        self.model = post_network(1.0).train()
        self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR, fused=True)
        self.batches = _endless()
        self.autocast: Callable[[], Any] = (
            (lambda: torch.autocast("cpu", torch.bfloat16)) if precision == "bf16" else nullcontext
        )

    def __call__(self) -> float:
        images, labels = next(self.batches)
        self.optimizer.zero_grad()
        with self.autocast():
            loss = nn.functional.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return float(loss.item())


def _endless() -> Iterator[tuple[Tensor, Tensor]]:
    data = load_fashion_mnist("train").subset(SAMPLE)
    return chain.from_iterable(
        batches(data, BATCH, image_size=IMAGE_SIZE, shuffle=True, seed=epoch, channels_last=True) for epoch in count()
    )


def matrix_peak(dtype: torch.dtype) -> float:
    """Floating-point operations a second of one large matrix product."""
    left, right = (torch.randn(MATRIX, MATRIX).to(dtype) for _ in range(2))
    return 2 * MATRIX**3 / min(timed(lambda: left @ right, 3))


def run() -> Report:
    """Steps of each loop in turns; images a second, their ratio, and the share of the machine's matrix peak."""
    set_threads()
    precisions = dict.fromkeys(["fp32", fast_precision("cpu")])
    macs = trace("VGG-11", in_channels=1, num_classes=10).total_macs
    loops: dict[str, Callable[[], object]] = {"the post's loop": PostLoop(1.0, BATCH)}
    for precision in precisions:
        loops[f"channels last, {precision}"] = FastLoop(precision)
    with memory_kept():
        seconds = alternating(loops, REPEATS)
    peaks = {"fp32": matrix_peak(torch.float32), "bf16": matrix_peak(torch.bfloat16)}
    report = Report(
        "same_network", f"VGG-11 at {IMAGE_SIZE}×{IMAGE_SIZE}, batch {BATCH}: images per second in training",
        ("loop", "images per second", "ratio", "GFLOP/s"),
    )  # fmt: skip
    base = median(seconds["the post's loop"])
    best = min(map(median, seconds.values()))
    for name, taken in seconds.items():
        flops = 6 * macs * BATCH / median(taken)
        rates = spread([BATCH / s for s in taken], ".2f")
        report.rows.append((name, rates, f"{base / median(taken):.2f}", f"{flops / 1e9:.0f}"))
    achieved = 6 * macs * BATCH / best
    report.figures = {
        "images_per_second": {name: BATCH / median(taken) for name, taken in seconds.items()}, "ratio": base / best,
        "peak_gflops": {name: peak / 1e9 for name, peak in peaks.items()},
        "share_of_bf16_peak": achieved / peaks["bf16"], "share_of_fp32_peak": achieved / peaks["fp32"],
    }  # fmt: skip
    report.notes.append(
        f"One large matrix product reaches {peaks['fp32'] / 1e9:.0f} GFLOP/s here in fp32, "
        f"{peaks['bf16'] / 1e9:.0f} in bf16; the fastest loop, {achieved / peaks['fp32']:.0%} of the first and "
        f"{achieved / peaks['bf16']:.0%} of the second. A step counts as "
        "three forward passes, two operations per multiply-accumulate."
    )
    needed, peak = GOAL * 6 * macs * BATCH / base, max(peaks.values())
    if needed > peak:
        report.notes.append(
            f"{GOAL:g} times would be {needed / 1e9:.0f} GFLOP/s, far more than either: "
            "the goal was set for one with tiles for bf16 (AMX)."
        )
    report.verdicts = {f"at least {GOAL:g} times the post's images per second": base / best >= GOAL}
    return report
