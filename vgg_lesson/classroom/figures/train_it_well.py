"""Figures of training runs: paths down a valley, schedules, augmented views, running logs, learning curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from torch import Tensor

from vgg_lesson.classroom.figures.shared import Picture, Pictures, Table
from vgg_lesson.records.published import published
from vgg_lesson.records.stored_runs import StoredRun
from vgg_lesson.support.style import (
    AMBER,
    BLACK,
    BLUE,
    COLORS,
    GREY,
    LINES,
    MARKERS,
    ORANGE,
    LessonFigure,
    finish,
    new_figure,
    show_image,
    styled,
)
from vgg_lesson.training.history import History


@styled
def valley_paths(paths: Mapping[str, Table], curvature: tuple[float, float] = (1.0, 100.0)) -> LessonFigure:
    """Walks, name → float (N, 2), on the valley ``(a·x² + b·y²) / 2`` with ``curvature`` (a, b)."""
    figure = new_figure(10, 4.2)
    axes = figure.subplots()
    points = torch.cat(list(paths.values()))
    low, high = points.amin(dim=0), points.amax(dim=0)
    margin = 0.08 * (high - low)
    x = torch.linspace(float(low[0] - margin[0]), float(high[0] + margin[0]), 200)
    y = torch.linspace(float(low[1] - margin[1]), float(high[1] + margin[1]), 200)
    height = (curvature[0] * x[None, :] ** 2 + curvature[1] * y[:, None] ** 2) / 2
    levels = [height.max().item() * 0.5**power for power in range(9, -1, -1)]
    axes.contourf(x, y, height, levels=[0, *levels], cmap="Greys", alpha=0.35)
    for (name, path), color, marker in zip(paths.items(), (ORANGE, BLUE, *COLORS), MARKERS, strict=False):
        axes.plot(
            path[:, 0], path[:, 1], color=color, marker=marker, markersize=5, linewidth=1.5,
            label=f"{name}: {_distance(path)} of the way left",
        )  # fmt: skip
    axes.plot(0, 0, marker="*", color=BLACK, markersize=18, linestyle="none", label="the lowest point")
    axes.set(xlabel="flat direction", ylabel="steep direction")
    axes.set_title(f"{len(next(iter(paths.values()))) - 1} steps down the same valley")
    axes.legend(loc="lower right", framealpha=0.9, frameon=True)
    return finish(
        figure,
        "Contours of a narrow valley with the walks "
        + " and ".join(f"{name}, which has {_distance(path)} of the way left" for name, path in paths.items())
        + ".",
    )


def _distance(path: Tensor) -> str:
    return f"{(path[-1].norm() / path[0].norm()).item():.0%}"


@styled
def schedule_curve(by_hand: Sequence[float], recorded: Mapping[int, float]) -> LessonFigure:
    """The learning rate of every step, computed by hand, with the rates that a run recorded (step from 1 → rate)."""
    figure = new_figure(10, 3.4)
    axes = figure.subplots()
    axes.plot(range(1, len(by_hand) + 1), by_hand, color=BLUE, label="by hand")
    axes.plot(*zip(*recorded.items(), strict=True), "o", color=ORANGE, markersize=10, label="recorded by the run")
    axes.set(xlabel="step", ylabel="learning rate", ylim=(0, None), title="One cycle: a quarter up, the rest down")
    axes.legend()
    return finish(
        figure,
        f"The learning rate rises in a straight line to {max(by_hand):g} over the first quarter of {len(by_hand)} "
        "steps and falls almost to zero; the rates that the run recorded lie on the line drawn by hand.",
    )


@styled
def augmented_views(original: Picture, views: Pictures, label: str = "") -> LessonFigure:
    """One image, uint8 (H, W), and what augmentation makes of it, uint8 (N, H, W), in one row."""
    figure = new_figure(10, 1.9)
    panels = figure.subplots(1, len(views) + 1)
    for axes, image, title in zip(panels, [original, *views], ["stored", *[""] * len(views)], strict=True):
        show_image(axes, image)
        axes.set_title(title, fontsize=14)
        for spine in axes.spines.values():
            spine.set(visible=True, color=BLUE if title else GREY, linewidth=3 if title else 1)
    return finish(
        figure,
        f"A stored picture{f' of class {label}' if label else ''} and {len(views)} variants of it, mirrored and moved "
        "by up to two pixels: each still shows the same garment.",
    )


@styled
def running_log(
    log: Mapping[str, History], right: Mapping[tuple[str, int], Tensor], *, window: float = 0.2
) -> LessonFigure:
    """The validation accuracy of each recipe with two standard errors.

    ``right`` says by recipe and seed which images the network names rightly, bool (N,): seed 0 is a dot, the others
    are diamonds. What lies more than ``window`` below the best is shown as an arrow at the edge.
    """
    if missing := [name for name in log if (name, 0) not in right]:
        raise ValueError(f"right holds nothing of {missing[0]!r} with seed 0; judge it first")
    shares = {key: judged.float().mean().item() for key, judged in right.items()}
    figure = new_figure(10, 0.45 * len(log) + 1.3)
    axes = figure.subplots()
    accuracies = {name: shares[name, 0] for name in log}
    edge = max(accuracies.values()) - window
    for row, (name, accuracy) in enumerate(accuracies.items()):
        error = 2 * math.sqrt(accuracy * (1 - accuracy) / len(right[name, 0]))
        _log_row(axes, row, accuracy, edge, error, log[name].ending)
        others = [share for (recipe, seed), share in shares.items() if recipe == name and seed]
        axes.plot(others, [row] * len(others), "D", color=ORANGE, fillstyle="none", markersize=9, zorder=3)
    axes.set(yticks=range(len(log)), yticklabels=list(log), xlim=(edge - 0.012, max(accuracies.values()) + 0.035))
    axes.set_ylim(len(log) - 0.4, -0.6)
    axes.set(xlabel="validation accuracy", title="The log, with two standard errors; ◇ other seeds")
    axes.grid(axis="x", color="0.9")
    axes.tick_params(axis="y", length=0)
    told = "; ".join(
        ", ".join(filter(None, (f"{name.strip(' …+')} {accuracy:.1%}", log[name].ending)))
        for name, accuracy in accuracies.items()
    )
    return finish(figure, f"Validation accuracy of each recipe in the log: {told}.")


def _log_row(axes: Axes, row: int, accuracy: float, edge: float, error: float, ending: str) -> None:
    """A row's accuracy with its error; hollow, and with a word, where the run did not end as planned."""
    fill: Any = "none" if ending else "full"
    inside = accuracy - error >= edge
    place = accuracy if inside else edge
    if inside:
        axes.errorbar(
            accuracy,
            row,
            xerr=error,
            color=BLUE,
            marker="o",
            markersize=9,
            capsize=5,
            linewidth=2,
            linestyle="none",
            fillstyle=fill,
        )
    else:
        axes.plot(edge, row, marker="<", color=BLUE, markersize=12, linestyle="none", fillstyle=fill)
    words = ", ".join(filter(None, (f"{accuracy:.1%}", ending)))
    end = (place + (error if inside else 0), row)
    axes.annotate(words, end, (12, 0), textcoords="offset points", va="center", fontsize=13)


