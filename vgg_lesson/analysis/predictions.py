"""What a network says about images it is shown: predictions, errors, confidence and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from vgg_lesson.data.batches import Feed
from vgg_lesson.data.datasets import CLASSES
from vgg_lesson.models import AnyModel, evaluating
from vgg_lesson.support.arguments import Count, accept, checked, says
from vgg_lesson.training.doors import open_feed
from vgg_lesson.training.evaluation import EVAL_BATCH


@dataclass(frozen=True)
class Predictions:
    """What a model says about N images: ``probabilities`` float32 (N, classes), ``labels`` int64 (N,), names in order.

    Raises:
        ValueError: shapes that do not belong together, no image, rows that are no probabilities, labels out of range.
    """

    probabilities: Tensor
    labels: Tensor
    classes: tuple[str, ...] = CLASSES

    def __post_init__(self) -> None:
        accept("probabilities", self.probabilities, Annotated[Tensor, says("a float tensor (N, classes)")])
        accept("labels", self.labels, Annotated[Tensor, says("an int64 tensor (N,)")])
        accept("classes", self.classes, Sequence[str])
        if not self.probabilities.is_floating_point():
            raise TypeError(f"probabilities is a {self.probabilities.dtype} tensor; a float tensor is expected")
        if self.probabilities.ndim != 2 or self.labels.shape != self.probabilities.shape[:1] or not len(self.labels):
            raise ValueError(
                f"probabilities has shape {tuple(self.probabilities.shape)} and labels {tuple(self.labels.shape)}; "
                "(N, classes) and (N,) with at least one image are expected"
            )
        sums = self.probabilities.sum(dim=1)
        if not (self.probabilities >= 0).all() or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
            raise ValueError("probabilities has rows that are not probabilities; pass scores through softmax(dim=1)")
        classes = self.probabilities.shape[1]
        if self.labels.dtype != torch.int64 or not 0 <= int(self.labels.min()) <= int(self.labels.max()) < classes:
            raise ValueError(f"labels must be int64 from 0 to {classes - 1}, one per row of probabilities")

    @property
    def predicted(self) -> Tensor:
        """The most probable class, int64 (N,)."""
        return self.probabilities.argmax(dim=1)

    @property
    def confidence(self) -> Tensor:
        """The probability of the predicted class, float32 (N,)."""
        return self.probabilities.amax(dim=1)

    @property
    def correct(self) -> Tensor:
        """Whether the prediction equals the label, bool (N,)."""
        return self.predicted == self.labels

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0 to 1."""
        return self.correct.float().mean().item()


@dataclass(frozen=True)
class Calibration:
    """A reliability diagram's data, one entry per non-empty confidence bin, and the expected calibration error.

    ``confidence`` and ``accuracy`` are the bins' means, ``count`` their sizes; ``error`` is the mean gap between the
    two, weighted by size (Guo et al., 2017, https://arxiv.org/abs/1706.04599, equation 3).
    """

    confidence: Tensor
    accuracy: Tensor
    count: Tensor
    error: float


@checked
def predict(model: AnyModel, data: Any, *, batch_size: Count = EVAL_BATCH) -> Predictions:
    """Show ``data``, of any kind that `vgg_lesson.fit` takes, to ``model`` in evaluation mode, in float32.

    The results live on the CPU, in the data's order.

    Raises:
        ValueError: scores that are not finite, as those of a network whose training has diverged.
    """
    feed = open_feed(model, "data", data)
    with evaluating(model):
        parts = [(model(images).cpu(), labels.cpu()) for images, labels in feed.batches(batch_size)]
    scores, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    if not bool(scores.isfinite().all()):
        raise ValueError(
            "model gives scores that are not finite: its training has diverged; train anew with a lower lr"
        )
    return Predictions(scores.softmax(dim=1), labels, _names(feed, scores.shape[1]))


def _names(feed: Feed, count: int) -> tuple[str, ...]:
    """The classes' names as the data have them; numbers where they have none, or too few."""
    source: Any = feed.data.dataset if isinstance(feed.data, DataLoader) else feed.data
    names = tuple(map(str, getattr(source, "classes", ())))[:count]
    return (*names, *map(str, range(len(names), count)))


Predicted = Annotated[Predictions, says("what predict(model, data) returns")]


@checked
def confusion_matrix(predictions: Predicted) -> Tensor:
    """Counts, int64 (classes, classes): row = true class, column = predicted class."""
    classes = predictions.probabilities.shape[1]
    cells = predictions.labels * classes + predictions.predicted
    return torch.bincount(cells, minlength=classes**2).reshape(classes, classes)


@checked
def per_class_accuracy(predictions: Predicted) -> Tensor:
    """Share of each true class that is predicted as itself (its recall), float32 (classes,); nan if absent."""
    matrix = confusion_matrix(predictions).float()
    return matrix.diagonal() / matrix.sum(dim=1)


@checked
def calibration(predictions: Predicted, bins: Count = 10) -> Calibration:
    """Compare confidence with accuracy in ``bins`` equal steps of confidence from 0 to 1."""
    edges = torch.linspace(0, 1, bins + 1)[1:-1]
    place = torch.bucketize(predictions.confidence, edges)
    count = torch.bincount(place, minlength=bins)
    filled = count > 0
    confidence = torch.bincount(place, predictions.confidence, bins)[filled] / count[filled]
    accuracy = torch.bincount(place, predictions.correct.float(), bins)[filled] / count[filled]
    weights = count[filled] / len(predictions.labels)
    error = (weights * (confidence - accuracy).abs()).sum().item()
    return Calibration(confidence, accuracy, count[filled], error)
