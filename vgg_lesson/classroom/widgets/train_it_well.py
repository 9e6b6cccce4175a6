"""The training desk: change one thing of a recipe, watch the curve grow, keep the runs, stop at any time.

The run trains in a thread of its own, because a kernel that is busy with a run cannot hear the stop button.
"""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from typing import Any

from vgg_lesson.classroom.figures.train_it_well_desk import overlaid_runs
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, menu, toolkit
from vgg_lesson.data.datasets import ImageSet, load_fashion_mnist
from vgg_lesson.records.experiments import DIALS, STEPS, changed, run_experiment, usual
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import Run

DRAW_EVERY = 1.0
MOST_RUNS = 10
HELD_OUT = 1 / 12  # of the training pictures, as in notebook 06
CURVES = 1
# Two runs at once would share the processors and torch's random numbers, and neither could be repeated.
_one_run = threading.Lock()


def training_desk() -> LessonView:
    """A view to train the class network in, by a recipe of which exactly one thing is changed: see `changed`."""
    return LessonView("Training desk", Desk)


class Desk(Panel):
    """The panel of `training_desk`; ``runs`` are those it keeps, the newest last."""

    def __init__(self) -> None:
        self.runs: dict[str, History] = {}
        self.running = ""
        self.steps = get_budget().steps(STEPS)
        self._stop, self._thread = threading.Event(), threading.Thread()
        controls = {
            "what": menu("Change", list(DIALS), "learning rate", "the one thing that differs from the recipe"),
            "value": menu("to", list(DIALS["learning rate"]), "0.1", "its value in the next run"),
        }
        super().__init__(controls, self._parts, _fit_values)
        kit: Any = toolkit()
        self.run, self.stop, self.forget = (
            kit.Button(description=word, tooltip=tip, icon=icon)
            for word, tip, icon in (
                ("Run", f"train for {self.steps} steps", "play"),
                ("Stop", "stop the run after this step and keep its curve", "stop"),
                ("Forget", "forget all runs that are over", "trash"),
            )
        )
        self.bar = kit.IntProgress(value=0, max=self.steps, description="steps", layout={"width": "16em"})
        self.told = kit.HTML()
        for button, action in ((self.run, self.start), (self.stop, self.halt), (self.forget, self.clear)):
            button.on_click(lambda _, action=action: action())
        row = kit.Box([self.run, self.stop, self.forget, self.bar], layout=kit.Layout(flex_flow="row wrap"))
        first, *others = self.box.children
        self.box.children = [first, row, self.told, *others]

    def start(self) -> None:
        """Begin the run that the menus describe, unless one is under way."""
        if not _one_run.acquire(blocking=False):
            self.tell("A run is under way. Stop it, or let it finish, and press Run again.")
            return
        what, value = self.controls["what"].value, self.controls["value"].value
        self._stop.clear()
        self.running = changed(what, value).change
        # The context tells the kernel which cell's messages these are.
        self._thread = threading.Thread(target=copy_context().run, args=(self._train, what, value), daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """Ask the run to stop after its step; `wait` waits until it has."""
        if not self.running:
            self.tell("No run of this desk is under way.")
            return
        self._stop.set()
        self.tell("Stopping after this step.")

    def clear(self) -> None:
        """Forget every run that is over."""
        kept = self.running
        self.runs = {name: run for name, run in dict(self.runs).items() if name == kept}
        self.refresh()
        self.tell("Forgotten." if not kept else "Forgotten, except the run that is under way.")

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until the run is over; TimeoutError if it is not by then."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"the run is not over after {seconds} seconds")

    def tell(self, sentence: str) -> None:
        """Show a sentence on what the desk is doing."""
        self.told.value = f'<p aria-live="polite">{html.escape(sentence)}</p>'

    def _train(self, what: str, value: str) -> None:
        try:
            self.tell(f"Running: {self.running}.")
            try:
                end = self._run_to_its_end(what, value)
            except Exception as error:
                end = f"The run ended early: {error or type(error).__name__}"
            self.running, self.bar.value = "", 0
            self.redraw()
            self.tell(end)
        finally:
            self.running = ""
            _one_run.release()

    def _run_to_its_end(self, what: str, value: str) -> str:
        train, validation = _split()
        self.runs.pop(self.running, None)
        experiment = changed(what, value)
        seed, options = experiment.seeds[0], {"steps": self.steps, "callbacks": [_Watch(self)], "show": False}
        _, history = run_experiment(experiment, train, validation, seed=seed, **options)
        accuracy = history.last.validation_accuracy or 0.0
        end = "stopped" if history.interrupted else "done"
        return (
            f"{self.running}: {end} after step {len(history.step_losses)} of {self.steps} and {history.seconds:.0f} s. "
            f"{accuracy:.1%} of {len(validation):,} validation pictures are named rightly."
        )

    def redraw(self) -> None:
        """Draw the runs, in whatever thread this is."""
        self.show(CURVES, overlaid_runs(dict(self.runs), steps=self.steps, running=self.running))

    def keep(self, history: History) -> None:
        """Take a run among those that are shown; the oldest leaves where there are too many."""
        self.runs[self.running] = history
        while len(self.runs) > MOST_RUNS:
            del self.runs[next(iter(self.runs))]

    @property
    def stopping(self) -> bool:
        """Whether the run has been asked to stop."""
        return self._stop.is_set()

    def _parts(self, what: str, value: str) -> Iterator[Part]:
        if value == usual(what):
            change = f"<b>{html.escape(what)} stays {html.escape(value)}</b>: the recipe itself"
        else:
            change = f"<b>{html.escape(what)} {html.escape(value)}</b> in place of {html.escape(usual(what))}"
        yield (
            f"<p>Next run: {change}. The recipe: the class network with He initialisation and batch norm, {self.steps} "
            "steps of 128 pictures, momentum 0.9, one cycle up to learning rate 0.1. Behind each name stands the share "
            "of the validation pictures that are named rightly.</p>"
        )
        yield overlaid_runs(dict(self.runs), steps=self.steps, running=self.running)


class _Watch:
    """What `fit` calls after every step: moves the bar, draws about once a second, stops when asked to."""

    def __init__(self, desk: Desk):
        self.desk, self.drawn = desk, 0.0

    def __call__(self, run: Run) -> bool:
        history = run.history
        if not history.step_losses[1:]:
            self.desk.keep(history)
        now = time.monotonic()
        if now - self.drawn >= DRAW_EVERY:
            self.desk.bar.value = len(history.step_losses)
            self.desk.redraw()
            self.drawn = time.monotonic()
        return not self.desk.stopping


def _split() -> tuple[ImageSet, ImageSet]:
    return load_fashion_mnist("train").subset(get_budget().train_images).split(HELD_OUT)


def _fit_values(controls: Mapping[str, Any]) -> None:
    """Offer the values of what is to be changed, at first the usual one."""
    what, values = controls["what"].value, controls["value"]
    if values.options != tuple(DIALS[what]):
        values.options, values.value = tuple(DIALS[what]), usual(what)
