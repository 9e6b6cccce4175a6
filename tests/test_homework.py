"""Homework: numbers of one's own, solutions that pass, copied and hostile submissions that get nothing."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install -r tests/requirements.txt")

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.utils import determine_grade, is_grade
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from tests import homework_submissions as made
from tests.prose_rules import PROSE_RULES
from tools.grading import judged
from tools.paths import NOTEBOOKS, homework
from vgg_lesson.homework import checked_id, counting, hand_in, plain, training

pytestmark = pytest.mark.filterwarnings("ignore:Object of type")  # nbgrader's own, from SQLAlchemy

COURSE = NOTEBOOKS / "homework"
SOURCES = {path.parent.name: path for path in homework() if path.suffix == ".ipynb"}
POINTS = {"hw1": 20, "hw2": 20}
WRITTEN = 4
SECONDS = {"hostile": 8}


@cache
def solved(homework_name: str, student: str) -> tuple[dict[str, Any], dict[str, list[NotebookNode]]]:
    """A homework solved by its own solutions, once for each student."""
    return made.run(SOURCES[homework_name], student)


def graded_cells(homework_name: str) -> Iterator[tuple[str, NotebookNode]]:
    """The cells that are graded by running."""
    cells = made.source_cells(SOURCES[homework_name])
    return ((name, cell) for name, cell in cells.items() if is_grade(cell) and cell.cell_type == "code")


def passes(cell: NotebookNode, printed: list[NotebookNode], student: str) -> bool:
    """Whether what a test cell printed gets its points when ``student`` hands it in."""
    graded = NotebookNode({**cell, "outputs": judged(cell.source, printed, student)})
    score, most = determine_grade(graded)
    assert score in (0, most)
    return bool(score)


@pytest.mark.parametrize("draw", [counting, training])
def test_numbers_are_the_students_own_and_the_same_every_time(draw: Callable[[str], Any]) -> None:
    students = [f"s{number}" for number in range(200)]
    tables = [str(draw(student)).split("\n", 1)[1] for student in students]
    assert len(set(tables)) == len(students)
    assert str(draw(" S7 ")) == str(draw("s7"))


def test_the_derivation_is_the_one_that_was_given_out() -> None:
    given = counting("s1001").network
    assert given == {
        "config": "VGG-16-1x1", "in_channels": 6, "num_classes": 17, "image_size": 256, "width": 0.625, "hidden": 1024,
    }  # fmt: skip


@pytest.mark.parametrize("bad", ["", "  ", "...", "type your id here", "a", "two words", "x" * 65, "../s1"])
def test_an_id_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="student_id"):
        checked_id(bad)


@pytest.mark.parametrize("bad", [7, None, ...])
def test_an_id_of_another_type_is_refused(bad: object) -> None:
    with pytest.raises(TypeError, match="student_id"):
        checked_id(bad)


def test_only_plain_data_are_handed_in(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    class Equal(int):
        def __eq__(self, other: object) -> bool:
            return True

    assert plain((1, torch.tensor([2.5]), torch.zeros(1, 2).shape)) == [1, [2.5], [1, 2]]
    with pytest.raises(TypeError, match="Equal"):
        hand_in("s1", answer=[Equal()])
    with pytest.raises(ValueError, match="not answered yet"):
        hand_in("s1", answer=(1, ...))
    with pytest.raises(ValueError, match="20000 at most"):
        hand_in("s1", answer="x" * 20_000)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("student", ["s1001", "anna.k"])
@pytest.mark.parametrize("name", SOURCES)
def test_solutions_pass_under_the_students_own_id_only(name: str, student: str) -> None:
    _, printed = solved(name, student)
    for test, cell in graded_cells(name):
        assert passes(cell, printed[test], student), test
        assert not passes(cell, printed[test], "somebody.else"), test


@pytest.mark.parametrize("name", SOURCES)
def test_copied_answers_get_nothing(name: str) -> None:
    _, printed = solved(name, "s1001")
    for test, cell in graded_cells(name):
        renamed = json.loads(json.dumps(printed[test]).replace("s1001", "anna.k"))
        assert not passes(cell, [NotebookNode(renamed[0])], "anna.k"), test


@pytest.mark.parametrize("forged", ["", "handed in: ", "handed in: {}", "handed in: 1", "handed in: " + "[" * 9000])
def test_forged_lines_get_nothing(forged: str) -> None:
    for name in SOURCES:
        for test, cell in graded_cells(name):
            outputs = [nbformat.v4.new_output("stream", name="stdout", text=forged)]
            assert not passes(cell, outputs, "s1001"), test


def test_each_homework_says_its_points() -> None:
    for name, path in SOURCES.items():
        graded = [cell for cell in made.source_cells(path).values() if is_grade(cell)]
        assert sum(cell.metadata["nbgrader"]["points"] for cell in graded) == POINTS[name]
        assert sum(cell.cell_type == "markdown" for cell in graded) == 1
        hidden = [cell for _, cell in graded_cells(name) if "### BEGIN HIDDEN TESTS" in cell.source]
        assert len(hidden) == len(graded) - 1


@pytest.mark.parametrize("rule", PROSE_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", SOURCES)
def test_homework_keeps_the_rules_for_prose(name: str, rule: Callable[[str, Path], Any]) -> None:
    cells = made.source_cells(SOURCES[name]).values()
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not list(rule(text, SOURCES[name]))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A course with both assignments generated, as the README says."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(COURSE / "source", folder / "source")
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")  # nbgrader calls alembic by name
        patch.setattr(sys, "path", list(sys.path))
        for name in SOURCES:
            result = grader(folder).generate_assignment(name)
            assert result["success"], result
        yield folder


def grader(course: Path, *, configured: bool = True, seconds: int = 60) -> NbGraderAPI:
    """nbgrader on a course, with the lesson's configuration or with none."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config() if configured else Config()
    config.CourseDirectory.root = str(course)
    config.Execute.timeout = seconds
    return NbGraderAPI(config=config)


