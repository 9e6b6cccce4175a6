"""Names decide, never positions: every layout a VGG's weights travel in, and what is said of those that do not fit."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vgg_lesson import VGG, build_vgg, load_torchvision_weights, load_weights, save_weights
from vgg_lesson.state_names import vgg_names

SMALL: dict[str, Any] = {"in_channels": 1, "num_classes": 10, "width": 0.05, "hidden": 16}
State = Mapping[str, Tensor]


def network(seed: int = 0, **changes: Any) -> VGG:
    torch.manual_seed(seed)
    return build_vgg(**{**SMALL, "batch_norm": True, **changes})


def theirs(model: VGG, layout: str = "torchvision's") -> dict[str, Tensor]:
    """A network's weights as they come out of another package."""
    return {there: model.state_dict()[here].clone() for here, there in vgg_names(model)[layout].items()}


def as_timm(model: VGG) -> dict[str, Tensor]:
    """timm keeps the first two linear layers as convolutions."""
    found = theirs(model, "timm's")
    found["pre_logits.fc1.weight"] = found["pre_logits.fc1.weight"].reshape(16, -1, 7, 7)
    found["pre_logits.fc2.weight"] = found["pre_logits.fc2.weight"].reshape(16, 16, 1, 1)
    return found


def shuffled(state: State) -> dict[str, Tensor]:
    names = list(state)
    random.Random(0).shuffle(names)
    return {name: state[name] for name in names}


def in_safetensors_order(state: State) -> dict[str, Tensor]:
    return dict(sorted(state.items(), key=lambda item: (item[1].dtype.itemsize, item[0])))


def before(prefix: str) -> Callable[[State], dict[str, Tensor]]:
    return lambda state: {prefix + name: tensor for name, tensor in state.items()}


CHANGED: dict[str, Callable[[State], Any]] = {
    "as they are": dict,
    "of a file from before num_batches_tracked": lambda state: {
        name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")
    },
    "in any order": shuffled,
    "in safetensors' order": in_safetensors_order,
    "the first layer put in again": lambda state: {**dict(list(state.items())[3:]), **dict(list(state.items())[:3])},
    "DataParallel": before("module."),
    "compiled": before("_orig_mod."),
    "compiled in DataParallel": before("module._orig_mod."),
    "features alone in DataParallel": lambda state: {
        name.replace("features.", "features.module."): tensor for name, tensor in state.items()
    },
    "averaged": lambda state: {"n_averaged": torch.tensor(3), **before("module.")(state)},
    "Lightning": before("model."),
    "part of a larger network": before("backbone.body."),
    "a checkpoint": lambda state: {"epoch": 3, "state_dict": dict(state), "optimizer": {"lr": 0.1}},
    "double precision": lambda state: {
        name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in state.items()
    },
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("change", CHANGED)
def test_the_same_weights_whatever_their_order_and_wrappers(change: str, device: str) -> None:
    source = network()
    target = build_vgg(**SMALL, batch_norm=True, device=device)
    load_torchvision_weights(target, CHANGED[change](theirs(source)))
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor), name
        assert target.state_dict()[name].dtype == tensor.dtype
    images = torch.rand(1, 1, 224, 224)
    assert torch.equal(source.eval()(images), target.eval()(images))


@pytest.mark.parametrize("layout", ["torchvision's", "early torchvision's", "this lesson's"])
def test_known_layouts_are_told_apart_by_name(layout: str) -> None:
    source, target = network(), network(1)
    load_torchvision_weights(target, shuffled(theirs(source, layout)))
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())


def test_timms_convolutions_become_linear_layers() -> None:
    source, target = network(), network(1)
    load_torchvision_weights(target, as_timm(source))
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())


def test_torchvisions_own_names() -> None:
    with torch.device("meta"):
        there = torchvision.models.vgg13_bn()
    assert set(vgg_names(build_vgg("VGG-13", batch_norm=True, device="meta"))["torchvision's"].values()) == set(
        there.state_dict()
    )


