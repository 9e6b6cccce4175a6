"""What holds for every figure that a test draws: words large enough for the back row, and dark enough to be read.

A slide shows a figure up to 1180 of 1280 pixels wide, enlarged by 1.18 at most and at its smallest at 0.72 of that
(tools/assets/deck/fit.js); words are then still a fiftieth of the screen's height, 14 of 720 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from vgg_lesson.support.style import LessonFigure

DOTS_PER_POINT = 100 / 72
WIDEST, ENLARGED, FLOOR, SMALLEST = 1180, 1.18, 0.72, 14
CONTRAST, NEARLY_WHITE = 4.5, 1.7


def luminance(color: Any) -> float:
    """Relative luminance of a colour, 0 to 1, as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(color: Any, ground: Any = "white") -> float:
    """Contrast of two colours, 1 to 21, as WCAG defines it."""
    dark, light = sorted((luminance(color), luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


def smallest_pixels(points: float, inches: float) -> float:
    """The height in pixels of a font of ``points`` on a slide that shows a figure ``inches`` wide at its smallest."""
    return points * DOTS_PER_POINT * FLOOR * min(ENLARGED, WIDEST / (100 * inches))


def words(figure: LessonFigure) -> list[Text]:
    """Everything written in a figure, the numbers at its axes included."""
    ticks = [label for axis in figure.findobj(Axis) if axis.get_visible() for label in axis.get_ticklabels()]
    return [text for text in {*figure.findobj(Text), *ticks} if text.get_visible() and text.get_text().strip()]


def complaints(figure: LessonFigure) -> Iterator[str]:
    """Words that are too small or too pale; nearly white ones stand on dark ground and are left alone."""
    for text in words(figure):
        size = smallest_pixels(float(text.get_fontsize()), figure.get_figwidth())
        if size < SMALLEST - 0.05:
            yield f"{text.get_text()!r} is {size:.1f} pixels high on a slide, less than {SMALLEST}"
        if NEARLY_WHITE < contrast(text.get_color()) < CONTRAST:
            yield f"{text.get_text()!r} has a contrast of {contrast(text.get_color()):.1f}:1 on white"
