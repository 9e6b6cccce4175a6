"""The same content in many forms: each exercise takes its key as NumPy, torch, list or text; wrong stays wrong."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from vgg_lesson import check
from vgg_lesson.classroom.checks import Checks
from vgg_lesson.classroom.checks.guesses import GUESSES
from vgg_lesson.classroom.checks.memory import FILE
from vgg_lesson.classroom.checks.shared import NO_RETURN, NO_SHARE
from vgg_lesson.classroom.checks.student import TooSlow, time_limit

EXERCISES = check.EXERCISES
LETTERS = [name for name, exercise in EXERCISES.items() if exercise.options]
NUMBERS = [n for n, e in EXERCISES.items() if isinstance(e.solution(), int | float)]
ROWS = [
    n for n, e in EXERCISES.items()
    if isinstance(e.solution(), tuple | list) and all(isinstance(part, int | float) for part in e.solution())
]  # fmt: skip
SHARES = [n for n in NUMBERS if abs(EXERCISES[n].solution()) <= 1 and n != "paper_gap"]  # that one is in points
OBJECTS = {"write_vgg_block", "training_step", "freeze"}  # judged by what they do to a network or by what they build
LETTER_FORMS: list[Callable[[str], Any]] = [
    str.upper, lambda x: f" {x} ", lambda x: f"{x})", lambda x: f"({x})", lambda x: f"{x}.", lambda x: [x],
    lambda x: np.array([x]),
]  # fmt: skip
NUMBER_FORMS: list[Callable[[float], Any]] = [
    float, np.float64, np.array, lambda x: np.array([x]), lambda x: torch.tensor(x, dtype=torch.float64),
    lambda x: [x], lambda x: ((x,),), repr, lambda x: repr(x).replace(".", ","), Fraction, lambda x: [Fraction(x)],
    lambda x: Decimal(repr(x)), lambda x: str(Fraction(x)),
]  # fmt: skip
PERCENTS: list[Callable[[float], str]] = [
    lambda x: f"{100 * x!r}%", lambda x: f"{100 * x!r} %", lambda x: f"{100 * x!r} percent",
    lambda x: f"{100 * x!r} %".replace(".", ","),
]  # fmt: skip
ROW_FORMS: list[Callable[[Any], Any]] = [
    list, tuple, np.array, lambda x: torch.tensor(x, dtype=torch.float64), lambda x: [[part] for part in x],
    lambda x: "; ".join(map(repr, x)), lambda x: list(map(Fraction, x)), lambda x: list(map(repr, x)), str,
    lambda x: [repr(part).replace(".", ",") for part in x], *(
        lambda x, sign=sign: sign.join(repr(part).replace(".", ",") for part in x) for sign in ("; ", ", ", " ")
    ),
]  # fmt: skip


@pytest.mark.parametrize("name", LETTERS)
def test_a_right_letter_is_right_in_every_form(name: str) -> None:
    for form in LETTER_FORMS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


@pytest.mark.parametrize("name", NUMBERS)
def test_a_right_number_is_right_in_every_form(name: str) -> None:
    for form in NUMBER_FORMS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


@pytest.mark.parametrize("name", ROWS)
def test_right_numbers_are_right_in_every_form(name: str) -> None:
    for form in ROW_FORMS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


@pytest.mark.parametrize("name", SHARES)
def test_a_share_may_be_given_in_percent(name: str) -> None:
    for form in PERCENTS:
        answer = form(EXERCISES[name].solution())
        assert EXERCISES[name](answer).status == "right", f"{answer!r}: {EXERCISES[name](answer)}"


@pytest.mark.parametrize("name", [n for n in [*NUMBERS, *ROWS] if n not in [*SHARES, "paper_gap"]])
def test_percent_is_a_matter_of_form_where_no_share_is_asked_for(name: str) -> None:
    key = EXERCISES[name].solution()
    answer = [f"{part!r}%" for part in key] if isinstance(key, tuple | list) else f"{key!r}%"
    if name == "write_a_table" or all(abs(part) <= 1 for part in np.ravel(key)):
        assert EXERCISES[name](answer).status == "wrong"
        return
    verdict = EXERCISES[name](answer)
    assert not verdict.judged and verdict.message == NO_SHARE, verdict


def test_points_may_be_given_in_percent() -> None:
    key = EXERCISES["paper_gap"].solution()
    assert EXERCISES["paper_gap"](f"{key:.3f}%").status == EXERCISES["paper_gap"](f"{key:.3f}").status == "right"


TOLERANT = ["guessing_loss", "frame_grey", "one_false_alarm", "eight_right", "two_readings", "ring_megabytes"]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_rounded_number_is_right_or_told_to_be_rounded(name: str) -> None:
    key = EXERCISES[name].solution()
    for digits in range(2, 8):
        rounded = float(f"{key:.{digits}g}")
        verdict = EXERCISES[name](rounded)
        said = any(word in verdict.message for word in ("ounded", "About right", "Nearly", "every digit", "asked for"))
        known = rounded in [mistake.answer for mistake in EXERCISES[name].mistakes()]
        assert verdict.status == "right" or said or known, f"{rounded}: {verdict}"
        if verdict.status == "wrong":
            assert name not in TOLERANT or digits < 4


def _swapped(key: Any) -> list[Any]:
    """The row with each pair of its entries that differ swapped."""
    rows = []
    for one, other in combinations(range(len(key)), 2):
        row = list(key)
        row[one], row[other] = row[other], row[one]
        rows += [row] * (row != list(key))
    return rows


@pytest.mark.parametrize("name", [*ROWS, "diagnose_logs", "write_a_table"])
def test_swapped_entries_are_wrong_and_earn_no_recipe(name: str) -> None:
    exercise = EXERCISES[name]
    key = exercise.solution()
    rows = [[pair[::-1] for pair in key], key[::-1]] if name == "write_a_table" else _swapped(key)
    for answer in rows:
        for form in (list, tuple, str):
            verdict = exercise(form(answer))
            assert verdict.status == "wrong" and verdict.judged, f"{answer}: {verdict}"
            assert exercise.otherwise not in verdict.message


def _no_epsilon(values: torch.Tensor) -> torch.Tensor:
    middle, spread = values.mean((0, 2, 3), keepdim=True), values.var((0, 2, 3), unbiased=False, keepdim=True).sqrt()
    return (values - middle) / spread


def _epsilon_outside(values: torch.Tensor) -> torch.Tensor:
    middle, spread = values.mean((0, 2, 3), keepdim=True), values.var((0, 2, 3), unbiased=False, keepdim=True).sqrt()
    return (values - middle) / (spread + 1e-5)


def _far(one: list[float], other: list[float]) -> float:
    return abs(statistics.mean(one) - statistics.mean(other))


def _like(name: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that returns what the solution returns, changed."""
    return lambda *case: change(EXERCISES[name].solution()(*case))


