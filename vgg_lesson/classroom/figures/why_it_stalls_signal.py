"""Where the difference between pictures goes, layer by layer: the other figures of notebook 05."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log10, pi
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from vgg_lesson.analysis.signal import LayerSignal
from vgg_lesson.arithmetic import LayerTrace
from vgg_lesson.classroom.figures.shared import Picture, Pictures, Table
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, show_image, styled

MAGNIFY = 10_000
BOX, MIDDLE = 0.9, 2.25  # inches
UNRELATED = 0.5 - 1 / (2 * pi)  # of its variance a ReLU keeps of unrelated normal values
# A step's kind: its name, its place beside the layer's tick, colour and marker.
STEPS: Mapping[str, tuple[str, float, str, str]] = {
    "Conv2d": ("weights", -0.22, style.BLUE, "o"),
    "Linear": ("weights", -0.22, style.BLUE, "o"),
    "ReLU": ("ReLU", 0.05, style.GREEN, "s"),
    "MaxPool2d": ("pool", 0.3, style.ORANGE, "^"),
}
LINE_HEIGHT = 0.058  # of the axes' height that a line of a label takes


@styled
def training_step(counted: LayerTrace, image: Picture, label: str) -> LessonFigure:
    """One training step as a picture: ``image``, uint8 (H, W), through the counted network to its loss, and back."""
    figure = new_figure(10, 3.9)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(0, 3.9))
    show_image(picture := figure.add_axes((0.005, 0.455, 0.095, 0.25)), image)
    picture.set_title(label, fontsize=12, loc="center", fontweight="normal", pad=4)
    left = 1.25
    for text, height, color in _boxes(counted):
        _box(axes, left, MIDDLE, BOX, height, text, color)
        left += BOX + 0.05
    arrow: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 20, "linewidth": 2.5}
    axes.add_patch(FancyArrowPatch((0.98, MIDDLE), (1.3, MIDDLE), color=style.BLACK, **arrow))
    axes.add_patch(FancyArrowPatch((left - 0.08, MIDDLE), (left + 0.26, MIDDLE), color=style.BLACK, **arrow))
    axes.text(
        left + 0.28, MIDDLE, "loss =\n−ln p\nof the\ntrue class", fontsize=13, va="center", color=style.ORANGE,
        linespacing=1.3,
    )  # fmt: skip
    back: dict[str, Any] = {"color": style.ORANGE, "linewidth": 2.5, "linestyle": "--"}
    axes.plot([left + 0.55, left + 0.55], [1.55, 0.62], **back)
    axes.plot([left + 0.55, 1.65], [0.62, 0.62], **back)
    axes.add_patch(FancyArrowPatch((1.65, 0.6), (1.65, 1.1), color=style.ORANGE, **arrow))
    axes.text(5.3, 0.3, "backward: every weight moves a little against its gradient", ha="center", va="center",
              fontsize=13, color=style.ORANGE)  # fmt: skip
    axes.text(
        0.08, 3.65, "One step of training: forward, measure, backward", fontsize=16, fontweight="bold", va="center"
    )
    layers = counted.config.weight_layers
    return finish(
        figure,
        f"An image goes through five blocks of convolutions and three fully connected layers, {layers} layers with "
        "weights, to ten scores; the loss is minus the logarithm of the probability of the true class; "
        "the gradient goes back through all of them.",
    )


def _boxes(counted: LayerTrace) -> list[tuple[str, float, str]]:
    boxes = []
    for number in range(1, len(counted.config.blocks) + 1):
        convs = [row for row in counted.rows if row.name.startswith(f"conv{number}_")]
        channels, side, _ = convs[0].output_shape
        text = f"block {number}\n{len(convs)} conv\n{channels} maps\n{side}×{side}"
        boxes.append((text, 2.3 - 0.2 * number, style.BLUE))
    linear = [row for row in counted.rows if row.kind == "linear"]
    for row in linear[:-1]:
        boxes.append((f"{row.name}\n{row.output_shape[0]}", 1.0, style.GREEN))
    boxes.append((f"{linear[-1].name}\n{linear[-1].output_shape[0]}\nscores", 1.0, style.GREEN))
    return boxes


def _box(axes: Axes, left: float, middle: float, width: float, height: float, text: str, color: str) -> None:
    corner = (left + 0.04, middle - height / 2 + 0.04)
    axes.add_patch(
        FancyBboxPatch(
            corner,
            width - 0.08,
            height - 0.08,
            boxstyle="round,pad=0.04",
            facecolor="white",
            edgecolor=color,
            linewidth=2,
        )
    )
    axes.text(left + width / 2, middle, text, ha="center", va="center", fontsize=12, linespacing=1.25)


def show_framed(axes: Axes, image: Picture) -> None:
    """A garment, uint8 (H, W), dark on light, in a thin frame, so that an empty one is seen as well."""
    show_image(axes, image, vmin=0, vmax=255)
    for spine in axes.spines.values():
        spine.set(visible=True, color=style.GREY, linewidth=1)


@styled
def scores_of(images: Pictures, names: Sequence[str], scores: Table, classes: Sequence[str]) -> LessonFigure:
    """Images, uint8 (N, H, W), their scores (N, 10), and each score minus the mean over the images."""
    figure = new_figure(10, 4.4)
    grid = figure.add_gridspec(len(names), 3, width_ratios=(0.8, 2.4, 2.4))
    left, right = figure.add_subplot(grid[:, 1]), figure.add_subplot(grid[:, 2])
    difference = (scores - scores.mean(dim=0)) * MAGNIFY
    for index, name in enumerate(names):
        axes = figure.add_subplot(grid[index, 0])
        show_framed(axes, images[index])
        axes.set_title(name, fontsize=13, loc="center", fontweight="normal", color=style.COLORS[index], pad=3)
        for panel, values, size in ((left, scores, 15 - 5 * index), (right, difference, 8)):
            panel.plot(
                range(len(classes)), values[index], color=style.COLORS[index], marker=style.MARKERS[index],
                linestyle="none", markersize=size, markerfacecolor="none" if panel is left else style.COLORS[index],
                markeredgewidth=2,
            )  # fmt: skip
    left.set_title("the ten scores", fontsize=15)
    right.set_title(f"minus their mean, × {MAGNIFY:,}", fontsize=15)
    for panel in (left, right):
        panel.set_xticks(range(len(classes)), classes, rotation=90, fontsize=12)
        panel.grid(axis="x", color="#dddddd", linewidth=1)
    right.axhline(0, color=style.GREY, linewidth=1)
    return finish(
        figure,
        f"The ten scores of {', '.join(names)} fall on the same points; only their differences, magnified "
        f"{MAGNIFY:,} times, tell the images apart.",
    )


@styled
def signal_decay(signals: Sequence[LayerSignal], theories: Mapping[str, Sequence[float]] | None = None) -> LessonFigure:
    """The spread between images after each layer (dots), on a logarithmic axis.

    ``theories`` maps a name to one predicted spread per layer, drawn as lines; without any, the size of all values
    is drawn beside the spread.
    """
    _check_spreads("signals", signals)
    figure = new_figure(10, 4.5)
    axes = figure.subplots()
    places = range(len(signals))
    ends = [(signals[-1].spread, "spread,\nmeasured", style.BLUE)]
    if not theories:
        axes.semilogy(places, [s.rms for s in signals], color=style.GREY, marker="s", linewidth=1.5, markersize=6)
        ends.append((signals[-1].rms, "size of\nall values", style.GREY))
    looks = ((style.PINK, "--"), (style.ORANGE, "-"), (style.GREEN, "-."))
    for (name, values), (color, line) in zip((theories or {}).items(), looks, strict=False):
        axes.semilogy(places, list(values), color=color, linestyle=line)
        ends.append((values[-1], name, color))
    axes.semilogy(places, [s.spread for s in signals], color=style.BLUE, marker="o", markersize=10, linestyle="none")
    axes.set_xticks(list(places), [s.name for s in signals], rotation=40, ha="right", rotation_mode="anchor")
    axes.set(ylabel="strength after the layer", xlim=(-0.3, len(signals) - 0.7))
    _names_at_ends(axes, ends)
    if theories:
        axes.set_title("A sixth per layer, and less where kernels read padding")
        added = f"Lines: {', '.join(name.replace(chr(10), ' ') for name in theories)}."
    else:
        axes.set_title("The values level off, the difference between images fades")
        added = "The size of all values levels off instead."
    power = round(log10(signals[0].spread / signals[-1].spread))
    return finish(
        figure,
        f"Spread between images after each of {len(signals)} layers on a logarithmic axis: it falls about evenly "
        f"from layer to layer, by about {power} powers of ten. {added}",
    )


@styled
def kept_by_step(measured: Sequence[Sequence[tuple[str, float]]], weights: Sequence[float]) -> LessonFigure:
    """What every step of a network keeps of the variance between images, over several draws of its weights.

    Args:
        measured: for each draw, the kind of each step ("Conv2d", "Linear", "ReLU", "MaxPool2d"; others are left out)
            and its ratio of variances, in order. weights: what theory gives for each layer with weights, in order.
    """
    figure = new_figure(10, 4.5)
    axes = figure.subplots()
    axes.axhspan(UNRELATED, 0.5, color=style.GREEN, alpha=0.15, linewidth=0)
    axes.text(len(weights) - 0.45, 0.51, "0.34 to ½", color=style.GREEN, fontsize=12, va="bottom", ha="right")
    layer, told = -1, []
    for place, (kind, _) in enumerate(measured[0]):
        layer += kind in ("Conv2d", "Linear")
        if kind not in STEPS:
            continue
        name, shift, color, marker = STEPS[kind]
        kept = [draw[place][1] for draw in measured]
        middle = sum(kept) / len(kept)
        at = layer + shift
        axes.plot([at, at], [min(kept), max(kept)], color=color, linewidth=2)
        axes.plot(at, middle, color=color, marker=marker, markersize=10)
        told.append((name, middle))
    for number, share in enumerate(weights):
        axes.plot([number - 0.42, number - 0.02], [share, share], color=style.BLACK, linewidth=3)
    axes.set(xticks=range(len(weights)), ylabel="share of the variance kept", xlim=(-0.6, len(weights) - 0.4))
    axes.set_xticklabels([f"layer {number + 1}" for number in range(len(weights))], rotation=40, ha="right")
    axes.set_ylim(0, 1.1 * max(kept for draw in measured for kind, kept in draw if kind in STEPS))
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=10, label=name)
        for name, _, color, marker in dict.fromkeys(STEPS.values())
    ]
    handles.insert(1, Line2D([], [], color=style.BLACK, linewidth=3, label="⅓ × share on the map"))
    axes.legend(handles=handles, loc="center", ncols=4, bbox_to_anchor=(0.5, 0.57))
    axes.set_title("Weights keep a third, a ReLU up to half, a pool gives back")
    ranges = {name: [value for kind, value in told if kind == name] for name in dict.fromkeys(kind for kind, _ in told)}
    words = "; ".join(f"{name} {min(values):.2f} to {max(values):.2f}" for name, values in ranges.items())
    return finish(
        figure,
        f"Share of the variance between images that each step keeps, means over {len(measured)} draws of the weights: "
        f"{words}. Beside each layer's weights the theory, a third of the share on the map.",
    )


def _check_spreads(name: str, signals: Sequence[LayerSignal]) -> None:
    for signal in signals:
        if not 0 < signal.spread < inf:
            raise ValueError(
                f"{name} has the spread {signal.spread} at {signal.name}, which a logarithmic axis cannot show; "
                "a finite number above 0 is expected"
            )


@styled
def signal_by_init(
    signals: Mapping[str, Sequence[LayerSignal]],
) -> LessonFigure:
    """The spread between images after each layer, one line per initialisation, with its name at the line's end."""
    for name, line in signals.items():
        _check_spreads(f"signals[{name!r}]", line)
    figure = new_figure(10, 4.5)
    axes = figure.subplots()
    ends = []
    layers: Sequence[LayerSignal] = ()
    for index, (name, layers) in enumerate(signals.items()):
        axes.semilogy(
            range(len(layers)), [s.spread for s in layers], color=style.COLORS[index],
            marker=style.MARKERS[index], linestyle=style.LINES[index],
        )  # fmt: skip
        ends.append((layers[-1].spread, name, style.COLORS[index]))
    axes.set_xticks(range(len(layers)), [s.name for s in layers], rotation=40, ha="right", rotation_mode="anchor")
    axes.set(ylabel="spread between images", xlim=(-0.3, len(layers) - 0.7))
    _names_at_ends(axes, ends)
    axes.set_title("Fades, holds or explodes: it is decided before the first step")
    ranked = ", ".join(name.replace("\n", " ") for _, name, _ in sorted(ends))
    return finish(
        figure,
        f"Spread between images after each layer, before training. From weakest to strongest start: {ranked}.",
    )


def _names_at_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Names right of a logarithmic axis, kept apart."""
    low, high = (log10(limit) for limit in axes.get_ylim())
    places: list[float] = []
    height, below, pushed = -inf, 0, 0.0
    for value, name, _ in sorted(ends):
        lines, wanted = name.count("\n") + 1, (log10(value) - low) / (high - low)
        height = max(wanted, height + LINE_HEIGHT * (lines + below) / 2)
        below, pushed = lines, max(pushed, height - wanted)
        places.append(height)
    for (_, name, color), place in zip(sorted(ends), places, strict=True):
        axes.annotate(  # half of the push back down, so that names stand around their lines' ends, not above them
            name, (1.0, place - pushed / 2), (8, 0), xycoords="axes fraction", textcoords="offset points", color=color,
            va="center", annotation_clip=False, fontsize=13, linespacing=1.1,
        )  # fmt: skip
