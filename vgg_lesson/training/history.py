"""The record of a training run: every step's loss, every epoch's accuracy, as CSV when it must be kept."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from vgg_lesson.support.arguments import Count, Index, PathLike, check_record, checked
from vgg_lesson.support.files import named_beside, user_path, write_together

STEPS = ".steps.csv"


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
        """Write the epochs to ``path`` and, beside it, the step losses, for ``log.csv`` to ``log.steps.csv``.

        Raises:
            OSError: the folder cannot be written or the disk is full; both files are then as they were.
            ValueError: ``path`` is the name of another history's step losses.
        """
        place = user_path(path)
        if place.name.lower().endswith(STEPS):
            raise ValueError(f"path={str(path)!r} is a name for step losses; choose one that does not end in {STEPS}")
        names = [f.name for f in fields(EpochRecord)]
        epochs = ([asdict(record)[name] for name in names] for record in self.epochs)
        steps = ([step, f"{loss:.6g}"] for step, loss in enumerate(self.step_losses, 1))
        write_together({place: _csv(names, epochs), _steps_beside(place): _csv(["step", "loss"], steps)})

    @classmethod
    @checked
    def from_csv(cls, path: PathLike, label: str = "") -> History:
        """Read what `to_csv` wrote, or what a spreadsheet program made of it.

        Such programs put a mark at the beginning, part columns by semicolons or tabs, write numbers with a comma, add
        empty lines and columns, or save as UTF-16.

        Raises:
            ValueError: ``path`` is no such file.
        """
        place = user_path(path)
        if not place.is_file():
            raise ValueError(f"path={str(path)!r} is not a file; one that to_csv wrote is expected")
        try:
            epochs = [_record(row) for row in _rows(place, {f.name for f in fields(EpochRecord)})]
        except (KeyError, TypeError, ValueError, OverflowError, OSError, csv.Error) as error:
            raise ValueError(f"path={str(path)!r} holds no epochs as to_csv writes them: {error}") from error
        losses: list[float] = []
        if (steps := _steps_beside(place)).is_file():
            try:
                losses = [_number(row["loss"]) for row in _rows(steps, {"step", "loss"})]
            except (KeyError, TypeError, ValueError, OverflowError, OSError, csv.Error) as error:
                raise ValueError(f"{str(steps)!r}, beside path, holds no losses: {error}") from error
        return cls(label or place.stem, losses, epochs)


def _steps_beside(path: Path) -> Path:
    """``log.csv`` → ``log.steps.csv``, ``lr0.1`` → ``lr0.1.steps``: two histories never share a file."""
    if path.suffix.lower() == ".csv":
        return named_beside(path.with_name(path.stem), STEPS)
    return named_beside(path, ".steps")


def _rows(path: Path, wanted: set[str]) -> Iterator[dict[str, str]]:
    """The rows of a table whose columns are ``wanted``, whatever a spreadsheet program parts them by."""
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = content.decode(encoding).splitlines()
    if lines and lines[0].lower().startswith("sep="):  # Excel's own line
        lines = lines[1:]
    lines = [line for line in lines if line.strip(' ,;\t"')]
    head = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(",;\t", key=head.count))
    names = [name.strip().lower() for name in next(reader, [])]
    if lacking := sorted(wanted - set(names)):
        raise ValueError(f"there is no column {', '.join(lacking)}")
    for values in reader:
        if any(value.strip() for value in values[len(names) :]) or len(values) < len(names):
            raise ValueError(f"a row has {len(values)} entries under {len(names)} names: {values}")
        yield {name: value.strip() for name, value in zip(names, values, strict=False) if name in wanted}


def _record(row: dict[str, str]) -> EpochRecord:
    values: dict[str, Any] = {name: _number(text) if text else None for name, text in row.items()}
    for name in ("epoch", "step"):
        if values[name] is None or not float(values[name]).is_integer():
            raise ValueError(f"{name}={row[name]!r} is no whole number")
        values[name] = int(values[name])
    return EpochRecord(**values)


def _number(text: str) -> float:
    """A number with a point, or with the comma of other countries."""
    return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)


def _csv(header: list[str], rows: Any) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
