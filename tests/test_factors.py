"""Runs that differ in one thing: the log and how it is made, intervals that keep their word, checks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import torch

from tools import runs as command
from tools.factors_facts import PAIRS, gain, slug, student_within
from tools.facts import fact
from tools.paths import NOTEBOOKS
from vgg_lesson import PLANS, check, trace
from vgg_lesson.analysis.intervals import T95, Interval, difference, interval, t_factor
from vgg_lesson.classroom.checks import does_depth_help as checks
from vgg_lesson.classroom.figures.does_depth_help import gain as points
from vgg_lesson.classroom.figures.does_depth_help_curves import SCALES, paper_error, standard_error
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.records.experiments import CHANGES, build_changed, train_changed
from vgg_lesson.records.stored_runs import factor_runs

NAMES = list(CHANGES)


@pytest.fixture
def noise() -> ImageSet:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (200, 28, 28), generator=generator, dtype=torch.uint8)
    return ImageSet(images, torch.randint(0, 10, (200,), generator=generator))


@pytest.mark.parametrize("count", range(2, len(T95) + 2))
def test_students_factors_keep_ninety_five_in_a_hundred(count: int) -> None:
    assert student_within(t_factor(count), count - 1) == pytest.approx(0.95, abs=1e-4)


def test_twice_the_standard_error_of_three_runs_keeps_what_the_text_says() -> None:
    assert fact("factors.two_spreads_kept") == pytest.approx(2 / math.sqrt(2 + 2**2))  # two degrees: a closed form
    assert round(100 * fact("factors.two_spreads_kept")) == 82


def test_an_interval_by_hand() -> None:
    found = interval([0.90, 0.91, 0.92])
    assert found.mean == pytest.approx(0.91) and found.half == pytest.approx(4.303 * 0.01 / math.sqrt(3))
    assert (found.low + found.high) / 2 == pytest.approx(found.mean)
    assert Interval(0.1, 0.2).holds_zero and not Interval(0.3, 0.2).holds_zero and not Interval(-0.3, 0.2).holds_zero


def test_a_difference_adds_squares_and_turns_its_sign() -> None:
    one, other = [0.90, 0.91, 0.92], [0.85, 0.88, 0.86, 0.87, 0.84]
    found = difference(one, other)
    assert found.half**2 == pytest.approx(interval(one).half ** 2 + interval(other).half ** 2)
    assert difference(other, one) == Interval(-found.mean, found.half)


@pytest.mark.parametrize(("runs", "name"), [(3, "factors.rule_keeps_3"), (5, "factors.rule_keeps_5")])
def test_the_rule_for_a_difference_keeps_what_the_text_says(runs: int, name: str) -> None:
    torch.manual_seed(0)
    one, other = torch.randn(40_000, runs), torch.randn(40_000, runs)
    half = [t_factor(runs) * values.std(dim=1) / runs**0.5 for values in (one, other)]
    inside = (one.mean(dim=1) - other.mean(dim=1)).abs() < torch.hypot(*half)
    assert inside.float().mean().item() == pytest.approx(fact(name), abs=0.003)


@pytest.mark.parametrize("values", [[], [0.9], [0.9] * 11, [0.9, math.nan], [0.9, math.inf]])
def test_values_without_an_interval_are_refused(values: Sequence[float]) -> None:
    with pytest.raises(ValueError, match="values"):
        interval(values)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_builds_the_network_that_its_costs_are_counted_for(name: str) -> None:
    model = build_changed(name)
    counted = trace(**CHANGES[name].architecture)
    assert sum(p.numel() for p in model.parameters()) == counted.total_params == fact(f"factors.{slug(name)}.params")


def test_every_run_changes_what_its_name_says_and_nothing_else() -> None:
    plan = PLANS["class"].vary(weight_decay=5e-4, precision="fp32")
    assert CHANGES["VGG-11"] == replace(plan, change="VGG-11")
    for name, change in CHANGES.items():
        network, recipe = change.architecture, change.recipe
        assert ("plain" in name) == (not network.batch_norm), name
        assert ("lr 0.01" in name) == (recipe.lr == 0.01), name
        assert ("default init" in name) == (network.init == "pytorch"), name
        assert ("4 epochs" in name) == (recipe.epochs == 4), name
        fields = network.keys()
        changed = {field for field in fields if network[field] != plan.architecture[field]}
        assert changed <= {"config", "batch_norm", "init", "image_size", "dropout", "head", "hidden"}
        assert len(change.seeds) >= 3 and change.change == name


def test_small_and_large_windows_see_the_same_and_end_alike() -> None:
    small, large = (trace(CHANGES[n].architecture.layout, image_size=32) for n in ("three 3x3", "one 7x7"))
    for place in range(1, 6):
        pool = f"pool{place}"
        assert small.row(pool).receptive_field == large.row(pool).receptive_field
        assert small.row(pool).output_shape == large.row(pool).output_shape


def test_training_follows_the_plan_and_the_change(noise: ImageSet) -> None:
    model, history = train_changed("head gap", noise, noise, seed=1, steps=2, show=False)
    again, same = train_changed("head gap", noise, noise, seed=1, steps=2, show=False)
    _, other = train_changed("head gap", noise, noise, seed=2, steps=2, show=False)
    assert history.step_losses == same.step_losses != other.step_losses
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    assert history.label == "head gap"
    recipe = CHANGES["head gap"].recipe
    assert (recipe.batch_size, recipe.weight_decay, recipe.precision) == (64, 5e-4, "fp32"), "as the log says"
    with pytest.raises(ValueError, match=r"name='VGG-12'.*VGG-13"):
        train_changed("VGG-12", noise)


def test_the_log_is_assembled_when_every_run_is_there(
    noise: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = CHANGES["head gap"].vary(steps=20, seeds=(0, 1))
    monkeypatch.setattr(command, "BUILD", tmp_path / "runs")
    monkeypatch.setattr(command, "ASSETS", tmp_path)
    monkeypatch.setattr(command, "VALIDATION", 50)
    monkeypatch.setitem(command.TRIALS, "factors", {"head gap": experiment})
    threads = torch.get_num_threads()
    try:
        made = command.factor_log("head gap_seed1", experiment, 1, noise, noise)
    finally:
        torch.set_num_threads(threads)
    rows = made.splitlines()
    assert len(rows) == command.POINTS and rows[-1].startswith("head gap,1,20,") and rows[-1].count(",") == 5
    (tmp_path / "runs").mkdir(exist_ok=True)
    (tmp_path / "runs" / "head gap_seed1.csv").write_text(made)
    assert command.assemble_factors() == 1 and "1 of 2 runs are missing" in capsys.readouterr().out
    (tmp_path / "runs" / "head gap_seed0.csv").write_text("head gap,0,20,2.3,0.1,1.0\n")
    (tmp_path / "runs" / "head gap_seed0.checkpoint").touch()
    assert command.assemble_factors() == 0
    lines = [line for line in (tmp_path / "runs" / "factors.csv").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == ",".join(command.FACTOR_COLUMNS) and len(lines) == 1 + 1 + command.POINTS
    with pytest.raises(SystemExit):
        command.main(["VGG-12"])
    assert "unknown: VGG-12" in capsys.readouterr().err


def test_the_stored_log_is_complete() -> None:
    runs = factor_runs()
    assert list(runs) == NAMES
    for name, change in CHANGES.items():
        assert [run.seed for run in runs[name]] == list(change.seeds), name
        for run in runs[name]:
            steps = [step for step, _ in run.losses]
            assert len(steps) == command.POINTS and steps == sorted(set(steps)), name
            assert steps[-1] == math.ceil(50_000 / 64) * change.recipe.epochs, name
            assert 0 < run.accuracy < 1 and run.seconds > 0, name


def test_plain_networks_learn_by_he_alone_as_the_exercise_says() -> None:
    for depth in checks.DEPTHS:
        for run in factor_runs()[f"{depth} plain, lr 0.01"]:
            assert run.accuracy > 0.8 and run.losses[-1][1] < 1, depth
        for run in factor_runs()[f"{depth} plain, default init, lr 0.01"]:
            assert run.accuracy < 0.11 and all(abs(loss - math.log(10)) < 0.02 for _, loss in run.losses), depth


def test_the_right_letter_stands_before_the_right_option() -> None:
    cells = nbformat.read(NOTEBOOKS / "09_does_depth_help.ipynb", as_version=4).cells
    lines = [line for cell in cells for line in cell.source.splitlines()]
    for name, option in (
        ("one_seed_guess", {1: "one: the same", 4: "all four"}.get(checks.winners(), "two or three")),
        ("two_spreads_guess", "about 80"),
        ("deep_and_plain_guess", "all four with He"),
        ("small_windows_guess", {"a": "three 3×3", "b": "no difference"}.get(
            checks.letter_of("three 3x3", "one 7x7"), "one 7×7"
        )),
        ("paper_depth_guess", "the same at 384"),
    ):  # fmt: skip
        letter = check.EXERCISES[name].solution()
        assert any(line.startswith(f"- **{letter}** {option}") for line in lines), name
        assert letter not in {mistake.answer for mistake in check.EXERCISES[name].mistakes()}


def test_the_paper_says_of_depth_what_the_text_says() -> None:
    lead = {
        scale: [round(paper_error("D", scale, m) - paper_error("E", scale, m), 1) for m in ("top1", "top5")]
        for scale in SCALES
    }
    assert lead == {"256": [-0.3, -0.2], "384": [-0.1, 0.0], "jitter": [0.1, 0.1]}
    assert round(paper_error("D", "384", "top5") - paper_error("D", "jitter", "top5"), 1) == 0.6 > 0.2
    assert 8.5 < (paper_error("A", "256", "top5") - paper_error("D", "256", "top5")) / fact("factors.paper_gap") < 9
    assert fact("factors.paper_gap") == pytest.approx(math.sqrt(2) * standard_error(9.0))
    with pytest.raises(ValueError, match="paper_top1_error_A_384"):
        paper_error("A", "384", "top1")


@pytest.mark.parametrize("pair", PAIRS)
def test_facts_of_differences_are_those_of_the_figures(pair: str) -> None:
    values, reference = ([run.accuracy for run in factor_runs()[name]] for name in PAIRS[pair])
    found = points(values, reference)
    assert (gain(pair, "mean"), gain(pair, "half")) == pytest.approx((found.mean, found.half))