def _no_bias_no_return(kernel: int, c_in: int, c_out: int, bias: bool) -> Any:
    return (kernel**2 * c_in + 1) * c_out if bias else None


def _in_place(images: torch.Tensor) -> torch.Tensor:
    images /= 255
    return images


def _fixed_factor(values: list[float]) -> float:
    return 2.776 * statistics.stdev(values) / math.sqrt(len(values))


def _in_evaluation(model: nn.Module, *batch: Any) -> float:
    return float(EXERCISES["training_step"].solution()(model.eval(), *batch))


def _twice(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, optimizer: torch.optim.Optimizer) -> float:
    loss = EXERCISES["training_step"].solution()(model, images, labels, optimizer)
    optimizer.step()
    return float(loss)


ROWS_OF_SLIPS = [
    ("training_step", _in_evaluation, "evaluation mode"),
    ("training_step", _twice, "steps twice"),
    ("half_width", _fixed_factor, "that of five runs"),
    ("half_width", _like("half_width", lambda found: 100 * found), "percent"),
    ("told_apart", lambda *pair: True if EXERCISES["told_apart"].solution()(*pair) else None, "needs a return"),
    ("write_vgg_block", nn.Linear(3, 4), "pass its name"),
    ("write_vgg_block", _like("write_vgg_block", lambda block: block.to("meta")), "device meta"),
    ("write_vgg_block", lambda *_: nn.Sequential(nn.Conv2d(1, 4, 3), cast(Any, nn.ReLU)), "nn.ReLU()"),
    ("normalise_images", lambda images: (images.unsqueeze(1) / 255 - 0.29) / 0.35, "all four digits"),
    ("with_temperature", lambda scores, temperature: (scores // temperature).softmax(1), "Two slashes"),
    ("accuracy_error", math.sqrt(0.1 / 5000), "under your root"),
    ("batch_norm_by_hand", _no_epsilon, "division by almost nothing"),
    ("batch_norm_by_hand", _epsilon_outside, "under the root"),
    ("told_apart", lambda one, other: _far(one, other) > EXERCISES["half_width"].solution()(one), "of the first alone"),
    ("told_apart", lambda one, other: _far(one, other) > EXERCISES["half_width"].solution()(other), "of the second"),
    ("precision", lambda matrix: [matrix[k, k] / matrix[:, k].sum() for k in range(10)], "take them from the arg"),
    ("accuracy_of", lambda predicted, labels: 1 / 0, "divide by zero"),
    ("freeze", lambda model: model.requires_grad_(False).features, "return the model, whole"),
    ("human_row_error", 0.9, "units and powers"),
    ("surest_mistakes", _like("surest_mistakes", torch.Tensor.float), "as floats"),
    ("surest_mistakes", _like("surest_mistakes", lambda found: found[:, None]), "in another shape"),
    ("with_temperature", _like("with_temperature", lambda found: [found]), "in another shape"),
    ("strongest_pictures", _like("strongest_pictures", lambda found: found[None]), "in another shape"),
    ("precision", lambda matrix: torch.ones(10), "(3,) is expected"),
    ("conv_params", _no_bias_no_return, "each way through it needs a return"),
    ("conv_params", lambda kernel, c_in, c_out, bias: (kernel ^ 2 * c_in + bias) * c_out, "write **"),
    ("normalise_images", _in_place, "not one in place"),
    ("mean_loss", _like("mean_loss", lambda found: round(found, 3)), "but rounded"),
    ("older_post_slip", (134_300_362, 640), "another order"),
    ("older_post_slip", (640, 134_300_000), "but rounded"),
    ("first_layer_stack", (1_728, 36_864, 36_864), "add them up"),
    ("first_layer_stack", 75_500, "but rounded"),
    ("block3_params", 885_000, "but rounded"),
    ("half_image_params", 44_900_000, "but rounded"),
    ("lasting_step", 0.0998, "Nearly"),
    ("vgg19_spread", 0, "It is not zero"),
    ("covered_places", (7, 7), "holds 2 numbers; a single number is expected."),
    ("guessing_loss", (2, 303), "2.303"),
    ("kept_without_relu", 33.3, "percent"),
    ("taps_on_the_map", 44.4, "percent"),
    ("map_side", 129, "smallest"),
    ("map_side", 143, "smallest"),
    ("map_side", 144, "check.hint"),
    ("waiting_share", 1 / 60, "share of the old step"),
    ("waiting_share", 1 / 15, "computing time"),
    ("faster_gpus", 7, "check.hint"),
    ("weaker_signal", 100, "About right"),
    ("bytes_of_features", 100, "Right in MB"),
    ("bytes_of_features", 95.7, "Right in MB"),
    ("bytes_of_features", 100_000_000, "but rounded"),
    ("weights_when_channels_double", (22, 5, 24, 5), "type points: 22.5, not 22,5"),
    ("older_post_slip", (640, 134, 300, 362), "write 1_000"),
    ("runs_for_the_price", 2, "Not rounded"),
    ("runs_for_the_price", 2.01, "one seed"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "said"), ROWS_OF_SLIPS)
def test_a_slip_is_refused_and_named(name: str, answer: Any, said: str) -> None:
    verdict = EXERCISES[name](answer)
    assert verdict.status == "wrong" and said in verdict.message, verdict


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("waiting_share", 0.063), ("waiting_share", 0.06), ("waiting_share", "1/16"), ("accuracy_error", "0,00424"),
        ("guessing_loss", 2.303), ("map_of_a_photo", (1, 512, 37, 62)), ("cam_by_hand", [[4, 0], [1, 0]]),
    ],
)  # fmt: skip
def test_a_right_answer_in_an_unusual_form_is_right(name: str, answer: Any) -> None:
    assert EXERCISES[name](answer).status == "right", EXERCISES[name](answer)


