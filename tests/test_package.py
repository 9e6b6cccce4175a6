"""The wheel carries the lesson: installed into a new environment, far from the clone, it copies, runs and judges."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tools.paths import ROOT, notebooks

LARGEST = 25_000_000  # bytes
NOTEBOOK = "03_parameter_arithmetic.ipynb"  # trains nothing
RUN = f"""
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read({NOTEBOOK!r}, as_version=4)
kernel = {{"kernel_name": "python3", "timeout": 300}}
NotebookClient(notebook, **kernel).execute()
said = str([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
assert "not answered yet" in said.lower(), said
"""
CHECKS = """
import vgg_lesson
from vgg_lesson import check
assert "site-packages" in vgg_lesson.__file__, vgg_lesson.__file__
print(check.zfnet_conv1_size(110))
print(check.zfnet_conv1_size(109))
"""


@pytest.fixture(name="wheel", scope="module")
def wheel_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made as a release makes it: from the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name.endswith(".tar.gz") for path in folder.glob("*.tar.gz")] == [True]
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(name="environment", scope="module")
def environment_fixture(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; torch and the rest come from the environment of the tests, the clone does not.

    A line in a .pth file adds a folder without reading the .pth files in it, of which one would add the clone.
    """
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / Path(sys.executable).name
    query = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    own = subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip()
    (Path(own) / "rest.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    install = ["pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True)
    return scripts


def ran(environment: Path, folder: Path, *command: str) -> str:
    """What a command of the environment printed, run in ``folder`` with nothing of the clone on its path."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    path = os.pathsep.join([str(environment), clean.get("PATH", "")])
    program = next(environment.glob(f"{command[0]}*"))
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, env={**clean, "PATH": path, "HOME": str(folder)}, capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_what_students_need(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"vgg_lesson/notebooks/{path.name}" for path in notebooks()} <= names
    pictures = (ROOT / "notebooks" / "images").glob("*.png")
    assert {f"vgg_lesson/notebooks/images/{path.name}" for path in pictures} <= names
    assert {"vgg_lesson/py.typed", "vgg_lesson/assets/weights/vgg11-class.safetensors"} <= names
    assert not [name for name in names if name.startswith(("tools/", "tests/", "notebooks/")) or "instructor" in name]


def test_nbval_is_not_what_a_student_installs(wheel: Path) -> None:
    (name,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA")]
    metadata = zipfile.ZipFile(wheel).read(name).decode()
    assert "Requires-Dist: torch" in metadata and "nbval" not in metadata.partition("\n\n")[0]


def test_the_commands_work_without_a_clone(environment: Path, tmp_path: Path) -> None:
    said = ran(environment, tmp_path, "vgg-lesson", "copy", "my-lesson")
    assert "files written to my-lesson" in said
    assert (tmp_path / "my-lesson" / NOTEBOOK).is_file()
    assert "Ready." in ran(environment, tmp_path, "vgg-lesson", "doctor")
    for command in ("open", "data", "train"):
        assert "usage: vgg-lesson" in ran(environment, tmp_path, "vgg-lesson", command, "--help")
    assert "usage: python -m vgg_lesson open" in ran(environment, tmp_path, "python", "-m", "vgg_lesson", "open", "-h")


def test_a_copied_notebook_runs_and_its_checks_judge(environment: Path, tmp_path: Path) -> None:
    ran(environment, tmp_path, "vgg-lesson", "copy", "my-lesson")
    ran(environment, tmp_path / "my-lesson", "python", "-c", RUN)
    right, wrong = ran(environment, tmp_path / "my-lesson", "python", "-c", CHECKS).strip().splitlines()[:2]
    assert right != wrong
