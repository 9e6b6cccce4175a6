"""doctor tries what the notebooks do first: each of it is broken in turn, and the sentence is looked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch

from tests.data_fixtures import alone_fixture  # noqa: F401
from vgg_lesson.__main__ import main
from vgg_lesson.classroom import doctor as check_up
from vgg_lesson.classroom.widgets import receptive_field
from vgg_lesson.support.style import LessonFigure
from vgg_lesson.training.history import History

MODULE: Any = check_up
Break = Callable[[pytest.MonkeyPatch, Path], None]


def no_kernel(*_: Any, **__: Any) -> None:
    raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCompile with …")


def an_old_gpu(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setattr(MODULE, "pick_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "an old card")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(MODULE, "fit", no_kernel)


def old_widgets(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    """ipywidgets 7 shows its widgets by ``_ipython_display_``."""
    monkeypatch.setattr(MODULE.metadata, "version", lambda name, ask=MODULE.metadata.version: _old(name, ask))
    without_mime_bundles(monkeypatch)


def without_mime_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ipywidgets.Widget, "_repr_mimebundle_")


def _old(name: str, ask: Callable[[str], str]) -> str:
    return "7.7.1" if name == "ipywidgets" else ask(name)


def read_only(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(30, "the disk is read-only; choose another folder")

    monkeypatch.setattr(MODULE, "write_atomically", refuse)


BROKEN: dict[str, tuple[Break, str]] = {
    "budget": (lambda m, _: m.setenv("VGG_LESSON_BUDGET", "quick"), "[FAIL] settings: VGG_LESSON_BUDGET='quick'"),
    "switch": (lambda m, _: m.setenv("VGG_LESSON_OFFLINE", "perhaps"), "[FAIL] settings: VGG_LESSON_OFFLINE='perhaps'"),
    "data": (lambda m, f: m.setenv("VGG_LESSON_DATA", str(f / "typo")), "[FAIL] data: VGG_LESSON_DATA="),
    "device": (an_old_gpu, "[FAIL] training: a step on cuda fails: RuntimeError: CUDA error: no kernel image"),
    "loss": (
        lambda m, _: m.setattr(MODULE, "fit", lambda *_, **__: History("", [float("nan")])),
        "[FAIL] training: a step on cpu gives the loss nan",
    ),
    "figure": (lambda m, _: m.setattr(LessonFigure, "png", no_kernel), "[FAIL] figure: cannot be drawn"),
    "old widgets": (old_widgets, "[FAIL] views: become a sentence with ipywidgets 7.7.1"),
    "wrong widgets": (
        lambda m, _: m.setattr(ipywidgets, "GridBox", no_kernel),
        "[FAIL] views: cannot be shown: RuntimeError",
    ),
    "files": (read_only, "[FAIL] files: "),
    "disk": (
        lambda m, _: m.setattr(MODULE.shutil, "disk_usage", no_kernel),
        "[FAIL] machine: could not be looked at: RuntimeError",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found(
    what: str, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks, sentence = BROKEN[what]
    breaks(monkeypatch, tmp_path)
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert sentence in printed and "Ready" not in printed and "to mend." in printed
    line = next(line for line in printed.splitlines() if line.startswith(sentence))
    assert "→" in line or what in ("data", "disk")


def test_a_variable_that_nobody_reads_is_told(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VGG_LESSON_DATAS", "/somewhere")
    monkeypatch.setenv("VGG_LESSON_PROGRESS", "memory")
    assert main(["doctor"]) == 0
    assert "[WARN] settings: VGG_LESSON_DATAS is set, and nothing reads it → is VGG_LESSON_DATA meant?" in (
        printed := capsys.readouterr().out
    )
    assert "PROGRESS" not in printed


def test_with_old_widgets_a_view_is_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    without_mime_bundles(monkeypatch)
    view = receptive_field()
    assert view._repr_mimebundle_() == {"text/plain": repr(view)}


def test_the_trial_leaves_nothing_behind(alone: Path, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    main(["doctor"])
    assert list(tmp_path.iterdir()) == [] and torch.equal(state, torch.get_rng_state())
