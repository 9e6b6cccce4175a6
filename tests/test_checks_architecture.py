"""Answers to notebooks 02 and 03 that no table of mistakes can list: a wrong form, an error, a fraction."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from vgg_lesson import check

PAIRS = [(64, 112), (128, 56), (256, 28), (512, 14), (512, 7)]


def listed(in_channels: int, out_channels: int, num_convs: int) -> list[nn.Module]:
    """The layers of a block, but not in an nn.Sequential."""
    convs = [nn.Conv2d(out_channels if i else in_channels, out_channels, 3, padding=1) for i in range(num_convs)]
    return [layer for conv in convs for layer in (conv, nn.ReLU())] + [nn.MaxPool2d(2)]


def nested(*case: int) -> nn.Sequential:
    """The layers handed over as one list, which nn.Sequential refuses."""
    layers: Any = listed(*case)
    return nn.Sequential(layers)


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("block_shapes", [(c, s, s) for c, s in PAIRS], "without the second side"),
        ("block_shapes", [112, 56, 28, 14, 7], "without the second side"),
        ("block_shapes", PAIRS[:4], "Five pairs"),
        ("write_vgg_block", listed, "Wrap the layers in nn.Sequential"),
        ("write_vgg_block", lambda *case: nn.ModuleList(listed(*case)), "Wrap the layers in nn.Sequential"),
        ("write_vgg_block", nested, "a star unpacks a list"),
        ("one_by_one_conv", lambda image, weight: weight @ image, "each pixel is one column"),
        ("largest_batch", 7.45, "whole number"),
        ("largest_batch", 7.4, "whole number"),
    ],
)
def test_the_usual_slip_gets_its_own_hint(name: str, answer: Any, hint: str) -> None:
    verdict = check.EXERCISES[name](answer)
    assert verdict.status == "wrong" and hint in verdict.message


def test_right_answers_in_other_forms_stay_right() -> None:
    assert check.block_shapes(PAIRS).status == "right"
    assert check.head_lengths([25_088, 4096, 4096, 1000]).status == "right"
    assert check.one_by_one_conv(lambda image, weight: torch.einsum("oc,chw->ohw", weight, image)).status == "right"
    assert check.largest_batch(7.0).status == "right"
