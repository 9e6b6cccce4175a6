"""Homework: numbers of one's own, solutions that pass, copied and hostile submissions that get nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
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
from tests.notebook_rules import too_wide
from tests.prose_rules import PROSE_RULES
from tools.grading import HALF_DAY, homework, judged, question_titles, ship
from tools.paths import NOTEBOOKS, ROOT
from tools.paths import homework as homework_files
from vgg_lesson import memory, trace

pytestmark = pytest.mark.filterwarnings("ignore:Object of type")  # nbgrader's own, from SQLAlchemy

COURSE = NOTEBOOKS / "homework"
SOURCES = {path.parent.name: path for path in homework_files() if path.suffix == ".ipynb"}
POINTS = {"hw1": 20, "hw2": 20}
WRITTEN = 4
SECONDS = {"hostile": 8}
LUCK = {"logs-test": 2, "confusion-test": 1}  # points: of another student's diagnoses and small counts some may fit


@cache
def solved(homework_name: str, student: str) -> tuple[dict[str, Any], dict[str, list[NotebookNode]]]:
    """A homework solved by its own solutions, once for each student."""
    return made.run(SOURCES[homework_name], student)


def graded_cells(homework_name: str) -> Iterator[tuple[str, NotebookNode]]:
    """The cells that are graded by running."""
    cells = made.source_cells(SOURCES[homework_name])
    return ((name, cell) for name, cell in cells.items() if is_grade(cell) and cell.cell_type == "code")


def judged_points(cell: NotebookNode, printed: list[NotebookNode], student: str) -> tuple[float, float]:
    """The points for what a test cell printed when ``student`` hands it in, and the most that there are."""
    return determine_grade(NotebookNode({**cell, "outputs": judged(cell.source, printed, student)}))


@pytest.mark.parametrize("draw", [homework.counting, homework.training])
def test_numbers_are_the_students_own_and_the_same_every_time(draw: Callable[[str], Any]) -> None:
    students = [f"s{number}" for number in range(200)]
    tables = [str(draw(student)).split("\n", 1)[1] for student in students]
    assert len(set(tables)) == len(students)
    assert str(draw(" S7 ")) == str(draw("s7"))


def test_the_derivation_is_the_one_that_was_given_out() -> None:
    given = homework.counting("s1001").network
    assert given == {
        "config": "VGG-16-1x1", "in_channels": 21, "num_classes": 17, "image_size": 190, "width": 0.297, "hidden": 648,
    }  # fmt: skip
    assert homework.training("s1001").pictures[:4] == (0, 4, 5, 6)


@pytest.mark.parametrize("ids", ["s{}", "anna.{}@school.edu", "{:08d}"])
def test_sixty_students_have_other_numbers_in_every_question(ids: str) -> None:
    students = [ids.format(number) for number in range(1001, 1061)]
    questions: dict[str, list[Any]] = {}
    for student in students:
        own, other = homework.counting(student), homework.training(student)
        counted = trace(**own.network)
        half = trace(**{**own.network, "image_size": own.network["image_size"] // 2})
        bill = memory(counted, 1, optimizer=own.optimizer)
        for name, numbers in {
            "shapes": (counted.row(own.pool).output_shape, counted.row("pool5").output_shape),
            "formula": own.cases, "conv-total": counted.conv_params, "fc-total": counted.fc_params,
            "macs": counted.total_macs, "macs at half the side": half.total_macs, "field": own.stack,
            "memory": (bill.total - bill.activations, own.gigabytes, bill.activations),
            "std": other.shapes, "left": (other.spread, other.depth), "train": (other.seed, other.lr, other.batch_size),
            "logs": tuple(homework._order(student)), "confusion, trust": other.pictures,
        }.items():  # fmt: skip
            questions.setdefault(name, []).append(numbers)
    repeated = {name: len(students) - len(set(numbers)) for name, numbers in questions.items()}
    assert not any(repeated.values()), repeated


def test_the_table_says_whether_the_instructor_knows_the_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("JUPYTERHUB_USER", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(variable, raising=False)
    assert "ask your instructor" in homework.about_id("s7")
    homework.CLASS_LIST.write_text(homework.class_list(["S7", "", "anna@school.edu"]))
    assert "s7" not in homework.CLASS_LIST.read_text() and "anna" not in homework.CLASS_LIST.read_text()
    assert homework.about_id(" S7") == "as your instructor has it"
    assert homework.about_id("anna").startswith("NOT on your instructor's list")
    monkeypatch.setenv("JUPYTERHUB_USER", "anna")
    assert homework.about_id("s7").startswith("NOT your login here, which is 'anna'")
    assert str(homework.counting("s8")).splitlines()[1].startswith("id            NOT on")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert homework.about_id("s7") == "as your instructor has it"


def test_parts_say_what_was_handed_in_and_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    part, near, within = homework.Part, homework.near, homework.within
    assert homework.score(
        part("a", 1, [1, 2], (1, 2)), part("b", 1, True, 1), part("c", 0.5, 1.0004, 1, near(1e-3)),
        part("d", 1, "x", 1, within(9)), part("e", 1, None, 7),
    ) == 1.5  # fmt: skip
    right, wrong, *_, nothing = capsys.readouterr().out.splitlines()
    assert right == "✔ a: right, 1 of 1" and wrong == "✘ b: 0 of 1. Handed in: True. Expected: 1"
    assert nothing == "✘ e: 0 of 1. Handed in: nothing. Expected: 7"


@pytest.mark.parametrize("bad", ["", "  ", "...", "type your id here", "a", "two words", "x" * 65, "../s1"])
def test_an_id_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="student_id"):
        homework.checked_id(bad)


@pytest.mark.parametrize("bad", [7, None, ...])
def test_an_id_of_another_type_is_refused(bad: object) -> None:
    with pytest.raises(TypeError, match="student_id"):
        homework.checked_id(bad)


def test_only_plain_data_are_handed_in(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    class Equal(int):
        def __eq__(self, other: object) -> bool:
            return True

    assert homework.plain((1, torch.tensor([2.5]), torch.zeros(1, 2).shape)) == [1, [2.5], [1, 2]]
    with pytest.raises(TypeError, match="Equal"):
        homework.hand_in("s1", answer=[Equal()])
    with pytest.raises(ValueError, match="20000 at most"):
        homework.hand_in("s1", answer="x" * 20_000)
    assert capsys.readouterr().out == ""


def test_what_is_there_is_handed_in_and_what_is_missing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="second, third: not answered yet"):
        homework.hand_in("s1", first=1, second=..., third=(1, ...))
    line = capsys.readouterr().out.removeprefix(homework.HANDED_IN)
    assert json.loads(line) == {"student_id": "s1", "first": 1, "second": None, "third": [1, None]}


@pytest.mark.parametrize("student", ["s1001", "anna.k"])
@pytest.mark.parametrize("name", SOURCES)
def test_solutions_pass_under_the_students_own_id_only(name: str, student: str) -> None:
    _, printed = solved(name, student)
    for test, cell in graded_cells(name):
        given, most = judged_points(cell, printed[test], student)
        assert given == most, test
        assert not judged_points(cell, printed[test], "somebody.else")[0], test


@pytest.mark.parametrize("name", SOURCES)
def test_copied_answers_get_nothing(name: str) -> None:
    _, printed = solved(name, "s1001")
    for test, cell in graded_cells(name):
        renamed = json.loads(json.dumps(printed[test]).replace("s1001", "anna.k"))
        given, _ = judged_points(cell, [NotebookNode(renamed[0])], "anna.k")
        assert given <= LUCK.get(test, 0), test


@pytest.mark.parametrize("forged", ["", "handed in: ", "handed in: {}", "handed in: 1", "handed in: " + "[" * 9000])
def test_forged_lines_get_nothing(forged: str) -> None:
    for name in SOURCES:
        for test, cell in graded_cells(name):
            outputs = [nbformat.v4.new_output("stream", name="stdout", text=forged)]
            assert not judged_points(cell, outputs, "s1001")[0], test


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


@pytest.mark.parametrize("name", SOURCES)
def test_homework_code_fits_a_projector(name: str) -> None:
    assert not too_wide(nbformat.read(SOURCES[name], as_version=4))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A course with both assignments generated, as the README says."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(COURSE / "source", folder / "source")
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    shutil.copy(COURSE / "vgg_homework.py", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        patch.setenv("PATH", os.environ["PATH"])
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
    assert (released(course, name).parent / "vgg_homework.py").read_bytes() == (COURSE / "vgg_homework.py").read_bytes()
    assert "HIDDEN" not in text and "SOLUTION" not in text and "key." not in text
    assert "# your lines here" in text and "type your id here" in text


@pytest.mark.parametrize("name", SOURCES)
def test_a_right_submission_gets_every_point(course: Path, name: str) -> None:
    answers = made.solutions(SOURCES[name])
    points = grade(course, name, "right", made.submission(released(course, name), "right", answers))
    assert points.pop("written") is None
    assert total(points) == POINTS[name] - WRITTEN


@pytest.mark.parametrize(
    ("name", "known", "halves", "expected"),
    [
        (
            "hw1",
            ("shapes", "formula", "conv-total"),
            {"macs": "my_macs = trace(**me.network).total_macs\nmy_macs_at_half_side = ..."},
            7,
        ),
        ("hw2", ("std", "confusion"), {"logs": "my_diagnoses = dict.fromkeys('ABCDEFGH', 'healthy')"}, None),
    ],
)
def test_each_part_of_a_question_counts(
    course: Path, name: str, known: tuple[str, ...], halves: dict[str, str], expected: float | None
) -> None:
    answers = {key: text for key, text in made.solutions(SOURCES[name]).items() if key in known} | halves
    points = grade(course, name, "half", made.submission(released(course, name), "half", answers))
    (part,) = halves
    if expected is None:
        healthy = homework._order("half").count("healthy")
        assert points[f"{part}-test"] == healthy / 2
        expected = 4 + healthy / 2
    assert total(points) == expected and points["written"] == 0
    assert {test.removesuffix("-test") for test, score in points.items() if score} == {*known, part}


def test_a_wrong_submission_gets_nothing(course: Path) -> None:
    points = grade(course, "hw1", "wrong", made.submission(released(course, "hw1"), "wrong", made.HW1_SLIPS))
    assert len(points) == 8 and not any(points.values())
    folder = course / "autograded" / "wrong" / "hw1"
    shown = (folder / SOURCES["hw1"].name).read_text(encoding="utf-8")
    assert "✘ the parameters of all convolutions: 0 of 2. Handed in:" in shown and "Expected:" in shown


def test_a_copied_submission_gets_nothing_but_its_formula(course: Path) -> None:
    names, _ = solved("hw2", "s1001")
    answers = made.solutions(SOURCES["hw2"])
    for key, variables in {
        "left": ("my_share_left",), "logs": ("my_diagnoses",), "train": ("my_pytorch_losses", "my_he_losses"),
        "confusion": ("my_counts",), "trust": ("my_precision", "my_calibration_error"),
    }.items():  # fmt: skip
        answers[key] = "\n".join(f"{variable} = {names[variable]!r}" for variable in variables)
    points = grade(course, "hw2", "copied", made.submission(released(course, "hw2"), "copied", answers))
    for test, most in LUCK.items():
        assert (points.pop(test) or 0) <= most
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


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A course graded by the documented commands without an activated environment: the folder, and what they said."""
    folder = tmp_path_factory.mktemp("room")
    shutil.copytree(COURSE / "source", folder / "source")
    for name in ("nbgrader_config.py", "vgg_homework.py"):
        shutil.copy(COURSE / name, folder)
    (folder / "students.txt").write_text("\n".join([*made.TRIED, "mistyped", "broken"]))
    said = command(folder, "generate_assignment", "hw1")
    solutions = made.solutions(SOURCES["hw1"])
    for student, damage in made.TRIED.items():
        notebook = made.submission(released(folder, "hw1"), student, solutions)
        damage(notebook)
        name = made.FILE_NAMES.get(student, SOURCES["hw1"].name)
        hand_over(folder, student, notebook, name, made.ENCODINGS.get(student, "utf-8"))
    mistyped = made.submission(released(folder, "hw1"), "mistyped@school.edu", solutions)
    hand_over(folder, "mistyped", mistyped, SOURCES["hw1"].name)
    (folder / "submitted" / "broken" / "hw1").mkdir(parents=True)
    (folder / "submitted" / "broken" / "hw1" / SOURCES["hw1"].name).write_text("no notebook")
    said += command(folder, "autograde", "hw1", status=1)
    said += command(folder, "generate_feedback", "hw1")
    yield folder, said


