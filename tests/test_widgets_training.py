"""The training desk: one change at a time, a thread per run, curves kept; and the figure and function behind it."""

from __future__ import annotations

import io
import math
import random
import time
from collections.abc import Iterator
from html import unescape

import pytest
import torch
from PIL import Image

from tests.marks import long
from vgg_lesson import ImageSet, class_vgg, fit, load_fashion_mnist, widgets
from vgg_lesson.classroom.figures.train_it_well_desk import overlaid_runs
from vgg_lesson.classroom.widgets import train_it_well as training
from vgg_lesson.classroom.widgets.train_it_well import MOST_RUNS, Desk
from vgg_lesson.records.experiments import DIALS, USUAL, changed, run_experiment, usual
from vgg_lesson.records.stored_runs import StoredRun, stored_run
from vgg_lesson.training.history import EpochRecord, History


@pytest.fixture(scope="module")
def little() -> tuple[ImageSet, ImageSet]:
    data = load_fashion_mnist("train")
    return data.subset(96), data.subset(range(96, 160))


@pytest.fixture
def desk(little: tuple[ImageSet, ImageSet], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk that draws after every step and trains on a few pictures."""
    monkeypatch.setattr(training, "_split", lambda: little)
    monkeypatch.setattr(training, "DRAW_EVERY", 0.0)
    panel = widgets.training_desk().panel
    assert isinstance(panel, Desk)
    panel.steps = 3
    panel.refresh()
    yield panel
    panel.halt()
    panel.wait()


def is_png(content: bytes) -> bool:
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        return picture.format == "PNG" and picture.width == 1000


def choose(desk: Desk, what: str, value: str) -> None:
    desk.controls["what"].value = what
    desk.controls["value"].value = value


def test_every_value_of_every_dial_can_be_chosen(desk: Desk) -> None:
    for what, dial in DIALS.items():
        desk.controls["what"].value = what
        assert desk.controls["value"].options == tuple(dial) and desk.controls["value"].value == usual(what)
        for value in {next(iter(dial)), [*dial][len(dial) // 2], [*dial][-1]}:
            desk.controls["value"].value = value
            assert (not desk.error and is_png(desk.pictures[0]) and f"{what} {value}" in unescape(desk.texts[0])) or (
                value == usual(what) and f"{what} stays {value}" in unescape(desk.texts[0])
            )


@long
def test_the_ends_of_every_dial_can_be_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "DRAW_EVERY", 60.0)
    desk.steps = 1
    for what, dial in DIALS.items():
        for value in {next(iter(dial)), [*dial][-1]} - {usual(what)}:
            choose(desk, what, value)
            before = desk.pictures[0]
            desk.start()
            desk.wait()
            assert f"{what} {value}: " in unescape(desk.told.value)
            assert "named rightly" in desk.told.value and changed(what, value).change in desk.runs
            assert is_png(desk.pictures[0]) and desk.pictures[0] != before
    assert len(desk.runs) == MOST_RUNS


def test_random_settings_while_a_run_is_under_way(desk: Desk) -> None:
    desk.steps = 40
    desk.start()
    dice = random.Random(0)
    for _ in range(6):
        desk.controls["what"].index = dice.randrange(len(DIALS))
        desk.controls["value"].index = dice.randrange(len(desk.controls["value"].options))
        assert not desk.error and is_png(desk.pictures[0])
    desk.halt()
    desk.wait()
    assert [*desk.runs] == ["the recipe"] and "the recipe" in desk.told.value


def test_a_run_is_kept_and_another_laid_over_it(desk: Desk) -> None:
    desk.start()
    desk.wait()
    first = desk.pictures[0]
    choose(desk, "momentum", "0")
    desk.start()
    desk.wait()
    assert [*desk.runs] == ["the recipe", "momentum 0"] and desk.pictures[0] != first
    for history in desk.runs.values():
        assert len(history.step_losses) == 3 and history.last.validation_accuracy is not None
    desk.start()
    desk.wait()
    assert [*desk.runs] == ["the recipe", "momentum 0"], "the same run twice is one run"


def test_curves_grow_while_it_trains(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, str]] = []
    seen = desk.redraw

    def redraw() -> None:
        seen()
        drawn.append((len(desk.runs["the recipe"].step_losses), desk.running))

    monkeypatch.setattr(desk, "redraw", redraw)
    desk.start()
    desk.wait()
    assert drawn == [(1, "the recipe"), (2, "the recipe"), (3, "the recipe"), (3, "")]


def test_stop_ends_the_run_and_keeps_its_curve(desk: Desk) -> None:
    desk.steps = 10_000
    desk.start()
    while desk.running and "the recipe" not in desk.runs:
        time.sleep(0.01)
    desk.stop.click()
    desk.wait()
    history = desk.runs["the recipe"]
    assert history.interrupted and 1 <= len(history.step_losses) < 10_000
    assert history.last.validation_accuracy is not None and "stopped after step" in desk.told.value
    desk.steps = 2
    desk.run.click()
    desk.wait()
    assert not desk.runs["the recipe"].interrupted, "after a stop a run goes to its end again"


def test_a_second_start_is_refused_also_from_another_desk(desk: Desk) -> None:
    other = widgets.training_desk().panel
    assert isinstance(other, Desk)
    desk.steps = 10_000
    desk.run.click()
    for panel in (desk, other):
        panel.run.click()
        assert "A run is under way" in panel.told.value
    assert not other.running and not other.runs
    desk.halt()
    desk.wait()
    other.run.click()
    other.wait()
    assert [*other.runs] == ["the recipe"]


def test_stop_without_a_run_and_forget(desk: Desk) -> None:
    desk.stop.click()
    assert "No run of this desk" in desk.told.value
    empty = desk.pictures[0]
    desk.start()
    desk.wait()
    assert desk.pictures[0] != empty
    desk.forget.click()
    assert not desk.runs and desk.pictures[0] == empty
    desk.steps = 10_000
    desk.start()
    desk.forget.click()
    assert "except the run" in desk.told.value


def test_an_error_in_the_thread_is_told_and_the_desk_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("no <b>data</b> here")

    monkeypatch.setattr(training, "_split", broken)
    desk.start()
    desk.wait()
    assert "ended early: no &lt;b&gt;data" in desk.told.value and not desk.running
    monkeypatch.undo()
    desk.steps = 1
    desk.start()
    desk.wait()
    assert [*desk.runs] == ["the recipe"]


def test_the_sentence_and_the_controls_labels(desk: Desk) -> None:
    view = widgets.training_desk()
    assert repr(view).count(".") == 1 and view.name in repr(view)
    buttons = (desk.run, desk.stop, desk.forget)
    assert all(control.description and control.tooltip for control in (*desk.controls.values(), *buttons))


def test_exactly_one_thing_changes() -> None:
    for what, values in DIALS.items():
        assert usual(what) in values
        for value, fields in values.items():
            experiment = changed(what, value)
            own, plain = ({**part.architecture, **part.recipe} for part in (experiment, USUAL))
            differing = {field for field in plain if own[field] != plain[field]}
            assert differing == (set() if value == usual(what) else set(fields)), (what, value)
            assert experiment.change == ("the recipe" if value == usual(what) else f"{what} {value}")


def test_the_usual_experiment_is_the_class_network_by_the_recipe_of_06(little: tuple[ImageSet, ImageSet]) -> None:
    torch.manual_seed(0)
    expected = fit(class_vgg(), little[0], steps=2, show=False, momentum=0.9, schedule="one-cycle").step_losses
    assert run_experiment(USUAL, little[0], steps=2, show=False)[1].step_losses == expected


def test_unknown_changes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"what='colour'.*initialisation"):
        changed("colour", "red")
    with pytest.raises(ValueError, match=r"value='2'.*0\.9"):
        changed("momentum", "2")


def history(losses: list[float], accuracy: float | None = None, interrupted: bool = False) -> History:
    record = EpochRecord(1, len(losses), 1.0, 0.5, 1.0, accuracy, 1.0, 0.1)
    return History("", losses, [record] if accuracy is not None else [], interrupted)


@pytest.mark.parametrize(
    "losses",
    [[], [2.0], [math.nan], [2.0, math.nan], [math.inf] * 3, [1e30, 2.0], [0.0] * 300, [2.3] * 7 + [math.nan] * 200],
)
def test_any_loss_can_be_drawn(losses: list[float]) -> None:
    for steps in (None, 1, 200):
        assert is_png(overlaid_runs({"a": history(losses, 0.5), "b": history([2.0] * 30)}, steps=steps).png())


def test_the_text_tells_how_each_run_ended() -> None:
    runs: dict[str, History | StoredRun] = {
        "whole": history([2.0, 1.0], 0.812), "cut": history([2.0], 0.3, True), "lost": history([math.nan], 0.1),
        "now": history([2.0]), "log": stored_run("fix_he_seed0"),
    }  # fmt: skip
    told = overlaid_runs(runs, running="now").alt
    assert "whole ended with 81.2%" in told and "cut ended with 30.0% (stopped at step 1)" in told
    assert "lost ended with 10.0% (NaN from step 1)" in told
    assert "now is under way" in told and "log ended with 80.4%" in told
    assert "runs to come" in overlaid_runs({}).alt


def test_a_stored_run_and_a_history_of_the_same_losses_lie_on_each_other() -> None:
    stored = stored_run("fix_he_seed0")
    per_step = history([loss for _, loss in stored.losses for _ in range(10)])
    axes = overlaid_runs({"stored": stored, "history": per_step}, steps=200).axes[0]
    first, second = (line.get_xydata() for line in axes.lines[:2])
    assert first == pytest.approx(second)


def test_the_stored_runs_say_what_notebook_06_says_of_them() -> None:
    he, xavier = (
        [stored_run(f"fix_{scheme}_seed{seed}").accuracies[-1][1] for seed in (0, 1, 2)] for scheme in ("he", "xavier")
    )
    assert sum(he) > sum(xavier) and min(he) < max(xavier)


def test_two_turns_through_the_colours_are_told_apart_by_line() -> None:
    figure = overlaid_runs({str(number): history([2.0, 1.0]) for number in range(MOST_RUNS)})
    looks = [(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines[:MOST_RUNS]]
    assert len(set(looks)) == MOST_RUNS
