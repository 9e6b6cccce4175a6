"""The Binder image: what can be told of it without building it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_requirements import lines
from tools.paths import ROOT

BINDER = ROOT / "binder"
SCRIPTS = ["postBuild", "start"]


def tool(name: str) -> str:
    """A command beside this Python or on the path; the test is skipped where there is none."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or pytest.skip(f"{name} is not installed here")


def test_folder_is_complete() -> None:
    assert {path.name for path in BINDER.iterdir()} == {"requirements.txt", "runtime.txt", *SCRIPTS}
    assert (BINDER / "runtime.txt").read_text().strip() == "python-3.12"


def test_torch_and_torchvision_are_cpu_builds() -> None:
    required = lines(BINDER / "requirements.txt")
    pinned = {line.partition("==")[0]: line for line in required if "==" in line}
    assert set(pinned) == {"torch", "torchvision"}
    assert all(line.endswith("+cpu") for line in pinned.values())
    assert "-r ../requirements.txt" in required


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_parses_and_may_run(name: str) -> None:
    subprocess.run([tool("bash"), "-n", str(BINDER / name)], check=True)
    text = (BINDER / name).read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n") and "\nset -e" in text and "\r" not in text
    assert os.name == "nt" or os.access(BINDER / name, os.X_OK)


@pytest.mark.skipif(os.name == "nt", reason="a pod is Linux; the script needs its shell")
@pytest.mark.parametrize(("limit", "threads"), [("1.0", "1"), ("4", "4"), ("0.5", "1"), ("", "1"), (None, "1")])
def test_start_limits_threads_opens_a_copy_and_hands_over(tmp_path: Path, limit: str | None, threads: str) -> None:
    """With a ``python`` that only notes how it was called, so that no pod is needed."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$@" >>calls\nmkdir -p my-lesson\n')
    python.chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    if limit is not None:
        environment["CPU_LIMIT"] = limit
    command = [tool("bash"), str(BINDER / "start"), "sh", "-c", "echo $OMP_NUM_THREADS handed over"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == f"{threads} handed over\n"
    assert (tmp_path / "calls").read_text() == "-m vgg_lesson copy my-lesson\n"
    opened = json.loads((tmp_path / ".jupyter" / "jupyter_server_config.json").read_text())
    assert {app["default_url"] for app in opened.values()} == {"/lab/tree/my-lesson/00_start_here.ipynb"}
    assert set(opened) == {"ServerApp", "LabApp"}


def test_repo2docker_accepts_the_folder() -> None:
    """The dry run, which needs no Docker: the right Python, and every step in its order."""
    command = [tool("repo2docker"), "--debug", "--no-build", "--user-id", "1000", "--user-name", "jovyan", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    dockerfile = done.stdout + done.stderr
    assert done.returncode == 0, dockerfile
    assert "environment for python=3.12" in dockerfile
    # The whole repository must be there before pip, which installs it, and before postBuild, which uses it.
    steps = ["src/ ${REPO_DIR}/", 'pip install --no-cache-dir -r "binder/requirements.txt"', "RUN ./binder/postBuild"]
    places = [dockerfile.find(step) for step in [*steps, "${REPO_DIR}/binder/start"]]
    assert -1 not in places and places == sorted(places)
