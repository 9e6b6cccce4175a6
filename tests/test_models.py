"""The networks against torchvision's, weight for weight and logit for logit; initialisation; refused arguments."""

from __future__ import annotations

import gc
import math
import re
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from tests.marks import long
from vgg_lesson.configs import CONFIGS, Conv, VGGConfig
from vgg_lesson.models import VGG, VGGBlock, build_vgg, class_vgg, evaluating, initialize, load_torchvision_weights
from vgg_lesson.state_names import vgg_names

SMALL: dict[str, Any] = {"in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.05, "hidden": 16}
LAYOUTS = {"vgg11": "VGG-11", "vgg13": "VGG-13", "vgg16": "VGG-16", "vgg19": "VGG-19"}


def block(model: VGG, number: int) -> list[Any]:
    """The layers of one block, counted from 1."""
    return list(list(model.features.children())[number - 1].children())


def torchvision_network(name: str) -> nn.Module:
    """torchvision's network with random weights of a scale that lets the signal through, batch norm's included."""
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    model.to_empty(device="cpu")
    for tensor in model.state_dict().values():
        if tensor.ndim > 1:
            tensor.uniform_(-1, 1).mul_(math.sqrt(6 / tensor[0].numel()))
        elif tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
        else:
            tensor.zero_()
    return model.eval()


@pytest.mark.parametrize("suffix", ["", "_bn"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "vgg16" else long) for name in LAYOUTS])
def test_torchvisions_weights_give_torchvisions_logits(name: str, suffix: str) -> None:
    torch.manual_seed(0)
    theirs = torchvision_network(name + suffix)
    ours = build_vgg(LAYOUTS[name], batch_norm=bool(suffix), device="meta")
    assert load_torchvision_weights(ours, theirs.state_dict()) is ours
    for mine, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert mine.data_ptr() == other.data_ptr() and torch.equal(mine, other)
    images = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        expected, actual = theirs(images), ours.eval()(images)
    assert expected.std() > 1e-3
    torch.testing.assert_close(actual, expected)
    del theirs, ours
    gc.collect()


# VGG-11's convolutions with its pools in other places.
MOVED = VGGConfig(
    "pools elsewhere",
    tuple(tuple(map(Conv, block)) for block in ((64, 128), (256,), (256,), (512,), (512, 512, 512))),
)


def as_torchvision(model: VGG) -> dict[str, torch.Tensor]:
    """The weights under torchvision's names: one flat ``features``."""
    return {theirs: model.state_dict()[ours] for ours, theirs in vgg_names(model)["torchvision's"].items()}


def test_a_block_can_be_sliced() -> None:
    block = class_vgg().features[2]
    assert isinstance(block, VGGBlock) and len(block[:3]) == 3 and block[0] is block[:3][0]


def test_evaluating_restores_the_mode_even_after_an_error() -> None:
    model = class_vgg().train()
    with pytest.raises(RuntimeError), evaluating(model):
        assert not model.training and not torch.is_grad_enabled()
        raise RuntimeError
    assert model.training


def test_weights_are_copied_into_a_network_that_has_its_own() -> None:
    arguments = {**SMALL, "image_size": 224}
    source, target = build_vgg(**arguments), build_vgg(**arguments)
    load_torchvision_weights(target, as_torchvision(source))
    for mine, other in zip(target.state_dict().values(), source.state_dict().values(), strict=True):
        assert torch.equal(mine, other) and mine.data_ptr() != other.data_ptr()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 32}, "1×1 grid .*image_size 224 to 255"),
        ({"image_size": 256}, "8×8 grid"),
        ({"image_size": 224, "head": "gap"}, "head='gap'"),
        ({"image_size": 224, "config": "VGG-13"}, "does not fit this VGG-13: .*8 convolutions, this network 10"),
        ({"image_size": 224, "batch_norm": True}, "does not fit this VGG-11: .*without batch norm: batch_norm=False"),
        (
            {"image_size": 224, "num_classes": 9},
            r"VGG-11: classifier\.6\.weight has shape \(10, 16\), this network has \(9, 16\); classifier\.6\.bias",
        ),
        ({"image_size": 224, "config": "VGG-11-LRN"}, r"does not fit this VGG-11-LRN: features\.4\.weight is missing"),
        ({"image_size": 224, "config": MOVED}, "does not fit this pools elsewhere: features"),
    ],
)
def test_weights_of_another_network_are_refused(changes: dict[str, Any], message: str) -> None:
    source = as_torchvision(build_vgg(**{**SMALL, "image_size": 224}, device="meta"))
    with pytest.raises(ValueError, match=message):
        load_torchvision_weights(build_vgg(**{**SMALL, **changes}, device="meta"), source)


@pytest.fixture(scope="module")
def layers() -> nn.Sequential:
    """A convolution and a linear layer large enough for statistics."""
    return nn.Sequential(nn.Conv2d(48, 96, 3), nn.Flatten(), nn.Linear(900, 300))


@pytest.mark.parametrize("scheme", ["he", "xavier", "paper", "pytorch"])
def test_a_scheme_draws_what_its_source_says(layers: nn.Sequential, scheme: str) -> None:
    torch.manual_seed(0)
    assert initialize(layers, scheme) is layers
    cases: list[tuple[Any, int, int]] = [(layers[0], 9 * 48, 9 * 96), (layers[2], 900, 300)]
    for layer, fan_in, fan_out in cases:
        variance = {
            "he": 2 / fan_in, "xavier": 2 / (fan_in + fan_out), "paper": 1e-2, "pytorch": 1 / (3 * fan_in),
        }[scheme]  # fmt: skip
        weight = layer.weight.detach().flatten()
        assert weight.var().item() == pytest.approx(variance, rel=0.03)
        assert abs(weight.mean().item()) < 4 * math.sqrt(variance / weight.numel())
        kurtosis = ((weight / weight.std()) ** 4).mean().item()
        assert kurtosis == pytest.approx(3.0 if scheme in ("he", "paper") else 1.8, abs=0.15)
        bound = 0.0 if scheme != "pytorch" else 1 / math.sqrt(fan_in)
        assert layer.bias.abs().max() <= bound
        assert (layer.bias.abs().max() > 0.5 * bound) == (scheme == "pytorch")


