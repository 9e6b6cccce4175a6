"""Several training runs in one picture, finished or under way: the figure of the training desk."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from vgg_lesson.classroom.figures.why_it_stalls import CHANCE_LOSS
from vgg_lesson.records.stored_runs import StoredRun
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled
from vgg_lesson.training.history import History

POINTS = 20  # of a run: so few that its line is calm, so many that it bends where the run does
TOP, ROOM = 2.75, 1.05
MOST_LOSS = 4.0  # what lies higher leaves the picture
LOOKS = len(style.COLORS)
MOST_ABOVE = 2  # entries of a legend that fit above the curves


@styled
def overlaid_runs(
    runs: Mapping[str, History | StoredRun],
    *,
    steps: int | None = None,
    title: str = "",
    running: str = "",
    epoch: int | None = None,
) -> LessonFigure:
    """Training loss against steps of all runs, on one scale, with a legend that tells where each ended.

    Runs that differ in their seed alone, "He, seed 0" and "He, seed 1", share a colour and a line of the legend.

    Args:
        runs: name → a run; a `History` that comes last, the newest, is drawn thicker.
        steps: the length of the axis, by default that of the longest run; then the legend stands beside it.
        running: the name of the run that is still under way, if there is one.
        epoch: how many steps an epoch has; each end of one is marked.
    """
    groups = _groups(runs)
    beside = steps is not None or len(groups) > MOST_ABOVE
    figure = new_figure(10, 4.5)
    figure.set_layout_engine("none")  # fixed places: nothing jumps as runs come, and it draws faster
    axes = figure.add_axes((0.07, 0.135, *((0.52, 0.78 if title else 0.84) if beside else (0.91, 0.66))))
    paths = {name: _path(run, steps) for name, run in runs.items()}
    longest = max([steps or 1, *(path[-1][0] for path in paths.values() if path)])
    colors = {name: index for index, group in enumerate(groups.values()) for name in group}
    for index, (name, path) in enumerate(paths.items()):
        newest = index == len(paths) - 1 and isinstance(runs[name], History)
        color, turn = colors[name], next(g.index(name) for g in groups.values() if name in g)
        look: dict[str, Any] = {"color": style.COLORS[color % LOOKS], "marker": style.MARKERS[color % LOOKS]}
        line = style.LINES[(color + turn + color // LOOKS) % LOOKS]  # a second turn through the colours: other lines
        axes.plot(
            [step for step, _ in path], [loss if math.isfinite(loss) else math.nan for _, loss in path], **look,
            linestyle=line, linewidth=3.5 if newest else 2.0, markevery=max(1, len(path) // 6),
            label="" if turn else _legend(next(k for k, g in groups.items() if name in g), groups, runs, running),
        )  # fmt: skip
        _mark_the_lost(axes, path, look["color"])
    axes.axhline(CHANCE_LOSS, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.5, zorder=0)
    axes.text(0.99 * longest, CHANCE_LOSS + 0.05, "guessing: ln 10", color=style.GREY, va="bottom", ha="right")
    axes.set(xlim=(0, 1.02 * longest), ylim=(0, _top(paths)), xlabel="step", ylabel="training loss")
    axes.set_title(title, y=1.0 if beside else 1.2)
    ends = [(end, end // epoch) for end in range(epoch, longest + 1, epoch)] if epoch else []
    for end, number in ends:
        axes.axvline(end, color="#cccccc", linewidth=1, zorder=0)
        axes.text(end - 0.01 * longest, 0.03, f"epoch {number}", color=style.GREY, ha="right", fontsize=12)
    if runs:
        handles, names = axes.get_legend_handles_labels()
        anchor, columns = ((0.6, 0.99), 1) if beside else ((0.06, 0.93), len(groups))
        figure.legend(
            handles, names, loc="upper left", bbox_to_anchor=anchor, ncols=columns, handlelength=2.5, fontsize=12,
            title=_measure(runs), title_fontsize=12, alignment="left",
        )  # fmt: skip
    else:
        axes.text(0.5, 0.4, "no run yet", transform=axes.transAxes, ha="center", color=style.GREY, fontsize=18)
    return finish(figure, _told(runs, running))


def _groups(runs: Mapping[str, History | StoredRun]) -> dict[str, list[str]]:
    """What the legend calls a line → the runs behind it: those that differ in their seed alone stand together."""
    groups: dict[str, list[str]] = {}
    for name in runs:
        groups.setdefault(name.partition(", seed ")[0], []).append(name)
    return {f"{group}, {len(names)} seeds" if len(names) > 1 else names[0]: names for group, names in groups.items()}


def _measure(runs: Mapping[str, History | StoredRun]) -> str:
    """What the percentages of the legend are."""
    kinds = {isinstance(run, StoredRun) for run in runs.values()}
    data = "on the validation split" if kinds == {False} else "on the test set" if kinds == {True} else "at the end"
    return f"accuracy {data}"


def _path(run: History | StoredRun, steps: int | None) -> Sequence[tuple[int, float]]:
    """Pairs of a step and the mean loss since the pair before."""
    if isinstance(run, StoredRun):
        return run.losses
    losses = list(run.step_losses)
    window = max(1, (steps or len(losses)) // POINTS)
    ends = [*range(0, len(losses), window), len(losses)]
    return [(end, sum(losses[start:end]) / (end - start)) for start, end in pairwise(ends) if end > start]


def _top(paths: Mapping[str, Sequence[tuple[int, float]]]) -> float:
    seen = [loss for path in paths.values() for _, loss in path if math.isfinite(loss)]
    return min(MOST_LOSS, max([TOP, *(ROOM * loss for loss in seen)]))


def _mark_the_lost(axes: object, path: Sequence[tuple[int, float]], color: str) -> None:
    """A cross where a loss stops being a number, at the height of guessing."""
    lost = next((step for step, loss in path if not math.isfinite(loss)), None)
    if lost is not None:
        axes.plot(lost, CHANCE_LOSS, "X", color=color, markersize=14)  # type: ignore[attr-defined]


def _legend(label: str, groups: Mapping[str, list[str]], runs: Mapping[str, History | StoredRun], running: str) -> str:
    results = ("running" if name == running else _result(runs[name]) for name in groups[label])
    return f"{label}: {', '.join(results)}"


def _result(run: History | StoredRun) -> str:
    """The accuracy at the end: on the validation set, of a stored run on the test set; and how else it ended."""
    if isinstance(run, StoredRun):
        return f"{run.accuracies[-1][1]:.1%}" if run.accuracies else "no result"
    accuracy = run.epochs[-1].validation_accuracy if run.epochs else None
    early = f" ({run.ending})" if run.ending else ""
    return ("no result" if accuracy is None else f"{accuracy:.1%}") + early


def _told(runs: Mapping[str, History | StoredRun], running: str) -> str:
    if not runs:
        return "Empty axes for the training loss of runs to come, with a dashed line at ln 10, the loss of guessing."
    ended = [f"{name} ended with {_result(run)}" for name, run in runs.items() if name != running]
    under_way = [f"{running} is under way"] if running in runs else []
    return f"Training loss by step of {len(runs)} run{'s' * (len(runs) > 1)}: {'; '.join(ended + under_way)}."
