"""One list of requirements: pyproject.toml and requirements.txt say the same, and nothing undeclared is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEWEST_FLOORS = {"torch": "2.14.1", "torchvision": "0.29.1"}
# Import name → requirement that brings it, where the two differ or the package is a dependency of one listed.
BRINGS = {
    "numpy": "matplotlib", "IPython": "jupyterlab", "ipykernel": "jupyterlab", "nbformat": "jupyterlab",
    "nbclient": "jupyterlab", "jupyter_client": "jupyterlab", "packaging": "matplotlib", "PIL": "torchvision",
    "_pytest": "pytest",
}  # fmt: skip


def lines(path: Path) -> list[str]:
    """The lines of a requirements file, without comments and blanks."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    return [line.strip() for line in text.splitlines() if line.strip()]


def names(path: Path) -> set[str]:
    """The packages of a requirements file."""
    return {Requirement(line).name.lower() for line in lines(path) if not line.startswith("-")}


def imported(folder: str) -> set[str]:
    """Top-level names that the Python files of a folder import from elsewhere."""
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"vgg_lesson", "tools", "tests"}


def test_requirements_are_the_projects_and_the_project_itself() -> None:
    assert lines(ROOT / "requirements.txt") == [*PROJECT["dependencies"], "-e ."]


@pytest.mark.parametrize("package", NEWEST_FLOORS)
def test_floors_leave_room(package: str) -> None:
    requirement = next(Requirement(line) for line in PROJECT["dependencies"] if Requirement(line).name == package)
    assert requirement.specifier.contains(NEWEST_FLOORS[package])


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("vgg_lesson", ["requirements.txt"]),
        ("tools", ["requirements.txt", "tests/requirements.txt"]),
        ("tests", ["requirements.txt", "tests/requirements.txt"]),
    ],
)
def test_what_is_imported_is_required(folder: str, files: list[str]) -> None:
    required = set().union(*(names(ROOT / file) for file in files))
    assert {BRINGS.get(name, name).lower() for name in imported(folder)} <= required
