"""Options in the notebooks and the hints for them cannot drift apart: `choices.json` holds both side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.notebook_rules import read
from tools.paths import notebooks
from vgg_lesson import check

READ_TOGETHER = json.loads(Path(__file__).with_name("choices.json").read_text(encoding="utf-8"))
CHOICES = [name for name, exercise in check.EXERCISES.items() if exercise.options]
OPTION = re.compile(r"^- \*\*([a-f])\*\* (.+)$", re.MULTILINE)


def found_in_notebooks() -> dict[str, dict[str, list[str]]]:
    """Question → letter → the option's text and what the check says of it: a hint, or why it is right."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in notebooks():
        options: dict[str, str] = {}
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                options = dict(OPTION.findall(re.sub(r"<!--.*?-->", "", cell.source))) or options
                continue
            for name in re.findall(r"check\.guess\(\"(\w+)\"|check\.(\w+)\(\w", cell.source):
                if "".join(name) in CHOICES:
                    found.setdefault("".join(name), _with_hints("".join(name), options))
    return found


def _with_hints(name: str, options: dict[str, str]) -> dict[str, list[str]]:
    exercise = check.EXERCISES[name]
    hints = {mistake.answer: mistake.hint for mistake in exercise.mistakes()} | {exercise.solution(): exercise.why}
    assert set(hints) == set(options) == set(exercise.options) | {exercise.solution()}, name
    return {letter: [options[letter], hints[letter]] for letter in sorted(options)}


FOUND = found_in_notebooks()


@pytest.mark.parametrize("name", CHOICES)
def test_each_option_stands_beside_its_hint(name: str) -> None:
    assert FOUND[name] == READ_TOGETHER[name], "read options and hints together, then change choices.json"


def test_no_question_is_left_over() -> None:
    assert set(READ_TOGETHER) == set(CHOICES)