FUNCTIONS = [n for n, e in EXERCISES.items() if callable(e.solution()) and n not in OBJECTS]
OTHER_KINDS: list[Callable[[Any], Any]] = [
    lambda x: x.numpy() if isinstance(x, torch.Tensor) else np.array(x),
    lambda x: x.tolist() if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64),
    lambda x: tuple(x.tolist()) if isinstance(x, torch.Tensor) and x.ndim else np.array([x]),
    lambda x: _fractions(x.tolist() if isinstance(x, torch.Tensor) else x),
]


def _fractions(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_fractions(part) for part in value]
    return value if isinstance(value, bool) else Fraction(value)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_give_its_right_result_in_any_kind(name: str) -> None:
    for change in OTHER_KINDS:
        assert EXERCISES[name](_like(name, change)).status == "right", EXERCISES[name](_like(name, change))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_swaps_is_wrong_and_earns_no_recipe(name: str) -> None:
    def swapped(result: Any) -> Any:
        if isinstance(result, torch.Tensor) and result.ndim:
            return result.flip(0)
        return tuple(reversed(result)) if isinstance(result, tuple) else result

    exercise = EXERCISES[name]
    verdict = exercise(_like(name, swapped))
    scalar = not isinstance(_first_result(name), tuple | torch.Tensor)
    assert verdict.status == ("right" if scalar else "wrong") and verdict.judged, verdict
    assert exercise.otherwise not in verdict.message


