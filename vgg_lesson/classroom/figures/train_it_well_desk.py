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


@styled
def overlaid_runs(
    runs: Mapping[str, History | StoredRun],
    *,
    steps: int | None = None,
    title: str = "",
    running: str = "",
) -> LessonFigure:
    """Training loss against steps of all runs, on one scale, with a legend that tells where each ended.

    Args:
        runs: name → a run; a `History` that comes last, the newest, is drawn thicker.
        steps: the length of the axis, by default that of the longest run.
        running: the name of the run that is still under way, if there is one.
    """
    figure = new_figure(10, 4.5)
    figure.set_layout_engine("none")  # fixed places: nothing jumps as runs come, and it draws faster
    axes = figure.add_axes((0.07, 0.135, 0.52, 0.78 if title else 0.84))
    paths = {name: _path(run, steps) for name, run in runs.items()}
    longest = max([steps or 1, *(path[-1][0] for path in paths.values() if path)])
    for index, (name, path) in enumerate(paths.items()):
        newest = index == len(paths) - 1 and isinstance(runs[name], History)
        look: dict[str, Any] = {"color": style.COLORS[index % LOOKS], "marker": style.MARKERS[index % LOOKS]}
        line = style.LINES[(index + index // LOOKS) % LOOKS]  # a second turn through the colours has other lines
        axes.plot(
            [step for step, _ in path], [loss if math.isfinite(loss) else math.nan for _, loss in path], **look,
            linestyle=line, linewidth=3.5 if newest else 2.0, markevery=max(1, len(path) // 6),
            label=_legend(name, runs[name], running),
        )  # fmt: skip
        _mark_the_lost(axes, path, look["color"])
    axes.axhline(CHANCE_LOSS, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.5, zorder=0)
    axes.text(0.99 * longest, CHANCE_LOSS + 0.05, "guessing: ln 10", color=style.GREY, va="bottom", ha="right")
    axes.set(xlim=(0, 1.02 * longest), ylim=(0, _top(paths)), xlabel="step", ylabel="training loss", title=title)
    if runs:
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.6, 0.99), handlelength=2.5, fontsize=12)
    else:
        axes.text(0.5, 0.4, "no run yet", transform=axes.transAxes, ha="center", color=style.GREY, fontsize=18)
    return finish(figure, _told(runs, running))


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


def _legend(name: str, run: History | StoredRun, running: str) -> str:
    return f"{name}: {'running' if name == running else _result(run)}"


def _result(run: History | StoredRun) -> str:
    """The accuracy at the end: on the validation set, of a stored run on the test set; and how else it ended."""
    ending = ""
    if isinstance(run, StoredRun):
        accuracy = run.accuracies[-1][1] if run.accuracies else None
    else:
        accuracy = run.epochs[-1].validation_accuracy if run.epochs else None
        ending = f" (step {len(run.step_losses)})" if run.interrupted else ""
        ending += ", nan" if not all(map(math.isfinite, run.step_losses)) else ""
    return ("no result" if accuracy is None else f"{accuracy:.1%}") + ending


def _told(runs: Mapping[str, History | StoredRun], running: str) -> str:
    if not runs:
        return "Empty axes for the training loss of runs to come, with a dashed line at ln 10, the loss of guessing."
    ended = [f"{name} ended with {_result(run)}" for name, run in runs.items() if name != running]
    under_way = [f"{running} is under way"] if running in runs else []
    return f"Training loss by step of {len(runs)} run{'s' * (len(runs) > 1)}: {'; '.join(ended + under_way)}."
