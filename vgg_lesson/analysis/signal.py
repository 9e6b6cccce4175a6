"""The signal in a network's layers: how strong it is, how much of it tells images apart, and which pixels act on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from vgg_lesson.arithmetic import trace, window
from vgg_lesson.configs import INIT_SCHEMES, VGGConfig
from vgg_lesson.data.batches import to_batch
from vgg_lesson.models import PAPER_STD, VGG, build_vgg, class_vgg, evaluating
from vgg_lesson.support.arguments import Count, Seed, checked, one_of, says

SMALL_STD = "std 0.01"


@dataclass(frozen=True)
class LayerSignal:
    """How strong the signal is after one layer, and how much of it tells pictures apart.

    ``rms`` is the root mean square of all values; ``spread`` the standard deviation across images of each value,
    root-mean-squared over the layer: zero when the layer answers the same to every picture.
    """

    name: str
    rms: float
    spread: float


@checked
def signal_by_layer(model: Annotated[VGG, says("a VGG such as build_vgg()")], images: Any) -> list[LayerSignal]:
    """Measure the signal after every weight layer's ReLU (before it, for the last) in one forward pass of ``images``.

    ``images`` is a batch (B, C, H, W) of at least two, on the model's device. Layers carry the names of `trace`.
    """
    model.check_input(images)
    if len(images) < 2:
        raise ValueError(f"images has shape {tuple(images.shape)}; at least two images (B, C, H, W) are needed")
    signals = []
    with evaluating(model):
        values = images
        for name, layers in _weight_layers(model):
            for layer in layers:
                values = layer(values)
            spread = values.std(dim=0, correction=0).square().mean().sqrt().item()
            signals.append(LayerSignal(name, values.square().mean().sqrt().item(), spread))
    return signals


@checked
def pair_signal(
    images: Any,
    reference: Any,
    config: str | VGGConfig = "VGG-11",
    *,
    init: Annotated[str, one_of((*INIT_SCHEMES, SMALL_STD))] = "pytorch",
    batch_norm: bool = False,
    seed: Seed = 0,
) -> tuple[list[LayerSignal], Tensor]:
    """Send two pictures through an untrained class network: their signal, input first, and their scores (2, 10).

    ``images`` is uint8 (2, 28, 28). Batch norm normalises by what ``reference``, uint8 (N, 28, 28), gives it, as at
    the start of training. ``init`` is a scheme of `vgg_lesson.initialize`, or "std 0.01", the other reading of the
    paper's sentence. The global random generator is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = class_vgg(
            config, batch_norm=batch_norm, hidden=1024, dropout=0.0, init="paper" if init == SMALL_STD else init
        )
    with torch.no_grad():
        if init == SMALL_STD:
            for layer in model.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    layer.weight.mul_(0.01 / PAPER_STD)
        if batch_norm:
            _settle(model, to_batch(reference))
    pair = to_batch(images)
    entering = LayerSignal("input", _rms(pair), _rms(pair.std(dim=0, correction=0)))
    with evaluating(model):
        scores = model(pair)
    return [entering, *signal_by_layer(model, pair)], scores


@checked
def cell_influence(
    config: str | VGGConfig,
    layer: str,
    cell: tuple[int, int],
    *,
    image_size: Count = 224,
    pictures: Count = 4,
    seed: Seed = 0,
) -> Tensor:
    """How strongly each pixel acts on one cell (row, column) of ``layer``: float32 (image_size, image_size).

    The mean absolute gradient over ``pictures`` of noise, all channels of the cell together, before its ReLU. The
    network is an eighth as wide as the paper's, with one channel and He's weights, so that it takes part of a second.

    Raises:
        ValueError, TypeError: no such layer before flattening, or no such cell.
    """
    for place in cell:
        window(trace(config, image_size=image_size), layer, place)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_vgg(config, in_channels=1, image_size=image_size, width=1 / 8, head="gap").requires_grad_(False)
        noise = torch.randn(pictures, 1, image_size, image_size, requires_grad=True)
    values = noise * 1.0  # a leaf must not be what an in-place ReLU changes, nor what "input" returns
    for name, module in _named_layers(model):
        if layer == "input":
            break
        values = module(values)
        if name == layer:
            break
    (gradient,) = torch.autograd.grad(values[:, :, cell[0], cell[1]].sum(), noise)
    return gradient.abs().mean(dim=(0, 1))


def _settle(model: VGG, images: Tensor) -> None:
    """Give every batch norm the statistics of ``images`` in place of mean 0 and variance 1, in one forward pass."""
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # torch's word for: the plain mean of what it has seen
    model.train()(images)
    model.eval()


def _rms(values: Tensor) -> float:
    return values.square().mean().sqrt().item()


def _named_layers(model: VGG) -> Iterator[tuple[str, nn.Module]]:
    """The layers before the classifier by their names in `trace`; a ReLU has none."""
    kinds = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.LocalResponseNorm: "lrn"}
    for number, block in enumerate(model.features, 1):
        index = 0
        for layer in block.children():
            index += isinstance(layer, nn.Conv2d)
            kind = kinds.get(type(layer), "")
            pool = f"pool{number}" if isinstance(layer, nn.MaxPool2d) else ""
            yield (f"{kind}{number}_{index}" if kind else pool), layer


def _weight_layers(model: VGG) -> list[tuple[str, list[nn.Module]]]:
    """The network cut after each activation: (name of the weight layer, its modules and those that lead to it)."""
    groups: list[tuple[str, list[nn.Module]]] = []
    pending: list[nn.Module] = []
    name = ""
    fc = len(model.features) + 1
    for number, block in enumerate([*model.features, model.classifier], 1):
        index = 0
        for layer in block.children():
            pending.append(layer)
            if isinstance(layer, nn.Conv2d):
                index += 1
                name = f"conv{number}_{index}"
            elif isinstance(layer, nn.Linear):
                name, fc = f"fc{fc}", fc + 1
            if isinstance(layer, nn.ReLU):
                groups.append((name, pending))
                pending = []
    return [*groups, (name, pending)]
