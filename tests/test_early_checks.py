"""Notebooks 00, 01, 03 and 04: computed letters stand before the option that they mean; slips no table can list."""

from __future__ import annotations

from collections.abc import Callable

import nbformat
import pytest
import torch

from tools.paths import NOTEBOOKS
from vgg_lesson import check


@pytest.mark.parametrize(
    ("stem", "name", "option"),
    [
        ("00_start_here", "blind_answer", "one in ten"),
        ("01_why_depth", "contest_2014", "second place in classification and first in localisation"),
        ("01_why_depth", "three_small_or_one_large", "a little more than half"),
        ("01_why_depth", "linear_stack", "yes, except near the border of the image"),
        ("01_why_depth", "field_after_pool5", "150 pixels"),
        ("01_why_depth", "first_wrong_field", "the 10 of pool1"),
        ("01_why_depth", "pool_taken_out", "pool1"),
        ("01_why_depth", "what_bends_are_worth", "B to C"),
        ("02_architecture", "pool_left_out", "`fc6` needs four times as many weights, the other layers stay"),
        ("03_parameter_arithmetic", "guess_heaviest_part", "fc6, the first fully connected layer"),
        ("03_parameter_arithmetic", "guess_fc6_macs", "less than a fiftieth"),
        ("03_parameter_arithmetic", "guess_macs_at_112", "they fall to about a quarter"),
        ("03_parameter_arithmetic", "guess_quarter_width", "to about a third"),
        ("03_parameter_arithmetic", "average_pool_head", "a much smaller file, and answers about as slow as before"),
        ("03_parameter_arithmetic", "guess_biggest_memory_item", "the outputs, called activations"),
        (
            "04_data",
            "shuffled_test",
            "the accuracy stays, but the fifth answer no longer belongs to the fifth image of the set",
        ),
        ("04_data", "what_enlarging_adds", "just as much"),
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


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("accuracy_of", lambda predicted, labels: (predicted == labels).mean(), ".float() makes them"),
        ("accuracy_of", lambda predicted, labels: (predicted == labels).float().item(), "take their mean"),
        ("accuracy_of", lambda predicted, labels: (predicted == labels).all(), "whether all agree"),
        ("accuracy_of", torch.equal, "whether all agree"),
        ("normalise_images", lambda images: ((images.unsqueeze(1) / 255 - 0.2860) / 0.3530).double(), "float32"),
        ("conv_params", lambda kernel, c_in, c_out, bias: f"{(kernel**2 * c_in + bias) * c_out:,}", "the text"),
    ],
)
def test_a_result_of_the_wrong_kind_is_told_so(name: str, answer: Callable[..., object], advice: str) -> None:
    verdict = check.EXERCISES[name](answer)
    assert verdict.status == "wrong" and advice in verdict.message


def test_changes_that_are_rounded_are_told_so_and_wrong_ones_are_not() -> None:
    exact = check.EXERCISES["moved_layer"].solution()
    assert "every digit" in check.moved_layer(tuple(round(change / 1e6, 2) for change in exact)).message
    assert "every digit" in check.moved_layer(tuple(round(change, -5) for change in exact)).message
    assert "biases" in check.moved_layer((exact[0] - 256, exact[1])).message
    assert "every digit" not in check.moved_layer((exact[0], -exact[1])).message


def test_a_grey_frame_needs_no_fraction() -> None:
    assert check.frame_grey(73).status == check.frame_grey(0.2860 * 255).status == "right"
    assert check.frame_grey(72).status == check.frame_grey(74).status == "wrong"
