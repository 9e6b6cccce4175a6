"""Make the stored training logs, ``vgg_lesson/assets/runs/NAME.csv``: runs too long, or too many, for a class.

Every run is the plain loop of notebook 05 in float32: the class network without batch norm and with 1,024 hidden
units, FashionMNIST at 32×32, batches of 128, SGD, cross-entropy; images and dropout in the order of `vgg_lesson.fit`
with the same seed. A run that is interrupted goes on from the end of its last epoch. The groups
``diagnose`` (`tools.diagnose`), ``search`` (`tools.search`) and ``class``, ``full`` and ``post`` (`tools.long_runs`)
say themselves what they are.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tools import diagnose
from tools.long_runs import LONG_RUNS
from tools.paths import ASSETS, ROOT
from tools.search import CANDIDATES
from vgg_lesson.data.datasets import ImageSet, batches, load_fashion_mnist, to_batch
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.models import class_vgg
from vgg_lesson.records.stored_runs import COLUMNS, escape_step
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import set_threads
from vgg_lesson.training.loop import evaluate

SNAPSHOTS = ROOT / "build" / "runs"
BATCH, SEEDS, SPREAD_IMAGES = 128, (0, 1, 2), 256
LOSS_EVERY, SPREAD_EVERY, ACCURACY_EVERY = 10, 50, 500
STEPS_AFTER_ESCAPE = 200
HEADER = f"""\
# {{plan}}; float32, 32x32, batch {BATCH}, no batch norm, 1024 hidden units. Made by: python -m tools runs
# loss: mean training loss of the last {LOSS_EVERY} steps. spread: standard deviation of the scores across the first \
{SPREAD_IMAGES} test images. accuracy: on the test set.
"""


@dataclass(frozen=True)
class Plan:
    """What one run changes: the initialisation, the optimiser's settings, how long it may take."""

    init: str
    seed: int
    steps: int = 300
    lr: float = 0.1
    momentum: float = 0.0
    zero_biases: bool = False

    def __str__(self) -> str:
        momentum = f", Nesterov momentum {self.momentum:g}" if self.momentum else ""
        biases = " with biases of zero" if self.zero_biases else ""
        return f"VGG-11 layout, quarter width, init {self.init}{biases}, seed {self.seed}, lr {self.lr:g}{momentum}"


GROUPS: Mapping[str, Mapping[str, Plan]] = {
    "stall": {f"stall_seed{seed}": Plan("pytorch", seed, steps=3000) for seed in SEEDS},
    "fixes": {
        **{f"fix_he_seed{seed}": Plan("he", seed) for seed in SEEDS},
        **{f"fix_xavier_seed{seed}": Plan("xavier", seed) for seed in SEEDS},
        "fix_he_slow_seed0": Plan("he", 0, lr=0.01, momentum=0.9),
    },
    "suspects": {
        "suspect_lr_seed0": Plan("pytorch", 0, lr=0.01),
        "suspect_momentum_seed0": Plan("pytorch", 0, momentum=0.9),
        "suspect_biases_seed0": Plan("pytorch", 0, zero_biases=True),
    },
}


