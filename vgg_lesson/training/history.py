"""The record of a training run: every step's loss, every epoch's accuracy, as CSV when it must be kept."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from vgg_lesson.support.arguments import Count, Index, PathLike, check_record, checked
from vgg_lesson.support.files import write_together


@dataclass(frozen=True)
class EpochRecord:
    """One epoch: mean training loss and accuracy (0 to 1) *while* training, and those on the validation set after it.

    ``validation_loss`` and ``validation_accuracy`` are None where no validation set was given. ``seconds`` counts
    training steps only, from the start of the run; ``lr`` is the learning rate of the epoch's last step.
    """

    epoch: Count
    step: Index
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    lr: float

    def __post_init__(self) -> None:
        check_record(self, finite=False)


@dataclass
class History:
    """What `fit` returns, complete or up to the interruption."""

    label: str = ""
    step_losses: list[float] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        check_record(self)

    @property
    def seconds(self) -> float:
        """Seconds spent in training steps, evaluation and drawing left out."""
        return self.epochs[-1].seconds if self.epochs else 0.0

    @property
    def last(self) -> EpochRecord:
        """The newest epoch; ValueError if there is none yet."""
        if not self.epochs:
            raise ValueError(f"history {self.label!r} holds no epoch yet; train for at least one step first")
        return self.epochs[-1]

    @property
    def ending(self) -> str:
        """How the run ended, if not as planned: "stopped at step 17", "NaN from step 40"; else nothing."""
        lost = next((step for step, loss in enumerate(self.step_losses, 1) if not math.isfinite(loss)), None)
        if lost is not None:
            return f"NaN from step {lost:,}"
        return f"stopped at step {len(self.step_losses):,}" if self.interrupted else ""

    @checked
    def mean_loss(self, first: Count, last: Count) -> float:
        """Mean loss of the steps ``first`` to ``last``, counted from 1, both included."""
        if not 1 <= first <= last <= len(self.step_losses):
            raise ValueError(f"first={first}, last={last} is out of range; steps 1 to {len(self.step_losses)} exist")
        return sum(self.step_losses[first - 1 : last]) / (last - first + 1)

    @checked
    def to_csv(self, path: PathLike) -> None:
        """Write the epochs to ``path`` and, beside it, the step losses to ``<name>.steps.csv``.

        Raises:
            OSError: the folder cannot be written or the disk is full; both files are then as they were.
        """
        path = Path(path)
        names = [f.name for f in fields(EpochRecord)]
        epochs = ([asdict(record)[name] for name in names] for record in self.epochs)
        steps = ([step, f"{loss:.6g}"] for step, loss in enumerate(self.step_losses, 1))
        write_together({path: _csv(names, epochs), path.with_suffix(".steps.csv"): _csv(["step", "loss"], steps)})

    @classmethod
    @checked
    def from_csv(cls, path: PathLike, label: str = "") -> History:
        """Read what `to_csv` wrote; ValueError if ``path`` is no such file."""
        path = Path(path)
        if not path.is_file():
            raise ValueError(f"path={str(path)!r} is not a file; one that to_csv wrote is expected")
        with path.open(newline="") as file:
            try:
                epochs = [_record(row) for row in csv.DictReader(file)]
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"path={str(path)!r} holds no epochs as to_csv writes them: {error}") from error
        steps = path.with_suffix(".steps.csv")
        losses: list[float] = []
        if steps.exists():
            with steps.open(newline="") as file:
                try:
                    losses = [float(row["loss"]) for row in csv.DictReader(file)]
                except (KeyError, TypeError, ValueError) as error:
                    raise ValueError(f"{str(steps)!r}, beside path, holds no losses: {error}") from error
        return cls(label or path.stem, losses, epochs)


def _record(row: dict[str, str]) -> EpochRecord:
    values: dict[str, Any] = {name: float(text) if text else None for name, text in row.items()}
    return EpochRecord(**{**values, "epoch": int(row["epoch"]), "step": int(row["step"])})


def _csv(header: list[str], rows: Any) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
