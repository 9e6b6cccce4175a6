"""A network as slabs to scale: the drawing of notebook 02 and of the README."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Polygon, Rectangle

from vgg_lesson.arithmetic import LayerRow, LayerTrace, trace
from vgg_lesson.configs import VGGConfig
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled

WIDTH = 10.0  # inches of every drawing here
TALLEST = 2.7  # inches of the largest grid's side
SLANT = (0.30, 0.17)  # how far one inch of depth moves to the right and up
MARGIN, MIDDLE = 0.1, 2.55
GAP, COLUMN, COLUMN_GAP, FAN = 0.08, 0.09, 0.52, 0.95
SHRINKINGS = 200
LETTER = 0.118  # inches that one character of a 12-point label takes
KIND_COLORS = {"input": style.GREY, "conv": style.BLUE, "pool": style.ORANGE, "linear": style.GREEN}
KIND_NAMES = {"input": "input", "conv": "convolution", "pool": "2×2 max-pool", "linear": "fully connected"}


@styled
def draw_network(config: str | VGGConfig = "VGG-11", **options: Any) -> LessonFigure:
    """A network as slabs to scale: height and depth show the grid, thickness the channels, columns the vectors.

    ``options`` go to `vgg_lesson.arithmetic.trace`. Grids share one scale; channels and vectors share another.
    Layers without an extent of their own (batch norm, LRN) are left out.
    """
    counted = trace(config, **options)
    figure = new_figure(WIDTH, 4.85)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, WIDTH), ylim=(0, 4.85))
    width = options.get("width", 1)
    _Scene(axes, counted).draw(counted.config.name if width == 1 else f"{counted.config.name}, width {width:g}")
    flat = _flattened(counted)
    last = counted.rows[-1].output_shape[0]
    return finish(
        figure,
        f"{counted.config.name} to scale: the input {_shape(counted.rows[0])} becomes "
        f"{', '.join(_shape(row) for row in counted.rows if row.kind == 'pool')}, "
        f"then {flat:,} numbers and {last:,} scores. "
        "The grids shrink while the slabs grow thicker.",
    )


class _Scene:
    """Places the slabs of a traced network from left to right; all lengths in inches."""

    def __init__(self, axes: Axes, counted: LayerTrace):
        self.axes = axes
        self.flat = _flattened(counted)
        self.way_to_head = "average" if any(row.kind == "gap" for row in counted.rows) else "flatten"
        self.stages = _stages(counted)
        self.vectors = [row for row in counted.rows if row.kind == "linear"]
        self.per_cell = TALLEST / counted.rows[0].output_shape[1]
        channels = sum(row.output_shape[0] for stage in self.stages for row in stage)
        longest = max(row.output_shape[0] for row in self.vectors)
        self.per_channel = min(WIDTH / channels, TALLEST * 1.18 / longest)
        for _ in range(SHRINKINGS):
            if self._width() > WIDTH - 2 * MARGIN:
                self.per_channel *= 0.98

    def draw(self, name: str) -> None:
        self._headline(name)
        spare = WIDTH - 2 * MARGIN - self._width()
        pause = spare / len(self.stages)
        left = MARGIN
        for number, stage in enumerate(self.stages):
            room = self._stage_width(stage)
            self._stage(stage, left + (room - self._thickness(stage)) / 2)
            self._stage_labels(stage, number, left + room / 2)
            left += room + pause
        end = left - pause - (room - self._thickness(stage)) / 2
        side = stage[-1].output_shape[1] * self.per_cell
        for number, row in enumerate(self.vectors):
            left += COLUMN_GAP if number else FAN - COLUMN
            height = self._column(row, left, (end, side))
            if number == 0:
                self._inside_fan(
                    (end + left) / 2 + (0.12 if self.way_to_head == "flatten" else 0.0),
                    f"{self.way_to_head}\n{self.flat:,}",
                )
            end, side = left + COLUMN, height
            self._label(left + COLUMN / 2, row.name, (f"{row.output_shape[0]}", "linear"))

    def _width(self) -> float:
        return sum(map(self._stage_width, self.stages)) + FAN + (len(self.vectors) - 1) * COLUMN_GAP + 0.2

    def _stage_width(self, stage: Sequence[LayerRow]) -> float:
        return max(LETTER * len(_shape(stage[0])) + 0.06, self._thickness(stage) + 0.12)

    def _thickness(self, stage: Sequence[LayerRow]) -> float:
        return sum(row.output_shape[0] for row in stage) * self.per_channel + GAP * (len(stage) - 1)

    def _stage(self, stage: Sequence[LayerRow], left: float) -> None:
        for row in stage:
            width = row.output_shape[0] * self.per_channel
            self._slab(row, left, width)
            left += width + GAP

    def _slab(self, row: LayerRow, left: float, width: float) -> None:
        """One box centred on the common axis, in height and in depth; nearer slabs are drawn over farther ones."""
        side = row.output_shape[1] * self.per_cell
        across, up = SLANT[0] * side, SLANT[1] * side
        x, y = left - across / 2, MIDDLE - (side + up) / 2
        front = ((x, y), (x + width, y), (x + width, y + side), (x, y + side))
        roof = ((x, y + side), (x + width, y + side), (x + width + across, y + side + up), (x + across, y + side + up))
        right = x + width
        face = ((right, y), (right + across, y + up), (right + across, y + side + up), (right, y + side))
        for corners, light in ((roof, 0.6), (front, 0.0), (face, 0.3)):
            color = lighter(KIND_COLORS[row.kind], light)
            self.axes.add_patch(Polygon(corners, facecolor=color, edgecolor="white", linewidth=0.7, joinstyle="round"))

    def _column(self, row: LayerRow, left: float, before: tuple[float, float]) -> float:
        height = row.output_shape[0] * self.per_channel
        end, side = before
        fan = ((end, side / 2), (left, height / 2), (left, -height / 2), (end, -side / 2))
        corners = [(x, MIDDLE + y) for x, y in fan]
        self.axes.add_patch(Polygon(corners, facecolor=lighter(style.GREEN, 0.88), edgecolor="none", zorder=0))
        self.axes.add_patch(Rectangle((left, MIDDLE - height / 2), COLUMN, height, facecolor=style.GREEN))
        return height

    def _inside_fan(self, x: float, words: str) -> None:
        self.axes.text(x, MIDDLE, words, ha="center", va="center", size=12, linespacing=1.3)

    def _stage_labels(self, stage: Sequence[LayerRow], number: int, x: float) -> None:
        self._label(x, f"block {number}" if number else "input", *[(_shape(row), row.kind) for row in _ends(stage)])

    def _label(self, x: float, name: str, *lines: tuple[str, str]) -> None:
        self.axes.text(x, 0.78, name, ha="center", va="center", weight="bold", size=12)
        for index, (line, kind) in enumerate(lines):
            color = darker(KIND_COLORS[kind], 0.25)
            self.axes.text(x, 0.53 - 0.22 * index, line, ha="center", va="center", size=12, color=color)

    def _headline(self, name: str) -> None:
        self.axes.text(MARGIN, 4.62, f"{name}, to scale", va="center", weight="bold", size=16)
        left = WIDTH - sum(0.42 + 0.093 * len(words) for words in KIND_NAMES.values())
        for kind, words in KIND_NAMES.items():
            self.axes.add_patch(Rectangle((left, 4.55), 0.15, 0.15, color=KIND_COLORS[kind]))
            self.axes.text(left + 0.22, 4.62, words, va="center", size=12)
            left += 0.42 + 0.093 * len(words)


def _ends(stage: Sequence[LayerRow]) -> Sequence[LayerRow]:
    """The first layer and the last, whose shapes stand for those between."""
    return stage if len(stage) == 1 else (stage[0], stage[-1])


def _stages(counted: LayerTrace) -> list[list[LayerRow]]:
    """The input alone, then the convolutions and the pool of each block."""
    stages: list[list[LayerRow]] = [[]]
    for row in counted.rows:
        if row.kind in ("input", "conv", "pool"):
            stages[-1].append(row)
        if row.kind in ("input", "pool"):
            stages.append([])
    return stages[:-1]


def _flattened(counted: LayerTrace) -> int:
    """How many numbers the first fully connected layer reads."""
    before = counted.rows[next(i for i, row in enumerate(counted.rows) if row.kind == "linear") - 1]
    return prod(before.output_shape)


def lighter(color: str, share: float) -> tuple[float, float, float]:
    """``color`` mixed with white: share 0 is the colour, 1 is white."""
    red, green, blue = (value + (1 - value) * share for value in to_rgb(color))
    return red, green, blue


def darker(color: str, share: float) -> tuple[float, float, float]:
    """``color`` mixed with black: share 0 is the colour, 1 is black."""
    red, green, blue = (value * (1 - share) for value in to_rgb(color))
    return red, green, blue


def _shape(row: LayerRow) -> str:
    return "×".join(map(str, row.output_shape))
