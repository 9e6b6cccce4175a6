"""Weights are read by their names, whatever the order they come in; what does not fit is named key by key.

A VGG's weights travel under several names: torchvision's of today and of before 2017, timm's, this lesson's own, each
with what wrappers put before or between them. They are told apart by name alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

# DataParallel, torch.compile, FSDP and activation checkpointing put these between the parts of a name.
WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
NESTED = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights")
COUNTER = "num_batches_tracked"  # absent from files older than PyTorch 0.4.1; nothing is computed with it here
AVERAGED = "n_averaged"  # torch.optim.swa_utils.AveragedModel counts its updates under this name
MOST_NAMED = 6
# The places of the three linear layers; before 2017 a dropout stood first in torchvision's classifier.
CLASSIFIERS: Mapping[str, tuple[str, str, str]] = {
    "torchvision's": ("classifier.0", "classifier.3", "classifier.6"),
    "early torchvision's": ("classifier.1", "classifier.4", "classifier.6"),
    "timm's": ("pre_logits.fc1", "pre_logits.fc2", "head.fc"),
}
FOREIGN = (
    (
        re.compile(r"(conv\d_\d|fc[678])\."),
        "these are Caffe's names, whose network wants blue, green, red from 0 to 255 less a mean",
    ),
    (
        re.compile(r"block\d_conv\d"),
        "these are Keras's names, whose kernels have other axes and whose network wants blue, green, red",
    ),
    (re.compile(r"slice\d\."), "this is the trunk of a perceptual loss, cut into slices, without the linear layers"),
    (re.compile(r"(layer\d\.\d|downsample)"), "this is a ResNet"),
    (re.compile(r"(rpn|roi_heads|extra|conf|loc)\."), "this is a detector that has a VGG inside"),
)


def plain_name(name: str) -> str:
    """A weight's name without what compiling it, or sharing it between processes, puts before or between its parts."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def plain_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state dict under plain names."""
    return {plain_name(name): value for name, value in state.items()}


def tensors_by_name(name: str, state: object) -> dict[str, Tensor]:
    """``state`` as tensors under plain names: taken out of a checkpoint around it, without what wrappers add.

    Raises:
        TypeError: it holds other things than tensors by name. ValueError: two keys are the same without wrappers.
    """
    if isinstance(state, Mapping) and not _is_state(state):
        state = next((state[key] for key in NESTED if key in state and _is_state(state[key])), state)
    if not isinstance(state, Mapping) or not _is_state(state):
        raise TypeError(f"{name} holds other things than tensors by name; a network's state_dict() does")
    plain: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    for key, tensor in state.items():
        short = plain_name(key)
        if short in plain:
            raise ValueError(f"{name} holds {short} twice, as {origin[short]} and as {key}; which one is meant?")
        plain[short], origin[short] = tensor, key
    plain.pop(AVERAGED, None)
    return plain


def vgg_names(model: nn.Module) -> dict[str, dict[str, str]]:
    """For every known layout of a VGG's weights: the key in ``model.state_dict()`` → the key in that layout.

    ``model.features`` is a Sequential of blocks, ``model.classifier`` holds three linear layers.
    """
    features: Any = model.features
    starts = [sum(map(len, list(features)[:number])) for number in range(len(features))]
    classifier: Any = model.classifier
    linear = [f"classifier.{place}" for place, layer in enumerate(classifier) if isinstance(layer, nn.Linear)]
    names: dict[str, dict[str, str]] = {"this lesson's": {key: key for key in model.state_dict()}}
    for layout, places in CLASSIFIERS.items():
        renamed = dict(zip(linear, places, strict=True))
        names[layout] = {key: _renamed(key, starts, renamed) for key in model.state_dict()}
    return names


