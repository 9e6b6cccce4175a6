"""The accuracy of the ``full`` plan: three runs of `python -m vgg_lesson train`, resumed where they were stopped."""

from __future__ import annotations

import math
from statistics import mean

from tools.benchmarks.report import Report
from tools.runs import full_run
from vgg_lesson import PLANS

ACCURACY, PARAMETERS, MINUTES = 0.95, 10_000_000, 40.0


def run() -> Report:
    """Train, or read what earlier runs left in ``build/full``; each looks at the test set once, at its end."""
    report = Report(
        "full_accuracy", "The full plan on FashionMNIST's test set",
        ("seed", "parameters", "epochs", "threads", "minutes", "test accuracy"),
    )  # fmt: skip
    accuracies, parameters = [], 0
    minutes: dict[int, list[float]] = {}  # by threads: runs side by side have one each
    for seed in PLANS["full"].seeds:
        card, history = full_run(seed)
        accuracies.append(card["test_accuracy"])
        taken, threads, parameters = history.seconds / 60, card["threads"], card["parameters"]
        minutes.setdefault(threads, []).append(taken)
        report.rows.append(
            (str(seed), f"{parameters:,}", str(len(history.epochs)), str(threads), f"{taken:.1f}",
             f"{accuracies[-1]:.2%}")
        )  # fmt: skip
    report.rows.append(("mean", "", "", "", "", f"{mean(accuracies):.2%}"))
    report.figures = {"accuracies": accuracies, "minutes": minutes, "mean": mean(accuracies), "parameters": parameters}
    report.notes.append(
        "The plan was chosen on held-out training images, among the candidates whose logs are "
        "`vgg_lesson/assets/runs/search_*.csv`; notebook 12 shows where they ended."
    )
    report.verdicts = {
        f"mean accuracy at least {ACCURACY:.1%}": mean(accuracies) >= ACCURACY,
        f"at most {PARAMETERS:,} parameters": parameters <= PARAMETERS,
        f"at most {MINUTES:.0f} minutes a run with two threads": max(minutes.get(2, [math.inf])) <= MINUTES,
    }
    return report
