"""Hundreds of generated wrong calls of everything public: refused with the name of the argument, by the package itself.

A new argument fails here until it stands in `tests.bad_input_rows`; the message says which.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import vgg_lesson
from tests import bad_input_rows
from tests.bad_input import ANY, WRONG_ANSWERS, Row, complaint
from vgg_lesson import check

ROWS: Mapping[str, Row] = bad_input_rows.rows()
LEAST_CALLS = 300
CORE = {
    "trace", "build_vgg", "initialize", "load_torchvision_weights", "load_fashion_mnist", "data_loaders", "fit",
    "evaluate", "predict", "load_trained", "memory", "to_batch", "batches", "ImageSet", "VGGConfig",
}  # fmt: skip
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


PUBLIC = dict(public())


def arguments_of(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments, ``self`` and ``**options`` left out."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name != "self"]


def test_what_people_build_on_has_a_row_for_every_argument() -> None:
    missing = CORE - ROWS.keys()
    assert not missing, f"add to tests/bad_input_rows.py: {sorted(missing)}"
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
