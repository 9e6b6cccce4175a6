"""The exercise of notebook 02 that writes a VGG block: judged by what the block does to pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from vgg_lesson.classroom.checks.shared import code

Block = Callable[[int, int, int], nn.Module]
Behaviour = tuple[list[tuple[int, ...]], list[Tensor | str]]
BLOCK_CASES = [(1, 4, 1), (4, 8, 2), (3, 6, 3)]
SIDES = (8, 11)


@dataclass(frozen=True)
class Slips:
    """What a builder of blocks may get wrong; all as it should be by default."""

    follow: bool = True
    swapped: bool = False
    one_conv: bool = False
    padding: int = 1
    kernel: int = 3
    bias: bool = True
    shared_from: int = 99
    relu: Literal["each", "between", "last", "never"] = "each"
    norm: bool = False
    pool: Literal["once", "always", "never"] = "once"
    pooling: type[nn.Module] = nn.MaxPool2d
    stride: int = 2


RIGHT = Slips()


def _block(slips: Slips = RIGHT) -> Block:
    def convolution(reads: int, writes: int) -> nn.Conv2d:
        return nn.Conv2d(reads, writes, slips.kernel, padding=slips.padding, bias=slips.bias)

    def build(in_channels: int, out_channels: int, num_convs: int) -> nn.Module:
        reads, writes = (out_channels, in_channels) if slips.swapped else (in_channels, out_channels)
        convs: list[nn.Conv2d] = []
        layers: list[nn.Module] = []
        for index in range(1 if slips.one_conv else num_convs):
            convs.append(convs[-1] if index >= slips.shared_from else convolution(reads, writes))
            bend = slips.relu == "each" or (slips.relu == "between" and index < num_convs - 1)
            layers += [convs[-1], *[nn.BatchNorm2d(writes)] * slips.norm, *[nn.ReLU()] * bend]
            layers += [nn.MaxPool2d(2)] * (slips.pool == "always")
            reads = writes if slips.follow else reads
        layers += [nn.ReLU()] * (slips.relu == "last")
        layers += [slips.pooling(2, slips.stride)] * (slips.pool == "once")
        return nn.Sequential(*layers)

    return build


def _behaviour(build: Block, case: tuple[int, int, int]) -> Behaviour:
    """Shapes of a block's weights, and what comes out of two pictures (or the error) once these hold given numbers."""
    block = build(*case)
    draw = torch.Generator().manual_seed(0)
    _output(block, torch.zeros(2, case[0], *SIDES))  # a lazy layer learns its channels here
    weights = [weight for weight in block.parameters() if not is_lazy(weight)]
    with torch.no_grad():
        for weight in weights:
            weight.copy_(torch.rand(weight.shape, generator=draw) - 0.5)
    shapes = [tuple(weight.shape) for weight in weights]
    return shapes, [_output(block, torch.randn(2, case[0], side, side + 2, generator=draw)) for side in SIDES]


def _output(block: nn.Module, picture: Tensor) -> Tensor | str:
    try:
        with torch.no_grad():
            output = block(picture)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return output if isinstance(output, Tensor) else f"It returns {type(output).__name__} instead of a tensor."


def _same_output(a: Tensor | str, b: Tensor | str) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-5)
    return isinstance(a, str) and isinstance(b, str)


@cache
def _known(slips: Slips, case: tuple[int, int, int]) -> Behaviour:
    return _behaviour(_block(slips), case)


def _behaves(seen: Sequence[Behaviour], slips: Slips) -> bool:
    """Whether what was ``seen`` of a builder, case by case, is what a builder with these ``slips`` does."""
    for (shapes, outputs), case in zip(seen, BLOCK_CASES, strict=True):
        wanted_shapes, wanted = _known(slips, case)
        if shapes != wanted_shapes or not all(map(_same_output, outputs, wanted)):
            return False
    return True


