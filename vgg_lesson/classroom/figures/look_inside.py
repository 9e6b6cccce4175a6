"""Figures of what a network keeps inside: filters, maps, the pictures a channel likes, a map of garments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from vgg_lesson.classroom.figures.shared import Filters, Garments, Labels, Pictures, Square, Table
from vgg_lesson.data.datasets import CLASSES
from vgg_lesson.support.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    PINK,
    SKY,
    LessonFigure,
    finish,
    new_figure,
    show_image,
    styled,
)

Box = tuple[int, int, int]  # top, left, side, in pixels of the picture
INDIGO, OLIVE, BROWN = "#332288", "#7F7F1F", "#7A4419"
CLASS_COLORS = (BLUE, GREEN, ORANGE, PINK, SKY, BROWN, GREY, OLIVE, AMBER, INDIGO)  # one for each class
FLOW_CHANNELS = 4
PAGE = (680.0, 450.0)  # points of the map of garments, about
NAME_SHIFTS = tuple(  # in points, nearest first
    (reach * math.cos(turn * math.pi / 8), 0.8 * reach * math.sin(turn * math.pi / 8))
    for reach in range(24, 320, 16)
    for turn in range(16)
)
THUMBNAIL_ROOM = 0.052  # of the map's width between two thumbnails


@styled
def two_filter_sets(left: Filters, right: Filters, names: tuple[str, str] = ("left", "right")) -> LessonFigure:
    """Two sets of 3×3 filters, float (N, 3, 3) each, four by four: blue where bright pixels excite, red where not."""
    if len(left) % 4:
        raise ValueError(f"left has {len(left)} filters; a multiple of four, which fills four rows, is expected")
    figure = new_figure(10, 4.6)
    halves: Any = figure.subfigures(1, 2, wspace=0.06)
    limit = torch.cat([left, right]).abs().amax().item()
    for half, filters, name in zip(halves, (left, right), names, strict=True):
        panels = half.subplots(4, len(filters) // 4).flatten()
        for axes, weights in zip(panels, filters, strict=True):
            _show_filter(axes, weights, limit)
        half.suptitle(name, fontsize=16, fontweight="bold")
    return finish(
        figure,
        f"Two sets of {len(left)} filters of 3 by 3 weights, {names[0]} and {names[1]}, blue for positive and red for "
        "negative weights.",
    )


@styled
def filter_responses(filters: Filters, maps: Pictures) -> LessonFigure:
    """Filters, float (N, 3, 3), each above the map it makes of a picture, float (N, H, W); dark is strong."""
    if len(filters) < 2 or len(filters) % 2:
        raise ValueError(f"filters has {len(filters)} entries; an even number, which fills two rows, is expected")
    columns = len(filters) // 2
    figure = new_figure(10, 5)
    panels = figure.subplots(4, columns, height_ratios=(1, 2.1, 1, 2.1))
    limit = filters.abs().amax().item()
    for index, (weights, answers) in enumerate(zip(filters, maps, strict=True)):
        row, column = divmod(index, columns)
        _show_filter(panels[2 * row, column], weights, limit)
        panels[2 * row, column].set_title(f"{index}", fontsize=13, fontweight="normal")
        show_image(panels[2 * row + 1, column], answers, vmin=0)
        _frame(panels[2 * row + 1, column])
    return finish(
        figure,
        f"{len(filters)} filters and the map that each makes of one garment: some copy its brightness, some answer to "
        "the empty ground, some only to edges of one direction.",
    )


@styled
def activation_flow(picture: Square, blocks: Sequence[Pictures]) -> LessonFigure:
    """A picture, float (S, S), and the four strongest channels that each block, float (C, h, w), makes of it."""
    figure = new_figure(10, 6.2)
    panels = figure.subplots(FLOW_CHANNELS, len(blocks) + 1, width_ratios=(1.5, *(1,) * len(blocks)))
    for axes in panels[:, 0]:
        axes.set_visible(False)
    whole = figure.add_subplot(panels[0, 0].get_gridspec()[1:3, 0])
    show_image(whole, picture)
    _frame(whole)
    name = whole.annotate(
        f"input\n{picture.shape[0]}×{picture.shape[1]}", (0, 1), (0, 6), xycoords="axes fraction",
        textcoords="offset points", fontsize=14, fontweight="bold",
    )  # fmt: skip
    name.set_in_layout(False)  # it would push the rows beside it apart
    told = []
    for column, values in enumerate(blocks, 1):
        channels, height, width = values.shape
        strongest = values.flatten(1).norm(dim=1).argsort(descending=True)[:FLOW_CHANNELS]
        for axes, channel in zip(panels[:, column], strongest.tolist(), strict=True):
            show_image(axes, values[channel], vmin=0, vmax=values[strongest].max(), cmap="Blues")
            _frame(axes)
            axes.set_xlabel(f"{channel}", fontsize=12, labelpad=2)
        panels[0, column].set_title(f"block {column}\n{channels} maps\n{height}×{width}", fontsize=14)
        told.append(f"block {column}: {channels} maps of {height} by {width}")
    return finish(
        figure, f"One garment on its way through the network, four strongest channels per block. {'; '.join(told)}."
    )


@styled
def picture_rows(
    rows: Mapping[str, Garments], boxes: Mapping[str, Sequence[Box]] | None = None, title: str = ""
) -> LessonFigure:
    """Named rows of pictures, uint8 (n, 28, 28) each, with a box on each picture where ``boxes`` has the row's."""
    for name in boxes or {}:
        if name not in rows:
            raise ValueError(f"boxes names {name!r}, which is not in rows; choose from {', '.join(rows)}")
    count = max(map(len, rows.values()))
    figure = new_figure(10, 1.28 * len(rows) + (0.45 if title else 0.1))
    panels = figure.subplots(len(rows), count, squeeze=False)
    for line, (name, images) in zip(panels, rows.items(), strict=True):
        for index, axes in enumerate(line):
            if index >= len(images):
                axes.set_visible(False)
                continue
            show_image(axes, images[index], vmin=0, vmax=255)
            _frame(axes)
            if boxes and name in boxes:
                top, left, side = boxes[name][index]
                corner = (left - 0.5, top - 0.5)
                axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=ORANGE, linewidth=3))
                axes.set(xlim=(-2.5, 29.5), ylim=(29.5, -2.5))
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=14)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    marked = " with a box around what the channel answered to" if boxes else ""
    told = "; ".join(f"{len(images)} pictures, {' '.join(name.split())}" for name, images in rows.items())
    return finish(figure, f"{f'{title}: ' if title else ''}{told}{marked}.")