def test_the_same_seed_draws_the_same_weights_and_batch_norm_starts_afresh() -> None:
    first, second = (_seeded_class_network() for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    norm: Any = block(first, 1)[1]
    nn.init.constant_(norm.running_mean, 3)
    nn.init.constant_(norm.weight, 3)
    initialize(first, "he")
    assert norm.running_mean.eq(0).all() and norm.weight.eq(1).all()


def _seeded_class_network() -> VGG:
    torch.manual_seed(3)
    return class_vgg(width=0.05)


def test_the_default_is_he_and_the_meta_device_has_no_weights() -> None:
    torch.manual_seed(0)
    default = build_vgg(**SMALL)
    torch.manual_seed(0)
    he = build_vgg(**SMALL, init="he")
    assert all(torch.equal(a, b) for a, b in zip(default.parameters(), he.parameters(), strict=True))
    assert all(p.is_meta for p in build_vgg("VGG-19", device="meta").parameters())


def test_the_class_network_is_the_one_the_lesson_describes() -> None:
    network = class_vgg(device="meta")
    assert sum(p.numel() for p in network.parameters()) == 910_666 + 2 * (16 + 32 + 2 * 64 + 4 * 128)
    assert network(torch.empty(2, 1, 32, 32, device="meta")).shape == (2, 10)
    assert block(class_vgg("VGG-13", width=0.5, device="meta"), 1)[0].out_channels == 32
    assert network.preprocessing.image_size == 32


def test_settings_build_the_same_network_again() -> None:
    network = class_vgg("VGG-16-1x1", head="gap", device="meta")
    again = build_vgg(**network.network, device="meta")
    assert repr(again) == repr(network)


def test_blocks_hold_the_papers_layers_in_the_papers_order() -> None:
    lrn = block(build_vgg("VGG-11-LRN", device="meta"), 1)
    assert [type(layer) for layer in lrn] == [nn.Conv2d, nn.ReLU, nn.LocalResponseNorm, nn.MaxPool2d]
    assert (lrn[2].size, lrn[2].alpha, lrn[2].beta, lrn[2].k) == (5, 5e-4, 0.75, 2)
    normed: list[Any] = list(VGGBlock(3, (Conv(4), Conv(5)), batch_norm=True))
    assert [type(layer) for layer in normed[:3]] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert normed[0].bias is not None
    pointwise = block(build_vgg("VGG-16-1x1", device="meta"), 3)[4]
    assert (pointwise.kernel_size, pointwise.padding) == ((1, 1), (0, 0))


def test_dropout_follows_both_hidden_layers_and_sleeps_in_evaluation() -> None:
    network = build_vgg(**SMALL, dropout=0.3)
    kinds = [type(layer) for layer in network.classifier]
    hidden = [nn.Linear, nn.ReLU, nn.Dropout]
    assert kinds == [nn.Flatten, *hidden, *hidden, nn.Linear]
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.3}
    images = torch.rand(4, 1, 32, 32)
    network.eval()
    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("name", CONFIGS)
def test_gap_takes_larger_pictures_and_fc_refuses_them(name: str) -> None:
    larger = torch.empty(1, 1, 48, 64, device="meta")
    assert build_vgg(name, **{**SMALL, "head": "gap"}, device="meta")(larger).shape == (1, 10)
    with pytest.raises(ValueError, match=re.escape("(1, 1, 48, 64); this network expects (batch, 1, 32, 32)")):
        build_vgg(name, **SMALL, device="meta").check_input(larger)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 32, 32), r"four axes .*images\[None\]"),
        ((2, 3, 32, 32), r"expects \(batch, 1, 32, 32\)"),
        ((2, 1, 28, 28), r"expects \(batch, 1, 32, 32\)"),
    ],
)
def test_a_picture_of_another_shape_is_answered_with_the_right_one(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_vgg(**SMALL, device="meta").check_input(torch.empty(shape, device="meta"))


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, {"config": "vgg11"}, "config='vgg11' .*VGG-11"),
        (ValueError, {"image_size": 28}, "image_size=28 .*smallest legal size is 32"),
        (ValueError, {"dropout": 1}, "dropout=1 .*below 1"),
        (ValueError, {"dropout": -0.1}, "dropout=-0.1 .*at least 0"),
        (TypeError, {"dropout": "half"}, "dropout='half' .*number"),
        (ValueError, {"dropout": 1.0, "head": "gap"}, "dropout=1.0"),
        (ValueError, {"init": "kaiming"}, "init='kaiming' .*he, xavier, paper, pytorch"),
        (ValueError, {"device": "gpu"}, "device='gpu' .*cpu"),
        (TypeError, {"width": None}, "width=None .*number above 0"),
    ],
)
def test_a_bad_argument_is_named_with_what_would_do(
    error: type[Exception], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(error, match=message):
        build_vgg(**{**SMALL, **arguments})


def test_an_unknown_scheme_is_refused_before_a_weight_changes() -> None:
    layer = nn.Linear(2, 2)
    before = layer.weight.clone()
    with pytest.raises(ValueError, match=r"scheme='zeros' .*he, xavier, paper, pytorch"):
        initialize(layer, "zeros")
    assert torch.equal(layer.weight, before)
