"""Figures and view of runs that differ in one thing: titles say what the intervals say; guesses, edges, slips."""

from __future__ import annotations

import math
from statistics import mean
from typing import Any

import pytest
import torch

from tests.panels import assert_sound
from vgg_lesson import widgets
from vgg_lesson.analysis.signal import LayerSignal
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.figures.does_depth_help_curves import SCALES, paper_error, trained_at
from vgg_lesson.classroom.widgets.does_depth_help import QUESTIONS
from vgg_lesson.classroom.widgets.shared import Panel
from vgg_lesson.records.experiments import CHANGES
from vgg_lesson.records.stored_runs import factor_runs

SCORES = {"one": [0.90, 0.901, 0.902], "two": [0.92, 0.921, 0.9215], "three": [0.9005, 0.899, 0.903]}


def test_titles_say_what_the_intervals_say() -> None:
    assert fig.seed_dots(SCORES).axes[0].get_title(loc="left") == "Highest mean: two, clear of the others"
    near = {"one": SCORES["one"], "three": SCORES["three"]}
    assert "but not clear" in fig.seed_dots(near).axes[0].get_title(loc="left")
    assert "in one run each" in fig.seed_dots({"a": [0.9], "b": [0.8]}).axes[0].get_title(loc="left")
    assert fig.factor_gains(SCORES, "one").axes[0].get_title(loc="left") == "1 of 2 told apart from one"
    assert fig.factor_gains({"a": [0.9], "b": [0.8]}, "a").axes[0].get_title(loc="left") == "One run each"


def test_the_text_of_a_figure_has_its_numbers() -> None:
    assert "two +1.98" in fig.factor_gains(SCORES, "one").alt
    assert "one mean 90.10% ± 0.25 points in 3 runs" in fig.seed_dots(SCORES).alt
    assert "yours, four, mean 50.00%" in fig.seed_dots(SCORES, {"four": [0.4, 0.6]}).alt
    told = fig.price_of_depth(
        {"x": [(50.0, SCORES["one"]), (200.0, SCORES["two"])], "y": [(90.0, SCORES["three"])]}
    ).alt
    assert "x 1 epoch: 50 s, 90.10%, 4 epochs: 200 s, 92.08%; y 1 epoch: 90 s" in told


@pytest.mark.parametrize(("guess", "crosses"), [(0.5, 1), (-2, 1), (..., 0), ("a", 0), (None, 0), (True, 0)])
def test_a_guess_is_drawn_where_it_is_a_number(guess: Any, crosses: int) -> None:
    lines = fig.factor_gains(SCORES, "one", {"two": guess}).axes[0].lines
    assert sum(line.get_marker() == "X" for line in lines) == crosses


def test_what_leaves_the_picture_is_an_arrow_with_its_number() -> None:
    wild = {**SCORES, "lost": [0.9, 0.1, 0.89]}
    axes = fig.factor_gains(wild, "one", {"two": 50}).axes[0]
    assert axes.get_xlim()[0] == -3.0 and axes.get_xlim()[1] <= 3.0
    markers = [line.get_marker() for line in axes.lines]
    assert markers.count("<") == 1 and markers.count(">") == 2, "a bar to both sides, and a guess"
    assert any(text.get_text().startswith("-27.") and "±" in text.get_text() for text in axes.texts)


def test_intervals_that_miss_are_counted() -> None:
    values = torch.tensor([[0.9, 1.0, 1.1], [-1.0, 0.0, 1.0]])
    assert "1 of 2 intervals miss" in fig.luck_intervals(values).axes[0].get_title(loc="left")
    assert "0 of 2" in fig.luck_intervals(values, truth=1.0).axes[0].get_title(loc="left")


def test_losses_that_are_no_numbers_leave_a_gap() -> None:
    runs = factor_runs()["VGG-11"]
    lost = type(runs[0])("lost", 0, ((40, 2.0), (80, math.nan), (120, math.inf)), 0.1, 1.0)
    figure = fig.depth_losses({"a panel": {"VGG-11": runs, "lost": [lost]}, "another": {"VGG-11": runs}})
    assert "lost 10.0%" in figure.alt and len(figure.axes) == 2


def test_signals_are_drawn_layer_by_layer() -> None:
    layers = [LayerSignal(f"l{n}", 1.0, 10.0**-n) for n in range(4)]
    figure = fig.depth_signals({"He": {"VGG-11": layers}, "default": {"VGG-11": layers[:2]}})
    assert "He: VGG-11 1.0e-03; default: VGG-11 1.0e-01" in figure.alt


def test_the_papers_table_is_drawn_whole() -> None:
    figure = fig.paper_table()
    for scale in SCALES:
        for column in trained_at(scale):
            assert (
                f"{column} {paper_error(column, scale, 'top1')} and {paper_error(column, scale, 'top5')}" in figure.alt
            )


@pytest.fixture(scope="module")
def panel() -> Panel:
    return widgets.seeds_view().panel


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_with_all_two_and_one_seed(panel: Panel, question: str) -> None:
    panel.controls["question"].value = question
    seeds = panel.controls["seeds"]
    runs = min(len(CHANGES[name].seeds) for name in QUESTIONS[question])
    assert seeds.value == (0, runs - 1) and seeds.max == runs - 1
    seen = [panel.pictures[0]]
    for pair in ((0, 1), (runs - 2, runs - 1), (0, 0), (runs - 1, runs - 1)):
        seeds.value = pair
        assert_sound(panel)
        count = pair[1] - pair[0] + 1
        assert ("One run of each" in panel.texts[0]) == (count == 1)
        assert f"{count} runs of each" in panel.texts[0] or count == 1
        seen.append(panel.pictures[0])
    assert len(set(seen)) == len(seen)


def test_the_view_is_labelled_and_says_one_sentence(panel: Panel) -> None:
    assert all(control.description and control.tooltip for control in panel.controls.values())
    assert repr(widgets.seeds_view()).count(".") == 1


def test_a_mean_over_seeds_is_what_the_view_shows(panel: Panel) -> None:
    panel.controls["question"].value = "depth"
    panel.controls["seeds"].value = (1, 3)
    expected = mean(run.accuracy for run in factor_runs()["VGG-13"][1:4]) - mean(
        run.accuracy for run in factor_runs()["VGG-11"][1:4]
    )
    image = next(w for w in panel.box.children[-1].children if hasattr(w, "children")).children[0]
    assert f"VGG-13 {100 * expected:+.2f}" in image.tooltip
