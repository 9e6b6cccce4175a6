"""The benchmarks themselves are run by hand; here that each can start, and that its rows are what they say."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.data_fixtures import sample_fixture  # noqa: F401
from tests.marks import long
from tools import runs
from tools.benchmarks import __main__ as command
from tools.benchmarks import ablation, ecosystem, gains, races, sprint
from tools.benchmarks.report import PAGE, RESULTS, Report, page
from vgg_lesson import PLANS, ImageSet, class_vgg
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


def test_the_records_say_what_notebook_06_tells_of_them() -> None:
    figures = json.loads((RESULTS / "ablation.json").read_text(encoding="utf-8"))["figures"]
    plan, plain = (figures[row]["accuracies"] for row in ("the class plan", "without label smoothing"))
    assert min(plan) > max(plain), "label smoothing: every seed above those without"
    figures = json.loads((RESULTS / "gains.json").read_text(encoding="utf-8"))["figures"]
    assert len(figures["the class plan"]["accuracies"]) == 8
    assert all(figures[doubted]["low"] < 0 < figures[doubted]["high"] for doubted in gains.DOUBTED), "told apart"


@pytest.mark.parametrize("rival", races.RIVALS, ids=lambda rival: rival.name)
def test_the_raced_networks_take_their_pictures(rival: races.Rival) -> None:
    with torch.no_grad():
        scores = build(rival.experiment).eval()(torch.rand(2, 1, rival.image_size, rival.image_size))
    assert scores.shape == (2, 10)


NEEDED = {"with_lightning": "lightning", "with_fastai": "fastai", "with_keras": "keras"}
WRITTEN_OUT = [tool for tool in ecosystem.TOOLS if tool is not ecosystem.OURS]


def the_network_of(tool: ecosystem.Tool) -> ast.FunctionDef:
    """The function of a script that builds its network."""
    parsed = ast.parse(tool.path.read_text(encoding="utf-8")).body
    return next(node for node in parsed if isinstance(node, ast.FunctionDef) and node.name == ecosystem.NETWORK)


def fake_run(epochs: int, seconds: float, *accuracies: float) -> dict[str, Any]:
    """What a script's clock might have printed, looks evenly apart."""
    count = len(accuracies)
    looks = [[step, seconds * step / count, accuracy] for step, accuracy in enumerate(accuracies, 1)]
    return {"epochs": epochs, "seconds": seconds, "looks": looks, "peak_gigabytes": 0.5 + epochs}


def test_the_scripts_train_the_class_network() -> None:
    names: dict[str, Any] = {"nn": nn}
    plain, lightning, fastai = map(the_network_of, WRITTEN_OUT[:3])
    assert ast.dump(plain) == ast.dump(lightning) == ast.dump(fastai)
    exec(ast.unparse(plain), names)  # the rest of the script trains
    built, ours = names[ecosystem.NETWORK](), class_vgg(dropout=0.0)
    shapes = [[tuple(parameter.shape) for parameter in model.parameters()] for model in (built, ours)]
    assert shapes[0] == shapes[1]
    with torch.no_grad():
        built.load_state_dict(dict(zip(built.state_dict(), ours.state_dict().values(), strict=True)))
        images = torch.rand(2, 1, 32, 32)
        assert torch.allclose(built.eval()(images), ours.eval()(images), atol=1e-5)


def test_lines_leave_out_what_only_measures(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        '"""Says\n\nwhat."""\n\nimport clock  # clock\nimport torch\n\n# why\ndef class_vgg():\n    """A net."""\n'
        "    return torch.nn.Sequential(\n        torch.nn.Flatten(),  # one a line\n    )\n\nclass_vgg()\n"
    )
    assert ecosystem.lines(script) == (6, 4)
    for tool in ecosystem.TOOLS:
        measuring = [line for line in tool.path.read_text().splitlines() if line.endswith(ecosystem.MEASURING)]
        said = [line.removesuffix(ecosystem.MEASURING) for line in measuring]
        assert all(any(word in line for word in ("clock", "watch", "import partial")) for line in said), tool.name
        assert said[-1].startswith("watch.finish("), tool.name


