"""Exercises of notebooks 05 to 07: a training step judged by its weights, four logs, what the hints say of slips."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tools import runs
from tools.trials import DIAGNOSE
from vgg_lesson import check
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.checks.train_it_well_diagnosis import CAUSES, HINTS
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.records.stored_runs import DIAGNOSES, EPOCH_COLUMNS, four_logs

Optimizer = torch.optim.Optimizer


def clears_at_the_end(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> float:
    loss = -model(images).log_softmax(dim=1)[torch.arange(len(labels)), labels].mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def steps_in_between(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> float:
    loss = cross_entropy(model(images), labels)
    optimizer.step()
    loss.backward()
    return loss.item()


def returns_nothing(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> None:
    clears_at_the_end(model, images, labels, optimizer)


def returns_the_graph(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> Tensor:
    return cross_entropy(model(images), labels)


def returns_the_accuracy(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> float:
    right = (model(images).argmax(dim=1) == labels).float().mean().item()
    clears_at_the_end(model, images, labels, optimizer)
    return right


def swaps(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> float:
    return cross_entropy(labels, model(images)).item()


def without_gradients(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Optimizer) -> float:
    with torch.no_grad():
        loss = cross_entropy(model(images), labels)
    loss.backward()
    return loss.item()


def test_a_step_is_judged_by_where_it_goes_not_by_how_it_is_written() -> None:
    assert check.training_step(clears_at_the_end).status == "right"


@pytest.mark.parametrize(
    ("step", "advice"),
    [
        (steps_in_between, "which line brings the new gradients"),
        (returns_nothing, "returns nothing"),
        (returns_the_graph, "a plain number is expected"),
        (returns_the_accuracy, "not the loss of this batch"),
        (swaps, "scores first"),
        (without_gradients, "no way leads back"),
        (lambda model: 0.0, "TypeError"),
        (3, "a function is expected"),
    ],
)
def test_a_step_that_goes_wrong_gets_advice(step: Callable[..., Any], advice: str) -> None:
    verdict = check.training_step(step)
    assert verdict.status == "wrong" and advice in verdict.message


def test_each_wrong_pairing_of_log_and_cause_has_a_hint_of_its_own() -> None:
    assert set(HINTS) == set(permutations(CAUSES, 2))
    assert len(set(HINTS.values())) == len(HINTS)
    letters = {cause: letter for letter, cause in DIAGNOSES.items()}
    for claimed, actual in HINTS:
        swapped = {**letters, claimed: letters[actual], actual: letters[claimed]}
        first = min(claimed, actual, key=CAUSES.index)
        if first == claimed:
            message = check.diagnose_logs(tuple(swapped[cause] for cause in CAUSES)).message
            assert message == HINTS[claimed, actual].format(letters[actual])


@pytest.mark.parametrize("answer", [("b", "d"), "bd", 5, {"b": 1}, ("b", "d", "c", "x")])
def test_an_answer_that_is_not_four_letters_is_told_so(answer: Any) -> None:
    assert "Four letters are expected" in check.diagnose_logs(answer).message


def test_the_four_logs_show_what_their_cause_is_known_for() -> None:
    logs = {DIAGNOSES[letter]: log for letter, log in four_logs().items()}
    assert {f"diagnose_{cause}" for cause in logs} == set(DIAGNOSE) and set(logs) == set(CAUSES)
    assert all(abs(loss - math.log(10)) < 0.01 for loss in logs["plateau"]["train_loss"])
    assert math.isnan(logs["nan"]["train_loss"][-1]) and logs["nan"]["train_loss"][2] < 1.5
    over = logs["overfitting"]
    assert over["train_loss"][-1] < 0.05 and over["validation_loss"][-1] > 1.5 * over["validation_loss"][3]
    assert abs(over["validation_accuracy"][-1] - over["validation_accuracy"][3]) < 0.01
    for cause, log in logs.items():
        differ = log["validation_accuracy"] != log["again_accuracy"]
        assert differ == (cause == "eval")


def test_a_log_is_made_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8000, 28, 28), generator=generator, dtype=torch.uint8)
    noise = ImageSet(images, torch.randint(0, 10, (8000,), generator=generator))
    monkeypatch.setitem(runs.DIAGNOSE_IMAGES, "diagnose_eval", 64)
    trial = DIAGNOSE["diagnose_eval"].vary("a trial", epochs=1)
    lines = runs.diagnose_log("diagnose_eval", trial, 0, noise, noise).splitlines()
    assert lines[0].startswith("# a trial; 64 images") and lines[1] == ",".join(EPOCH_COLUMNS) and len(lines) == 3


def test_the_figure_of_the_logs_names_no_cause() -> None:
    alt = fig.four_logs(four_logs()).alt.lower()
    assert all(f"log {letter}:" in alt for letter in DIAGNOSES)
    assert not any(word in alt for word in ("plateau", "overfit", "eval()", "training mode"))


@pytest.mark.parametrize(
    ("name", "slip", "hint"),
    [
        ("taps_on_the_map", 5 / 9, "falls on the padding"),
        ("taps_on_the_map", 2 / 3, "along one direction"),
        ("taps_on_the_map", 4, "number per kernel"),
        ("taps_on_the_map", 16, "weights that read the map"),
        ("probe_parameters", 1536, "Every score has a bias"),
        ("probe_parameters", 3591, "Seven scores"),
        ("probe_parameters", 5130, "Ten scores"),
        ("with_temperature", lambda scores, t: (scores / t).log_softmax(dim=1), "logarithms of probabilities"),
        ("with_temperature", lambda scores, t: (scores / t).exp(), "Divided by what"),
        ("quiz_enlarged", 50_176, "how many places there are"),
        ("conv_macs", lambda k, i, o, s: k * k * i * o * (s - k + 1) ** 2, "The grid is padded"),
        ("normalise_images", lambda x: (x.unsqueeze(1) / 256 - 0.286) / 0.353, "a little too small"),
    ],
)
def test_what_is_said_of_a_slip_worked_out_by_hand(name: str, slip: Any, hint: str) -> None:
    verdict = check.EXERCISES[name](slip)
    assert verdict.status == "wrong" and hint in verdict.message, verdict.message
