"""Make the four small logs that notebook 06 asks about, ``vgg_lesson/assets/runs/diagnose_CAUSE.csv``.

Each is a run of the class network on a few thousand training images, in float32 on the CPU, with one thing wrong.
After every epoch the network is evaluated twice in a row on the same pictures, in small batches, as the plain loop of
notebook 05 does it. A run takes less than a minute on one core.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from vgg_lesson.data.datasets import ImageSet, batches
from vgg_lesson.models import VGG, class_vgg
from vgg_lesson.records.stored_runs import EPOCH_COLUMNS

VALIDATION = range(7600, 8000)  # of the training images; nobody trains on them here
EVALUATION_BATCH = 5


@dataclass(frozen=True)
class Plan:
    """One run: the first ``images`` training images, what the network is, and what is wrong with it."""

    about: str
    images: int = 2000
    epochs: int = 10
    lr: float = 0.01
    lr_growth: float = 1.0
    momentum: float = 0.9
    evaluates: bool = True
    network: Mapping[str, Any] = field(default_factory=dict)


PLANS: Mapping[str, Plan] = {
    "plateau": Plan(
        "default initialisation, no batch norm", lr=0.1, momentum=0.0, network={"batch_norm": False, "init": "pytorch"}
    ),
    "nan": Plan("the learning rate doubles every epoch, no batch norm", lr_growth=2, network={"batch_norm": False}),
    "overfitting": Plan("few images, no dropout", images=1000, epochs=16, lr=0.02, network={"dropout": 0.0}),
    "eval": Plan("evaluated in training mode", images=3000, epochs=8, evaluates=False),
}


def log(plan: Plan, data: ImageSet) -> str:
    """Run one plan on the first training images of ``data`` and return its log as CSV, one row per epoch."""
    torch.manual_seed(0)
    model = class_vgg(**plan.network).to(memory_format=torch.channels_last)
    text = io.StringIO()
    text.write(
        f"# {plan.about}; {plan.images} images, learning rate {plan.lr:g} at first, momentum {plan.momentum:g}, "
        "seed 0, float32, batch 64. Made by: python -m tools runs diagnose\n"
    )
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EPOCH_COLUMNS)
    for epoch, values in enumerate(
        _epochs(model, plan, data.subset(plan.images), data.subset(torch.tensor(VALIDATION))), 1
    ):
        writer.writerow([epoch, *(f"{value:.4g}" for value in values)])
    return text.getvalue()


def _epochs(model: VGG, plan: Plan, train: ImageSet, validation: ImageSet) -> Iterator[tuple[float, ...]]:
    """Per epoch: loss and accuracy while training, then of two evaluations of the same weights."""
    optimizer = torch.optim.SGD(model.parameters(), lr=plan.lr, momentum=plan.momentum)
    for epoch in range(plan.epochs):
        torch.manual_seed(epoch)
        for group in optimizer.param_groups:
            group["lr"] = plan.lr * plan.lr_growth**epoch
        model.train()
        trained = _pass(model, train, 64, optimizer, seed=epoch)
        model.train(not plan.evaluates)
        with torch.no_grad():
            first, second = (_pass(model, validation, EVALUATION_BATCH) for _ in range(2))
        yield (*trained, *first, *second)


def _pass(
    model: VGG, data: ImageSet, size: int, optimizer: torch.optim.Optimizer | None = None, *, seed: int = 0
) -> tuple[float, float]:
    """Mean loss and accuracy over the data, with a step after every batch if there is an optimiser."""
    total, correct = 0.0, 0
    for images, labels in batches(data, size, shuffle=optimizer is not None, seed=seed, channels_last=True):
        scores = model(images)
        loss = nn.functional.cross_entropy(scores, labels)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item() * len(labels)
        correct += int((scores.argmax(dim=1) == labels).sum())
    return total / len(data), correct / len(data)
