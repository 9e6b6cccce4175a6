"""Several processes at one batch, drawn: who gets what, what is sent, what is gained, and where a step's time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from vgg_lesson.arithmetic import LayerTrace
from vgg_lesson.classroom.figures.shared import Pictures
from vgg_lesson.classroom.scale_up import Measured, StepModel, gradient_bytes
from vgg_lesson.support import style
from vgg_lesson.support.style import LessonFigure, finish, ink, new_figure, show_image, styled
from vgg_lesson.training.history import History

WORKERS = ((style.BLUE, ""), (style.ORANGE, "//"), (style.GREEN, "xx"), (style.PINK, ".."))
MOST = 8
SAME = 0.02  # of the range of the losses: less than the width of the line that is drawn


@styled
def batch_shares(images: Pictures, counts: Sequence[int]) -> LessonFigure:
    """A batch (B, 28, 28) in a row, each picture on the colour and above the number of the process that gets it."""
    if sum(counts) != len(images):
        raise ValueError(f"counts={list(counts)} shares out {sum(counts)} images and images has {len(images)}")
    figure = new_figure(10, 2.3)
    owners = [worker for worker, count in enumerate(counts) for _ in range(count)]
    for place, (axes, image) in enumerate(zip(figure.subplots(1, len(images)), images, strict=True)):
        color, _ = WORKERS[owners[place]]
        show_image(axes, image.numpy())
        axes.set_xlabel(f"process\n{owners[place]}", color=ink(color), fontweight="bold")
        for spine in axes.spines.values():
            spine.set(visible=True, color=color, linewidth=4)
    figure.suptitle("One batch, in its order: each process takes a stretch of it", x=0.01, ha="left", fontweight="bold")
    shares = ", then ".join(f"{count} for process {worker}" for worker, count in enumerate(counts))
    return finish(figure, f"A row of {len(images)} garments with coloured frames: {shares}.")


@styled
def work_and_bytes(counted: LayerTrace) -> LessonFigure:
    """Two bars of equal length: a network's multiplications, and the bytes of its gradients, by kind of layer."""
    convolutions = sum(row.macs for row in counted.rows if row.kind == "conv") / counted.total_macs
    carried = counted.conv_params / counted.total_params
    figure = new_figure(10, 3.2)
    axes = figure.subplots()
    kinds = (("convolutions", style.BLUE, ""), ("fully connected", style.ORANGE, "//"))
    for row, share in ((1, convolutions), (0, carried)):
        left = 0.0
        for (_, color, hatch), width in zip(kinds, (share, 1 - share), strict=True):
            axes.barh(row, width, left=left, color=color, hatch=hatch, edgecolor="white", height=0.6)
            if width > 0.1:
                axes.text(
                    left + width / 2, row, f"{width:.0%}", ha="center", va="center", fontsize=16,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
                )  # fmt: skip
            left += width
    axes.set_yticks([1, 0], ["multiplications\nto do", "bytes to send"])
    axes.set(xlim=(0, 1), xticks=[])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.legend(
        [Rectangle((0, 0), 1, 1, facecolor=color, hatch=hatch, edgecolor="white") for _, color, hatch in kinds],
        [name for name, _, _ in kinds],
        loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=2,
    )  # fmt: skip
    axes.set_title("One kind of layer does the work, the other fills the wire")
    return finish(
        figure,
        f"{counted.config.name}: convolutions do {convolutions:.0%} of the multiplications and hold {carried:.0%} of "
        f"the {gradient_bytes(counted) / 1e6:.0f} MB of gradients; fully connected layers have the rest of both.",
    )


@styled
def waits_fitted(rows: Sequence[Measured], bandwidth: float, latency: float) -> LessonFigure:
    """How much longer a step takes two processes than one with the same half batch, over the gradients' megabytes."""
    figure = new_figure(10, 4.2)
    axes = figure.subplots()
    megabytes = [row.size / 1e6 for row in rows]
    ends = [0.0, 1.08 * max(megabytes)]
    axes.plot(
        ends, [1e3 * (latency + end * 1e6 / bandwidth) for end in ends], "--", color=style.ORANGE,
        label=f"line: 1 ms for every {bandwidth / 1e9:.2g} MB",
    )  # fmt: skip
    axes.plot(megabytes, [1e3 * row.wait for row in rows], "o", color=style.BLUE, markersize=12, label="measured")
    for row, x in zip(rows, megabytes, strict=True):
        side, shift = ("right", (0, 14)) if x > ends[1] / 2 else ("left", (10, -16))
        axes.annotate(f"{row.hidden} hidden", (x, 1e3 * row.wait), shift, textcoords="offset points", ha=side)
    axes.set(xlim=(0, ends[1]), xlabel="gradients, MB", ylabel="milliseconds of waiting")
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.2 * axes.get_ylim()[1])
    axes.legend(loc="lower right")
    axes.set_title("More bytes, more waiting")
    return finish(
        figure,
        "Waiting of two processes over the size of their gradients, three networks of the stored log and a straight "
        "line through them that rises.",
    )


