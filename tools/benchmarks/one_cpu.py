"""The class run as on a Binder pod: one processor, and the peak of resident memory; Linux only."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.benchmarks.report import Report
from vgg_lesson import History

ACCURACY, SECONDS, GIGABYTES = 0.90, 120.0, 1.3
# Runs train on one processor and prints the most memory that it held, in kB, last.
PINNED = """
import os, re, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from vgg_lesson.__main__ import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
sys.exit(status)
"""


def run() -> Report:
    """``train --budget class`` in a process of its own, pinned to one processor."""
    report = Report(
        "one_cpu", "The class run on one processor",
        ("training seconds", "test accuracy", "peak resident memory, GB", "precision"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        weights, log = Path(folder, "class.safetensors"), Path(folder, "class.csv")
        options = ["train", "--budget", "class", "--out", str(weights), "--log", str(log)]
        command = [sys.executable, "-c", PINNED, *options]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        card, seconds = json.loads(weights.with_suffix(".json").read_text()), History.from_csv(log).seconds
    peak = int(printed.split()[-1]) * 1024 / 1e9
    accuracy = card["test_accuracy"]
    report.rows.append((f"{seconds:.1f}", f"{accuracy:.2%}", f"{peak:.2f}", card["precision_used"]))
    report.figures = {"seconds": seconds, "accuracy": accuracy, "peak_gigabytes": peak}
    report.verdicts = {
        f"test accuracy at least {ACCURACY:.0%}": accuracy >= ACCURACY,
        f"at most {SECONDS:.0f} s of training": seconds <= SECONDS,
        f"at most {GIGABYTES} GB resident": peak <= GIGABYTES,
    }
    return report
