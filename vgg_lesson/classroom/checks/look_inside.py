"""Exercises and predictions of notebook 08, a look inside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from vgg_lesson.analysis.attribution import strongest
from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import choice, code, number, numbers
from vgg_lesson.models import class_vgg
from vgg_lesson.training.checkpoints import load_trained

EDGE_FILTER = ((-1.0, 0.0, 1.0),) * 3
PATCHES = (((1, 1, 1),) * 3, ((0, 0, 1),) * 3, ((0, 0, 0), (0, 0, 0), (1, 1, 1)))
SIDE, SQUARE, STEP = 32, 8, 4
# Two channels of 2×2 values each, and the gradients of a score with respect to them.
VALUES = ((4.0, 0.0, 2.0, 0.0), (0.0, 3.0, 1.0, 1.0))
GRADIENTS = ((2.0, 0.0, 0.0, 2.0), (-2.0, 0.0, 0.0, -2.0))
WANTED_CELLS = 8
NEARLY = 0.9  # cosine of two filters that point nearly the same way


def filter_answers(weights: Tensor | None = None) -> tuple[float, ...]:
    """What the filter, by default ``EDGE_FILTER``, answers to each of ``PATCHES``."""
    kernel = torch.tensor(EDGE_FILTER) if weights is None else weights
    patches = torch.tensor(PATCHES, dtype=torch.float32)[:, None]
    return tuple(conv2d(patches, kernel[None, None]).flatten().tolist())


def kept_filters() -> str:
    """The letter for how many first filters of the class network still point where they did when training began."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        fresh, trained = (next(model.parameters()).flatten(1) for model in (class_vgg(), load_trained()))
    kept = int((torch.cosine_similarity(fresh, trained) > NEARLY).sum())
    return "a" if kept < 5 else "b" if kept < 12 else "c"


def covered_places(side: int, size: int, step: int) -> int:
    """Places of a square that moves over a picture, both axes."""
    return len(range(0, side - size + 1, step)) ** 2


def cam_by_hand(values: Tensor, gradients: Tensor) -> Tensor:
    """Grad-CAM of values and gradients, float (channels, cells) each: the positive part of the weighted sum."""
    return (gradients.mean(dim=1, keepdim=True) * values).sum(dim=0).relu()


def needed_side(cells: int, layer: str = "conv5_2") -> int:
    """The input side that gives ``layer`` of VGG-11 so many cells per side."""
    jump = trace("VGG-11").row(layer).jump
    assert jump is not None
    return cells * jump


def strongest_pictures(maps: Tensor, channel: int, count: int) -> Tensor:
    """Indices, int64 (count,), of the pictures whose map of this channel, of (N, C, h, w), has the largest values."""
    return strongest(maps, channel)[:count]


def share_kept(values: Tensor, count: int) -> float:
    """The part of the variance of ``values``, float (N, D), that its first ``count`` principal directions keep."""
    lengths = torch.linalg.svdvals(values - values.mean(dim=0)) ** 2
    return (lengths[:count].sum() / lengths.sum()).item()


def _edge_mistakes() -> dict[tuple[float, ...], str]:
    plain, edge, lying = filter_answers()
    kernel = torch.tensor(EDGE_FILTER)
    return {
        (plain, lying, edge): "The filter differs from left to right. Which of the two edges does so, too?",
        (plain, -edge, lying): "That is the answer of the mirrored filter: PyTorch does not flip it.",
        (plain, edge / 3, lying): "That is one row. All nine products are added.",
        filter_answers(kernel.clamp(min=0)): "You left out the negative weights; they count against it.",
        filter_answers(kernel.abs()): "You took the weights without their signs.",
        filter_answers(kernel.T): "That filter differs from top to bottom. Read this one row by row.",
    }


