"""Which garments are near one another: garment and layer → the nearest by pixels and by the features there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor

from vgg_lesson.classroom.figures.reuse_the_backbone import CUTS, neighbour_rows
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, choice, menu, slider
from vgg_lesson.data.batches import batches
from vgg_lesson.data.datasets import CLASSES, ImageSet, load_fashion_mnist
from vgg_lesson.models import evaluating
from vgg_lesson.training.checkpoints import load_trained

QUERIES, GALLERY = 500, 2000  # the first test and training pictures, the same in the sample and in the full data
SHOWN, BATCH = 6, 250
ANY = -1


def neighbours() -> LessonView:
    """A view of test pictures with their nearest training pictures, by pixels and by a layer of ``vgg11-class``."""
    return LessonView("Nearest garments", _panel)


@cache
def _garments() -> tuple[ImageSet, ImageSet]:
    return load_fashion_mnist("test").subset(QUERIES), load_fashion_mnist("train").subset(GALLERY)


@cache
def nearest_by_cut() -> list[Tensor]:
    """Per cut, pixels first: the gallery's indices nearest to each query, int64 (500, 6), by Euclidean distance."""
    queries, gallery = _garments()
    near = [torch.cat(parts) for parts in zip(*_levels(queries), strict=True)]
    # The gallery's maps go as they come: only distances are kept.
    parts_by_batch = [[torch.cdist(*pair) for pair in zip(near, far, strict=True)] for far in _levels(gallery)]
    by_cut = zip(*parts_by_batch, strict=True)
    return [torch.cat(parts, dim=1).topk(SHOWN, largest=False).indices for parts in by_cut]


def _levels(data: ImageSet) -> Iterator[list[Tensor]]:
    """Batch by batch, the inputs and what each block of the shipped network makes of them, float32 (B, values) each."""
    model = load_trained()
    with evaluating(model):
        for values, _ in batches(data, BATCH, preprocessing=model.preprocessing):
            levels = [values.flatten(1)]
            for block in model.features:
                values = block(values)
                levels.append(values.flatten(1))
            yield levels


def _panel() -> Panel:
    classes = [("any class", ANY), *((name, label) for label, name in enumerate(CLASSES))]
    controls = {
        "label": menu("Class", classes, ANY, "choose among pictures of this class only"),
        "place": slider("Picture", 1, QUERIES, 1, "which of the test pictures of this class"),
        "cut": choice("Layer", [(name, cut) for cut, name in enumerate(CUTS) if cut], 4, "whose map is compared"),
    }
    return Panel(controls, _parts, _Fitter())


def _matching(label: int) -> Tensor:
    queries, _ = _garments()
    return torch.arange(len(queries)) if label == ANY else (queries.labels == label).nonzero().flatten()


class _Fitter:
    """Fits the picture slider to the pictures of the class, and puts it back to the first when the class changes."""

    def __init__(self) -> None:
        self.label = ANY

    def __call__(self, controls: Mapping[str, Any]) -> None:
        if controls["label"].value == self.label:
            return
        self.label = controls["label"].value
        place = controls["place"]
        place.value, place.max = 1, len(_matching(self.label))


def _parts(label: int, place: int, cut: int) -> Iterator[Part]:
    queries, gallery = _garments()
    index = int(_matching(label)[place - 1])
    rows = {"pixels": nearest_by_cut()[0][index], CUTS[cut]: nearest_by_cut()[cut][index]}
    yield neighbour_rows(queries.images[index], int(queries.labels[index]), gallery, rows)
    name = "all pictures" if label == ANY else f"all pictures of class {CLASSES[label]}"
    shares = " and ".join(f"{same_class(level, label):.0%} by {CUTS[level]}" for level in (0, cut))
    yield f"<p>Of the {SHOWN} nearest of {name}, {shares} are of the same class.</p>"


def same_class(cut: int, label: int = ANY) -> float:
    """Of the nearest of all queries of a class, or of any, the share of the query's own class."""
    queries, gallery = _garments()
    same = gallery.labels[nearest_by_cut()[cut]] == queries.labels[:, None]
    return same[_matching(label)].float().mean().item()