def hand_over(course: Path, student: str, notebook: NotebookNode, name: str, encoding: str = "utf-8") -> None:
    """Put a submission where nbgrader looks for it, as a file that no validation has tidied."""
    folder = course / "submitted" / student / "hw1"
    folder.mkdir(parents=True)
    (folder / name).write_text(json.dumps(notebook), encoding=encoding)


def command(course: Path, *words: str, status: int = 0) -> str:
    """Run nbgrader as the README says, with nothing of the environment on the path; returns what it said."""
    nbgrader = Path(sys.executable).parent / "nbgrader"
    kept = {name: os.environ[name] for name in ("HOME", "OMP_NUM_THREADS") if name in os.environ}
    environment = {**kept, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([nbgrader, *words], cwd=course, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize("student", made.TRIED)
def test_honest_work_gets_its_points_whatever_became_of_its_cells(room: tuple[Path, str], student: str) -> None:
    with Gradebook(f"sqlite:///{room[0] / 'gradebook.db'}") as gradebook:
        found = gradebook.find_submission("hw1", student)
        points = {grade.name: grade.auto_score for notebook in found.notebooks for grade in notebook.grades}
    assert points.pop("written") is None, "a person reads the written answer"
    assert total(points) == POINTS["hw1"] - WRITTEN, points
    graded = nbformat.read(room[0] / "autograded" / student / "hw1" / SOURCES["hw1"].name, as_version=4)
    words = next(cell for cell in graded.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "written")
    assert words.cell_type == "markdown" and words.source.split() == made.WORDS.split()


def test_grading_goes_on_past_what_cannot_be_read_and_says_nothing_of_honest_work(room: tuple[Path, str]) -> None:
    folder, said = room
    assert "broken" in said and not (folder / "autograded" / "broken" / "hw1").exists()
    assert "checksum" not in said
    changed = [line for line in said.splitlines() if "was changed" in line]
    named = [word for line in changed for word in line.split() if word.endswith("-test")]
    assert "memory-test" in named and set(named) <= {"memory-test", "field-test"}, changed
    assert len(named) == len(changed) == len(set(named)), changed
    assert "is graded as arithmetic_of_vgg.ipynb" in said


def test_feedback_names_the_question_and_what_was_expected(room: tuple[Path, str]) -> None:
    page = (room[0] / "feedback" / "untouched" / "hw1" / "arithmetic_of_vgg.html").read_text(encoding="utf-8")
    titles = question_titles(room[0] / "source" / "hw1")
    assert len(set(titles.values())) == 7 and "Test cell" not in page
    assert all(f'<a href="#{name}-test">{title}</a>' in page for name, title in titles.items() if name != "written")
    assert "✔ the largest batch: right, 2 of 2" in page


def test_an_id_typed_in_another_way_counts_nothing_and_both_sides_say_so(room: tuple[Path, str]) -> None:
    folder, _ = room
    listed = (folder / "release" / "hw1" / "class_list.txt").read_text().split()
    assert homework.fingerprint("untouched") in listed and homework.fingerprint("mistyped@school.edu") not in listed
    page = (folder / "feedback" / "mistyped" / "hw1" / "arithmetic_of_vgg.html").read_text(encoding="utf-8")
    assert "NOT on your instructor" in page
    assert "who hands this in" in page and "with the other id nothing counts" in page
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        assert gradebook.find_submission("hw1", "mistyped").score == 0


def test_the_module_has_one_source(tmp_path: Path) -> None:
    shutil.copytree(COURSE / "source", tmp_path / "source")
    (tmp_path / "students.txt").write_text("two words\n")
    with pytest.raises(ValueError, match="'two words' is no id"):
        ship(tmp_path)
    (tmp_path / "students.txt").unlink()
    ship(tmp_path)
    for copy in tmp_path.glob("source/*/vgg_homework.py"):
        assert copy.read_bytes() == (COURSE / "vgg_homework.py").read_bytes()
    assert len([*tmp_path.glob("source/*/vgg_homework.py")]) == len(SOURCES) + 1  # and the half-day's


def test_the_homework_of_the_half_day_is_made_of_the_others_and_can_be_solved(tmp_path: Path) -> None:
    shutil.copytree(COURSE / "source", tmp_path / "source")
    ship(tmp_path)
    cells = nbformat.read(tmp_path / "source" / HALF_DAY, as_version=4).cells
    graded = [cell for cell in cells if is_grade(cell)]
    assert sum(cell.metadata.nbgrader.points for cell in graded) == 20
    headings = [int(found) for cell in cells for found in re.findall(r"^## (\d+) ", cell.source, re.MULTILINE)]
    assert headings == list(range(1, len(headings) + 1))
    ids = [cell.metadata.nbgrader.grade_id for cell in cells if "nbgrader" in cell.metadata]
    assert len(ids) == len(set(ids))
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        printed = made.executed(cell, "s1001", names)
        if is_grade(cell):
            given, most = judged_points(cell, printed, "s1001")
            assert given == most, cell.id
