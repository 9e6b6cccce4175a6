"""What the figures of the costs say of themselves, and that the memory bill is a floor of what autograd keeps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from vgg_lesson import build_vgg, memory, trace
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.figures.parameter_arithmetic import _shared_out

POST: dict[str, Any] = {"in_channels": 1, "num_classes": 10}


def test_a_hundred_squares_are_shared_out_in_proportion() -> None:
    assert _shared_out([797, 130, 1, 72], 100) == [80, 13, 0, 7]
    assert _shared_out([1, 1, 1], 100) == [34, 33, 33]


def test_figures_state_their_finding() -> None:
    post, gap = trace("VGG-11", **POST), trace("VGG-11", **POST, head="gap")
    assert "fc6 79.8%" in fig.parameter_squares(post).alt
    assert "640 parameters" in fig.filter_bank(64).alt
    assert "conv3_2 and conv4_2 do 24.5% each" in fig.three_costs(post).alt
    assert "parameters ÷14, MACs ÷1.0" in fig.cheaper_networks({"post": post, "gap": gap}).alt
    bars = fig.memory_bars({"post": memory(post, 128), "one picture": memory(post, 1)}, {"8 GB": 8})
    assert "mostly activations" in bars.alt and "post: 6.16 GB" in bars.alt


@pytest.mark.parametrize("batch_norm", [False, True])
def test_autograd_keeps_the_bills_activations_and_the_positions_of_the_pools(batch_norm: bool) -> None:
    architecture: dict[str, Any] = {**POST, "batch_norm": batch_norm}
    network = build_vgg("VGG-11", **architecture, device="meta")
    weights = {tensor.untyped_storage()._cdata for tensor in network.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        network(torch.empty(1, 1, 224, 224, device="meta"))
    saved = sum(size for storage, size in kept.items() if storage not in weights)
    counted = trace("VGG-11", **architecture)
    positions = 8 * sum(row.activations for row in counted.rows if row.kind == "pool")
    assert abs(saved - (memory(counted, 1).activations + positions)) < 0.01 * saved
