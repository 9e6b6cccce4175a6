"""A working copy is brought up to date file by file, and nothing that was edited in it is lost."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest

from tests.data_fixtures import write
from vgg_lesson.__main__ import main
from vgg_lesson.classroom import working_copy
from vgg_lesson.classroom.working_copy import FIRST, RECORD, copy_notebooks, stripped
from vgg_lesson.support.streams import quoted

SOLUTION = "Think.\n\n<details><summary>Solution</summary>\n\n```python\nanswer = 4\n```\n\n</details>"


@pytest.fixture(name="lesson")
def lesson_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The originals, with everything that a copy leaves out, and a home folder that knows no copy."""
    folder = tmp_path / "notebooks"
    code = nbformat.v4.new_code_cell("1 + 1", execution_count=3)
    code.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=3)]
    code.metadata = nbformat.from_dict({"tags": ["setup"], "execution": {"iopub.execute_input": "now"}})
    cells = [nbformat.v4.new_markdown_cell("# Räume"), code, nbformat.v4.new_markdown_cell(SOLUTION)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["widgets"] = {"state": {}}
    write(folder, {FIRST: nbformat.writes(notebook).encode(), "instructor_guide.md": b"secret", "ruff.toml": b""})
    write(folder / "images", {"net.png": b"png"})
    write(folder / ".ipynb_checkpoints", {"00_start_here-checkpoint.ipynb": b"{}"})
    write(folder / "data", {"big": b"0"})
    write(folder / "trials", {"1aa882c5.pt": b"what notebook 06 keeps where it runs"})
    monkeypatch.setattr(working_copy, "originals", lambda: folder)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return folder


@pytest.fixture(name="mine")
def mine_fixture(lesson: Path, tmp_path: Path) -> Path:
    """A first copy."""
    copy_notebooks(tmp_path / "mine", source=lesson)
    return tmp_path / "mine"


def edit(path: Path, source: str) -> None:
    """Change a notebook's code cell."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][1]["source"] = [source]
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_copy_leaves_out_outputs(lesson: Path, tmp_path: Path) -> None:
    written = copy_notebooks(tmp_path / "mine", source=lesson).written
    assert written == [tmp_path / "mine" / FIRST, tmp_path / "mine" / "images" / "net.png"]
    copied = nbformat.read(written[0], as_version=4)
    nbformat.validate(copied)
    assert copied.cells[1].outputs == [] and copied.cells[1].execution_count is None
    assert "widgets" not in copied.metadata and copied.cells[1].metadata == {"tags": ["setup"]}
    assert [cell.id for cell in copied.cells] == [cell.id for cell in nbformat.read(lesson / FIRST, as_version=4).cells]
    assert "answer = 4" in copied.cells[2].source


def test_solutions_can_be_left_out(lesson: Path, tmp_path: Path) -> None:
    assert main(["copy", str(tmp_path / "mine"), "--without-solutions"]) == 0
    text = (tmp_path / "mine" / FIRST).read_text(encoding="utf-8")
    assert "answer = 4" not in text and "left out" in text and "Think." in text
    assert "answer = 4" in stripped((lesson / FIRST).read_bytes()).decode()


@pytest.mark.parametrize("path", sorted(working_copy.originals().glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_solution_stays_in_a_copy_without_them(path: Path) -> None:
    assert b"<summary>Solution" in path.read_bytes()
    assert b"<summary>Solution" not in stripped(path.read_bytes(), solutions=False)


def test_what_was_only_run_is_renewed(lesson: Path, mine: Path) -> None:
    (mine / FIRST).write_bytes((lesson / FIRST).read_bytes())  # with outputs: run, not edited
    assert copy_notebooks(mine, source=lesson).written == []
    edit(lesson / FIRST, "1 + 2")
    write(lesson, {"glossary.md": b"new"})
    assert copy_notebooks(mine, source=lesson).written == [mine / FIRST, mine / "glossary.md"]
    assert "1 + 2" in (mine / FIRST).read_text(encoding="utf-8")


def test_what_was_edited_is_left_alone_and_the_rest_renewed(lesson: Path, mine: Path) -> None:
    edit(mine / FIRST, "my answer")
    write(lesson / "images", {"net.png": b"other"})
    done = copy_notebooks(mine, source=lesson)
    assert done.kept == [mine / FIRST] and done.written == [mine / "images" / "net.png"] and not done.beside
    assert "my answer" in (mine / FIRST).read_text(encoding="utf-8")


def test_a_new_version_lies_beside_what_was_edited(lesson: Path, mine: Path) -> None:
    edit(mine / FIRST, "my answer")
    edit(lesson / FIRST, "second")
    new = mine / "00_start_here.new.ipynb"
    assert copy_notebooks(mine, source=lesson).beside == {mine / FIRST: new}
    assert "second" in new.read_text(encoding="utf-8") and "my answer" in (mine / FIRST).read_text(encoding="utf-8")
    assert copy_notebooks(mine, source=lesson).kept == [mine / FIRST]  # offered once, not at every start
    edit(lesson / FIRST, "third")
    assert copy_notebooks(mine, source=lesson).beside == {mine / FIRST: new}  # unedited, so it is replaced
    edit(new, "my second answer")
    edit(lesson / FIRST, "fourth")
    assert copy_notebooks(mine, source=lesson).beside == {mine / FIRST: mine / "00_start_here.new2.ipynb"}
    assert "my second answer" in new.read_text(encoding="utf-8")
    new.with_name("00_start_here.new2.ipynb").replace(mine / FIRST)  # adopted
    assert copy_notebooks(mine, source=lesson) == working_copy.Copied()


def test_force_keeps_a_backup(lesson: Path, mine: Path) -> None:
    for number, name in ((1, "00_start_here.backup.ipynb"), (2, "00_start_here.backup2.ipynb")):
        edit(mine / FIRST, f"my answer {number}")
        done = copy_notebooks(mine, source=lesson, force=True)
        assert done.saved == {mine / FIRST: mine / name}
        assert f"my answer {number}" in (mine / name).read_text(encoding="utf-8")
        assert "my answer" not in (mine / FIRST).read_text(encoding="utf-8")


def test_without_a_record_nothing_is_overwritten(lesson: Path, mine: Path) -> None:
    (mine / RECORD).write_text("{")
    edit(mine / FIRST, "my answer")
    assert copy_notebooks(mine, source=lesson).beside
    assert "my answer" in (mine / FIRST).read_text(encoding="utf-8")


def test_a_damaged_notebook_is_replaced_by_force_alone(lesson: Path, mine: Path) -> None:
    (mine / FIRST).write_text("{ half a file")
    edit(lesson / FIRST, "second")
    assert list(copy_notebooks(mine, source=lesson).beside) == [mine / FIRST]
    assert (mine / FIRST).read_text() == "{ half a file"


def test_the_command_says_what_it_did(lesson: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "my own"
    assert main(["copy", str(target)]) == 0
    assert quoted(target / FIRST) in capsys.readouterr().out
    assert main(["copy", str(target)]) == 0
    assert "up to date" in capsys.readouterr().out
    edit(target / FIRST, "my answer")
    assert main(["copy", str(target)]) == 0
    assert f"{FIRST}: left as you edited it." in capsys.readouterr().out
    edit(lesson / FIRST, "second")
    assert main(["copy", str(target)]) == 0
    said = capsys.readouterr().out
    assert "the new version is 00_start_here.new.ipynb" in said and "nbdiff-web" in said
    assert main(["copy", "--force", str(target)]) == 0
    assert "what you had is in 00_start_here.backup.ipynb" in capsys.readouterr().out


def test_what_stands_in_the_way_is_named(lesson: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["copy", str(tmp_path / "file")]) == main(["copy", str(tmp_path / "file" / "deep")]) == 1
    said = capsys.readouterr().err
    assert "that is a file" in said or "a file is in the place" in said
    (tmp_path / "mine" / FIRST).mkdir(parents=True)
    assert main(["copy", str(tmp_path / "mine")]) == main(["copy", str(lesson)]) == 1
    said = capsys.readouterr().err
    assert "is a folder where a file of the lesson belongs" in said and "folder of the originals" in said


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(lesson: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    assert main(["copy", str(tmp_path / "locked" / "mine")]) == 1
    assert "you may not write there" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"[" * 100_000, b"7", b"null", b'["a"', b"\xff", b""])
def test_what_is_remembered_of_copies_may_be_damaged(lesson: Path, tmp_path: Path, content: bytes) -> None:
    assert main(["copy", str(tmp_path / "one")]) == 0
    (tmp_path / "one" / working_copy.RECORD).write_bytes(content)
    (Path.home() / ".vgg-lesson" / "copies.json").write_bytes(content)
    assert main(["copy", str(tmp_path / "one")]) == 0
    assert (tmp_path / "one" / FIRST).read_bytes()


def test_a_second_copy_is_told_of(
    lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["copy", str(tmp_path / "one")]) == main(["copy", str(tmp_path / "two")]) == 0
    assert f"another working copy, with work of its own: {tmp_path / 'one'}" in capsys.readouterr().out
    assert main(["copy", str(tmp_path / "one" / "three")]) == 1
    assert "is a working copy already" in capsys.readouterr().err
    assert not (tmp_path / "one" / "three").exists()


def test_open_runs_jupyterlab_in_the_copy(
    lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[tuple[list[str], Path]] = []

    class Done:
        returncode = 0

    def run(command: list[str], cwd: Path, check: bool) -> Done:
        started.append((command, Path(cwd).resolve()))
        return Done()

    monkeypatch.setattr("vgg_lesson.__main__.subprocess.run", run)
    monkeypatch.chdir(tmp_path)
    assert main(["open", "--lab=--no-browser"]) == 0
    monkeypatch.chdir(tmp_path / "my-lesson" / "images")  # inside a copy, that one is opened
    assert main(["open"]) == 0
    (first, place), (second, again) = started
    assert first == [sys.executable, "-m", "jupyterlab", FIRST, "--no-browser"] and second == first[:-1]
    assert place == again == (tmp_path / "my-lesson").resolve()
    monkeypatch.setattr("vgg_lesson.__main__.importlib.util.find_spec", lambda name: None)
    assert main(["open"]) == 1
    assert "pip install jupyterlab" in capsys.readouterr().err


def test_a_foreign_folder_of_notebooks_is_not_the_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "notebooks", {FIRST: b"{}"})
    monkeypatch.setattr(working_copy, "PACKAGE", tmp_path / "vgg_lesson")  # as in site-packages
    with pytest.raises(ValueError, match="install the lesson again"):
        working_copy.originals()
    (tmp_path / "pyproject.toml").touch()
    assert working_copy.originals() == tmp_path / "notebooks"
