"""Switches and numbers from the environment, what is printed for pasting, and streams that take nothing more."""

from __future__ import annotations

import errno
import io
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.data_fixtures import alone_fixture  # noqa: F401
from vgg_lesson.__main__ import main
from vgg_lesson.data import sources
from vgg_lesson.data.sources import SAMPLE, is_offline
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.environment import NO, YES, count_from, switch_from
from vgg_lesson.support.streams import as_argument, forgiving_streams, quoted, setting
from vgg_lesson.training.distributed import init_distributed

CASES = (str.lower, str.upper, str.title, lambda word: f"  {word}\t", lambda word: f'"{word}"')


# --- settings


@pytest.mark.parametrize(("word", "case"), list(itertools.product(YES + NO, CASES)))
def test_a_switch_in_any_form(word: str, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG_LESSON_OFFLINE", case(word))
    assert is_offline() is switch_from("VGG_LESSON_OFFLINE") is (word in YES)


@pytest.mark.parametrize("word", ["", " ", "''"])
def test_an_empty_switch_is_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG_LESSON_OFFLINE", word)
    assert not is_offline()
    monkeypatch.delenv("VGG_LESSON_OFFLINE")
    assert not is_offline()


@pytest.mark.parametrize("word", ["maybe", "2", "-1", "ja", "offline", "no way", "01"])
def test_anything_else_is_refused_by_name(
    word: str, alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VGG_LESSON_OFFLINE", word)
    with pytest.raises(ValueError, match=f"VGG_LESSON_OFFLINE='{word}' is no switch; yes or no, true or false"):
        sources.find("test")
    assert main(["data", "--to", str(alone)]) == 1
    assert f"VGG_LESSON_OFFLINE={word!r}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["smoke", " Smoke ", "SMOKE\n", "'smoke'"])
def test_a_budget_with_blanks_and_in_any_case(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG_LESSON_BUDGET", text)
    assert get_budget().name == "smoke"


@pytest.mark.parametrize(("text", "count"), [("", 7), (" ", 7), ("2", 2), (" 3 ", 3), ("0", 0)])
def test_a_count(text: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", text)
    assert count_from("WORLD_SIZE", 7) == count


@pytest.mark.parametrize("text", ["zwei", "2.0", "-1", "²", "1e3"])
def test_what_is_no_count_is_refused_by_name(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", text)
    with pytest.raises(ValueError, match=f"WORLD_SIZE={text!r} is no count"), init_distributed():
        pass
    assert main(["train", "--budget", "smoke", "--out", str(tmp_path / "net.safetensors")]) == 1
    assert "WORLD_SIZE" in capsys.readouterr().err
    monkeypatch.setenv("WORLD_SIZE", "")
    with init_distributed() as group:
        assert group.size == 1


# --- pasting

AWKWARD = [
    "plain", "two words", "Übung für Anfänger", "it's", 'a "quote"', "$HOME", "`id`", "a;b", "a&b", "#", "~", "~/x",
    "*", "(1)", "back\\slash", "new\nline", "tab\there", "-rf", "!x", "%PATH%", "", "日本語", "a'b\"c $d",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize("word", AWKWARD)
def test_what_is_printed_can_be_pasted_into_bash(word: str) -> None:
    script = f"{setting('WORD', word, windows=False)}\nprintf '%s\\0' \"$WORD\" {quoted(word, windows=False)}"
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode()
    assert said.split("\0")[:2] == [word, word]


@pytest.mark.parametrize("word", AWKWARD)
def test_what_is_printed_can_be_pasted_into_powershell(word: str) -> None:
    """PowerShell takes everything between single quotes as it is, and two of them for one."""
    shown = quoted(word, windows=True)
    if shown.startswith("'"):
        assert shown.endswith("'") and shown[1:-1].replace("''", "'") == word
        assert shown[1:-1].replace("''", "").count("'") == 0
    else:
        assert shown == word and not set(word) & set(" '\"$`;&#*(){}[]<>|,\n\t") and word
    shell = shutil.which("pwsh")
    if shell:
        said = subprocess.run(
            [shell, "-NoProfile", "-Command", f"Write-Output {shown}"], capture_output=True, text=True
        )
        assert said.stdout.rstrip("\n") == word
    assert setting("V", word, windows=True).startswith("$env:V = '")


def test_a_path_is_never_taken_for_an_option() -> None:
    assert as_argument(Path("-x/y")) == f".{os.sep}-x{os.sep}y" and as_argument(Path("a b")) == "'a b'"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize("name", ["mein ordner", "über's $HOME", "a;b"])
def test_the_commands_print_what_can_be_pasted(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)  # whose list of working copies is not touched
    assert main(["copy", str(tmp_path / name)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "jupyter lab " in line]
    words = line.partition("jupyter lab ")[2]
    said = subprocess.run(["bash", "-c", f"test -f {words}"], check=False)
    assert said.returncode == 0, line
    monkeypatch.chdir(tmp_path)


# --- streams


class Full(io.StringIO):
    """A stream on a full disk, with or without a buffer before it."""

    def __init__(self, code: int, on: str):
        super().__init__()
        self.code, self.on = code, on

    def write(self, text: str) -> int:
        if self.on == "write":
            raise OSError(self.code, os.strerror(self.code))
        return super().write(text)

    def flush(self) -> None:
        if self.on == "flush":
            raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize("on", ["write", "flush"])
@pytest.mark.parametrize(("code", "told"), [(errno.ENOSPC, True), (errno.EPIPE, False), (errno.EIO, True)])
def test_a_stream_that_takes_nothing_ends_nothing(
    on: str, code: int, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Full(code, on))
    with forgiving_streams() as lost:
        for number in range(3):
            print(number, flush=True)
    assert bool(lost) is told and sys.stdout.__class__ is Full


@pytest.mark.parametrize("which", ["stdout", "stderr"])
@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_stream_ends_nothing(which: str, closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO() if closed else None
    if stream:
        stream.close()
    monkeypatch.setattr(sys, which, stream)
    with forgiving_streams():
        print("x", file=getattr(sys, which), flush=True)


ARGUMENTS = "train --budget smoke --steps 1 --width 0.05 --hidden 16 --no-test --out"


def shell(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VGG_LESSON_DATA": str(SAMPLE), "PY": sys.executable, **variables}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="bash's way to close streams")
@pytest.mark.parametrize("around", ["{} 2>&- >&- <&-", "{} 2>/dev/full | head -0"])
def test_training_needs_no_streams(around: str, tmp_path: Path) -> None:
    command = around.format(f'"$PY" -m vgg_lesson {ARGUMENTS} net.safetensors')
    done = shell(command, tmp_path, PYTHONUNBUFFERED="1")
    assert done.returncode == 0 and "Traceback" not in done.stderr + done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.json", "net.safetensors"]


@pytest.mark.skipif(not Path("/dev/full").exists() or shutil.which("bash") is None, reason="no full device here")
def test_a_check_up_whose_output_is_lost(tmp_path: Path) -> None:
    done = shell('"$PY" -m vgg_lesson doctor >/dev/full', tmp_path)
    assert done.returncode == 1 and "could not be written: No space left" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    done = shell('"$PY" -m vgg_lesson --help | head -1', tmp_path, PYTHONUNBUFFERED="1")
    assert len(done.stdout.splitlines()) == 1 and done.stderr == ""
    done = shell('"$PY" -m vgg_lesson --help >/dev/full', tmp_path)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["doctor"], ["data"], ["copy", "DIR"]])
def test_ctrl_c_is_one_word(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("vgg_lesson.classroom.doctor.doctor", pressed)
    monkeypatch.setattr("vgg_lesson.data.command.fetch_data", pressed)
    monkeypatch.setattr("vgg_lesson.classroom.working_copy.copy_notebooks", pressed)
    assert main(command) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
