"""Who reads VGG where, what few labels buy, and which garments are neighbours: the figures of notebook 10."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator, PercentFormatter
from torch import Tensor

from vgg_lesson.analysis.intervals import interval
from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.figures.shared import Garment, class_names
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.support.style import (
    BLUE,
    GREEN,
    GREY,
    LINES,
    MARKERS,
    ORANGE,
    PINK,
    RIGHT,
    SKY,
    WRONG,
    LessonFigure,
    finish,
    new_figure,
    show_image,
    styled,
)

CUTS = ("pixels", "pool1", "pool2", "pool3", "pool4", "pool5")
FIRST_ROW, ROW = 1.65, 0.8  # of the drawing of taps: below the names of the layers
LOOKS = {"pixels": (GREY, 0), "from scratch": (ORANGE, 1), "fine-tuning": (GREEN, 2), "probe": (BLUE, 3)}


class Taps(NamedTuple):
    """What was built on VGG, and the layers it reads; ``content`` are read for another purpose than the rest."""

    name: str
    layers: tuple[str, ...]
    content: tuple[str, ...] = ()


# arXiv:1311.2524 (its later version, with VGG-16 in place of AlexNet); 1411.4038, section 4.2 (FCN-8s); 1504.08083 and
# 1506.01497; 1512.02325, section 3; 1508.06576, methods (VGG-19, whose names of these layers are the same).
TAPS = (
    Taps("R-CNN, 2014", ("fc7",)),
    Taps("FCN, 2014", ("pool3", "pool4", "fc7")),
    Taps("Fast and Faster R-CNN, 2015", ("conv5_3",)),
    Taps("SSD, 2015", ("conv4_3", "fc7")),
    Taps("Gatys et al., 2015", ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), ("conv4_2",)),
)


@styled
def vgg_taps() -> LessonFigure:
    """VGG-16 from left to right, and below it, row by row, the layers that others read."""
    rows = [row for row in trace("VGG-16").rows if row.name != "input"]
    place = {row.name: column for column, row in enumerate(rows)}
    figure = new_figure(10, 4.8)
    axes = figure.subplots()
    for column, row in enumerate(rows):
        side = row.output_shape[-1] if len(row.output_shape) == 3 else 7
        height = 0.35 + 1.65 * side / 224
        color = {"conv": SKY, "pool": "#D0D0D0", "linear": "#F2C9A8"}[row.kind]
        axes.add_patch(
            Rectangle((column - 0.36, -0.2 - height), 0.72, height, facecolor=color, edgecolor="white", zorder=2)
        )
        axes.text(column, -0.05, row.name, rotation=90, ha="center", va="top", fontsize=12, zorder=3)
    for line, tap in enumerate(TAPS):
        y = FIRST_ROW + ROW * line
        columns = [place[name] for name in (*tap.layers, *tap.content)]
        axes.plot([-0.5, max(columns)], [y, y], color="0.8", linewidth=2, zorder=1)
        axes.plot([place[name] for name in tap.layers], [y] * len(tap.layers), "o", color=BLUE, markersize=12)
        axes.plot([place[name] for name in tap.content], [y] * len(tap.content), "D", color=ORANGE, markersize=11)
        axes.text(-0.9, y, tap.name, ha="right", va="center")
        if tap.content:
            key: dict[str, Any] = {"va": "center", "fontsize": 13}
            axes.plot(place["conv1_1"], y + 0.75, "o", color=BLUE, markersize=8)
            axes.text(place["conv1_1"] + 0.5, y + 0.75, "read; by Gatys et al. for the style", **key)
            axes.plot(place["conv4_3"], y + 0.75, "D", color=ORANGE, markersize=7)
            axes.text(place["conv4_3"] + 0.5, y + 0.75, "for the content", **key)
    axes.set(xlim=(-8.2, len(rows) - 0.4), ylim=(FIRST_ROW + ROW * len(TAPS) + 0.2, -2.3))
    axes.set_axis_off()
    told = "; ".join(f"{tap.name} reads {', '.join((*tap.layers, *tap.content))}" for tap in TAPS)
    return finish(figure, f"Where others read VGG: {told}. Nobody reads fc8, the thousand class scores.")


@styled
def accuracy_by_cut(shares: Sequence[Sequence[float]]) -> LessonFigure:
    """Shares (0 to 1) of a probe at each cut, pixels first, one dot per draw, with mean and 95% interval."""
    figure = new_figure(10, 4.2)
    axes = figure.subplots()
    places = range(len(shares))
    for place, draws in zip(places, shares, strict=True):
        axes.plot([place - 0.12] * len(draws), draws, "o", color=SKY, markersize=5, alpha=0.8)
        _bar(axes, place, draws, BLUE, MARKERS[0])
    axes.plot(places, [mean(draws) for draws in shares], color=BLUE)
    best = max(places, key=lambda place: mean(shares[place]))
    axes.plot(best, mean(shares[best]), "o", markersize=22, markerfacecolor="none", markeredgecolor=ORANGE, mew=3)
    axes.set_xticks(places, CUTS[: len(shares)])
    axes.set(xlabel="cut behind", ylabel="accuracy of the probe", title=f"Best behind {CUTS[best]}")
    _percent(axes, [share for draws in shares for share in draws])
    told = ", ".join(f"{CUTS[place]} {mean(draws):.1%}" for place, draws in enumerate(shares))
    return finish(figure, f"Accuracy of a linear probe by the place of the cut: {told}. Best is {CUTS[best]}.")


@styled
def few_label_curves(results: Mapping[str, Mapping[int, Sequence[float]]]) -> LessonFigure:
    """Shares (0 to 1) by way of learning and by labels per class, one dot per draw, with 95% intervals."""
    figure = new_figure(10, 5)
    axes = figure.subplots()
    counts = sorted({count for way in results.values() for count in way})
    for number, (name, way) in enumerate(results.items()):
        color, look = LOOKS.get(name, (PINK, 4))
        shift = 1.07 ** (number - (len(results) - 1) / 2)
        xs = [count * shift for count in way]
        axes.plot(
            xs, [mean(way[count]) for count in way], color=color, linestyle=LINES[look], marker=MARKERS[look],
            markersize=9, label=name,
        )  # fmt: skip
        for x, count in zip(xs, way, strict=True):
            axes.plot([x] * len(way[count]), way[count], MARKERS[look], color=color, markersize=4, alpha=0.45)
            _bar(axes, x, way[count], color, MARKERS[look])
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="labelled images of each class", ylabel="test accuracy")
    _percent(axes, [share for way in results.values() for draws in way.values() for share in draws], low=0.0)
    axes.legend(loc="lower right")
    told = "; ".join(
        f"{name} " + ", ".join(f"{count}: {mean(draws):.1%}" for count, draws in way.items())
        for name, way in results.items()
    )
    return finish(figure, f"Test accuracy by labels per class, means of several draws. {told}.")


@styled
def neighbour_rows(
    image: Garment, label: int, gallery: ImageSet, rows: Mapping[str, Sequence[int] | Tensor]
) -> LessonFigure:
    """A picture, uint8 (28, 28), of class ``label``, and by name of distance its nearest in the gallery, in a row each.

    Raises:
        ValueError: no row, or a row without a neighbour.
    """
    for name, row in rows.items():
        if not len(row) or not all(0 <= int(index) < len(gallery) for index in row):
            raise ValueError(f"rows[{name!r}] holds no neighbour, or none of the {len(gallery)} pictures of gallery")
    longest, names = max(map(len, rows.values())), class_names(gallery.classes, len(gallery.classes))
    figure = new_figure(10, 1.95 * len(rows) + 0.2)
    grid = figure.add_gridspec(len(rows), longest + 2, width_ratios=(1.25, 0.55, *[1] * longest))
    query = figure.add_subplot(grid[:, 0])
    show_image(query, image)
    query.set_title(names[label], fontsize=14, loc="center")
    told = []
    for line, (name, indices) in enumerate(rows.items()):
        words = figure.add_subplot(grid[line, 1])
        words.set_axis_off()
        words.text(0.5, 0.5, name, rotation=90, ha="center", va="center", fontsize=14, fontweight="bold")
        found = [int(gallery.labels[index]) for index in indices]
        for column, (index, other) in enumerate(zip(indices, found, strict=True)):
            axes = figure.add_subplot(grid[line, column + 2])
            show_image(axes, gallery.images[int(index)])
            right = other == label
            color = BLUE if right else ORANGE
            for spine in axes.spines.values():
                spine.set(visible=True, color=color, linewidth=2.5, linestyle="-" if right else "--")
            axes.set_title(
                f"{RIGHT if right else WRONG} {names[other]}", fontsize=12.5, color=color, fontweight="normal"
            )
        told.append(f"by {name}, {found.count(label)} of {len(found)} are ({', '.join(names[k] for k in found)})")
    return finish(figure, f"A picture of class {names[label]}. Of its nearest, {'; '.join(told)}.")


def _bar(axes: Axes, x: float, draws: Sequence[float], color: str, marker: str) -> None:
    """The mean, and the 95% interval where there are enough draws."""
    look: dict[str, Any] = {"color": color, "marker": marker, "markersize": 9, "zorder": 3}
    if len(draws) < 2:
        axes.plot(x, mean(draws), **look)
    else:
        found = interval(draws)
        axes.errorbar(x, found.mean, yerr=found.half, capsize=4, elinewidth=2, **look)


def _percent(axes: Axes, shares: Sequence[float], low: float | None = None) -> None:
    axes.set_ylim(max(0.0, min(shares) - 0.05) if low is None else low, 1.01)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y", color="0.9")
