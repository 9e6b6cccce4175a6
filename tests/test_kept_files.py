"""What is written can be read again: histories, weights with their card, the shipped network, the train command."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from tests.data_fixtures import sample_fixture  # noqa: F401
from tools import ship
from vgg_lesson import PLANS, History, ImageSet, VGGConfig, build_vgg, evaluate, fit, load_trained, trace, trained_card
from vgg_lesson.__main__ import main
from vgg_lesson.configs import CLASS_NETWORK, Conv
from vgg_lesson.data.batches import Preprocessing
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.training.checkpoints import load_weights, save_weights, trained_names
from vgg_lesson.training.history import EpochRecord

WEIGHTS = Path(__file__).parent.parent / "vgg_lesson" / "assets" / "weights"
HEAD = b"epoch,step,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,lr\n"
SMALL: dict[str, Any] = {"in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.05, "hidden": 8}


def test_a_history_survives_its_csv(tmp_path: Path) -> None:
    epochs = [
        EpochRecord(1, 3, 2.25, 0.1, None, None, 0.5, 0.1),
        EpochRecord(2, 6, 1 / 3, 2 / 3, 0.7, 0.8, 1.25, 1e-3),
        EpochRecord(3, 9, float("inf"), 0.1, float("nan"), 0.1, 2.0, 1e-3),
    ]
    history = History("a run", [2.302585, 1.5, float("inf")], epochs)
    history.to_csv(tmp_path / "log.v1.csv")
    again = History.from_csv(tmp_path / "log.v1.csv", label="a run")
    assert again.epochs[:2] == epochs[:2]
    assert again.step_losses == pytest.approx(history.step_losses, rel=1e-5)  # kept to six digits
    assert str(again.epochs[2]) == str(epochs[2])  # nan equals nothing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.v1.csv", "log.v1.steps.csv"]
    History().to_csv(tmp_path / "empty.csv")
    assert History.from_csv(tmp_path / "empty.csv") == History("empty")


@pytest.mark.parametrize(
    "changes", [{}, {"batch_norm": True}, {"head": "gap"}, {"dropout": 0.2, "image_size": 48}], ids=str
)
@pytest.mark.parametrize(
    "config",
    ["VGG-11-LRN", VGGConfig("own", ((Conv(40, kernel=5),), (Conv(40), Conv(60, kernel=1))), lrn=True)],
    ids=["LRN", "own"],
)
def test_weights_survive_their_file(tmp_path: Path, config: str | VGGConfig, changes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = build_vgg(config, **{**SMALL, **changes})
    model.preprocessing = replace(model.preprocessing, mean=0.5, std=0.25)
    side = model.network.image_size
    model.train()(torch.randn(8, 1, side, side))  # moves the running statistics of batch norm
    save_weights(model, tmp_path / "net.safetensors", {"seed": 0})
    again = load_weights(tmp_path / "net.safetensors")
    assert not again.training and again.network == model.network and again.config == model.config
    assert again.preprocessing == model.preprocessing == Preprocessing(side, 0.5, 0.25)
    kept, stored = model.state_dict(), again.state_dict()
    assert list(kept) == list(stored) and all(torch.equal(kept[name], stored[name]) for name in kept)
    if changes.get("batch_norm"):
        assert any(name.endswith("running_var") and not torch.all(value == 1) for name, value in stored.items())
        assert all(int(value) == 1 for name, value in stored.items() if name.endswith("num_batches_tracked"))
    pictures = torch.randn(3, 1, side, side)
    assert torch.equal(model.eval()(pictures), again(pictures))


def test_half_precision_halves_the_file_and_loads_as_float32(tmp_path: Path) -> None:
    model = build_vgg(**SMALL)
    save_weights(model, tmp_path / "whole.safetensors", {})
    save_weights(model, tmp_path / "half.safetensors", {}, dtype=torch.float16)
    whole, half = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half"))
    assert half < 0.6 * whole
    again = load_weights(tmp_path / "half.safetensors")
    assert all(p.dtype == torch.float32 for p in again.parameters())
    torch.testing.assert_close(again.state_dict(), dict(model.state_dict()), rtol=1e-3, atol=1e-6)


def test_the_card_beside_the_file_is_that_of_the_file(tmp_path: Path) -> None:
    save_weights(build_vgg(**SMALL), tmp_path / "net.safetensors", {"seed": 3})
    content = (tmp_path / "net.safetensors").read_bytes()
    card = json.loads((tmp_path / "net.json").read_text())
    assert card == {"seed": 3, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    for damaged in (content[:100], b"", b"weights", content[:-8]):
        (tmp_path / "bad.safetensors").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"bad\.safetensors"):
            load_weights(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("name", trained_names())
def test_a_shipped_network_is_what_its_card_says(name: str) -> None:
    content, card = (WEIGHTS / f"{name}.safetensors").read_bytes(), trained_card(name)
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["bytes"] == len(content) <= (20_000_000 if name == "vgg-full" else 4_000_000)
    assert card["training_images"] == FULL_COUNTS["train"] and card["test_images"] == FULL_COUNTS["test"]
    assert not Path(card["command"].split()[0]).is_absolute() and "/work" not in card["command"]
    model = load_trained(name)
    counted = trace(model.config, **{name: value for name, value in card["network"].items() if name != "dropout"})
    assert card["parameters"] == counted.total_params == sum(p.numel() for p in model.parameters())
    assert dict(**model.network).items() >= card["network"].items() and model.config.name == card["config"]


@pytest.mark.parametrize("name", ["vgg11-class", "vgg-full"])
def test_a_shipped_network_knows_the_sample(name: str, sample: dict[str, ImageSet]) -> None:
    card = trained_card(name)
    accuracy = evaluate(load_trained(name), sample["test"].subset(500))[1]
    assert accuracy == pytest.approx(card["test_accuracy"], abs=0.05)


def test_the_shipped_networks_are_those_of_the_plans() -> None:
    classes, full = trained_card("vgg11-class"), trained_card("vgg-full")
    plain = {name: value for name, value in dict(**CLASS_NETWORK).items() if name in classes["network"]}
    assert (
        classes["network"].items() >= (plain | {"dropout": classes["network"]["dropout"]}).items()
        and classes["test_accuracy"] > 0.9015
    )
    plan = PLANS["full"]
    assert {**plan.architecture, **full["network"]} == {**plan.architecture}
    assert {**plan.recipe.described(), **full["recipe"]} == {**plan.recipe.described(), "seed": 0}
    assert full["views"] == PLANS["full"].views and classes["test_accuracy"] < full["test_accuracy"]


def test_shipping_halves_the_file_and_keeps_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet]
) -> None:
    (tmp_path / "weights").mkdir()
    made = {"seed": 0, "data": "/somewhere", "sha256": "of the whole file", "bytes": 1}
    model = build_vgg(**SMALL)
    assert ship.same_answers(model, model, sample["test"].subset(20)) == 1
    save_weights(model, tmp_path / "full_seed0.safetensors", {})
    monkeypatch.setattr(ship, "same_answers", lambda *_: 1.0)
    monkeypatch.setattr(ship, "FULL", tmp_path)
    monkeypatch.setattr(ship, "ASSETS", tmp_path)
    monkeypatch.setattr(ship, "load_fashion_mnist", sample.__getitem__)
    monkeypatch.setattr(ship, "full_run", lambda seed: (made, None))
    ship.main([])
    whole, half = tmp_path / "full_seed0.safetensors", tmp_path / "weights" / "vgg-full.safetensors"
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    card = json.loads(half.with_suffix(".json").read_text())
    assert card["stored_as"] == "float16" and card["data"] == "FashionMNIST" and card["bytes"] == half.stat().st_size
    monkeypatch.setattr(ship, "same_answers", lambda *_: 0.99)
    ship.main([])
    assert json.loads(half.with_suffix(".json").read_text())["stored_as"] == "float32"


def test_an_unknown_shipped_network_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"name='vgg99' .*vgg11-class"):
        load_trained("vgg99")


def test_train_writes_weights_card_and_log_and_can_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "vgg_lesson.training.command.load_fashion_mnist", lambda split, root=None: sample[split].subset(300)
    )
    out, log = tmp_path / "net.safetensors", tmp_path / "log.csv"
    command = ["train", "--budget", "smoke", "--out", str(out), "--log", str(log), "--width", "0.05", "--hidden", "8"]
    assert main([*command, "--validation", "40", "--precision", "fp32"]) == 0
    first = load_weights(out)
    card = json.loads(out.with_suffix(".json").read_text())
    assert json.loads(capsys.readouterr().out) == {k: v for k, v in card.items() if k not in ("sha256", "bytes")}
    assert card["training_images"] == 260 and card["test_images"] == 300 and card["network"]["width"] == 0.05
    called = shlex.join([*command, "--validation", "40", "--precision", "fp32"])
    assert card["command"] == f"python -m vgg_lesson {called}", "what was called, not the program that called it"
    with log.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["epoch"] == "1" and row["validation_accuracy"]
    assert main([*command, "--validation", "40", "--precision", "fp32"]) == 0
    again = load_weights(out).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in first.state_dict().items())
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"net.safetensors", "net.json", "log.csv", "log.steps.csv"}
    network = {**PLANS["smoke"].architecture, "width": 0.05, "hidden": 8}
    assert dict(**first.network).items() >= network.items()


def test_train_interrupted_before_its_first_step_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet], capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **__: Any) -> History:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "vgg_lesson.training.command.load_fashion_mnist", lambda split, root=None: sample[split].subset(256)
    )
    monkeypatch.setattr("vgg_lesson.training.command.fit", interrupted)
    assert main(["train", "--budget", "smoke", "--out", str(tmp_path / "net.safetensors")]) == 130
    assert "interrupted before the first step" in capsys.readouterr().err


def test_train_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "vgg_lesson.training.command.load_fashion_mnist", lambda split, root=None: sample[split].subset(256)
    )
    out = tmp_path / "net.safetensors"
    command = ["train", "--budget", "smoke", "--out", str(out), "--width", "0.05", "--hidden", "8", "--epochs", "2"]

    def interrupted(*arguments: Any, **settings: Any) -> History:
        history = fit(*arguments, **{**settings, "show": False})
        history.interrupted = True
        return history

    with monkeypatch.context() as patched:
        patched.setattr("vgg_lesson.training.command.fit", interrupted)
        assert main(command) == 130
    assert "run the same command to go on" in capsys.readouterr().err and not out.exists()
    assert main(command) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"net.safetensors", "net.json"}


# --- tables that went through a spreadsheet program


def through_excel(text: str, *, comma: str = ".", separator: str = ",") -> str:
    rows = [line.split(",") for line in text.splitlines()]
    return "\r\n".join(separator.join(cell.replace(".", comma) for cell in row) for row in rows) + "\r\n"


SPREADSHEETS: dict[str, Callable[[str], bytes]] = {
    "Excel, UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + through_excel(text).encode(),
    "Excel in German": lambda text: through_excel(text, comma=",", separator=";").encode("cp1252"),
    "Excel, Unicode text": lambda text: through_excel(text, comma=",", separator="\t").encode("utf-16"),
    "Excel's sep line": lambda text: b"sep=;\r\n" + through_excel(text, comma=",", separator=";").encode(),
    "LibreOffice, all quoted": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ).encode(),
    "German numbers in quotes": lambda text: "\n".join(
        ",".join(f'"{cell.replace(".", ",")}"' for cell in line.split(",")) for line in text.splitlines()
    ).encode(),
    "empty lines and columns": lambda text: ("\n" + "".join(f"{line},,\n,,\n" for line in text.splitlines())).encode(),
    "whole numbers with a point": lambda text: re.sub(r"^(\d+),(\d+)(?=,)", r"\1.0,\2.0", text, flags=re.M).encode(),
    "names in capitals, with blanks": lambda text: text.replace("train_loss", " Train_Loss ").encode(),
    "another order, and a column of one's own": lambda text: "\n".join(
        ",".join([f"note {place}" if place else "note", *reversed(line.split(","))])
        for place, line in enumerate(text.splitlines())
    ).encode(),
    "old Mac lines": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("program", SPREADSHEETS)
def test_a_history_is_read_back_from_what_a_spreadsheet_makes_of_it(tmp_path: Path, program: str) -> None:
    path = tmp_path / "log.csv"
    epochs = [EpochRecord(1, 3, 2.25, 0.1, None, None, 0.5, 0.1), EpochRecord(2, 6, 0.5, 0.75, 0.7, 0.8, 1.25, 1e-3)]
    History("log", [2.5, 1.5], epochs).to_csv(path)
    for file in (path, tmp_path / "log.steps.csv"):
        file.write_bytes(SPREADSHEETS[program](file.read_text()))
    again = History.from_csv(path)
    assert again.epochs == epochs
    assert again.step_losses == [2.5, 1.5]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "there is no column"),
        (b"epoch,step\n1,2\n", "there is no column lr, seconds, train_accuracy"),
        (b"\xff\xfe\x00", "holds no epochs"),
        (b"\x00\x01\x02\xff", "holds no epochs"),
        (HEAD + b"1,3,2.25,0.1,,,0.5\n", "a row has 7 entries under 8 names"),
        (HEAD + b"1.5,3,2.25,0.1,,,0.5,0.1\n", "epoch='1.5' is no whole number"),
        (HEAD + b"inf,3,2.25,0.1,,,0.5,0.1\n", "epoch='inf' is no whole number"),
        (HEAD + b"1,3,1.234.567,0.1,,,0.5,0.1\n", "1.234.567"),
        (HEAD + b"1,3,,0.1,,,0.5,0.1\n", "train_loss"),
        (HEAD + b'"' + b"x" * 200_000 + b'",3,2.25,0.1,,,0.5,0.1\n', "holds no epochs"),
    ],
)
def test_a_table_that_is_none_of_ours_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^path=.*log\.csv.*{re.escape(told)}"):
        History.from_csv(tmp_path / "log.csv")


def test_names_with_dots_do_not_collide(tmp_path: Path) -> None:
    losses = {"lr0.1": 0.1, "lr0.1.csv": 0.2, "lr0.2": 0.3, "lr0.2.CSV": 0.4}
    for name, loss in losses.items():
        History(name, [loss]).to_csv(tmp_path / name)
    for name, loss in losses.items():
        assert History.from_csv(tmp_path / name).step_losses == [loss]
    History("run", [1.0]).to_csv(tmp_path / "run.csv")
    with pytest.raises(ValueError, match=r"run\.steps\.csv.* is a name for step losses"):
        History("other", [2.0]).to_csv(tmp_path / "run.steps.csv")
    assert History.from_csv(tmp_path / "run.csv").step_losses == [1.0]


def test_the_card_of_a_run_that_diverged_is_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vgg_lesson.training.command.load_fashion_mnist", lambda split, root: sample[split].subset(256))
    out = tmp_path / "net.safetensors"
    command = ["train", "--budget", "smoke", "--lr", "1e6", "--no-batch-norm", "--steps", "4", "--out", str(out)]
    assert main([*command, "--log", str(tmp_path / "log.csv"), "--width", "0.05", "--hidden", "16"]) == 0
    with safe_open(str(out), framework="pt") as file:
        metadata = file.metadata()
    for text in (capsys.readouterr().out, out.with_suffix(".json").read_text(), *metadata.values()):
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert len(History.from_csv(tmp_path / "log.csv").step_losses) == 4
    load_weights(out)


def test_a_log_that_cannot_be_written_costs_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vgg_lesson.training.command.load_fashion_mnist", lambda split, root: sample[split].subset(256))
    out = tmp_path / "net.safetensors"
    command = ["train", "--budget", "smoke", "--steps", "1", "--out", str(out), "--width", "0.05", "--hidden", "16"]
    assert main([*command, "--log", str(tmp_path)]) == 0
    assert "the epochs could not be kept" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.json", "net.safetensors"]
