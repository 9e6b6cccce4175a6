"""A disk that is full or read-only: said in words, nothing half-written, and a run under way keeps what it learned."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vgg_lesson import class_vgg, fit
from vgg_lesson.__main__ import main
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.data.sources import SAMPLE
from vgg_lesson.models import VGG
from vgg_lesson.support.files import write_atomically
from vgg_lesson.training import checkpoints
from vgg_lesson.training.checkpoints import save_checkpoint, save_weights

RECIPE: dict[str, Any] = {"epochs": 3, "batch_size": 16, "seed": 1, "device": "cpu", "show": False}


def network() -> VGG:
    torch.manual_seed(0)
    return class_vgg(width=0.05, hidden=16)


def pictures() -> ImageSet:
    torch.manual_seed(1)
    images = torch.randint(0, 256, (32, 28, 28), dtype=torch.uint8)
    return ImageSet(images, torch.arange(32) % 10, "made up")


def failing(code: int, after: int = 0) -> Callable[..., Any]:
    """A stand-in for what writes to the disk, which works ``after`` times and then has no place left."""
    calls, work = [0], os.fdopen

    def write(handle: int, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] <= after:
            return work(handle, *arguments)
        os.close(handle)
        raise OSError(code, os.strerror(code))

    return write


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "may not write")]
)
def test_what_was_there_stays_and_the_message_is_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    (tmp_path / "log.csv").write_bytes(b"old")
    monkeypatch.setattr(os, "fdopen", failing(code))
    for target in (tmp_path / "log.csv", tmp_path / "new" / "folder" / "log.csv"):
        with pytest.raises(OSError, match=words) as caught:
            write_atomically(target, b"new")
        assert caught.value.errno == code and str(target) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert (tmp_path / "log.csv").read_bytes() == b"old"


@pytest.mark.parametrize("after", [0, 1])
def test_files_that_belong_together_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    history = fit(network(), pictures(), **{**RECIPE, "epochs": 1})
    save: dict[str, Callable[[], None]] = {
        "csv": lambda: history.to_csv(tmp_path / "old.csv"),
        "safetensors": lambda: save_weights(network(), tmp_path / "old.safetensors", {}),
    }
    names = ["old.csv", "old.steps.csv", "old.safetensors", "old.json"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    for write in save.values():
        with monkeypatch.context() as full, pytest.raises(OSError, match="the disk is full"):
            full.setattr(os, "fdopen", failing(errno.ENOSPC, after=after))
            write()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: name.encode() for name in names}


def test_a_run_that_could_not_be_saved_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdopen", failing(errno.ENOSPC))
    model = network()
    with pytest.raises(OSError, match="the disk is full"):
        fit(model, pictures(), **RECIPE, checkpoint=tmp_path / "run.pt")
    assert list(tmp_path.iterdir()) == []
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), network().parameters(), strict=True))


@pytest.mark.parametrize("saves", [1, 2, 3])
def test_a_disk_that_fills_up_costs_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: int) -> None:
    whole, model, resumed, path = network(), network(), network(), tmp_path / "run.pt"
    losses = fit(whole, pictures(), **RECIPE).step_losses
    with monkeypatch.context() as full, pytest.warns(UserWarning, match="no checkpoint of step .*the disk is full"):
        full.setattr(os, "fdopen", failing(errno.ENOSPC, after=saves))
        assert fit(model, pictures(), **RECIPE, checkpoint=path).step_losses == losses
    assert not list(tmp_path.glob(".*")), "a draft was left behind"
    assert fit(resumed, pictures(), **RECIPE, checkpoint=path).step_losses == losses
    for other in (model, resumed):
        assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), other.parameters(), strict=True))


def test_a_failed_checkpoint_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, run = tmp_path / "run.pt", {"lr": 0.1}
    save_checkpoint(path, {"step": 1}, run)
    with monkeypatch.context() as full, pytest.raises(OSError, match="the disk is full"):
        full.setattr(os, "fdopen", failing(errno.ENOSPC))
        save_checkpoint(path, {"step": 2}, run)
    assert checkpoints.load_checkpoint(path, run) == {"step": 1}


@pytest.mark.parametrize(("saves", "left"), [(0, False), (1, True)])
def test_the_command_says_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], saves: int, left: bool
) -> None:
    monkeypatch.setenv("VGG_LESSON_DATA", str(SAMPLE))
    monkeypatch.setattr(os, "fdopen", failing(errno.ENOSPC, after=saves))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    options = ["--budget", "smoke", "--width", "0.05", "--hidden", "16", "--steps", "1"]
    with pytest.warns(UserWarning, match="no checkpoint") if left else monkeypatch.context():
        assert main(["train", *options, "--out", str(tmp_path / "out.safetensors")]) == 1
    said = capsys.readouterr().err
    assert "the disk is full" in said and "Traceback" not in said
    assert ("what was saved last is in" in said) is left
    assert [path.suffix for path in tmp_path.iterdir()] == ([".checkpoint"] if left else [])
