"""Answers to notebooks 02 and 03 that no table of mistakes can list: a wrong form, an error, a fraction."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from vgg_lesson import build_vgg, check

PAIRS = [(64, 112), (128, 56), (256, 28), (512, 14), (512, 7)]


def listed(in_channels: int, out_channels: int, num_convs: int) -> list[nn.Module]:
    """The layers of a block, but not in an nn.Sequential."""
    convs = [nn.Conv2d(out_channels if i else in_channels, out_channels, 3, padding=1) for i in range(num_convs)]
    return [layer for conv in convs for layer in (conv, nn.ReLU())] + [nn.MaxPool2d(2)]


class OwnBlock(nn.Module):
    """The same block as a module with a forward of its own, built from functions."""

    def __init__(self, in_channels: int, out_channels: int, num_convs: int):
        super().__init__()
        reads = [in_channels, *[out_channels] * (num_convs - 1)]
        self.convs = nn.ModuleList(nn.Conv2d(channels, out_channels, 3, padding="same") for channels in reads)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The maps after every convolution, bent, and the pool."""
        for conv in self.convs:
            maps = conv(maps).relu()
        return nn.functional.max_pool2d(maps, 2)


def lazy(in_channels: int, out_channels: int, num_convs: int) -> nn.Sequential:
    """The block with convolutions that find out what they read."""
    pairs = [(nn.LazyConv2d(out_channels, 3, padding=1), nn.ReLU(inplace=True)) for _ in range(num_convs)]
    return nn.Sequential(*(layer for pair in pairs for layer in pair), nn.MaxPool2d(2))


def dropped(*case: int) -> nn.Sequential:
    """The block with a layer too many, one that does something only while training."""
    return nn.Sequential(*listed(*case), nn.Dropout())


half_done: Any = ...


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
        ("write_vgg_block", lambda *case: "block", "text"),
        ("write_vgg_block", lambda i, o, n: nn.Sequential(nn.Conv2d(i + 1, o, 3)), "does not get through"),
        ("write_vgg_block", lambda i, o, n: nn.Conv2d(i, o + half_done, 3), "One ... is left"),
        ("write_vgg_block", dropped, 'check.hint("2.2")'),
        ("one_by_one_conv", lambda image, weight: weight @ image, "each pixel is one column"),
        ("one_by_one_conv", lambda image, weight: weight.T @ image.flatten(1), "the wrong way round"),
        ("one_by_one_conv", lambda image, weight: torch.einsum("oc,chw->owh", weight, image), "(2, 4, 5) is expected"),
        ("block_shapes", [*PAIRS[:4], (512, 8)], "Right so far: block 1, block 2, block 3, block 4."),
        ("head_lengths", (25_088, 4096, 2048, 1000), "Right so far: the flattened row, the first layer, the third."),
        ("write_a_table", [2, 2, 2, 2, 3], "A list of pairs"),
        ("write_a_table", [(2.5, 64), (2, 128), (2, 256), (2, 512), (2.5, 512)], "whole numbers"),
        ("write_a_table", [(1, 64)] * 11, "a block per layer"),
        ("largest_batch", 7.45, "whole number"),
        ("largest_batch", 7.4, "whole number"),
    ],
)
def test_the_usual_slip_gets_its_own_hint(name: str, answer: Any, hint: str) -> None:
    verdict = check.EXERCISES[name](answer)
    assert verdict.status == ("not answered yet" if "..." in hint else "wrong") and hint in verdict.message


def test_right_answers_in_other_forms_stay_right() -> None:
    assert check.block_shapes(PAIRS).status == "right"
    assert check.head_lengths([25_088, 4096, 4096, 1000]).status == "right"
    assert check.one_by_one_conv(lambda image, weight: torch.einsum("oc,chw->ohw", weight, image)).status == "right"
    assert check.largest_batch(7.0).status == "right"
    assert check.write_vgg_block(OwnBlock).status == "right"
    assert check.write_vgg_block(lazy).status == "right"


@pytest.mark.parametrize("counts", [(1, 1, 1, 1, 7), (3, 2, 2, 2, 2), (2, 2, 2, 2, 3)])
def test_every_table_of_the_right_depth_is_right(counts: tuple[int, ...]) -> None:
    assert check.write_a_table(list(zip(counts, (64, 128, 256, 512, 512), strict=True))).status == "right"


def test_a_check_leaves_the_random_numbers_of_the_notebook_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    check.write_vgg_block(OwnBlock)
    assert torch.equal(torch.rand(1), expected)


def test_without_its_pool_block_5_hands_four_times_as_many_numbers_on() -> None:
    network = build_vgg("VGG-11", device="meta")
    picture = torch.empty(1, 3, 224, 224, device="meta")
    before, weights = network.features(picture).numel(), sum(w.numel() for w in network.features.parameters())
    block = network.features[4]
    assert isinstance(block, nn.Sequential)
    block[-1] = nn.Identity()
    assert network.features(picture).numel() == 4 * before
    assert sum(w.numel() for w in network.features.parameters()) == weights
