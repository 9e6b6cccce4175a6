"""The figures of the data notebook state what their data say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.figures import compute_by_grid, feeding, garment_grid, halvings


def test_shares_by_grid_add_up_and_the_alt_text_adds_those_above_the_pictures_size() -> None:
    counted = trace("VGG-11", in_channels=1, num_classes=10)
    figure = compute_by_grid(counted)
    heights = [bar.get_bbox().height for bar in figure.axes[0].patches if isinstance(bar, Rectangle)]
    early = sum(row.macs for row in counted.rows[: counted.rows.index(counted.row("pool3"))]) / counted.total_macs
    assert sum(heights) == pytest.approx(100)
    assert sum(heights[:3]) == pytest.approx(100 * early)
    assert figure.alt.startswith(f"{100 * early:.0f} percent")


@pytest.mark.parametrize(("side", "end"), [(28, 0), (31, 0), (32, 1), (224, 7)])
def test_halvings_end_where_the_pools_do(side: int, end: int) -> None:
    figure = halvings([side])
    assert f"{side} ends as {end}" in figure.alt
    assert [text.get_text() for text in figure.axes[0].texts if text.get_text() != "pool"][-2:].count(str(end)) >= 1


def test_every_garment_is_marked_and_unused_places_stay_empty() -> None:
    figure = garment_grid(torch.zeros(5, 28, 28), list("abcde"), right=[True, False, True, True, False], columns=4)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["✓ a", "✗ b", "✓ c", "✓ d", "✗ e", "", "", ""]
    assert "3 of 5" in figure.alt


def test_the_true_name_stands_under_a_wrong_caption_only() -> None:
    figure = garment_grid(torch.zeros(2, 28, 28), ["Bag", "Coat"], right=[True, False], truth=["Bag", "Shirt"])
    assert [axes.get_title().strip() for axes in figure.axes[:2]] == ["✓ Bag", "✗ Coat\n(Shirt)"]


@pytest.mark.parametrize(("guess", "place"), [(50, 2.0), (..., None), (0, None)])
def test_a_guessed_ratio_is_drawn_where_the_last_bar_would_end(guess: object, place: float | None) -> None:
    lines = feeding({"PIL": 100.0, "in memory": 1.0}, guess=guess).axes[0].lines
    assert [np.asarray(line.get_xdata())[0] for line in lines] == ([] if place is None else [place])
