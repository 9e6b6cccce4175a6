"""The map of the series agrees with the notebooks on disk and with the table beside it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tools.paths import NOTEBOOKS, notebooks
from vgg_lesson.classroom.figures.start_here import SERIES, WAYS, guess_beside_answer, series_map


def test_the_map_knows_every_notebook() -> None:
    stems = [stop.stem for stop in SERIES]
    assert {path.stem for path in notebooks()} <= set(stems)
    assert [stem[:2] for stem in stems] == [f"{place:02}" for place in range(len(stems))]


def test_the_map_and_the_title_tables_give_the_same_minutes() -> None:
    start = (NOTEBOOKS / "00_start_here.ipynb").read_text(encoding="utf-8")
    for stop in SERIES:
        minutes = f"{stop.in_class} / {stop.alone}"
        row = re.search(rf"\| \[?{stop.stem.replace('_', ' ')}[^|]*\|[^|]*\| ([^|]*?) \|", start)
        assert row and row[1] == minutes, stop.stem
        notebook = NOTEBOOKS / f"{stop.stem}.ipynb"
        if notebook.exists():
            title = re.search(r"\*\*Minutes\*\* \| (\d+) [^|]*?(\d+)", notebook.read_text(encoding="utf-8"))
            assert title and (int(title[1]), int(title[2])) == (stop.in_class, stop.alone), stop.stem


def test_the_map_adds_the_minutes_of_each_way() -> None:
    shown = [text.get_text() for text in series_map().axes[0].texts]
    for _, stops, _, _ in WAYS:
        assert f"{sum(SERIES[stop].in_class for stop in stops)} min" in shown


@pytest.mark.parametrize(("guess", "drawn"), [(..., False), (0, True), (72.5, True)])
def test_a_guess_is_drawn_once_it_is_committed(guess: object, drawn: bool) -> None:
    figure = guess_beside_answer(0.8, guess=guess, chance=0.1, people=0.835)
    assert any(text.get_text() == "your guess" for text in figure.axes[0].texts) is drawn


def test_a_share_is_drawn_as_percent_and_what_is_none_is_named() -> None:
    axes = guess_beside_answer(0.8, guess=0.83, chance=0.1, people=0.835).axes[0]
    assert np.array_equal(axes.lines[0].get_xdata(), [83, 83])
    axes = guess_beside_answer(0.8, guess=150, chance=0.1, people=0.835).axes[0]
    assert not axes.lines and any("150" in text.get_text() for text in axes.texts)
