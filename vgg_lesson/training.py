"""One training loop for every device, and the evaluation that goes with it.

The plain loop that notebook 05 writes out, with what notebook 06 adds to it: momentum, a schedule, augmentation,
precision, checkpoints. The momentum is PyTorch's Nesterov form,
https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vgg_lesson.augmentation import AUGMENTATIONS
from vgg_lesson.checkpoints import load_checkpoint, save_checkpoint
from vgg_lesson.configs import check_positive_int
from vgg_lesson.datasets import ImageSet, batches
from vgg_lesson.history import EpochRecord, History
from vgg_lesson.machine import fast_precision, pick_device
from vgg_lesson.models import VGG
from vgg_lesson.progress import progress_view

SCHEDULES = ("constant", "one-cycle")
PRECISIONS = ("fp32", "bf16", "auto")
WARM_UP = 0.25
FINAL_LR = 0.01


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run besides the model and the data; validated when made."""

    epochs: int = 1
    steps: int | None = None
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "constant"
    label_smoothing: float = 0.0
    augment: str | None = None
    precision: str = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive_int("epochs", self.epochs)
        check_positive_int("batch_size", self.batch_size)
        if self.steps is not None:
            check_positive_int("steps", self.steps)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise TypeError(f"seed={self.seed!r} is {type(self.seed).__name__}; a whole number is expected")
        _check_range("lr", self.lr, above=0.0)
        _check_range("momentum", self.momentum, at_least=0.0, below=1.0)
        _check_range("weight_decay", self.weight_decay, at_least=0.0)
        _check_range("label_smoothing", self.label_smoothing, at_least=0.0, below=1.0)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("augment", self.augment, (None, *AUGMENTATIONS))


def fit(
    model: VGG,
    train: ImageSet,
    validation: ImageSet | None = None,
    *,
    epochs: int = 1,
    steps: int | None = None,
    batch_size: int = 128,
    lr: float = 0.1,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    schedule: str = "constant",
    label_smoothing: float = 0.0,
    augment: str | None = None,
    precision: str = "fp32",
    seed: int = 0,
    checkpoint: str | Path | None = None,
    device: torch.device | str | None = None,
    label: str = "",
    show: bool | str = True,
) -> History:
    """Train ``model`` in place by stochastic gradient descent on cross-entropy.

    Args:
        train, validation: images and labels; the validation set is only looked at, after every epoch.
        epochs: passes over ``train``. steps: stop after this many batches instead, whatever ``epochs`` says.
        lr, momentum (Nesterov when positive), weight_decay (L2), label_smoothing: as in ``torch.optim.SGD`` and
            ``cross_entropy``. schedule: "constant", or "one-cycle": up to ``lr`` in a quarter of the run, then
            down to a hundredth of it, both linear.
        augment: None, "flip" or "flip+shift", drawn anew for every batch.
        precision: "fp32", "bf16" (autocast), or "auto", which takes bf16 where the hardware is built for it.
        seed: decides the order of the images, augmentation and dropout; torch's global seed is set from it.
        checkpoint: a file that is written after every epoch and read first, if it is there, to go on from.
        device: where to train; by default CUDA, else MPS, else the CPU. The model is moved there.
        label: the run's name in the progress bar. show: True, "bar" (no curve) or False.

    Returns:
        The `History`, complete, or up to the last step when interrupted from the keyboard.

    Raises:
        ValueError, TypeError: an argument out of range, or a checkpoint that belongs to another run.
    """
    recipe = Recipe(
        epochs,
        steps,
        batch_size,
        lr,
        momentum,
        weight_decay,
        schedule,
        label_smoothing,
        augment,
        precision,
        seed,
    )
    _check_data(model, train, validation)
    run = _Run(model, train, recipe, torch.device(device) if device is not None else pick_device(), label)
    if checkpoint is not None:
        run.resume(checkpoint)
    view = progress_view(run.total_steps, label, show)
    try:
        while len(run.history.step_losses) < run.total_steps:
            run.epoch(view, validation)
            if checkpoint is not None:
                run.save(checkpoint)
    except KeyboardInterrupt:
        run.history.interrupted = True
        run.close_epoch(None)
    view(run.history, True)
    return run.history


def evaluate(model: VGG, data: ImageSet, *, batch_size: int = 1000) -> tuple[float, float]:
    """Mean cross-entropy and accuracy (0 to 1) of ``model`` on ``data``, in evaluation mode and in float32."""
    check_positive_int("batch_size", batch_size)
    _check_data(model, data, None)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for images, labels in batches(data, batch_size, image_size=model.preprocessing.image_size, device=device):
            scores = model(images)
            loss += nn.functional.cross_entropy(scores, labels, reduction="sum").item()
            correct += int((scores.argmax(dim=1) == labels).sum())
    model.train(was_training)
    return loss / len(data), correct / len(data)


