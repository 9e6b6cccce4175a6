"""The one look of every figure: sizes a back row can read, colours that survive colour blindness, text beside each."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from vgg_lesson.support.files import asset

P = ParamSpec("P")
# matplotlib keeps one set of parameters per process, and views draw in threads of their own.
_DRAWING = threading.RLock()

# Okabe and Ito's palette, https://jfly.uni-koeln.de/color/; the yellow is for fills only: too light for lines.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW, BLACK, GREY = "#56B4E9", "#E69F00", "#F0E442", "#000000", "#767676"
# The same hues for words: on white, text needs a contrast of 4.5:1 (WCAG 2.2, success criterion 1.4.3).
INKS = {ORANGE: "#B34F00", GREEN: "#007A59", PINK: "#A34C7A", SKY: "#1F6FA3", AMBER: "#8A5F00", YELLOW: "#7A6A00"}
COLORS = (BLUE, ORANGE, GREEN, PINK, SKY, AMBER, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
RIGHT, WRONG = "✓", "✗"
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


class LessonFigure(Figure):
    """A matplotlib figure that pyplot does not know, shown once, with a sentence for those who cannot see it."""

    alt = ""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"image/png": self.png(), "text/plain": f"Figure: {self.alt}"}, {"image/png": {"alt": self.alt}}

    def png(self) -> bytes:
        """The picture as a PNG of at most 256 colours: a third of the size, so that notebooks stay light."""
        small = io.BytesIO()
        with _DRAWING, mpl.rc_context(fname=_style_file()):
            canvas = FigureCanvasAgg(self)
            canvas.draw()  # savefig would draw twice, and write a PNG to be read again
        pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
        palette = pixels.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        palette.save(small, format="png", optimize=True)
        return small.getvalue()


def _style_file() -> str:
    return str(asset("lesson.mplstyle"))


def styled(draw: Callable[P, LessonFigure]) -> Callable[P, LessonFigure]:
    """Run a drawing function under the lesson's style file, one at a time."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> LessonFigure:
        with _DRAWING, mpl.rc_context(fname=_style_file()):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(width: float = 10.0, height: float = 4.5) -> LessonFigure:
    """An empty figure of ``width`` × ``height`` inches; add axes with ``figure.subplots``."""
    return LessonFigure(figsize=(width, height))


def finish(figure: LessonFigure, alt: str) -> LessonFigure:
    """Attach the text alternative: one or two sentences that state the finding, not the file.

    Words in a colour of the palette take its ink, which is dark enough to be read on white.
    """
    figure.alt = alt
    for words in figure.findobj(Text):
        words.set_color(ink(words.get_color()))
    return figure


def ink(color: Any) -> Any:
    """The colour for words beside something of ``color``; a colour that has no ink is returned as it is."""
    return INKS.get(color.upper(), color) if isinstance(color, str) else color


def show_image(axes: Any, image: Any, **kwargs: Any) -> None:
    """Draw one image without ticks, a grey one dark on light as in print: (H, W), or (C, H, W) of 1 or 3 channels."""
    pixels = np.asarray(image)
    if pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, -1).squeeze()
    axes.imshow(pixels, cmap=kwargs.pop("cmap", "gray_r"), **kwargs)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
