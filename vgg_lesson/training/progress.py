"""Progress of a training run: a bar with the time left, and in a notebook a loss curve that grows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from math import isfinite
from typing import Any

from tqdm import tqdm

from vgg_lesson.support.arguments import Limit
from vgg_lesson.training.history import History

SHOWN = Limit(lambda value: value in (True, False, "bar"), 'True, "bar" or False')
BAR_EVERY = 0.25
CURVE_EVERY = 2.0


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return shell is not None and hasattr(shell, "kernel")


def progress_view(total: int, label: str, show: bool | str) -> Callable[[History, bool], None]:
    """A function to call after every step with the history so far and whether the run is over.

    ``show`` is True (bar and curve), "bar", or False. Outside a notebook the bar goes to stderr.
    """
    if not show:
        return lambda history, done: None
    if in_notebook():
        return _NotebookView(total, label, curve=show != "bar")
    return _terminal_view(total, label)


def _terminal_view(total: int, label: str) -> Callable[[History, bool], None]:
    bar: tqdm[Any] | None = None

    def update(history: History, done: bool) -> None:
        nonlocal bar
        if bar is None:  # a resumed run starts where it was left, so that the time left is that of the rest
            resumed = max(0, len(history.step_losses) - 1)
            bar = tqdm(total=total, desc=label or "training", unit="step", mininterval=BAR_EVERY, initial=resumed)
        bar.update(len(history.step_losses) - bar.n)
        if done:
            bar.close()

    return update


class _NotebookView:
    """One line of text and one picture, each updated in place, so that nothing scrolls or flickers."""

    def __init__(self, total: int, label: str, *, curve: bool):
        from IPython.display import display

        self.total, self.label, self.curve = total, label, curve
        self.started = self.bar_at = self.curve_at = time.monotonic()
        self.bar: Any = display(_Text(f"{label or 'training'}: starting"), display_id=True)
        self.picture: Any = None
        self.resumed: int | None = None

    def __call__(self, history: History, done: bool) -> None:
        now = time.monotonic()
        if self.resumed is None:
            self.resumed = max(0, len(history.step_losses) - 1)
        if done or now - self.bar_at >= BAR_EVERY:
            self.bar_at = now
            self.bar.update(_Text(self._line(history, now)))
        if self.curve and (now - self.curve_at >= CURVE_EVERY or (done and self.picture is not None)):
            self._draw(history)
            self.curve_at = time.monotonic()

    def _line(self, history: History, now: float) -> str:
        meter = tqdm.format_meter(
            len(history.step_losses),
            self.total,
            now - self.started,
            ncols=78,
            prefix=self.label,
            unit="step",
            initial=self.resumed or 0,
        )
        recent = history.step_losses[-50:]
        loss = f"  loss {sum(recent) / len(recent):.3f}" if recent else ""
        return meter + loss + ("  (interrupted)" if history.interrupted else "")

    def _draw(self, history: History) -> None:
        from IPython.display import display

        figure = loss_curve(history, self.total)
        if self.picture is None:
            self.picture = display(figure, display_id=True)
        else:
            self.picture.update(figure)


class _Text:
    """Plain text as the output of a cell."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


def loss_curve(history: History, total: int) -> Any:
    """The training loss of every step so far on an axis of ``total`` steps; a `LessonFigure`."""
    from vgg_lesson.support.style import BLUE, finish, new_figure, styled

    @styled
    def draw() -> Any:
        figure = new_figure(10, 3)
        axes = figure.subplots()
        axes.plot(range(1, len(history.step_losses) + 1), history.step_losses, color=BLUE, linewidth=1.5)
        # A diverged run holds losses without a size, and no axis ends at infinity.
        top = 1.1 * max(filter(isfinite, history.step_losses), default=1.0)
        axes.set(xlim=(0, total), ylim=(0, top))
        axes.set(xlabel="step", ylabel="training loss")
        return finish(figure, "Training loss of each step of this run, as it grows.")

    return draw()
