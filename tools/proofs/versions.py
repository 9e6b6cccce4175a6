"""The lesson under other versions: a clean environment each, the notebooks compared with what is stored, and tests.

"oldest" pins everything that requirements.txt names to the oldest release it allows, "newest" takes what there is.
Three notebooks are run: training, figures, views. A Python that is not on this machine is left out, and said to be.
Environments are made by uv, in the system's folder for temporary files, and deleted after use; each takes some
gigabytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.test_requirements import floors, lines
from tools.paths import ROOT, notebooks
from tools.proofs.outputs import counted
from tools.proofs.report import Proof
from tools.proofs.suite import IN_PAIRS

# The ends of what is allowed, and every newest; 3.14 came after the oldest releases, which have no build for it.
ENVIRONMENTS = (
    ("3.11", "oldest"), ("3.11", "newest"), ("3.12", "newest"), ("3.13", "oldest"), ("3.13", "newest"),
    ("3.14", "newest"),
)  # fmt: skip
SHOWN = ("torch", "torchvision", "ipywidgets", "jupyterlab", "notebook", "matplotlib")
# What the tests below need; the rest of tests/requirements.txt is for linters and the homework.
TEST_TOOLS = (
    "pytest", "pytest-xdist", "hypothesis", "psutil", "torchmetrics", "playwright", "notebook", "latex2mathml",
)  # fmt: skip
CHECKED = (
    *(f"notebooks/{path.name}" for path in notebooks(["00", "05", "07"])), "tests/test_models.py",
    "tests/test_kept_files.py",
)  # fmt: skip
VERSIONS = "import importlib.metadata as m, platform; print(platform.python_version(), *map(m.version, {names!r}))"


def run(names: Sequence[str] = ()) -> Proof:
    """All environments, or those named: "py312_newest"; those that ran before on this machine stay in the table."""
    proof = Proof(
        "versions", "Other versions, each in a clean environment, budget smoke",
        ("environment", "python", *SHOWN, "passed", "failed", "skipped"),
    )  # fmt: skip
    figures: dict[str, Any] = proof.kept().get("environments", {})
    missing = []
    for version, kind in ENVIRONMENTS:
        name = f"py{version.replace('.', '')}_{kind}"
        if names and name not in names:
            continue
        if not (python := interpreter(version)):
            missing.append(version)
            continue
        figures[name] = checked(python, kind)
        print(name, figures[name], flush=True)
    proof.notes = [f"Python {version} is not on this machine." for version in dict.fromkeys(missing)]
    _conclude(proof, dict(sorted(figures.items())))
    return proof


def interpreter(version: str) -> str | None:
    """A Python of this version on the path, or among those of pyenv."""
    folders = (Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob(f"{version}.*/bin")
    path = os.pathsep.join([os.environ["PATH"], *map(str, folders)])
    for folder in path.split(os.pathsep):
        found = shutil.which(f"python{version}", path=folder)
        if found and "shims" not in found and _works(found, version):
            return found
    return None


def checked(python: str, kind: str) -> dict[str, Any]:
    """Versions and counts of one environment with a clean clone in it; ``said`` holds what failed."""
    with tempfile.TemporaryDirectory(prefix="vgg-lesson-versions-") as folder:
        clone, own = Path(folder, "clone"), str(Path(folder, "venv", "bin", "python"))
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        subprocess.run([python, "-m", "venv", "--without-pip", str(Path(folder, "venv"))], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", own]
        made = subprocess.run([*install, *pinned(kind), *test_tools()], capture_output=True, text=True, check=False)
        if made.returncode:
            return {"said": made.stderr.strip()[-500:], "passed": 0, "failed": 1, "skipped": 0}
        subprocess.run([*install, "--no-deps", "-e", str(clone)], check=True)
        shown = subprocess.run([own, "-c", VERSIONS.format(names=SHOWN)], capture_output=True, text=True, check=True)
        return {**dict(zip(("python", *SHOWN), shown.stdout.split(), strict=True)), **tested(own, clone)}


def pinned(kind: str) -> list[str]:
    """requirements.txt's packages, at the oldest releases it allows, or as it says."""
    named = [Requirement(line) for line in lines(ROOT / "requirements.txt") if not line.startswith("-")]
    if kind == "newest":
        return [str(requirement) for requirement in named]
    return [f"{r.name}=={min(floors(r))}" + (f"; {r.marker}" if r.marker else "") for r in named if floors(r)]


def tested(python: str, clone: Path) -> dict[str, Any]:
    """How the notebooks and the chosen tests of a clone go with this interpreter."""
    quiet = ("-q", "-p", "no:cacheprovider", "--durations=0", "--no-header")
    command = [python, "-m", "pytest", *quiet, *IN_PAIRS, *CHECKED]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    return counted(done)


def _conclude(proof: Proof, figures: Mapping[str, Mapping[str, Any]]) -> None:
    for name, row in figures.items():
        told = (row.get(column, "–") for column in ("python", *SHOWN))
        proof.rows.append((name, *told, *(str(row[count]) for count in ("passed", "failed", "skipped"))))
        proof.notes += [f"{name}: {row['said']}"] if row["said"] else []
    proof.figures = {"environments": dict(figures)}
    proof.verdicts = {
        "every environment": len(figures) == len(ENVIRONMENTS),
        "no failure": bool(figures) and not any(row["failed"] for row in figures.values()),
    }
    proof.lines = list(_lines(figures))


def _lines(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, row in figures.items():
        told = ", ".join(f"{package} `{row[package]}`" for package in SHOWN if package in row)
        passed = f"{{environments.{name}.passed:,}} passed, {{environments.{name}.failed}} failed"
        yield f"Python `{row.get('python', name)}`, {name.partition('_')[2]}", f"{told}: {passed}"


def test_tools() -> list[str]:
    """The requirements of the tests that are run, pytest among them."""
    every = map(Requirement, lines(ROOT / "tests" / "requirements.txt"))
    return [f"{requirement.name}{requirement.specifier}" for requirement in every if requirement.name in TEST_TOOLS]


def _works(python: str, version: str) -> bool:
    command = [python, "-c", "import sys, venv, ssl, sqlite3; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version
