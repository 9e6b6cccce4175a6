"""One list of requirements: pyproject.toml and requirements.txt say the same, and constraints keep to it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEWEST_FLOORS = {"torch": "2.14.1", "torchvision": "0.29.1"}


def lines(path: Path) -> list[str]:
    """The lines of a requirements file, without comments and blanks."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_requirements_are_the_projects_what_its_tests_need_and_the_project_itself() -> None:
    *listed, nbval, project = lines(ROOT / "requirements.txt")
    assert listed == PROJECT["dependencies"]
    assert nbval.startswith("nbval") and project == "-e ."


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


def test_constraints_are_what_the_requirements_allow() -> None:
    pinned = {Requirement(line).name.lower(): Requirement(line) for line in lines(ROOT / "tests" / "constraints.txt")}
    for file in ("requirements.txt", "tests/requirements.txt"):
        for line in lines(ROOT / file):
            if not line.startswith("-") and (requirement := Requirement(line)).name.lower() in pinned:
                (version,) = pinned[requirement.name.lower()].specifier
                assert requirement.specifier.contains(version.version), f"{line}: {version}"
    assert {Requirement(line).name.lower() for line in PROJECT["dependencies"]} <= pinned.keys()
