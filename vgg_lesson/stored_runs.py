"""Training logs kept with the package, ``assets/runs/NAME.csv``: runs too long, or too many, for a class."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

ESCAPE_LOSS, ESCAPE_STEPS = 2.0, 50


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
        """The first logged step at which the mean loss of the last 50 steps is under 2.0; None if there is none."""
        for step, _ in self.losses:
            recent = [loss for at, loss in self.losses if step - ESCAPE_STEPS < at <= step]
            if step >= ESCAPE_STEPS and sum(recent) < ESCAPE_LOSS * len(recent):
                return step
        return None


def stored_run(name: str) -> StoredRun:
    """The log called ``name``, such as "stall_seed0".

    Raises:
        ValueError: there is none of that name; the message lists those there are.
    """
    folder = files("vgg_lesson") / "assets" / "runs"
    file = folder / f"{name}.csv"
    if not file.is_file():
        known = sorted(entry.name.removesuffix(".csv") for entry in folder.iterdir() if entry.name.endswith(".csv"))
        raise ValueError(f"name={name!r} is not a stored run; choose one of {', '.join(known)}")
    lines = file.read_text(encoding="utf-8").splitlines()
    about = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    columns = [
        tuple((int(row["step"]), float(row[column])) for row in rows if row[column])
        for column in ("loss", "spread", "accuracy")
    ]
    return StoredRun(name, about, *columns)
