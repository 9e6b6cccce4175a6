"""Make the stored training logs, ``vgg_lesson/assets/runs/NAME.csv``: runs too long, or too many, for a class.

Every run is an `Experiment` of `tools.trials`, trained by `vgg_lesson.fit`. A long run that is interrupted goes on from
its checkpoint when the same command is given again; a finished one is made anew.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from tools.paths import ASSETS, RECORDS, ROOT
from tools.trials import DIAGNOSE_IMAGES, FULL_CHANGES, SEEDED, TRIALS
from vgg_lesson import PLANS, Experiment, History, ImageSet, evaluate, load_fashion_mnist, to_batch
from vgg_lesson.__main__ import main as command_line
from vgg_lesson.data.batches import batches
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.models import evaluating
from vgg_lesson.records.experiments import VALIDATION, run_experiment
from vgg_lesson.records.stored_runs import COLUMNS, EPOCH_COLUMNS, escape_step
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import cpu_count, fast_precision, pick_device, set_threads
from vgg_lesson.training.checkpoints import forget_checkpoint
from vgg_lesson.training.loop import Run

BUILD, FULL = ROOT / "build" / "runs", ROOT / "build" / "full"
SPREAD_IMAGES, LOSS_EVERY, SPREAD_EVERY, ACCURACY_EVERY = 256, 10, 50, 500
STEPS_AFTER_ESCAPE = 200
SEARCH_HELD_OUT, POINTS = 5000, 20
SEARCH_COLUMNS = (
    "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "flip", "flip+shift",
)  # fmt: skip
DIAGNOSE_HELD_OUT, SMALL_BATCH = range(7600, 8000), 5  # of the training images; nobody trains on them there
INTERRUPTED = 130  # the exit status of `train`
FACTOR_COLUMNS = ("run", "seed", "step", "loss", "accuracy", "seconds")
FACTORS_HEADER = f"""\
# The class plan (32x32, quarter width, batch norm, batch 64, lr 0.1, one epoch) in float32, with weight decay 0.0005 \
and with the change that the run is named after; see vgg_lesson/records/experiments.py.
# Trained on the first part of a split of the 60,000 training images, accuracy on the other {VALIDATION:,}. \
Made by: python -m tools runs factors
# loss: mean training loss since the row before. seconds: processor time of one thread.
"""


class Interrupted(Exception):
    """The run was stopped from the keyboard; its checkpoint is kept."""


def main(arguments: list[str]) -> int:
    """``python -m tools runs [GROUP or RUN …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools runs", description=__doc__)
    names = [name for group in TRIALS for name, _, _ in runs_of(group)]
    what = f"{', '.join(TRIALS)}, or a run of them alone (post_he); default: all"
    parser.add_argument("wanted", nargs="*", metavar="GROUP", help=what)
    wanted = parser.parse_args(arguments).wanted or list(TRIALS)
    if unknown := set(wanted) - {*TRIALS, *names}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {what}")
    set_threads()
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    if (len(train), len(test)) != tuple(FULL_COUNTS.values()):
        parser.exit(1, "the full data are needed; `python -m vgg_lesson data` fetches them\n")
    for group in TRIALS:
        for name, experiment, seed in runs_of(group):
            if not {group, name} & set(wanted):
                continue
            try:
                text = WRITERS[group](name, experiment, seed, train, test)
            except Interrupted:
                print(f"{name} was interrupted; the same command goes on with it", flush=True)
                return INTERRUPTED
            folder = {"factors": BUILD, "search": RECORDS}.get(group, ASSETS / "runs")
            write_atomically(folder / f"{name}.csv", text.encode())
            forget_checkpoint(_checkpoint(name))
            print(f"{time.strftime('%H:%M:%S')}  wrote {name}", flush=True)
    return assemble_factors() if {"factors"} & set(wanted) else 0


def runs_of(group: str) -> Iterator[tuple[str, Experiment, int]]:
    """The runs of a group: the name of the log, the experiment, the seed."""
    for name, experiment in TRIALS[group].items():
        for seed in experiment.seeds:
            yield f"{name}_seed{seed}" if group in {*SEEDED, "factors"} else name, experiment, seed


class Watch:
    """A callback that notes the spread of the scores and the accuracy, and ends a stalled run after its escape."""

    def __init__(self, test: ImageSet, ends_after_escape: bool):
        self.test, self.ends_after_escape = test, ends_after_escape
        self.spreads: dict[int, float] = {}
        self.accuracies: dict[int, float] = {}

    def __call__(self, run: Run) -> bool:
        step = len(run.history.step_losses)
        if step % SPREAD_EVERY == 0:
            with evaluating(run.model):
                scores = run.model(to_batch(self.test.images[:SPREAD_IMAGES]))
            self.spreads[step] = scores.std(dim=0, correction=0).square().mean().sqrt().item()
        if step % ACCURACY_EVERY == 0:
            self.accuracies[step] = evaluate(run.model, self.test)[1]
        return not (self.ends_after_escape and step % LOSS_EVERY == 0 and self._is_over(run.history, step))

    def _is_over(self, history: History, step: int) -> bool:
        means = [(at, history.mean_loss(at - LOSS_EVERY + 1, at)) for at in range(LOSS_EVERY, step + 1, LOSS_EVERY)]
        escaped = escape_step(means)
        return escaped is not None and step >= escaped + STEPS_AFTER_ESCAPE


def plain_log(name: str, experiment: Experiment, seed: int, train: ImageSet, test: ImageSet) -> str:
    """A run of notebook 05: loss, spread of the scores, accuracy."""
    watch = Watch(test, ends_after_escape="pytorch" in experiment.change)
    model, history = run_experiment(experiment, train, seed=seed, device="cpu", callbacks=[watch], show="bar")
    last = len(history.step_losses)
    if history.interrupted and not watch._is_over(history, last):
        raise Interrupted
    recipe = experiment.recipe
    momentum = f", Nesterov momentum {recipe.momentum:g}" if recipe.momentum else ""
    about = (
        f"# VGG-11 layout, quarter width, {experiment.change}, seed {seed}, lr {recipe.lr:g}{momentum}; float32, "
        f"32x32, batch {recipe.batch_size}, no batch norm, 1024 hidden units. Made by: python -m tools runs\n"
        f"# loss: mean training loss of the last {LOSS_EVERY} steps. spread: standard deviation of the scores across "
        f"the first {SPREAD_IMAGES} test images. accuracy: on the test set.\n"
    )
    return about + step_rows(history, {**watch.accuracies, last: evaluate(model, test)[1]}, watch.spreads)


def long_log(name: str, experiment: Experiment, seed: int, train: ImageSet, test: ImageSet) -> str:
    """A whole run: loss, and the accuracy on the test set after every epoch of the post's runs, else at the end."""
    looks = name.startswith("post") and experiment.recipe.steps is None
    checkpoint = _checkpoint(name)
    model, history = run_experiment(experiment, train, test if looks else None, seed=seed, checkpoint=checkpoint)
    if history.interrupted:
        raise Interrupted
    accuracies = {record.step: record.validation_accuracy or 0.0 for record in history.epochs}
    if not looks:
        accuracies = {len(history.step_losses): evaluate(model, test)[1]}
    precision = experiment.recipe.precision
    used = fast_precision(pick_device()) if precision == "auto" else precision
    return _long_header(experiment, seed, history, used, cpu_count(), looks) + step_rows(history, accuracies)


def full_log(name: str, experiment: Experiment, seed: int, train: ImageSet, test: ImageSet) -> str:
    """A run of the full plan by ``python -m vgg_lesson train``; its weights stay in ``build/full``."""
    card, history = full_run(seed)
    accuracies = {len(history.step_losses): card["test_accuracy"]}
    return _long_header(
        experiment, seed, history, card["precision_used"], card["threads"], False
    ) + step_rows(history, accuracies)  # fmt: skip


def full_run(seed: int, name: str = "full") -> tuple[dict[str, Any], History]:
    """The card and the history of a run of the full plan, changed as `FULL_CHANGES` says; trained first where missing.

    Raises:
        Interrupted: it was stopped. ValueError: what is there was trained by another plan.
    """
    weights, changes = FULL / f"{name}_seed{seed}.safetensors", FULL_CHANGES[name]
    log = weights.with_suffix(".csv")
    if not (weights.exists() and log.exists()):
        options: dict[str, Any] = {"budget": "full", "seed": seed, **changes, "out": os.path.relpath(weights)}
        options["log"] = os.path.relpath(log)
        done = command_line(["train", *(word for name, value in options.items() for word in (f"--{name}", str(value)))])
        if done == INTERRUPTED:
            raise Interrupted
        if done:
            raise RuntimeError(f"training {weights.stem} failed with status {done}")
    card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    wanted = {**PLANS["full"].vary(**changes).recipe.described(), "seed": seed}
    if any(card["recipe"].get(field, wanted[field]) != wanted[field] for field in wanted):
        raise ValueError(f"{weights} was trained by another plan than today's; delete it to train anew")
    return card, History.from_csv(log)


def diagnose_log(name: str, experiment: Experiment, seed: int, train: ImageSet, test: ImageSet) -> str:
    """A small run with one thing wrong, evaluated twice in a row after every epoch, in small batches."""
    images = DIAGNOSE_IMAGES[name]
    held_out = train.subset(torch.tensor(DIAGNOSE_HELD_OUT))
    twice: list[tuple[float, ...]] = []

    def look(run: Run) -> None:
        if len(run.history.step_losses) % run.feed.steps(experiment.recipe.batch_size) == 0:
            run.model.train(name == "diagnose_eval")
            twice.append((*_judged(run, held_out), *_judged(run, held_out)))

    _, history = run_experiment(experiment, train.subset(images), seed=seed, device="cpu", callbacks=[look], show="bar")
    rows = [
        [record.epoch, *(f"{value:.4g}" for value in (record.train_loss, record.train_accuracy, *values))]
        for record, values in zip(history.epochs, twice, strict=True)
    ]
    made = "Made by: python -m tools runs diagnose"
    about = f"# {experiment.change}; {images} images, seed {seed}, float32, batch 64. {made}\n"
    return about + _csv(EPOCH_COLUMNS, (dict(zip(EPOCH_COLUMNS, row, strict=True)) for row in rows))


def _judged(run: Run, data: ImageSet) -> tuple[float, float]:
    """Mean loss and accuracy in whatever mode the model is in."""
    total, correct = 0.0, 0
    with torch.no_grad():
        for images, labels in batches(data, SMALL_BATCH, channels_last=True):
            scores = run.model(images)
            total += cross_entropy(scores, labels).item() * len(labels)
            correct += int((scores.argmax(dim=1) == labels).sum())
    return total / len(data), correct / len(data)


def search_log(name: str, experiment: Experiment, seed: int, train: ImageSet, test: ImageSet) -> str:
    """A candidate for the full plan: its epochs, and what several views of each held-out image bring at the end."""
    train, held_out = train.split(SEARCH_HELD_OUT, seed=0)
    model, history = run_experiment(experiment, train, held_out, seed=seed, checkpoint=_checkpoint(name))
    if history.interrupted:
        raise Interrupted
    viewed = {kind: round(evaluate(model, held_out, views=kind)[1], 4) for kind in ("flip", "flip+shift")}
    recipe, blocks = experiment.recipe, experiment.architecture.layout.blocks
    about = (
        f"# blocks {', '.join(f'{len(block)}x{block[0].channels}' for block in blocks)}; "
        f"{sum(p.numel() for p in model.parameters())} parameters; {recipe.augment}, {recipe.epochs} epochs, "
        f"learning rate {recipe.lr:g} at its height, seed {seed}; 28x28, {fast_precision(pick_device())}, "
        f"{cpu_count()} CPU(s). Made by: python -m tools runs search\n"
        f"# {SEARCH_HELD_OUT} training images held out; flip, flip+shift: accuracy on them with several views.\n"
    )
    rows: list[dict[str, Any]] = [
        {column: round(getattr(record, column), 4) for column in SEARCH_COLUMNS if hasattr(record, column)}
        for record in history.epochs
    ]
    rows[-1] |= viewed
    return about + _csv(SEARCH_COLUMNS, rows)


def factor_log(name: str, experiment: Experiment, seed: int, train: ImageSet, test: ImageSet) -> str:
    """A run of notebook 09 with one thread: twenty mean losses, the validation accuracy, the processor time."""
    torch.set_num_threads(1)
    train, held_out = train.split(VALIDATION)
    started = time.process_time()
    _, history = run_experiment(experiment, train, held_out, seed=seed, show=False, checkpoint=_checkpoint(name))
    if history.interrupted:
        raise Interrupted
    total = len(history.step_losses)
    steps = [round(total * point / POINTS) for point in range(POINTS + 1)]
    rows: list[dict[str, Any]] = [
        {"run": experiment.change, "seed": seed, "step": step, "loss": round(history.mean_loss(before + 1, step), 4)}
        for before, step in pairwise(steps)
    ]
    rows[-1]["accuracy"] = round(history.last.validation_accuracy or 0.0, 4)
    rows[-1]["seconds"] = round(time.process_time() - started, 1)
    return _csv(FACTOR_COLUMNS, rows, header=False)


def assemble_factors() -> int:
    """Write the log of notebook 09 if every run is there; else say how many are missing."""
    parts = [BUILD / f"{name}.csv" for name, _, _ in runs_of("factors")]
    if missing := [part for part in parts if not part.exists()]:
        print(f"{len(missing)} of {len(parts)} runs are missing; the same command goes on with them", flush=True)
        return 1
    text = FACTORS_HEADER + ",".join(FACTOR_COLUMNS) + "\n" + "".join(part.read_text() for part in parts)
    write_atomically(ASSETS / "runs" / "factors.csv", text.encode())
    for part in parts:
        part.unlink()
    return 0


def step_rows(history: History, accuracies: Mapping[int, float], spreads: Mapping[int, float] | None = None) -> str:
    """The rows of a stored run: the mean loss of every ten steps, and what was looked at there."""
    last = len(history.step_losses)
    steps = sorted({*range(LOSS_EVERY, last + 1, LOSS_EVERY), *accuracies, last})
    rows: list[dict[str, Any]] = [
        {"step": step, "loss": round(history.mean_loss(before + 1, step), 5)}
        for before, step in zip([0, *steps], steps, strict=False)
    ]
    for row in rows:
        if (spread := (spreads or {}).get(row["step"])) is not None:
            row["spread"] = float(f"{spread:.4g}")
        if (accuracy := accuracies.get(row["step"])) is not None:
            row["accuracy"] = round(accuracy, 4)
    return _csv(COLUMNS, rows)


def _long_header(
    experiment: Experiment, seed: int, history: History, precision: str, cpus: int, looks: bool
) -> str:  # fmt: skip
    looked = "after every epoch" if looks else "looked at once, at the end"
    group = next(group for group, trials in TRIALS.items() if experiment in trials.values())
    return (
        f"# {experiment.change}, seed {seed}; {precision}, channels_last, {history.seconds:.0f} s of training on "
        f"{cpus} CPUs. Made by: python -m tools runs {group}\n"
        f"# loss: mean training loss of the last {LOSS_EVERY} steps. accuracy: on the test set, {looked}.\n"
    )


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, header: bool = True) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, tuple(columns), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _checkpoint(name: str) -> Path:
    return BUILD / f"{name}.checkpoint"


WRITERS: Mapping[str, Callable[[str, Experiment, int, ImageSet, ImageSet], str]] = {
    "stall": plain_log, "fixes": plain_log, "suspects": plain_log, "diagnose": diagnose_log, "search": search_log,
    "class": long_log, "post": long_log, "full": full_log, "factors": factor_log,
}  # fmt: skip