@styled
def published_curves() -> LessonFigure:
    """The log that the post published, epoch by epoch: loss and accuracy, training against test."""
    train = {"loss": published("post_train_loss"), "accuracy": published("post_train_accuracy")}
    test = {"loss": published("post_test_loss"), "accuracy": published("post_test_accuracy")}
    figure = new_figure(10, 4.3)
    figure.suptitle(
        "The post's published log: quarter-width VGG-11, 224×224, fp32", x=0.01, ha="left", fontweight="bold"
    )
    epochs = range(1, len(test["loss"]) + 1)
    for axes, measure in zip(figure.subplots(1, 2), train, strict=True):
        axes.plot(epochs, train[measure], "--", color=ORANGE, marker="s", label="training")
        axes.plot(epochs, test[measure], "-", color=BLUE, marker="o", label="test")
        axes.axvspan(4.5, 5.5, color=AMBER, alpha=0.25, linewidth=0)
        axes.set(xlabel="epoch", ylabel=measure, ylim=(0, None), xticks=list(epochs))
    figure.axes[0].legend(loc="center right")
    return finish(
        figure,
        "Loss and accuracy over ten epochs: flat at ln 10 for three, then a steep change. In epoch 5, marked, the "
        f"test accuracy {test['accuracy'][4]} lies above the training accuracy {train['accuracy'][4]}.",
    )


