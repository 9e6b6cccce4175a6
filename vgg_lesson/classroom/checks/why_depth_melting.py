"""The exercises of notebook 01 on layers without ReLUs: where they agree with one layer, and its kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from vgg_lesson.classroom.checks.shared import choice, code


def linear_stack() -> str:
    """The letter for where three 3×3 layers without ReLUs agree with the one 7×7 layer that they add up to."""
    image, *kernels = torch.randn(4, 13, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    small = [kernel[None, None, :3, :3] for kernel in kernels]
    stack = image[None, None]
    for kernel in small:
        stack = conv2d(stack, kernel, padding=1)
    merged = merge(small[0][0, 0], small[1][0, 0])
    merged = conv2d(merged[None, None], small[2].flip(-1, -2), padding=2)
    wrong = (stack - conv2d(image[None, None], merged, padding=3)).abs()[0, 0] > 1e-9
    if wrong[2:-2, 2:-2].any():
        return "c"
    return "b" if wrong.any() else "a"


def merge(first: Tensor, second: Tensor) -> Tensor:
    """The 5×5 kernel that does the work of two 3×3 kernels in a row, (3, 3) each: their full convolution."""
    return conv2d(first[None, None], second.flip(-1, -2)[None, None], padding=2)[0, 0]


def _unmirrored(first: Tensor, second: Tensor) -> Tensor:
    return merge(first, second).flip(-1, -2)


def _correlated(first: Tensor, second: Tensor) -> Tensor:
    return conv2d(first[None, None], second[None, None], padding=2)[0, 0]


def _kernels(seed: int) -> tuple[Tensor, Tensor]:
    first, second = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(seed))
    return first, second


LINEAR_STACK = choice(
    "linear_stack",
    linear_stack,
    why="So depth alone buys nothing: it is the ReLUs between that make three layers more than one.",
    hints={
        "a": "Nearly. Look at the left map again: is it equally dark everywhere?",
        "c": "More layers are more only if something happens between them. How large is the middle of the left map?",
        "d": "The maps you see were computed with eight channels.",
    },
)


def _another_shape(answer: Any) -> str | None:
    """What is wrong with the form of a merged kernel that no mistake explains."""
    kernel = answer(*_kernels(0))
    if not isinstance(kernel, Tensor):
        return f"Your function returns {type(kernel).__name__}; a tensor of shape (5, 5) is expected."
    if tuple(kernel.shape) == (5, 5):
        return None
    advice = "index the first axes away." if kernel.numel() == 25 else "how many pixels do two kernels in a row see?"
    return f"Your kernel has the shape {tuple(kernel.shape)}; (5, 5) is expected: {advice}"


MERGE = code(
    "merge_two_kernels",
    merge,
    [_kernels(seed) for seed in range(3)],
    why="Whatever two layers without a ReLU between do, one can do: the second layer is a bill for nothing.",
    mistakes={
        "Almost: it is upside down and mirrored. With which end of the kernel does a cell on the left meet the dot?": (
            _unmirrored
        ),
        "You slid one kernel over the other as it is. What did one bright pixel show of a kernel?": _correlated,
        "You slid the second over the first as it is. What did one bright pixel show of a kernel?": (
            lambda first, second: _correlated(second, first)
        ),
        "Adding the kernels runs the layers side by side, not one after the other.": lambda a, b: a + b,
        "A matrix product pairs rows with columns. Kernels slide: what do both make of one bright pixel?": (
            lambda a, b: a @ b
        ),
        "Cell by cell, no weight ever meets its neighbour's. How far do two kernels in a row see?": lambda a, b: a * b,
    },
    otherwise="Put one bright pixel in the middle of 9×9 zeros, run both layers, and look at the middle 5×5.",
    nearly=_another_shape,
)
