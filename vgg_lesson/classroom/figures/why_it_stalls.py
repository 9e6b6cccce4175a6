"""Loss curves that learn and that do not, the suspects, and the long wait: the figures of notebook 05."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import NullFormatter

from vgg_lesson.records.stored_runs import StoredRun
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled
from vgg_lesson.training.history import History

CHANCE_LOSS = math.log(10)
VERDICTS: Mapping[str, tuple[str, str]] = {
    "open": (style.GREY, "?"),
    "cleared": (style.BLUE, style.RIGHT),
    "partly": (style.AMBER, "≈"),
    "guilty": (style.ORANGE, "✗"),
}
CARD, CARD_HEIGHT, CARD_GAP = 1.86, 2.2, 0.14
THIN, THICKER = 2.0, 2.5  # points, and by how much each earlier line is thicker
LABEL_SPACE = 0.062  # of the axes' height between two labels at line ends


@styled
def loss_curves(
    curves: Mapping[str, History | Sequence[float]] | History | Sequence[float],
    *,
    window: int = 10,
    title: str = "",
    finding: str = "",
    guessing: str = "ln 10 = 2.303",
) -> LessonFigure:
    """Training loss against steps, one line per run with its name at its end, and a thin line at the loss of guessing.

    Later lines are thinner, so that one which lies on another leaves it to be seen. A run that was stopped, or whose
    loss became NaN, says so beside its name.

    Args:
        curves: name → a `History`, or a loss per step; or a single one of them.
        window: steps per point of a line (their mean).
        finding: the figure's text alternative; by default it lists the runs. guessing: what stands at the thin line.
    """
    named = curves if isinstance(curves, Mapping) else {getattr(curves, "label", "") or "this run": curves}
    figure = new_figure(10, 4.5)
    axes = figure.subplots()
    ends, told = [], []
    longest = 1
    for index, (name, curve) in enumerate(named.items()):
        steps, means = _means(_losses(curve), window)
        color = style.COLORS[index % len(style.COLORS)]
        axes.plot(
            steps, means, color=color, marker=style.MARKERS[index % len(style.MARKERS)],
            markevery=max(1, len(steps) // 8), linestyle=style.LINES[index % len(style.LINES)],
            linewidth=THIN + THICKER * (len(named) - 1 - index), alpha=1 if index == len(named) - 1 else 0.75,
        )  # fmt: skip
        said = ", ".join(filter(None, (name, _ending(curve))))
        shown = [(step, mean) for step, mean in zip(steps, means, strict=True) if math.isfinite(mean)]
        ends.append((*(shown[-1] if shown else (steps[0], CHANCE_LOSS)), said, color))
        told.append(said)
        longest = max(longest, steps[-1])
    axes.axhline(CHANCE_LOSS, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.5, zorder=0)
    axes.set(xlim=(0, 1.02 * longest), xlabel="step", ylabel=f"training loss (means of {window} steps)")
    axes.set_ylim(0, max(2.75, 1.05 * max(axes.dataLim.y1, CHANCE_LOSS)))
    axes.text(0.99 * longest, CHANCE_LOSS + 0.08, guessing, color=style.GREY, va="bottom", ha="right")
    _label_ends(axes, ends, longest)
    axes.set_title(title)
    return finish(
        figure, finding or f"Training loss by step of {len(named)} run{'s' * (len(named) > 1)}: {', '.join(told)}."
    )


def _ending(curve: History | Sequence[float]) -> str:
    return (curve if isinstance(curve, History) else History(step_losses=list(curve))).ending


@styled
def impostor_overlay(network: History | Sequence[float], impostor: Sequence[float], window: int = 10) -> LessonFigure:
    """The stalled network's loss and that of ten biases, magnified around ln 10; and the same two at full scale."""
    figure = new_figure(10, 4.2)
    wide, close = figure.subplots(1, 2, width_ratios=(1, 2.1))
    looks: tuple[dict[str, Any], ...] = (
        {"color": style.BLUE, "linewidth": 5, "alpha": 0.45, "label": "network with eleven layers"},
        {"color": style.ORANGE, "linestyle": "--", "linewidth": 2, "label": "ten biases, no image"},
    )
    for axes in (wide, close):
        for losses, look in zip((_losses(network), list(impostor)), looks, strict=True):
            axes.plot(*_means(losses, window), **look)
        axes.axhline(CHANCE_LOSS, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.2, zorder=0)
        axes.set_xlabel("step")
    wide.set(ylim=(0, 2.75), ylabel=f"training loss (means of {window} steps)", title="full scale")
    close.set(ylim=(CHANCE_LOSS - 0.02, CHANCE_LOSS + 0.02), title="the same, magnified")
    close.legend(loc="upper right", ncols=1)
    return finish(
        figure,
        "Two loss curves on top of each other along ln 10: the network with eleven layers and ten biases that never "
        "see an image. They differ only in the third decimal, also when magnified.",
    )