@styled
def beside_the_post(
    history: History, test_accuracy: float, network: str, again: Mapping[str, StoredRun] | None = None
) -> LessonFigure:
    """Our run's validation accuracy per epoch and its one test result, beside the post's test accuracy per epoch.

    ``again`` maps a label to a log of the post's network trained anew, tested after every epoch.
    """
    if not history.epochs:
        raise ValueError(f"history {history.label!r} holds no epoch yet; train it first")
    figure = new_figure(10, 4.2)
    axes = figure.subplots()
    theirs = published("post_test_accuracy")
    axes.plot(range(1, len(theirs) + 1), theirs, color=ORANGE, marker="s", linestyle="--")
    axes.annotate(
        "the post: quarter-width VGG-11,\n224×224, fp32, no batch norm", (7, theirs[6]), (6.2, 0.55), fontsize=13,
        color=ORANGE, arrowprops={"arrowstyle": "-", "color": ORANGE},
    )  # fmt: skip
    tested = {label: [accuracy for _, accuracy in run.accuracies] for label, run in (again or {}).items()}
    for index, (label, path) in enumerate(tested.items(), start=2):
        look = index % len(COLORS)
        axes.plot(range(1, len(path) + 1), path, color=COLORS[look], marker=MARKERS[look], label=label)
    if tested:
        axes.legend(loc="lower right", title="the post's network, trained here")
    epochs = [record.epoch for record in history.epochs]
    ours = [record.validation_accuracy or math.nan for record in history.epochs]
    axes.plot(epochs, ours, color=BLUE, marker="o")
    # beside the last circle, which it would cover
    axes.plot(epochs[-1] + 0.3, test_accuracy, color=BLUE, marker="*", markersize=20, linestyle="none")
    axes.annotate(
        f"ours: {network}\n● validation   ★ test, once: {test_accuracy:.2%}", (epochs[-1], test_accuracy),
        (0.6, 1.06), fontsize=13, color=BLUE,
    )  # fmt: skip
    axes.axhline(theirs[-1], color=GREY, linestyle=":", linewidth=1.5)
    axes.annotate(f"{theirs[-1]:.2%}", (10, theirs[-1]), (0, 6), textcoords="offset points", ha="center", color=GREY)
    axes.set(xlabel="epoch", ylabel="accuracy", xlim=(0.5, 10.5), ylim=(0, 1.25), xticks=range(1, 11))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    return finish(
        figure,
        f"Test accuracy of the post's published run over ten epochs, ending at {theirs[-1]:.2%}, and of ours "
        f"({network}) with {test_accuracy:.2%} on the test set after {epochs[-1]} epoch{'s' * (epochs[-1] > 1)}."
        + "".join(
            f" The post's network here, {label}: {', '.join(f'{a:.2%}' for a in p)}." for label, p in tested.items()
        ),
    )


@styled
def seeds_of_a_run(runs: Mapping[str, StoredRun], window: int = 50) -> LessonFigure:
    """Stored runs that differ in their seed alone: smoothed losses, and where each ended on the test set.

    ``runs`` maps a label to a log; ``window`` is how many steps are averaged.
    """
    figure = new_figure(10, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    target = published("post_test_accuracy")[-1]
    finals = [run.accuracies[-1][1] for run in runs.values()]
    for index, run in enumerate(runs.values()):
        color, line, marker = COLORS[index % 7], LINES[index % 7], MARKERS[index % 7]
        steps = [step for step, _ in run.losses]
        losses = [loss for _, loss in run.losses]
        every = max(1, window // max(1, steps[0]))
        smooth = [mean(losses[max(0, last - every) : last]) for last in range(1, len(losses) + 1)]
        left.plot(steps, smooth, color=color, linestyle=line, linewidth=1.8)
        right.plot(finals[index], len(runs) - index, color=color, marker=marker, markersize=11, linestyle="none")
        right.annotate(f"{finals[index]:.2%}", (finals[index], len(runs) - index), (0, 11), textcoords="offset points",
                       ha="center", fontsize=12)  # fmt: skip
    left.set(xlabel="step", ylabel=f"training loss, mean of {window} steps", ylim=(0, None))
    left.set_title(f"{len(runs)} seeds, one story")
    right.axvline(target, color=GREY, linestyle="--", linewidth=1.8)
    right.set_yticks(range(len(runs), 0, -1), list(runs))
    right.set_xlim(min(target, *finals) - 0.004, max(target, *finals) + 0.004)
    right.set_ylim(0.4, len(runs) + 0.9)
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    right.xaxis.set_major_locator(MaxNLocator(4))
    right.set(xlabel="test accuracy")
    right.set_title(f"dashed: the post, {target:.2%}")
    listed = ", ".join(f"{label} {final:.2%}" for label, final in zip(runs, finals, strict=True))
    return finish(
        figure,
        f"Training loss of {len(runs)} runs of one recipe with different seeds, curves close together, and their test "
        f"accuracies: {listed}; the post ended at {target:.2%}.",
    )
