"""What a model and data must be like before anything starts: refused here, in a sentence, and nowhere deeper."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vgg_lesson.data.batches import Feed
from vgg_lesson.models import VGG, evaluating
from vgg_lesson.support.arguments import described
from vgg_lesson.training.recipes import Loss


def check_trainable(model: nn.Module) -> None:
    """Raise ValueError unless ``model`` has weights, and one of them may change."""
    _check_weights(model)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            "model is frozen as a whole, so that nothing can be trained; call requires_grad_(True) on the part that "
            "shall learn"
        )


def check_place(device: torch.device) -> None:
    """Raise ValueError where nothing can be computed, before anything is moved there."""
    if device.type == "meta":
        raise ValueError('device="meta" holds shapes without values, and a model that is moved there loses its weights')


def open_feed(model: nn.Module, name: str, data: Any, *, loss: Loss | None = None) -> Feed:
    """``data``, the argument called ``name``, as batches for ``model``, after a look at two images and their scores.

    Without a ``loss`` of one's own labels must be places among the scores, or shares of all of them, as cross-entropy
    wants them.

    Raises:
        TypeError, ValueError: data of another kind, images that the model cannot read, labels that it has no score
            for, a loss that cannot judge them.
    """
    _check_weights(model)
    feed = Feed(name, data, model, next(model.parameters()).device)
    images, labels = feed.sample()
    scores = _scores(model, name, images)
    if loss is not None:
        _check_loss(loss, scores, labels)
    elif labels.is_floating_point():
        if labels.shape != scores.shape:
            raise ValueError(
                f"{name} holds labels of {labels.dtype}, one an image; whole numbers from 0 are expected, as "
                "labels.long() makes them"
                if labels.ndim == 1
                else f"{name} holds labels of shape {tuple(labels.shape[1:])}; a share for each of the "
                f"{scores.shape[1]} classes is expected"
            )
    elif labels.ndim != 1:
        raise ValueError(f"{name} holds labels of shape {tuple(labels.shape[1:])}; one number an image is expected")
    else:
        feed.classes = scores.shape[1]
        feed.check_labels(getattr(feed.data, "labels", labels))
    return feed


def _check_loss(loss: Loss, scores: Tensor, labels: Tensor) -> None:
    if isinstance(loss, type):
        raise TypeError(f"loss={loss.__name__} is a class; {loss.__name__}() makes the function that is expected")
    try:
        value: Any = loss(scores, labels)
    except (RuntimeError, ValueError, IndexError) as error:
        told = f"scores of shape {tuple(scores.shape)} and labels of {labels.dtype} and shape {tuple(labels.shape)}"
        raise ValueError(f"loss cannot judge {told}: {str(error).strip().splitlines()[0]}") from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise TypeError(f"loss returns {described(value)}; a tensor of one number, such as the mean, is expected")


def _check_weights(model: nn.Module) -> None:
    first = next(model.parameters(), None)
    if first is None:
        raise ValueError("model has no parameter at all; a network with weights is expected")
    if any(isinstance(parameter, nn.UninitializedParameter) for parameter in model.parameters()):
        raise ValueError("model has lazy layers without weights yet; show it a batch first: model(images[:2])")
    if first.is_meta:
        raise ValueError('model lives on the device "meta" and has no weights; build it without device="meta"')


def _scores(model: nn.Module, name: str, images: Tensor) -> Tensor:
    if isinstance(model, VGG):
        try:
            model.check_input(images)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from None
    try:
        with evaluating(model):
            scores: Any = model(images)
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{name}: model cannot read images of shape {tuple(images.shape)}: {reason}. Where bytes should have "
            "another size or three channels, say so with model.preprocessing = Preprocessing(image_size=…, channels=…)"
        ) from error
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != len(images):
        what = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"model answers {len(images)} images with {what}; class scores (batch, classes) are expected")
    return scores