SLIPS: Mapping[Slips, str] = {
    Slips(follow=False): "The second convolution must take what the first one gives: which number changes in the loop?",
    Slips(swapped=True): "Your convolution reads out_channels and writes in_channels. Which way do the images go?",
    Slips(one_conv=True): "However large num_convs is, your block has one convolution. What is the loop for?",
    Slips(padding=0): "Without padding each convolution nibbles at the grid; only the pool may shrink it.",
    Slips(padding=2): "Your convolutions make the grid larger. Which padding gives back what a 3×3 kernel takes?",
    Slips(kernel=1, padding=0): "With 1×1 kernels no neighbour is ever seen. How wide are VGG's kernels?",
    Slips(kernel=5, padding=2): "Your kernels are five wide. How wide are VGG's?",
    Slips(bias=False): "Every kernel has one number more than its weights: it is switched off in yours.",
    Slips(shared_from=2): "The later convolutions are one object, used again: they share weights and learn one thing.",
    Slips(shared_from=1): "One convolution is repeated. How could it read in_channels first and out_channels later?",
    Slips(relu="never"): "Something is missing between the convolutions: without it two of them are one linear map.",
    Slips(relu="last"): "There is a ReLU at the end only. What are two convolutions in a row with nothing between?",
    Slips(relu="between"): "The last convolution goes into the pool without one. How many ReLUs has a block of two?",
    Slips(norm=True): "There is a batch norm in your block. VGG is older; you will add it yourself in notebook 06.",
    Slips(pool="always"): "The pool stands in the loop: how often should a block halve its grid?",
    Slips(pool="never"): "The grid comes out as large as it went in. Which layer of a block halves it?",
    Slips(pooling=nn.AvgPool2d): "Your pool takes averages. What does VGG's keep of four cells?",
    Slips(stride=1): "Your pool moves by one cell, so the grid is not halved. How far does VGG's move?",
}


def _advised(answer: Any, stopped: str) -> str:
    if "is not a Module subclass" not in stopped:
        return stopped
    if "nn.modules" in stopped or "type is not" in stopped or ".type" in stopped:
        return f"{stopped} A layer is made by a call: nn.ReLU(), with its brackets."
    return f"{stopped} nn.Sequential takes the layers one by one: a star unpacks a list."


def _form(answer: Any) -> str | None:
    """Why nothing can be sent through what a builder returns."""
    built = answer(*BLOCK_CASES[0])
    if isinstance(built, tuple | list | nn.ModuleList):
        return "The layers are there, but nothing runs them in turn. Wrap the layers in nn.Sequential."
    if isinstance(built, nn.Module) and any(parameter.is_meta for parameter in built.parameters()):
        return "Your layers lie on the device meta, which holds no values: build them on the CPU."
    return None if isinstance(built, nn.Module) else f"It returns {type(built).__name__}; an nn.Sequential is expected."


@torch.random.fork_rng(devices=[])  # a check leaves the notebook's random numbers alone
def _judged_block(answer: Any) -> str | None:
    """The form of a block first, then what it does; an error while it runs may be that of a known slip."""
    if form := _form(answer):
        return form
    seen = [_behaviour(answer, case) for case in BLOCK_CASES]
    if _behaves(seen, RIGHT):
        return None
    known = next((hint for slips, hint in SLIPS.items() if _behaves(seen, slips)), None)
    return known or next((_stop(*pair) for pair in zip(seen, BLOCK_CASES, strict=True) if _stop(*pair)), None)


def _stop(seen: Behaviour, case: tuple[int, int, int]) -> str | None:
    output, side = seen[1][0], SIDES[0]
    if isinstance(output, Tensor):
        return None
    return f"my_block{case} is built, but an image of {case[0]}×{side}×{side + 2} does not get through. {output}"


@torch.random.fork_rng(devices=[])
def _same_blocks(answer: Block, expected: Block) -> bool:
    if expected is not WRITE_VGG_BLOCK.solution():
        return False  # known slips are told by the complaint
    return _behaves([_behaviour(answer, case) for case in BLOCK_CASES], RIGHT)


WRITE_VGG_BLOCK = code(
    "write_vgg_block",
    _block(),
    BLOCK_CASES,
    why="That is all of VGG's body: five calls of this function.",
    mistakes={hint: _block(slips) for slips, hint in SLIPS.items()},
    otherwise="Print my_block(4, 8, 2) and read it line by line against the sentence above.",
    complaint=_judged_block,
    matches=_same_blocks,
    on_stop=_advised,
)