@styled
def suspects_board(board: Mapping[str, tuple[str, str]]) -> LessonFigure:
    """One card per suspect: its name, the verdict ("open", "cleared", "partly" or "guilty") and the evidence."""
    figure = new_figure(10, 2.9)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(0, 2.9))
    left = (10 - len(board) * CARD - (len(board) - 1) * CARD_GAP) / 2
    for name, (verdict, evidence) in board.items():
        if verdict not in VERDICTS:
            raise ValueError(f"board[{name!r}] has the verdict {verdict!r}; choose one of {', '.join(VERDICTS)}")
        _card(axes, left, name, verdict, evidence)
        left += CARD + CARD_GAP
    axes.text(0.08, 2.6, "Who stops the network from learning?", fontsize=16, fontweight="bold", va="center")
    said = "; ".join(f"{name}: {verdict}" for name, (verdict, _) in board.items())
    return finish(figure, f"A board with one card per suspect. {said}.")


@styled
def published_log(accuracies: Sequence[float], losses: Sequence[float] = ()) -> LessonFigure:
    """The post's test accuracy after each epoch; ``losses`` are the training losses printed for the first epochs."""
    stuck = sum(accuracy == accuracies[0] for accuracy in accuracies)
    if stuck == len(accuracies):
        raise ValueError("accuracies never changes; a log of a run that learns in the end is expected")
    figure = new_figure(10, 3.8)
    axes = figure.subplots()
    epochs = range(1, len(accuracies) + 1)
    axes.plot(epochs, accuracies, color=style.BLUE, marker="o")
    axes.axhline(0.1, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.5, zorder=0)
    axes.text(len(accuracies) + 0.3, 0.115, "guessing", color=style.GREY, ha="right")
    for epoch, accuracy, following in zip(epochs, accuracies, [*accuracies[1:], 1.0], strict=True):
        # Keep the number clear of the line that rises to the next point.
        rise = following - accuracy
        offset = (10, -4) if rise > 0.3 else (-8, 9) if rise > 0.15 else (0, 9)
        side = "left" if rise > 0.3 else "center"
        axes.annotate(f"{accuracy:.4f}", (epoch, accuracy), offset, textcoords="offset points", ha=side, fontsize=12)
    if losses:
        axes.plot((0.7, len(losses) + 0.3), (0.27, 0.27), color=style.ORANGE, linewidth=2)
        text = "training loss\n" + ", ".join(f"{loss:.4f}" for loss in losses)
        axes.text((len(losses) + 1) / 2, 0.3, text, color=style.ORANGE, ha="center", va="bottom")
    axes.set(xlim=(0.5, len(accuracies) + 0.5), ylim=(0, 1.05), xlabel="epoch", ylabel="test accuracy")
    axes.set_xticks(list(epochs))
    axes.set_title("The post's published log: three epochs of nothing, then it learns")
    return finish(
        figure,
        f"Test accuracy of the post's published run by epoch: {accuracies[0]:.4f} for the first {stuck} epochs, "
        f"{accuracies[stuck]:.4f} in epoch {stuck + 1}, {accuracies[-1]:.4f} after the last.",
    )


