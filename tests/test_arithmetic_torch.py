"""The counting module against torch: random networks on the meta device, FLOPs, and windows measured by gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vgg_lesson.arithmetic import LayerTrace, trace
from vgg_lesson.configs import CONFIGS, Conv, VGGConfig
from vgg_lesson.models import VGG, build_vgg

KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "conv",
    nn.BatchNorm2d: "batch_norm",
    nn.LocalResponseNorm: "lrn",
    nn.MaxPool2d: "pool",
    nn.AdaptiveAvgPool2d: "gap",
    nn.Linear: "linear",
}


@st.composite
def networks(draw: st.DrawFn) -> tuple[VGGConfig, dict[str, Any]]:
    """A random layout and random arguments that describe a legal network."""
    conv = st.builds(Conv, st.integers(1, 12), st.sampled_from([1, 3, 5, 7]))
    blocks = draw(st.lists(st.lists(conv, min_size=1, max_size=3).map(tuple), min_size=1, max_size=5).map(tuple))
    smallest = 2 ** len(blocks)
    return VGGConfig("random", blocks, lrn=draw(st.booleans())), {
        "in_channels": draw(st.integers(1, 4)),
        "num_classes": draw(st.integers(1, 12)),
        "image_size": draw(st.integers(smallest, smallest + 40)),
        "width": draw(st.sampled_from([0.05, 0.25, 0.5, 1, 1.37, 2.0])),
        "batch_norm": draw(st.booleans()),
        "hidden": draw(st.integers(1, 20)),
        "head": draw(st.sampled_from(["fc", "gap"])),
    }


def shapes_in_forward(model: VGG) -> list[tuple[str, tuple[int, ...], int]]:
    """Kind, output shape of one image and number of parameters of every counted layer, in the order of the forward."""
    seen: list[tuple[str, tuple[int, ...], int]] = []

    def note(layer: nn.Module, _: Any, output: Tensor) -> None:
        shape = tuple(output.shape[1:2]) if isinstance(layer, nn.AdaptiveAvgPool2d) else tuple(output.shape[1:])
        seen.append((KINDS[type(layer)], shape, sum(p.numel() for p in layer.parameters())))

    hooks = [layer.register_forward_hook(note) for layer in model.modules() if type(layer) in KINDS]
    model(picture(model))
    for hook in hooks:
        hook.remove()
    return seen


def picture(model: VGG, batch: int = 2) -> Tensor:
    """Images of the size that ``model`` takes, on the meta device."""
    side = model.network.image_size
    return torch.empty(batch, model.network.in_channels, side, side, device="meta")


def counted_flops(model: VGG) -> int:
    """What torch's own counter says of the forward pass of one image; two FLOPs per multiply-accumulate."""
    with FlopCounterMode(display=False) as counter:
        model(picture(model, batch=1))
    return counter.get_total_flops()


@settings(deadline=None, max_examples=60)
@given(networks())
def test_every_layer_of_a_random_network_is_counted_as_torch_builds_it(
    network: tuple[VGGConfig, dict[str, Any]],
) -> None:
    config, arguments = network
    counted = trace(config, **arguments)
    model = build_vgg(config, **arguments, device="meta").eval()
    assert [(row.kind, row.output_shape, row.params) for row in counted.rows[1:]] == shapes_in_forward(model)
    assert all(row.activations == torch.Size(row.output_shape).numel() for row in counted.rows)
    assert counted.total_params == sum(p.numel() for p in model.parameters())
    assert counted.fc_params == sum(p.numel() for p in model.classifier.parameters())
    assert 2 * counted.total_macs == counted_flops(model)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_papers_networks_are_counted_as_torch_builds_them(name: str, batch_norm: bool) -> None:
    counted = trace(name, batch_norm=batch_norm)
    model = build_vgg(name, batch_norm=batch_norm, device="meta").eval()
    assert [(row.kind, row.output_shape, row.params) for row in counted.rows[1:]] == shapes_in_forward(model)
    assert 2 * counted.total_macs == counted_flops(model)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple)
)
def test_receptive_field_and_jump_are_where_the_gradient_is_not_zero(kernels: tuple[tuple[int, ...], ...]) -> None:
    config = VGGConfig("small", tuple(tuple(Conv(1, kernel) for kernel in block) for block in kernels))
    widest = max(row.receptive_field or 0 for row in trace(config, in_channels=1, image_size=64).rows)
    side = (widest // 2 ** len(kernels) + 4) * 2 ** len(kernels)
    counted = trace(config, in_channels=1, image_size=side)
    layers = transparent(build_vgg(config, in_channels=1, num_classes=2, image_size=side, head="gap"))
    for depth, row in enumerate(grid_rows(counted), 1):
        here, next_to_it = (seen(layers[:depth], side, step) for step in (0, 1))
        assert len(here) == row.receptive_field
        assert next_to_it.start - here.start == row.jump


def transparent(model: VGG) -> nn.Sequential:
    """The convolutions and pools alone, with positive weights and averages, so that no path vanishes."""
    layers = [layer for layer in model.features.modules() if isinstance(layer, nn.Conv2d | nn.MaxPool2d)]
    for conv in (layer for layer in layers if isinstance(layer, nn.Conv2d)):
        nn.init.ones_(conv.weight)
    return nn.Sequential(*(nn.AvgPool2d(2) if isinstance(layer, nn.MaxPool2d) else layer for layer in layers)).double()


def grid_rows(counted: LayerTrace) -> list[Any]:
    """Convolutions and pools in order."""
    return [row for row in counted.rows if row.kind in ("conv", "pool")]


def seen(layers: nn.Module, side: int, step: int) -> range:
    """The columns of the input that a cell ``step`` to the right of the middle reads."""
    image = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    output = layers(image)
    middle = output.shape[-1] // 2 - 1
    output[0, 0, middle, middle + step].backward()
    assert image.grad is not None
    columns = image.grad[0, 0].ne(0).any(dim=0).nonzero().flatten().tolist()
    assert columns == list(range(columns[0], columns[-1] + 1)) and columns[0] > 0 and columns[-1] < side - 1
    return range(columns[0], columns[-1] + 1)
