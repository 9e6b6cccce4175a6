"""Do PyTorch's initialisation and weight decay help the class plan? Eight fresh seeds, each paired with the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from tools.benchmarks.ablation import VALIDATION, changes
from tools.benchmarks.report import Report, spread
from vgg_lesson import evaluate, load_fashion_mnist
from vgg_lesson.records.experiments import run_experiment
from vgg_lesson.support.machine import set_threads

SEEDS = (3, 4, 5, 6, 7, 8, 9, 10)
T = 2.3646  # the 97.5% point of Student's t with one degree of freedom less than there are seeds
UNCHANGED = "the class plan"
DOUBTED = ("PyTorch's initialisation", "with weight decay")


def run() -> Report:
    """Train the plan and each change with every seed, one after the other; validation accuracy of each."""
    set_threads()
    train, validation = load_fashion_mnist("train").split(VALIDATION)
    plans = {name: changes()[name] for name in (UNCHANGED, *DOUBTED)}
    accuracies: dict[str, list[float]] = {name: [] for name in plans}
    for seed in SEEDS:
        for name, plan in plans.items():
            label = f"{name}, seed {seed}"
            model, _ = run_experiment(plan, train, seed=seed, device="cpu", show="bar", label=label)
            accuracies[name].append(evaluate(model, validation)[1])
    return summary(accuracies)


def summary(accuracies: Mapping[str, Sequence[float]]) -> Report:
    """Differences from the plan, seed by seed: their mean, its 95% interval of Student's t, and how many gained."""
    report = Report(
        "gains", f"Two changes of the class plan, seeds {SEEDS}; {VALIDATION:,} training images held out",
        ("change", "validation accuracy, %", "points", "95% interval", "seeds that gained"),
    )  # fmt: skip
    for name, own in accuracies.items():
        points = [100 * (a - b) for a, b in zip(own, accuracies[UNCHANGED], strict=True)]
        half = T * stdev(points) / len(points) ** 0.5
        low, high = mean(points) - half, mean(points) + half
        gained = f"{sum(p > 0 for p in points)} of {len(points)}"
        shown = ("", "", "") if name == UNCHANGED else (f"{mean(points):+.2f}", f"{low:+.2f} to {high:+.2f}", gained)
        report.rows.append((name, spread([100 * a for a in own], ".2f"), *shown))
        report.figures[name] = {"accuracies": own, "points": mean(points), "low": low, "high": high}
    report.notes = ["Each difference is between two runs of one seed; the interval is Student's t for their mean."]
    return report
