"""The exercise of notebook 02 that writes the table of a network that the paper does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vgg_lesson.classroom.checks import forms
from vgg_lesson.classroom.checks.shared import Exercise, Mistake
from vgg_lesson.configs import CONFIGS

TABLE_LAYERS = 14
LINEAR_LAYERS = CONFIGS["VGG-11"].weight_layers - CONFIGS["VGG-11"].conv_layers
WIDTHS = tuple(block[0].channels for block in CONFIGS["VGG-11"].blocks)


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
        return "fully connected layers not counted"
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


def read_table(answer: Any) -> list[tuple[int, int]]:
    """The pairs of a table, given as a list of pairs, an array, a tensor, or the ten numbers in a row."""
    form = "A list of pairs (number of convolutions, kernels) is expected, one pair per block, as in FAMILY."
    try:
        values = forms.numbers(answer)
    except forms.Unreadable as unclear:
        raise forms.Unreadable(f"{unclear} {form}") from None
    if not values or len(values) % 2:
        raise forms.Unreadable(f"Your answer holds {len(values)} numbers. {form}")
    if any(value != int(value) for value in values):
        raise forms.Unreadable(f"Your answer is no table yet. {form} Both are whole numbers.")
    whole = [int(value) for value in values]
    return list(zip(whole[::2], whole[1::2], strict=True))


WRITE_A_TABLE = Exercise(
    "write_a_table",
    lambda: _table((2, 2, 2, 2, 3)),
    lambda answer, expected: _judged(answer) == _judged(expected),
    why="Depth is a matter of one table: many networks of this depth are possible, and no other line changes.",
    otherwise="Add the convolutions of your list up; the name counts them and the layers with weights behind them.",
    mistakes=_table_mistakes,
    read=read_table,
)
