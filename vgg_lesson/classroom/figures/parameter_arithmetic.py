"""Where parameters, multiplications and memory of a network sit, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from vgg_lesson.arithmetic import LayerRow, LayerTrace, MemoryBill
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled

SQUARES = 100
BANK_COLUMNS = 16
ITEMS = (
    ("weights", "weights", style.BLUE, ""),
    ("gradients", "gradients", style.ORANGE, "//"),
    ("optimizer", "optimiser", style.GREEN, "xx"),
    ("activations", "activations", style.SKY, ".."),
)
MEASURES = (("parameters", style.BLUE, "o"), ("MACs", style.ORANGE, "s"), ("activations", style.GREEN, "^"))


@styled
def filter_bank(filters: int = 64, kernel: int = 3) -> LessonFigure:
    """Every parameter of a convolution with one input channel: a square per weight, a disc per bias."""
    rows = -(-filters // BANK_COLUMNS)
    figure = new_figure(10, 0.62 * rows + 0.4)
    axes = figure.subplots()
    for index in range(filters):
        row, column = divmod(index, BANK_COLUMNS)
        left, top = column * (kernel + 1.2), -row * (kernel + 1.4)
        for weight in range(kernel * kernel):
            y, x = divmod(weight, kernel)
            axes.add_patch(Rectangle((left + x, top - y), 1, 1, facecolor=style.BLUE, edgecolor="white", linewidth=1.2))
        axes.add_patch(Circle((left + kernel + 0.35, top - kernel + 1.5), 0.36, color=style.ORANGE))
    weights = kernel * kernel * filters
    axes.set(xlim=(-0.3, BANK_COLUMNS * (kernel + 1.2)), ylim=(-(rows - 1) * (kernel + 1.4) - kernel + 0.5, 1.5))
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(f"{weights} weights (squares) + {filters} biases (discs) = {weights + filters} parameters")
    return finish(
        figure,
        f"{filters} kernels of {kernel}×{kernel} squares, each with one disc beside it: "
        f"{weights} weights and {filters} biases, {weights + filters} parameters in all.",
    )


@styled
def parameter_squares(counted: LayerTrace) -> LessonFigure:
    """A hundred squares, one per cent of the parameters each, coloured by the part of the network they belong to."""
    parts = _parts(counted)
    squares = _shared_out([value for _, value in parts], SQUARES)
    figure = new_figure(10, 4.4)
    axes = figure.subplots()
    colors = (style.ORANGE, style.AMBER, style.PINK, style.BLUE)
    hatches = ("", "//", "xx", "..")
    place, key_top = 0, 9.0
    for (name, value), count, color, hatch in zip(parts, squares, colors, hatches, strict=False):
        for column, row in (divmod(place + k, 10) for k in range(count)):
            axes.add_patch(Rectangle((column, 9 - row), 0.9, 0.9, facecolor=color, edgecolor="white", hatch=hatch))
        place += count
        axes.add_patch(Rectangle((11.2, key_top), 0.9, 0.9, facecolor=color, edgecolor="white", hatch=hatch))
        axes.text(12.5, key_top + 0.45, f"{name}: {_percent(value / counted.total_params)}", va="center", fontsize=16)
        axes.text(12.5, key_top - 0.55, f"{value:,} parameters", va="center", color=style.GREY)
        key_top -= 2.6
    axes.set(xlim=(0, 23), ylim=(-0.1, 10))
    axes.set_aspect("equal")
    axes.set_axis_off()
    name, value = max(parts, key=lambda part: part[1])
    share = _percent(value / counted.total_params)
    axes.set_title(f"{share} of the parameters sit in {name}")
    listed = ", ".join(f"{part} {_percent(amount / counted.total_params)}" for part, amount in parts)
    return finish(figure, f"A hundred squares, one per cent of the parameters each: {listed}.")


@styled
def three_costs(counted: LayerTrace) -> LessonFigure:
    """Parameters, multiply-accumulates and activations of every layer: three bar charts that share the layers.

    A pooling layer has only outputs: they extend the bar of the convolution before it, hatched.
    """
    rows = [row for row in counted.rows if row.kind in ("input", "conv", "linear")]
    pooled = _pooled_after(counted)
    values = (
        [row.params for row in rows],
        [row.macs for row in rows],
        [row.activations + pooled.get(row.name, 0) for row in rows],
    )
    totals = (counted.total_params, counted.total_macs, counted.total_activations)
    units = (("parameters", 1e6, "million"), ("MACs", 1e9, "billion"), ("activations", 1e6, "million"))
    figure = new_figure(10, 4.9)
    panels = figure.subplots(1, 3, sharey=True)
    places = range(len(rows))
    for axes, numbers, total, (label, scale, unit), (_, color, _) in zip(
        panels, values, totals, units, MEASURES, strict=True
    ):
        axes.barh(places, [number / scale for number in numbers], color=color)
        _label_largest(axes, numbers, total, scale)
        axes.set_title(f"{total / scale:.1f} {unit}\n{label}", fontsize=15)
        axes.set_xlim(0, 1.34 * max(numbers) / scale)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel(unit)
        axes.tick_params(axis="y", length=0)
    own = [row.activations / 1e6 for row in rows]
    extra = [pooled.get(row.name, 0) / 1e6 for row in rows]
    panels[2].barh(places, extra, left=own, color="white", edgecolor=style.GREEN, hatch="////", linewidth=0)
    panels[2].text(0.97, 0.3, "hatched: output of\nthe pooling after it", transform=panels[2].transAxes, ha="right")
    panels[0].set_yticks(places, [row.name for row in rows])
    panels[0].invert_yaxis()
    hot = [_hottest(rows, numbers) for numbers in values]
    figure.suptitle("Three costs, three different places", x=0.01, ha="left", fontsize=16, fontweight="bold")
    shares = [f"{max(n) / t:.1%}" for n, t in zip(values, totals, strict=True)]
    return finish(
        figure,
        f"Three aligned bar charts over the layers. Parameters: {hot[0]} holds {shares[0]}. "
        f"Multiplications: {hot[1]} do {shares[1]} each. Activations: {hot[2]} and its pooling put out {shares[2]}.",
    )


@styled
def cheaper_networks(networks: Mapping[str, LayerTrace]) -> LessonFigure:
    """How many times less each network costs than the first one: three markers per row on a logarithmic axis."""
    (reference_name, reference), *others = networks.items()
    figure = new_figure(10, 1.3 + 0.72 * len(others))
    axes = figure.subplots()
    sentences = []
    for place, (label, counted) in enumerate(others):
        ratios = [a / b for a, b in zip(_totals(reference), _totals(counted), strict=True)]
        axes.axhline(place, color="#dddddd", linewidth=1.2, zorder=0)
        for ratio, (name, color, marker), lift in zip(ratios, MEASURES, (-0.14, 0.0, 0.14), strict=True):
            axes.plot(ratio, place + lift, marker, color=color, markersize=11, label=name if place == 0 else None)
        factors = (f"{name} ÷{_times(ratio)}" for ratio, (name, *_) in zip(ratios, MEASURES, strict=True))
        sentences.append(f"{label}: {', '.join(factors)}")
    largest = max(a / b for _, c in others for a, b in zip(_totals(reference), _totals(c), strict=True))
    axes.axvline(1, color=style.GREY, linestyle="--", linewidth=1.5)
    axes.set_xscale("log")
    axes.set_xlim(0.8, 1.4 * largest)
    ticks = [t for t in (1, 3, 10, 30, 100, 300, 1000) if t < 1.4 * largest]
    axes.set_xticks(ticks, [f"÷{tick}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(len(others)), [label for label, _ in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_xlabel(f"cost divided by … compared with {reference_name}")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_title("No change makes everything cheaper by the same factor")
    return finish(figure, f"Compared with {reference_name}: " + "; ".join(sentences) + ".")


@styled
def memory_bars(bills: Mapping[str, MemoryBill], limits: Mapping[str, float]) -> LessonFigure:
    """Stacked bars of what one training step keeps, in GB, against what machines have (``limits``, in GB)."""
    figure = new_figure(10, 1.9 + 0.62 * len(bills))
    axes = figure.subplots()
    left = [0.0] * len(bills)
    for item, label, color, hatch in ITEMS:
        sizes = [getattr(bill, item) / 1e9 for bill in bills.values()]
        axes.barh(
            range(len(bills)), sizes, left=left, color=color, hatch=hatch, edgecolor="white", label=label, height=0.62
        )
        left = [a + b for a, b in zip(left, sizes, strict=True)]
    for place, total in enumerate(left):
        axes.text(total + 0.12, place, f"{total:.2f}", va="center", fontsize=14, fontweight="bold",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    widest = max(*left, *limits.values())
    for name, gigabytes in limits.items():
        axes.axvline(gigabytes, color=style.BLACK, linestyle="--", linewidth=1.5)
        axes.text(gigabytes, -0.62, name, ha="center", va="bottom", fontsize=13)
    axes.set_yticks(range(len(bills)), list(bills))
    axes.set_ylim(len(bills) - 0.5, -0.55)
    axes.set_xlim(0, 1.12 * widest)
    axes.set_xlabel("GB that one training step keeps")
    axes.tick_params(axis="y", length=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(ITEMS))
    _, largest, *_ = max(ITEMS, key=lambda item: sum(getattr(bill, item[0]) for bill in bills.values()))
    figure.suptitle(f"Most of the memory goes to {largest}", x=0.01, ha="left", fontsize=16, fontweight="bold")
    listed = "; ".join(f"{' '.join(name.split())}: {bill.total / 1e9:.2f} GB" for name, bill in bills.items())
    marks = ", ".join(limits)
    return finish(figure, f"Memory of one training step, mostly {largest}: {listed}. Marked: {marks}.")


def _parts(counted: LayerTrace) -> list[tuple[str, int]]:
    linear = [(row.name, row.params) for row in counted.rows if row.kind == "linear"]
    return [*linear, (f"the {counted.config.conv_layers} convolutions", counted.conv_params)]


def _shared_out(values: Sequence[int], squares: int) -> list[int]:
    """Whole squares in proportion to ``values``; the largest remainders get those that rounding leaves over."""
    exact = [squares * value / sum(values) for value in values]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(values)), key=lambda i: exact[i] - whole[i], reverse=True)
    for index in by_remainder[: squares - sum(whole)]:
        whole[index] += 1
    return whole


def _pooled_after(counted: LayerTrace) -> dict[str, int]:
    pooled, last = {}, ""
    for row in counted.rows:
        if row.kind == "conv":
            last = row.name
        elif row.kind == "pool":
            pooled[last] = row.activations
    return pooled


def _label_largest(axes: Axes, numbers: Sequence[int], total: int, scale: float) -> None:
    threshold = 0.6 * max(numbers)
    for place, number in enumerate(numbers):
        if number >= threshold:
            axes.text(number / scale, place, f" {number / total:.1%}", va="center", fontsize=14, fontweight="bold")


def _hottest(rows: Sequence[LayerRow], numbers: Sequence[int]) -> str:
    return " and ".join(row.name for row, number in zip(rows, numbers, strict=True) if number == max(numbers))


def _totals(counted: LayerTrace) -> tuple[int, int, int]:
    return counted.total_params, counted.total_macs, counted.total_activations


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{share:.2%}"
