"""The same 32-pixel batches, delivered from memory and through PIL and a DataLoader without workers."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch
from torch.utils.data import DataLoader
from torchvision import transforms

from tools.benchmarks.report import Report, alternating, spread
from vgg_lesson import load_fashion_mnist
from vgg_lesson.data.batches import Preprocessing, batches
from vgg_lesson.data.datasets import PILImages
from vgg_lesson.support.machine import set_threads

BATCH, BATCHES, REPEATS, GOAL = 128, 60, 5, 20.0
CLASSIC, MEMORY = "PIL and DataLoader, no workers", "one tensor in memory"


def run() -> Report:
    """Milliseconds per batch of both ways, in turns, after a look that they deliver the same."""
    set_threads()
    train, scale = load_fashion_mnist("train").subset(BATCH * BATCHES), Preprocessing(32)
    steps = [transforms.Pad(2), transforms.ToTensor(), transforms.Normalize(scale.mean, scale.std)]
    loader = DataLoader(PILImages(train, transforms.Compose(steps)), BATCH)
    ways: dict[str, Callable[[], object]] = {
        CLASSIC: lambda: sum(1 for _ in loader),
        MEMORY: lambda: sum(1 for _ in batches(train, BATCH, preprocessing=scale)),
    }
    same = torch.allclose(next(iter(loader))[0], next(batches(train, BATCH, preprocessing=scale))[0], atol=1e-5)
    seconds = alternating(ways, REPEATS)
    report = Report("feeding", f"Delivering 32×32 batches of {BATCH}", ("way", "ms per batch", "ratio"))
    ratio = median(seconds[CLASSIC]) / median(seconds[MEMORY])
    for name, taken in seconds.items():
        milliseconds = spread([1e3 * s / BATCHES for s in taken], ".3f")
        report.rows.append((name, milliseconds, f"{median(seconds[CLASSIC]) / median(taken):.1f}"))
    report.figures = {"ratio": ratio, "ms": {name: 1e3 * median(s) / BATCHES for name, s in seconds.items()}}
    report.verdicts = {
        "both ways deliver the same batches": same,
        f"at least {GOAL:g} times as fast from memory": ratio >= GOAL,
    }
    return report
