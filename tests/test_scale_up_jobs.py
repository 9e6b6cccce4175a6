"""A process that fails is an error with its reason, and nothing old is taken for its result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vgg_lesson.classroom.scale_up_jobs import FinishedRuns, await_file, follow, reason


def start(code: str) -> subprocess.Popen[str]:
    """A Python process whose output comes back through a pipe."""
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )


def test_a_run_that_ends_well_is_shown_without_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    with start("print('hello'); print('{'); print('  \"a\": 1'); print('}'); print('  done')") as job:
        text = follow(job)
    assert "hello" in text and '"a": 1' in text
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == ["hello", "  done"]


def test_a_run_that_fails_is_an_error_with_its_status_and_reason() -> None:
    with start("import sys; print('lr=-1 is out of range'); sys.exit(3)") as job, pytest.raises(RuntimeError) as error:
        follow(job, show=False)
    assert str(error.value) == "the run failed with exit status 3: lr=-1 is out of range"


def test_a_traceback_keeps_its_middle_and_names_its_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    with start("int('zwei')") as job, pytest.raises(RuntimeError, match="status 1: ValueError: invalid literal"):
        follow(job)
    assert '  File "<string>"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("process 0 of 2: gloo, pid 7\nsteps=-1 is bad\nE1127 16:42 x\nChildFailedError: \n====", "steps=-1 is bad"),
        ("Traceback (most recent call last):\n  File 'a'\nValueError: no CUDA\n", "ValueError: no CUDA"),
        ("", "it printed nothing"),
    ],
)
def test_the_reason_is_what_the_process_itself_said(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_a_file_that_never_comes_is_an_error(tmp_path: Path) -> None:
    jobs = [start("print('port 1 is taken'); raise SystemExit(1)"), start("import time; time.sleep(60)")]
    with pytest.raises(RuntimeError, match="status 1 before x came: port 1 is taken"):
        await_file(tmp_path / "x", jobs)
    assert jobs[1].wait(timeout=10) != 0, "the other one has been ended as well"
    slow = start("import time; time.sleep(60)")
    with pytest.raises(RuntimeError, match="has not come"):
        await_file(tmp_path / "x", [slow], seconds=0.05)
    assert slow.wait(timeout=10) != 0


def test_a_file_that_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    job = start("pass")
    await_file(tmp_path / "x", [job])
    job.communicate()


def test_a_run_that_has_not_ended_well_is_asked_for_in_vain() -> None:
    runs = FinishedRuns(one=1)
    assert runs["one"] == 1
    with pytest.raises(RuntimeError, match="'two': run the cell"):
        runs["two"]
