"""How good a model is on data: mean loss and accuracy, in evaluation mode and in float32."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vgg_lesson.data.augmentation import VIEWS, views_of
from vgg_lesson.data.batches import Feed
from vgg_lesson.models import AnyModel, evaluating
from vgg_lesson.support.arguments import Count, checked, one_of
from vgg_lesson.training.doors import open_feed
from vgg_lesson.training.recipes import Loss

EVAL_BATCH = 250


@checked
def evaluate(
    model: AnyModel, data: Any, *, batch_size: Count = EVAL_BATCH, views: Annotated[str, one_of(VIEWS)] = "one"
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy (0 to 1) of ``model`` on ``data``, in evaluation mode and in float32.

    With ``views`` "flip" or "flip+shift" the mean of the scores of several views of each image counts, see
    `vgg_lesson.data.augmentation.views_of`. Scores that are not finite are warned about: the loss is then NaN.
    """
    loss, accuracy = judge(model, open_feed(model, "data", data), batch_size, views=views)
    if not loss < float("inf"):
        warnings.warn("the model's scores are not finite: its training has diverged; lower lr", stacklevel=3)
    return loss, accuracy


def judge(
    model: nn.Module, feed: Feed, batch_size: int, loss: Loss = cross_entropy, views: str = "one"
) -> tuple[float, float]:
    """Mean loss and accuracy (0 to 1) on data that have been looked at already."""
    total, correct, seen = 0.0, 0, 0
    with evaluating(model):
        for images, labels in feed.batches(batch_size):
            scores = torch.stack([model(view) for view in views_of(images, views)]).mean(dim=0)
            mean = loss(scores, labels)
            total += float(mean) * len(labels)
            correct += count_right(scores, labels)
            seen += len(labels)
    return total / seen, correct / seen


def count_right(scores: Tensor, labels: Tensor) -> int:
    """How many scores are highest at their label, or at the greatest share of a row of soft labels."""
    return int((scores.argmax(dim=1) == (labels if labels.ndim == 1 else labels.argmax(dim=1))).sum())
