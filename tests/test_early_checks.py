"""Predictions and hints of notebooks 00, 01 and 04: each computed letter stands before the option that it means."""

from __future__ import annotations

import nbformat
import pytest

from tools.paths import NOTEBOOKS
from vgg_lesson import check


@pytest.mark.parametrize(
    ("stem", "name", "option"),
    [
        ("00_start_here", "blind_answer", "one in ten"),
        ("01_why_depth", "contest_2014", "second place in classification and first in localisation"),
        ("01_why_depth", "three_small_or_one_large", "a little more than half"),
        ("01_why_depth", "linear_stack", "yes, except near the border of the picture"),
        ("01_why_depth", "field_after_pool5", "150 pixels"),
        ("01_why_depth", "what_bends_are_worth", "B to C"),
        ("04_data", "early_share", "about half"),
        ("04_data", "smallest_side", "32"),
        ("04_data", "black_pixel", "about −0.8"),
    ],
)
def test_the_right_letter_stands_before_the_right_option(stem: str, name: str, option: str) -> None:
    letter = check.EXERCISES[name].solution()
    assert check.EXERCISES[name](letter).status == "right"
    cells = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells
    assert any(f"- **{letter}** {option}" in cell.source.splitlines() for cell in cells)


@pytest.mark.parametrize("answer", [(47, 12), (47.04, 12.04), (44.9, 11.2), (47_000_000, 12_000_000_000)])
def test_a_size_in_another_unit_or_rounded_is_told_so(answer: tuple[float, float]) -> None:
    assert "in bytes, exactly" in check.training_set_bytes(answer).message


def test_a_wrong_size_is_not_taken_for_another_unit() -> None:
    assert "one image" in check.training_set_bytes((784, 200_704)).message
    assert check.training_set_bytes((47_040_000, 12_042_240_000)).status == "right"
