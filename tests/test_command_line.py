"""The banner, the check-up and the commands, run in this process except where a fresh one is the point."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.data_fixtures import alone_fixture, idx_files_fixture, mirror_fixture, sample_fixture, write  # noqa: F401
from vgg_lesson import History, ImageSet, Muon, fit
from vgg_lesson.__main__ import main
from vgg_lesson.classroom import doctor as doctor_room
from vgg_lesson.classroom.doctor import (
    FAIL,
    OK,
    WARN,
    Finding,
    _compare,
    banner,
    check_machine,
    check_packages,
    check_widgets,
    doctor,
)
from vgg_lesson.data import command as data_command
from vgg_lesson.data import sources
from vgg_lesson.data.idx import SAMPLE_COUNTS
from vgg_lesson.support.streams import setting
from vgg_lesson.training.checkpoints import load_weights
from vgg_lesson.training.recipes import PLANS


def test_import_and_banner_keep_to_themselves(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "events = []\n"
        "def note(event, arguments):\n"
        "    if event.startswith('socket.') or event == 'open': events.append((event, str(arguments)))\n"
        "sys.addaudithook(note)\n"
        "import vgg_lesson\n"
        "seen = [e for e in events if e[0] in ('socket.connect', 'socket.getaddrinfo') or 'ubyte' in e[1]]\n"
        "assert not seen, seen\n"
        "vgg_lesson.banner()\n"
        "assert 'torchvision' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["open", "--help"], ["live", "--help"], ["copy", "lesson"]])
def test_who_only_opens_the_lesson_does_not_wait_for_torch(words: list[str], tmp_path: Path) -> None:
    script = f"""
import sys
from vgg_lesson.__main__ import main
try:
    main({words})
finally:
    print([name for name in ("torch", "numpy", "matplotlib") if name in sys.modules])
"""
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}  # whose list of working copies is not touched
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, **home}, capture_output=True, text=True,
        encoding="utf-8",
    )  # fmt: skip
    assert run.returncode == 0 and run.stdout.splitlines()[-1] == "[]", run.stderr


def test_banner(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    banner()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["budget", "device", "precision", "data", "versions"]
    assert "smoke" in lines[0] and "thread" in lines[1]
    assert lines[3].endswith("FashionMNIST: 8,000 training and 2,000 test images from the shipped sample")
    assert f"torchvision {metadata.version('torchvision')}" in lines[4]


def test_doctor_on_this_machine(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == doctor() == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert last.startswith("Ready")
    assert all(re.match(r"\[(OK|WARN|FAIL)\] ", line) or line.startswith("Ready") for line in lines)
    assert any(line.startswith("[WARN] data: 8,000 training") and "python -m vgg_lesson data" in line for line in lines)
    for subject in ("python", "torch", "torchvision", "ipywidgets", "device", "threads", "memory", "disk", "widgets"):
        assert any(re.match(rf"\[OK\]\s+{subject}\b", line) for line in lines), subject


def test_doctor_fails_on_bad_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(sources.FOLDER_VARIABLE, str(tmp_path))
    assert doctor() == 1
    assert re.search(r"\[FAIL\] data: VGG_LESSON_DATA=.* holds no train-images", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("installed", "specifier", "status"),
    [
        ("2.14.1+cpu", "<3,>=2.6", OK), ("2.14.1+cpu", "==2.14.1", OK), ("3.0.0rc1", ">=2.6", OK),
        ("2.5.1", "<3,>=2.6", FAIL), (None, ">=1", FAIL), ("1.0", "", OK),
    ],
)  # fmt: skip
def test_doctor_compares_versions(installed: str | None, specifier: str, status: str) -> None:
    finding = _compare("package", installed, specifier, "install it")
    assert finding.status == status and (" → install it" in str(finding)) == (status == FAIL)


def test_doctor_refuses_a_free_threaded_build(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.status for finding in doctor_room.check_python()] == [doctor_room.OK]
    monkeypatch.setattr(sys, "abiflags", "t", raising=False)
    assert doctor_room.FAIL in [finding.status for finding in doctor_room.check_python()]


def test_doctor_is_content_with_colabs_own_page(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["vgg_lesson.classroom.doctor"]
    missing = Finding(FAIL, "widgets (jupyterlab_widgets for ipywidgets 7.7.1)", "missing", "install it")
    assert module._judged(missing) == missing
    monkeypatch.setattr(module, "_version", lambda name: "1.0" if name == "google-colab" else None)
    assert module._judged(missing).status == WARN
    assert module._judged(missing._replace(subject="torch")).status == FAIL


def test_doctor_on_a_poor_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["vgg_lesson.classroom.doctor"]
    for memory, status in ((1 << 29, FAIL), (3 << 29, WARN), (1 << 40, OK), (None, OK)):
        monkeypatch.setattr(module, "memory_limit", lambda memory=memory: memory)
        assert {finding.subject: finding.status for finding in check_machine()}["memory"] == status
    monkeypatch.setattr(module, "_version", lambda name: None)
    assert [finding.status for finding in (*check_packages(), *check_widgets())] == [FAIL, FAIL]


# --- data


@pytest.fixture
def small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sample count as everything."""
    monkeypatch.setattr(data_command, "FULL_COUNTS", SAMPLE_COUNTS)
    monkeypatch.setattr(sys.modules["vgg_lesson.data.download"], "FULL_COUNTS", SAMPLE_COUNTS)


