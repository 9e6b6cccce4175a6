"""Seconds of training until the class network is where the post ended, and how often that fits into the post's run."""

from __future__ import annotations

from statistics import median

import torch

from tests.benchmarks.post import EPOCHS, STEPS_PER_EPOCH, PostLoop
from tests.benchmarks.report import Report, spread, timed
from vgg_lesson import build_vgg, evaluate, fit, load_fashion_mnist
from vgg_lesson.machine import fast_precision, set_threads
from vgg_lesson.published import published
from vgg_lesson.recipes import PLANS

SEEDS = (0, 1, 2, 3, 4)
LIMITS = {"bf16": 15.0, "fp32": 30.0}
RATIO = 1500
POST_STEPS = 5


def run() -> Report:
    """Train the class plan with five seeds; time the post's step; compare."""
    set_threads()
    target = published("post_test_accuracy")[-1]
    precision = fast_precision("cpu")
    report = Report(
        "time_to_post", f"Time to the post's {target:.2%} on the test set, {precision}",
        ("seed", "steps", "training seconds", "test accuracy"),
    )  # fmt: skip
    seconds, accuracies = [], []
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    plan = PLANS["class"]
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = build_vgg("VGG-11", **plan.network)
        history = fit(model, train, **plan.recipe, seed=seed, label=f"seed {seed}", device="cpu", show="bar")
        seconds.append(history.seconds)
        accuracies.append(evaluate(model, test)[1])
        report.rows.append((str(seed), str(len(history.step_losses)), f"{seconds[-1]:.1f}", f"{accuracies[-1]:.2%}"))
    report.rows.append(("median", "", spread(seconds), spread([100 * a for a in accuracies], ".2f") + " %"))
    step = median(timed(PostLoop(width=0.25), POST_STEPS))
    whole = step * STEPS_PER_EPOCH * EPOCHS
    ratio = whole / median(seconds)
    report.rows.append(("the post", str(STEPS_PER_EPOCH * EPOCHS), f"{whole:,.0f}", f"{target:.2%}"))
    report.notes.append(f"The post's step takes {step:.2f} s here; its ten epochs are that times their steps.")
    report.notes.append(f"Ratio of the training times: {ratio:,.0f}.")
    if precision == "fp32":
        report.notes.append(
            f"The goal of {RATIO:,} was set for a processor with tiles for bf16 (AMX). At the "
            f"{LIMITS[precision]:.0f} s that a run in fp32 may take, the ratio would be "
            f"{whole / LIMITS[precision]:,.0f} here."
        )
    report.figures = {
        "precision": precision, "seconds": seconds, "accuracies": accuracies, "median_seconds": median(seconds),
        "median_accuracy": median(accuracies), "post_step_seconds": step, "post_seconds": whole, "ratio": ratio,
    }  # fmt: skip
    report.verdicts = {
        f"median accuracy at least {target:.2%}": median(accuracies) >= target,
        f"median training time at most {LIMITS[precision]:.0f} s": median(seconds) <= LIMITS[precision],
        f"at least {RATIO:,} times as fast as the post's run": ratio >= RATIO,
    }
    return report
