"""One training loop for every device, and the evaluation that goes with it.

The plain loop that notebook 05 writes out, with what notebook 06 adds to it: momentum, a schedule, augmentation,
precision, checkpoints; and with what notebook 11 adds, several processes. The momentum is PyTorch's Nesterov form,
https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.
"""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vgg_lesson.data.augmentation import AUGMENTATIONS, VIEWS, views_of
from vgg_lesson.data.datasets import ImageSet, batches
from vgg_lesson.models import VGG, evaluating
from vgg_lesson.support.arguments import check_choice, check_path, check_positive_int
from vgg_lesson.support.machine import as_device, fast_precision, interrupts_held, memory_kept, pick_device
from vgg_lesson.training.checkpoints import load_checkpoint, save_checkpoint
from vgg_lesson.training.distributed import Team, team_device
from vgg_lesson.training.history import EpochRecord, History
from vgg_lesson.training.progress import progress_view
from vgg_lesson.training.recipes import Recipe

SAVE_EVERY = 60.0  # seconds between checkpoints within an epoch


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
    on_step: Callable[[History], bool | None] | None = None,
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
        checkpoint: a file that is written after every epoch and every minute, and read first, if it is there: the run
            goes on from it and ends with the same weights, bit for bit, as if it had not been stopped.
        device: where to train; by default CUDA, else MPS, else the CPU. The model is moved there.
        label: the run's name in the progress bar. show: True, "bar" (no curve) or False.
        on_step: called after every step with the history so far; the run stops where it returns False.

    Under `torchrun` (see `distributed.joined`) ``batch_size`` is that of all processes together, the history is theirs
    together, and the first of them shows progress, evaluates and writes the checkpoint, which all of them read.

    Returns:
        The `History`, complete, or up to the last step when interrupted from the keyboard or by ``on_step``; what has
        been trained until then is validated, too. A second interrupt, or one before the first step, is raised.

    Raises:
        ValueError, TypeError: an argument out of range, or a checkpoint that belongs to another run.
        OSError: no checkpoint can be written, found out before the first step; later on that is a warning.
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
    check_data(model, "train", train)
    if validation is not None:
        check_data(model, "validation", validation)
    run = _Run(model, train, recipe, as_device(device) if device is not None else team_device() or pick_device(), label)
    if checkpoint is not None:
        check_path("checkpoint", checkpoint)
        run.resume(checkpoint)
        run.team.check_same("steps done", len(run.history.step_losses))
    if on_step is not None and not callable(on_step):
        raise TypeError(f"on_step is {type(on_step).__name__}; a function of the history is expected")
    if not run.team.leads:
        show, validation, checkpoint = False, None, None
    if checkpoint is not None and not run.history.step_losses:
        run.save(checkpoint)
    view = _after_each_step(progress_view(run.total_steps, label, show), on_step, run.total_steps, run.team)
    try:
        with memory_kept():
            while len(run.history.step_losses) < run.total_steps:
                run.epoch(view, validation, checkpoint)
    except KeyboardInterrupt:
        if not run.history.step_losses:
            raise
        run.history.interrupted = True
        run.close_epoch(validation)
    view(run.history, True)
    return run.history


def _after_each_step(
    view: Callable[[History, bool], None], on_step: Callable[[History], bool | None] | None, last: int, team: Team
) -> Callable[[History, bool], None]:
    def after(history: History, done: bool) -> None:
        view(history, done)
        if on_step is not None and not done:
            stop = team.any(on_step(history) is False)
            if stop and len(history.step_losses) < last:
                raise KeyboardInterrupt

    return after


