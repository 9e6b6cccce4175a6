"""Hundreds of generated wrong calls of everything public: refused with the name of the argument, by the package itself.

A new public function or a new argument fails here until it has a row in `tests.bad_input_rows` or
`tests.bad_input_figures`; the message says which.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import vgg_lesson
from tests import bad_input_figures, bad_input_rows
from tests.bad_input import ANY, WRONG_ANSWERS, Row, complaint
from vgg_lesson import check, figures, widgets

ROWS: Mapping[str, Row] = {**bad_input_rows.rows(), **bad_input_figures.rows()}
LEAST_CALLS = 300
SAYS = re.compile("[Yy]our (answer|function)|expected")
generated = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Everything public that can be called, methods included, by the name that its row must have."""
    for name in vgg_lesson.__all__:
        offered = getattr(vgg_lesson, name)
        if callable(offered):
            yield name, offered
        if inspect.isclass(offered):
            for method in vars(offered):
                if not method.startswith("_") and inspect.isroutine(getattr(offered, method)):
                    yield f"{name}.{method}", getattr(offered, method)
    for package in (figures, widgets):
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            module = importlib.import_module(found.name)
            for name, function in vars(module).items():
                if is_offered(package, module, name, function):
                    yield f"{package.__name__.rpartition('.')[2]}.{module.__name__.rpartition('.')[2]}.{name}", function


def is_offered(package: Any, module: Any, name: str, function: Any) -> bool:
    """Figures are what returns one; views are what the package of views lists."""
    if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != module.__name__:
        return False
    if package is widgets:
        return vars(widgets).get(name) is function
    return vars(figures).get(name) is function or "LessonFigure" in str(inspect.signature(function).return_annotation)


PUBLIC = dict(public())


def arguments_of(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments, ``self`` and ``**options`` left out."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name != "self"]


def test_everything_public_has_a_row_for_every_argument() -> None:
    missing = [
        f'"{name}": Row(…, lambda: {{{", ".join(f"{argument!r}: …" for argument in arguments_of(function))}}})'
        for name, function in PUBLIC.items()
        if name not in ROWS and arguments_of(function)
    ]
    assert not missing, "add to tests/bad_input_rows.py or bad_input_figures.py: " + "; ".join(missing)
    for name in PUBLIC.keys() & ROWS.keys():
        left_out = set(arguments_of(PUBLIC[name])) - set(ROWS[name].arguments())
        assert not left_out, f"the row {name!r} leaves out {sorted(left_out)}: give each a valid value"
        for argument in ROWS[name].arguments():
            covered = any(at == argument for at, _ in ROWS[name].slips())
            assert covered or ROWS[name].legal.get(argument) == ANY, f"the row {name!r} never spoils {argument!r}"


def test_the_calls_are_at_least_three_hundred() -> None:
    assert sum(len(row.slips()) for row in ROWS.values()) >= LEAST_CALLS


def spoil(row: Row, judge: Callable[[Row, str, Any], str] = complaint) -> None:
    """Call with several wrong values of every family for every argument; AssertionError with all complaints."""
    wrong = row.slips()

    @generated
    @given(st.fixed_dictionaries(wrong))
    def call(drawn: dict[tuple[str, str], Any]) -> None:
        complaints = [judge(row, argument, value) for (argument, _), value in drawn.items()]
        assert not any(complaints), "\n".join(filter(None, complaints))

    call()


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name].arguments()])
def test_a_wrong_argument_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spoil(ROWS[name])
    assert not list(tmp_path.iterdir()), "a wrong call has written a file"


def answer_wrongly(name: str) -> int:
    """Hand several wrong answers of every kind to a check; how many they were. AssertionError for a bad verdict."""
    count = 0

    @generated
    @given(st.fixed_dictionaries(WRONG_ANSWERS))
    def judge(drawn: dict[str, Any]) -> None:
        nonlocal count
        for kind, answer in drawn.items():
            count += 1
            verdict = check.EXERCISES[name](answer)
            assert verdict.status != "right" and verdict.message, f"{name} takes {answer!r}"
            told = verdict.status == "not answered yet" or SAYS.search(verdict.message) or callable(answer)
            assert told, f"{name} says {verdict.message!r} of {kind}: {answer!r}"

    judge()
    return count


@pytest.mark.parametrize("name", sorted(check.EXERCISES))
def test_a_wrong_answer_is_never_right_and_never_an_error(name: str) -> None:
    """A check raises nothing: its verdict says what is expected of "your answer"; of functions, what they got wrong."""
    assert answer_wrongly(name) >= len(WRONG_ANSWERS)


def test_an_unknown_exercise_and_an_unknown_topic_are_named() -> None:
    with pytest.raises(AttributeError, match="no exercise called 'receptive'"):
        check.receptive(3)
    with pytest.raises(ValueError, match="topic='stal' is unknown; choose one of"):
        check.progress("stal")


@pytest.mark.parametrize("name", [name for name in PUBLIC if name in ROWS])
def test_an_argument_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(TypeError, match="colour"):
        ROWS[name].call(**ROWS[name].arguments(), colour="red")