def grade(course: Path, name: str, student: str, notebook: NotebookNode, **how: Any) -> dict[str, float | None]:
    """Hand a notebook in, autograde it, and return the automatic points of its cells; None waits for a person."""
    folder = course / "submitted" / student / name
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / SOURCES[name].name)
    result = grader(course, seconds=SECONDS.get(student, 60), **how).autograde(name, student)
    assert result["success"], result
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        found = gradebook.find_submission(name, student)
        return {grade.name: grade.auto_score for notebook in found.notebooks for grade in notebook.grades}


def released(course: Path, name: str) -> Path:
    """The students' version."""
    return course / "release" / name / SOURCES[name].name


def total(points: Mapping[str, float | None]) -> float:
    """The automatic points in all."""
    return sum(score or 0 for score in points.values())


@pytest.mark.parametrize("name", SOURCES)
def test_students_see_neither_solutions_nor_keys(course: Path, name: str) -> None:
    text = released(course, name).read_text(encoding="utf-8")
    assert "HIDDEN" not in text and "SOLUTION" not in text and "key." not in text
    assert "# your lines here" in text and "type your id here" in text


@pytest.mark.parametrize("name", SOURCES)
def test_a_right_submission_gets_every_point(course: Path, name: str) -> None:
    answers = made.solutions(SOURCES[name])
    points = grade(course, name, "right", made.submission(released(course, name), "right", answers))
    assert points.pop("written") is None
    assert total(points) == POINTS[name] - WRITTEN


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [("hw1", ("shapes", "formula", "conv-total", "field"), 9), ("hw2", ("std", "logs", "confusion"), 8)],
)
def test_a_half_right_submission_gets_the_points_of_its_half(
    course: Path, name: str, known: tuple[str, ...], expected: int
) -> None:
    answers = {key: text for key, text in made.solutions(SOURCES[name]).items() if key in known}
    points = grade(course, name, "half", made.submission(released(course, name), "half", answers))
    assert {test.removesuffix("-test") for test, score in points.items() if score} == set(known)
    assert total(points) == expected
    assert points["written"] == 0


def test_a_wrong_submission_gets_nothing(course: Path) -> None:
    points = grade(course, "hw1", "wrong", made.submission(released(course, "hw1"), "wrong", made.HW1_SLIPS))
    assert len(points) == 8 and not any(points.values())


def test_a_copied_submission_gets_nothing_but_its_formula(course: Path) -> None:
    names, _ = solved("hw2", "s1001")
    answers = made.solutions(SOURCES["hw2"])
    for key, variables in {
        "left": ("my_share_left",), "logs": ("my_diagnoses",), "train": ("my_pytorch_losses", "my_he_losses"),
        "confusion": ("my_counts",), "trust": ("my_precision", "my_calibration_error"),
    }.items():  # fmt: skip
        answers[key] = "\n".join(f"{variable} = {names[variable]!r}" for variable in variables)
    points = grade(course, "hw2", "copied", made.submission(released(course, "hw2"), "copied", answers))
    assert {test for test, score in points.items() if score} == {"std-test"}


@pytest.mark.parametrize(("student", "configured"), [("thief", True), ("thief2", False)])
def test_work_under_another_students_id_gets_nothing(course: Path, student: str, configured: bool) -> None:
    notebook = made.submission(released(course, "hw1"), "right", made.solutions(SOURCES["hw1"]))
    points = grade(course, "hw1", student, notebook, configured=configured)
    assert points.pop("written") is None and not any(points.values())


def test_a_hostile_submission_gets_nothing_and_is_graded(course: Path) -> None:
    hostile = made.tampered(made.submission(released(course, "hw1"), "hostile", made.HOSTILE))
    points = grade(course, "hw1", "hostile", hostile)
    assert len(points) == 8 and not any(points.values())
    written = course / "autograded" / "hostile" / "hw1" / SOURCES["hw1"].name
    assert written.stat().st_size < 200_000


def test_without_the_courses_settings_the_tests_run_in_the_kernel(course: Path) -> None:
    answers = {**made.solutions(SOURCES["hw1"]), "memory": made.HW1_SLIPS["memory"]}
    notebook = made.submission(released(course, "hw1"), "plain", answers)
    points = grade(course, "hw1", "plain", notebook, configured=False)
    assert points["memory-test"] == 0 and total(points) == POINTS["hw1"] - WRITTEN - 3
