"""What depth does without batch norm, layer by layer and step by step, and the paper's own table: notebook 09."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean

from matplotlib.axes import Axes

from vgg_lesson.analysis.signal import LayerSignal
from vgg_lesson.classroom.figures.why_it_stalls import CHANCE_LOSS
from vgg_lesson.configs import CONFIGS
from vgg_lesson.records.published import published
from vgg_lesson.records.stored_runs import FactorRun
from vgg_lesson.support.style import COLORS, GREY, LINES, MARKERS, LessonFigure, finish, new_figure, styled

# The training scales of the paper's Table 3: how the keys of published.json end, and how a figure calls them.
SCALES: Mapping[str, str] = {"256": "S = 256", "384": "S = 384", "jitter": "S from [256; 512]"}
MEASURES: Mapping[str, str] = {"top1": "top-1 error, %", "top5": "top-5 error, %"}
VALIDATION_IMAGES = 50_000  # of ILSVRC-2012, https://image-net.org/challenges/LSVRC/2012/


@styled
def depth_losses(panels: Mapping[str, Mapping[str, Sequence[FactorRun]]], top: float = 2.5) -> LessonFigure:
    """Training losses of all runs, side by side: panel → network → its runs. Losses above ``top`` leave the picture."""
    figure = new_figure(10, 4.4)
    told = []
    for column, (title, networks) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), column + 1)
        axes.axhline(CHANCE_LOSS, color=GREY, linestyle=(0, (2, 2)), linewidth=1.5)
        for index, (name, runs) in enumerate(networks.items()):
            _losses_of(axes, index, name if not column else "", runs)
        axes.set(xlabel="step", ylim=(min(0.5, top / 2), top), xticks=[0, 400, 800])
        axes.set_title(title, fontsize=14)
        finals = [run.accuracy for runs in networks.values() for run in runs]
        axes.text(0.97, 0.7, _range(min(finals), max(finals)), transform=axes.transAxes, ha="right", va="top")
        if column:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel("training loss")
        ends = ", ".join(f"{name} {mean(run.accuracy for run in runs):.1%}" for name, runs in networks.items())
        told.append(f"{title.replace(chr(10), ' ')}: {ends}")
    figure.axes[-1].annotate("ln 10", (800, CHANCE_LOSS), (0, 5), textcoords="offset points", color=GREY, ha="right")
    figure.legend(loc="outside lower center", ncols=4)
    return finish(
        figure, f"Training losses of runs of each depth, and their mean validation accuracies. {'; '.join(told)}."
    )


def _range(low: float, high: float) -> str:
    """Shares in words, for a corner of a panel."""
    same = f"{low:.1%}" == f"{high:.1%}"
    return f"validation\n{low:.1%}" if same else f"validation\n{100 * low:.1f} to {high:.1%}"


def _losses_of(axes: Axes, index: int, label: str, runs: Sequence[FactorRun]) -> None:
    for number, run in enumerate(runs):
        steps, losses = zip(*run.losses, strict=True)
        axes.plot(
            steps, [loss if math.isfinite(loss) else math.nan for loss in losses], color=COLORS[index],
            linestyle=LINES[index], linewidth=1.8, marker=MARKERS[index], markersize=6, markevery=(2 + index, 6),
            label=label if label and not number else None,
        )  # fmt: skip


@styled
def depth_signals(panels: Mapping[str, Mapping[str, Sequence[LayerSignal]]]) -> LessonFigure:
    """The spread between pictures after each layer of fresh networks: panel → network → its layers, in order."""
    spreads = [s.spread for networks in panels.values() for layers in networks.values() for s in layers]
    low, high = min(spreads), max(spreads)
    if not (low > 0 and math.isfinite(high)):
        raise ValueError(f"panels holds spreads from {low} to {high}; finite ones above 0 fit a logarithmic axis")
    figure = new_figure(10, 4.4)
    told = []
    for column, (title, networks) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), column + 1)
        for index, (name, layers) in enumerate(networks.items()):
            axes.semilogy(
                range(1, len(layers) + 1), [s.spread for s in layers], color=COLORS[index], marker=MARKERS[index],
                linestyle=LINES[index], linewidth=2, markersize=7, label="" if column else name,
            )  # fmt: skip
        axes.set(xlabel="layer with weights", ylim=(low / 2, high * 3), xticks=range(1, 20, 3))
        axes.set_title(title, fontsize=14)
        axes.grid(axis="y", color="0.9")
        if column:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel("spread between pictures")
        told.append(f"{title}: " + ", ".join(f"{name} {layers[-1].spread:.1e}" for name, layers in networks.items()))
    figure.legend(loc="outside lower center", ncols=4)
    return finish(
        figure,
        "Spread between pictures after each layer of fresh networks without batch norm, on a logarithmic axis. "
        f"Spread of the scores: {'; '.join(told)}.",
    )


def paper_error(column: str, scale: str, measure: str) -> float:
    """An error in percent from the paper's Table 3, for a column, a scale of `SCALES` and a measure of `MEASURES`.

    Raises:
        ValueError: the table has no such entry; A, A-LRN and B were trained at one scale only.
    """
    name = column.replace("-", "_") + ("" if column in ("A", "A-LRN", "B") and scale == "256" else f"_{scale}")
    return float(published(f"paper_{measure}_error_{name}"))


@styled
def paper_table() -> LessonFigure:
    """The paper's Table 3: both errors at all training scales, with bars of two standard errors of 50,000 images."""
    figure = new_figure(10, 4.6)
    layers = {config.column: config.weight_layers for config in CONFIGS.values()}
    for panel, (measure, label) in enumerate(MEASURES.items()):
        axes = figure.add_subplot(1, 2, panel + 1)
        for index, (scale, name) in enumerate(SCALES.items()):
            columns = trained_at(scale)
            places = [[*layers].index(column) + 0.2 * (index - 1) for column in columns]
            errors = [paper_error(column, scale, measure) for column in columns]
            axes.errorbar(
                places, errors, yerr=[2 * standard_error(error) for error in errors], color=COLORS[index],
                marker=MARKERS[index], linestyle="none", capsize=4, linewidth=2, label="" if panel else name,
            )  # fmt: skip
        axes.set_xticks(range(len(layers)), [f"{column}\n{count}" for column, count in layers.items()], fontsize=12)
        axes.set(xlabel="column and weight layers", ylabel=label)
        axes.grid(axis="y", color="0.9")
    figure.legend(loc="outside lower center", ncols=3)
    entries = "; ".join(
        f"{name}: "
        + ", ".join(
            f"{c} {paper_error(c, scale, 'top1')} and {paper_error(c, scale, 'top5')}" for c in trained_at(scale)
        )
        for scale, name in SCALES.items()
    )
    return finish(figure, f"Top-1 and top-5 errors of the paper's Table 3, in percent. {entries}.")


def trained_at(scale: str) -> tuple[str, ...]:
    """The columns of Table 1 that the paper trained at this scale of `SCALES`."""
    return ("A", "A-LRN", "B", "C", "D", "E") if scale == "256" else ("C", "D", "E")


def standard_error(percent: float, images: int = VALIDATION_IMAGES) -> float:
    """How far an error in percent, measured on ``images`` pictures, typically strays, in percentage points."""
    share = percent / 100
    return 100 * math.sqrt(share * (1 - share) / images)
