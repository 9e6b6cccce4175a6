"""What a network says about pictures it is shown: predictions, errors, confidence, and the signal in its layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vgg_lesson.configs import check_positive_int
from vgg_lesson.datasets import ImageSet, batches
from vgg_lesson.models import VGG, evaluating
from vgg_lesson.training import check_data


@dataclass(frozen=True)
class Predictions:
    """What a model says about N images: ``probabilities`` float32 (N, classes), ``labels`` int64 (N,).

    Raises:
        ValueError: shapes that do not belong together, no image, rows that are no probabilities, labels out of range.
    """

    probabilities: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
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


@dataclass(frozen=True)
class LayerSignal:
    """How strong the signal is after one layer, and how much of it tells pictures apart.

    ``rms`` is the root mean square of all values; ``spread`` the standard deviation across images of each value,
    root-mean-squared over the layer: zero when the layer answers the same to every picture.
    """

    name: str
    rms: float
    spread: float


def predict(model: VGG, data: ImageSet, *, batch_size: int = 1000) -> Predictions:
    """Show ``data`` to ``model`` in evaluation mode, in float32; the results live on the CPU, in the data's order."""
    check_positive_int("batch_size", batch_size)
    check_data(model, "data", data)
    device = next(model.parameters()).device
    with evaluating(model):
        parts = [
            model(images).softmax(dim=1).cpu()
            for images, _ in batches(data, batch_size, preprocessing=model.preprocessing, device=device)
        ]
    return Predictions(torch.cat(parts), data.labels)


def confusion_matrix(predictions: Predictions) -> Tensor:
    """Counts, int64 (classes, classes): row = true class, column = predicted class."""
    classes = predictions.probabilities.shape[1]
    cells = predictions.labels * classes + predictions.predicted
    return torch.bincount(cells, minlength=classes**2).reshape(classes, classes)


def per_class_accuracy(predictions: Predictions) -> Tensor:
    """Share of each true class that is predicted as itself (its recall), float32 (classes,); nan if absent."""
    matrix = confusion_matrix(predictions).float()
    return matrix.diagonal() / matrix.sum(dim=1)


def calibration(predictions: Predictions, bins: int = 10) -> Calibration:
    """Compare confidence with accuracy in ``bins`` equal steps of confidence from 0 to 1."""
    check_positive_int("bins", bins)
    edges = torch.linspace(0, 1, bins + 1)[1:-1]
    place = torch.bucketize(predictions.confidence, edges)
    count = torch.bincount(place, minlength=bins)
    filled = count > 0
    confidence = torch.bincount(place, predictions.confidence, bins)[filled] / count[filled]
    accuracy = torch.bincount(place, predictions.correct.float(), bins)[filled] / count[filled]
    weights = count[filled] / len(predictions.labels)
    error = (weights * (confidence - accuracy).abs()).sum().item()
    return Calibration(confidence, accuracy, count[filled], error)


def signal_by_layer(model: VGG, images: Tensor) -> list[LayerSignal]:
    """Measure the signal after every weight layer's ReLU (before it, for the last) in one forward pass of ``images``.

    ``images`` is a batch (B, C, H, W) of at least two, on the model's device. Layers carry the names of `trace`.
    """
    if images.ndim != 4 or len(images) < 2:
        raise ValueError(f"images has shape {tuple(images.shape)}; at least two images (B, C, H, W) are needed")
    signals = []
    with evaluating(model):
        values = images
        for name, layers in _weight_layers(model):
            for layer in layers:
                values = layer(values)
            spread = values.std(dim=0, correction=0).square().mean().sqrt().item()
            signals.append(LayerSignal(name, values.square().mean().sqrt().item(), spread))
    return signals


def _weight_layers(model: VGG) -> list[tuple[str, list[nn.Module]]]:
    """The network cut after each activation: (name of the weight layer, its modules and those that lead to it)."""
    groups: list[tuple[str, list[nn.Module]]] = []
    pending: list[nn.Module] = []
    name = ""
    fc = len(model.features) + 1
    for number, block in enumerate([*model.features, model.classifier], 1):
        index = 0
        for layer in block.children():
            pending.append(layer)
            if isinstance(layer, nn.Conv2d):
                index += 1
                name = f"conv{number}_{index}"
            elif isinstance(layer, nn.Linear):
                name, fc = f"fc{fc}", fc + 1
            if isinstance(layer, nn.ReLU):
                groups.append((name, pending))
                pending = []
    return [*groups, (name, pending)]
