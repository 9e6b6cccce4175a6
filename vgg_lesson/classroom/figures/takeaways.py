"""Eleven layers four times, the class beside the data set's table, an Inception module and its costs: notebook 12."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from vgg_lesson.analysis.intervals import interval
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.records.published import HUMAN_IMAGES, published
from vgg_lesson.records.stored_runs import ToolRun
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled

Cell = tuple[int, tuple[int, int], tuple[int, int], int]
Pair = Mapping[str, Sequence[float]]
PATHS = (style.BLUE, style.GREEN, style.ORANGE, style.PINK)
HATCHES = ("", "//", "..", "xx")
KINDS = ("1×1", "3×3", "5×5", "pool")
BENDS = (2.5, 7.4)  # where the paths of a module part and meet again, on an axis of ten
COLUMNS = ((-0.03, "right"), (1.05, "left"), (1.53, "left"))  # of the table: in widths of the axes


@styled
def one_layout(results: Mapping[str, Sequence[float]]) -> LessonFigure:
    """Test accuracies (0 to 1) of runs of one layout, one row per recipe, one dot per seed."""
    figure = new_figure(10, 1.3 + 0.75 * len(results))
    axes = figure.subplots()
    for row, accuracies in enumerate(results.values()):
        color, marker = style.COLORS[row % len(style.COLORS)], style.MARKERS[row % len(style.MARKERS)]
        axes.plot(
            accuracies, [row] * len(accuracies), color=color, marker=marker, linestyle="none", markersize=13,
            markerfacecolor="none", markeredgewidth=2.5,
        )  # fmt: skip
        # Beside the dots, on the side where there is room.
        right = max(accuracies) < 0.7
        at, side = (max(accuracies) + 0.03, "left") if right else (min(accuracies) - 0.03, "right")
        runs = "1 run" if len(accuracies) == 1 else f"{len(accuracies)} runs"
        axes.text(at, row, f"{_span(accuracies)}, {runs}", color=color, ha=side, va="center", fontsize=14)
    axes.axvline(0.1, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.5, zorder=0)
    axes.text(0.115, len(results) - 0.42, "guessing", color=style.GREY, va="center")
    axes.set_yticks(range(len(results)), list(results), fontsize=14)
    axes.set(xlim=(0, 1), ylim=(len(results) - 0.2, -0.6), xlabel="test accuracy, one mark per seed")
    axes.set_title("Eleven layers each time: the recipe decides")
    told = "; ".join(f"{name.replace(chr(10), ' ')}: {_span(values)}" for name, values in results.items())
    return finish(figure, f"Test accuracies of one eleven-layer layout under {len(results)} recipes. {told}.")


@dataclass(frozen=True)
class TableRow:
    """A row of the comparison: accuracies between 0 and 1 (one per seed), parameters as text, how they were tested."""

    name: str
    accuracies: tuple[float, ...]
    parameters: str
    remark: str
    ours: bool = False

    @property
    def images(self) -> int:
        """How many pictures an accuracy was measured on."""
        return HUMAN_IMAGES if self.name.startswith("people") else FULL_COUNTS["test"]


def own_row(name: str, accuracies: float | Sequence[float], parameters: str, remark: str) -> TableRow:
    """A row of ours: one accuracy or several, as shares or, above 1, in percent.

    Raises:
        ValueError: an accuracy below 0 or above 100.
    """
    listed = [float(value) for value in np.atleast_1d(np.asarray(accuracies, dtype=float)).tolist()]
    if not listed or not all(0 <= value <= 100 for value in listed):
        raise ValueError(f"{name}: accuracies={accuracies!r}; shares (0 to 1) or percent (1 to 100) are expected")
    return TableRow(name, tuple(value / 100 if value > 1 else value for value in listed), parameters, remark, ours=True)


def table_rows() -> list[TableRow]:
    """The entries of the data set's table that are drawn by name."""
    accuracy, entries = published("fashion_mnist_accuracy"), published("fashion_mnist_entries")
    return [
        TableRow(
            entry["name"],
            (accuracy[key],),
            entry["parameters"] or ("–" if key == "human" else "not stated"),
            entry["preparation"],
        )
        for key, entry in entries.items()
    ]


