"""The students' edition: everything to work with, nothing that gives an answer away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import student
from tools.__main__ import main as tools_main
from tools.paths import NOTEBOOKS, ROOT, notebooks

QUESTIONS = "before_and_after_test.md"


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The edition without solutions."""
    folder = tmp_path_factory.mktemp("edition") / "class"
    assert len(student.write(folder)) == len(notebooks())
    return folder


def test_nothing_gives_an_answer_away(edition: Path) -> None:
    names = {path.relative_to(edition).as_posix() for path in edition.rglob("*") if path.is_file()}
    for unwanted in ("instructor_guide", "homework", "exam", "tests/", "tools/", "__pycache__"):
        assert not [name for name in names if unwanted in name], unwanted
    for path in (edition / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
        assert not [cell.id for cell in cells if "<summary>Solution" in cell.source]
        assert not [cell.id for cell in cells if cell.metadata.get("slideshow", {}).get("notes")]


def test_it_has_what_a_student_needs(edition: Path) -> None:
    for name in ("README.md", "requirements.txt", "pyproject.toml", "binder/start", f"notebooks/{QUESTIONS}"):
        assert (edition / name).is_file(), name
    code = "import vgg_lesson as l; print(l.__file__, l.load_fashion_mnist('test').source); l.load_trained()"
    environment = {"PYTHONPATH": str(edition), "VGG_LESSON_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=edition, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(edition))


def test_solutions_come_along_if_wanted_and_exercises_are_all_there(edition: Path, tmp_path: Path) -> None:
    student.write(tmp_path / "full", with_solutions=True)
    for path in notebooks():
        with_them = (tmp_path / "full" / "notebooks" / path.name).read_text(encoding="utf-8")
        without = (edition / "notebooks" / path.name).read_text(encoding="utf-8")
        assert with_them.count("### Exercise") == without.count("### Exercise")
        assert with_them.count("check.") - without.count("check.") <= with_them.count("<summary>Solution")


@pytest.mark.parametrize("target", [ROOT / "edition", NOTEBOOKS])
def test_it_is_not_made_inside_the_repository(target: Path) -> None:
    with pytest.raises(ValueError, match="lies in this repository"):
        student.write(target)


def test_it_overwrites_an_edition_and_nothing_else(edition: Path, tmp_path: Path) -> None:
    student.write(edition)
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ValueError, match="not empty and no students' edition"):
        student.write(tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("words", [
    ["slides", "99"], ["site", "x"], ["student"], ["student", str(ROOT)], ["refresh", "--x"], ["times", "--x"],
    ["numbers", "99"], ["links", "x"], ["proofs", "x"],
])  # fmt: skip
def test_wrong_arguments_end_in_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = tools_main(words)
    except SystemExit as left:
        status = int(left.code or 0)
    said = capsys.readouterr().err.splitlines()
    assert status == 2 and said[-1].startswith(f"python -m tools {words[0]}: ")
