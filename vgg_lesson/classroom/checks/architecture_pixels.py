"""The exercise of notebook 02 that writes a 1×1 convolution out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vgg_lesson.classroom.checks.shared import code


def _one_by_one(image: Tensor, weight: Tensor) -> Tensor:
    return torch.einsum("oc,chw->ohw", weight, image)


def _cases() -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(0)
    shapes = [((4, 4, 4), (4, 4)), ((3, 4, 5), (2, 3)), ((2, 6, 3), (5, 2))]
    return [(torch.randn(i, generator=draw), torch.randn(w, generator=draw)) for i, w in shapes]


SQUARE, LONG, _ = CASES = _cases()
TURNED = "The weights are used the wrong way round: rows belong to outputs, columns to inputs."
THREE_AXES = (
    "A matrix product with three axes pairs the weights with rows of the image, not with its channels. "
    "How would you lay out the image so that each pixel is one column?"
)


def _transposed(image: Tensor, weight: Tensor) -> Tensor:
    """What comes out, where anything comes out at all, if rows and columns are mixed up."""
    return _one_by_one(image, weight.T) if weight.shape[0] == weight.shape[1] else image


def _turned(answer: Any) -> bool:
    """Whether the function takes rows for columns; only a square weight shows it, the others stop it."""
    try:
        output = answer(*SQUARE)
    except Exception:
        return False
    expected = _transposed(*SQUARE)
    return isinstance(output, Tensor) and (
        output.numel() == expected.numel() and torch.allclose(output.view(expected.shape), expected, atol=1e-5)
    )


def _on_stop(answer: Any, stopped: str) -> str:
    if "stopped with RuntimeError" not in stopped:
        return stopped
    if _turned(answer):
        return TURNED
    return f"{stopped} {THREE_AXES}" if "mat1" in stopped or "batch" in stopped else stopped


def _another_shape(answer: Any) -> str | None:
    output, shape = answer(*LONG), tuple(_one_by_one(*LONG).shape)
    if not isinstance(output, Tensor):
        return f"Your function returns {type(output).__name__}; a tensor is expected."
    if tuple(output.shape) == shape:
        return None
    sizes = " and ".join(str(tuple(given.shape)) for given in LONG)
    return f"From shapes {sizes} your function makes {tuple(output.shape)}; {shape} is expected."


ONE_BY_ONE = code(
    "one_by_one_conv",
    _one_by_one,
    CASES,
    why="A 1×1 convolution is one small fully connected layer, applied at every pixel alike.",
    mistakes={
        TURNED: _transposed,
        "The channels are mixed, but the places are summed up too: the output keeps height and width.": (
            lambda image, weight: torch.einsum("oc,chw->o", weight, image)
        ),
        "You weigh every channel, but nothing is added up: which axis of your output should be gone?": (
            lambda image, weight: weight[:, :, None, None] * image
        ),
        "Each output is right but for one factor: a sum over the channels is asked for, not their mean.": (
            lambda image, weight: _one_by_one(image, weight) / len(image)
        ),
        "The sums are right and stand in one long row per output: give them height and width back.": (
            lambda image, weight: weight @ image.flatten(start_dim=1)
        ),
        "The sums are right, the axes are not in order: outputs come first, then height, then width.": (
            lambda image, weight: torch.einsum("oc,chw->hwo", weight, image)
        ),
        "A 1×1 convolution only adds up; the ReLU is a layer of its own.": (
            lambda image, weight: _one_by_one(image, weight).relu()
        ),
    },
    otherwise="For each pixel: output channel o is the sum over c of weight[o, c] · image[c]. Places stay apart.",
    nearly=_another_shape,
    on_stop=_on_stop,
)
