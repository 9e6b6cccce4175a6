"""One cell of one layer: the pixels it can see, and the pixels that act on it."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, arange

from vgg_lesson.arithmetic import LayerTrace, window
from vgg_lesson.classroom.figures.shared import Square
from vgg_lesson.support import style
from vgg_lesson.support.arguments import checked
from vgg_lesson.support.style import LessonFigure, finish, new_figure, show_image, styled

PADDING_LOOK: dict[str, Any] = {"facecolor": "white", "hatch": "..", "edgecolor": "#CCCCCC", "zorder": -2}
Box = tuple[int, int, int]


@styled
def cell_window(
    image: Square, counted: LayerTrace, layer: str, cell: tuple[int, int], influence: Square | None = None
) -> LessonFigure:
    """The window of one cell, (row, column), of a layer, on a picture (S, S) with its padding, and enlarged.

    ``counted`` must be traced at the picture's size. ``influence`` (S, S), from
    `vgg_lesson.cell_influence`, fills the enlarged window with what acts on the cell; without it the
    picture is shown there.

    Raises:
        ValueError, TypeError: no such layer before flattening, no such cell, or sizes that do not agree.
    """
    size = counted.rows[0].output_shape[1]
    for name, values in (("image", image), ("influence", influence)):
        if values is not None and tuple(values.shape) != (size, size):
            raise ValueError(f"{name} has shape {tuple(values.shape)}; counted expects ({size}, {size})")
    (top, side), (left, _) = (window(counted, layer, place) for place in cell)
    real = _inside(top, side, size) * _inside(left, side, size)
    figure = new_figure(10, 5.3)
    figure.set_layout_engine("none")  # places that stay, and half the time
    whole, near = (figure.add_axes((x, 0.02, 0.45, 0.85)) for x in (0.02, 0.52))
    _draw_whole(whole, image, (left, top, side), _overhang(counted, layer, size))
    half = None if influence is None else half_of(influence, (left, top, side))
    _draw_near(near, image, influence, (left, top, side), half)
    share = "all of it image" if real == side**2 else f"{1 - real / side**2:.0%} of it padding"
    figure.suptitle(
        f"{layer} of {counted.config.name}, row {cell[0]}, column {cell[1]}: sees {side}×{side}, {share}",
        x=0.02, ha="left", fontsize=16, fontweight="bold",
    )  # fmt: skip
    inner = "" if influence is None else " A dashed square in its middle holds half of what acts on the cell."
    return finish(
        figure,
        f"A garment of {size} by {size} pixels. The cell in row {cell[0]} and column {cell[1]} of {layer} in "
        f"{counted.config.name} sees a field of {side} by {side}: rows {span(top, side)}, columns "
        f"{span(left, side)}, {share}.{inner}",
    )


def span(first: int, side: int) -> str:
    """First and last pixel of a window along one axis, in words: "−9 to 120"."""
    return f"{first} to {first + side - 1}".replace("-", "−")


@checked
def half_of(influence: Square, box: Box) -> int:
    """Side of the square in the middle of ``box`` (left, top, side) that holds half of ``influence``; 0 for none."""
    left, top, side = box
    lines = arange(influence.shape[0], dtype=influence.dtype)
    down = (lines - (top + (side - 1) / 2)).abs()
    across = (lines - (left + (side - 1) / 2)).abs()
    rings = down[:, None].maximum(across[None, :]).long().flatten()
    held = rings.bincount(influence.flatten().double()).cumsum(0)
    if not held[-1] > 0:
        return 0
    ring = int((held < held[-1] / 2).sum())
    return 2 * ring + 2 - side % 2


def _draw_whole(axes: Axes, image: Tensor, box: Box, margin: int) -> None:
    size = image.shape[-1]
    margin += max(4, size // 25)
    axes.add_patch(Rectangle((-margin, -margin), size + 2 * margin, size + 2 * margin, **PADDING_LOOK))
    axes.add_patch(Rectangle((-0.5, -0.5), size, size, facecolor="white", zorder=-1))
    show_image(axes, image.numpy(), alpha=0.5)
    left, top, side = box
    half = (side - 1) / 2
    axes.plot(left + half, top + half, "+", color=style.ORANGE, markersize=18, markeredgewidth=3)
    _frame(axes, box, style.ORANGE, "-")
    axes.set(xlim=(-margin, size + margin), ylim=(size + margin, -margin))
    axes.set_title(f"on the {size}×{size} image (dots: padding)", fontsize=14)


def _draw_near(axes: Axes, image: Tensor, influence: Tensor | None, box: Box, half: int | None) -> None:
    left, top, side = box
    size = image.shape[-1]
    rim = max(1, side // 12)
    axes.add_patch(Rectangle((left - rim, top - rim), side + 2 * rim, side + 2 * rim, **PADDING_LOOK))
    if influence is None:
        axes.add_patch(Rectangle((-0.5, -0.5), size, size, facecolor="white", zorder=-1))
        show_image(axes, image.numpy())
        axes.set_title("its field, enlarged", fontsize=14)
    else:
        strongest = max(influence.max().item(), 1e-30)
        show_image(axes, (influence / strongest).numpy(), cmap="Blues", vmin=0, vmax=0.8)
    if half:
        inner = (left + (side - half) // 2, top + (side - half) // 2, half)
        _frame(axes, inner, style.GREEN, "--")
        axes.set_title(f"enlarged; half acts in {half}×{half} (dashed)", fontsize=14)
    elif half == 0:
        axes.set_title("no pixel acts on it: a dead ReLU in between", fontsize=14)
    _frame(axes, box, style.ORANGE, "-")
    axes.set(xlim=(left - rim - 0.5, left + side + rim - 0.5), ylim=(top + side + rim - 0.5, top - rim - 0.5))


def _frame(axes: Axes, box: Box, color: str, line: str) -> None:
    left, top, side = box
    axes.add_patch(
        Rectangle((left - 0.5, top - 0.5), side, side, fill=False, edgecolor=color, linewidth=3, linestyle=line)
    )


def _inside(first: int, side: int, size: int) -> int:
    """How many pixels of a window lie in the picture, along one axis."""
    return max(0, min(first + side, size) - max(first, 0))


def _overhang(counted: LayerTrace, layer: str, size: int) -> int:
    """How far the windows of a layer's outermost cells reach out, so that the scale stays while a cell moves."""
    first, _ = window(counted, layer, 0)
    last, side = window(counted, layer, counted.row(layer).output_shape[1] - 1)
    return max(0, -first, last + side - size)
