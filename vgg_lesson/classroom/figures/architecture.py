"""Drawings of the architecture: sliding windows, shrinking grids, costs per block, Table 1 on its side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, NullLocator

from vgg_lesson.classroom.figures.architecture_network import MARGIN, WIDTH, lighter
from vgg_lesson.configs import CONFIGS, VGGConfig
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled

TABLE_LEFT = 1.38
ROW, TILE, CONV_TILE, FC_TILE = 0.5, 0.38, 0.405, 0.36  # inches of the redrawn Table 1
CHANNEL_TINTS = {64: 0.30, 128: 0.48, 256: 0.70, 512: 0.95}


@dataclass(frozen=True)
class Window:
    """A window that slides over a square grid; sizes in cells."""

    title: str
    size: int
    kernel: int
    padding: int = 0
    stride: int = 1

    @property
    def output(self) -> int:
        """Cells along one side of the output."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1


@styled
def draw_windows(windows: Sequence[Window]) -> LessonFigure:
    """One panel per window: the grid it reads, padding hatched, its first and last place, and the grid it writes."""
    figure = new_figure(WIDTH, 2.9)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    tallest = max(window.size + 2 * window.padding for window in windows)
    left = 0.0
    for window in windows:
        left = _draw_window(axes, window, left, tallest) + 2.2
    axes.set(xlim=(-0.4, left - 1.8), ylim=(tallest + 1.4, -1.7), aspect="equal")
    axes.set_axis_off()
    parts = [
        f"{w.title}: {w.size}×{w.size} in, {w.output}×{w.output} out with a {w.kernel}×{w.kernel} kernel, "
        f"padding {w.padding}, stride {w.stride}"
        for w in windows
    ]
    return finish(figure, f"Kernels sliding over grids. {'. '.join(parts)}.")


@styled
def draw_sizes(sizes: Mapping[str, Sequence[int]]) -> LessonFigure:
    """The side of the grid, layer by layer, one line per network: label → sizes from the input on."""
    figure = new_figure(WIDTH, 4.4)
    axes = figure.subplots()
    for index, (label, sides) in enumerate(sizes.items()):
        axes.plot(
            range(len(sides)), sides, color=style.COLORS[index], marker=style.MARKERS[index],
            linestyle=style.LINES[index], label=label,
        )  # fmt: skip
        above = index == 0
        for layer, side in enumerate(sides):
            axes.annotate(
                f"{side}", (layer, side), xytext=(0, 9 if above else -9), textcoords="offset points", ha="center",
                va="bottom" if above else "top", weight="bold", color=style.COLORS[index],
            )  # fmt: skip
    axes.set_yscale("log", base=2)
    axes.set_yticks([])
    axes.yaxis.set_minor_locator(NullLocator())
    lowest, highest = min(map(min, sizes.values())), max(map(max, sizes.values()))
    axes.set(xlabel="layers passed (convolutions and pools)", ylabel="side of the grid", ylim=(lowest / 2, highest * 2))
    axes.set_title("Without padding every convolution takes two rows and two columns")
    axes.set_xlim(-0.5, max(map(len, sizes.values())) - 0.5)
    axes.legend(loc="lower left")
    ends = "; ".join(f"{label}: from {sides[0]} to {sides[-1]}" for label, sides in sizes.items())
    return finish(figure, f"Side of the grid after each layer. {ends}.")


@styled
def draw_cost_rules(costs: Mapping[str, Sequence[float]]) -> LessonFigure:
    """Multiply-accumulates of one convolution in each block, one line per rule: label → MACs from block 1 on."""
    figure = new_figure(WIDTH, 4.2)
    axes = figure.subplots()
    for index, (label, macs) in enumerate(costs.items()):
        axes.plot(
            range(1, len(macs) + 1), [value / 1e9 for value in macs], color=style.COLORS[index],
            marker=style.MARKERS[index], linestyle=style.LINES[index], label=label, markersize=10,
        )  # fmt: skip
    blocks = range(1, len(next(iter(costs.values()))) + 1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xticks(blocks, [f"block {block}" for block in blocks])
    axes.set_xlim(0.8, blocks[-1] + 0.2)
    axes.set_ylabel("billion multiplications")
    axes.set_title("Doubling the channels keeps the cost of a convolution level")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="best")
    ends = "; ".join(
        f"{label}: {m[0] / 1e9:.3g} billion in block 1, {m[-1] / 1e9:.3g} in block {len(m)}"
        for label, m in costs.items()
    )
    return finish(figure, f"Cost of one convolution in each block. {ends}.")


