"""The keys of notebook 01 against figures others published and against torch; published figures and their sources."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from tools.paths import ASSETS
from vgg_lesson.checks.depth import first_layer_stack
from vgg_lesson.checks.fields import corner_of_pool4, detector_layers, field_of
from vgg_lesson.checks.melting import merge
from vgg_lesson.published import published, source


def test_detector_sees_what_its_paper_says() -> None:
    assert field_of(detector_layers()) == published("rpn_receptive_field")["zfnet"]


@pytest.mark.parametrize("name", ["pool3", "pool4"])
def test_corner_cell_sees_the_pixels_with_a_gradient(name: str) -> None:
    # Positive weights and average pooling: no path from a pixel to the cell cancels or is left out.
    blocks = {"pool3": (1, 1, 2), "pool4": (1, 1, 2, 2)}[name]
    layers: list[nn.Module] = []
    for count in blocks:
        layers += [nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(count)] + [nn.AvgPool2d(2)]
    network = nn.Sequential(*layers).double()
    for weight in network.parameters():
        nn.init.ones_(weight)
    image = torch.ones(1, 1, 224, 224, dtype=torch.float64, requires_grad=True)
    network(image)[0, 0, 0, 0].backward()
    assert image.grad is not None
    assert corner_of_pool4(name) == int((image.grad[0, 0, 0] > 0).sum())


def test_merged_kernel_does_the_work_of_two() -> None:
    first, second, image = torch.randn(3, 3), torch.randn(3, 3), torch.randn(1, 1, 12, 12)
    twice = conv2d(conv2d(image, first[None, None]), second[None, None])
    assert torch.allclose(conv2d(image, merge(first, second)[None, None]), twice, atol=1e-4)


def test_first_layer_stack_counts_weights_only() -> None:
    layers = [nn.Conv2d(a, 64, 3, bias=False, device="meta") for a in (3, 64, 64)]
    assert first_layer_stack() == sum(layer.weight.numel() for layer in layers)


def test_every_published_figure_has_a_source() -> None:
    keys = json.loads((ASSETS / "published.json").read_text(encoding="utf-8"))
    assert all(len(source(key).split()) > 2 for key in keys)


def test_an_unknown_published_figure_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'nothing'.*rpn_receptive_field"):
        published("nothing")
