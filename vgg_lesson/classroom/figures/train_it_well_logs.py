"""Training logs to diagnose, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vgg_lesson.classroom.figures.why_it_stalls import CHANCE_LOSS
from vgg_lesson.records.stored_runs import EPOCH_COLUMNS
from vgg_lesson.support.style import BLACK, BLUE, GREY, ORANGE, LessonFigure, finish, new_figure, styled

LOG_CURVES = (("train", "training"), ("validation", "validation"), ("again", "the same network, evaluated again"))
LOG_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": ORANGE, "marker": "s", "linestyle": "--", "markersize": 5, "linewidth": 1.5},
    {"color": BLUE, "marker": "o", "linestyle": "-", "markersize": 5, "linewidth": 1.5},
    {"color": BLACK, "marker": "x", "linestyle": "none", "markersize": 8, "markeredgewidth": 1.5},
)

GUESSING_LOOK: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.5}


@styled
def four_logs(
    logs: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    highest: float = 2.6,
    guessing: float = CHANCE_LOSS,
) -> LessonFigure:
    """Logs side by side, letter → column → value per epoch: loss above, accuracy below, two evaluations of each epoch.

    The columns are those of `vgg_lesson.records.stored_runs.four_logs`. Losses above ``highest`` are drawn at the edge;
    ``guessing`` is the dotted line. The text alternative tells first and last values and names no cause.
    """
    for letter, log in logs.items():
        if missing := [column for column in EPOCH_COLUMNS if column not in log]:
            raise ValueError(f"logs[{letter!r}] has no {missing[0]!r}; {', '.join(EPOCH_COLUMNS)} are expected")
    figure = new_figure(10, 5.6)
    for column, (letter, log) in enumerate(logs.items()):
        loss, accuracy = figure.add_subplot(2, len(logs), column + 1), figure.add_subplot(2, len(logs), column + 5)
        loss.axhline(guessing, **GUESSING_LOOK)
        for axes, measure, limit in ((loss, "loss", highest), (accuracy, "accuracy", 1.0)):
            for (source, _), look in zip(LOG_CURVES, LOG_LOOKS, strict=True):
                values = [min(value, limit) for value in log[f"{source}_{measure}"]]
                axes.plot(log["epoch"], values, **look)
            axes.set(xlim=(0, max(log["epoch"]) + 1), ylim=(0, 1.04 * limit))
            axes.tick_params(labelsize=12)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            if column:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(measure)
        loss.set_title(letter, loc="center", fontsize=18)
        accuracy.set_xlabel("epoch")
        last = [f"{log[f'{source}_accuracy'][-1]:.1%}" for source in ("validation", "again")]
        accuracy.set_title("last: {}, {}".format(*last), fontsize=12, fontweight="normal")
    handles = [Line2D([], [], label=label, **look) for (_, label), look in zip(LOG_CURVES, LOG_LOOKS, strict=True)]
    handles.append(Line2D([], [], label="guessing", **GUESSING_LOOK))
    figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=13)
    return finish(figure, " ".join(f"Log {letter}: {_log_in_words(log)}." for letter, log in logs.items()))


def _log_in_words(log: Mapping[str, Sequence[float]]) -> str:
    def told(column: str) -> str:
        first, last = (f"{log[column][place]:.2f}" for place in (0, -1))
        return f"from {first} to {last}"

    gap = max(abs(a - b) for a, b in zip(log["validation_loss"], log["again_loss"], strict=True) if a == a)
    return (
        f"over {len(log['epoch'])} epochs the training loss goes {told('train_loss')}, the validation loss "
        f"{told('validation_loss')}, the training accuracy {told('train_accuracy')}, the validation accuracy "
        f"{told('validation_accuracy')}; a second evaluation differs by up to {gap:.2f} in loss"
    )
