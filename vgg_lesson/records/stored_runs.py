"""Training logs kept with the package, ``assets/runs``: runs too long, too many, or of other tools, for a class."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from vgg_lesson.support.files import asset

ESCAPE_LOSS, ESCAPE_STEPS = 2.0, 50
_FOLDER = asset("runs")
COLUMNS = ("step", "loss", "spread", "accuracy")
EPOCH_COLUMNS = (
    "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "again_loss", "again_accuracy",
)  # fmt: skip
# The letters of notebook 06 and the causes of the logs behind them, ``assets/runs/diagnose_CAUSE.csv``.
DIAGNOSES: Mapping[str, str] = {"a": "eval", "b": "plateau", "c": "overfitting", "d": "nan"}


@dataclass(frozen=True)
class StoredRun:
    """One log. ``about`` says how it was made; the other fields hold pairs of a step and a value, in order.

    ``losses`` are means of the training loss since the pair before, ``spreads`` standard deviations of the scores
    across 256 test images, ``accuracies`` shares of the test set (0 to 1).
    """

    name: str
    about: str
    losses: tuple[tuple[int, float], ...]
    spreads: tuple[tuple[int, float], ...]
    accuracies: tuple[tuple[int, float], ...]

    @property
    def steps(self) -> int:
        """How many steps the run took."""
        return self.losses[-1][0]

    @property
    def escape(self) -> int | None:
        """The step at which it leaves the plateau; see `escape_step`."""
        return escape_step(self.losses)


def escape_step(losses: Sequence[tuple[int, float]]) -> int | None:
    """The first logged step at which the mean loss of the last 50 steps is under 2.0; None if there is none.

    ``losses`` are pairs of a step and the mean loss since the pair before, evenly spaced.
    """
    for step, _ in losses:
        recent = [loss for at, loss in losses if step - ESCAPE_STEPS < at <= step]
        if step >= ESCAPE_STEPS and sum(recent) < ESCAPE_LOSS * len(recent):
            return step
    return None


def stored_run(name: str) -> StoredRun:
    """The log called ``name``, such as "stall_seed0".

    Raises:
        ValueError: there is none of that name with the columns of a `StoredRun`; the message lists those there are.
    """
    if name not in (known := [log for log in log_names() if tuple(read_log(log)[1][0]) == COLUMNS]):
        raise ValueError(f"name={name!r} is not a stored run; choose one of {', '.join(known)}")
    about, rows = read_log(name)
    columns = [tuple((int(row["step"]), float(row[column])) for row in rows if row[column]) for column in COLUMNS[1:]]
    return StoredRun(name, about, *columns)


def four_logs() -> dict[str, dict[str, list[float]]]:
    """The logs to diagnose: letter → column of ``EPOCH_COLUMNS`` → one value per epoch, NaN where the run had none.

    ``again`` is a second evaluation of the same weights on the same pictures, right after the first.
    """
    rows = {letter: read_log(f"diagnose_{cause}")[1] for letter, cause in DIAGNOSES.items()}
    return {letter: {c: [float(row[c]) for row in log] for c in EPOCH_COLUMNS} for letter, log in rows.items()}


def log_names() -> list[str]:
    """The names of all logs that are kept, whatever their columns."""
    return sorted(entry.name.removesuffix(".csv") for entry in _FOLDER.iterdir() if entry.name.endswith(".csv"))


def read_log(name: str) -> tuple[str, list[Mapping[str, str]]]:
    """What a log says about itself in its first lines, and its rows as text by column.

    Raises:
        ValueError: there is none of that name; the message lists those there are.
    """
    if name not in (known := log_names()):
        raise ValueError(f"name={name!r} is not a stored log; choose one of {', '.join(known)}")
    lines = (_FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    about = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    return about, list(csv.DictReader(line for line in lines if not line.startswith("#")))


@dataclass(frozen=True)
class FactorRun:
    """A stored run: pairs of a step and the mean training loss since the pair before, and its validation accuracy
    (0 to 1). ``seconds`` of training are those of one processor."""

    name: str
    seed: int
    losses: tuple[tuple[int, float], ...]
    accuracy: float
    seconds: float


@cache
def factor_runs() -> Mapping[str, tuple[FactorRun, ...]]:
    """The stored runs by name, one per seed."""
    _, rows = read_log("factors")
    found: dict[str, dict[int, list[Mapping[str, str]]]] = {}
    for row in rows:
        found.setdefault(row["run"], {}).setdefault(int(row["seed"]), []).append(row)
    return MappingProxyType(
        {name: tuple(_factor_run(name, seed, lines) for seed, lines in seeds.items()) for name, seeds in found.items()}
    )


def _factor_run(name: str, seed: int, lines: list[Mapping[str, str]]) -> FactorRun:
    losses = tuple((int(line["step"]), float(line["loss"])) for line in lines)
    return FactorRun(name, seed, losses, float(lines[-1]["accuracy"]), float(lines[-1]["seconds"]))


@dataclass(frozen=True)
class ToolRun:
    """The class network trained by another tool for one epoch, or by the lesson's `fit`.

    ``looks`` are pairs of the training seconds until then and the test accuracy (0 to 1), the last one at the run's
    end; ``lines`` are those of its script that one reads, ``network_lines`` those of them that write out the network.
    """

    name: str
    looks: tuple[tuple[float, float], ...]
    lines: int
    network_lines: int
    peak_gigabytes: float


def stored_tools() -> tuple[ToolRun, ...]:
    """The stored runs of other tools and of `fit`, all of one machine, the lesson's last."""
    content = json.loads((_FOLDER / "ecosystem.json").read_text(encoding="utf-8"))
    return tuple(
        ToolRun(
            name, tuple((seconds, accuracy) for _, seconds, accuracy in own["looks"]["1"]),
            own["lines"], own["network_lines"], own["peak_gigabytes"],
        )
        for name, own in content["figures"]["tools"].items()
    )  # fmt: skip