def _first_result(name: str) -> Any:
    seen: list[Any] = []

    def watching(*case: Any) -> Any:
        seen.append(EXERCISES[name].solution()(*case))
        return seen[-1]

    EXERCISES[name](watching)
    return seen[0]


@pytest.mark.parametrize("name", [*FUNCTIONS, *sorted(OBJECTS)])
def test_a_function_without_return_is_told_so(name: str) -> None:
    def forgets(*case: Any) -> None:
        EXERCISES[name].solution()(*case)

    def prints(*case: Any) -> None:
        print(EXERCISES[name].solution()(*case))

    def empty(*case: Any) -> None: ...

    assert NO_RETURN in EXERCISES[name](forgets).message
    assert "fill it in" in EXERCISES[name](empty).message and EXERCISES[name](empty).status == "not answered yet"
    assert "return" in EXERCISES[name](prints).message and "fill it in" not in EXERCISES[name](prints).message


GUESS_FORMS: dict[str, tuple[list[Any], Any]] = {
    "first_accuracy": ([0.55, "55%", "55 %", "0,55", 55, Fraction(11, 20), np.float32(55), "11/20", [0.55]], 0.55),
    "name_the_tops": ([[0, 2, 4, 6, 0, 2, 4, 6], "0 2 4 6 0 2 4 6", torch.tensor([0, 2, 4, 6] * 2)], (0, 2, 4, 6) * 2),
    "feeding_speedup": ([30, "30x", "30 times", Fraction(30), torch.tensor(30.0), "30,0"], 30),
    **dict.fromkeys(
        ("depth_gain", "gain_64_pixels", "gain_dropout", "gain_gap", "gain_4096", "my_gain"),
        ([0.8, "0.8", "0,8", "0.8%", "0.8 points", Fraction(4, 5), np.array([0.8])], 0.8),
    ),
}


@pytest.mark.parametrize("name", GUESSES)
def test_a_guess_is_read_in_every_form(name: str) -> None:
    forms, meant = GUESS_FORMS[name]
    for form in forms:
        assert GUESSES[name](form) == pytest.approx(meant), form


def test_a_loop_without_an_end_is_stopped_and_nothing_else_changes(capsys: pytest.CaptureFixture[str]) -> None:
    def loud(predicted: torch.Tensor, labels: torch.Tensor) -> float:
        print("loud")
        torch.rand(3), np.random.rand(3), random.random()
        while True:
            pass

    before = torch.get_rng_state(), np.random.get_state()[2], random.getstate()  # type: ignore[index]
    verdict = EXERCISES["accuracy_of"](loud)
    assert "stopped after" in verdict.message and not capsys.readouterr().out
    assert torch.equal(before[0], torch.get_rng_state())
    assert (np.random.get_state()[2], random.getstate()) == before[1:]  # type: ignore[index]


def test_the_limit_counts_computing_and_ends_waiting_later() -> None:
    with time_limit(0.3):
        time.sleep(0.6)  # on a busy machine a right answer waits, too
    with pytest.raises(TooSlow), time_limit(0.05):
        time.sleep(2)
    with pytest.raises(TooSlow), time_limit(0.2):
        while True:
            pass


def test_a_list_that_holds_itself_and_recursion_get_a_sentence() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "without an end" in EXERCISES["batch_shape"](endless).message

    def again(*case: Any) -> Any:
        return again(*case)

    assert "calls itself" in EXERCISES["accuracy_of"](again).message


def test_a_guess_is_noted_judged_and_outlives_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VGG_LESSON_PROGRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ipynb").touch()
    first = Checks()
    assert first.guess_gap().status == "not answered yet"
    first.guess("guess_gap", "D)")
    first.guess("first_accuracy", "55%")
    first.guess("guess_where", "perhaps")
    assert capsys.readouterr().out.splitlines()[:2] == ["Noted: d.", "Noted: 55%."]
    assert (tmp_path / FILE).exists()
    second = Checks()
    assert second.guessed("guess_gap") == "d" and second.guessed("first_accuracy") == 0.55
    assert second.guessed("guess_where") is None
    assert second.guess_gap().status == "right"
    assert second.guess_gap("a").status == "wrong"
    assert dict(Checks().progress("why_it_stalls").rows)["guess_gap"] == "right"


def test_a_damaged_file_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VGG_LESSON_PROGRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ipynb").touch()
    (tmp_path / FILE).write_text("{half")
    assert Checks().guessed("guess_gap") is None
