"""Figures of notebook 00: the map of the series, and a guess beside what was measured."""

from __future__ import annotations

from typing import Any, NamedTuple

from vgg_lesson.support.style import BLUE, GREEN, GREY, ORANGE, SKY, LessonFigure, finish, new_figure, styled


class Stop(NamedTuple):
    """One notebook on the map: its file's stem, minutes in class and alone, whether the main line does without it."""

    stem: str
    in_class: int
    alone: int
    elective: bool = False


SERIES = (
    Stop("00_start_here", 15, 25),
    Stop("01_why_depth", 40, 70),
    Stop("02_architecture", 50, 80),
    Stop("03_parameter_arithmetic", 45, 75),
    Stop("04_data", 30, 50),
    Stop("05_why_it_stalls", 50, 75),
    Stop("06_train_it_well", 50, 75),
    Stop("07_predictions", 45, 70),
    Stop("08_look_inside", 45, 75, elective=True),
    Stop("09_does_depth_help", 45, 75, elective=True),
    Stop("10_reuse_the_backbone", 40, 65, elective=True),
    Stop("11_scale_up", 40, 65, elective=True),
    Stop("12_takeaways", 20, 40),
)
WAYS = (
    ("one class", (5,), ORANGE, "D"),
    ("half a day", (2, 3, 5, 7), GREEN, "s"),
    ("a course", tuple(range(len(SERIES))), BLUE, "o"),
)


@styled
def series_map() -> LessonFigure:
    """The notebooks from left to right and three ways through them, drawn as lines that stop at some of them."""
    figure = new_figure(10, 5)
    axes = figure.subplots()
    last = len(SERIES) - 1
    electives = [place for place, stop in enumerate(SERIES) if stop.elective]
    axes.axvspan(electives[0] - 0.5, electives[-1] + 0.5, ymax=0.6, color="#F0F0F0", zorder=-1)
    axes.text(sum(electives) / len(electives), 2.3, "electives", ha="center", va="center", fontsize=13, color=GREY)
    for place, stop in enumerate(SERIES):
        axes.plot([place, place], [0.4, 3.3], color="#DDDDDD", linewidth=1, zorder=0)
        axes.text(place, 3.45, stop.stem[:2], ha="center", va="bottom", fontsize=16, weight="bold")
        name = stop.stem[3:].replace("_", " ")
        axes.text(place - 0.1, 3.95, name, rotation=42, rotation_mode="anchor", va="bottom", fontsize=13)
    for level, (name, stops, color, marker) in enumerate(WAYS):
        height = 2.8 - level
        if len(stops) > 1:
            axes.plot([stops[0], stops[-1]], [height, height], color=color, linewidth=5, solid_capstyle="round")
        axes.plot(stops, [height] * len(stops), marker, color="white", markeredgecolor=color, markersize=14, mew=4)
        axes.text(-0.7, height, name, ha="right", va="center", color=color, weight="bold")
        minutes = sum(SERIES[stop].in_class for stop in stops)
        axes.text(last + 0.7, height, f"{minutes} min", va="center", color=color, weight="bold")
    axes.set(xlim=(-2.9, last + 2.6), ylim=(0.3, 6))
    axes.axis("off")
    return finish(
        figure,
        "A map of the thirteen notebooks, 00 to 12, with three lines: one class stops at 05 only, half a day stops at "
        "02, 03, 05 and 07, a course stops at all of them. Notebooks 08 to 11 are marked as electives.",
    )


@styled
def guess_beside_answer(measured: float, *, guess: Any = ..., chance: float, people: float) -> LessonFigure:
    """Shares (0 to 1) as bars: blind guessing, people, the network; a committed ``guess`` in percent as a line.

    A guess of at most 1 is taken for a share; one outside 0 to 100 is named at the edge.
    """
    rows = (
        ("always the same answer", chance, GREY, ""),
        ("people", people, SKY, "//"),
        ("this network", measured, BLUE, ""),
    )
    figure = new_figure(10, 3)
    axes = figure.subplots()
    for height, (name, value, color, hatch) in enumerate(rows):
        axes.barh(height, 100 * value, color=color, hatch=hatch, edgecolor="white", height=0.62)
        axes.text(100 * value + 1, height, f"{name}: {value:.1%}", va="center")
    axes.set(xlim=(0, 130), xticks=range(0, 101, 20), yticks=[], xlabel="test images named correctly, percent")
    axes.spines["bottom"].set_bounds(0, 100)
    axes.spines["left"].set_visible(False)
    if isinstance(guess, int | float):
        percent = 100 * guess if 0 < guess <= 1 else guess
        inside = 0 <= percent <= 100
        place = percent if inside else 100 * (percent > 100)
        if inside:
            axes.axvline(place, color=ORANGE, linestyle="--")
        label = "your guess" if inside else f"your guess, {percent:g}, is no percentage"
        axes.text(place + 1, -0.62, label, color=ORANGE, weight="bold", va="center")
        axes.set_ylim(-0.9, 2.5)
    return finish(
        figure,
        f"The network names {measured:.1%} of the test images; blind guessing {chance:.0%}, people {people:.1%}.",
    )