def evaluate(model: VGG, data: ImageSet, *, batch_size: int = 1000, views: str = "one") -> tuple[float, float]:
    """Mean cross-entropy and accuracy (0 to 1) of ``model`` on ``data``, in evaluation mode and in float32.

    With ``views`` "flip" or "flip+shift" the mean of the scores of several views of each picture counts, see
    `vgg_lesson.data.augmentation.views_of`.
    """
    check_positive_int("batch_size", batch_size)
    check_choice("views", views, VIEWS)
    check_data(model, "data", data)
    device = next(model.parameters()).device
    loss, correct = 0.0, 0
    with evaluating(model):
        for images, labels in batches(data, batch_size, preprocessing=model.preprocessing, device=device):
            scores = torch.stack([model(view) for view in views_of(images, views)]).mean(dim=0)
            loss += nn.functional.cross_entropy(scores, labels, reduction="sum").item()
            correct += int((scores.argmax(dim=1) == labels).sum())
    return loss / len(data), correct / len(data)


class _Run:
    """A training run under way: the parts that change from step to step."""

    def __init__(self, model: VGG, train: ImageSet, recipe: Recipe, device: torch.device, label: str):
        self.model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.team = Team.current()
        self.parallel = self.team.parallel(self.model)
        self.train, self.recipe, self.device = train, recipe, device
        self.history = History(label)
        self.steps_per_epoch = math.ceil(len(train) / recipe.batch_size)
        self.total_steps = recipe.steps or recipe.epochs * self.steps_per_epoch
        with interrupts_held():  # the first optimizer imports a part of torch that cannot be imported by halves
            self.optimizer = torch.optim.SGD(
                model.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay,
                nesterov=recipe.momentum > 0, fused=device.type in ("cpu", "cuda"),
            )  # fmt: skip
            self.optimizer.zero_grad()
        precision = fast_precision(device) if recipe.precision == "auto" else recipe.precision
        self.autocast: Callable[[], Any] = (
            (lambda: torch.autocast(device.type, torch.bfloat16)) if precision == "bf16" else nullcontext
        )
        self.seconds, self.saved_at = 0.0, time.monotonic()
        self._loss = self._correct = 0.0
        self._seen, self._epoch_steps = 0, 0
        self._random: dict[str, Tensor] | None = None

    def epoch(
        self, view: Callable[[History, bool], None], validation: ImageSet | None, checkpoint: str | Path | None
    ) -> None:
        """Train to the end of the current epoch or of the run, whichever comes first."""
        self.model.train()
        batches_left = islice(self._batches(), self._epoch_steps, None)
        self._seed()
        started = time.perf_counter()
        for images, labels in batches_left:
            self.history.step_losses.append(self.step(images, labels))
            self.seconds += time.perf_counter() - started
            view(self.history, False)
            if len(self.history.step_losses) == self.total_steps:
                break
            if checkpoint is not None and time.monotonic() - self.saved_at >= SAVE_EVERY:
                self.save_if_possible(checkpoint)
            started = time.perf_counter()
        self.close_epoch(validation)
        if checkpoint is not None:
            self.save_if_possible(checkpoint)

    def step(self, images: Tensor, labels: Tensor) -> float:
        """One update of the weights from one batch, of which each process takes its share; returns its loss."""
        count, (images, labels, weight) = len(labels), self.team.share(images, labels)
        self.team.seed_step(self._epoch_seed(), self._epoch_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.lr_at(len(self.history.step_losses), self.total_steps)
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            scores = self.parallel(images)
            loss = weight * nn.functional.cross_entropy(scores, labels, label_smoothing=self.recipe.label_smoothing)
        loss.backward()
        self.optimizer.step()
        right = int((scores.detach().argmax(dim=1) == labels).sum()) if weight else 0
        value, right_of_all = self.team.sums(loss.item() / self.team.size, right)
        self._loss += value * count
        self._correct += right_of_all
        self._seen += count
        self._epoch_steps += 1
        return value

    def close_epoch(self, validation: ImageSet | None) -> None:
        """Turn what the epoch has summed up into a record."""
        if not self._seen:
            return
        loss, accuracy = evaluate(self.model, validation) if validation is not None else (None, None)
        self.history.epochs.append(
            EpochRecord(
                epoch=len(self.history.epochs) + 1, step=len(self.history.step_losses),
                train_loss=self._loss / self._seen, train_accuracy=self._correct / self._seen,
                validation_loss=loss, validation_accuracy=accuracy, seconds=self.seconds,
                lr=self.optimizer.param_groups[0]["lr"],
            )
        )  # fmt: skip
        self._loss = self._correct = 0.0
        self._seen, self._epoch_steps = 0, 0

    def resume(self, path: str | Path) -> None:
        """Go on from a checkpoint of the same run, if there is one."""
        saved = load_checkpoint(path, self.identity)
        if saved is None:
            return
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history.step_losses = saved["step_losses"]
        self.history.epochs = [EpochRecord(**record) for record in saved["epochs"]]
        self.seconds, self._random = saved["seconds"], saved["random"]
        self._loss, self._correct, self._seen, self._epoch_steps = saved["epoch"]

    def save(self, path: str | Path) -> None:
        """Write everything that the rest of the run depends on."""
        state = {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "step_losses": self.history.step_losses, "epochs": [asdict(record) for record in self.history.epochs],
            "seconds": self.seconds, "random": self._random_state(),
            "epoch": (self._loss, self._correct, self._seen, self._epoch_steps),
        }  # fmt: skip
        save_checkpoint(path, state, self.identity)
        self.saved_at = time.monotonic()

    def save_if_possible(self, path: str | Path) -> None:
        """`save`, or a warning: a disk that fills up under a run must not cost what the run has learned."""
        try:
            self.save(path)
        except OSError as error:
            self.saved_at = time.monotonic()
            done = len(self.history.step_losses)
            warnings.warn(f"no checkpoint of step {done}: {error}; training goes on without", stacklevel=4)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on before this run goes on from it."""
        digest = hashlib.sha256(self.train.images.cpu().numpy().tobytes())
        digest.update(self.train.labels.cpu().numpy().tobytes())
        network = {"config": repr(self.model.config), **self.model.settings}
        return {**asdict(self.recipe), **network, "training images": len(self.train), "data": digest.hexdigest()}

    def _seed(self) -> None:
        """Put torch's generators where the epoch, or the checkpoint in its middle, has them."""
        torch.manual_seed(self._epoch_seed())
        if self._epoch_steps and self._random is not None:
            torch.set_rng_state(self._random["cpu"])
            if self.device.type in self._random and self.device.type != "cpu":  # not if it was saved on another device
                torch.get_device_module(self.device).set_rng_state(self._random[self.device.type])

    def _random_state(self) -> dict[str, Tensor]:
        state = {"cpu": torch.get_rng_state()}
        if self.device.type != "cpu":
            state[self.device.type] = torch.get_device_module(self.device).get_rng_state()
        return state

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(
            self.train, self.recipe.batch_size, preprocessing=self.model.preprocessing, shuffle=True,
            seed=self._epoch_seed(), device=self.device, augment=AUGMENTATIONS.get(self.recipe.augment or ""),
        )  # fmt: skip

    def _epoch_seed(self) -> int:
        # A resumed run must draw what the uninterrupted one draws, so every epoch has a seed of its own.
        return (self.recipe.seed * 100_003 + len(self.history.epochs)) % 2**63


def check_data(model: VGG, name: str, data: ImageSet) -> None:
    """Raise TypeError or ValueError unless ``data``, the argument called ``name``, can be shown to ``model``."""
    if not isinstance(model, VGG):
        raise TypeError(f"model is {type(model).__name__}; a VGG such as build_vgg() is expected")
    if next(model.parameters()).is_meta:
        raise ValueError('model lives on the device "meta" and has no weights; build it without device="meta"')
    if not isinstance(data, ImageSet):
        raise TypeError(f"{name} is {type(data).__name__}; an ImageSet such as load_fashion_mnist() is expected")
    if len(data) == 0:
        raise ValueError(f"{name} holds no image; at least one is needed")
    classes = model.settings["num_classes"]
    if int(data.labels.max()) >= classes:
        raise ValueError(
            f"{name} holds the label {int(data.labels.max())}; this model tells {classes} classes apart, from 0 on"
        )