@styled
def draw_table(configs: Sequence[VGGConfig] = tuple(CONFIGS.values())) -> LessonFigure:
    """Table 1 of the paper on its side: a row per network, a tile per layer, blocks aligned between the pools."""
    blocks = max(len(config.blocks) for config in configs)
    slots = [max(len(c.blocks[i]) for c in configs if i < len(c.blocks)) for i in range(blocks)]
    bottom, deep = 0.62, ROW * len(configs)
    figure = new_figure(WIDTH, bottom + deep + 0.5)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, bottom + deep + 0.5))
    axes.set_axis_off()
    bases = {config.name: bottom + deep - ROW * (index + 1) for index, config in enumerate(configs)}
    for config in configs:
        middle = bases[config.name] + TILE / 2
        axes.text(MARGIN, middle, config.column or config.name, va="center", weight="bold", size=14)
        axes.text(TABLE_LEFT - 0.2, middle, f"{config.weight_layers}", va="center", ha="right", size=14)
    axes.text(TABLE_LEFT - 0.2, bottom + deep + 0.12, "layers", ha="right", size=12)
    left = TABLE_LEFT
    for number, count in enumerate(slots):
        axes.text(left + count * CONV_TILE / 2, bottom + deep + 0.12, f"block {number + 1}", ha="center", size=12)
        for config in configs:
            if number < len(config.blocks):
                _draw_tiles(axes, config, number, left, bases[config.name], CONV_TILE)
        left += count * CONV_TILE + 0.09
        axes.add_patch(Rectangle((left - 0.02, bottom), 0.06, deep - ROW + TILE, facecolor=style.ORANGE))
        left += 0.12
    axes.text(left + 1.5 * FC_TILE, bottom + deep + 0.12, "linear", ha="center", size=12)
    for place, units in enumerate((4096, 4096, 1000)):
        corner = (left + place * FC_TILE + 0.03, bottom)
        axes.add_patch(Rectangle(corner, FC_TILE - 0.06, deep - ROW + TILE, facecolor=style.GREEN))
        x, y = corner[0] + FC_TILE / 2 - 0.03, bottom + (deep - ROW + TILE) / 2
        axes.text(x, y, f"{units}", rotation=90, ha="center", va="center", size=14, color="white", weight="bold")
    _table_legend(axes, TABLE_LEFT)
    layers = ", ".join(f"{c.column or c.name} {c.conv_layers} + 3" for c in configs)
    return finish(
        figure,
        f"Table 1 of the paper with a row per network; convolutions + fully connected layers: {layers}. "
        f"All share {blocks} pools and one head; they differ in how many convolutions a block holds.",
    )


def _table_legend(axes: Axes, left: float) -> None:
    _tile(axes, left, 0.12, CONV_TILE, "64", lighter(style.BLUE, 1 - CHANNEL_TINTS[64]))
    axes.text(left + 0.5, 0.12 + TILE / 2, "3×3 convolution, 64 filters", va="center", size=12)
    _tile(axes, left + 3.0, 0.12, CONV_TILE, "256", lighter(style.BLUE, 1 - CHANNEL_TINTS[256]), True)
    axes.text(left + 3.5, 0.12 + TILE / 2, "1×1 convolution", va="center", size=12)
    axes.add_patch(Rectangle((left + 5.1, 0.12), 0.06, TILE, facecolor=style.ORANGE))
    axes.text(left + 5.3, 0.12 + TILE / 2, "2×2 max-pool", va="center", size=12)


def _draw_window(axes: Axes, window: Window, left: float, tallest: int) -> float:
    """Draw one panel from ``left`` on, in cells, centred on the tallest one; returns where it ends."""
    full, out = window.size + 2 * window.padding, window.output
    low = (tallest - full) / 2
    _draw_cells(axes, left, low, full, window.padding)
    last = (out - 1) * window.stride
    for place, color, line in ((0, style.BLUE, "-"), (last, style.ORANGE, "--")):
        axes.add_patch(
            Rectangle(
                (left + place, low + place), window.kernel, window.kernel,
                facecolor=(*to_rgb(color), 0.2), edgecolor=color, linewidth=3, linestyle=line,
            )
        )  # fmt: skip
    start, middle = left + full + 1.6, tallest / 2
    arrow = {"arrowstyle": "-|>", "lw": 2, "color": "black"}
    axes.annotate("", (start - 0.2, middle), (left + full + 0.2, middle), arrowprops=arrow)
    _draw_cells(axes, start, middle - out / 2, out, 0)
    for place, color in ((0, style.BLUE), (out - 1, style.ORANGE)):
        axes.add_patch(Rectangle((start + place, middle - out / 2 + place), 1, 1, facecolor=color, edgecolor="white"))
    padded = f", padded to {full}×{full}" if window.padding else ""
    axes.text(left + full / 2, tallest + 0.4, f"{window.size}×{window.size}{padded}", ha="center", va="top")
    axes.text(start + out / 2, tallest + 0.4, f"{out}×{out}", ha="center", va="top", weight="bold")
    axes.text((left + start + out) / 2, -0.7, window.title, ha="center", va="bottom", weight="bold")
    return start + out


def _draw_cells(axes: Axes, left: float, low: float, side: int, padding: int) -> None:
    for row in range(side):
        for column in range(side):
            inside = padding <= min(row, column) and max(row, column) < side - padding
            looks: dict[str, Any] = {"facecolor": "#DDDDDD"} if inside else {"facecolor": "white", "hatch": "////"}
            edge = "white" if inside else "#AAAAAA"
            axes.add_patch(Rectangle((left + column, low + row), 1, 1, edgecolor=edge, linewidth=1, **looks))


def _draw_tiles(axes: Axes, config: VGGConfig, number: int, left: float, base: float, tile: float) -> None:
    """One block of one network: a tile per convolution, a darker blue for more channels."""
    for place, conv in enumerate(config.blocks[number]):
        light = 1 - CHANNEL_TINTS.get(conv.channels, 0.6)
        color = lighter(style.BLUE, light)
        small = conv.kernel == 1
        _tile(axes, left + place * tile, base, tile, str(conv.channels), color, small)
        if config.lrn and number == 0 and place == 0:
            axes.text(left + 1.5 * tile, base + TILE / 2, "LRN", ha="center", va="center", size=12)


def _tile(axes: Axes, left: float, base: float, width: float, words: str, color: Any, outlined: bool = False) -> None:
    red, green, blue = to_rgb(color)
    dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
    looks: dict[str, Any] = (
        {"facecolor": "white", "edgecolor": style.BLUE, "linewidth": 1.5} if outlined else {"facecolor": color}
    )
    inset = 0.025 if outlined else 0.02
    axes.add_patch(Rectangle((left + inset, base + inset - 0.02), width - 2 * inset, TILE - 2 * inset + 0.04, **looks))
    ink = "white" if dark and not outlined else "black"
    axes.text(left + width / 2, base + TILE / 2, words, ha="center", va="center", size=12, color=ink)
