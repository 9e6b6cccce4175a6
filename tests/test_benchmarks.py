"""The benchmarks themselves are run by hand; here that each can start, and that its rows are what they say."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tools import runs
from tools.benchmarks import __main__ as command
from tools.benchmarks import ablation, races
from tools.benchmarks.report import PAGE, RESULTS, Report, page
from vgg_lesson import PLANS, ImageSet
from vgg_lesson.records.experiments import build, run_experiment


@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_every_benchmark_is_there(name: str) -> None:
    module = importlib.import_module(f"tools.benchmarks.{name}")
    assert callable(module.run) and module.__doc__


def test_every_row_of_the_ablation_changes_one_thing_that_exists() -> None:
    for name, experiment in ablation.changes().items():
        build(experiment)
        own, plan = (
            {**part.architecture, **part.recipe} for part in (experiment, ablation.PLAN)
        )  # fmt: skip
        changed = sum(own[field] != plan[field] for field in plan) + (name in ablation.SWITCHED)
        assert changed == (name != "the class plan"), name


@pytest.mark.parametrize("switch", ablation.SWITCHED.values())
def test_a_switch_of_the_engine_changes_how_and_not_what_is_computed(switch: Any) -> None:
    data = ImageSet(torch.zeros(32, 28, 28, dtype=torch.uint8), torch.arange(32) % 10)
    options: dict[str, Any] = {"steps": 3, "batch_size": 8, "precision": "fp32", "device": "cpu", "show": False}
    plain, switched = (
        run_experiment(ablation.PLAN, data, callbacks=callbacks, **options)[1].step_losses
        for callbacks in ([], [switch])
    )
    assert switched == pytest.approx(plain, rel=0.02), "rounding, and what it grows to in three steps"


def test_the_ablation_says_what_notebook_06_tells_of_it() -> None:
    figures = json.loads((RESULTS / "ablation.json").read_text(encoding="utf-8"))["figures"]
    rows = ("the class plan", "without label smoothing", "with weight decay")
    plan, plain, decayed = (figures[row]["accuracies"] for row in rows)
    assert min(plan) > max(plain), "label smoothing: every seed above those without"
    assert min(decayed) < max(plan) and max(decayed) > min(plan), "weight decay: its seeds overlap"


@pytest.mark.parametrize("rival", races.RIVALS, ids=lambda rival: rival.name)
def test_the_raced_networks_take_their_pictures(rival: races.Rival) -> None:
    with torch.no_grad():
        scores = build(rival.experiment).eval()(torch.rand(2, 1, rival.image_size, rival.image_size))
    assert scores.shape == (2, 10)


def test_a_report_keeps_what_it_prints(tmp_path: Path) -> None:
    report = Report("race", "A race", ("who", "seconds"), [("tortoise", "1.0")], {"tortoise": 1.0}, {"arrives": True})
    content = json.loads(report.store(tmp_path).read_text())
    assert content["figures"] == {"tortoise": 1.0} and content["goals"] == {"arrives": True}
    assert "tortoise" in str(report) and "[met] arrives" in str(report)


def test_the_page_shows_what_is_stored(tmp_path: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tools.benchmarks --store writes it"
    Report("race", "A race", ("who", "seconds"), [("hare", "9.0")], {}, {"arrives": False}, ["It slept."]).store(
        tmp_path
    )
    shown = page(tmp_path)
    assert all(text in shown for text in ("## A race", "| hare | 9.0 |", "**Missed**: arrives.", "It slept.", "torch"))


def test_a_full_run_is_read_where_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "FULL", tmp_path)
    (tmp_path / "full_seed7.safetensors").touch()
    plan = PLANS["full"]
    made = {"recipe": {**plan.recipe.described(), "seed": 7}, "threads": 2}
    made |= {"test_accuracy": 0.95, "precision_used": "fp32"}
    (tmp_path / "full_seed7.json").write_text(json.dumps(made))
    record = "1,20,0.5,0.8,,,60.0,0.1"
    (tmp_path / "full_seed7.csv").write_text(
        f"epoch,step,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,lr\n{record}\n"
    )
    steps = "\n".join(f"{step},{2 / step}" for step in range(1, 21))
    (tmp_path / "full_seed7.steps.csv").write_text(f"step,loss\n{steps}\n")
    card, history = runs.full_run(7)
    assert card["test_accuracy"] == 0.95 and len(history.step_losses) == 20
    lines = runs.full_log("full_seed7", plan, 7, *(None, None)).splitlines()  # type: ignore[arg-type]
    assert "seed 7" in lines[0] and "on 2 CPUs" in lines[0]
    assert lines[-1].endswith(",0.95") and lines[-1].startswith("20,")
    (tmp_path / "full_seed7.json").write_text(json.dumps(made | {"recipe": {**plan.recipe.described(), "epochs": 3}}))
    with pytest.raises(ValueError, match="another plan"):
        runs.full_run(7)
    monkeypatch.setattr(runs, "command_line", lambda options: 130)
    with pytest.raises(runs.Interrupted):
        runs.full_run(8)
    monkeypatch.setattr(runs, "command_line", lambda options: 1)
    with pytest.raises(RuntimeError, match="full_seed8"):
        runs.full_run(8)
