"""How long the views take to answer: until their first part, which is arithmetic in words, and until all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from tools.benchmarks.report import Report, spread
from vgg_lesson import widgets
from vgg_lesson.classroom.widgets.shared import Panel
from vgg_lesson.support.machine import set_threads

ARITHMETIC, FORWARD = 0.2, 1.0
VIEWS = {
    "receptive field": widgets.receptive_field, "network builder": widgets.network_builder, "signal": widgets.signal,
    "predictions browser": widgets.predictions_browser, "own picture": widgets.own_picture,
    "heat map": widgets.heat_map, "seeds": widgets.seeds_view, "neighbours": widgets.neighbours,
    "scaling": widgets.scaling, "Inception module": widgets.inception_module,
}  # fmt: skip
MOST = 24


def run() -> Report:
    """Every view at the ends of its menus and sliders, after one change that fills its caches."""
    set_threads()
    report = Report("views", "Seconds until a view answers", ("view", "first part", "everything", "changes"))
    for name, make in VIEWS.items():
        panel = make().panel
        list(panel._compute(**panel.values))
        first, whole = zip(*(_answer(panel, values) for values in _ends(panel)), strict=True)
        report.rows.append((name, spread(first, ".3f"), spread(whole, ".3f"), str(len(first))))
        report.figures[name] = {"first": max(first), "everything": max(whole)}
    slowest = {part: max(f[part] for f in report.figures.values()) for part in ("first", "everything")}
    builder = report.figures["network builder"]["first"]
    report.verdicts = {
        f"arithmetic within {ARITHMETIC} s (network builder and receptive field)":
            max(builder, report.figures["receptive field"]["first"]) <= ARITHMETIC,
        f"everything within {FORWARD:g} s": slowest["everything"] <= FORWARD,
    }  # fmt: skip
    return report


def _answer(panel: Panel, values: Mapping[str, Any]) -> tuple[float, float]:
    started = time.perf_counter()
    parts: Iterator[Any] = iter(panel._compute(**values))
    ready = [next(parts)]
    first = time.perf_counter() - started
    for part in parts:
        ready.append(part if isinstance(part, str) else part.png())
    return first, time.perf_counter() - started


def _ends(panel: Panel) -> Iterator[dict[str, Any]]:
    """Settings with every menu, slider and box at its first or last position; an evenly spread choice of them."""
    choices = {name: _bounds(control) for name, control in panel.controls.items()}
    settings = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
    for setting in settings[:: max(1, len(settings) // MOST)]:
        for name, value in setting.items():
            panel.controls[name].value = value
        yield panel.values


def _bounds(control: Any) -> tuple[Any, ...]:
    if hasattr(control, "options"):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
        return (values[0], values[-1])
    if hasattr(control, "min") and not isinstance(control.value, tuple):
        return (control.min, control.max)
    if isinstance(control.value, bool):
        return (False, True)
    return (control.value,)
