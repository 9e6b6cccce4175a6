"""Two exercises of notebook 02: a VGG block, judged by what it does to pictures, and a table for a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from vgg_lesson.checks.base import Exercise, Mistake, code
from vgg_lesson.configs import CONFIGS

Block = Callable[[int, int, int], nn.Module]
BLOCK_CASES = [(1, 4, 1), (4, 8, 2), (3, 6, 3)]
SIDES = (8, 12)
TABLE_LAYERS = 14
LINEAR_LAYERS = CONFIGS["VGG-11"].weight_layers - CONFIGS["VGG-11"].conv_layers
WIDTHS = tuple(block[0].channels for block in CONFIGS["VGG-11"].blocks)


@dataclass(frozen=True)
class Slips:
    """What a builder of blocks may get wrong; all as it should be by default."""

    follow: bool = True
    padding: int = 1
    kernel: int = 3
    relu: str = "each"
    pool: str = "once"
    pooling: type[nn.Module] = nn.MaxPool2d
    bias: bool = True
    shared: bool = False


def _block(slips: Slips = Slips()) -> Block:
    def convolution(reads: int, writes: int) -> nn.Conv2d:
        return nn.Conv2d(reads, writes, slips.kernel, padding=slips.padding, bias=slips.bias)

    def build(in_channels: int, out_channels: int, num_convs: int) -> nn.Module:
        layers: list[nn.Module] = []
        for index in range(num_convs):
            again = slips.shared and index > 1
            layers.append(layers[-2] if again else convolution(in_channels, out_channels))
            layers += [nn.ReLU()] * (slips.relu == "each") + [slips.pooling(2)] * (slips.pool == "always")
            in_channels = out_channels if slips.follow else in_channels
        layers += [nn.ReLU()] * (slips.relu == "last") + [slips.pooling(2)] * (slips.pool == "once")
        return nn.Sequential(*layers)

    return build


def _behaviour(build: Block, case: tuple[int, int, int]) -> tuple[list[tuple[int, ...]], list[Tensor | str]]:
    """Shapes of a block's weights, and what comes out of two pictures (or the error) once these hold given numbers."""
    block = build(*case)
    draw = torch.Generator().manual_seed(0)
    _output(block, torch.zeros(1, case[0], *SIDES))  # a lazy layer learns its channels here
    weights = [weight for weight in block.parameters() if not is_lazy(weight)]
    with torch.no_grad():
        for weight in weights:
            weight.copy_(torch.rand(weight.shape, generator=draw) - 0.4)
    shapes = [tuple(weight.shape) for weight in weights]
    return shapes, [_output(block, torch.rand(2, case[0], side, side + 2, generator=draw)) for side in SIDES]


def _output(block: nn.Module, picture: Tensor) -> Tensor | str:
    try:
        with torch.no_grad():
            output = block.eval()(picture)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return output if isinstance(output, Tensor) else f"It returns {type(output).__name__} instead of a tensor."


def _same_output(a: Any, b: Any) -> bool:
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return isinstance(a, str) and isinstance(b, str)
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def _same_blocks(answer: Block, expected: Block) -> bool:
    for case in BLOCK_CASES:
        (shapes, outputs), (wanted_shapes, wanted) = _behaviour(answer, case), _behaviour(expected, case)
        if shapes != wanted_shapes or not all(map(_same_output, outputs, wanted)):
            return False
    return True


_BLOCK = code(
    "write_vgg_block",
    _block(),
    BLOCK_CASES,
    why="That is all of VGG's body: five calls of this function.",
    mistakes={
        "The second convolution must take what the first one gives: which number changes in the loop?": (
            _block(Slips(follow=False))
        ),
        "Without padding each convolution nibbles at the grid; only the pool may shrink it.": _block(Slips(padding=0)),
        "With 1×1 windows no neighbour is ever seen. How wide are VGG's windows?": _block(Slips(kernel=1, padding=0)),
        "Something is missing between the convolutions: without it two of them are one linear map.": (
            _block(Slips(relu="never"))
        ),
        "There is a bend at the end only. What are two convolutions in a row with nothing between?": (
            _block(Slips(relu="last"))
        ),
        "The pool stands in the loop: how often should a block halve its grid?": _block(Slips(pool="always")),
        "The grid comes out as large as it went in. Which layer of a block halves it?": _block(Slips(pool="never")),
        "Your pool takes averages. What does VGG's keep of each 2×2 window?": _block(Slips(pooling=nn.AvgPool2d)),
        "Every filter has one number more than its window's weights: it is switched off in yours.": (
            _block(Slips(bias=False))
        ),
        "One convolution object stands in your block more than once: layers that share weights are one layer.": (
            _block(Slips(shared=True))
        ),
    },
    otherwise="Print my_block(4, 8, 2) and read it line by line against the sentence above.",
)