@styled
def speedups(
    models: Mapping[str, StepModel],
    known: Mapping[str, tuple[int, float]] | None = None,
    most: int = MOST,
) -> LessonFigure:
    """Speed-up over the number of processes for each model, with the ideal line; ``known`` are published points."""
    figure = new_figure(10, 4.8)
    axes = figure.subplots()
    numbers = range(1, most + 1)
    axes.plot(numbers, numbers, color=style.GREY, linestyle=":", linewidth=2)
    axes.text(most + 0.3, most, "ideal", color=ink(style.GREY), va="center")
    ends: list[float] = []
    for index, (name, model) in enumerate(models.items()):
        color, marker = style.COLORS[index], style.MARKERS[index]
        gained = [model.speedup(number) for number in numbers]
        axes.plot(numbers, gained, color=color, marker=marker, linestyle=style.LINES[index])
        ends.append(gained[-1])
        axes.text(
            most + 0.3, _apart(ends, 0.055 * most), f"{name}: {gained[-1]:.1f}", color=ink(color), va="center"
        )  # fmt: skip
    for name, (number, gain) in (known or {}).items():
        axes.plot(number, gain, marker="*", markersize=22, color=style.BLACK, linestyle="none")
        axes.annotate(name, (number, gain), (-14, 8), textcoords="offset points", ha="right")
    axes.set(xlim=(0.8, 1.62 * most), ylim=(0, 1.06 * most), xticks=list(numbers))
    axes.set_xlabel("processes", loc="left")
    axes.set_ylabel("times as fast as one")
    axes.set_title("A calculation: what more processes gain")
    told = "; ".join(f"{name} {model.speedup(most):.1f} times" for name, model in models.items())
    return finish(figure, f"Calculated speed-up for 1 to {most} processes. With {most}: {told}; ideal {most} times.")


def _apart(ends: list[float], gap: float) -> float:
    """Where the newest end's words go: at its height, or as far above the others as they need."""
    place = ends[-1]
    while any(abs(place - other) < gap for other in ends[:-1]):
        place += gap / 4
    ends[-1] = place
    return place


@styled
def step_time(phases: Mapping[str, float], operations: Mapping[str, float]) -> LessonFigure:
    """A training step in milliseconds: its phases in one bar, and below it the operations that take longest."""
    figure = new_figure(10, 5.6)
    top, below = figure.subplots(2, 1, height_ratios=(1, 2.6))
    left = 0.0
    for (name, value), color, hatch in zip(
        phases.items(), (style.GREY, style.BLUE, style.ORANGE, style.GREEN), ("", "", "//", "xx"), strict=False
    ):
        top.barh(0, value, left=left, color=color, hatch=hatch, edgecolor="white", label=f"{name} {value:.0f}")
        left += value
    top.set(yticks=[], xlim=(0, left))
    top.spines["left"].set_visible(False)
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, columnspacing=1.2, handlelength=1.2)
    names = list(operations)[::-1]
    below.barh(range(len(names)), [operations[name] for name in names], color=style.SKY, edgecolor=style.BLUE)
    below.set_yticks(range(len(names)), names)
    for place, name in enumerate(names):
        below.text(operations[name], place, f" {operations[name]:.0f}", va="center")
    top.tick_params(labelbottom=False)  # one scale for both
    below.set_xlabel("milliseconds of a step, in both panels")
    below.set_xlim(0, max(left, 1.12 * max(operations.values())))
    top.set_xlim(below.get_xlim())
    longest = max(operations, key=lambda name: operations[name])
    title = f"Most time of all single operations: {longest}"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=16)
    return finish(
        figure,
        "One bar with the milliseconds of a training step by phase, and bars of the operations that take longest: "
        + ", ".join(operations)
        + ".",
    )


@styled
def killed_and_resumed(whole: History, resumed: History, epoch_steps: int) -> LessonFigure:
    """The losses of a run that nobody disturbed, and over them those of the run that was killed and went on."""
    for name, run in (("whole", whole), ("resumed", resumed)):
        if not run.step_losses:
            raise ValueError(f"{name} holds no step; a history of a run is expected")
    figure = new_figure(10, 4.0)
    axes = figure.subplots()
    steps = range(1, len(whole.step_losses) + 1)
    axes.plot(steps, whole.step_losses, color=style.SKY, linewidth=9, alpha=0.7, label="undisturbed, all processes")
    axes.plot(steps, resumed.step_losses, "o-", color=style.BLACK, markersize=6, linewidth=1.5, label="killed, resumed")
    axes.axvline(epoch_steps + 0.5, color=style.ORANGE, linestyle="--")
    axes.text(
        epoch_steps + 0.7, axes.get_ylim()[1], "what the checkpoint\nkept ends here", color=ink(style.ORANGE), va="top"
    )  # fmt: skip
    axes.set(xlabel="step", ylabel="training loss", xlim=(0.5, len(whole.step_losses) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper right")
    gap = max(abs(a - b) for a, b in zip(whole.step_losses, resumed.step_losses, strict=True))
    span = max(whole.step_losses) - min(whole.step_losses)
    if gap < SAME * span:
        axes.set_title("Killed, resumed, and nobody can tell")
        told = "the two lines lie on each other"
    else:
        axes.set_title(f"Killed and resumed: not the same run, {gap:.2f} apart")
        told = f"the two lines part by up to {gap:.2f}"
    return finish(
        figure,
        f"Training loss of two runs of {len(whole.step_losses)} steps, one killed and resumed after step "
        f"{epoch_steps}; {told}.",
    )