@styled
def garment_map(points: Table, images: Garments, labels: Labels, share: float) -> LessonFigure:
    """Pictures, uint8 (N, 28, 28), at their places, float (N, 2): a dot for each, a thumbnail where there is room.

    ``share`` is the part of the variance that the two directions keep, 0 to 1.
    """
    if len(labels.unique()) < len(CLASSES):
        raise ValueError(
            f"labels has {len(labels.unique())} classes; each of the ten, whose name is drawn, is expected"
        )
    figure = new_figure(10, 7)
    axes = figure.subplots()
    for label, color in enumerate(CLASS_COLORS):
        own = points[labels == label]
        axes.plot(own[:, 0], own[:, 1], MARKERS[label % 7], color=color, markersize=5, alpha=0.6, linestyle="none")
    room = THUMBNAIL_ROOM * (points[:, 0].max() - points[:, 0].min())
    placed: list[Tensor] = []
    for point, image in zip(points, images, strict=True):
        if all((point - other).norm() > room for other in placed):
            placed.append(point)
            ink = torch.zeros(28, 28, 4)
            ink[..., 3] = image / 255
            box = OffsetImage(ink.numpy(), zoom=1.05, resample=True)
            axes.add_artist(AnnotationBbox(box, (float(point[0]), float(point[1])), frameon=False))
    _name_classes(axes, points, labels)
    axes.set(xlabel="first direction", ylabel="second direction", xticks=[], yticks=[])
    axes.set_title(f"Two directions keep {share:.0%} of the variance", loc="left", fontweight="bold")
    middles = torch.stack([points[labels == label].median(dim=0).values for label in range(len(CLASSES))])
    lonely = torch.cdist(middles, middles).topk(2, largest=False).values[:, 1].argsort(descending=True)[:2]
    apart = " and ".join(CLASSES[label] for label in sorted(lonely.tolist()))
    return finish(
        figure,
        f"{len(points):,} images placed by two principal directions, which keep {share:.0%} of the variance of what "
        f"the last hidden layer says, with thumbnails: {apart} lie furthest from their nearest class.",
    )


def _name_classes(axes: Any, points: Tensor, labels: Tensor) -> None:
    """The name of each class beside its middle, where few points lie and no other name, with a line to the middle."""
    low, high = points.amin(dim=0), points.amax(dim=0)
    page = ((points - low) / (high - low)) * torch.tensor(PAGE)
    placed: list[tuple[float, float, float]] = []
    for label, name in enumerate(CLASSES):
        middle = points[labels == label].median(dim=0).values
        x, y = page[labels == label].median(dim=0).values.tolist()
        half = 4.2 * len(name)

        def crowd(shift: tuple[float, float], x: float = x, y: float = y, half: float = half) -> int:
            """Points under a name that is shifted so; all of them where it leaves the page or meets another name."""
            u, v = x + shift[0], y + shift[1]
            meets = any(abs(u - a) < half + w + 6 and abs(v - b) < 18 for a, b, w in placed)
            if meets or not half <= u <= PAGE[0] - half or not 8 <= v <= PAGE[1] - 8:
                return len(page)
            return int(((page[:, 0] - u).abs() < half + 4).logical_and((page[:, 1] - v).abs() < 11).sum())

        dx, dy = min(NAME_SHIFTS, key=crowd)
        placed.append((x + dx, y + dy, half))
        axes.annotate(
            name, (float(middle[0]), float(middle[1])), (dx, dy), textcoords="offset points", ha="center",
            va="center", fontsize=13, fontweight="bold", color="black", zorder=9,
            path_effects=[withStroke(linewidth=4, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": CLASS_COLORS[label], "linewidth": 1.5, "shrinkA": 2, "shrinkB": 0},
        )  # fmt: skip


def _show_filter(axes: Any, weights: Tensor, limit: float) -> None:
    show_image(axes, weights, cmap="RdBu", vmin=-limit, vmax=limit)
    _frame(axes)


def _frame(axes: Any) -> None:
    for spine in axes.spines.values():
        spine.set(visible=True, color=GREY, linewidth=1)