@styled
def beside_the_table(own: Sequence[TableRow]) -> LessonFigure:
    """``own`` results among the entries of Fashion-MNIST's table, from the lowest accuracy to the highest."""
    rows = sorted([*table_rows(), *own], key=lambda row: mean(row.accuracies))
    every = [entry["accuracy"] for entry in published("fashion_mnist_table")]
    height = 1.9 + 0.42 * len(rows)
    figure = new_figure(10, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.27, 0.72 / height, 0.28, 1 - 1.6 / height))
    for place, row in enumerate(rows):
        _draw_row(axes, place, row)
    axes.plot(every, [-1] * len(every), "|", color=style.GREY, markersize=14, markeredgewidth=1.5)
    where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 12.5}
    axes.text(COLUMNS[0][0], -1, f"all {len(every)} entries", ha="right", **where)
    axes.set(xlim=(0.805, 0.985), ylim=(-1.6, len(rows) - 0.4), xlabel="test accuracy")
    axes.set_xticks([0.82, 0.86, 0.9, 0.94, 0.98], ["82%", "86%", "90%", "94%", "98%"])
    axes.set_yticks([])
    axes.grid(axis="x", color="#dddddd", linewidth=1)
    for (x, side), words in zip(COLUMNS, ("result", "parameters", "done to images; test set"), strict=True):
        axes.text(x, len(rows) - 0.25, words, **{**where, "va": "bottom", "fontsize": 13}, ha=side, fontweight="bold")
    title = "Where the class stands in the data set's own table"
    figure.suptitle(title, x=0.012, ha="left", y=0.985, fontsize=16, fontweight="bold")
    told = "; ".join(f"{row.name} {_span(row.accuracies)}" for row in reversed(rows))
    return finish(
        figure,
        f"Test accuracies on FashionMNIST, from the highest: {told}. Below them a tick for each of the {len(every)} "
        f"entries of the table, from {min(every):.1%} to {max(every):.1%}.",
    )


@styled
def tools_compared(runs: Sequence[ToolRun]) -> LessonFigure:
    """Training seconds of one epoch of one network in several tools; the last is the lesson's."""
    figure = new_figure(10, 1.6 + 0.62 * len(runs))
    axes = figure.subplots()
    longest = max(run.looks[-1][0] for run in runs)
    told = []
    for place, run in enumerate(runs):
        seconds, accuracy = run.looks[-1]
        color = style.ORANGE if run is runs[-1] else style.BLUE
        axes.barh(place, seconds, height=0.62, color=f"{color}66", edgecolor=color, linewidth=1.5)
        lines = f"{run.lines} lines" + ("" if run.network_lines else " and the network")
        words = f"{accuracy:.2%}, {lines}, {run.peak_gigabytes:.1f} GB"
        axes.text(seconds + 0.012 * longest, place, words, va="center", fontsize=13)
        told.append(f"{run.name}: {seconds:.0f} seconds, {words}")
    axes.set_yticks(range(len(runs)), [run.name for run in runs], fontsize=14)
    axes.set(xlim=(0, 1.45 * longest), ylim=(len(runs) - 0.45, -0.55))
    axes.set_xlabel("training seconds of one epoch; behind it test accuracy, lines to read, peak memory")
    axes.set_title("One recipe, one accuracy, other times and texts")
    return finish(figure, f"One network, one recipe, one epoch in {len(runs)} tools. {'; '.join(told)}.")


@styled
def inception_module(inputs: int, cell: Cell, side: int) -> LessonFigure:
    """An Inception module as boxes: four paths from one map to one map, with the channels between them."""
    one, three, five, pool = cell
    figure = new_figure(10, 4.6)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(0, 4.6))
    total = one + three[1] + five[1] + pool
    _box(axes, 0.95, 2.1, f"{inputs}×{side}×{side}", style.GREY, 1.5)
    _box(axes, 9.05, 2.1, f"{total}×{side}×{side}", style.GREY, 1.5)
    paths = (
        (("1×1", one),),
        (("1×1", three[0]), ("3×3", three[1])),
        (("1×1", five[0]), ("5×5", five[1])),
        (("pool 3×3", inputs), ("1×1", pool)),
    )
    for color, height, path in zip(PATHS, (3.6, 2.6, 1.6, 0.6), paths, strict=True):
        _draw_path(axes, height, path, color)
    axes.text(
        0.12, 4.3, "One map in, four answers, joined along the channels", fontsize=16, fontweight="bold", va="center"
    )
    return finish(
        figure,
        f"An Inception module. {inputs} channels go into four paths: 1×1 to {one}; 1×1 to {three[0]}, then 3×3 to "
        f"{three[1]}; 1×1 to {five[0]}, then 5×5 to {five[1]}; a 3×3 pool, then 1×1 to {pool}. Joined: {total}.",
    )


