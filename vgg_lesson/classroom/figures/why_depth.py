"""Why depth: the contest years, large kernels against stacks of small ones, and what the paper measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.colors import LogNorm
from matplotlib.patches import FancyArrowPatch, Rectangle

from vgg_lesson.classroom.figures.shared import Picture
from vgg_lesson.configs import CONFIGS
from vgg_lesson.records.published import published
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, show_image, styled

SMALLEST_ERROR = 1e-17
FIRST_WINDOWS = (("AlexNet, 2012", 11, 4), ("ZFNet, 2013", 7, 2), ("VGG, 2014", 3, 1))


@styled
def contest(entries: Sequence[Mapping[str, Any]]) -> LessonFigure:
    """Top-5 errors of ILSVRC entries (dicts with year, entry, error in percent, place): winners joined by a line."""
    for number, entry in enumerate(entries):
        if missing := [key for key in ("year", "entry", "error", "place") if key not in entry]:
            raise ValueError(f"entries[{number}] has no {missing[0]!r}; year, entry, error and place are expected")
    figure = new_figure(10, 4.6)
    axes = figure.subplots()
    years = sorted({entry["year"] for entry in entries})
    winners = [entry for entry in entries if entry["place"] == 1]
    axes.plot([e["year"] for e in winners], [e["error"] for e in winners], color=style.BLUE, zorder=1)
    for entry in entries:
        won = entry["place"] == 1
        color, marker, aside = (style.BLUE, "o", 0.0) if won else (style.ORANGE, "s", 0.05)
        axes.plot(
            entry["year"] + aside, entry["error"], marker, color=color, markersize=12,
            markerfacecolor=color if won else "white", markeredgewidth=2.5,
        )  # fmt: skip
        place = {1: "1st: ", 2: "2nd: "}.get(entry["place"], "")
        name = entry["entry"] if place else f"{entry['entry']}'s paper"
        axes.annotate(
            f"{place}{name}, {entry['error']} %", (entry["year"] + aside, entry["error"]),
            (0, -18) if won else (14, 3), textcoords="offset points", color=color,
            va="top" if won else "bottom", ha="center" if won else "left",
        )  # fmt: skip
    axes.set(xticks=years, xlim=(years[0] - 0.4, years[-1] + 0.6), ylim=(0, 30), ylabel="top-5 error, %")
    fall = f"from {winners[0]['error']} to {winners[-1]['error']} %"
    axes.set_title(f"{years[0]} to {years[-1]}: the winners' error falls {fall}")
    axes.grid(axis="y", alpha=0.3)
    listed = "; ".join(f"{e['year']} {e['entry']} {e['error']} %" for e in entries)
    return finish(
        figure,
        f"Top-5 errors of the ImageNet contest, {years[0]} to {years[-1]}, without training images from elsewhere. "
        f"{listed}. A line through the winners falls {fall}.",
    )


@styled
def first_windows(image: Picture, corner: tuple[int, int] = (102, 102), size: int = 24) -> LessonFigure:
    """Kernels of three networks' first layers on a ``size``-pixel detail of ``image`` (224, 224): three neighbours."""
    figure = new_figure(10, 3.1)
    top, left = corner
    if top + size > image.shape[0] or left + size > image.shape[1]:
        raise ValueError(
            f"corner={corner}, size={size} leave the image of {image.shape[0]}×{image.shape[1]}; less is expected"
        )
    whole, *details = figure.subplots(1, 1 + len(FIRST_WINDOWS))
    show_image(whole, image)
    whole.add_patch(Rectangle((left, top), size, size, fill=False, edgecolor=style.ORANGE, linewidth=3))
    whole.set_title("where we look")
    whole.set_xlabel(f"{size}×{size} of {image.shape[1]}×{image.shape[0]} pixels")
    for axes, (name, kernel, stride) in zip(details, FIRST_WINDOWS, strict=True):
        show_image(axes, image[top : top + size, left : left + size], alpha=0.8)
        for line in range(size + 1):
            axes.axhline(line - 0.5, color="white", linewidth=0.8, zorder=0.5)
            axes.axvline(line - 0.5, color="white", linewidth=0.8, zorder=0.5)
        for step, (color, dashes) in enumerate(((style.BLUE, "-"), (style.ORANGE, "--"), (style.BLACK, ":"))):
            place = (0.5 + step * stride, 5.5)
            axes.add_patch(Rectangle(place, kernel, kernel, fill=False, edgecolor=color, linestyle=dashes, linewidth=3))
        axes.set_title(name)
        axes.set_xlabel(f"{kernel}×{kernel}, stride {stride}")
    return finish(
        figure,
        f"A garment with a marked detail of {size} by {size} pixels, and that detail under three first layers: "
        "AlexNet's 11×11 kernels are four pixels apart, ZFNet's 7×7 two, VGG's 3×3 one: each smaller and more closely "
        "spaced than the one before.",
    )


