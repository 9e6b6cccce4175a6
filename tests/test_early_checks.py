"""Notebooks 00, 01, 03 and 04: slips no table can list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vgg_lesson import check


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
