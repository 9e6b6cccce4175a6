"""How far a layer sees: windows drawn on a garment, their growth with depth, and where the influence really lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.patches import Rectangle

from vgg_lesson.classroom.figures.shared import Square
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, show_image, styled

Window = tuple[str, int, int]


@styled
def windows_on_garment(image: Square, windows: Sequence[Window]) -> LessonFigure:
    """Nested windows on ``image`` (S, S): each is (label, first pixel, side), the same down and across."""
    side = image.shape[-1]
    figure = new_figure(10, 5)
    axes = figure.subplots()
    show_image(axes, image, alpha=0.5)
    for number, (label, first, field) in enumerate(windows):
        color = style.COLORS[number % len(style.COLORS)]
        line = style.LINES[number % len(style.LINES)]
        axes.add_patch(
            Rectangle(
                (first - 0.5, first - 0.5), field, field, fill=False, edgecolor=color, linewidth=3, linestyle=line
            )
        )
        height = side * (0.12 + 0.78 * number / max(len(windows) - 1, 1))
        axes.annotate(
            f"{label}: {field}×{field}", (first + field - 0.5, min(max(height, first), first + field)),
            (side + 22, height), color=color, va="center", fontsize=15, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 1.2},
        )  # fmt: skip
    axes.set_xlim(-0.5, side * 1.75)
    axes.set_ylim(side + 1, -1.5)
    axes.add_patch(Rectangle((-0.5, -0.5), side, side, fill=False, edgecolor=style.GREY, linewidth=1))
    last = windows[-1]
    axes.set_title(f"What one cell sees: up to {last[2]} of {side} pixels across")
    listed = ", ".join(f"{label} {field}" for label, _, field in windows)
    return finish(
        figure,
        f"A garment at {side} by {side} pixels under nested squares, the receptive fields of the cell in its middle; "
        f"sides in pixels: {listed}. Even the largest leaves a rim of the image out.",
    )


@styled
def field_growth(fields: Mapping[str, Sequence[int]], image_size: int = 224) -> LessonFigure:
    """Receptive field after each convolution or pooling layer; ``fields`` maps a network to its fields in order."""
    figure = new_figure(10, 4.6)
    axes = figure.subplots()
    for number, (name, values) in enumerate(fields.items()):
        axes.plot(
            range(1, len(values) + 1), values, color=style.COLORS[number], linestyle=style.LINES[number],
            marker=style.MARKERS[number], markersize=6,
        )  # fmt: skip
        axes.annotate(
            f"{name}: {values[-1]}", (len(values), values[-1]), (-12, 0), textcoords="offset points", va="center",
            ha="right", color=style.COLORS[number],
        )  # fmt: skip
    axes.axhline(image_size, color=style.GREY, linewidth=1.5, linestyle="--")
    axes.text(0.6, image_size + 5, f"the whole picture: {image_size}", color=style.GREY)
    longest = max(map(len, fields.values()))
    axes.set(xlabel="layer (convolutions and poolings)", ylabel="receptive field, pixels", xlim=(0.5, longest + 0.6))
    axes.set_xticks(range(5, longest + 1, 5))
    axes.set_ylim(0, 1.12 * max(image_size, *(values[-1] for values in fields.values())))
    axes.set_title("More layers see further; larger strides do so sooner")
    listed = ", ".join(f"{name} ends at {values[-1]}" for name, values in fields.items())
    return finish(figure, f"Receptive field after each layer, in pixels of a {image_size}-pixel picture: {listed}.")


@styled
def windows_over_edge(image: Square, windows: Sequence[Window]) -> LessonFigure:
    """Windows that reach over the edge of ``image`` (S, S); outside it lies padding, hatched."""
    side = image.shape[-1]
    margin = max(0, *(-first for _, first, _ in windows), *(first + field - side for _, first, field in windows)) + 6
    figure = new_figure(10, 5)
    axes = figure.subplots()
    axes.add_patch(
        Rectangle(
            (-margin, -margin),
            side + 2 * margin,
            side + 2 * margin,
            facecolor="white",
            hatch="..",
            edgecolor="#CCCCCC",
            zorder=-2,
        )
    )
    axes.add_patch(Rectangle((-0.5, -0.5), side, side, facecolor="white", zorder=-1))
    show_image(axes, image, alpha=0.5)
    for number, (label, first, field) in enumerate(windows):
        color, line = style.COLORS[number], style.LINES[number]
        axes.add_patch(
            Rectangle(
                (first - 0.5, first - 0.5), field, field, fill=False, edgecolor=color, linewidth=3, linestyle=line
            )
        )
        seen = min(first + field, side) - max(first, 0)
        axes.annotate(
            f"{label}\n{seen}×{seen} real pixels of {field}×{field}", (first + field - 0.5, first + 40),
            (side + margin + 18, first + 40), color=color, va="center",
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 1.2}, fontsize=15,
        )  # fmt: skip
    axes.set_xlim(-margin, side * 2.15 + margin)
    axes.set_ylim(side + margin, -margin)
    axes.set_title("At the corner much of the field is padding (dotted)")
    listed = "; ".join(
        f"{label} sees {min(first + field, side) - max(first, 0)} real pixels a side of {field}"
        for label, first, field in windows
    )
    return finish(figure, f"A garment inside a rim of padding with receptive fields over it: {listed}.")


@styled
def influence(gradient: Square, first: int, field: int, box: tuple[int, int]) -> LessonFigure:
    """Where one cell's influence lies: ``gradient`` (S, S), its window, and a smaller ``box`` (first, side) in it."""
    figure = new_figure(10, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    left.imshow(gradient / gradient.max(), cmap="Blues", vmax=0.6)
    pairs = ((first, field, style.ORANGE, "-"), (*box, style.GREEN, "--"))
    for start, side, color, line in pairs:
        left.add_patch(
            Rectangle(
                (start - 0.5, start - 0.5), side, side, fill=False, edgecolor=color, linewidth=2.5, linestyle=line
            )
        )
    left.set_xticks([])
    left.set_yticks([])
    left.spines[:].set_visible(False)
    left.set_title("gradient, pixel by pixel")
    profile = gradient.sum(dim=0)
    right.fill_between(range(len(profile)), profile / profile.max(), color=style.SKY, alpha=0.6)
    for (start, side, color, line), name in zip(pairs, ("its field", "half as wide"), strict=True):
        for place in (start, start + side):
            right.axvline(place - 0.5, color=color, linestyle=line)
        right.plot([], [], color=color, linestyle=line, label=f"{name}: {side} pixels")
    right.set(xlabel="column of the image", yticks=[], xlim=(0, len(profile) - 1), ylim=(0, 1.5))
    right.set_title("summed over rows")
    right.legend(loc="upper center", frameon=True, framealpha=1, edgecolor="white")
    return finish(
        figure,
        "The gradient of one cell with respect to every pixel: a blob, strongest in the middle and fading long before "
        "the edge of the field that the arithmetic allows.",
    )