def test_layers_of_one_shape_are_never_exchanged() -> None:
    source, target = network(), network(1)
    state = theirs(source)
    alike = [name for name, tensor in state.items() if tensor.shape == state["features.18.weight"].shape]
    assert len(alike) > 1
    swapped = {**state, alike[0]: state[alike[1]], alike[1]: state[alike[0]]}
    load_torchvision_weights(target, swapped)
    assert torch.equal(theirs(target)[alike[0]], state[alike[1]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_half_precision_gives_a_network_that_can_be_fed(dtype: torch.dtype, device: str) -> None:
    state = {name: tensor.to(dtype) for name, tensor in theirs(network(batch_norm=False)).items()}
    target = build_vgg(**SMALL, device=device)
    load_torchvision_weights(target, state)
    assert {tensor.dtype for tensor in target.state_dict().values()} == {torch.float32}
    assert target.eval()(torch.rand(1, 1, 224, 224)).shape == (1, 10)


def without(*names: str) -> Callable[[State], dict[str, Tensor]]:
    return lambda state: {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("features.0.bias"), "features.0.bias is missing"),
        (lambda state: {**state, "head.0.weight": torch.zeros(2)}, "head.0.weight has no place in it"),
        (
            lambda state: {**state, "features.0.weight": torch.zeros(3, 3, 3, 3)},
            r"features.0.weight has shape \(3, 3, 3, 3\), this network has \(3, 1, 3, 3\)",
        ),
        (
            lambda state: {**state, "classifier.0.bias": torch.zeros(16, dtype=torch.int8)},
            "classifier.0.bias is torch.int8, this network has torch.float32",
        ),
        (lambda state: {**state, "module.features.0.bias": state["features.0.bias"]}, "holds features.0.bias twice"),
        (lambda state: {n: t for n, t in state.items() if n.startswith("features")}, "It has no linear layers"),
        (
            lambda state: {n: t for n, t in state.items() if "running" not in n and "tracked" not in n},
            "batch_norm=False",
        ),
        (lambda _: {"conv1_1.weight": torch.zeros(3, 1, 3, 3), "fc6.weight": torch.zeros(2, 2)}, "Caffe's names"),
        (lambda _: {"block1_conv1.kernel": torch.zeros(3, 3, 1, 3)}, "Keras's names"),
        (lambda _: {"layer1.0.conv1.weight": torch.zeros(3, 1, 3, 3)}, "This is a ResNet"),
    ],
)
def test_what_does_not_fit_is_named_key_by_key(change: Callable[[State], State], told: str) -> None:
    target = network(1)
    kept = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(ValueError, match=f"^state_dict .*{told}"):
        load_torchvision_weights(target, change(theirs(network())))
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in kept.items())


@pytest.mark.parametrize("wrong", [{"a": 1}, {1: torch.zeros(2)}, {"state_dict": {"a": "b"}}])
def test_what_is_no_state_is_a_matter_of_type(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"state_dict holds other things than tensors by name"):
        load_torchvision_weights(network(), wrong)


def test_weights_without_values_are_refused() -> None:
    with pytest.raises(ValueError, match="lies on the meta device"):
        load_torchvision_weights(network(), theirs(build_vgg(**SMALL, batch_norm=True, device="meta")))


# --- files


def test_a_file_of_safetensors_is_read_by_name(tmp_path: Path) -> None:
    source, target = network(), network(1)
    save_file(theirs(source), tmp_path / "theirs.safetensors")
    load_torchvision_weights(target, load_file(tmp_path / "theirs.safetensors"))
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())


def test_a_foreign_file_is_told_from_ours(tmp_path: Path) -> None:
    save_file(theirs(network()), tmp_path / "theirs.safetensors")
    with pytest.raises(ValueError, match=r"does not say which network .*load_torchvision_weights"):
        load_weights(tmp_path / "theirs.safetensors")


@pytest.mark.parametrize(
    "change", [lambda state: dict(list(state.items())[1:]), lambda state: {**state, "x": torch.zeros(2)}]
)
def test_a_file_whose_tensors_are_not_those_of_its_card(tmp_path: Path, change: Callable[[State], State]) -> None:
    from safetensors import safe_open

    save_weights(build_vgg(**SMALL, image_size=32), tmp_path / "ours.safetensors", {})
    with safe_open(str(tmp_path / "ours.safetensors"), framework="pt") as file:
        metadata = file.metadata()
    save_file(dict(change(load_file(tmp_path / "ours.safetensors"))), tmp_path / "changed.safetensors", metadata)
    with pytest.raises(ValueError, match=r"changed.*(is missing|has no place)"):
        load_weights(tmp_path / "changed.safetensors")


def test_loading_weights_draws_no_random_numbers(tmp_path: Path) -> None:
    save_weights(build_vgg(**SMALL, image_size=32), tmp_path / "net.safetensors", {})
    state = torch.get_rng_state()
    model = load_weights(tmp_path / "net.safetensors")
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(tensor.is_meta for tensor in model.state_dict().values())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert isinstance(model, nn.Module)
