"""The accuracy of the overnight plan: one run of `python -m vgg_lesson train`, resumed where it was stopped."""

from __future__ import annotations

from tools.benchmarks.full_accuracy import COLUMNS, PARAMETERS, measure
from tools.benchmarks.report import Report

SEED, ACCURACY, HOURS = 0, 0.956, 8.0


def run() -> Report:
    """Train, or read what an earlier run left in ``build/full``; it looks at the test set once, at its end."""
    report = Report("overnight", "The overnight plan on FashionMNIST's test set", COLUMNS)
    measure(report, "overnight", [SEED])
    (taken,) = next(iter(report.figures["minutes"].values()))
    report.notes.append("The full plan, wider and longer; fixed before the run, not compared on held-out images.")
    report.verdicts = {
        f"accuracy at least {ACCURACY:.1%} with the plan's ten views": report.figures["mean"] >= ACCURACY,
        f"at most {PARAMETERS:,} parameters": report.figures["parameters"] <= PARAMETERS,
        f"at most {HOURS:.0f} hours": taken <= 60 * HOURS,
    }
    return report
