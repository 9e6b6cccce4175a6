"""The keys of notebook 01 against figures others published and against torch; published figures and their sources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from tools.paths import ASSETS, NOTEBOOKS
from vgg_lesson import check, trace
from vgg_lesson.classroom.checks.why_depth import first_layer_stack, two_threes_or_one_five
from vgg_lesson.classroom.checks.why_depth_fields import (
    corner_of_pool4,
    detector_layers,
    field_doubled,
    field_of,
    fields_by_layer,
    without_pool,
)
from vgg_lesson.classroom.checks.why_depth_melting import merge
from vgg_lesson.records.published import published, source


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


def test_the_wrong_list_is_what_doubling_the_field_gives() -> None:
    wrong, right = fields_by_layer("VGG-16", field_doubled), fields_by_layer("VGG-16")
    cells = [cell.source for cell in nbformat.read(NOTEBOOKS / "01_why_depth.ipynb", as_version=4).cells]
    (exercise,) = (source for source in cells if "the first wrong number" in source)
    listed = re.findall(r"\b(conv\d_\d|pool\d) (\d+)", exercise)
    assert len(listed) == 7 and all(wrong[name] == int(field) for name, field in listed)
    assert f"pool5 of VGG-16 sees {right['pool5']} pixels" in exercise
    assert wrong["pool5"] == 308 and right == {
        r.name: r.receptive_field for r in trace("VGG-16").rows if r.name in right
    }


def test_pools_taken_out_leave_what_the_solution_says() -> None:
    assert [without_pool(number) for number in range(1, 6)] == [76, 78, 86, 102, 134]


def from_the_back(layers: list[tuple[int, int]]) -> int:
    """The same field, walked from the last layer to the first."""
    field = 1
    for window, stride in reversed(layers):
        field = (field - 1) * stride + window
    return field


def test_another_way_to_the_field_is_right_and_a_list_of_fields_gets_advice() -> None:
    assert check.recurrence(from_the_back).status == "right"
    assert "several values" in check.recurrence(lambda layers: [field_of(layers)]).message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda a, b: merge(a, b)[None, None], "index the first axes away"),
        (lambda a, b: torch.kron(a, b), "how many pixels do two kernels in a row see"),
        (lambda a, b: conv2d(a, b), "stopped with RuntimeError"),
    ],
)
def test_a_kernel_of_another_form_gets_advice(answer: Callable[..., Any], hint: str) -> None:
    verdict = check.merge_two_kernels(answer)
    assert verdict.status == "wrong" and hint in verdict.message


def test_half_of_a_pair_of_counts_is_recognised() -> None:
    _, five = two_threes_or_one_five()
    assert check.two_threes_or_one_five((1, five)).message.startswith("Right so far: the 5×5.")
    assert "Right so far" not in check.two_threes_or_one_five((1, 2)).message


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
