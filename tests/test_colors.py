"""Colours that colour-blind eyes can tell apart, words dark enough to be read, and the rule for figures itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.figure_rules import CONTRAST, complaints, contrast, smallest_pixels
from vgg_lesson.support import style

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency",
# severity 1.0, for linear RGB: https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/CVD_Simulation.html
VISION = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])
D65 = np.array([0.95047, 1.0, 1.08883])
APART = 10  # CIELAB units; 2.3 are just noticeable when two patches touch
TOGETHER = (*style.COLORS, style.GREY)


def lab(color: str, vision: str) -> np.ndarray:
    """CIELAB coordinates of a colour as someone with this vision sees it."""
    srgb = np.array(to_rgb(color))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    ratio = XYZ @ np.clip(np.array(VISION[vision]) @ linear, 0, 1) / D65
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colors: Sequence[str], vision: str) -> float:
    """The smallest distance between two of the colours."""
    return min(float(np.linalg.norm(lab(a, vision) - lab(b, vision))) for a, b in combinations(colors, 2))


@pytest.mark.parametrize("vision", VISION)
def test_colours_of_lines_can_be_told_apart(vision: str) -> None:
    assert closest(TOGETHER, vision) > APART


def test_red_and_green_would_not_pass() -> None:
    assert closest(("#d62728", "#2ca02c"), "normal") > 100
    assert closest(("#d62728", "#2ca02c"), "deuteranopia") < APART


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("black") == pytest.approx(21)
    assert contrast("white") == 1
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("color", [*TOGETHER, style.YELLOW])
def test_words_are_dark_enough(color: str) -> None:
    assert contrast(style.ink(color)) >= CONTRAST
    assert style.ink(style.ink(color)) == style.ink(color)


def test_inks_keep_their_hue() -> None:
    for color, ink in style.INKS.items():
        here, there = lab(color, "normal"), lab(ink, "normal")
        turned = np.degrees(np.arctan2(here[2], here[1]) - np.arctan2(there[2], there[1]))
        assert abs((turned + 180) % 360 - 180) < 20, color


def test_figures_are_finished_in_ink_and_pale_or_small_words_are_noticed() -> None:
    figure = style.new_figure(10, 3)
    axes = figure.subplots()
    axes.set_yticks([])
    label = axes.text(0.5, 0.5, "orange words", color=style.ORANGE, fontsize=13)
    axes.set_xticks([0, 1], labels=["small", "numbers"], fontsize=8)
    assert len(list(complaints(figure))) == 3
    style.finish(figure, "An orange word on white, and two small numbers.")
    assert label.get_color() == style.INKS[style.ORANGE]
    assert len(list(complaints(figure))) == 2
    axes.set_xticks([])
    assert smallest_pixels(12, 10) > 14 > smallest_pixels(12, 13)