def _block_complaint(answer: Any) -> str | None:
    """Why a block cannot be judged; an error while it runs counts as a mistake if it is a known one."""
    complaint = _BLOCK.complaint(answer)
    if complaint and "is not a Module subclass" in complaint:
        return f"{complaint} nn.Sequential takes the layers one by one: a star unpacks a list."
    if complaint:
        return complaint
    built = answer(*BLOCK_CASES[0])
    if isinstance(built, tuple | list | nn.ModuleList):
        return "The layers are there, but nothing runs them in turn. Wrap the layers in nn.Sequential."
    if not isinstance(built, nn.Module):
        return f"Your function returns {type(built).__name__}; an nn.Sequential is expected."
    if any(_same_blocks(answer, known.answer) for known in _BLOCK.mistakes()):
        return None
    return next(filter(None, (_stop(answer, case) for case in BLOCK_CASES)), None)


def _stop(answer: Block, case: tuple[int, int, int]) -> str | None:
    error = _behaviour(answer, case)[1][0]
    if isinstance(error, Tensor):
        return None
    side = SIDES[0]
    return f"my_block{case} is built, but a picture of {case[0]}×{side}×{side + 2} does not get through. {error}"


WRITE_VGG_BLOCK = replace(_BLOCK, matches=_same_blocks, complaint=_block_complaint)


def _table(counts: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(counts, WIDTHS, strict=True))


def _judged(pairs: Sequence[tuple[int, int]]) -> str:
    """What is wrong with a table for the family; "right" if nothing is."""
    counts, widths = [pair[0] for pair in pairs], tuple(pair[1] for pair in pairs)
    convolutions = sum(counts)
    if len(pairs) in (TABLE_LAYERS, TABLE_LAYERS - LINEAR_LAYERS):
        return "a block per layer"
    if tuple(counts) == WIDTHS:
        return "pairs turned round"
    if len(pairs) != len(WIDTHS) or min(counts) < 1:
        return "not five blocks"
    if widths != WIDTHS:
        return "other widths"
    if convolutions == TABLE_LAYERS:
        return "linear layers not counted"
    if convolutions == TABLE_LAYERS - LINEAR_LAYERS - len(WIDTHS):
        return "pools counted"
    return "right" if convolutions == TABLE_LAYERS - LINEAR_LAYERS else "another network"


def _table_mistakes() -> list[Mistake]:
    right = _table((2, 2, 2, 2, 3))
    return [
        Mistake(_table((2, 3, 3, 3, 3)), "Those are 14 convolutions. Which other layers have weights and count?"),
        Mistake(_table((1, 1, 1, 1, 2)), "A pool has no weights, so the name does not count it."),
        Mistake(
            [(1, 64)] * TABLE_LAYERS,
            "You wrote a block per layer, and each block ends in a pool: how often can 224 be halved?",
        ),
        Mistake([(c, n) for n, c in right], "Which of the two numbers of a pair does the loop take as num_convs?"),
        Mistake([(n, 64) for n, _ in right], "The depth is one thing, the widths another: these are not the family's."),
        Mistake([*right[:-1]], "Five blocks, each with at least one convolution: the pools and the head never change."),
    ]


def _table_complaint(answer: Any) -> str | None:
    form = "A list of pairs (number of convolutions, filters) is expected, one pair per block, as in FAMILY."
    if not isinstance(answer, tuple | list) or not answer:
        return form
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in answer):
        return form
    whole = all(isinstance(n, int) and not isinstance(n, bool) for pair in answer for n in pair)
    return None if whole else f"{form} Both are whole numbers."


WRITE_A_TABLE = Exercise(
    "write_a_table",
    lambda: _table((2, 2, 2, 2, 3)),
    lambda answer, expected: _judged(answer) == _judged(expected),
    why="Depth is a matter of one table: many networks of this depth are possible, and no other line changes.",
    otherwise="Add the convolutions of your list up; the name counts them and the layers with weights behind them.",
    mistakes=_table_mistakes,
    complaint=_table_complaint,
)