@dataclass
class Run:
    """A run under way; ``rows`` become the lines of its log."""

    name: str
    plan: Plan
    train: ImageSet
    test: ImageSet
    rows: list[dict[str, Any]] = field(default_factory=list)
    step: int = 0
    epoch: int = 0

    def __post_init__(self) -> None:
        plan = self.plan
        torch.manual_seed(plan.seed)
        self.model = class_vgg(batch_norm=False, hidden=1024, init=plan.init)
        if plan.zero_biases:
            for name, parameter in self.model.named_parameters():
                if name.endswith("bias"):
                    nn.init.zeros_(parameter)
        self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=plan.lr, momentum=plan.momentum, nesterov=plan.momentum > 0
        )
        self.shown = to_batch(self.test.images[:SPREAD_IMAGES])
        self.losses: list[float] = []
        self.snapshot = SNAPSHOTS / f"{self.name}.pt"

    def finish(self) -> str:
        """Train to the end and return the log as CSV."""
        self.resume()
        while not self.over:
            self.one_epoch()
            self.save()
            loss = f", loss {self.rows[-1]['loss']}" if self.rows else ""
            print(f"{time.strftime('%H:%M:%S')}  {self.name}  step {self.step}{loss}", flush=True)
        self.rows[-1]["accuracy"] = self.accuracy()
        text = io.StringIO()
        text.write(HEADER.format(plan=self.plan))
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    @property
    def over(self) -> bool:
        """Whether all steps are done, or, for runs that may stall, the escape is past."""
        losses = [(row["step"], row["loss"]) for row in self.rows]
        escaped = escape_step(losses) if self.plan.init == "pytorch" else None
        last = min(self.plan.steps, escaped + STEPS_AFTER_ESCAPE) if escaped else self.plan.steps
        return self.step >= last

    def one_epoch(self) -> None:
        """Train on every image once, or until the run is over."""
        # The seeds of `fit`: every epoch has its own, so that it can be repeated without those before it.
        seed = self.plan.seed * 100_003 + self.epoch
        torch.manual_seed(seed)
        self.model.train()
        for images, labels in batches(self.train, BATCH, shuffle=True, seed=seed, channels_last=True):
            self.update(images, labels)
            if self.step % LOSS_EVERY == 0:
                self.log()
            if self.over:
                return
        self.epoch += 1

    def update(self, images: Tensor, labels: Tensor) -> None:
        """One step of SGD."""
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())
        self.step += 1

    def log(self) -> None:
        """Add a row for the last ten steps."""
        row = {"step": self.step, "loss": round(sum(self.losses) / len(self.losses), 5), "spread": "", "accuracy": ""}
        self.losses = []
        if self.step % SPREAD_EVERY == 0:
            row["spread"] = float(f"{self.spread():.4g}")
        if self.step % ACCURACY_EVERY == 0:
            row["accuracy"] = self.accuracy()
        self.rows.append(row)

    def spread(self) -> float:
        """How much the scores differ between pictures."""
        self.model.eval()
        with torch.no_grad():
            scores = self.model(self.shown)
        self.model.train()
        return scores.std(dim=0, correction=0).square().mean().sqrt().item()

    def accuracy(self) -> float:
        """On the test set, rounded to what its size can show."""
        return round(evaluate(self.model, self.test)[1], 4)

    def save(self) -> None:
        """Take a snapshot at the end of an epoch."""
        kept = {key: getattr(self, key) for key in ("rows", "losses", "step", "epoch")}
        content = io.BytesIO()
        torch.save(kept | {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, content)
        write_atomically(self.snapshot, content.getvalue())

    def resume(self) -> None:
        """Go on from the snapshot, if there is one."""
        if not self.snapshot.exists():
            return
        saved = torch.load(self.snapshot, weights_only=True)
        self.model.load_state_dict(saved.pop("model"))
        self.optimizer.load_state_dict(saved.pop("optimizer"))
        for key, value in saved.items():
            setattr(self, key, value)


def main(arguments: list[str]) -> int:
    """``python -m tools runs [GROUP or RUN …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools runs", description=__doc__)
    groups = [*GROUPS, "diagnose", "search", *LONG_RUNS]
    runs = [name for group in groups for name in _names(group)]
    what = f"{', '.join(groups)}, or a run of them alone (post_he); default: all"
    parser.add_argument("wanted", nargs="*", metavar="GROUP", help=what)
    wanted = parser.parse_args(arguments).wanted or groups
    if unknown := set(wanted) - {*groups, *runs}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {what}")
    set_threads()
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    if (len(train), len(test)) != tuple(FULL_COUNTS.values()):
        parser.exit(1, "the full data are needed; `python -m vgg_lesson data` fetches them\n")
    for group in groups:
        for name, made in _logs(group, train, test):
            if not {group, name} & set(wanted):
                continue
            path = ASSETS / "runs" / f"{name}.csv"
            if (text := made()) is None:
                print(f"{name} was interrupted; the same command goes on with it", flush=True)
                return 130
            write_atomically(path, text.encode())
            for snapshot in SNAPSHOTS.glob(f"{name}.*"):  # the next time the run is made anew
                snapshot.unlink()
            print(f"wrote {path.relative_to(ROOT)}", flush=True)
    return 0


def _names(group: str) -> list[str]:
    if group == "diagnose":
        return [f"diagnose_{cause}" for cause in diagnose.PLANS]
    if group == "search":
        return [*CANDIDATES]
    return [*LONG_RUNS.get(group, GROUPS.get(group, {}))]


def _logs(group: str, train: ImageSet, test: ImageSet) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """The logs of a group: name and what makes its text."""
    if group == "diagnose":
        for cause, small in diagnose.PLANS.items():
            yield f"diagnose_{cause}", partial(diagnose.log, small, train)
        return
    if group == "search":
        for name, candidate in CANDIDATES.items():
            yield name, partial(candidate.log, name, train)
    for name, run in LONG_RUNS.get(group, {}).items():
        yield name, partial(run.log, name, train, test)
    for name, plan in GROUPS.get(group, {}).items():
        yield name, Run(name, plan, train, test).finish