@styled
def plateau(runs: Mapping[str, StoredRun]) -> LessonFigure:
    """Long runs that start at a plateau: the loss above, the spread of the scores between images below."""
    figure = new_figure(10, 5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.5))
    longest = max(run.steps for run in runs.values())
    for index, (name, run) in enumerate(runs.items()):
        look: dict[str, Any] = {"color": style.COLORS[index], "linestyle": style.LINES[index]}
        upper.plot(*zip(*run.losses, strict=True), **look)
        lower.semilogy(*zip(*run.spreads, strict=True), **look, marker=style.MARKERS[index], markevery=8, label=name)
    upper.axhline(CHANCE_LOSS, color=style.GREY, linestyle=(0, (2, 2)), linewidth=1.2, zorder=0)
    upper.set(ylim=(0, 2.75), ylabel="training loss", xlim=(0, 1.02 * longest))
    lower.set(xlabel="step", ylabel="spread of scores")
    spreads = [spread for run in runs.values() for _, spread in run.spreads]
    lower.set_ylim(10 ** math.floor(math.log10(min(spreads))), 10 ** math.ceil(math.log10(max(spreads))))
    lower.yaxis.set_minor_formatter(NullFormatter())
    lower.legend(loc="upper left")
    upper.text(longest, CHANCE_LOSS - 0.12, "ln 10 = 2.303", color=style.GREY, va="top", ha="right")
    upper.set_title("The loss looks the same; the spread between images moves")
    return finish(figure, f"Loss and spread of the scores between images in {len(runs)} long runs. {_told(runs)}")


def _told(runs: Mapping[str, StoredRun]) -> str:
    parts = []
    for name, run in runs.items():
        end = f"escapes at step {run.escape:,}" if run.escape else f"still on the plateau after {run.steps:,} steps"
        parts.append(f"{name}: {end}")
    return "; ".join(parts) + "."


def _losses(curve: History | Sequence[float]) -> list[float]:
    return list(curve.step_losses if isinstance(curve, History) else curve)


def _means(losses: list[float], window: int) -> tuple[list[int], list[float]]:
    if not losses:
        raise ValueError("curves holds a run without a single step; train it first")
    chunks = [losses[start : start + window] for start in range(0, len(losses), window)]
    steps = [min((number + 1) * window, len(losses)) for number in range(len(chunks))]
    return steps, [sum(chunk) / len(chunk) for chunk in chunks]


def _label_ends(axes: Axes, ends: Sequence[tuple[int, float, str, str]], longest: int) -> None:
    """Names right of the axes, at the height of their line's end, moved apart where lines end together."""
    low, high = axes.get_ylim()
    gap = LABEL_SPACE * (high - low)
    below = -math.inf
    for step, value, name, color in sorted(ends, key=lambda end: end[1]):
        height = max(value, below + gap)
        below = height
        if step < 0.9 * longest:
            # A short run: its name stands where it ends.
            axes.annotate(name, (step, value), (6, -4), textcoords="offset points", color=color, va="top", fontsize=13)
            continue
        axes.annotate(
            name, (1.02 * longest, height), (6, 0), textcoords="offset points", color=color, va="center",
            annotation_clip=False, fontsize=13,
        )  # fmt: skip


def _card(axes: Axes, left: float, name: str, verdict: str, evidence: str) -> None:
    color, mark = VERDICTS[verdict]
    box = FancyBboxPatch(
        (left + 0.06, 0.12), CARD - 0.12, CARD_HEIGHT - 0.06, boxstyle="round,pad=0.04", facecolor="white",
        edgecolor=color, linewidth=2.5, linestyle="--" if verdict == "open" else "-",
    )  # fmt: skip
    axes.add_patch(box)
    middle = left + CARD / 2
    axes.text(middle, 2.0, fill(name, 15), ha="center", va="center", fontsize=14, fontweight="bold", linespacing=1.1)
    axes.text(middle, 1.42, f"{mark} {verdict}", ha="center", va="center", fontsize=15, color=color, fontweight="bold")
    axes.text(middle, 1.12, fill(evidence, 19), ha="center", va="top", fontsize=12.5, linespacing=1.25)
