"""Runs that differ in one thing: dots per seed, intervals, differences, and what they cost. Figures of notebook 09."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from vgg_lesson.analysis.intervals import Interval, difference, interval, t_factor
from vgg_lesson.classroom.figures.shared import Table
from vgg_lesson.support.style import (
    BLACK,
    BLUE,
    COLORS,
    GREY,
    MARKERS,
    ORANGE,
    LessonFigure,
    finish,
    new_figure,
    styled,
)

ROW, MARGINS = 0.52, 1.5  # inches
POINTS = "percentage points"
APART: dict[str, Any] = {"color": BLUE, "marker": "o", "markerfacecolor": BLUE}
NOT_APART: dict[str, Any] = {"color": GREY, "marker": "s", "markerfacecolor": "white"}


@styled
def seed_dots(
    scores: Mapping[str, Sequence[float]], yours: Mapping[str, Sequence[float]] | None = None, *, title: str = ""
) -> LessonFigure:
    """Shares (0 to 1) of all runs by name, one dot per seed, with mean and 95% interval where there are several.

    ``yours`` are runs of one's own, drawn below the row of the same name, or in a row of their own.
    """
    own = dict(yours or {})
    names = list(dict.fromkeys([*scores, *own]))
    figure = new_figure(10, ROW * len(names) * (1.35 if own else 1.0) + MARGINS)
    axes = figure.subplots()
    for row, name in enumerate(names):
        _seeds(axes, row - (0.17 if own else 0), scores.get(name, ()), BLUE, "o")
        _seeds(axes, row + 0.2, own.get(name, ()), ORANGE, "D")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.9")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
    axes.set(xlabel="validation accuracy", title=title or _finding(scores))
    _explain_dots(figure, several=any(len(values) > 1 for values in scores.values()), own=bool(own))
    told = "; ".join(f"{name} {_told(values)}" for name, values in scores.items())
    added = "".join(f"; yours, {name}, {_told(values)}" for name, values in own.items())
    return finish(figure, f"Validation accuracies of runs that differ in one thing: {told}{added}.")


def _seeds(axes: Axes, row: float, values: Sequence[float], color: str, marker: str) -> None:
    axes.plot(values, [row] * len(values), marker, color=color, markersize=9, alpha=0.55, markeredgewidth=0)
    if len(values) > 1:
        found = interval(values)
        axes.errorbar(found.mean, row, xerr=found.half, color=color, capsize=7, linewidth=2.5)
        axes.plot(found.mean, row, "|", color=color, markersize=22, markeredgewidth=3)


def _explain_dots(figure: LessonFigure, *, several: bool, own: bool) -> None:
    look: dict[str, Any] = {"linestyle": "none", "markersize": 9, "markeredgewidth": 0, "alpha": 0.55}
    handles = [Line2D([], [], marker="o", color=BLUE, label="stored run" if own else "one run", **look)]
    if own:
        handles.append(Line2D([], [], marker="D", color=ORANGE, label="your run", **look))
    if several:
        handles.append(Line2D([], [], color=BLACK, marker="|", markersize=16, label="mean and 95% interval"))
    figure.legend(handles=handles, loc="outside lower right", ncols=3)


def _finding(scores: Mapping[str, Sequence[float]]) -> str:
    """Which name has the highest mean, and whether that is more than luck."""
    best = max(scores, key=lambda name: mean(scores[name]))
    rest = [values for name, values in scores.items() if name != best]
    if not rest:
        return best
    if min(map(len, scores.values())) < 2:
        return f"{best} is ahead, in one run each"
    if all(difference(scores[best], values).low > 0 for values in rest):
        return f"Highest mean: {best}, clear of the others"
    return f"Highest mean: {best}, but not clear of all others"


def _told(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.2%}"
    found = interval(values)
    return f"mean {found.mean:.2%} ± {100 * found.half:.2f} points in {len(values)} runs"


@styled
def luck_intervals(values: Table, truth: float = 0.0) -> LessonFigure:
    """The 95% interval of each row of ``values``, float (experiments, runs), and whether it holds the ``truth``."""
    values = values.float()
    half = t_factor(values.shape[1]) * values.std(dim=1) / values.shape[1] ** 0.5
    means = values.mean(dim=1)
    missed = (means - truth).abs() > half
    figure = new_figure(10, 4.3)
    axes = figure.subplots()
    for place in range(len(values)):
        lost = bool(missed[place])
        axes.errorbar(
            place + 1, means[place], yerr=half[place], color=ORANGE if lost else BLUE, marker="s" if lost else "o",
            markersize=8 if lost else 5, capsize=3, linewidth=3 if lost else 1.8,
        )  # fmt: skip
    axes.axhline(truth, color=BLACK, linestyle="--", linewidth=1.5)
    axes.set(xlabel="experiment", ylabel="mean and interval", xlim=(0, len(values) + 1))
    count = int(missed.sum())
    axes.set_title(f"{count} of {len(values)} intervals miss the truth (orange squares)")
    return finish(
        figure,
        f"{len(values)} experiments of {values.shape[1]} runs each, as mean and 95% interval around a known truth: "
        f"{count} intervals miss it. Their lengths differ widely.",
    )


@styled
def factor_gains(
    scores: Mapping[str, Sequence[float]],
    reference: str,
    guesses: Mapping[str, Any] | None = None,
    *,
    reach: float = 3.0,
) -> LessonFigure:
    """How far the mean accuracy of each run lies above that of ``reference``, in percentage points, with 95% intervals.

    ``scores`` are accuracies (0 to 1) by name; ``guesses``, in points by name, are drawn as crosses where they are
    numbers. A name with a single run is drawn without an interval. What lies further than ``reach`` points from zero
    is drawn as an arrow at the edge.

    Raises:
        ValueError: ``reference`` is not among ``scores``, or nothing is left to compare.
    """
    if reference not in scores:
        raise ValueError(f"reference={reference!r} is not among scores; choose one of {', '.join(scores)}")
    if len(scores) < 2:
        raise ValueError(f"scores holds {reference!r} alone; another name, to be compared with it, is expected")
    gains = {name: gain(values, scores[reference]) for name, values in scores.items() if name != reference}
    figure = new_figure(10, ROW * len(gains) + MARGINS + 0.25)
    axes = figure.subplots()
    axes.axvline(0, color=BLACK, linewidth=1.5)
    for row, (name, found) in enumerate(gains.items()):
        _gain_row(axes, row, found, (guesses or {}).get(name), reach)
    axes.set_yticks(range(len(gains)), list(gains))
    axes.set_ylim(len(gains) - 0.45, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.9")
    axes.margins(x=0.14)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -reach), min(high, reach))
    for row, (name, found) in enumerate(gains.items()):
        _gain_words(axes, row, found, (guesses or {}).get(name))
    axes.set_xlabel(f"{POINTS} above {reference}")
    apart = [name for name, found in gains.items() if found.half and not found.holds_zero]
    several = any(found.half for found in gains.values())
    axes.set_title(f"{len(apart)} of {len(gains)} told apart from {reference}" if several else "One run each")
    _explain_gains(figure, several, guessed=any(isinstance(g, int | float) for g in (guesses or {}).values()))
    told = "; ".join(
        f"{name} {found.mean:+.2f} ± {found.half:.2f}" if found.half else f"{name} {found.mean:+.2f}, a single run"
        for name, found in gains.items()
    )
    return finish(figure, f"Mean accuracy above that of {reference}, in {POINTS} with 95% intervals: {told}.")


def gain(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """A difference of mean accuracies in percentage points; ``half`` is 0, for none, where a side is a single run."""
    if min(len(values), len(reference)) < 2:
        return Interval(100 * (mean(values) - mean(reference)), 0.0)
    found = difference(values, reference)
    return Interval(100 * found.mean, 100 * found.half)


def _look(found: Interval) -> dict[str, Any]:
    return APART if found.half and not found.holds_zero else NOT_APART


def _gain_row(axes: Axes, row: int, found: Interval, guess: Any, reach: float) -> None:
    inside = abs(found.mean) <= reach  # an arrow at the edge stands for what lies beyond
    axes.errorbar(
        found.mean, row, xerr=found.half or None, **_look(found), markersize=11 if inside else 0,
        markeredgewidth=2, capsize=6, linewidth=2.5,
    )  # fmt: skip
    if isinstance(guess, int | float) and not isinstance(guess, bool):
        axes.plot(guess, row, "X", color=ORANGE, markersize=13)


def _gain_words(axes: Axes, row: int, found: Interval, guess: Any) -> None:
    """The value above its mark, and arrows where mark, bar or guess leave the picture."""
    low, high = axes.get_xlim()
    inset = 0.012 * (high - low)
    color = _look(found)["color"]
    for edge, marker, outside in ((low + inset, "<", found.low < low), (high - inset, ">", found.high > high)):
        if outside:
            axes.plot(edge, row, marker, color=color, markersize=12, zorder=5)
    if isinstance(guess, int | float) and not isinstance(guess, bool) and not low <= guess <= high:
        edge, marker = (low + inset, "<") if guess < low else (high - inset, ">")
        axes.plot(edge, row, marker, color=ORANGE, markersize=13, zorder=6)
    away = not low <= found.mean <= high
    words = f"{found.mean:+.2f} ± {found.half:.2f}" if away else f"{found.mean:+.2f}"
    edge, side = (low + inset, "left") if found.mean < low else (high - inset, "right")
    place, side = (edge, side) if away else (found.mean, "center")
    axes.annotate(
        words, (place, row), (0, 11), textcoords="offset points", ha=side, fontsize=13, color=color,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85},
    )  # fmt: skip


def _explain_gains(figure: LessonFigure, several: bool, guessed: bool) -> None:
    handles = []
    if several:
        handles = [
            Line2D([], [], **APART, markersize=10, markeredgewidth=2, label="told apart"),
            Line2D([], [], **NOT_APART, markersize=10, markeredgewidth=2, label="not told apart"),
        ]
    if guessed:
        handles.append(Line2D([], [], marker="X", color=ORANGE, linestyle="none", markersize=12, label="your guess"))
    if handles:
        figure.legend(handles=handles, loc="outside lower right", ncols=3)


@styled
def price_of_depth(
    runs: Mapping[str, Sequence[tuple[float, Sequence[float]]]],
    marks: Sequence[str] = ("1 epoch", "4 epochs"),
) -> LessonFigure:
    """Accuracy against processor seconds: name → a point for each mark it has, its seconds and accuracies (0 to 1)."""
    if min(len(values) for points in runs.values() for _, values in points) < 2:
        raise ValueError("runs holds a point with a single accuracy; at least two are expected")
    figure = new_figure(10, 4.8)
    axes = figure.subplots()
    told = []
    for index, (name, points) in enumerate(runs.items()):
        found = [interval(values) for _, values in points]
        seconds = [taken for taken, _ in points]
        axes.errorbar(
            seconds, [100 * one.mean for one in found], yerr=[100 * one.half for one in found], color=COLORS[index],
            marker=MARKERS[index], markersize=11, capsize=5, linewidth=2, linestyle="none", label=name,
        )  # fmt: skip
        for mark, second, one in zip(marks, seconds, found, strict=False):
            at = (second, 100 * one.high)
            axes.annotate(mark, at, (0, 5), textcoords="offset points", ha="center", color=COLORS[index], fontsize=13)
        places = zip(marks, seconds, found, strict=False)
        told.append(f"{name} " + ", ".join(f"{mark}: {s:.0f} s, {one.mean:.2%}" for mark, s, one in places))
    axes.set_xscale("log")
    every = [taken for points in runs.values() for taken, _ in points]
    axes.xaxis.set_major_locator(FixedLocator([s for s in (25, 50, 100, 200, 400, 800) if s < 1.3 * max(every)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    axes.set(xlabel="seconds of one processor, one run", ylabel="validation accuracy")
    axes.grid(color="0.9")
    axes.margins(x=0.1, y=0.14)
    axes.set_title("What seconds buy: only the marks were run")
    figure.legend(loc="outside lower center", ncols=4)
    return finish(figure, f"Validation accuracy against processor seconds. {'; '.join(told)}.")
