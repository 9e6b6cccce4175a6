"""Two images on their way through an untrained network: can its scores still tell them apart?"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10, nan

from matplotlib.axes import Axes
from torch import Tensor

from vgg_lesson.analysis.signal import LayerSignal
from vgg_lesson.classroom.figures.shared import Pictures, Table
from vgg_lesson.classroom.figures.why_it_stalls_signal import show_framed
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, new_figure, styled

USUAL = (1e-10, 1e5)  # the range that most settings need, so that they can be compared
MARGIN = 3.0


@styled
def tell_apart(
    images: Pictures,
    names: Sequence[str],
    signals: Sequence[LayerSignal],
    scores: Table,
    classes: Sequence[str],
) -> LessonFigure:
    """Two images, uint8 (2, H, W), the signal in each layer, and their scores (2, classes).

    ``signals`` is what `vgg_lesson.pair_signal` returns: the input first, then every weight layer.
    """
    figure = new_figure(10, 4.9)
    figure.set_layout_engine("none")  # places that stay, and half the time
    for index, name in enumerate(names):
        axes = figure.add_axes((0.015, 0.55 - 0.36 * index, 0.13, 0.265))
        show_framed(axes, images[index])
        axes.set_title(name, fontsize=13, loc="center", fontweight="normal", color=_color(index), pad=3)
    _draw_signal(figure.add_axes((0.225, 0.2, 0.435, 0.65)), signals)
    _draw_scores(figure.add_axes((0.775, 0.2, 0.19, 0.65)), scores, classes)
    gap = (scores[0] - scores[1]).abs().max().item()
    title = (
        f"Their scores differ by up to about {_short(gap)}" if gap else "Their scores are the same to the last digit"
    )
    figure.suptitle(title, x=0.015, ha="left", fontsize=16, fontweight="bold")
    return finish(
        figure,
        f"{names[0].capitalize()} and {names[1]} on their way through {len(signals) - 1} layers with weights: "
        f"{_change(signals)}. On the right their ten scores.",
    )


def _draw_signal(axes: Axes, signals: Sequence[LayerSignal]) -> None:
    places = range(len(signals))
    # What is exactly zero has no place on a logarithmic axis and is left out.
    sizes, spreads = ([value or nan for value in values] for values in _columns(signals))
    axes.semilogy(
        places, sizes, color=style.GREY, marker="s", linewidth=1.5, markersize=6, label="size of all values"
    )  # fmt: skip
    axes.semilogy(places, spreads, color=style.BLUE, marker="o", label="spread between the two")
    axes.set_xticks(list(places), [signal.name for signal in signals], rotation=90, fontsize=12)
    low, high = min(USUAL[0], *spreads), max(USUAL[1], *sizes)  # a nan is never less, nor greater
    axes.set(ylim=(low / MARGIN, high * MARGIN), xlim=(-0.6, len(signals) - 0.4))
    axes.minorticks_off()
    axes.set_title("strength after each layer", fontsize=14)
    axes.grid(axis="y", color="#dddddd", linewidth=1)
    axes.legend(loc="lower left", handlelength=1.5)


def _draw_scores(axes: Axes, scores: Tensor, classes: Sequence[str]) -> None:
    for index, (size, filled) in enumerate(((12, False), (7, True))):
        axes.plot(
            scores[index].tolist(), range(len(classes)), color=_color(index), marker=style.MARKERS[index],
            linestyle="none", markersize=size, markerfacecolor=_color(index) if filled else "none", markeredgewidth=2,
        )  # fmt: skip
    axes.set_yticks(range(len(classes)), classes, fontsize=12)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=3)
    axes.grid(axis="y", color="#dddddd", linewidth=1)
    axes.set_title("the ten scores", fontsize=14)


def _columns(signals: Sequence[LayerSignal]) -> tuple[list[float], list[float]]:
    return [signal.rms for signal in signals], [signal.spread for signal in signals]


def _change(signals: Sequence[LayerSignal]) -> str:
    first, last = signals[0].spread, signals[-1].spread
    if first == 0:
        return "they are the same image, so there is no difference to follow"
    if last == 0:
        return "their difference is lost altogether"
    powers = round(log10(last / first))
    if powers == 0:
        return "their difference keeps its size"
    size = "a factor of ten" if abs(powers) == 1 else f"{abs(powers)} powers of ten"
    return f"their difference {'grows' if powers > 0 else 'shrinks'} by about {size}"


def _color(index: int) -> str:
    return (style.GREEN, style.ORANGE)[index]


def _short(value: float) -> str:
    """A number with one digit that counts: 0.00003, 0.2, 7 or 200,000."""
    if not isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.0e}")
    power = floor(log10(rounded))
    return f"{rounded:,.{max(0, -power)}f}" if -6 <= power < 10 else f"{rounded:.0e}"
