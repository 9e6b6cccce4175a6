"""Which part of a picture an answer hangs on: Grad-CAM, and a patch that covers one place after another.

Grad-CAM: R. R. Selvaraju et al., arXiv:1610.02391, Section 3. Covering: M. D. Zeiler and R. Fergus, arXiv:1311.2901,
Section 4.2. Both describe a network's score, not a person's reason.
"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from vgg_lesson.data.batches import batches
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.models import VGG, VGGBlock, evaluating
from vgg_lesson.support.arguments import Count, Index, Seed, checked, says

COVERED_PART = 4  # the square's side as a part of the picture's
COVERED_AT_ONCE = 64  # copies of the picture
GARMENT = 0.25  # as bright as this part of the brightest place


def layer_output(model: VGG, layer: str) -> nn.Module:
    """The ReLU that follows the convolution with this name in `trace`, such as "conv5_2": a place for a hook.

    Raises:
        ValueError: the network has no such convolution.
    """
    outputs = dict(_conv_outputs(model))
    if layer not in outputs:
        raise ValueError(f"layer={layer!r} is unknown; this {model.config.name} has {', '.join(outputs)}")
    return outputs[layer]


def grad_cam(model: VGG, inputs: Tensor, labels: Tensor, layer: str) -> Tensor:
    """Grad-CAM maps, float32 (B, h, w) and never negative, with the grid of ``layer``.

    Each channel's map is weighted by the mean gradient of the class score with respect to it (equation 1); the
    weighted sum keeps its positive part (equation 2). A map of zeros says that the sum is negative everywhere.

    Args:
        inputs: preprocessed pictures, float32 (B, C, H, W). labels: the class asked about, int64 (B,).
        layer: a convolution by its name in `trace`; its output after batch norm and ReLU is looked at.

    Raises:
        ValueError: an unknown layer, or labels that do not belong to the inputs.
    """
    output = layer_output(model, layer)
    _check_labels(model, inputs, labels)
    kept: list[Tensor] = []

    def keep(module: nn.Module, given: object, values: Tensor) -> None:
        kept.append(values)

    handle = output.register_forward_hook(keep)
    try:
        with evaluating(model), torch.enable_grad():
            # The input asks for a gradient, so that frozen weights do not cut the way back.
            scores = model(inputs.detach().requires_grad_())
            (gradients,) = torch.autograd.grad(scores.gather(1, labels[:, None]).sum(), kept[0])
    finally:
        handle.remove()
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return (weights * kept[0].detach()).sum(dim=1).relu()


@checked
def occlusion(model: VGG, picture: Tensor, label: Index, *, size: Count = 6, step: Count = 2) -> Tensor:
    """How much the probability of ``label`` falls when a black square covers a place: float32 (n, n).

    Negative where covering helps the class. n = (side - size) // step + 1 places per axis, from the upper left corner.

    Args:
        picture: one preprocessed picture, float32 (C, H, W) with H = W. label: the class asked about.
        size, step: the square's side, and how far it moves, in pixels of the network's input.

    Raises:
        ValueError, TypeError: a square that does not fit, or a label that does not exist.
    """
    side = picture.shape[-1]
    if picture.ndim != 3 or picture.shape[1] != side or size > side:
        raise ValueError(
            f"picture has shape {tuple(picture.shape)}; (C, H, H) with H of at least size={size} is needed"
        )
    _check_labels(model, picture[None], torch.tensor([label]))
    places = range(0, side - size + 1, step)
    corners = [(top, left) for top in places for left in places]
    after = []
    with evaluating(model):
        before = model(picture[None]).softmax(dim=1)[0, label]
        for start in range(0, len(corners), COVERED_AT_ONCE):
            part = corners[start : start + COVERED_AT_ONCE]
            covered = picture.repeat(len(part), 1, 1, 1)
            for image, (top, left) in zip(covered, part, strict=True):
                image[:, top : top + size, left : left + size] = model.preprocessing.black
            after.append(model(covered).softmax(dim=1)[:, label])
    return (before - torch.cat(after)).reshape(len(places), len(places))


@checked
def strongest(maps: Annotated[Tensor, says("a float tensor (N, C, h, w)")], channel: Index) -> Tensor:
    """Indices, int64 (N,), of all pictures: first the one with the strongest answer of ``channel`` anywhere in its map.

    Args:
        maps: what a layer makes of N pictures, float (N, C, h, w).

    Raises:
        ValueError, TypeError: maps of another shape, or a channel that they do not have.
    """
    if maps.ndim != 4:
        raise ValueError(f"maps has shape {tuple(maps.shape)}; (N, C, h, w) is expected")
    if channel >= maps.shape[1]:
        raise ValueError(f"channel={channel} does not exist; maps has channels 0 to {maps.shape[1] - 1}")
    return maps[:, channel].amax(dim=(1, 2)).argsort(descending=True)


@checked
def cover_hottest(
    model: VGG, data: ImageSet, mapped: VGG, layer: str, *, seed: Seed = 0, batch_size: Count = 100
) -> Tensor:
    """Which pictures keep ``model``'s answer when a black square covers the hottest place, and a random one.

    Returns bool (2, N): a row for the hottest place, a row for the random one.

    The square's side is a quarter of the input's, it moves by half its side, and only places that show a good part of
    the garment count, for both. The heat is the mean over the square of ``mapped``'s Grad-CAM at ``layer``, for the
    class that ``model`` answers; ``mapped`` may be ``model`` itself. ``seed`` draws the random places.
    """
    generator = torch.Generator().manual_seed(seed)
    kept: list[Tensor] = []
    device = next(model.parameters()).device
    for inputs, _ in batches(data, batch_size, preprocessing=model.preprocessing, device=device):
        size = inputs.shape[-1] // COVERED_PART
        with evaluating(model):
            answers = model(inputs).argmax(dim=1)
        heat = interpolate(grad_cam(mapped, inputs, answers, layer)[:, None], inputs.shape[2:])
        black = model.preprocessing.black
        hot, ink = (avg_pool2d(values, size, size // 2).flatten(1) for values in (heat, inputs - black))
        garment = ink > GARMENT * ink.amax(dim=1, keepdim=True)
        hottest = torch.where(garment, hot, -torch.inf).argmax(dim=1)
        drawn = torch.multinomial(garment.float().cpu(), 1, generator=generator)[:, 0].to(device)
        with evaluating(model):
            after = [model(_covered(inputs, places, size, black)).argmax(dim=1) for places in (hottest, drawn)]
        kept.append(torch.stack(after) == answers)
    return torch.cat(kept, dim=1)


def _covered(inputs: Tensor, places: Tensor, size: int, black: float) -> Tensor:
    """Copies with one square each, whose place is counted row by row in steps of half its side."""
    covered, step = inputs.clone(), size // 2
    per_row = (inputs.shape[-1] - size) // step + 1
    for picture, place in zip(covered, places.tolist(), strict=True):
        top, left = (step * part for part in divmod(place, per_row))
        picture[:, top : top + size, left : left + size] = black
    return covered


def _conv_outputs(model: VGG) -> list[tuple[str, nn.Module]]:
    found: list[tuple[str, nn.Module]] = []
    for number, block in enumerate(model.features, 1):
        assert isinstance(block, VGGBlock)
        relus = [layer for layer in block if isinstance(layer, nn.ReLU)]
        found += [(f"conv{number}_{index}", relu) for index, relu in enumerate(relus, 1)]
    return found


def _check_labels(model: VGG, inputs: Tensor, labels: Tensor) -> None:
    classes = model.network.num_classes
    if labels.dtype != torch.int64 or labels.shape != inputs.shape[:1] or not len(labels):
        raise ValueError(
            f"labels is a {labels.dtype} tensor of shape {tuple(labels.shape)}; int64 ({len(inputs)},) is expected, "
            "one class per picture"
        )
    if not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}; 0 to {classes - 1} is expected")
