"""Exercises and predictions of notebook 09, does depth help?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import mean, pstdev, stdev

from vgg_lesson.analysis.intervals import difference, interval, t_factor
from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import choice, code, number, numbers
from vgg_lesson.classroom.checks.train_it_well import standard_error
from vgg_lesson.records.experiments import CHANGES
from vgg_lesson.records.published import published
from vgg_lesson.records.stored_runs import factor_runs

DEPTHS = ("VGG-11", "VGG-13", "VGG-16", "VGG-19")
COMPARISONS, LEVEL = 12, 0.95
KEPT = 1 / 6  # of the variance, per layer with a ReLU, under PyTorch's default initialisation
PAPER_ERROR, PAPER_IMAGES = 0.09, 50_000


def half_width(values: Sequence[float]) -> float:
    """How far the 95% t interval of the mean reaches to either side."""
    return interval(values).half


def apart(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether the interval of the difference of two means leaves zero out."""
    return not difference(one, other).holds_zero


def false_alarm(comparisons: int, level: float) -> float:
    """The probability that at least one of independent comparisons of equals calls them different."""
    return 1 - level**comparisons


def seconds(name: str) -> float:
    """Processor seconds of a stored run, the mean over its seeds."""
    return mean(run.seconds for run in factor_runs()[name])


def winners() -> int:
    """How many networks are first with at least one of the five seeds, one epoch."""
    runs = factor_runs()
    return len({max(DEPTHS, key=lambda name: runs[name][seed].accuracy) for seed in range(5)})


def letter_of(one: str, other: str) -> str:
    """Which of two runs has the higher mean: "a" the first, "c" the second, "b" where they are not told apart."""
    found = difference(_accuracies(one), _accuracies(other))
    return "b" if found.holds_zero else "a" if found.mean > 0 else "c"


def paper_gap() -> float:
    """The standard error of a difference of two errors near 9% on 50,000 images each, in percentage points."""
    return 100 * math.sqrt(2) * standard_error(PAPER_ERROR, PAPER_IMAGES)


def paper_depth() -> str:
    """The letter for how E's top-5 error of the paper compares with D's, at S = 384 and with a scale that varies."""
    fixed, varying = (
        published(f"paper_top5_error_E_{scale}") - published(f"paper_top5_error_D_{scale}")
        for scale in ("384", "jitter")
    )
    if fixed and varying:
        return "a" if min(fixed, varying) > 0 else "b"
    return "c" if varying < 0 else "d"


def _accuracies(name: str) -> list[float]:
    return [run.accuracy for run in factor_runs()[name]]


def _macs(name: str) -> int:
    return trace(**CHANGES[name].architecture).total_macs


def _wide(values: Sequence[float], *, t: float | None = None, spread: Callable[..., float] = stdev) -> float:
    factor = t_factor(len(values)) if t is None else t
    return factor * spread(values) / math.sqrt(len(values))


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return abs(mean(one) - mean(other)) > half_width(one) + half_width(other)


def _larger(one: Sequence[float], other: Sequence[float]) -> bool:
    return abs(mean(one) - mean(other)) > max(half_width(one), half_width(other))


def _fixed_factor(one: Sequence[float], other: Sequence[float]) -> bool:
    return abs(mean(one) - mean(other)) > math.hypot(_wide(one, t=t_factor(5)), _wide(other, t=t_factor(5)))


def _outside(one: Sequence[float], other: Sequence[float]) -> bool:
    return abs(mean(one) - mean(other)) > min(half_width(one), half_width(other))


def _outside_of(which: int) -> Callable[[Sequence[float], Sequence[float]], bool]:
    return lambda *pair: abs(mean(pair[0]) - mean(pair[1])) > half_width(pair[which])


def _one_sided(one: Sequence[float], other: Sequence[float]) -> bool:
    return mean(one) - mean(other) > math.hypot(half_width(one), half_width(other))


def _no_overlap_of_runs(one: Sequence[float], other: Sequence[float]) -> bool:
    return min(one) > max(other) or min(other) > max(one)


def _cost_mistakes() -> dict[float, str]:
    small, large = "VGG-11", "VGG-19"
    return {
        seconds(small) / seconds(large): "Upside down: how many of the cheap runs fit into the dear one?",
        _macs(large) / _macs(small): "That is the ratio of the multiplications. The log has the seconds.",
        seconds(large) - seconds(small): "That is a difference in seconds. How many times does one fit into the other?",
    }


def _nearly_the_price(answer: float) -> str | None:
    if answer in (2, 3):
        return "Not rounded to whole runs, please."
    one, other = (factor_runs()[name] for name in ("VGG-19", "VGG-11"))
    if any(math.isclose(answer, a.seconds / b.seconds, rel_tol=5e-3) for a, b in zip(one, other, strict=False)):
        return "That is one seed. Take the mean over all."
    return None