class _Run:
    """A training run under way: the parts that change from step to step."""

    def __init__(self, model: VGG, train: ImageSet, recipe: Recipe, device: torch.device, label: str):
        self.model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train, self.recipe, self.device = train, recipe, device
        self.history = History(label)
        self.steps_per_epoch = math.ceil(len(train) / recipe.batch_size)
        self.total_steps = recipe.steps or recipe.epochs * self.steps_per_epoch
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay,
            nesterov=recipe.momentum > 0, fused=device.type in ("cpu", "cuda"),
        )  # fmt: skip
        precision = fast_precision(device) if recipe.precision == "auto" else recipe.precision
        self.autocast: Callable[[], Any] = (
            (lambda: torch.autocast(device.type, torch.bfloat16)) if precision == "bf16" else nullcontext
        )
        self.seconds = 0.0
        self._losses: list[float] = []
        self._correct, self._seen = torch.zeros((), device=device), 0

    def epoch(self, view: Callable[[History, bool], None], validation: ImageSet | None) -> None:
        """Train to the end of the current epoch or of the run, whichever comes first."""
        self.model.train()
        started = time.perf_counter()
        self._begin_epoch()
        for images, labels in self._batches():
            self.history.step_losses.append(self.step(images, labels))
            self.seconds += time.perf_counter() - started
            view(self.history, False)
            started = time.perf_counter()
            if len(self.history.step_losses) == self.total_steps:
                break
        self.close_epoch(validation)

    def step(self, images: Tensor, labels: Tensor) -> float:
        """One update of the weights from one batch; returns its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr_at(len(self.history.step_losses))
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            scores = self.model(images)
            loss = nn.functional.cross_entropy(scores, labels, label_smoothing=self.recipe.label_smoothing)
        loss.backward()
        self.optimizer.step()
        self._correct += (scores.detach().argmax(dim=1) == labels).sum()
        self._seen += len(labels)
        value = loss.item()
        self._losses.append(value * len(labels))
        return value

    def lr_at(self, step: int) -> float:
        """The learning rate of the step with this index, counted from 0."""
        if self.recipe.schedule == "constant":
            return self.recipe.lr
        progress = (step + 1) / self.total_steps
        if progress < WARM_UP:
            return self.recipe.lr * progress / WARM_UP
        return self.recipe.lr * (1 - (1 - FINAL_LR) * (progress - WARM_UP) / (1 - WARM_UP))

    def close_epoch(self, validation: ImageSet | None) -> None:
        """Turn what the epoch has summed up into a record."""
        if not self._seen:
            return
        loss, accuracy = evaluate(self.model, validation) if validation is not None else (None, None)
        self.history.epochs.append(
            EpochRecord(
                epoch=len(self.history.epochs) + 1, step=len(self.history.step_losses),
                train_loss=sum(self._losses) / self._seen, train_accuracy=self._correct.item() / self._seen,
                validation_loss=loss, validation_accuracy=accuracy, seconds=self.seconds,
                lr=self.optimizer.param_groups[0]["lr"],
            )
        )  # fmt: skip
        self._seen = 0

    def resume(self, path: str | Path) -> None:
        """Go on from a checkpoint of the same run, if there is one."""
        saved = load_checkpoint(path, asdict(self.recipe) | {"images": len(self.train)})
        if saved is None:
            return
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history.step_losses = saved["step_losses"]
        self.history.epochs = [EpochRecord(**record) for record in saved["epochs"]]
        self.seconds = self.history.seconds

    def save(self, path: str | Path) -> None:
        """Write everything that the rest of the run depends on."""
        state = {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "step_losses": self.history.step_losses, "epochs": [asdict(record) for record in self.history.epochs],
        }  # fmt: skip
        save_checkpoint(path, state, asdict(self.recipe) | {"images": len(self.train)})

    def _begin_epoch(self) -> None:
        self._losses, self._seen = [], 0
        self._correct.zero_()
        torch.manual_seed(self._epoch_seed())

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(
            self.train, self.recipe.batch_size, image_size=self.model.preprocessing.image_size, shuffle=True,
            seed=self._epoch_seed(), device=self.device, augment=AUGMENTATIONS.get(self.recipe.augment or ""),
        )  # fmt: skip

    def _epoch_seed(self) -> int:
        # A resumed run must draw what the uninterrupted one draws, so every epoch has a seed of its own.
        return self.recipe.seed * 100_003 + len(self.history.epochs)


def _check_data(model: VGG, train: ImageSet, validation: ImageSet | None) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"model={model!r} is {type(model).__name__}; a network such as build_vgg() is expected")
    for name, data in (("train", train), ("validation", validation)):
        if data is not None and not isinstance(data, ImageSet):
            raise TypeError(f"{name} is {type(data).__name__}; an ImageSet such as load_fashion_mnist() is expected")
        if data is not None and len(data) == 0:
            raise ValueError(f"{name} holds no image; at least one is needed")


def _check_range(
    name: str, value: float, *, at_least: float = -math.inf, above: float = -math.inf, below: float = math.inf
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} is {type(value).__name__}; a number is expected")
    if not (math.isfinite(value) and value >= at_least and value > above and value < below):
        low = f"at least {at_least:g}" if math.isfinite(at_least) else f"above {above:g}"
        high = f" and below {below:g}" if math.isfinite(below) else ""
        raise ValueError(f"{name}={value} is out of range; a number {low}{high} is expected")


def _check_choice(name: str, value: object, accepted: tuple[object, ...]) -> None:
    if value not in accepted:
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, accepted))}")
