"""One's own picture, made a garment of 28×28 pixels and shown to the network."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import torch
from PIL import Image

from vgg_lesson.classroom.figures.predictions_browser import own_picture as draw
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, toolkit
from vgg_lesson.data.datasets import load_fashion_mnist
from vgg_lesson.data.pictures import NAMES, NOTHING, garment_and_remark, open_picture
from vgg_lesson.models import VGG
from vgg_lesson.training.checkpoints import load_trained

MUST_ANSWER = (
    "The network learned from 28×28 garments cut out and centred by a shop; it never saw anything like your picture. "
    "Whatever it is shown, it must answer with one of its ten classes: there is no name for <i>none of these</i>."
)
SERVER_LIMIT = "9 MB"  # Jupyter's server drops a connection that sends more than 10 MiB in one message


def own_picture() -> LessonView:
    """A view that takes any photo, makes a picture like those of FashionMNIST of it, and shows what is answered."""
    return LessonView("Your own picture", _panel)


def _panel() -> Panel:
    kit: Any = toolkit()
    upload = kit.FileUpload(
        accept="image/*", multiple=False, description="Choose a picture",
        tooltip=f"a {NAMES} file of at most {SERVER_LIMIT}", layout={"width": "16em"},
    )  # fmt: skip
    return Panel({"upload": upload}, _parts)


@cache
def _network() -> VGG:
    return load_trained()


def _parts(upload: Sequence[Any]) -> Iterator[Part]:
    refused = ""
    picture = example()
    if upload:
        try:
            picture = open_picture(upload[0]["content"])
        except ValueError as error:
            refused = f"{error}".removeprefix("source ")
    garment, remark = garment_and_remark(picture)
    yield f"<p>{_about(upload, refused, remark)} {MUST_ANSWER}</p>"
    with torch.no_grad():
        probabilities = _network()(_network().preprocessing(garment[None])).softmax(dim=1)[0]
    yield draw(picture, garment, probabilities)


def _about(upload: Sequence[Any], refused: str, remark: str) -> str:
    if not upload:
        return (
            f"An example: a test garment on a white sheet. Choose a picture of your own, a {NAMES} file of at most "
            f"{SERVER_LIMIT}; one thing before a plain background works best. (A larger file breaks the connection: "
            "run this cell again.)"
        )
    name = html.escape(str(upload[0].get("name", "the file")))
    if refused:
        return f"<b>Sorry, {name} cannot be shown: it {html.escape(refused)}.</b> Below is the example again."
    if remark == NOTHING:
        return f"<b>{name}</b>: {NOTHING}, so the network is given black."
    made = f"<b>{name}</b>, trimmed, shrunk, grey, its background turned black."
    return f"{made} <b>But {html.escape(remark)}.</b>" if remark else made


def example() -> Image.Image:
    """The first test garment on a white sheet, smaller than the sheet and off its centre."""
    sheet = Image.new("RGB", (400, 300), "white")
    boot = Image.fromarray(255 - load_fashion_mnist("test").images[0].numpy())
    sheet.paste(boot.resize((168, 168), Image.Resampling.BICUBIC), (200, 90))
    return sheet
