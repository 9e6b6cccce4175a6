"""Which pixels decide: picture, network, method and class → the map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch

from vgg_lesson.analysis.attribution import grad_cam, occlusion
from vgg_lesson.classroom.figures.look_inside_heat import Heat, heat_maps
from vgg_lesson.classroom.widgets.garments import picture
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, menu
from vgg_lesson.data.datasets import CLASSES
from vgg_lesson.models import VGG, class_vgg, evaluating
from vgg_lesson.training.checkpoints import load_trained

SHIPPED = (("class network, 32 pixels", "vgg11-class"), ("network for 96 pixels", "vgg11-96px"))
FRESH = "fresh"
COVER = "cover"
METHODS = (
    ("cover a square", COVER), ("Grad-CAM, conv5_2", "conv5_2"), ("Grad-CAM, conv4_2", "conv4_2"),
    ("Grad-CAM, conv3_2", "conv3_2"),
)  # fmt: skip
ANSWER = -1
# Input side → the square's side and step: as many places as a second allows.
SQUARES = {32: (6, 2), 96: (24, 8)}


def heat_map() -> LessonView:
    """Choose a garment, a network, a method and a class: the map of what speaks for that class.

    The networks are the two shipped ones, and the class network with random weights.
    """
    return LessonView("Heat map", _panel)


def show_heat(garment: str, network: str, method: str, label: int) -> Iterator[Part]:
    """The picture and its map; what the network answers stands above."""
    model = _network(network)
    inputs = model.preprocessing(picture(garment)[None])
    with evaluating(model):
        shares = model(inputs).softmax(dim=1)[0]
    asked = int(shares.argmax()) if label == ANSWER else label
    side = inputs.shape[-1]
    margin = 0.0
    if method == COVER:
        size, step = SQUARES[side]
        values, margin = occlusion(model, inputs[0], asked, size=size, step=step), (size - step) / 2 / side
    else:
        values = grad_cam(model, inputs, torch.tensor([asked]), method)[0]
    strongest = values[values.abs() == values.abs().max()][0].item()
    told = f"largest change {strongest:+.2f}" if method == COVER else f"hottest cell {strongest:.3f}"
    yield heat_maps(
        [
            Heat(f"{garment}, called\n{CLASSES[int(shares.argmax())]} {shares.max():.0%}", inputs[0, 0]),
            Heat(
                f"{CLASSES[asked]} {shares[asked]:.0%}: {told}\n{values.shape[0]}×{values.shape[1]} places",
                inputs[0, 0], values, margin,
            ),
        ],
        columns=2,
    )  # fmt: skip


def _panel() -> Panel:
    networks = [*SHIPPED, ("class network, random weights", FRESH)]
    controls = {
        "garment": menu("picture", list(CLASSES), "Ankle boot", "the first test picture of that class"),
        "network": menu("network", networks, "vgg11-class", "trained at 32 or 96 pixels, or not trained at all"),
        "method": menu("method", METHODS, COVER, "cover a square place by place, or ask a layer's gradients"),
        "label": menu(
            "class asked", [("its answer", ANSWER), *((name, k) for k, name in enumerate(CLASSES))], ANSWER,
            "the map of what speaks for this class",
        ),
    }  # fmt: skip
    return Panel(controls, show_heat)


@cache
def _network(name: str) -> VGG:
    if name != FRESH:
        return load_trained(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return class_vgg().eval()