# Far apart both ways; told apart although the intervals overlap; and not told apart in several ways.
_CLOSE = [0.899, 0.9, 0.901]
_CASES: list[tuple[Sequence[float], Sequence[float]]] = [
    ([0.91, 0.911, 0.912], [0.9, 0.901, 0.902]),
    ([0.9, 0.901, 0.902], [0.91, 0.911, 0.912]),
    ([0.9035, 0.9045, 0.9055], _CLOSE),
    ([0.9025, 0.9035, 0.9045], _CLOSE),
    ([0.9022, 0.9023, 0.9024], [0.899, 0.9005, 0.902]),
    ([0.899, 0.9005, 0.902], [0.9022, 0.9023, 0.9024]),
    ([0.899, 0.901, 0.903], [0.9, 0.902, 0.904]),
    (_CLOSE, _CLOSE),
    ([0.9006, 0.8993], [0.8965, 0.8956, 0.894]),
    ([0.9, 0.901, 0.902], [0.9017, 0.906]),
]

EXERCISES = [
    choice(
        "one_seed_guess",
        lambda: "a" if winners() == 1 else "b" if winners() < len(DEPTHS) else "c",
        why="Whether a first place is luck can be seen only by running it again.",
        hints={
            "a": "Read the table line by line: does the last column always name the same network?",
            "c": "Read the last column of the table: which networks does it never name?",
        },
    ),
    choice(
        "two_spreads_guess",
        "c",
        why="A spread taken from three values is itself uncertain, often too small, and the factor has to pay for it.",
        hints={
            "a": "That would be very sure of itself. Is the spread of three values known so well?",
            "b": "That holds for many runs. What is different when the spread comes from three?",
            "d": "Not that bad. Run the cell and read its first line.",
        },
    ),
    code(
        "half_width",
        half_width,
        [([0.90, 0.91, 0.92],), ([0.9, 0.902, 0.901, 0.907, 0.899],), ([0.9, 0.91],)],
        why="The factor depends on how many runs there are, so three runs need far longer intervals than five.",
        mistakes={
            "That is the spread of single runs. A mean of n runs strays less: which root is missing?": (
                lambda values: t_factor(len(values)) * stdev(values)
            ),
            "You divide by n. The spread of a mean falls with the root of n.": (
                lambda values: t_factor(len(values)) * stdev(values) / len(values)
            ),
            "The spread divides by n - 1 here: statistics.stdev, not pstdev.": lambda values: _wide(
                values, spread=pstdev
            ),
            "That is the standard error, without the factor from the table.": lambda values: _wide(values, t=1.0),
            "Your factor is that of five runs, whatever their number: the table has one for each.": (
                lambda values: _wide(values, t=t_factor(5))
            ),
            "Twice the standard error: that is the factor for many runs. Look into the table.": (
                lambda values: _wide(values, t=2.0)
            ),
            "Your factor is one row off: with n values, look under n runs.": (
                lambda values: _wide(values, t=t_factor(len(values) + 1))
            ),
            "That is from end to end. Asked for is the half, to one side.": lambda values: 2 * _wide(values),
            "That is the upper end of the interval. How far is it from the mean?": (
                lambda values: mean(values) + _wide(values)
            ),
        },
        otherwise="Three parts of the formula: the spread from the module statistics, the count, and T for that count.",
    ),
    code(
        "told_apart",
        apart,
        _CASES,
        why="Errors that have nothing to do with each other add as squares, so overlapping intervals can still differ.",
        mistakes={
            "You ask that the two intervals do not overlap. That is too strict: both means are rarely off at once.": (
                _overlap
            ),
            "You compare with the longer half-width alone. Both means are uncertain.": _larger,
            "Your factor is that of five runs, whatever their number: the table has one for each.": _fixed_factor,
            "You ask whether one mean lies outside the interval of the other. Both means are uncertain.": _outside,
            "You use the interval of the first alone. Both means are uncertain.": _outside_of(0),
            "You use the interval of the second alone. Both means are uncertain.": _outside_of(1),
            "And if the second is the better one? Mind the sign.": _one_sided,
            "You compare the runs themselves. Asked is about their means.": _no_overlap_of_runs,
            "Any two numbers differ. By more than their uncertainty?": lambda one, other: mean(one) != mean(other),
            "That is the wrong way round: True is for means that are told apart.": (
                lambda one, other: not apart(one, other)
            ),
        },
        otherwise="How far apart are the means, whichever is larger? Compare with both half-widths, added as squares.",
    ),
    number(
        "one_false_alarm",
        lambda: false_alarm(COMPARISONS, LEVEL),
        why="Who compares often enough finds something, so a lone surprise among many rows deserves a second look.",
        mistakes=lambda: {
            1 - LEVEL: "That is for a single comparison.",
            COMPARISONS * (1 - LEVEL): "Adding up counts twice what happens together; with 30 rows it would pass 1.",
            LEVEL**COMPARISONS: "That is the probability that none is a false alarm.",
            (1 - LEVEL) ** COMPARISONS: "That is the probability that all of them are false alarms.",
            100 * false_alarm(COMPARISONS, LEVEL): "Right in percent; give it as a share between 0 and 1.",
        },
        otherwise="First the probability that all of them keep quiet, as they should. Then the rest.",
        relative=0.01,
    ),
    number(
        "runs_for_the_price",
        lambda: seconds("VGG-19") / seconds("VGG-11"),
        why="Equal steps are not equal cost: the same seconds buy the shallow network more steps, or more seeds.",
        mistakes=_cost_mistakes,
        nearly=_nearly_the_price,
        otherwise="Take the mean of run.seconds over the seeds of each, and divide.",
        relative=0.02,
    ),
    choice(
        "deep_and_plain_guess",
        "c",
        why="Whether a plain network learns is decided by what its first weights let through, not by its depth alone.",
        hints={
            "a": "Read the third panel. Which of its lines ever leaves ln 10?",
            "b": "Read the middle panel: which of its lines stays at ln 10?",
            "d": "Look at the middle panel again: does depth stop any of its lines?",
        },
    ),
    number(
        "weaker_signal",
        lambda: KEPT**-2.5,
        why="Five layers more cost two powers of ten, and the padding of small maps takes more on top.",
        mistakes=lambda: {
            KEPT**-5: "That is the factor of the variance. The spread is its root.",
            KEPT**2.5: "That share is left. By which factor is it weaker?",
            KEPT**-0.5: "That is one layer. How many more does VGG-16 have?",
            5 * KEPT**-0.5: "Layers come one after the other: their factors multiply.",
            5 * 6: "Layers come one after the other: their factors multiply, they do not add up.",
            KEPT**-7.5: "Those are all the layers with a ReLU. How many more than VGG-11 has it?",
            KEPT**-8: "Those are all the layers. How many more than VGG-11 has it?",
        },
        nearly=lambda answer: "About right: now to two digits." if 80 < answer < 125 else None,
        otherwise="How many layers more? Each keeps a sixth of the variance, and the spread is the variance's root.",
        relative=0.02,
    ),
    choice(
        "small_windows_guess",
        lambda: letter_of("three 3x3", "one 7x7"),
        why="Nothing in the table of costs could have told you: the view is equal, and so are the weights, nearly.",
        hints={
            "b": "Do the dots of the two rows mix? Let the rule of the exercise above decide.",
            "c": "Look at the two rows once more: which of them lies to the right?",
        },
    ),
    numbers(
        "weights_when_channels_double",
        lambda: (9 / 2 + 9 + 9, 49 / 2),
        why="The saving of a stack shrinks where its first layer has few channels to read.",
        mistakes=lambda: {
            (27, 49): "That is for C channels in and C out. Here the first layer reads half as many.",
            (13.5, 24.5): "Only the first of the three reads C/2 channels; the others read C.",
            (22.5, 49): "The large kernel reads C/2 channels as well.",
            (27, 24.5): "The stack's first layer reads C/2 channels as well.",
            (24.5, 22.5): "Right numbers in the wrong order: the stack first.",
        },
        otherwise="Kernel side squared, times channels read, times channels written: add up, then divide by C².",
        relative=1e-3,
    ),
    choice(
        "paper_depth_guess",
        paper_depth,
        why="One column of a table, from one run each, is a thin basis for a rule about depth.",
        hints={
            "a": "Look at the triangles, in both panels.",
            "b": "Look at the squares, in both panels.",
            "d": "The circles are the column with E behind. Now compare D and E on squares and triangles.",
        },
    ),
    number(
        "paper_gap",
        paper_gap,
        why="A gap of 0.2 is about one such error: by itself the table does not tell D from E.",
        mistakes=lambda: {
            paper_gap() / math.sqrt(2): "That is the error of one network. Two of them make a difference: add squares.",
            paper_gap() * math.sqrt(2): "You add the two errors. Independent errors add as squares.",
            paper_gap() / 100: "Right as a share; give it in percentage points.",
            paper_gap() ** 2: "That is the variance.",
            100 * math.sqrt(2) * standard_error(PAPER_ERROR, 10_000): "The paper's validation set has more images.",
            2 * paper_gap(): "Once is asked for; twice is where a difference deserves attention.",
        },
        otherwise="First √(p(1−p)/n) for one network. Then two such errors, added as squares. Then times a hundred.",
        relative=0.03,
        points=True,
    ),
    choice(
        "allowed_sentence",
        "c",
        why="It names recipe, budget and images, and claims no cause.",
        hints={
            "a": "For how long were they trained, by which recipe, and how many depths were tried?",
            "b": "Its extra layers also lie on the largest maps. Which of the two was it?",
            "d": "Not told apart is not equal: look at the width of the interval.",
        },
    ),
]  # fmt: skip
