"""The exercises' machinery, on exercises made for the purpose; the real ones are run by the notebook checks."""

from __future__ import annotations

import re
from types import FunctionType

import pytest
import torch

from tests.notebook_rules import read
from tools.paths import notebooks
from vgg_lesson.classroom.checks import TOPICS, Checks, check
from vgg_lesson.classroom.checks.nudges import NUDGES
from vgg_lesson.classroom.checks.shared import Exercise, choice, code, number, numbers
from vgg_lesson.classroom.checks.titles import TITLES

COUNT = number(
    "count",
    lambda: 640,
    why="Every filter has a bias.",
    mistakes=lambda: {576: "One value per filter is missing."},
    otherwise="Count one filter first.",
)
SHAPE = numbers(
    "shape",
    lambda: (64, 112, 112),
    why="The pool halves the grid.",
    mistakes=lambda: {(64, 224, 224): "What does the pool do?", (112, 112): "Where are the channels?"},
    otherwise="Three numbers: channels, height, width.",
)
LETTER = choice("letter", "b", why="It is b.", hints={"a": "Not a.", "c": "Not c."})
DOUBLE = code(
    "double",
    lambda values: values * 2,
    [(torch.arange(3.0),), (torch.ones(2, 2),)],
    why="Doubling keeps the shape.",
    mistakes={"That is the square.": lambda values: values**2},
    otherwise="Try it on paper.",
)


@pytest.mark.parametrize(
    ("exercise", "answer", "status"),
    [
        (COUNT, 640, "right"),
        (COUNT, 640.0, "right"),
        (COUNT, "640", "right"),
        (COUNT, [640], "right"),
        (COUNT, torch.tensor(640), "right"),
        (COUNT, 641, "wrong"),
        (COUNT, ..., "not answered yet"),
        (COUNT, None, "not answered yet"),
        (SHAPE, (64, 112, 112), "right"),
        (SHAPE, torch.Size([64, 112, 112]), "right"),
        (SHAPE, (64, ..., 112), "not answered yet"),
        (LETTER, "B", "right"),
        (LETTER, "a", "wrong"),
        (DOUBLE, lambda values: values + values, "right"),
        (DOUBLE, lambda values: ..., "not answered yet"),
        (DOUBLE, lambda values: None, "not answered yet"),
    ],
)
def test_an_answer_gets_its_verdict(exercise: Exercise, answer: object, status: str) -> None:
    assert exercise(answer).status == status


def test_a_recognised_mistake_gets_its_own_hint() -> None:
    assert COUNT(576).message == "One value per filter is missing."
    assert SHAPE((64, 224, 224)).message == "What does the pool do?"
    assert SHAPE((112, 112)).message == "Where are the channels?"
    assert DOUBLE(lambda values: values**2).message == "That is the square."


@pytest.mark.parametrize(
    ("exercise", "answer", "advice"),
    [
        (COUNT, "many", "a number is expected"),
        (COUNT, True, "bool"),
        (COUNT, float("nan"), "finite"),
        (COUNT, torch.zeros(2), "single number"),
        (COUNT, (6, 400), "1_000"),
        (SHAPE, (64, 112, 1, 120), "1_000"),
        (SHAPE, ("64", 112), "holds 2"),
        (SHAPE, 64, "tuple"),
        (SHAPE, (64, 112), "holds 2"),
        (LETTER, "z", "letters"),
        (LETTER, 3, "letters"),
        (DOUBLE, 4, "function"),
        (DOUBLE, lambda: 4, "TypeError"),
        (DOUBLE, lambda values: 1 / 0, "ZeroDivisionError"),
        (DOUBLE, lambda values: valeus * 2, "spelt as in the first line"),  # type: ignore[name-defined]  # noqa: F821
        (DOUBLE, lambda values: values @ torch.ones(7, 7), "shape of each tensor"),
        (DOUBLE, lambda values: values[:1] * 2, "Called with"),
        (DOUBLE, lambda values: f"{values * 2}", "returns the text"),
    ],
)
def test_an_unusable_answer_gets_advice_not_a_stack_trace(exercise: Exercise, answer: object, advice: str) -> None:
    verdict = exercise(answer)
    assert verdict.status == "wrong"
    assert advice in verdict.message


def test_a_function_that_changes_its_arguments_spoils_nothing() -> None:
    assert DOUBLE(lambda values: values.mul_(2)).status == "right"
    assert DOUBLE(lambda values: values).status == "wrong"


def test_a_function_without_return_is_told_so() -> None:
    assert "return" in DOUBLE(lambda values: None).message


def test_a_half_filled_function_is_not_answered_yet() -> None:
    verdict = DOUBLE(lambda values: values * ...)
    assert verdict.status == "not answered yet" and "left inside" in verdict.message


def test_a_verdict_shows_as_one_line() -> None:
    assert repr(COUNT(640)) == "✔ Right. Every filter has a bias."
    assert repr(LETTER("a")) == "✘ Not a. Not a."
    assert "\n" not in repr(COUNT(1))


def test_a_misspelt_exercise_is_answered_with_its_neighbours() -> None:
    name = next(iter(check.EXERCISES))
    with pytest.raises(AttributeError, match=name):
        getattr(Checks(), name + "x")


def test_progress_shows_the_last_verdict_of_each_check() -> None:
    checks = Checks()
    topic, exercises = next(iter(checks.topics.items()))
    first, second = exercises[0], exercises[1]
    assert getattr(checks, first.name)(first.solution()).status == "right"
    assert getattr(checks, second.name)(second.mistakes()[0].answer).status == "wrong"
    shown = repr(checks.progress(topic))
    assert shown.startswith(f"1 of {len(exercises)} right, 1 not yet, {len(exercises) - 2} open")
    assert dict(checks.progress(topic).rows)[second.name] == "wrong"
    assert TITLES[second.name][1] in shown and TITLES[second.name][1] in checks.progress(topic)._repr_html_()


