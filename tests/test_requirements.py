"""One list of requirements: pyproject.toml and requirements.txt say the same, and nothing undeclared is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEWEST_FLOORS = {"torch": "2.14.1", "torchvision": "0.29.1"}
# Import name → requirement that brings it, where the two differ or the package is a dependency of one listed.
BRINGS = {
    "numpy": "matplotlib", "IPython": "jupyterlab", "ipykernel": "jupyterlab", "nbformat": "jupyterlab",
    "nbclient": "jupyterlab", "jupyter_client": "jupyterlab", "packaging": "matplotlib", "PIL": "pillow",
    "_pytest": "pytest", "nbconvert": "jupyterlab", "traitlets": "jupyterlab",
    "bs4": "jupyterlab", "pygments": "jupyterlab", "axe_playwright_python": "axe-playwright-python",
    "websocket": "jupyterlab",
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


def floors(requirement: Requirement) -> list[Version]:
    """The oldest versions that a requirement's parts allow."""
    return [Version(part.version) for part in requirement.specifier if part.operator in (">=", ">", "==", "~=")]


def leaves_room(line: str) -> bool:
    """Whether a requirement has a floor and a ceiling, and the floor is no newer than it may be."""
    requirement = Requirement(line)
    newest, oldest = Version(NEWEST_FLOORS[requirement.name]), floors(requirement)
    ceiling = any(part.operator in ("<", "<=") for part in requirement.specifier)
    return bool(oldest) and ceiling and max(oldest) <= newest and requirement.specifier.contains(newest)


@pytest.mark.parametrize("package", NEWEST_FLOORS)
def test_floors_leave_room(package: str) -> None:
    (line,) = [line for line in PROJECT["dependencies"] if Requirement(line).name == package]
    assert leaves_room(line)


@pytest.mark.parametrize(
    "line",
    ["torch>=2.14.2,<3", "torch>=2.15,<3", "torch>2.14.1,<3", "torch~=2.15", "torch==2.14.2", "torch>=3", "torch<3",
     "torch", "torch>=2.6", "torch>=2.6,<2.14", "torchvision>=0.29.2,<1", "torchvision>=0.30,<1"],
)  # fmt: skip
def test_a_floor_that_is_too_new_is_noticed(line: str) -> None:
    assert not leaves_room(line)


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
