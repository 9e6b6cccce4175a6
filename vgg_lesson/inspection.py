"""What a network says about pictures it is shown: predictions, errors, confidence, and the signal in its layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vgg_lesson.arguments import check_kind
from vgg_lesson.arithmetic import trace, window
from vgg_lesson.configs import VGGConfig, check_positive_int, check_seed
from vgg_lesson.datasets import ImageSet, batches, to_batch
from vgg_lesson.models import PAPER_STD, VGG, build_vgg, class_vgg, evaluating
from vgg_lesson.training import check_data

SMALL_STD = "std 0.01"


@dataclass(frozen=True)
class Predictions:
    """What a model says about N images: ``probabilities`` float32 (N, classes), ``labels`` int64 (N,).

    Raises:
        ValueError: shapes that do not belong together, no image, rows that are no probabilities, labels out of range.
    """

    probabilities: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        check_kind("probabilities", self.probabilities, Tensor, "a float tensor (N, classes)")
        check_kind("labels", self.labels, Tensor, "an int64 tensor (N,)")
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
    _check_predictions(predictions)
    classes = predictions.probabilities.shape[1]
    cells = predictions.labels * classes + predictions.predicted
    return torch.bincount(cells, minlength=classes**2).reshape(classes, classes)


def per_class_accuracy(predictions: Predictions) -> Tensor:
    """Share of each true class that is predicted as itself (its recall), float32 (classes,); nan if absent."""
    matrix = confusion_matrix(predictions).float()
    return matrix.diagonal() / matrix.sum(dim=1)


def calibration(predictions: Predictions, bins: int = 10) -> Calibration:
    """Compare confidence with accuracy in ``bins`` equal steps of confidence from 0 to 1."""
    _check_predictions(predictions)
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
    check_kind("model", model, VGG, "a VGG such as build_vgg()")
    model.check_input(images)
    if len(images) < 2:
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


def _check_predictions(predictions: object) -> None:
    check_kind("predictions", predictions, Predictions, "what predict(model, data) returns")


def pair_signal(
    images: Tensor,
    reference: Tensor,
    config: str | VGGConfig = "VGG-11",
    *,
    init: str = "pytorch",
    batch_norm: bool = False,
    seed: int = 0,
) -> tuple[list[LayerSignal], Tensor]:
    """Send two pictures through an untrained class network: their signal, input first, and their scores (2, 10).

    ``images`` is uint8 (2, 28, 28). Batch norm normalises by what ``reference``, uint8 (N, 28, 28), gives it, as at
    the start of training. ``init`` is a scheme of `vgg_lesson.initialize`, or "std 0.01", the other reading of the
    paper's sentence. The global random generator is left as it was.
    """
    check_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = class_vgg(
            config, batch_norm=batch_norm, hidden=1024, dropout=0.0, init="paper" if init == SMALL_STD else init
        )
    with torch.no_grad():
        if init == SMALL_STD:
            for layer in model.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    layer.weight.mul_(0.01 / PAPER_STD)
        if batch_norm:
            _settle(model, to_batch(reference))
    pair = to_batch(images)
    entering = LayerSignal("input", _rms(pair), _rms(pair.std(dim=0, correction=0)))
    with evaluating(model):
        scores = model(pair)
    return [entering, *signal_by_layer(model, pair)], scores


def cell_influence(
    config: str | VGGConfig,
    layer: str,
    cell: tuple[int, int],
    *,
    image_size: int = 224,
    pictures: int = 4,
    seed: int = 0,
) -> Tensor:
    """How strongly each pixel acts on one cell (row, column) of ``layer``: float32 (image_size, image_size).

    The mean absolute gradient over ``pictures`` of noise, all channels of the cell together, before its ReLU. The
    network is an eighth as wide as the paper's, with one channel and He's weights, so that it takes part of a second.

    Raises:
        ValueError, TypeError: no such layer before flattening, or no such cell.
    """
    for place in cell:
        window(trace(config, image_size=image_size), layer, place)
    check_positive_int("pictures", pictures)
    check_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_vgg(config, in_channels=1, image_size=image_size, width=1 / 8, head="gap").requires_grad_(False)
        noise = torch.randn(pictures, 1, image_size, image_size, requires_grad=True)
    values = noise * 1.0  # a leaf must not be what an in-place ReLU changes, nor what "input" returns
    for name, module in _named_layers(model):
        if layer == "input":
            break
        values = module(values)
        if name == layer:
            break
    (gradient,) = torch.autograd.grad(values[:, :, cell[0], cell[1]].sum(), noise)
    return gradient.abs().mean(dim=(0, 1))


def _settle(model: VGG, images: Tensor) -> None:
    """Give every batch norm the statistics of ``images`` in place of mean 0 and variance 1, in one forward pass."""
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # torch's word for: the plain mean of what it has seen
    model.train()(images)
    model.eval()


def _rms(values: Tensor) -> float:
    return values.square().mean().sqrt().item()


def _named_layers(model: VGG) -> Iterator[tuple[str, nn.Module]]:
    """The layers before the classifier by their names in `trace`; a ReLU has none."""
    kinds = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.LocalResponseNorm: "lrn"}
    for number, block in enumerate(model.features, 1):
        index = 0
        for layer in block.children():
            index += isinstance(layer, nn.Conv2d)
            kind = kinds.get(type(layer), "")
            pool = f"pool{number}" if isinstance(layer, nn.MaxPool2d) else ""
            yield (f"{kind}{number}_{index}" if kind else pool), layer


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
