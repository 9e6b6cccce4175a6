"""One training loop for every device, network and kind of data.

The plain loop that notebook 05 writes out, with what notebook 06 adds to it: momentum, a schedule, augmentation,
precision, checkpoints; and with what notebook 11 adds, several processes. The momentum is PyTorch's Nesterov form,
https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from vgg_lesson.data.augmentation import AUGMENTATIONS
from vgg_lesson.data.batches import Data
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.models import AnyModel, modes_restored, train_mode
from vgg_lesson.state_names import plain_name, plain_names
from vgg_lesson.support.arguments import Count, PathLike, check_takes, checked, spells_out
from vgg_lesson.support.machine import as_device, fast_precision, interrupts_held, memory_kept, pick_device
from vgg_lesson.training.checkpoints import load_checkpoint, random_state, save_checkpoint, set_random_state
from vgg_lesson.training.distributed import ProcessGroup, group_device
from vgg_lesson.training.doors import check_place, check_trainable, open_feed
from vgg_lesson.training.evaluation import count_right, judge
from vgg_lesson.training.history import EpochRecord, History
from vgg_lesson.training.progress import SHOWN, progress_view
from vgg_lesson.training.recipes import Loss, Recipe

SAVE_EVERY = 60.0  # seconds between checkpoints within an epoch
Callback = Callable[["Run"], bool | None]


@checked
@spells_out(Recipe)
def fit(
    model: AnyModel,
    train: Any,
    validation: Any = None,
    *,
    checkpoint: PathLike | None = None,
    device: Any = None,
    eval_batch_size: Count | None = None,
    callbacks: Sequence[Callback] = (),
    label: str = "",
    show: Annotated[bool | str, SHOWN] = True,
    **recipe: Any,
) -> History:
    """Train ``model``, any module that maps a float batch to class scores, in place; parts that are frozen stay so.

    Args:
        train, validation: an `ImageSet`, a map-style Dataset of pairs, a DataLoader, or a pair (images, labels) of
            tensors. The validation set is only looked at, after every epoch. Bytes are prepared as
            ``model.preprocessing`` says, where there is one; a DataLoader keeps its own batches.
        epochs … seed: the fields of `Recipe`, which explains them.
        checkpoint: a file that is written after every epoch, every minute and whenever the run is ended, and read
            first, if it is there: the run goes on from it. For an `ImageSet` on the CPU it ends with the same
            weights, bit for bit, as if it had not been stopped.
        device: where to train; by default the accelerator, else the CPU. The model is moved there.
        eval_batch_size: images at a time in the validation; by default ``batch_size``.
        callbacks: functions that are called after every step with the `Run`; False ends it.
        label: the run's name in the progress bar. show: True, "bar" (no curve) or False.

    Under `torchrun` (see `distributed.init_distributed`) ``batch_size`` is that of all processes together, the history
    is theirs together, and the main process shows progress, evaluates and writes the checkpoint, which all read.

    Returns:
        The `History`, complete, or up to the last step when interrupted from the keyboard or by a callback; what has
        been trained until then is validated, too. A second interrupt, or one before the first step, is raised.

    Raises:
        ValueError, TypeError: an argument out of range, data that the model cannot read, or a checkpoint that belongs
            to another run.
        OSError: no checkpoint can be written, found out before the first step; later on that is a warning.
    """
    check_trainable(model)
    place = as_device(device) if device is not None else group_device() or pick_device()
    check_place(place)
    run = Run(model, train, validation, Recipe(**recipe), place, label, eval_batch_size)
    with modes_restored(model), memory_kept():
        run.train(None if checkpoint is None else Path(checkpoint).expanduser(), callbacks, show)
    return run.history


class Run:
    """A training run under way: ``history``, ``model``, ``optimizer``, and what changes from step to step."""

    def __init__(
        self, model: nn.Module, train: Data, validation: Data | None, recipe: Recipe, device: torch.device, label: str,
        eval_batch_size: int | None = None,
    ):  # fmt: skip
        self.model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.feed = open_feed(model, "train", train, loss=recipe.loss)
        given = validation is not None
        self.validation = open_feed(model, "validation", validation, loss=recipe.loss) if given else None
        self.group = ProcessGroup.current()
        self.parallel = self.group.parallel(self.model)
        self.recipe, self.device = recipe, device
        self.eval_batch_size = eval_batch_size or recipe.batch_size
        self.history = History(label)
        self.total_steps = recipe.steps or recipe.epochs * self.feed.steps(recipe.batch_size)
        self.optimizer = self._optimizer()
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        self._loss: Loss = recipe.loss or self._cross_entropy
        precision = fast_precision(device) if recipe.precision == "auto" else recipe.precision
        self._autocast: Callable[[], Any] = (
            (lambda: torch.autocast(device.type, torch.bfloat16)) if precision == "bf16" else nullcontext
        )
        self.seconds, self._saved_at = 0.0, time.monotonic()
        self._total = self._correct = 0.0
        self._seen, self._epoch_steps = 0, 0
        self._random: dict[str, Tensor] | None = None

    def train(self, checkpoint: Path | None, callbacks: Sequence[Callback], show: bool | str) -> None:
        """Go on from ``checkpoint``, if there is one, to the end of the run, or to where it is ended."""
        if checkpoint is not None:
            self._resume(checkpoint)
            self.group.check_same("steps done", len(self.history.step_losses))
        if not self.group.is_main:
            show, self.validation, checkpoint = False, None, None
        if checkpoint is not None and not self.history.step_losses:
            self._save(checkpoint)
        view = progress_view(self.total_steps, self.history.label, show)
        anyone_asks = self.group.any(bool(callbacks))
        try:
            while len(self.history.step_losses) < self.total_steps:
                for _ in self._epoch(checkpoint):
                    view(self.history, False)
                    if anyone_asks and self.group.any(any([ask(self) is False for ask in callbacks])):
                        raise KeyboardInterrupt
        except KeyboardInterrupt:
            if not self.history.step_losses:
                raise
            self.history.interrupted = len(self.history.step_losses) < self.total_steps
            if checkpoint is not None:
                self._save_if_possible(checkpoint)
            self._close_epoch()
        view(self.history, True)

    def step(self, images: Tensor, labels: Tensor) -> float:
        """One update of the weights from one batch, of which each process takes its share; returns its loss."""
        count, (images, labels, weight) = len(labels), self.group.share(images, labels)
        self.group.seed_step(self._epoch_seed, self._epoch_steps)
        factor = self.recipe.factor((len(self.history.step_losses) + 1) / self.total_steps)
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        self.optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            scores = self.parallel(images)
            loss = weight * self._loss(scores, labels)
        loss.backward()
        self.optimizer.step()
        right = count_right(scores.detach(), labels) if weight else 0
        value, right_of_all = self.group.sums(loss.item() / self.group.size, right)
        self._total += value * count
        self._correct += right_of_all
        self._seen += count
        self._epoch_steps += 1
        return value

    def _epoch(self, checkpoint: Path | None) -> Iterator[None]:
        """Train to the end of the current epoch or of the run, whichever comes first; a pause after every step."""
        train_mode(self.model)
        torch.manual_seed(self._epoch_seed)
        augment = self.recipe.augment
        batches = self.feed.batches(
            self.recipe.batch_size, shuffle=True, seed=self._epoch_seed,
            augment=AUGMENTATIONS[augment] if isinstance(augment, str) else augment,
        )  # fmt: skip
        for _ in range(self._epoch_steps):
            next(batches)
        if self._epoch_steps and self._random is not None:
            set_random_state(self._random, self.device)
        started = time.perf_counter()
        for images, labels in batches:
            with interrupts_held():  # a step is done or not begun: what is saved after an interrupt is whole
                self.history.step_losses.append(self.step(images, labels))
            self.seconds += time.perf_counter() - started
            yield
            if len(self.history.step_losses) == self.total_steps:
                break
            if checkpoint is not None and time.monotonic() - self._saved_at >= SAVE_EVERY:
                self._save_if_possible(checkpoint)
            started = time.perf_counter()
        self._close_epoch()
        if checkpoint is not None:
            self._save_if_possible(checkpoint)

    def _close_epoch(self) -> None:
        """Turn what the epoch has summed up into a record."""
        if not self._seen:
            return
        self.group.share_buffers(self.model)
        loss, accuracy = None, None
        if self.validation is not None:
            measure = self.recipe.loss or cross_entropy
            loss, accuracy = judge(self.model, self.validation, self.eval_batch_size, measure)
        self.history.epochs.append(
            EpochRecord(
                epoch=len(self.history.epochs) + 1, step=len(self.history.step_losses),
                train_loss=self._total / self._seen, train_accuracy=self._correct / self._seen,
                validation_loss=loss, validation_accuracy=accuracy, seconds=self.seconds,
                lr=self.optimizer.param_groups[0]["lr"],
            )
        )  # fmt: skip
        self._total = self._correct = 0.0
        self._seen, self._epoch_steps = 0, 0

    def _optimizer(self) -> Optimizer:
        recipe = self.recipe
        parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        with interrupts_held():  # the first optimizer imports a part of torch that cannot be imported by halves
            if recipe.optimizer is None:
                made: Any = torch.optim.SGD(
                    parameters, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay,
                    nesterov=recipe.momentum > 0, fused=self.device.type in ("cpu", "cuda"),
                )  # fmt: skip
            else:
                made = recipe.optimizer(parameters)
            if not isinstance(made, Optimizer):
                raise TypeError(f"optimizer returns {type(made).__name__}; a torch.optim.Optimizer is expected")
            check_takes("optimizer.step", made.step, ())
            made.zero_grad()
        return made

    def _cross_entropy(self, scores: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(scores, labels, label_smoothing=self.recipe.label_smoothing)

    @cached_property
    def _identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on before this run goes on from it."""
        shape = {name: str(tuple(value.shape)) for name, value in plain_names(self.model.state_dict()).items()}
        frozen = [name for name, parameter in self.model.named_parameters() if not parameter.requires_grad]
        rates = [self.recipe.factor((step + 1) / self.total_steps) for step in range(self.total_steps)]
        settings = [{k: str(v) for k, v in group.items() if k != "params"} for group in self.optimizer.param_groups]
        digest = hashlib.sha256()
        if isinstance(self.feed.data, ImageSet):
            digest.update(self.feed.data.images.cpu().numpy().tobytes())
            digest.update(self.feed.data.labels.cpu().numpy().tobytes())
        return {
            **self.recipe.identity(), "schedule": hashlib.sha256(repr(rates).encode()).hexdigest(),
            "network": repr(getattr(self.model, "network", shape)), "frozen parts": frozen,
            "preprocessing": repr(getattr(self.model, "preprocessing", None)),
            "optimizer": f"{type(self.optimizer).__name__} {settings}",
            "training images": self.feed.count, "data": digest.hexdigest(),
        }  # fmt: skip

    def _resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same run, if there is one."""
        saved = load_checkpoint(path, self._identity)
        if saved is None:
            return
        weights = plain_names(saved["model"])
        self.model.load_state_dict({name: weights[plain_name(name)] for name in self.model.state_dict()})
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history.step_losses = saved["step_losses"]
        self.history.epochs = [EpochRecord(**record) for record in saved["epochs"]]
        self.seconds, self._random = saved["seconds"], saved["random"]
        self._total, self._correct, self._seen, self._epoch_steps = saved["epoch"]

    def _save(self, path: Path) -> None:
        """Write everything that the rest of the run depends on."""
        state = {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "step_losses": self.history.step_losses, "epochs": [asdict(record) for record in self.history.epochs],
            "seconds": self.seconds, "random": random_state(self.device),
            "epoch": (self._total, self._correct, self._seen, self._epoch_steps),
        }  # fmt: skip
        save_checkpoint(path, state, self._identity)
        self._saved_at = time.monotonic()

    def _save_if_possible(self, path: Path) -> None:
        """`_save`, or a warning: a disk that fills up under a run must not cost what the run has learned."""
        try:
            self._save(path)
        except OSError as error:
            self._saved_at = time.monotonic()
            done = len(self.history.step_losses)
            warnings.warn(f"no checkpoint of step {done}: {error}; training goes on without", stacklevel=6)

    @property
    def _epoch_seed(self) -> int:
        # A resumed run must draw what the uninterrupted one draws, so every epoch has a seed of its own.
        return (self.recipe.seed * 100_003 + len(self.history.epochs)) % 2**63