@styled
def window_cones() -> LessonFigure:
    """One output value and the pixels it is computed from: through three 3-wide layers, and through one 7-wide."""
    figure = new_figure(10, 3.9)
    for axes, sizes, title in zip(
        figure.subplots(1, 2), ((7, 5, 3, 1), (7, 1)), ("three layers, 3 wide", "one layer, 7 wide"), strict=True
    ):
        step = 3 / (len(sizes) - 1)
        for level, size in enumerate(sizes):
            xs = [x - (size - 1) / 2 for x in range(size)]
            if level:
                reach = (sizes[level - 1] - size) // 2
                for x in xs:
                    for below in range(-reach, reach + 1):
                        axes.plot([x, x + below], [level * step, (level - 1) * step], color=style.SKY, linewidth=1.3)
            color, marker = (style.GREY, "s") if level == 0 else (style.BLUE, "o")
            axes.plot(xs, [level * step] * size, marker, color=color, markersize=17, zorder=3)
            axes.text(3.9, level * step, "pixels" if level == 0 else f"layer {level}", va="center")
        axes.set(xlim=(-3.6, 5.6), ylim=(-0.4, 3.4))
        axes.set_axis_off()
        axes.set_title(title)
    return finish(
        figure,
        "Two cones seen from the side. Left: one value of layer 3 needs three values of layer 2, five of layer 1 and "
        "seven pixels. Right: one value of a 7-wide layer needs the same seven pixels.",
    )


@styled
def stack_bill(bill: Mapping[str, tuple[int, int]]) -> LessonFigure:
    """Costs of three 3×3 layers beside one 7×7: ``bill`` maps a cost to (one large layer, the stack)."""
    figure = new_figure(10, 4.2)
    axes = figure.subplots()
    names = list(bill)
    for row, (large, stack) in enumerate(bill.values()):
        for offset, value, color, hatch in ((-0.19, large, style.ORANGE, "//"), (0.19, stack, style.BLUE, "")):
            share = value / max(large, stack)
            axes.barh(row + offset, share, 0.36, color=color, hatch=hatch, edgecolor="white")
            axes.text(share + 0.01, row + offset, f"{value:,}", va="center", color=color)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(0, 1.4)
    figure.suptitle(
        "The stack saves weights and arithmetic; it pays in memory", x=0.01, ha="left", fontsize=16, fontweight="bold"
    )
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=c, hatch=h, edgecolor="white")
        for c, h in ((style.ORANGE, "//"), (style.BLUE, ""))
    ]
    axes.legend(handles, ("one 7×7", "three 3×3"), loc="upper left", bbox_to_anchor=(0, -0.02), ncols=2)
    listed = "; ".join(f"{name}: {large:,} against {stack:,}" for name, (large, stack) in bill.items())
    return finish(figure, f"One 7×7 layer against three 3×3 layers. {listed}.")


@styled
def error_maps(maps: Mapping[str, Picture]) -> LessonFigure:
    """How far stacks of three 3×3 layers are from one 7×7: ``maps`` is title → absolute differences (H, W)."""
    figure = new_figure(10, 4.4)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    for ax, (title, errors) in zip(axes, maps.items(), strict=True):
        picture = ax.imshow(errors.clamp(min=SMALLEST_ERROR), norm=LogNorm(1e-17, 1e1), cmap="cividis")
        ax.set_title(title)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
    bar = figure.colorbar(picture, ax=list(axes), shrink=0.85, ticks=[1e-16, 1e-12, 1e-8, 1e-4, 1])
    bar.set_label("absolute difference")
    return finish(
        figure,
        "Differences between a stack and one 7×7 layer on a logarithmic colour scale. Without ReLUs they are of the "
        "size of rounding inside and large only in a frame two cells wide; with ReLUs they are large everywhere.",
    )


@styled
def depth_evidence() -> LessonFigure:
    """The paper's top-5 errors at one scale against the number of weight layers, columns A to E of its Table 1."""
    keys = {"A": "A", "B": "B", "C": "C_256", "D": "D_256", "E": "E_256"}
    layers = {config.column: config.weight_layers for config in CONFIGS.values()}
    errors = {column: published(f"paper_top5_error_{key}") for column, key in keys.items()}
    figure = new_figure(10, 4.4)
    axes = figure.subplots()
    for start, end in ("AB", "BD", "DE"):
        axes.plot([layers[start], layers[end]], [errors[start], errors[end]], color=style.BLUE, linewidth=2, alpha=0.5)
    for column, error in errors.items():
        odd = column == "C"
        axes.plot(layers[column], error, "D" if odd else "o", color=style.ORANGE if odd else style.BLUE, markersize=12)
        offset = {"B": (-6, 14), "D": (-8, -24)}.get(column, (14, -5))
        axes.annotate(f"{column}  {error} %", (layers[column], error), offset, textcoords="offset points")
    for start, end, text, place in (
        ("B", "C", "three 1×1 layers more", (14.55, 9.72)),
        ("C", "D", "the 1×1 become 3×3", (16.15, 9.08)),
    ):
        axes.add_patch(
            FancyArrowPatch(
                (layers[start], errors[start]), (layers[end], errors[end]), arrowstyle="->", mutation_scale=22,
                color=style.ORANGE, linewidth=2, linestyle="--", shrinkA=9, shrinkB=9,
            )
        )  # fmt: skip
        axes.text(*place, text, color=style.ORANGE)
    axes.set(
        xticks=[11, 13, 16, 19], xlabel="weight layers", ylabel="top-5 error, %", xlim=(10.5, 20.5), ylim=(8.45, 10.7)
    )
    axes.set_yticks([8.5, 9.0, 9.5, 10.0, 10.5])
    axes.set_title("Deeper is better, up to a point; more ReLUs and larger kernels both help")
    return finish(
        figure,
        "Top-5 error against weight layers at one training scale: A 10.4, B 9.9, C 9.4, D 8.8 and E 9.0 %. "
        "C, with three 1×1 layers more than B, lies between B and D; E is no better than D.",
    )