def test_what_was_right_stays_right_and_later_answers_are_counted() -> None:
    checks = Checks()
    for answer in (6000, 1, 1, 60_000):
        checks.images_per_class(answer)
    assert "✔ right, 3 different answers" in repr(checks.progress("start_here"))


def _demonstrations() -> list[str]:
    """The calls that judge an answer which the notebook gives, not the student, notebook by notebook."""
    code = "\n".join(cell.source for path in notebooks() for cell in read(path).cells if cell.cell_type == "code")
    calls = re.findall(r"^check\.(\w+)(\([^a-z].*\))", code, re.MULTILINE)
    return [f"check.{name}{given}" for name, given in calls if name in TITLES and given != "()"]


def test_a_demonstration_changes_nothing_however_often_it_is_run() -> None:
    assert _demonstrations() == ["check.images_per_class(60_000, count=False)"]
    checks = Checks()
    for answer in (0, 1):
        for call in _demonstrations() * 2:
            assert eval(call, {"check": checks}).status == "wrong"
        assert dict(checks.progress("start_here").rows)["images_per_class"] == (
            "right" if answer else "not answered yet"
        )
        checks.images_per_class(6000)
    assert "✔ right" in repr(checks.progress("start_here")) and "different" not in repr(checks.progress("start_here"))


def test_a_second_hint_is_larger_than_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()
    for number_or_name in ("5.2", 5.2, "Exercise 5.2", "mean_loss"):
        checks.hint(number_or_name)
    first, second, *later = capsys.readouterr().out.splitlines()
    exercise = checks.EXERCISES["mean_loss"]
    assert NUDGES[exercise.name] in first and exercise.otherwise not in first
    assert second == exercise.otherwise and later == [second] * 2
    for _ in range(3):
        checks.hint("quiz 3")
    one, *more = capsys.readouterr().out.splitlines()
    assert "Not a:" in one and all("Not a:" in line and "Not b:" in line and "Not d:" not in line for line in more)
    checks.hint("guess_gap")
    assert "no hint" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"exercise='5.11' is no exercise; did you mean 5.1"):
        checks.hint("5.11")


WILD: dict[type, list[object]] = {
    int: [1, 123_456_789], float: [1e-9, 12_345.678], tuple: [(7.25,) * 12], FunctionType: [lambda *_: torch.ones(77)]
}  # fmt: skip


@pytest.mark.parametrize("name", TITLES)
def test_a_wild_answer_never_earns_the_recipe(name: str) -> None:
    exercise = check.EXERCISES[name]
    for answer in WILD.get(type(exercise.solution()), ["z"]):
        verdict = exercise(answer)
        assert verdict.status == "wrong" and exercise.otherwise not in verdict.message, verdict


def test_progress_without_a_topic_counts_every_notebook_in_order() -> None:
    checks = Checks()
    first = checks.topics["why_depth"][0]
    getattr(checks, first.name)(first.solution())
    rows = checks.progress().rows
    assert [topic for topic, _ in rows] == list(TOPICS) and {*TOPICS} == {*checks.topics}
    assert sum(count["right"] for _, count in rows) == dict(rows)["why_depth"]["right"] == 1
    assert "why_depth" in repr(checks.progress()) and "<code>why_depth</code>" in checks.progress()._repr_html_()


@pytest.mark.parametrize("name", [name for name in TITLES if not check.EXERCISES[name].options])
def test_a_small_hint_says_where_to_look_and_a_large_one_the_way(name: str) -> None:
    exercise = check.EXERCISES[name]
    small, large = exercise.hints()
    assert not set("×·√=*^%") & set(small) and len(small) < 100, "a nudge holds no formula"
    told, recipe = (set(re.findall(r"[a-z]{5,}", text.lower())) for text in (small, large))
    assert len(told & recipe) <= max(1, 0.4 * len(told)), f"{told & recipe}: the small hint is the large one"
    assert small not in [mistake.hint for mistake in exercise.mistakes()] and large == exercise.otherwise


def test_no_nudge_is_left_over() -> None:
    assert set(NUDGES) == {name for name in TITLES if not check.EXERCISES[name].options}


def test_an_unknown_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="topic='depht'"):
        check.progress("depht")


def numbers_in(text: str) -> set[float]:
    """The numbers a hint shows, thousands separators taken out."""
    return {float(token.replace(",", "")) for token in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)}


@pytest.mark.parametrize("exercise", check.EXERCISES.values(), ids=lambda exercise: exercise.name)
def test_no_hint_shows_a_number_that_is_asked_for(exercise: Exercise) -> None:
    key = exercise.solution()
    parts = {part for part in (key if isinstance(key, tuple | list) else [key]) if isinstance(part, int | float)}
    for hint in [*(mistake.hint for mistake in exercise.mistakes()), exercise.otherwise, NUDGES.get(exercise.name, "")]:
        assert not parts & numbers_in(hint), hint


@pytest.mark.parametrize("exercise", check.EXERCISES.values(), ids=lambda exercise: exercise.name)
def test_a_check_uses_the_notebooks_words(exercise: Exercise) -> None:
    said = " ".join([exercise.why, exercise.otherwise, *(mistake.hint for mistake in exercise.mistakes()[:40])])
    assert not re.findall(r"\b(pictures?|windows?|poke|bends?)\b", said, re.IGNORECASE), said
