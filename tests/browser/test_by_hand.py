"""The lesson by hand: a view in Notebook 7, the training desk, an exercise, an upload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from tests.browser.lab import SECONDS_TO_START, OpenNotebook, Server, View, move_every_control, server, shoot
from tests.marks import long
from vgg_lesson import check

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EXERCISE = "block3_params"
VIEW = "widgets.network_builder()"


@long
def test_a_view_works_in_notebook_7(chromium: Browser, page: Page, tmp_path: Path) -> None:
    pytest.importorskip("notebook", reason="Notebook 7 is not installed")
    with server(tmp_path, "notebook") as place:
        notebook = OpenNotebook(page, place, "03_parameter_arithmetic")
        notebook.answer(number := notebook.number_of(VIEW), f"from vgg_lesson import widgets\n\n{VIEW}")
        move_every_control(View(notebook, number), "Notebook 7")
        assert not notebook.errors
        shoot(page, "notebook-7")


@long
def test_the_training_desk_runs_and_stops(lab: Server, page: Page) -> None:
    notebook = OpenNotebook(page, lab, "06_train_it_well")
    notebook.run_setup()
    number = notebook.number_of("widgets.training_desk()")
    notebook.answer(number, "widgets.training_desk()")
    view = View(notebook, number)
    before = view.shown
    view.area.get_by_role("button", name="Run").click()
    view.changed_from(before, SECONDS_TO_START)
    view.area.get_by_text("validation pictures are named rightly").last.wait_for()
    view.area.get_by_role("button", name="Stop").click()
    view.area.get_by_text("No run of this desk is under way").wait_for()
    assert not view.complaint and not notebook.errors
    shoot(page, "training-desk")


def test_an_exercise_answered_wrong_then_right(lab: Server, page: Page) -> None:
    from playwright.sync_api import expect

    notebook = OpenNotebook(page, lab, "03_parameter_arithmetic")
    notebook.run_setup()
    exercise, call = check.EXERCISES[EXERCISE], f"check.{EXERCISE}(answer)"
    mistake, number = exercise.mistakes()[0], notebook.number_of(call)
    for answer, reply in (
        ("...", exercise.unanswered),
        (mistake.answer, mistake.hint),
        (exercise.solution(), exercise.why),
    ):
        expect(notebook.answer(number, f"answer = {answer}\n{call}")).to_contain_text(reply, timeout=30_000)
    notebook.cell(number).scroll_into_view_if_needed()
    shoot(page, "exercise")


@long
def test_ones_own_picture_is_shown_and_a_text_refused(lab: Server, page: Page, tmp_path: Path) -> None:
    photo = Image.new("RGB", (320, 400), "white")
    ImageDraw.Draw(photo).polygon([(60, 80), (260, 80), (300, 350), (20, 350)], fill="navy")
    photo.save(tmp_path / "skirt.png")
    (tmp_path / "letter.png").write_text("Dear network, this is no picture.")
    notebook = OpenNotebook(page, lab, "07_predictions")
    notebook.run_setup()
    number = notebook.number_of("widgets.own_picture()")
    notebook.answer(number, "widgets.own_picture()")
    view = View(notebook, number)
    for file, words in (("skirt.png", "trimmed"), ("letter.png", "cannot be shown")):
        before = view.shown
        with page.expect_file_chooser() as chooser:
            view.area.get_by_role("button").first.click()
        chooser.value.set_files(tmp_path / file)
        view.changed_from(before, SECONDS_TO_START)
        view.area.get_by_text(words).wait_for()
        if file == "skirt.png":
            shoot(page, "own-picture")
    assert not view.complaint and not notebook.errors