def fitted(
    name: str, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], layouts: Mapping[str, Mapping[str, str]],
    network: str,
) -> dict[str, Tensor]:  # fmt: skip
    """``given`` under the keys of ``wanted`` and of their types, read in that of the ``layouts`` which it is in.

    Tensors that are of the right type already are passed on, not copied.

    Args:
        name: what the message calls ``given``. network: what it calls what ``wanted`` belongs to.

    Raises:
        ValueError: keys are missing, unknown or of another shape; each is named.
    """
    given = _without_prefix(given, layouts)
    layout = max(layouts, key=lambda known: len(given.keys() & set(layouts[known].values())))
    keys = layouts[layout]
    if layout == "timm's":  # its first two linear layers are kept as convolutions of one place
        given = {
            key: tensor.flatten(1) if ".fc" in key and tensor.ndim == 4 else tensor for key, tensor in given.items()
        }
    problems = [*_problems(given, wanted, keys)]
    if problems:
        more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
        told = "; ".join(problems[:MOST_NAMED])
        raise ValueError(f"{name} does not fit this {network}: {told}{more}.{_hint(given, wanted)}")
    return {
        key: given[keys[key]].to(tensor.dtype) if keys[key] in given else torch.zeros(tensor.shape, dtype=tensor.dtype)
        for key, tensor in wanted.items()
    }


def _is_state(state: object) -> bool:
    return isinstance(state, Mapping) and all(isinstance(k, str) and isinstance(t, Tensor) for k, t in state.items())


def _renamed(key: str, starts: Collection[int], linear: Mapping[str, str]) -> str:
    part, *places, kind = key.split(".")
    if part == "features":
        block, layer = map(int, places)
        return f"features.{list(starts)[block] + layer}.{kind}"
    return f"{linear['.'.join((part, *places))]}.{kind}"


def _without_prefix(given: Mapping[str, Tensor], layouts: Mapping[str, Mapping[str, str]]) -> Mapping[str, Tensor]:
    """Without "model." or "backbone." or whatever else stands before every key."""
    first = next(iter(given), "")
    for keys in layouts.values():
        for key in keys.values():
            prefix = first.removesuffix(key)
            if prefix not in ("", first) and prefix.endswith(".") and all(name.startswith(prefix) for name in given):
                return {name.removeprefix(prefix): tensor for name, tensor in given.items()}
    return given


def _problems(
    given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], keys: Mapping[str, str]
) -> Iterator[str]:  # fmt: skip
    for key, tensor in wanted.items():
        there = given.get(keys[key])
        if there is None:
            continue
        if there.shape != tensor.shape:
            yield f"{keys[key]} has shape {tuple(there.shape)}, this network has {tuple(tensor.shape)}"
        elif tensor.is_floating_point() and not there.is_floating_point():
            yield f"{keys[key]} is {there.dtype}, this network has {tensor.dtype}"
        elif there.is_meta and not tensor.is_meta:
            yield f"{keys[key]} has a shape and no values: it lies on the meta device"
    yield from (f"{keys[key]} is missing" for key in wanted if keys[key] not in given and not key.endswith(COUNTER))
    known = set(keys.values())
    yield from (f"{key} has no place in it" for key in given if key not in known)


def _hint(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """What may be meant, as sentences; empty if nothing is known about it."""
    foreign = next((words for pattern, words in FOREIGN if any(map(pattern.match, given))), "")
    normed, norming = (any(key.endswith("running_mean") for key in state) for state in (given, wanted))
    here, there = (sum(tensor.ndim == 4 for tensor in state.values()) for state in (wanted, given))
    if foreign:
        return f" {foreign[0].upper()}{foreign[1:]}."
    hints = (
        (normed != norming, f"It is of a network with{'' if normed else 'out'} batch norm: batch_norm={normed}."),
        (there != here, f"It has {there} convolutions, this network {here}: another config."),
        (all(tensor.ndim != 2 for tensor in given.values()), "It has no linear layers."),
    )
    return "".join(f" {hint}" for holds, hint in hints if holds)
