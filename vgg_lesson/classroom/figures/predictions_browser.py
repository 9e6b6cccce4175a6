"""One picture and what the network says about it: the figures of the predictions browser and of one's own picture."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image
from torch import Tensor

from vgg_lesson.analysis.predictions import Predictions, confusion_matrix
from vgg_lesson.classroom.figures.predictions import RIGHT, WRONG
from vgg_lesson.classroom.figures.shared import MOST_NAMED, Garment, Picture, Shares, class_names, named_places
from vgg_lesson.data.datasets import CLASSES
from vgg_lesson.support.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    SKY,
    LessonFigure,
    finish,
    new_figure,
    show_image,
    styled,
)

BEST = 5
PLACES = ((0.005, 0.38, 0.19, 0.4), (0.215, 0.2, 0.19, 0.73), (0.54, 0.2, 0.455, 0.73))  # left, bottom, width, height


@styled
def one_prediction(image: Picture, predictions: Predictions, index: int | None) -> LessonFigure:
    """A picture, uint8 (H, W) or (C, H, W), its five most probable classes, and its place in the confusion matrix.

    ``predictions`` are those of all pictures and fill the matrix, ``index`` is the place of this one among them;
    None, when no picture is chosen, leaves the places for picture and classes empty.

    Raises:
        ValueError: ``index`` is out of range.
    """
    if index is not None and not 0 <= index < len(predictions.labels):
        raise ValueError(f"index={index} is out of range; 0 to {len(predictions.labels) - 1} is expected")
    figure = new_figure(10, 4.8)
    figure.set_layout_engine("none")  # fixed places: nothing jumps from picture to picture, and it draws faster
    left, middle, right = (figure.add_axes(place) for place in PLACES)
    full, short = predictions.classes, class_names(predictions.classes, len(predictions.classes))
    _small_matrix(right, confusion_matrix(predictions), short)
    if index is None:
        left.set_axis_off()
        middle.set_axis_off()
        left.text(0, 0.5, "no picture matches", transform=left.transAxes, color=GREY, fontsize=16)
        return finish(figure, "No picture is shown, since none matches; beside the gap, the confusion matrix of all.")
    label, named = int(predictions.labels[index]), int(predictions.predicted[index])
    is_right = label == named
    _framed(left, image, BLUE if is_right else ORANGE, "-" if is_right else "--")
    left.set_title(
        f"{RIGHT if is_right else WRONG} true: {short[label]}", fontsize=14, color=BLUE if is_right else ORANGE
    )
    _best_bars(middle, predictions.probabilities[index], short, label)
    right.add_patch(Rectangle((named - 0.5, label - 0.5), 1, 1, fill=False, edgecolor=BLACK, linewidth=3.5))
    count = int(confusion_matrix(predictions)[label, named])
    right.set_title(f"true {short[label]}, called {short[named]}: {count}", fontsize=14)
    return finish(
        figure,
        f"Picture {index} of class {full[label]} is called {full[named]} with "
        f"{predictions.confidence[index]:.0%}: {'right' if is_right else 'wrong'}. {_ranking(predictions, index)} "
        f"Pictures in its cell of the confusion matrix: {count}.",
    )


@styled
def own_picture(picture: Image.Image, garment: Garment, probabilities: Shares) -> LessonFigure:
    """A photo, what was made of it, uint8 (28, 28), and the five most probable of ``probabilities``, float (10,)."""
    figure = new_figure(10, 3.8)
    left, middle, right = figure.subplots(1, 3, width_ratios=(3, 3, 2.8))
    left.imshow(picture, interpolation="antialiased")
    left.set(xticks=[], yticks=[])
    left.set_title("the picture", fontsize=14)
    show_image(middle, garment, vmin=0, vmax=255)
    middle.set_title("what the network is given,\nprinted dark on light", fontsize=14)
    for axes in (left, middle):
        for spine in axes.spines.values():
            spine.set(visible=True, color=GREY, linewidth=1)
    _best_bars(right, probabilities, class_names(CLASSES, len(probabilities)))
    best = probabilities.argsort(descending=True)[:BEST]
    told = ", ".join(f"{CLASSES[k]} {probabilities[k]:.0%}" for k in best)
    return finish(
        figure,
        f"A picture, and the 28×28 grey pixels that were made of it, printed dark on light. The network says: {told}.",
    )


def _framed(axes: Axes, image: Tensor, color: str, line: str) -> None:
    show_image(axes, image, vmin=0, vmax=255)
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=3, linestyle=line)


def _best_bars(axes: Axes, probabilities: Tensor, names: Sequence[str], label: int | None = None) -> None:
    """The five most probable classes as bars, the first hatched; blue is the true one, orange a wrong first."""
    best = probabilities.argsort(descending=True, stable=True)[:BEST].tolist()
    shares = probabilities[best].tolist()
    colors = [
        SKY if label is None else BLUE if k == label else ORANGE if not row else SKY for row, k in enumerate(best)
    ]
    bars = axes.barh(range(len(best)), shares, height=0.42, color=colors)
    bars[0].set_hatch("//")
    for row, (k, share) in enumerate(zip(best, shares, strict=True)):
        axes.text(0, row - 0.3, f"{names[k]} {_percent(share)}", va="bottom", fontsize=13)
    axes.set(xlim=(0, 1), ylim=(BEST - 0.6, -0.85), xticks=(0, 0.5, 1), yticks=[], xlabel="probability")
    axes.set_title(f"its {len(best)} best", fontsize=14)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "< 1%"


def _ranking(predictions: Predictions, index: int) -> str:
    shares = predictions.probabilities[index]
    next_best = shares.argsort(descending=True, stable=True)[1:BEST].tolist()
    return f"Next: {', '.join(f'{predictions.classes[k]} {_percent(shares[k].item())}' for k in next_best)}."


def _small_matrix(axes: Axes, matrix: Tensor, names: Sequence[str]) -> None:
    counts = matrix.float()
    depth = (1 + counts).log()
    axes.imshow(depth.numpy(), cmap="Greys", aspect="auto", vmin=0, vmax=1.9 * float(depth.max().clamp(min=1)))
    for row in range(len(matrix)):
        for column in range(len(matrix)):
            if (count := int(matrix[row, column])) and len(matrix) <= MOST_NAMED:
                axes.text(column, row, f"{count}", ha="center", va="center", fontsize=12)
    axes.set_yticks(*named_places(names))
    axes.set_xticks(*named_places(names), rotation=40, ha="right", rotation_mode="anchor")
    axes.tick_params(labelsize=12, length=0)
    axes.set(xlabel="called", ylabel="true")
    axes.set_title("all pictures", fontsize=14)
