"""Facts of notebook 12: stored logs summed up, an Inception module counted, the error of a published row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from statistics import mean

from tools.paths import RECORDS
from vgg_lesson import PLANS
from vgg_lesson.analysis.intervals import Interval, interval
from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.takeaways import block_params, human_error
from vgg_lesson.classroom.checks.takeaways_quiz import QUIZ_ERROR, quiz_flat, quiz_judge
from vgg_lesson.classroom.takeaways import INPUTS, conv_params, module_convs, module_params
from vgg_lesson.records.published import HUMAN_IMAGES
from vgg_lesson.records.stored_runs import read_log, stored_tools

Number = int | float
SEEDS = {"class": range(5), "full": range(3)}


def accuracies(plan: str) -> list[float]:
    """Test accuracies of the stored runs of a plan."""
    return [float(read_log(f"{plan}_seed{seed}")[1][-1]["accuracy"]) for seed in SEEDS[plan]]


def first_full_plan() -> float:
    """Mean test accuracy of the full plan that was replaced."""
    lines = (RECORDS / "full_first.csv").read_text(encoding="utf-8").splitlines()
    return mean(float(row["accuracy"]) for row in csv.DictReader(line for line in lines if not line.startswith("#")))


def overnight(figure: str) -> float:
    """A figure of the overnight run: accuracy with ten views ("mean"), "parameters"."""
    path = RECORDS / "benchmarks" / "overnight.json"
    return float(json.loads(path.read_text(encoding="utf-8"))["figures"][figure])


def pair_column(network: str, column: str) -> list[float]:
    """A column of notebook 12's stored runs, seed by seed."""
    return [float(row[column]) for row in read_log("inception")[1] if row["network"] == network]


def pair_gap() -> Interval:
    """Inception minus VGG blocks in percentage points, seeds paired."""
    pairs = zip(pair_column("rival", "accuracy"), pair_column("small_inception", "accuracy"), strict=True)
    return interval([100 * (second - first) for first, second in pairs])


def pair_seconds_ratio() -> float:
    """Processor time of the Inception runs over that of the VGG runs."""
    return sum(pair_column("small_inception", "seconds")) / sum(pair_column("rival", "seconds"))


def tool_ends() -> list[float]:
    """Test accuracy after the one epoch of each tool."""
    return [run.looks[-1][1] for run in stored_tools()]


def conv_macs_share() -> float:
    """The convolutions' share of the multiplications of the post's network."""
    counted = trace("VGG-11", in_channels=1, num_classes=10)
    return sum(row.macs for row in counted.rows if row.kind == "conv") / counted.total_macs


def module_weights() -> int:
    """Weights of module (3a) without biases."""
    return sum(kernel**2 * read * written for kernel, read, written in module_convs(INPUTS).values())


FACTS: Mapping[str, Callable[[], Number]] = {
    "take.ninety": lambda: 0.9,
    "full.accuracy": lambda: mean(accuracies("full")),
    "full.overnight": lambda: overnight("mean"),
    "full.overnight_params": lambda: overnight("parameters"),
    "full.aim": lambda: 0.95,
    "full.first": first_full_plan,
    "full.epochs": lambda: PLANS["full"].recipe.epochs,
    "take.hundred_held": lambda: 95,
    "take.human_images": lambda: HUMAN_IMAGES,
    "take.human_error": human_error,
    "take.five_path": lambda: conv_params(1, INPUTS, 16) + conv_params(5, 16, 32),
    "take.five_direct": lambda: conv_params(5, INPUTS, 32),
    "take.module_weights": module_weights,
    "take.kilo": lambda: 1024,
    "take.first_conv": lambda: conv_params(3, INPUTS, 256),
    "take.times_fewer": lambda: block_params() / module_params(INPUTS),
    "take.library_gap": lambda: (25 - 9) * 16 * 32,
    "take.conv_macs_share": conv_macs_share,
    "take.quiz_flattened": quiz_flat,
    "take.quiz_error": lambda: QUIZ_ERROR,
    "take.quiz_judge": quiz_judge,
    "take.gap_low": lambda: pair_gap().low,
    "take.gap_high": lambda: pair_gap().high,
    "take.seconds_ratio": pair_seconds_ratio,
    "take.tools_least": lambda: min(tool_ends()),
    "take.tools_most": lambda: max(tool_ends()),
    "take.plain_ratio": lambda: stored_tools()[0].looks[-1][0] / stored_tools()[-1].looks[-1][0],
}
