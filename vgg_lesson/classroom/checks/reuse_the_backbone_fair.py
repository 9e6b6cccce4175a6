"""Two exercises of notebook 10 that are answered with a small experiment: a probe, and a fair comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vgg_lesson.analysis.intervals import difference, interval
from vgg_lesson.classroom.checks.shared import code
from vgg_lesson.training.evaluation import evaluate
from vgg_lesson.training.loop import fit

Run = Callable[[str, int, int], float]  # way, labels, seed → accuracy
Pair = tuple[float, float]
STEPS = 20  # enough for classes that lie far apart


def probe_accuracy(
    maps: Tensor, labels: Tensor, test_maps: Tensor, test_labels: Tensor, classes: int, lr: float
) -> float:
    """Accuracy (0 to 1) on the test pair of one linear layer, trained on the other; float maps (N, C, H, W)."""
    return evaluate(_probe(maps, labels, classes, lr), (test_maps, test_labels))[1]


def fair_comparison(run: Run, one: str, other: str, count: int, seeds: Sequence[int]) -> Pair:
    """Mean difference of two ways over the same draws, and the half-width of its 95% interval."""
    found = interval([run(one, count, seed) - run(other, count, seed) for seed in seeds])
    return found.mean, found.half


def _probe(maps: Tensor, labels: Tensor, classes: int, lr: float, steps: int = STEPS) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        probe = nn.Sequential(nn.Flatten(), nn.Linear(maps[0].numel(), classes))
        fit(probe, (maps, labels), steps=steps, lr=lr, momentum=0.9, show=False, device="cpu")
    return probe


def _problem(seed: int, mislabelled: int) -> tuple[Tensor, Tensor, Tensor, Tensor, int, float]:
    """Three classes far apart, 60 maps to learn from and 30 to judge by, of which some have the next class's label."""
    draw = torch.Generator().manual_seed(seed)
    centres = 3 * torch.randn(3, 2, 2, 3, generator=draw)
    labels, test_labels = torch.arange(60) % 3, torch.arange(30) % 3
    maps, test_maps = (
        centres[wanted] + 0.1 * torch.randn(len(wanted), 2, 2, 3, generator=draw) for wanted in (labels, test_labels)
    )
    test_labels[:mislabelled] = (test_labels[:mislabelled] + 1) % 3
    return maps, labels, test_maps, test_labels, 3, 0.05


def _table(luck: float, lead: float) -> Run:
    """A stand-in for training: both ways share the luck of a draw, one is a little ahead."""

    def run(way: str, count: int, seed: int) -> float:
        own = {"probe": lead + 0.004 * (seed % 2), "pixels": 0.003 * (seed % 3)}[way]
        return 0.7 + luck * ((7 * seed) % 5) / 5 + own + 0.0001 * count

    return run


def _unpaired(run: Run, one: str, other: str, count: int, seeds: Sequence[int]) -> Pair:
    found = difference([run(one, count, seed) for seed in seeds], [run(other, count, seed) for seed in seeds])
    return found.mean, found.half


def _swapped(run: Run, one: str, other: str, count: int, seeds: Sequence[int]) -> Pair:
    return fair_comparison(run, other, one, count, seeds)


def _other_draws(run: Run, one: str, other: str, count: int, seeds: Sequence[int]) -> Pair:
    found = interval([run(one, count, seed) - run(other, count, seed + 1) for seed in seeds])
    return found.mean, found.half


def _in_points(run: Run, one: str, other: str, count: int, seeds: Sequence[int]) -> Pair:
    mean, half = fair_comparison(run, one, other, count, seeds)
    return 100 * mean, 100 * half


def _ends(run: Run, one: str, other: str, count: int, seeds: Sequence[int]) -> Pair:
    mean, half = fair_comparison(run, one, other, count, seeds)
    return mean - half, mean + half


PROBE_ACCURACY = code(
    "probe_accuracy",
    probe_accuracy,
    [_problem(0, mislabelled=12)],  # a case costs a training
    why="A probe is a linear layer on numbers that do not change: all that it can do was in them.",
    mistakes={
        "You judge on the images that it learned from.": (
            lambda maps, labels, _, __, classes, lr: probe_accuracy(maps, labels, maps, labels, classes, lr)
        ),
        "That is the loss: evaluate returns two numbers, the loss first.": (
            lambda m, y, tm, ty, classes, lr: evaluate(_probe(m, y, classes, lr), (tm, ty))[0]
        ),
        "Right in percent; give it as a share.": lambda *case: 100 * probe_accuracy(*case),
    },
    otherwise="Flatten, one linear layer, fit on (maps, labels), evaluate on (test_maps, test_labels): is one missing?",
    tolerance=1e-3,
)

FAIR_COMPARISON = code(
    "fair_comparison",
    fair_comparison,
    [
        (_table(0.2, 0.02), "probe", "pixels", 5, (0, 1, 2, 3, 4)),
        (_table(0.2, 0.001), "probe", "pixels", 20, (0, 1, 2)),
        (_table(0.1, 0.02), "pixels", "probe", 1, (3, 4, 5, 6)),
    ],
    why="What both ways share, the luck of the draw, is gone from every difference; what is left is the ways.",
    mistakes={
        "That takes two intervals and adds them as squares. Both ways had the same draws: subtract draw by draw.": (
            _unpaired
        ),
        "The sign is turned round: one minus other.": _swapped,
        "The two ways get different seeds, so luck stays in the difference.": _other_draws,
        "Right in points; leave it as a share, as run returns it.": _in_points,
        "These are the ends of the interval. Asked are its mean and its half-width.": _ends,
        "That is the interval itself: return its .mean and its .half.": (
            lambda run, one, other, count, seeds: interval(
                [run(one, count, seed) - run(other, count, seed) for seed in seeds]
            )
        ),
    },
    otherwise="One difference for each seed, both ways with the same one; then 09's interval of these differences.",
)
