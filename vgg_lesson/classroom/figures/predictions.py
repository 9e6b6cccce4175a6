"""Figures of what a network predicts: grids of pictures, accuracy per class, confusions, confidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from torch import Tensor

from vgg_lesson.analysis.predictions import Calibration, Predictions
from vgg_lesson.classroom.figures.shared import (
    MOST_NAMED,
    Confusions,
    Counts,
    Pictures,
    ShareRows,
    Shares,
    class_names,
    named_places,
)
from vgg_lesson.data.datasets import CLASSES, ImageSet
from vgg_lesson.support.style import (
    AMBER,
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    PINK,
    RIGHT,
    SKY,
    WRONG,
    LessonFigure,
    finish,
    new_figure,
    show_image,
    styled,
)

COLUMNS = 4
MOST_VIEWED = 3  # pictures per direction in `confused_pairs`
READABLE_ON_DARK = 0.6


@styled
def prediction_grid(data: ImageSet, predictions: Predictions, title: str = "") -> LessonFigure:
    """Pictures with P: predicted and T: true class; right ones framed in blue with ✓, wrong ones in orange with ✗."""
    if len(data) != len(predictions.labels):
        raise ValueError(f"data holds {len(data)} images, predictions {len(predictions.labels)}; equal numbers fit")
    rows, names = math.ceil(len(data) / COLUMNS), predictions.classes
    figure = new_figure(10, 2.15 * rows + (0.4 if title else 0))
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
    for axes in panels[len(data) :]:
        axes.set_visible(False)
    for axes, image, predicted, label, sure in zip(
        panels, data.images, predictions.predicted, predictions.labels, predictions.confidence, strict=False
    ):
        right = bool(predicted == label)
        _framed(axes, image, right)
        axes.set_title(
            f"{RIGHT if right else WRONG} P: {names[predicted]} {sure:.0%}\n    T: {names[label]}",
            fontsize=13, fontweight="normal", color=BLUE if right else ORANGE,
        )  # fmt: skip
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    count = int(predictions.correct.sum())
    pairs = (f"{names[t]} called {names[p]}" for t, p in zip(data.labels, predictions.predicted, strict=True))
    return finish(
        figure, f"{f'{title}: ' if title else ''}{count} of {len(data)} images are named rightly. {'; '.join(pairs)}."
    )


def _framed(axes: Axes, image: Tensor, right: bool) -> None:
    show_image(axes, image)
    for spine in axes.spines.values():
        spine.set(visible=True, color=BLUE if right else ORANGE, linewidth=3, linestyle="-" if right else "--")


@styled
def class_accuracy(accuracy: Shares, counts: Counts, classes: Sequence[str] = CLASSES) -> LessonFigure:
    """Accuracy per class, float (classes,), of ``counts`` images each, as sorted dots with two standard errors.

    A class without an image is left out.
    """
    there = [label for label in range(len(accuracy)) if int(counts[label])]
    order = sorted(there, key=lambda label: -accuracy[label].item())
    figure = new_figure(10, 4.4)
    axes = figure.subplots()
    for row, label in enumerate(order):
        share = accuracy[label].item()
        error = 2 * math.sqrt(max(share * (1 - share), 1e-9) / int(counts[label]))
        color, marker = (ORANGE, "s") if row == len(order) - 1 else (BLUE, "o")
        axes.errorbar(
            share, row, xerr=[[error], [min(error, 1 - share)]], color=color, marker=marker, markersize=9, capsize=5
        )
        if len(order) <= MOST_NAMED:
            axes.annotate(f"{share:.0%}", (share, row), (0, 8), textcoords="offset points", ha="center", fontsize=12)
    full = classes if len(classes) == len(accuracy) else class_names(classes, len(accuracy))
    axes.set_yticks(*named_places([full[label] for label in order]))
    axes.set_xlim(None, 1.02)
    axes.set(xlabel="share named rightly, with two standard errors", ylim=(len(order) - 0.5, -0.8))
    axes.grid(axis="x", color="0.9")
    told = ", ".join(f"{full[label]} {accuracy[label]:.0%}" for label in order)
    return finish(figure, f"Accuracy per class, from best to worst: {told}.")


@styled
def confusion_map(matrix: Confusions, classes: Sequence[str] = CLASSES) -> LessonFigure:
    """Counts, int (classes, classes), row true and column predicted; mistakes coloured on a logarithmic scale."""
    figure = new_figure(10, 5)
    axes = figure.subplots()
    wrong = matrix.clone().float()
    wrong.fill_diagonal_(0)
    shown = torch.where(wrong > 0, wrong, torch.nan)
    norm = LogNorm(1, max(float(wrong.max()), 2))
    picture = axes.imshow(shown, cmap="Oranges", norm=norm, aspect="auto")
    names = class_names(classes, len(matrix))
    for row in range(len(matrix)):
        for column in range(len(matrix)):
            count = int(matrix[row, column])
            if count == 0 or len(matrix) > MOST_NAMED:
                continue
            dark = row != column and norm(count) > READABLE_ON_DARK
            axes.text(
                column, row, f"{count:,}", ha="center", va="center", fontsize=12,
                color="white" if dark else GREY if row == column else BLACK,
            )  # fmt: skip
    axes.set_yticks(*named_places(names))
    axes.set_xticks(*named_places(names), rotation=30, ha="right")
    axes.set(xlabel="predicted", ylabel="true")
    ticks = [tick for tick in (1, 3, 10, 30, 100, 300, 1000) if tick <= float(norm.vmax or 1)]
    bar = figure.colorbar(picture, ax=axes, label="mistakes (log scale)", pad=0.02)
    bar.set_ticks(ticks, labels=[f"{tick}" for tick in ticks])
    bar.minorticks_off()
    places = wrong.flatten().argsort(descending=True)[:3].tolist()
    full = classes if len(classes) == len(matrix) else names
    told = ", ".join(
        f"{full[p // len(matrix)]} called {full[p % len(matrix)]} ({int(wrong.flatten()[p])})" for p in places
    )
    return finish(figure, f"Confusion matrix of {int(matrix.sum()):,} images. Most frequent mistakes: {told}.")


@styled
def confused_pairs(data: ImageSet, predictions: Predictions, label: int, others: Sequence[int]) -> LessonFigure:
    """Per other class: pictures of ``label`` taken for it (left), of it taken for ``label`` (right), surest first."""
    figure = new_figure(10, 1.58 * len(others) + 0.25)
    figure.set_layout_engine("compressed")
    panels = figure.subplots(len(others), 2 * MOST_VIEWED + 1, squeeze=False, width_ratios=(1, 1, 1, 0.3, 1, 1, 1))
    name, told = predictions.classes[label], []
    for row, other in enumerate(others):
        directions = [(label, other), (other, label)]
        for half, (true, predicted) in enumerate(directions):
            hits = ((predictions.labels == true) & (predictions.predicted == predicted)).nonzero().flatten()
            hits = hits[predictions.confidence[hits].argsort(descending=True)]
            told.append(f"{len(hits)} {predictions.classes[true]} called {predictions.classes[predicted]}")
            places = panels[row, half * (MOST_VIEWED + 1) :][:MOST_VIEWED]
            for axes, index in zip(places, hits.tolist(), strict=False):
                _framed(axes, data.images[index], right=False)
            for axes in places[len(hits) :]:
                axes.set_visible(False)
            for axes in places:
                axes.set_title(" ", fontsize=14)  # reserves the line that the first one's title runs along
            title = places[0].set_title(
                f"{predictions.classes[true]}, called {predictions.classes[predicted]}: {len(hits)}", fontsize=14
            )
            title.set_in_layout(False)
        panels[row, MOST_VIEWED].set_visible(False)
    return finish(figure, f"What the network confuses with {name}: {'; '.join(told)}. Many are hard for the eye, too.")


@styled
def probability_strips(predictions: Predictions, label: int, groups: Mapping[str, Sequence[int]]) -> LessonFigure:
    """The probability given to class ``label``, one dot per picture, one strip per group of true classes."""
    figure = new_figure(10, 0.75 * len(groups) + 1.2)
    axes = figure.subplots()
    generator, medians = torch.Generator().manual_seed(0), []
    colors = (ORANGE, BLUE, SKY, PINK, AMBER, GREY)
    for row, (name, classes) in enumerate(groups.items()):
        chosen = torch.isin(predictions.labels, torch.tensor(classes))
        if not chosen.any():
            raise ValueError(f"groups[{name!r}]={list(classes)} holds no picture of predictions; choose other classes")
        share = predictions.probabilities[chosen, label]
        height = row + 0.6 * (torch.rand(len(share), generator=generator) - 0.5)
        axes.plot(share, height, MARKERS[row % 7], color=colors[row % 6], markersize=4, alpha=0.5, linestyle="none")
        middle = share.median().item()
        axes.plot([middle, middle], [row - 0.4, row + 0.4], color=BLACK, linewidth=3)
        medians.append(f"{name} {middle:.2f}")
    axes.set(yticks=range(len(groups)), yticklabels=list(groups), xlim=(-0.01, 1))
    axes.set(xlabel=f"probability given to {predictions.classes[label]}", ylim=(len(groups) - 0.4, -0.6))
    return finish(
        figure, f"Probability given to {predictions.classes[label]} by true class; medians: {', '.join(medians)}."
    )


@styled
def reliability(curves: Mapping[str, Calibration]) -> LessonFigure:
    """Accuracy against confidence, bin by bin, per named calibration; below, how many pictures each bin holds."""
    figure = new_figure(10, 5)
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    above.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=2, label="as sure as right")
    looks = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (PINK, "^", "-."))
    told = []
    for index, ((name, curve), (color, marker, line)) in enumerate(zip(curves.items(), looks, strict=False)):
        above.plot(
            curve.confidence, curve.accuracy, color=color, marker=marker, linestyle=line,
            label=f"{name}: ECE {curve.error:.3f}",
        )  # fmt: skip
        below.bar(
            curve.confidence + 0.014 * index, curve.count / curve.count.sum(), width=0.014, color=color,
            hatch="" if index == 0 else "//", edgecolor="white",
        )  # fmt: skip
        told.append(f"{name} has an expected calibration error of {curve.error:.3f}")
    above.set(ylabel="accuracy", ylim=(0, 1.04), xlim=(0, 1.02))
    below.set(xlabel="confidence (mean of the bin)", ylabel="share of\nimages", ylim=(0, None))
    above.legend(loc="upper left")
    return finish(figure, f"Accuracy against confidence with the diagonal of perfect calibration: {'; '.join(told)}.")


@styled
def opinions(
    images: Pictures, names: Sequence[str], probabilities: ShareRows, classes: Sequence[str] = CLASSES
) -> LessonFigure:
    """Pictures, uint8 (N, 28, 28), and under each the probabilities, float (N, classes), as bars."""
    figure = new_figure(10, 4.8)
    panels = figure.subplots(2, len(images), height_ratios=(1, 1.5), squeeze=False)
    shorts = [name.removesuffix("/top") for name in classes]
    told = []
    for column, (image, name, shares) in enumerate(zip(images, names, probabilities, strict=True)):
        show_image(panels[0, column], image, vmin=0, vmax=255)
        for spine in panels[0, column].spines.values():
            spine.set(visible=True, color=GREY, linewidth=1)
        panels[0, column].set_title(name, fontsize=14)
        axes, best = panels[1, column], int(shares.argmax())
        colors = [ORANGE if label == best else SKY for label in range(len(shares))]
        bars = axes.barh(range(len(shares)), shares, color=colors)
        bars[best].set_hatch("//")
        axes.set(yticks=range(len(shares)), yticklabels=shorts if column == 0 else [], xlim=(0, 1), xticks=(0, 1))
        axes.tick_params(labelsize=12)
        axes.invert_yaxis()
        axes.annotate(
            f"{shorts[best]}\n{shares[best]:.0%}", (0.97, 0.04 if best < 5 else 0.96), xycoords="axes fraction",
            ha="right", va="bottom" if best < 5 else "top", fontsize=12,
        )  # fmt: skip
        told.append(f"{name} is called {classes[best]} with {shares[best]:.0%}")
    return finish(figure, f"Probabilities for images of no class: {'; '.join(told)}.")
