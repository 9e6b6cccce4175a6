"""View 3: initialisation, depth and batch norm → the signal through the layers of a fresh network."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from vgg_lesson.analysis.signal import SMALL_STD, pair_signal
from vgg_lesson.classroom.figures import tell_apart
from vgg_lesson.classroom.widgets.garments import BLACK, first_pictures, picture
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, choice, menu, slider, switch
from vgg_lesson.data.datasets import CLASSES

INITS = (
    ("PyTorch's default", "pytorch"), ("Xavier", "xavier"), ("He", "he"), ("normal, std 0.1", "paper"),
    ("normal, std 0.01", SMALL_STD),
)  # fmt: skip
DEPTHS = tuple((f"{layers} layers", f"VGG-{layers}") for layers in (11, 13, 16, 19))
REFERENCE = 128


def signal() -> LessonView:
    """Choose how a network starts, how deep it is, and two pictures: can its scores tell them apart?

    The networks have the class network's size: 32×32 pixels, a quarter of the width, 1024 hidden units, no dropout.
    """
    return LessonView("Signal through the layers", _panel)


def _panel() -> Panel:
    pictures = [*CLASSES, BLACK]
    controls = {
        "init": menu("initial weights", INITS, "pytorch", "how the weights are drawn"),
        "config": choice("depth", DEPTHS, "VGG-11", "layers with weights"),
        "batch_norm": switch("batch norm", False, "after every convolution"),
        "one": menu("first picture", pictures, "Ankle boot", "the first of the two to tell apart"),
        "other": menu("second picture", pictures, "Pullover", "the second of the two to tell apart"),
        "seed": slider("seed", 0, 9, 0, "another draw of the same kind of weights"),
    }
    return Panel(controls, show_pair)


def show_pair(init: str, config: str, batch_norm: bool, one: str, other: str, seed: int) -> Iterator[Part]:
    """The two pictures, the signal and the scores."""
    images = torch.stack([picture(one), picture(other)])
    signals, scores = pair_signal(
        images, first_pictures(REFERENCE), config, init=init, batch_norm=batch_norm, seed=seed
    )  # fmt: skip
    yield tell_apart(images, (one, other), signals, scores, CLASSES)
