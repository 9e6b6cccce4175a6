"""Figures of heat maps over garments, and of what covering a hot place does to the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.colors import to_rgb
from torch import Tensor

from vgg_lesson.classroom.figures.shared import Picture
from vgg_lesson.support.style import BLUE, GREY, ORANGE, LessonFigure, finish, new_figure, show_image, styled

PALER = 2.2  # how many times the range of a garment is drawn as black
STRONGEST = 0.85  # how opaque the hottest cell is


@dataclass(frozen=True)
class Heat:
    """A picture, float (S, S), and over it a map, float (h, w), or None for the picture alone.

    ``margin`` is what the map's outermost cells leave free at each side, as a share of the picture's side:
    (size - step) / 2 / S for covering, 0 for Grad-CAM. ``least`` is the smallest value that is drawn in full strength:
    a map that stays below it stays pale.
    """

    title: str
    picture: Picture
    values: Picture | None = None
    margin: float = 0.0
    least: float = 0.0


@styled
def heat_maps(panels: Sequence[Heat], columns: int = 4, title: str = "", told: str = "") -> LessonFigure:
    """Garments under their maps, each map scaled by its own largest value: orange for, blue against the class.

    ``told`` goes to the text alternative, which otherwise lists the titles.
    """
    rows = math.ceil(len(panels) / columns)
    lines = max(panel.title.count("\n") for panel in panels) + 1
    figure = new_figure(10, (9.6 / columns + 0.31 * lines + 0.12) * rows + (0.4 if title else 0))
    places = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in places[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(places, panels, strict=False):
        _draw(axes, panel)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    listed = "; ".join(" ".join(panel.title.split()) for panel in panels)
    return finish(figure, f"{f'{title}: ' if title else ''}{told or f'heat maps over garments: {listed}.'}")


@styled
def covering_test(kept: Mapping[str, tuple[float, float]], pictures: int) -> LessonFigure:
    """Per map: the share of ``pictures`` that keep their answer when its hottest place or a random one is covered.

    ``kept`` maps a name to (hottest, random), each 0 to 1. The bars are two standard errors.
    """
    figure = new_figure(10, 0.85 * len(kept) + 1.5)
    axes = figure.subplots()
    looks = (("the hottest place covered", ORANGE, "s", -0.13), ("a random place of the garment", BLUE, "o", 0.13))
    for row, shares in enumerate(kept.values()):
        for (name, color, marker, shift), share in zip(looks, shares, strict=True):
            error = 2 * math.sqrt(max(share * (1 - share), 1e-9) / pictures)
            axes.errorbar(
                share, row + shift, xerr=[[error], [min(error, 1 - share)]], color=color, marker=marker, markersize=10,
                capsize=5, linestyle="none", label=name if row == 0 else None,
            )  # fmt: skip
    axes.set(yticks=range(len(kept)), yticklabels=list(kept), ylim=(len(kept) - 0.5, -0.5), xlim=(None, 1.01))
    axes.set_xlabel(f"share of {pictures:,} images that keep their answer, with two standard errors")
    axes.grid(axis="x", color="0.9")
    axes.tick_params(axis="y", length=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    told = "; ".join(
        f"{' '.join(name.split())}: {'fewer' if hot < drawn else 'not fewer'}" for name, (hot, drawn) in kept.items()
    )
    return finish(
        figure,
        f"Of {pictures:,} images, do fewer keep their answer when the hottest place is covered than when a random "
        f"place of the garment is? {told}.",
    )


def _draw(axes: Any, panel: Heat) -> None:
    shade = {} if panel.values is None else {"vmax": _paler(panel.picture)}
    show_image(axes, panel.picture, extent=(0, 1, 1, 0), **shade)
    axes.set_title(panel.title, fontsize=13, fontweight="normal")
    for spine in axes.spines.values():
        spine.set(visible=True, color=GREY, linewidth=1)
    if panel.values is not None:
        low, high = panel.margin, 1 - panel.margin
        axes.imshow(_painted(panel.values, panel.least), extent=(low, high, high, low), interpolation="nearest")
        axes.set(xlim=(0, 1), ylim=(1, 0))


def _paler(picture: Tensor) -> float:
    """The value drawn black: so far above the largest that heat can be told on the darkest cloth."""
    low, high = float(picture.min()), float(picture.max())
    return low + PALER * max(high - low, 1e-6)


def _painted(values: Tensor, least: float = 0.0) -> Any:
    """Colours, float (h, w, 4): the sign decides on the hue, the size on how opaque."""
    colors = torch.tensor([to_rgb(BLUE), to_rgb(ORANGE)])[(values > 0).long()]
    strength = values.abs() / values.abs().max().clamp_min(max(least, 1e-12))
    return torch.cat([colors, STRONGEST * strength[..., None]], dim=2).numpy()
