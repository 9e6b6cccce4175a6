"""The training loop on tiny data: repeatable, resumable, interruptible, and strict about its arguments."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vgg_lesson import VGG, History, ImageSet, class_vgg, evaluate, fit, to_batch
from vgg_lesson.classroom.checks.train_it_well import EXERCISES, smallest_loss, standard_error
from vgg_lesson.data.augmentation import AUGMENTATIONS, random_erase, random_flip
from vgg_lesson.support.machine import interrupts_held
from vgg_lesson.training.checkpoints import random_state, set_random_state
from vgg_lesson.training.history import EpochRecord

RECIPE: dict[str, Any] = {
    "epochs": 3, "batch_size": 16, "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3, "schedule": "one-cycle",
    "augment": "flip+shift", "show": False, "device": "cpu",
}  # fmt: skip


def pictures(count: int = 40, seed: int = 0) -> ImageSet:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 28, 28), generator=generator, dtype=torch.uint8)
    return ImageSet(images, torch.arange(count) % 10)


def network(seed: int = 0) -> VGG:
    torch.manual_seed(seed)
    return class_vgg(width=0.05, hidden=8)


def same_weights(first: VGG, second: VGG) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def losses_without_seconds(history: History) -> list[tuple[float | None, ...]]:
    return [(e.step, e.train_loss, e.train_accuracy, e.validation_loss, e.lr) for e in history.epochs]


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, second, other = network(), network(), network()
    history = fit(first, pictures(), pictures(12, 1), **RECIPE)
    again = fit(second, pictures(), pictures(12, 1), **RECIPE)
    assert same_weights(first, second) and history.step_losses == again.step_losses
    assert losses_without_seconds(history) == losses_without_seconds(again)
    assert fit(other, pictures(), **RECIPE, seed=1).step_losses != history.step_losses


def test_the_seconds_of_a_run_are_those_of_its_training() -> None:
    fit(network(), pictures(), **RECIPE)  # the first one waits for what torch does once
    started = time.perf_counter()
    history = fit(network(), pictures(), **RECIPE)
    whole = time.perf_counter() - started
    first, *_, last = history.epochs
    assert 0 < first.seconds < last.seconds == history.seconds < whole


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_step_is_nesterovs_where_there_is_momentum(momentum: float) -> None:
    torch.manual_seed(0)
    ours, images = class_vgg(width=0.05, hidden=8, dropout=0.0, batch_norm=False), pictures(16)
    theirs = deepcopy(ours).train()
    fit(ours, images, steps=3, batch_size=16, lr=0.05, momentum=momentum, show=False, device="cpu")
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=momentum, nesterov=momentum > 0)
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(theirs(to_batch(images.images)), images.labels).backward()
        optimizer.step()
    for mine, known in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, known, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("losses", "interrupted", "said"),
    [([2.0, math.nan, 2.0], False, "NaN from step 2"), ([2.0, 1.0], True, "stopped at step 2"), ([2.0], False, "")],
)
def test_how_a_run_ended_names_the_step(losses: list[float], interrupted: bool, said: str) -> None:
    assert History("run", step_losses=losses, interrupted=interrupted).ending == said


def test_an_epoch_record_sums_up_its_steps() -> None:
    history = fit(network(), pictures(40), **{**RECIPE, "epochs": 2})
    assert [e.step for e in history.epochs] == [3, 6]
    sizes = [16, 16, 8]
    for epoch, record in enumerate(history.epochs):
        losses = history.step_losses[3 * epoch : 3 * epoch + 3]
        mean = sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / 40
        assert record.train_loss == pytest.approx(mean)
    assert len(fit(network(), pictures(), **{**RECIPE, "steps": 4}).step_losses) == 4


def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path: Path) -> None:
    whole, resumed = network(), network(seed=5)
    uninterrupted = fit(whole, pictures(), **RECIPE, checkpoint=tmp_path / "run.pt")
    (tmp_path / "run.pt").unlink()
    history = fit(resumed, pictures(), **RECIPE, checkpoint=tmp_path / "run.pt")
    assert same_weights(whole, resumed)
    assert history.step_losses == uninterrupted.step_losses
    assert losses_without_seconds(history) == losses_without_seconds(uninterrupted)


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 7])
def test_a_run_stopped_within_an_epoch_goes_on_from_that_very_step(
    stop_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vgg_lesson.training.loop.SAVE_EVERY", 0.0)
    whole, resumed = network(), network(seed=5)
    uninterrupted = fit(whole, pictures(), **RECIPE)
    stopped = fit(
        network(), pictures(), **RECIPE, checkpoint=tmp_path / "run.pt",
        callbacks=[lambda run: len(run.history.step_losses) <= stop_at],
    )  # fmt: skip
    assert stopped.interrupted and len(stopped.step_losses) == stop_at + 1
    drawn: list[int] = []
    history = fit(
        resumed, pictures(), **RECIPE, checkpoint=tmp_path / "run.pt",
        callbacks=[lambda run: drawn.append(len(run.history.step_losses))],
    )  # fmt: skip
    assert drawn[0] == stop_at + 2, "the step that ended the run was saved with it"
    assert same_weights(whole, resumed) and history.step_losses == uninterrupted.step_losses
    assert losses_without_seconds(history) == losses_without_seconds(uninterrupted)


def test_an_interrupt_before_the_first_step_leaves_nothing_to_return(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("vgg_lesson.data.batches.Feed.batches", at_once)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), pictures(), **RECIPE)


def test_an_interrupt_waits_for_the_end_of_what_must_not_be_cut_off() -> None:
    before, done = signal.signal(signal.SIGINT, signal.default_int_handler), False
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_held():
            signal.raise_signal(signal.SIGINT)
            done = True
        assert done and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_told_to_stop_at_its_last_step_is_complete() -> None:
    history = fit(
        network(), pictures(), pictures(12, 1), **RECIPE, callbacks=[lambda run: len(run.history.step_losses) < 9]
    )
    assert not history.interrupted and history.last.validation_accuracy is not None


def test_callbacks_must_be_functions() -> None:
    with pytest.raises(TypeError, match="callbacks"):
        fit(network(), pictures(), **RECIPE, callbacks=3)  # type: ignore[arg-type]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    whole, resumed = network(), network(seed=5)
    fit(whole, pictures(), **RECIPE, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="damaged"):
        fit(resumed, pictures(), **RECIPE, checkpoint=path)
    assert same_weights(whole, resumed)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    fit(network(), pictures(), **RECIPE, checkpoint=tmp_path / "run.pt")
    with pytest.raises(ValueError, match=r"checkpoint=.*other lr"):
        fit(network(), pictures(), **{**RECIPE, "lr": 0.1}, checkpoint=tmp_path / "run.pt")


def test_a_file_that_is_no_checkpoint_is_kept(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("Dear diary, " * 20)
    with pytest.raises(ValueError, match="no checkpoint"):
        fit(network(), pictures(), **RECIPE, checkpoint=tmp_path / "diary.txt")
    assert (tmp_path / "diary.txt").read_text().startswith("Dear")


def test_an_interruption_returns_the_history_so_far(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def impatient(*_: Any) -> Callable[[History, bool], None]:
        def view(history: History, done: bool) -> None:
            if len(history.step_losses) == 4 and not done:
                raise KeyboardInterrupt

        return view

    with monkeypatch.context() as patched:
        patched.setattr("vgg_lesson.training.loop.progress_view", impatient)
        model = network()
        history = fit(model, pictures(), pictures(12, 1), **RECIPE, checkpoint=tmp_path / "run.pt")
    assert history.interrupted and len(history.step_losses) == 4 and history.last.validation_accuracy is not None
    assert [e.step for e in history.epochs] == [3, 4] and math.isfinite(history.last.train_loss)
    whole = network()
    fit(whole, pictures(), **RECIPE)
    assert not fit(model, pictures(), **RECIPE, checkpoint=tmp_path / "run.pt").interrupted
    assert same_weights(whole, model)


def test_one_cycle_rises_for_a_quarter_and_falls_to_a_hundredth() -> None:
    history = fit(network(), pictures(32), **{**RECIPE, "epochs": 8, "batch_size": 32, "lr": 0.8})
    expected = [0.4, 0.8, *(0.8 * (1 - 0.99 * part / 6) for part in range(1, 7))]
    assert [e.lr for e in history.epochs] == pytest.approx(expected)


def test_evaluate_weighs_a_smaller_last_batch_and_leaves_the_mode_alone() -> None:
    model = network().train()
    loss, accuracy = evaluate(model, pictures(40), batch_size=40)
    assert evaluate(model, pictures(40), batch_size=7) == pytest.approx((loss, accuracy), abs=1e-5)
    assert model.training
    assert evaluate(model, pictures(1))[1] in (0.0, 1.0)


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("epochs", 0, ValueError), ("epochs", 1.5, TypeError), ("steps", 0, ValueError), ("batch_size", -1, ValueError),
        ("lr", 0.0, ValueError), ("lr", float("nan"), ValueError), ("lr", "0.1", TypeError),
        ("momentum", 1.0, ValueError), ("momentum", -0.1, ValueError), ("weight_decay", -1e-4, ValueError),
        ("label_smoothing", 1.0, ValueError), ("schedule", "cosine", ValueError), ("augment", "rotate", ValueError),
        ("precision", "fp16", ValueError), ("seed", "0", TypeError),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(argument: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"{argument}=.*(expected|choose)"):
        fit(network(), pictures(), **{**RECIPE, argument: value})


def test_data_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="ImageSet"):
        fit(network(), torch.zeros(4, 28, 28), **RECIPE)
    with pytest.raises(TypeError, match="validation"):
        fit(network(), pictures(), pictures().images, **RECIPE)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_keeps_shape_and_type_and_follows_its_generator(name: str) -> None:
    images = pictures(30).images

    def draw(seed: int) -> Tensor:
        return AUGMENTATIONS[name](images, torch.Generator().manual_seed(seed))

    assert draw(0).shape == images.shape and draw(0).dtype == torch.uint8
    assert torch.equal(draw(0), draw(0)) and not torch.equal(draw(0), draw(1))


def test_flips_mirror_about_half_and_shifts_move_by_at_most_two() -> None:
    images = pictures(200).images
    flipped = random_flip(images, torch.Generator().manual_seed(0))
    same = (flipped == images).flatten(1).all(dim=1)
    mirrored = (flipped == images.flip(2)).flatten(1).all(dim=1)
    assert (same ^ mirrored).all() and 60 < int(mirrored.sum()) < 140
    dot = torch.zeros(50, 28, 28, dtype=torch.uint8)
    dot[:, 14, 13:15] = 255  # its own mirror image
    moved = AUGMENTATIONS["flip+shift"](dot, torch.Generator().manual_seed(0)).nonzero()
    assert int(moved[:, 1].min()) == 12 and int(moved[:, 1].max()) == 16
    assert int(moved[:, 2].min()) == 11 and int(moved[:, 2].max()) == 16


@pytest.mark.parametrize("shape", [(400, 28, 28), (400, 3, 56, 28)])
def test_a_rectangle_is_erased_in_about_half_of_the_images(shape: tuple[int, ...]) -> None:
    erased = random_erase(torch.zeros(shape, dtype=torch.uint8), torch.Generator().manual_seed(0))
    changed = erased.view(shape[0], -1, *shape[-2:]).amax(dim=1) > 0
    touched = changed.flatten(1).any(dim=1)
    assert 160 < int(touched.sum()) < 240
    for across, side in ((2, shape[-2]), (1, shape[-1])):
        lengths = changed[touched].any(dim=across).sum(dim=1)
        assert side // 7 - 1 <= int(lengths.min()) and side // 3 < int(lengths.max()) <= side // 2
    filled = changed[touched].flatten(1).sum(dim=1)
    box = changed[touched].any(dim=2).sum(dim=1) * changed[touched].any(dim=1).sum(dim=1)
    assert (filled >= 0.9 * box).all(), "noise of any value but, by chance, 0"


def test_what_is_on_record_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(EpochRecord(1, 4, 2.3, 0.1, None, None, 1.0, 0.1), "train_loss", 0.0)  # noqa: B010  mypy knows it


def test_the_keys_of_the_exercises_come_from_torch() -> None:
    keys = {exercise.name: exercise.solution() for exercise in EXERCISES}
    assert keys["lasting_step"] == pytest.approx(0.1)
    smooth = -(0.91 * math.log(0.91) + 9 * 0.01 * math.log(0.01))
    assert smallest_loss(0.1, 10) == pytest.approx(smooth) == pytest.approx(keys["smoothed_loss_floor"])
    drawn = torch.rand(2000, 500, generator=torch.Generator().manual_seed(0)) < 0.9
    assert drawn.float().mean(dim=1).std().item() == pytest.approx(standard_error(0.9, 500), rel=0.05)


def test_a_checkpoint_of_another_device_is_gone_on_with() -> None:
    state = random_state(torch.device("cpu"))
    drawn = torch.rand(3)
    set_random_state({**state, "cuda": torch.zeros(16, dtype=torch.uint8)}, torch.device("cpu"))
    assert torch.equal(torch.rand(3), drawn)
    set_random_state(state, torch.device("cuda"))  # was saved where no CUDA device was
    assert torch.equal(torch.rand(3), drawn)


def test_damaged_step_losses_are_named(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    fit(network(), pictures(), **{**RECIPE, "epochs": 1}).to_csv(path)
    path.with_suffix(".steps.csv").write_text("step,loss\n1,much\n")
    with pytest.raises(ValueError, match="steps"):
        History.from_csv(path)
