"""Facts of notebook 09: what the stored runs that differ in one thing say, and the uncertainty of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from statistics import mean

from vgg_lesson.analysis.intervals import difference, interval, t_factor
from vgg_lesson.arithmetic import LayerTrace, trace
from vgg_lesson.classroom.checks.does_depth_help import (
    COMPARISONS,
    DEPTHS,
    KEPT,
    LEVEL,
    PAPER_ERROR,
    PAPER_IMAGES,
    false_alarm,
    paper_gap,
    seconds,
)
from vgg_lesson.classroom.checks.train_it_well import standard_error
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.records.experiments import CHANGES, VALIDATION
from vgg_lesson.records.stored_runs import factor_runs

Number = int | float
# Pairs whose difference the prose tells: name of the fact → run, reference.
PAIRS: Mapping[str, tuple[str, str]] = {
    "vgg13": ("VGG-13", "VGG-11"),
    "vgg16": ("VGG-16", "VGG-11"),
    "vgg19": ("VGG-19", "VGG-11"),
    "vgg13_over_vgg19": ("VGG-13", "VGG-19"),
    "vgg16_4_epochs": ("VGG-16, 4 epochs", "VGG-11, 4 epochs"),
    "epochs_vgg16": ("VGG-16, 4 epochs", "VGG-16"),
    "epochs": ("VGG-11, 4 epochs", "VGG-11"),
    "batch_norm_vgg11": ("VGG-11, lr 0.01", "VGG-11 plain, lr 0.01"),
    "batch_norm_vgg19": ("VGG-19, lr 0.01", "VGG-19 plain, lr 0.01"),
    "plain_vgg19": ("VGG-19 plain, lr 0.01", "VGG-11 plain, lr 0.01"),
    "windows": ("three 3x3", "one 7x7"),
    "pixels": ("64 pixels", "VGG-11"),
    "dropout": ("dropout 0.5", "VGG-11"),
    "gap": ("head gap", "VGG-11"),
}


def accuracies(name: str) -> list[float]:
    """The validation accuracies (0 to 1) of a stored run, one per seed."""
    return [run.accuracy for run in factor_runs()[name]]


def slug(name: str) -> str:
    """A run's name as a fact may carry it: ``VGG-11, 4 epochs`` becomes ``vgg_11_4_epochs``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def gain(pair: str, part: str) -> float:
    """A difference of `PAIRS` in percentage points: its ``mean`` or the ``half`` width of its interval."""
    return 100 * float(getattr(difference(*map(accuracies, PAIRS[pair])), part))


def student_within(t: float, degrees: int, steps: int = 20_000) -> float:
    """The probability that Student's t with so many degrees of freedom lies between ``-t`` and ``t``."""
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)
    points = ((place + 0.5) * t / steps for place in range(steps))
    return 2 * scale * t / steps * sum((1 + x * x / degrees) ** (-(degrees + 1) / 2) for x in points)


def macs(name: str) -> int:
    """Multiply-accumulates for one image of the network behind a run."""
    return _counted(name).total_macs


def _counted(name: str) -> LayerTrace:
    return trace(**CHANGES[name].architecture)


def _span_of_first_seeds() -> float:
    first = [accuracies(name)[0] for name in DEPTHS]
    return 100 * (max(first) - min(first))


FACTS: Mapping[str, Callable[[], Number]] = {
    "factors.validation": lambda: VALIDATION,
    "factors.train": lambda: FULL_COUNTS["train"] - VALIDATION,
    "factors.runs": lambda: sum(len(change.seeds) for change in CHANGES.values()),
    "factors.judge_error": lambda: 100 * standard_error(0.9, VALIDATION),
    "factors.first_span": _span_of_first_seeds,
    "factors.two_spreads_kept": lambda: student_within(2.0, 2),
    # Half-widths added as squares are t(n - 1) times the error of the difference, which has 2n - 2 degrees of freedom.
    "factors.rule_keeps_3": lambda: student_within(t_factor(3), 4),
    "factors.rule_keeps_5": lambda: student_within(t_factor(5), 8),
    "factors.level": lambda: LEVEL,
    "factors.paper_error": lambda: PAPER_ERROR,
    "factors.false_alarm": lambda: false_alarm(COMPARISONS, LEVEL),
    "factors.weaker": lambda: KEPT**-2.5,
    "factors.price": lambda: seconds("VGG-19") / seconds("VGG-11"),
    "factors.macs_ratio": lambda: macs("VGG-19") / macs("VGG-11"),
    "factors.windows_macs_ratio": lambda: macs("three 3x3") / macs("one 7x7"),
    "factors.windows_seconds_ratio": lambda: seconds("three 3x3") / seconds("one 7x7"),
    "factors.pixels_params_more": lambda: _counted("64 pixels").total_params / _counted("VGG-11").total_params - 1,
    "factors.pixels_macs_ratio": lambda: macs("64 pixels") / macs("VGG-11"),
    "factors.head4096_params_ratio": lambda: _counted("head 4096").total_params / _counted("VGG-11").total_params,
    "factors.gap_params_saved": lambda: 1 - _counted("head gap").total_params / _counted("VGG-11").total_params,
    "factors.paper_images": lambda: PAPER_IMAGES,
    "factors.paper_gap": paper_gap,
    "factors.widest_depth": lambda: max(gain(pair, "half") for pair in ("vgg13", "vgg16", "vgg19")),
    **{f"factors.{slug(name)}.mean": partial(lambda n: mean(accuracies(n)), name) for name in CHANGES},
    **{f"factors.{slug(name)}.half": partial(lambda n: 100 * interval(accuracies(n)).half, name) for name in CHANGES},
    **{f"factors.{slug(name)}.best": partial(lambda n: max(accuracies(n)), name) for name in CHANGES},
    **{f"factors.{slug(name)}.worst": partial(lambda n: min(accuracies(n)), name) for name in CHANGES},
    **{f"factors.{slug(name)}.seconds": partial(seconds, name) for name in CHANGES},
    **{f"factors.{slug(name)}.params": partial(lambda n: _counted(n).total_params, name) for name in CHANGES},
    **{f"factors.gain.{pair}.{part}": partial(gain, pair, part) for pair in PAIRS for part in ("mean", "half")},
}
