"""Seconds of training until the class network is where the post ended, and how often that fits into the post's run."""

from __future__ import annotations

from statistics import median

import torch

from tools.benchmarks.post import EPOCHS, STEPS_PER_EPOCH, PostLoop
from tools.benchmarks.report import Report, spread, timed
from vgg_lesson import ImageSet, evaluate, load_fashion_mnist
from vgg_lesson.records.experiments import run_experiment
from vgg_lesson.records.published import published
from vgg_lesson.support.machine import fast_precision, set_threads
from vgg_lesson.training.recipes import PLANS, Experiment

SEEDS = (0, 1, 2, 3, 4)
LIMITS = {"bf16": 15.0, "fp32": 30.0}
RATIO = 1500
POST_STEPS = 5


def trained(plan: Experiment, train: ImageSet, test: ImageSet, seed: int, precision: str) -> tuple[int, float, float]:
    """Steps, seconds and test accuracy of one run of a plan."""
    options = {"precision": precision, "label": f"seed {seed}, {precision}", "device": "cpu", "show": "bar"}
    model, history = run_experiment(plan, train, seed=seed, **options)
    return len(history.step_losses), history.seconds, evaluate(model, test)[1]


def run() -> Report:
    """Train the class plan with five seeds; time the post's step; compare."""
    set_threads()
    target = published("post_test_accuracy")[-1]
    precision = fast_precision("cpu")
    report = Report(
        "time_to_post", f"Time to the post's {target:.2%} on the test set, {precision}",
        ("seed", "steps", "training seconds", "test accuracy"),
    )  # fmt: skip
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    runs = [trained(PLANS["class"], train, test, seed, precision) for seed in SEEDS]
    for seed, (steps, taken, accuracy) in zip(SEEDS, runs, strict=True):
        report.rows.append((str(seed), str(steps), f"{taken:.1f}", f"{accuracy:.2%}"))
    _, seconds, accuracies = map(list, zip(*runs, strict=True))
    report.rows.append(("median", "", spread(seconds), spread([100 * a for a in accuracies], ".2f") + " %"))
    in_fp32 = median(seconds) if precision == "fp32" else trained(PLANS["class"], train, test, SEEDS[0], "fp32")[1]
    if precision != "fp32":
        report.rows.append((f"{SEEDS[0]}, in fp32", str(runs[0][0]), f"{in_fp32:.1f}", ""))
    step = median(timed(PostLoop(width=0.25), POST_STEPS))
    whole = step * STEPS_PER_EPOCH * EPOCHS
    ratio = whole / median(seconds)
    report.rows.append(("the post", str(STEPS_PER_EPOCH * EPOCHS), f"{whole:,.0f}", f"{target:.2%}"))
    report.notes.append(f"The post's step takes {step:.2f} s here; its ten epochs are that times their steps.")
    report.notes.append(f"Ratio of the training times: {ratio:,.0f}.")
    if not getattr(torch.cpu, "_is_amx_tile_supported", bool)():
        report.notes.append("The goals were set on a processor with tiles for bf16 (AMX), which this one has not.")
    report.figures = {
        "precision": precision, "seconds": seconds, "accuracies": accuracies, "median_seconds": median(seconds),
        "median_accuracy": median(accuracies), "fp32_seconds": in_fp32,
        "post_step_seconds": step, "post_seconds": whole, "ratio": ratio,
    }  # fmt: skip
    report.verdicts = {
        f"median accuracy at least {target:.2%}": median(accuracies) >= target,
        f"median training time at most {LIMITS[precision]:.0f} s in {precision}": median(seconds) <= LIMITS[precision],
        f"at most {LIMITS['fp32']:.0f} s in fp32": in_fp32 <= LIMITS["fp32"],
        f"at least {RATIO:,} times as fast as the post's run": ratio >= RATIO,
    }
    return report
