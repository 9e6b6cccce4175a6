"""What each technique of the class plan brings: the plan without it, on a validation split of the training images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import torch

from tools.benchmarks.report import Report, spread
from vgg_lesson import PLANS, Experiment, evaluate, load_fashion_mnist
from vgg_lesson.records.experiments import run_experiment
from vgg_lesson.support.machine import fast_precision, memory_kept, set_threads
from vgg_lesson.training.loop import Run

SEEDS = (0, 1, 2)
VALIDATION = 10_000
PLAN = replace(PLANS["class"], seeds=SEEDS)


def changes() -> dict[str, Experiment]:
    """The rows: name → the plan with one thing changed; those of `SWITCHED` change the engine instead."""
    other = "bf16" if fast_precision("cpu") == "fp32" else "fp32"
    return {
        "the class plan": PLAN,
        "without batch norm": PLAN.vary(batch_norm=False),
        "PyTorch's initialisation": PLAN.vary(init="pytorch"),
        "without momentum": PLAN.vary(momentum=0.0),
        "constant learning rate": PLAN.vary(schedule="constant"),
        "without label smoothing": PLAN.vary(label_smoothing=0.0),
        "with weight decay": PLAN.vary(weight_decay=5e-4),
        "with dropout 0.5": PLAN.vary(dropout=0.5),
        "batches of 128": PLAN.vary(batch_size=128),
        "with flips": PLAN.vary(augment="flip"),
        "memory given back at every step": PLAN,
        "channels first": PLAN,
        "the other precision": PLAN.vary(precision=other),
    }


def give_memory_back(run: Run) -> None:
    """After the first step, let the system have what each of the others frees."""
    if len(run.history.step_losses) == 1:
        with memory_kept():
            pass


def channels_first(run: Run) -> None:
    """After the first step, lay the weights out as PyTorch does by default; activations follow them."""
    if len(run.history.step_losses) == 1:
        run.model.to(memory_format=torch.contiguous_format)


# What is no argument of `fit`, switched off from the second step on.
SWITCHED: dict[str, Callable[[Run], None]] = {
    "memory given back at every step": give_memory_back, "channels first": channels_first,
}  # fmt: skip


def run() -> Report:
    """Train every row with every seed; mean validation accuracy and seconds, and their distance from the plan's."""
    set_threads()
    train, validation = load_fashion_mnist("train").split(VALIDATION)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in changes()}
    for seed in SEEDS:
        for name, experiment in changes().items():
            callbacks = [SWITCHED[name]] if name in SWITCHED else []
            options = {"device": "cpu", "show": "bar", "label": f"{name}, seed {seed}", "callbacks": callbacks}
            model, history = run_experiment(experiment, train, seed=seed, **options)
            results[name].append((evaluate(model, validation)[1], history.seconds))
    report = Report(
        "ablation", f"The class plan with one thing changed; {VALIDATION:,} training images held out, seeds {SEEDS}",
        ("change", "validation accuracy, %", "points", "seconds", "times as long"),
    )  # fmt: skip
    plan_accuracy, plan_seconds = (mean(column) for column in zip(*results["the class plan"], strict=True))
    for name, pairs in results.items():
        accuracies, seconds = zip(*pairs, strict=True)
        points = 100 * (mean(accuracies) - plan_accuracy)
        percent = spread([100 * a for a in accuracies], ".2f")
        slower = f"{mean(seconds) / plan_seconds:.2f}"
        report.rows.append((name, percent, f"{points:+.2f}", spread(seconds), slower))
        report.figures[name] = {"points": points, "accuracies": accuracies, "seconds": seconds}
    return report