@styled
def module_costs(costs: Mapping[str, Mapping[str, int]], title: str) -> LessonFigure:
    """Stacked bars: for each of several blocks the parameters of its convolutions, named where there is room."""
    figure = new_figure(10, 1.6 + 0.95 * len(costs))
    axes = figure.subplots()
    largest = max(sum(parts.values()) for parts in costs.values())
    for place, parts in enumerate(costs.values()):
        left = 0
        for name, count in parts.items():
            look = max(index for index, kind in enumerate(KINDS) if kind in name)
            axes.barh(
                place, count, left=left, height=0.62, color=f"{PATHS[look]}{'33' if 'before' in name else '66'}",
                hatch=HATCHES[look], edgecolor=PATHS[look], linewidth=1.5,
            )  # fmt: skip
            if count > 0.1 * largest:
                axes.text(left + count / 2, place, name, ha="center", va="center", backgroundcolor="white", fontsize=13)
            left += count
        axes.text(left + 0.012 * largest, place, f"{left:,}", va="center", fontsize=14)
    axes.set_yticks(range(len(costs)), list(costs), fontsize=14)
    axes.set(xlim=(0, 1.17 * largest), ylim=(len(costs) - 0.45, -0.55), xlabel="parameters")
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title(title)
    told = "; ".join(f"{name.replace(chr(10), ' ')} {sum(parts.values()):,}" for name, parts in costs.items())
    return finish(figure, f"Parameters of blocks, convolution by convolution. In all: {told}.")


@styled
def seed_pairs(stored: Pair, live: Pair | None = None, *, finding: str = "") -> LessonFigure:
    """Validation accuracies of two networks; a line joins the runs of one seed. ``live`` runs are drawn filled."""
    for name, runs in {"stored": stored, "live": live or {}}.items():
        if len({len(accuracies) for accuracies in runs.values()}) > 1:
            raise ValueError(f"{name} holds networks with unequal numbers of runs; one run per seed each is expected")
    if not 2 <= len(next(iter(stored.values()))) <= 10:
        raise ValueError("stored holds too few or too many runs for an interval; 2 to 10 per network are expected")
    figure = new_figure(10, 4.3)
    lines, gaps = figure.subplots(1, 2, width_ratios=(1.2, 1))
    names = list(stored)
    for runs, filled in ((stored, False), (live or {}, True)):
        for pair in zip(*runs.values(), strict=True):
            color, marker, dashes = (style.ORANGE, "D", "-") if filled else (style.BLUE, "o", "--")
            (line,) = lines.plot((0, 1), pair, color=color, marker=marker, linestyle=dashes, linewidth=1.5 + filled)
            line.set(markersize=9, markerfacecolor=color if filled else "white", markeredgewidth=2)
    lines.set_xticks((0, 1), names, fontsize=14)
    lines.set(xlim=(-0.3, 1.3), ylabel="validation accuracy")
    lines.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    lines.set_title("one line per seed")
    differences = [100 * (second - first) for first, second in zip(*stored.values(), strict=True)]
    _draw_gaps(gaps, differences, [100 * (b - a) for a, b in zip(*(live or {"": (), " ": ()}).values(), strict=True)])
    gaps.set_xlabel(f"{names[1]} minus {names[0]}, points".replace("\n", " "))
    told = interval(differences)
    return finish(
        figure,
        finding
        or f"Validation accuracies of two networks for {len(differences)} seeds, joined by lines. Mean difference "
        f"{told.mean:+.2f} percentage points, with a 95 percent interval from {told.low:+.2f} to {told.high:+.2f}.",
    )


