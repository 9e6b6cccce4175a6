"""Figures of notebook 04: the garments, their pixels, and what other sizes of them cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.patches import Rectangle

from vgg_lesson.arithmetic import LayerTrace
from vgg_lesson.classroom.figures.shared import Garment, Pictures, Square, Values
from vgg_lesson.data.datasets import CLASSES, SIDE, ImageSet
from vgg_lesson.support.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    LessonFigure,
    finish,
    new_figure,
    show_image,
    styled,
)


@styled
def garment_grid(
    images: Pictures,
    captions: Sequence[str] = (),
    *,
    right: Sequence[bool] = (),
    truth: Sequence[str] = (),
    columns: int = 8,
) -> LessonFigure:
    """Images, (N, H, W), in rows of ``columns``, each with its caption; ``right`` marks it by ✓ or ✗ and colour.

    ``truth`` holds the true names, which stand in brackets under the wrong captions.
    """
    if len(truth) and not len(right):
        raise ValueError("truth is given without right; it stands under captions that are wrong")
    rows = -(-len(images) // columns)
    figure = new_figure(10, (10 / columns + (0.55 if len(truth) else 0.3)) * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(images) :]:
        axes.axis("off")
    for index, (axes, image) in enumerate(zip(grid, images, strict=False)):
        show_image(axes, image)
        mark, color = "", BLACK
        if len(right):
            mark, color = ("✓ ", GREEN) if right[index] else ("✗ ", ORANGE)
        caption = captions[index] if len(captions) else f"no. {index}"
        if len(truth):
            caption += "\n" + (" " if right[index] else f"({truth[index]})")
        axes.set_title(mark + caption, fontsize=12.5, color=color, loc="center", weight="normal")
    told = f"; {sum(map(bool, right))} of {len(images)} captions are right" if len(right) else ""
    named = f" labelled {', '.join(captions)}" if len(captions) else " without their names"
    return finish(figure, f"{len(images)} garments{named}{told}.")


@styled
def class_grid(data: ImageSet, per_class: int = 4) -> LessonFigure:
    """The first ``per_class`` images of every class, one column per class."""
    _check_every_class(data, per_class)
    figure = new_figure(10, per_class + 0.6)
    grid = figure.subplots(per_class, len(data.classes), squeeze=False)
    for label, name in enumerate(data.classes):
        images = data.images[data.labels == label][:per_class]
        for axes, image in zip(grid[:, label], images, strict=True):
            show_image(axes, image)
        grid[0, label].set_title(
            f"{label}\n{name.replace('/', '/ ').replace(' ', chr(10))}", fontsize=12.5, loc="center", weight="normal"
        )
    told = (
        "the ten classes: trousers, bags and shoes have outlines of their own; T-shirts, pullovers, coats and shirts "
        "share one"
        if data.classes == CLASSES
        else f"{len(data.classes)} classes: {', '.join(data.classes)}"
    )
    return finish(figure, f"{per_class} images of each of {told}.")


def _check_every_class(data: ImageSet, least: int) -> None:
    for name, count in zip(
        data.classes, torch.bincount(data.labels, minlength=len(data.classes)).tolist(), strict=True
    ):
        if count < least:
            raise ValueError(f"data holds {count} images of {name}; at least per_class={least} are expected")


@styled
def class_means(data: ImageSet) -> LessonFigure:
    """The mean image of every class; of garments, framed where the outline is that of a top with sleeves."""
    _check_every_class(data, 1)
    rows, garments = math.ceil(len(data.classes) / 5), data.classes == CLASSES
    figure = new_figure(10, 2.3 * rows)
    grid = figure.subplots(rows, 5, squeeze=False).ravel()
    for axes in grid[len(data.classes) :]:
        axes.set_visible(False)
    for label, (axes, name) in enumerate(zip(grid, data.classes, strict=False)):
        mean = data.images[data.labels == label].float().mean(dim=0)
        show_image(axes, mean if mean.ndim == 2 else mean / 255, vmin=0, vmax=255)
        axes.set_title(name, loc="center", weight="normal")
        if garments and label in (2, 4, 6):
            axes.add_patch(Rectangle((-0.5, -0.5), SIDE, SIDE, fill=False, edgecolor=ORANGE, linewidth=4, ls="--"))
    if garments:
        return finish(figure, "Mean images of the ten classes: those of pullover, coat and shirt look almost the same.")
    return finish(figure, f"Mean images of {len(data.classes)} classes: {', '.join(data.classes)}.")


@styled
def pixel_numbers(image: Garment, rows: range, columns: range) -> LessonFigure:
    """One image, uint8 (28, 28), and the numbers in the window of ``rows`` and ``columns``."""
    for argument, line in (("rows", rows), ("columns", columns)):
        if not line or line.step != 1 or line.start < 0 or line.stop > SIDE:
            raise ValueError(
                f"{argument}={line} leaves the picture; a range such as range(8, 18) within 28 is expected"
            )
    figure = new_figure(10, 4.4)
    left, axes = figure.subplots(1, 2, width_ratios=(1, 1.35))
    show_image(left, image)
    height, width = len(rows), len(columns)
    corner = (columns.start - 0.5, rows.start - 0.5)
    left.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=ORANGE, linewidth=3))
    part = image[rows.start : rows.stop, columns.start : columns.stop]
    show_image(axes, part, vmin=0, vmax=255, aspect="auto")
    for row in range(height):
        for column in range(width):
            value = int(part[row, column])
            axes.text(column, row, str(value), ha="center", va="center", color="white" if value > 127 else BLACK)
    left.set_title("28 × 28 pixels")
    axes.set_title("the framed part, as stored", color=ORANGE)
    return finish(
        figure, "A garment, and behind a part of it the whole numbers from 0 to 255 as stored; the background is 0."
    )


@styled
def two_sizes(small: Square, large: Square, window: int = 3) -> LessonFigure:
    """One image at 28 × 28 and at another side, each with a ``window`` × ``window`` convolution drawn to scale."""
    figure = new_figure(10, 5)
    for axes, image in zip(figure.subplots(1, 2), (small, large), strict=True):
        side = image.shape[-1]
        show_image(axes, image)
        start = side * 3 / 7 - 0.5
        axes.add_patch(Rectangle((start, start), window, window, fill=False, edgecolor=ORANGE, linewidth=2.5))
        axes.set_title(f"{side} × {side}: {side * side:,} pixels")
    return finish(
        figure,
        f"The same garment in {small.shape[-1]} and {large.shape[-1]} pixels per side: smoother; "
        f"a {window} × {window} kernel covers a visible part of the first and a speck of the second.",
    )


@styled
def compute_by_grid(counted: LayerTrace, home: int = SIDE) -> LessonFigure:
    """Share of the multiplications done at each grid size, in order; hatched where the grid is above ``home``."""
    shares: dict[int, int] = {}
    for row in counted.rows:
        side = row.output_shape[-1] if row.kind == "conv" else 1
        shares[side] = shares.get(side, 0) + row.macs
    names = [f"{side}×{side}" if side > 1 else "fully\nconnected" for side in sorted(shares, reverse=True)]
    values = [100 * shares[side] / counted.total_macs for side in sorted(shares, reverse=True)]
    above = [side > home for side in sorted(shares, reverse=True)]
    figure = new_figure(10, 4.2)
    axes = figure.subplots()
    for place, (value, is_above) in enumerate(zip(values, above, strict=True)):
        color, hatch = (ORANGE, "//") if is_above else (BLUE, "")
        axes.bar(place, value, color=color, hatch=hatch, edgecolor="white", width=0.75)
        axes.text(place, value + 0.8, f"{value:.1f}%", ha="center")
    early = sum(value for value, is_above in zip(values, above, strict=True) if is_above)
    axes.axvline(sum(above) - 0.5, color=GREY, linestyle="--", linewidth=1.5)
    axes.text(sum(above) - 0.6, 49, f"before: {early:.1f}%", ha="right", color=ORANGE, weight="bold")
    axes.text(sum(above) - 0.4, 49, f"grid back at {home}×{home}", color=BLUE, weight="bold")
    axes.set(ylim=(0, 55), ylabel="multiplications, percent", xlabel="grid that the convolutions work on")
    axes.set_xticks(range(len(names)), names)
    return finish(
        figure,
        f"{early:.0f} percent of all multiplications are done on grids larger than {home} × {home}, the size the "
        "images came in.",
    )


@styled
def halvings(sides: Sequence[int], pools: int = 5) -> LessonFigure:
    """Squares for the grid after each of ``pools`` poolings, one row per input side; a cross where nothing is left."""
    figure = new_figure(10, 1.95 * len(sides))
    axes = figure.subplots()
    scale, step = 1 / max(sides), 1.45
    for row, side in enumerate(sides):
        base = -1.45 * row
        for pool in range(pools + 1):
            length, left = side * scale, pool * step
            axes.text(left, base - 0.24, str(side), ha="left", va="center", weight="bold", fontsize=16)
            if side:
                axes.add_patch(Rectangle((left, base), length, length, color=BLUE))
            else:
                axes.plot(left + 0.12, base + 0.14, "X", color=ORANGE, markersize=16)
            if pool < pools:
                tip, tail = (left + step - 0.06, base - 0.24), (left + 0.38, base - 0.24)
                axes.annotate("", tip, tail, arrowprops={"arrowstyle": "->"})
                axes.text(left + 0.88, base - 0.2, "pool", ha="center", va="bottom", fontsize=12, color=GREY)
            side //= 2
    axes.set(xlim=(-0.05, pools * step + 0.75), ylim=(-1.45 * (len(sides) - 1) - 0.4, 1.02), aspect="equal")
    axes.axis("off")
    ends = " and ".join(f"{side} ends as {side // 2**pools}" for side in sides)
    return finish(figure, f"The side of the grid after each of {pools} poolings, halves rounded down: {ends}.")


@styled
def pixel_histogram(raw: Values, normalised: Values) -> LessonFigure:
    """How often each value occurs, before (uint8) and after normalisation (float32), with mean and spread marked."""
    figure = new_figure(10, 3.8)
    panels = (
        ("as stored", raw.float().flatten(), BLUE),
        ("as the network gets it", normalised.flatten(), GREEN),
    )
    for axes, (title, values, color) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
        low, high = float(values.min()), float(values.max())
        counts = torch.histc(values, 32, low, high)
        width = (high - low) / 32
        centres = [low + (bin_ + 0.5) * width for bin_ in range(32)]
        axes.bar(centres, 100 * counts / len(values), width=0.9 * width, color=color)
        mean, spread = float(values.mean()), float(values.std())
        axes.axvline(mean, color=ORANGE, linestyle="--")
        axes.hlines(33, mean - spread, mean + spread, color=ORANGE, linewidth=3)
        about = f" mean {mean:.0f} ± {spread:.0f}" if high > 9 else f" mean {abs(mean):.1f} ± {spread:.1f}"
        axes.text(mean, 38, about, color=ORANGE, weight="bold")
        axes.set(title=title, xlabel="value of a pixel")
        axes.set_ylabel("pixels, percent" if axes.get_subplotspec().is_first_col() else "")
    return finish(
        figure,
        "Histograms of the pixels: half of them are black; normalisation moves the mean to 0 and the spread to 1 "
        "and keeps the shape.",
    )


@styled
def feeding(milliseconds: Mapping[str, float], *, guess: Any = ...) -> LessonFigure:
    """Milliseconds per batch as bars on a logarithmic axis, slowest first as given.

    ``guess``, how many times faster the last is than the first, is drawn as the place where the last bar would end.
    """
    figure = new_figure(10, 0.62 * len(milliseconds) + 1.4)
    axes = figure.subplots()
    names, values = list(milliseconds), list(milliseconds.values())
    for place, (name, value) in enumerate(milliseconds.items()):
        slow = "PIL" in name
        color, hatch = (ORANGE, "//") if slow else (BLUE, "")
        axes.barh(place, value, color=color, hatch=hatch, edgecolor="white", height=0.65)
        axes.text(value * 1.08, place, f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms", va="center")
    if isinstance(guess, int | float) and guess > 0:
        axes.axvline(values[0] / guess, color=BLACK, linestyle="--")
        axes.text(values[0] / guess, len(values) - 0.45, " your guess", va="center", weight="bold")
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xscale="log", xlim=(min(values) / 3, max(values) * 4), xlabel="milliseconds per batch of 128 (logarithmic)"
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(len(names) - 0.2, -0.6)
    ratio = values[0] / values[-1]
    return finish(
        figure, f"Milliseconds per batch for {'; '.join(names)}: the last is {ratio:.0f} times faster than the first."
    )
