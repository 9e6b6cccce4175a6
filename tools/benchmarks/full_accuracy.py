"""The accuracy of the ``full`` plan: three runs of `python -m vgg_lesson train`, resumed where they were stopped."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import mean

from tools.benchmarks.report import Report
from tools.runs import FULL, full_run
from vgg_lesson import PLANS, evaluate, load_fashion_mnist, load_weights

ACCURACY, ONE_VIEW, PARAMETERS, MINUTES = 0.952, 0.949, 10_000_000, 40.0
COLUMNS = ("seed", "parameters", "epochs", "threads", "minutes", "one view", "the plan's views")


def run() -> Report:
    """Train, or read what earlier runs left in ``build/full``; each looks at the test set once, at its end."""
    report = Report("full_accuracy", "The full plan on FashionMNIST's test set", COLUMNS)
    measure(report, "full", PLANS["full"].seeds)
    figures, minutes = report.figures, report.figures["minutes"]
    report.rows.append(("mean", "", "", "", "", f"{figures['one view']:.2%}", f"{figures['mean']:.2%}"))
    report.notes.append(
        "The plan is the best candidate on held-out training images, for four epochs more; all candidates with their "
        "curves are in `tools/records/full_search.csv` and `search_*.csv`."
    )
    report.verdicts = {
        f"mean accuracy at least {ACCURACY:.1%} with the plan's ten views": figures["mean"] >= ACCURACY,
        f"at least {ONE_VIEW:.1%} with one view": figures["one view"] >= ONE_VIEW,
        f"at most {PARAMETERS:,} parameters": figures["parameters"] <= PARAMETERS,
        f"at most {MINUTES:.0f} minutes a run with two threads": max(minutes.get(2, [math.inf])) <= MINUTES,
    }
    return report


def measure(report: Report, name: str, seeds: Iterable[int]) -> None:
    """Fill rows and figures with the runs of a plan of `tools.trials.FULL_CHANGES`, by seed."""
    test, one_view, accuracies, parameters = load_fashion_mnist("test"), [], [], 0
    minutes: dict[int, list[float]] = {}  # by threads: runs side by side have one each
    for seed in seeds:
        card, history = full_run(seed, name)
        accuracies.append(card["test_accuracy"])
        one_view.append(evaluate(load_weights(FULL / f"{name}_seed{seed}.safetensors"), test)[1])
        taken, threads, parameters = history.seconds / 60, card["threads"], card["parameters"]
        minutes.setdefault(threads, []).append(taken)
        report.rows.append(
            (str(seed), f"{parameters:,}", str(len(history.epochs)), str(threads), f"{taken:.1f}",
             f"{one_view[-1]:.2%}", f"{accuracies[-1]:.2%}")
        )  # fmt: skip
    report.figures = {
        "accuracies": accuracies, "one views": one_view, "minutes": minutes, "mean": mean(accuracies),
        "one view": mean(one_view), "parameters": parameters,
    }  # fmt: skip