def _draw_gaps(axes: Axes, differences: Sequence[float], live: Sequence[float]) -> None:
    found = interval(differences)
    axes.axvline(0, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.5)
    axes.plot(differences, [1] * len(differences), "o", color=style.BLUE, markersize=9, markerfacecolor="none")
    axes.plot((found.low, found.high), (0.62, 0.62), color=style.BLUE, linewidth=3)
    axes.plot(found.mean, 0.62, "|", color=style.BLUE, markersize=22, markeredgewidth=3)
    words: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 13}
    words["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # the line at zero may pass behind
    axes.text(found.mean, 0.48, "mean and 95% interval", color=style.BLUE, **words)
    axes.text(found.mean, 1.22, "stored runs", color=style.BLUE, **words)
    if live:
        axes.plot(live, [0.2] * len(live), "D", color=style.ORANGE, markersize=9)
        axes.text(mean(live), 0.07, "yours", color=style.ORANGE, **words)
    reach = 1.25 * max(map(abs, (*differences, *live, found.low, found.high)))
    axes.set(xlim=(-reach, reach), ylim=(-0.1, 1.35), yticks=[])
    axes.set_title("differences")


def _draw_row(axes: Axes, place: int, row: TableRow) -> None:
    color, marker = (style.ORANGE, "D") if row.ours else (style.BLUE, "o")
    middle = mean(row.accuracies)
    error = 2 * math.sqrt(middle * (1 - middle) / row.images)
    axes.plot((middle - error, middle + error), (place, place), color=color, linewidth=2, solid_capstyle="butt")
    axes.plot(
        row.accuracies, [place] * len(row.accuracies), color=color, marker=marker, linestyle="none", markersize=8,
        markerfacecolor="white" if row.ours else color, markeredgewidth=2,
    )  # fmt: skip
    weight = "bold" if row.ours else "normal"
    look: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "va": "center",
        "fontsize": 12.5,
        "fontweight": weight,
    }
    for (x, side), words in zip(COLUMNS, (row.name, row.parameters, row.remark), strict=True):
        axes.text(x, place, words, ha=side, **look)


def _draw_path(axes: Axes, height: float, path: Sequence[tuple[str, int]], color: str) -> None:
    places = (4.95,) if len(path) == 1 else (3.45, 6.45)
    stops = [1.75, *places, 8.25]
    for number, (start, end) in enumerate(pairwise(stops)):
        begin, stop = start + (0.75 if number else 0), end - (0.75 if number < len(places) else 0)
        first, last = (2.1 if number == 0 else height), (2.1 if number == len(places) else height)
        # Level beside all boxes; slanted only where no box stands.
        if number == 0:
            axes.plot((begin, BENDS[0]), (first, last), color=color, linewidth=2)
            begin, first = BENDS[0], last
        elif number == len(places):
            axes.plot((begin, BENDS[1]), (first, first), color=color, linewidth=2)
            begin = BENDS[1]
        axes.annotate(
            "", (stop, last), (begin, first),
            arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2, "shrinkA": 0},
        )  # fmt: skip
    for place, (name, channels) in zip(places, path, strict=True):
        _box(axes, place, height, name, color, 1.4)
        # Above the box, on the side that no arrow crosses.
        shift, side = (-0.66, "left") if place == places[-1] and len(places) > 1 else (0.66, "right")
        axes.text(place + shift, height + 0.38, str(channels), color=color, ha=side, va="center", fontweight="bold")


def _box(axes: Axes, middle: float, height: float, words: str, color: str, width: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (middle - width / 2 + 0.05, height - 0.25), width - 0.1, 0.5, boxstyle="round,pad=0.03", facecolor="white",
            edgecolor=color, linewidth=2.5, zorder=3,
        )
    )  # fmt: skip
    axes.text(middle, height, words, ha="center", va="center", fontsize=14, zorder=4)


def _span(accuracies: Sequence[float]) -> str:
    low, high = min(accuracies), max(accuracies)
    return f"{low:.2%}" if low == high else f"{low:.2%} to {high:.2%}"