def _place_mistakes() -> dict[float, str]:
    per_axis = len(range(0, SIDE - SQUARE + 1, STEP))
    return {
        per_axis: "That is along one axis. The square also moves down.",
        (SIDE // STEP) ** 2: "The last places would hang over the edge: the square must fit as a whole.",
        (SIDE // SQUARE) ** 2: "That is without overlap. The square moves by less than its own side.",
        (per_axis - 1) ** 2: "That counts the moves. How many places are there along a fence with that many gaps?",
        covered_places(SIDE, SQUARE, 1): "That is a move of one pixel at a time.",
        per_axis**2 + 1: "The image without a square is one more pass; asked are the covered ones.",
    }


def _cam(values: Tensor, gradients: Tensor) -> tuple[float, ...]:
    return tuple(cam_by_hand(values, gradients).tolist())


def _cam_mistakes() -> dict[tuple[float, ...], str]:
    values, gradients = torch.tensor(VALUES), torch.tensor(GRADIENTS)
    weighted = gradients.mean(dim=1, keepdim=True) * values
    return {
        tuple(weighted.sum(dim=0).tolist()): "Right up to the last step: what becomes of the negative cells?",
        tuple((values * gradients).sum(dim=0).relu().tolist()): (
            "You multiply cell by cell. Grad-CAM gives each channel one weight, the mean of its gradients."
        ),
        tuple((values * gradients).sum(dim=0).tolist()): "One weight per channel, please, and a ReLU at the end.",
        _cam(values, gradients * values.shape[1]): "You add the gradients of a channel. Take their mean.",
        tuple(weighted.relu().sum(dim=0).tolist()): (
            "Your ReLU comes before the sum, and the second channel has no say. Add first."
        ),
        tuple(values.sum(dim=0).tolist()): "That is the sum of the channels. What does each weigh?",
    }


def _side_mistakes() -> dict[float, str]:
    key = needed_side(WANTED_CELLS)
    return {
        2 * key: "You counted all five pools. Is conv5_2 above or below the last of them?",
        key / 2: "One pool is missing: count those above conv5_2 once more.",
        key / WANTED_CELLS: "That is how many pixels a cell is apart from the next. How many cells are wanted?",
        WANTED_CELLS * 4: "You counted two pools.",
        (key / 16) ** 2 * 16: "Count along one side of the map.",
    }


def _maps(seed: int, pictures: int, channels: int, side: int) -> Tensor:
    return torch.randn(pictures, channels, side, side, generator=torch.Generator().manual_seed(seed)).relu()


def _cloud(seed: int, count: int) -> tuple[Tensor, int]:
    drawn = torch.randn(40, 6, generator=torch.Generator().manual_seed(seed))
    return drawn * torch.arange(6, 0, -1) + 5, count


EXERCISES = [
    choice(
        "filter_guess",
        kept_filters,
        why="Training stretched most of these filters and turned few of them.",
        hints={
            "a": "Take the clearest edge and look at the same place on the other side: does it look different?",
            "b": "Read the printed count: how many of the pairs lie above 0.9?",
        },
    ),
    numbers(
        "edge_by_hand",
        filter_answers,
        why="Weights that sum to zero are blind to plain areas and answer only to a change in their direction.",
        mistakes=_edge_mistakes,
        otherwise="Multiply each of the nine pixels by the weight at its place, then add.",
    ),
    code(
        "strongest_pictures",
        strongest_pictures,
        [(_maps(0, 30, 5, 4), 2, 4), (_maps(1, 12, 3, 2), 0, 5)],
        why="The largest value anywhere in the map counts, so a channel may find its thing in any place.",
        mistakes={
            "These are the weakest: the order is the other way round.": (
                lambda maps, channel, count: maps[:, channel].amax(dim=(1, 2)).argsort()[:count]
            ),
            "That is the mean over the map. A channel that answers in one place only would be lost.": (
                lambda maps, channel, count: maps[:, channel].mean(dim=(1, 2)).argsort(descending=True)[:count]
            ),
            "These are the values. Which images do they belong to?": (
                lambda maps, channel, count: maps[:, channel].amax(dim=(1, 2)).sort(descending=True).values[:count]
            ),
            "That is one image's channels: the first axis counts images, the second channels.": (
                lambda maps, channel, count: maps[channel].amax(dim=(1, 2)).argsort(descending=True)[:count]
            ),
            "The right order, but all of them. How many are asked for?": (
                lambda maps, channel, count: strongest_pictures(maps, channel, len(maps))
            ),
        },
        otherwise="Three steps: this channel's maps, the largest value of each, and who comes first.",
    ),
    choice(
        "channel_guess",
        "c",
        why="A channel answers to a pattern, and the name that its first images suggest is ours.",
        hints={
            "a": "So the first eight suggest. Look at the second row.",
            "b": "They look most alike to us. Look at the second row.",
        },
    ),
    number(
        "covered_places",
        lambda: covered_places(SIDE, SQUARE, STEP),
        why="Each place is one more pass through the network, so a finer map is paid for with time.",
        mistakes=_place_mistakes,
        otherwise="Write down where the square's left edge can be. Then the same for its upper edge.",
    ),
    choice(
        "cells_guess",
        "a",
        why="Four pools come before conv5_2, and 32 halved four times is 2.",
        hints={
            "b": "That would be after three pools. How many come before conv5_2?",
            "c": "That would be after two pools. How many come before conv5_2?",
            "d": "Grad-CAM adds up the channels' own maps; nothing enlarges them again.",
        },
    ),
    numbers(
        "cam_by_hand",
        lambda: _cam(torch.tensor(VALUES), torch.tensor(GRADIENTS)),
        why="Channels that speak for the class are added, those that speak against it subtracted.",
        mistakes=_cam_mistakes,
        otherwise="First one weight for each channel, then the weighted sum cell by cell, then the ReLU.",
    ),
    number(
        "map_side",
        lambda: needed_side(WANTED_CELLS),
        why="Every pool above the layer doubles what the input needs for the same number of cells.",
        mistakes=_side_mistakes,
        nearly=lambda answer: (
            "That side gives such a map, too; the smallest is asked for."
            if needed_side(WANTED_CELLS) < answer < needed_side(WANTED_CELLS + 1)
            else None
        ),
        otherwise="Start at the map and double once for every pool on the way up to the input.",
    ),
    choice(
        "mark_guess",
        "c",
        why="Nothing in the loss asks for garments: the shortest way to the label wins.",
        hints={
            "a": "That is its accuracy with the mark. What did it need the garment for?",
            "b": "That would be a network that has learned both. Compare the printed lines.",
        },
    ),
    choice(
        "covering_guess",
        "b",
        why="A map is a guess about what matters, and covering is the test that it has to pass.",
        hints={
            "a": "So one should think. Compare the two marks of the first line, then the two counts below.",
            "c": "Read the axis: most images keep their answer, wherever they are covered.",
        },
    ),
    choice(
        "what_heat_says",
        "c",
        why="A map describes one score near one image, to first order, and reasons are what we add.",
        hints={
            "a": "Could another cause leave the same heat? Think of the map of random weights.",
            "b": "That is a claim about a change. Which experiment would show it?",
            "d": "One network's score says nothing about what makes a garment a shirt.",
        },
    ),
    code(
        "share_kept",
        share_kept,
        [_cloud(0, 2), _cloud(1, 1), _cloud(2, 4)],
        why="A flat map of a cloud keeps this share of it, and says nothing about the rest.",
        mistakes={
            "The cloud's middle has to be at zero first.": lambda values, count: (
                (torch.linalg.svdvals(values)[:count] ** 2).sum() / (torch.linalg.svdvals(values) ** 2).sum()
            ).item(),
            "Singular values are lengths. Variances are their squares.": lambda values, count: (
                torch.linalg.svdvals(values - values.mean(dim=0))[:count].sum()
                / torch.linalg.svdvals(values - values.mean(dim=0)).sum()
            ).item(),
            "These are the axes of the data. The principal directions are found first.": lambda values, count: (
                values.var(dim=0)[:count].sum() / values.var(dim=0).sum()
            ).item(),
            "That is what is lost.": lambda values, count: 1 - share_kept(values, count),
            "That is one direction, the last of those asked for. Add up.": lambda values, count: (
                share_kept(values, count) - (share_kept(values, count - 1) if count > 1 else -1.0)
            ),
            "A share, not percent.": lambda values, count: 100 * share_kept(values, count),
        },
        otherwise="Centre the values, take torch.linalg.svdvals, square: the share of the first ones in the sum.",
        tolerance=1e-4,
    ),
]
