"""Every notebook keeps the rules, its solutions satisfy its checks, and its exercises are known to the package."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from tests import notebook_rules as rules
from tests.prose_rules import PROSE_RULES
from tools.paths import NOTEBOOKS, ROOT, documents, notebooks
from vgg_lesson import check, class_vgg, figures, fit, get_budget, load_fashion_mnist, predict
from vgg_lesson.classroom.checks.titles import TITLES

PATHS = notebooks()
GUIDES = [path for path in documents() if path.suffix == ".md"]


@cache
def notebook(path: Path) -> rules.Notebook:
    """A notebook of the series, read once."""
    return rules.Notebook(path, rules.read(path), [other.stem for other in PATHS])


def run(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell quietly; returns the value of its last line if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(tree, "<cell>", "exec"), names)
        if isinstance(last, ast.Expr):
            return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return None


def test_a_trial_of_06_goes_on_only_with_the_images_it_was_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (cell,) = [cell.source for cell in rules.read(PATHS[6]).cells if "def trial(" in cell.source]
    files: list[Path] = []
    names: dict[str, Any] = {
        "Path": Path, "zlib": zlib, "torch": torch, "budget": get_budget(), "class_vgg": Mock(), "validation": None,
        "predict": Mock(), "fit": lambda *_, checkpoint, **options: files.append(checkpoint),
    }  # fmt: skip
    run(cell, names)
    data = load_fashion_mnist("train")
    for images in (data, data, data.subset(100)):
        names["train"] = images
        names["trial"]("a recipe", lr=0.1)
    assert files[0] == files[1] != files[2]


def test_a_trial_of_06_that_diverges_names_nothing_rightly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (cell,) = [cell.source for cell in rules.read(PATHS[6]).cells if "def trial(" in cell.source]
    data = load_fashion_mnist("train").subset(256)
    names: dict[str, Any] = {
        "Path": Path, "zlib": zlib, "torch": torch, "budget": Mock(steps=lambda _: 4), "class_vgg": class_vgg,
        "train": data, "validation": data, "predict": predict, "fit": fit,
    }  # fmt: skip
    run(cell, names)
    for name, lr in (("gone", 1e9), ("kept", 0.001)):
        run(f'trial("{name}", {{"batch_norm": False}}, lr={lr})\nprint_log()', names)
    assert names["log"]["gone"].ending.startswith("NaN") and not names["right"]["gone", 0].any()
    assert names["right"]["kept", 0].any()
    drawn = figures.running_log(names["log"], names["right"]).alt
    assert "gone 0.0%" in drawn


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rule(path: Path, rule: Callable[[rules.Notebook], Any]) -> None:
    complaints = list(rule(notebook(path)))
    assert not complaints, "\n".join([path.name, *complaints])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_stub_is_unanswered_and_solution_is_right(path: Path) -> None:
    prepared: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook(path).code:
        if "setup" in rules.tags(cell):
            run(cell.source, prepared)
    for exercise in rules.exercises(notebook(path)):
        assert exercise.stub is not None and exercise.fence is not None, exercise.heading
        before = run(exercise.stub.source, dict(prepared))
        assert before.status == "not answered yet", f"{exercise.heading}, stub: {before}"
        after = run(exercise.fence, dict(prepared))
        assert after.status == "right", f"{exercise.heading}, solution: {after}"


@pytest.mark.parametrize("name", check.EXERCISES)
def test_recognised_mistakes_get_their_own_hint(name: str) -> None:
    exercise = check.EXERCISES[name]
    assert len(exercise.mistakes()) >= 2
    assert len(re.findall(r"[.?!](?:\s|$)", exercise.why)) == 1, "why it matters is said in one sentence"
    assert exercise(exercise.solution()).status == "right"
    assert exercise(exercise.stub).status == "not answered yet"
    for mistake in exercise.mistakes():
        verdict = exercise(mistake.answer)
        assert (verdict.status, verdict.message) == ("wrong", mistake.hint)
        assert mistake.hint != exercise.otherwise


def test_notebooks_and_package_know_the_same_checks() -> None:
    used = {
        name for path in PATHS for cell in notebook(path).code for name in re.findall(r"check\.(\w+)\(", cell.source)
    }
    used -= {"progress", "guess", "guessed", "hint"}
    assert used == set(check.EXERCISES)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_progress_lists_the_checks_in_the_order_of_the_notebook(path: Path) -> None:
    source = "\n".join(cell.source for cell in notebook(path).code)
    topics = re.findall(r"check\.progress\(\"(\w+)\"\)", source)
    assert len(topics) == 1, topics
    used = [
        name
        for name in dict.fromkeys(re.findall(r"check\.(\w+)\(", source))
        if name not in ("progress", "guess", "guessed", "hint")
    ]
    assert [exercise.name for exercise in check.topics[topics[0]]] == used


def test_headings_and_package_give_exercises_the_same_numbers_and_titles() -> None:
    found: dict[str, tuple[str, str]] = {}
    for path in PATHS:
        heading = None
        for cell in notebook(path).node.cells:
            heads = re.findall(r"^### Exercise ([\d.]+) .+?: (.+)$|^\*\*(\d)\.\*\* ", cell.source, re.MULTILINE)
            if heads and cell.cell_type == "markdown":
                number, title, question = heads[-1]
                heading = (number, title) if number else (f"quiz {question}", "check yourself")
            elif cell.cell_type == "code" and heading:
                names = re.findall(r"^check\.(?!guess\b)(\w+)\((?=\w)", cell.source, re.MULTILINE)
                found |= dict.fromkeys(names, heading)
    assert found == dict(TITLES)


def test_most_outputs_of_the_series_are_compared_strictly() -> None:
    shares = [rules.strict_share(notebook(path).node) for path in PATHS]
    strict, bearing = sum(share[0] for share in shares), sum(share[1] for share in shares)
    assert bearing and strict >= bearing / 2, f"{strict} of {bearing}"


def test_every_claims_file_belongs_to_a_notebook() -> None:
    claims = {path.stem for path in (ROOT / "tests" / "claims").glob("*.py")}
    assert claims <= {path.stem for path in PATHS}


def test_the_series_is_numbered_without_gaps_and_flat() -> None:
    assert [path.stem[:2] for path in PATHS] == [f"{number:02}" for number in range(len(PATHS))]
    found = {path.relative_to(NOTEBOOKS) for path in NOTEBOOKS.rglob("*.ipynb")}
    # Homework is not of the series (tests/test_homework.py), nor is what JupyterLab keeps in a hidden folder.
    others = {path for path in found if path.parts[0] == "homework" or ".ipynb_checkpoints" in path.parts}
    assert found - others == {path.relative_to(NOTEBOOKS) for path in PATHS}


@pytest.mark.parametrize("rule", PROSE_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_guide_keeps_the_rules_for_prose(path: Path, rule: Callable[[str, Path], Any]) -> None:
    complaints = list(rule(path.read_text(encoding="utf-8"), path))
    assert not complaints, "\n".join([path.name, *complaints])
