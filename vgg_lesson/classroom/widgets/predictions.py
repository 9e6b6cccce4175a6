"""The predictions browser: filter the test pictures, turn them over one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor

from vgg_lesson.analysis.predictions import Predictions, predict
from vgg_lesson.classroom.figures.predictions_browser import one_prediction
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, interval, menu, slider
from vgg_lesson.data.datasets import CLASSES, ImageSet, load_fashion_mnist
from vgg_lesson.training.checkpoints import load_trained

SHOWN = 2000  # the first test pictures, which everybody has; all 10,000 would take seconds to predict
ANY = -1
OUTCOMES = ("right and wrong", "right", "wrong")


def predictions_browser() -> LessonView:
    """A view of the first 2,000 test pictures and what the shipped network ``vgg11-class`` says about them."""
    return LessonView("Predictions browser", _browser)


def matching(
    predictions: Predictions,
    *,
    label: int = ANY,
    outcome: str = OUTCOMES[0],
    confidence: tuple[float, float] = (0.0, 1.0),
) -> Tensor:
    """Indices, int64 (K,), of the pictures that pass all filters, the surest prediction first; K may be 0.

    ``label`` is a true class, or -1 for any; ``confidence`` the smallest and largest that pass, both included.

    Raises:
        ValueError: a filter with a value that is not possible.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome={outcome!r} is unknown; choose one of {', '.join(OUTCOMES)}")
    if label not in range(ANY, predictions.probabilities.shape[1]):
        raise ValueError(f"label={label!r} is no class; -1 to {predictions.probabilities.shape[1] - 1} is expected")
    low, high = confidence
    chosen = (predictions.confidence >= low) & (predictions.confidence <= high)
    if label != ANY:
        chosen &= predictions.labels == label
    if outcome != OUTCOMES[0]:
        chosen &= predictions.correct == (outcome == "right")
    found = chosen.nonzero().flatten()
    return found[predictions.confidence[found].argsort(descending=True, stable=True)]


@cache
def _shipped() -> tuple[ImageSet, Predictions]:
    test = load_fashion_mnist("test").subset(SHOWN)
    return test, predict(load_trained(), test)


def _browser() -> Panel:
    test, predictions = _shipped()
    classes = [("any class", ANY), *((name, label) for label, name in enumerate(CLASSES))]
    controls = {
        "label": menu("True class", classes, ANY, "show pictures of this class only"),
        "outcome": menu("Prediction", OUTCOMES, OUTCOMES[0], "show right or wrong predictions only"),
        "percent": interval("Confidence, %", 0, 100, "the smallest and largest probability of the predicted class"),
        "place": slider("Picture", 1, SHOWN, 1, "which of the pictures that match, surest prediction first"),
    }
    return Panel(controls, lambda **values: _parts(test, predictions, **values), _Fitter(predictions))


def _found(predictions: Predictions, label: int, outcome: str, percent: tuple[int, int]) -> Tensor:
    low, high = percent
    return matching(predictions, label=label, outcome=outcome, confidence=(low / 100, high / 100))


class _Fitter:
    """Fits the picture slider to the number that match, and puts it back to the first when the filters change."""

    def __init__(self, predictions: Predictions):
        self.predictions, self.filters = predictions, ()

    def __call__(self, controls: Mapping[str, Any]) -> None:
        filters = tuple(controls[name].value for name in ("label", "outcome", "percent"))
        if filters == self.filters:
            return
        self.filters = filters
        count = len(_found(self.predictions, *filters))
        place = controls["place"]
        place.value, place.max, place.disabled = 1, max(1, count), count == 0


def _parts(
    test: ImageSet, predictions: Predictions, label: int, outcome: str, percent: tuple[int, int], place: int
) -> Iterator[Part]:
    found = _found(predictions, label, outcome, percent)
    if not len(found):
        yield (
            f"<p><b>No picture matches</b> of {len(test):,}. Widen the confidence range, or choose any class, or right "
            "and wrong predictions.</p>"
        )
        yield one_prediction(torch.zeros(28, 28, dtype=torch.uint8), predictions, None)
        return
    index = int(found[min(place, len(found)) - 1])
    verb = "matches" if len(found) == 1 else "match"
    yield (
        f"<p><b>{len(found):,}</b> of {len(test):,} test pictures {verb}. This is number {min(place, len(found)):,} of "
        "them, counted from the surest prediction.</p>"
    )
    yield one_prediction(test.images[index], predictions, index)