@pytest.fixture
def stocked(alone: Path, idx_files: dict[str, bytes], small_set: None) -> Path:
    """A machine that has the data in ``data``; returns where the tests put them."""
    write(alone, idx_files)
    return alone.parent / "class"


def test_data_from_this_machine(stocked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--to", str(stocked)]) == 0
    assert setting("VGG_LESSON_DATA", stocked.resolve()) in capsys.readouterr().out
    assert len(list((stocked / "FashionMNIST" / "raw").iterdir())) == 4
    assert main(["data", "--to", str(stocked)]) == 0
    assert "already holds" in capsys.readouterr().out


def test_data_replaces_bad_files(
    stocked: Path,
    idx_files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(stocked / "FashionMNIST" / "raw", dict.fromkeys(idx_files, b"half"))
    assert main(["data", "--to", str(stocked)]) == 0
    assert "Replacing" in capsys.readouterr().err
    assert main(["data", "--to", str(stocked)]) == 0


def test_data_from_the_network(mirror: Path, alone: Path, small_set: None) -> None:
    assert main(["data", "--to", str(alone / "deep" / "folder")]) == 0
    assert len(list((alone / "deep" / "folder" / "FashionMNIST" / "raw").iterdir())) == 4


def test_data_without_network(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--to", str(alone)]) == 1
    assert "VGG_LESSON_OFFLINE forbids it. Connect" in capsys.readouterr().err
    assert not alone.exists()


@pytest.mark.parametrize(
    ("code", "message"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "may not write")]
)
def test_data_that_cannot_be_written(
    stocked: Path, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*arguments: Any) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert main(["data", "--to", str(stocked)]) == 1
    assert message in capsys.readouterr().err
    assert not stocked.exists()


def test_data_to_a_file(stocked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stocked.touch()
    assert main(["data", "--to", str(stocked)]) == 1
    assert "that is a file" in capsys.readouterr().err


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "COMMAND" in capsys.readouterr().err


def test_train_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["--lr", "-1"], ["--head", "x"], ["--images", "0"], ["--images", "-5"], ["--validation", "70000"]):
        try:
            assert main(["train", "--out", str(tmp_path / "net.safetensors"), *wrong]) == 1
        except SystemExit as ended:
            assert ended.code == 2
        told = capsys.readouterr().err
        assert "Traceback" not in told and told.strip() and not (tmp_path / "net.safetensors").exists(), wrong


@pytest.mark.parametrize("asked", [["--lr", "0.01"], ["--momentum", "0.5"], ["--weight-decay", "0"]])
def test_a_rate_is_not_for_a_plans_own_optimizer(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = PLANS["full"].vary(momentum=0.0, weight_decay=0.0, optimizer=Muon)
    monkeypatch.setattr("vgg_lesson.training.command.PLANS", {**PLANS, "full": plan})
    assert main(["train", "--budget", "full", "--out", str(tmp_path / "net.safetensors"), *asked]) == 1
    said = capsys.readouterr().err
    assert f"{asked[0]} is not for the plan's Muon; name one with --optimizer: sgd, adamw, muon" in said


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_an_optimizer_takes_the_rate_it_is_given(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, ImageSet]
) -> None:
    rates: list[float] = []

    def watched(*arguments: Any, **recipe: Any) -> History:
        look = [lambda run: rates.append(run.optimizer.param_groups[0]["lr"])]
        return fit(*arguments, **recipe, callbacks=look)

    monkeypatch.setattr("vgg_lesson.training.command.load_fashion_mnist", lambda *_, **__: sample["train"])
    monkeypatch.setattr("vgg_lesson.training.command.fit", watched)
    out = tmp_path / "net.safetensors"
    options = ["--steps", "1", "--images", "8", "--lr", "0.02", "--schedule", "constant", "--width", "0.1"]
    assert main(["train", *options, "--optimizer", optimizer, "--no-test", "--out", str(out)]) == 0
    assert rates == [0.02] and (json.loads(out.with_suffix(".json").read_text())["recipe"]["optimizer"] is None) == (
        optimizer == "sgd"
    )


def test_a_column_of_the_paper_trains_under_every_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VGG_LESSON_BUDGET", "smoke")
    for budget in PLANS:
        out = tmp_path / f"{budget}.safetensors"
        options = ["--budget", budget, "--config", "VGG-16", "--images", "16", "--steps", "1", "--batch-size", "8"]
        assert main(["train", *options, "--no-test", "--out", str(out)]) == 0
        assert json.loads(out.with_suffix(".json").read_text())["network"]["image_size"] == 32
        assert load_weights(out).config.name == "VGG-16"
    capsys.readouterr()