def test_the_ecosystem_is_told_from_what_the_clocks_print() -> None:
    runs = {
        "plain PyTorch": [fake_run(1, 40.0, 0.5, 0.88, 0.91)],
        "Lightning": [fake_run(1, 44.0, 0.5, 0.89, 0.90), fake_run(2, 90.0, 0.6, 0.89, 0.9015)],
        "fastai": [fake_run(1, 50.0, 0.2, 0.3, 0.4), fake_run(2, 99.0, 0.5, 0.85, 0.89)],
        "Keras": [fake_run(1, 60.0, 0.2, 0.3, 0.8), fake_run(2, 120.0, 0.5, 0.8, 0.85)],
        "the lesson's fit": [fake_run(1, 25.0, 0.7, 0.87, 0.905)],
    }
    report = ecosystem.summary(runs, {"torch": "2.6"})
    shown = {row[0]: row[1:5] for row in report.rows}
    assert shown["plain PyTorch"] == ("40.0", "27 s", "40 s", "91.00%")
    assert shown["Lightning"] == ("44.0", "29 s", "90 s of two epochs", "90.00%")
    assert shown["fastai"] == ("50.0", "99 s of two epochs", "not in two epochs", "40.00%")
    assert shown["Keras"][1:3] == ("not in two epochs",) * 2
    assert list(report.verdicts.values()) == [True, True, True]
    assert report.figures["tools"]["Lightning"]["epochs_to"] == {"0.8800": 1, "0.9015": 2}
    assert all(any(tool.source in note for note in report.notes) for tool in ecosystem.TOOLS)
    json.dumps(report.figures)
    runs["the lesson's fit"] = [fake_run(1, 41.0, 0.7, 0.87, 0.905)]
    assert list(ecosystem.summary(runs, {}).verdicts.values()) == [True, False, False]
    runs["the lesson's fit"] = [fake_run(1, 20.0, 0.7, 0.87, 0.89), fake_run(2, 40.0, 0.7, 0.87, 0.89)]
    assert list(ecosystem.summary(runs, {}).verdicts.values()) == [False, False, False]


def test_the_sprint_is_judged_by_medians() -> None:
    plan = [(938, seconds, 0.905) for seconds in (20.0, 22.0, 90.0)]
    fast = [(280, 12.0, accuracy) for accuracy in (0.9, 0.902, 0.91)]
    report = sprint.summary({sprint.PLAN: plan, sprint.SPRINT: fast}, "fp32")
    assert report.figures["share"] == pytest.approx(12 / 22) and list(report.verdicts.values()) == [True, True]
    assert report.rows[1][:3] == (sprint.SPRINT, "280", "35,840") and report.rows[0][2] == "60,000"
    slow = [(280, 14.0, 0.9) for _ in plan]
    assert list(sprint.summary({sprint.PLAN: plan, sprint.SPRINT: slow}, "fp32").verdicts.values()) == [False, False]


def test_a_gain_is_told_with_its_interval() -> None:
    seeds = len(gains.SEEDS)
    plan = [0.9 + 0.001 * seed for seed in range(seeds)]
    better, unsure = ([a + 0.002 + 0.0001 * (i % 2) for i, a in enumerate(plan)], [*plan[:-1], plan[-1] + 0.01])
    report = gains.summary({gains.UNCHANGED: plan, gains.DOUBTED[0]: better, gains.DOUBTED[1]: unsure})
    shown = {row[0]: row[2:] for row in report.rows}
    assert shown[gains.DOUBTED[0]] == ("+0.20", "+0.20 to +0.21", f"{seeds} of {seeds}")
    assert report.figures[gains.DOUBTED[1]]["low"] < 0 < report.figures[gains.DOUBTED[1]]["points"]
    assert shown[gains.DOUBTED[1]][-1] == f"1 of {seeds}" and shown[gains.UNCHANGED] == ("", "", "")


def test_what_was_measured_before_an_interruption_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecosystem, "KEPT", tmp_path / "kept")
    made: list[int] = []

    def measured(*_: Any, epochs: int) -> dict[str, int]:
        made.append(epochs)
        return {"epochs": epochs}

    monkeypatch.setattr(ecosystem, "measured", measured)
    for versions in ({"torch": "2.6"}, {"torch": "2.6"}, {"torch": "2.7"}):
        assert ecosystem.kept("python", ecosystem.OURS, 1, tmp_path, versions)["epochs"] == 1
    assert made == [1, 1], "measured again under other versions"


@long
@pytest.mark.skipif(sys.platform != "linux", reason="the clock reads the peak of memory from Linux")
@pytest.mark.parametrize("tool", ecosystem.TOOLS, ids=lambda tool: tool.script)
def test_a_script_of_the_ecosystem_learns(tool: ecosystem.Tool, tmp_path: Path, sample: dict[str, ImageSet]) -> None:
    python = os.environ.get(ecosystem.VARIABLE, "")
    if not python and tool.script in NEEDED and not importlib.util.find_spec(NEEDED[tool.script]):
        pytest.skip(f"{tool.name} is not here; {ecosystem.VARIABLE} names a Python that has it")
    train, test = sample["train"].subset(40 * 64), sample["test"].subset(200)
    ecosystem.prepare(tmp_path, train, test)
    options: dict[str, int] = {"every": 30, "images": len(train), "threads": 1}
    measured = ecosystem.measured(python or sys.executable, tool, tmp_path, **options)
    losses, looks = measured["losses"], measured["looks"]
    assert len(losses) == 40 and sum(losses[-3:]) < 0.8 * sum(losses[:3])
    assert [step for step, _, _ in looks] == [30, 40] and looks[0][1] < looks[1][1] == measured["seconds"]
    assert looks[-1][2] > 0.1 and measured["told"] == pytest.approx(looks[-1][2], abs=1e-6)
    assert measured["peak_gigabytes"] > 0.1


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
