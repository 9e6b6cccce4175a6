"""The benchmarks themselves are run by hand; here that each can start, and that its rows are what they say."""

from __future__ import annotations

import importlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tools import long_runs
from tools.benchmarks import __main__ as command
from tools.benchmarks import ablation, races
from tools.benchmarks.report import PAGE, RESULTS, Report, page
from tools.long_runs import FullRun
from vgg_lesson import History, build_vgg
from vgg_lesson.training.recipes import PLANS, Recipe


@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_every_benchmark_is_there(name: str) -> None:
    module = importlib.import_module(f"tools.benchmarks.{name}")
    assert callable(module.run) and module.__doc__


def test_every_row_of_the_ablation_changes_one_thing_that_exists() -> None:
    plan = PLANS["class"]
    for name, change in ablation.changes().items():
        network, recipe = {**plan.network, **change.network}, {**plan.recipe, **change.recipe}
        build_vgg(plan.config, **network, init=change.init)
        Recipe(**recipe)
        changed = [network != plan.network, recipe != plan.recipe, bool(change.without), change.init != "he"]
        assert sum(changed) == (name != "the class plan"), name
        with ablation._without(change.without):
            pass


def test_the_ablation_says_what_notebook_06_tells_of_it() -> None:
    figures = json.loads((RESULTS / "ablation.json").read_text(encoding="utf-8"))["figures"]
    rows = ("the class plan", "without label smoothing", "with weight decay")
    plan, plain, decayed = (figures[row]["accuracies"] for row in rows)
    assert min(plan) > max(plain), "label smoothing: every seed above those without"
    assert min(decayed) < max(plan) and max(decayed) > min(plan), "weight decay: its seeds overlap"


@pytest.mark.parametrize("recipe", races.RECIPES, ids=lambda recipe: recipe.name)
def test_the_raced_networks_take_their_pictures(recipe: races.Recipe) -> None:
    with torch.no_grad():
        scores = recipe.build().eval()(torch.rand(2, 1, recipe.image_size, recipe.image_size))
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
    monkeypatch.setattr(long_runs, "FULL", tmp_path)
    (tmp_path / "full_seed7.safetensors").touch()
    plan = PLANS["full"]
    made = {"network": plan.network, "recipe": {**plan.recipe, "seed": 7}, "threads": 2}
    made |= {"test_accuracy": 0.95, "precision_used": "fp32"}
    (tmp_path / "full_seed7.json").write_text(json.dumps(made))
    record = "1,20,0.5,0.8,,,60.0,0.1"
    (tmp_path / "full_seed7.csv").write_text(
        f"epoch,step,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,lr\n{record}\n"
    )
    steps = "\n".join(f"{step},{2 / step}" for step in range(1, 21))
    (tmp_path / "full_seed7.steps.csv").write_text(f"step,loss\n{steps}\n")
    run = FullRun(7)
    card, history = run.made() or ({}, History())
    assert card["test_accuracy"] == 0.95 and len(history.step_losses) == 20
    lines = (run.log("full_seed7", *(None, None)) or "").splitlines()  # type: ignore[arg-type]
    assert (
        "seed 7" in lines[0] and "on 2 CPUs" in lines[0] and lines[-1].endswith(",0.95") and lines[-1].startswith("20,")
    )
    (tmp_path / "full_seed7.json").write_text(json.dumps(made | {"recipe": {**plan.recipe, "epochs": 3, "seed": 7}}))
    with pytest.raises(ValueError, match="another plan"):
        run.made()
    monkeypatch.setattr(long_runs.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 130))
    assert replace(run, seed=8).made() is None
    monkeypatch.setattr(long_runs.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1))
    with pytest.raises(subprocess.CalledProcessError):
        replace(run, seed=8).made()
