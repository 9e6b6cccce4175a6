"""The Binder image: what can be told of it without building it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from tests.test_requirements import lines
from tools.paths import ROOT

BINDER = ROOT / "binder"
SCRIPTS, SETTINGS = ["postBuild", "start"], "jupyter_server_config.py"


def tool(name: str) -> str:
    """A command beside this Python or on the path; the test is skipped where there is none."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or pytest.skip(f"{name} is not installed here")


def test_folder_is_complete() -> None:
    assert {path.name for path in BINDER.iterdir()} == {"requirements.txt", "runtime.txt", SETTINGS, *SCRIPTS}
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
    command = [tool("bash"), str(BINDER / "start"), "sh", "-c", "echo $OMP_NUM_THREADS $JUPYTER_CONFIG_PATH"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == f"{threads} {BINDER}\n"
    assert (tmp_path / "calls").read_text() == "-m vgg_lesson copy my-lesson\n"
    opened = json.loads((tmp_path / ".jupyter" / "jupyter_server_config.json").read_text())
    assert {app["default_url"] for app in opened.values()} == {"/lab/tree/my-lesson/00_start_here.ipynb"}
    assert set(opened) == {"ServerApp", "LabApp"}


@dataclass
class OpenKernel:
    """A kernel as the server knows it."""

    execution_state: str
    last_activity: float


def settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The names of the server's settings, with a pod of 2 GB around them."""
    monkeypatch.setenv("MEM_LIMIT", "2000000000")
    names: dict[str, Any] = {"get_config": Config, "__name__": "settings"}
    exec(compile((BINDER / SETTINGS).read_text(encoding="utf-8"), SETTINGS, "exec"), names)
    return names


@pytest.mark.parametrize(
    ("states", "gone"),
    [
        ([("idle", 3), ("idle", 1), ("idle", 2)], [1, 2]),
        ([("busy", 1), ("idle", 2), ("starting", 0)], [1]),
        ([("busy", 1), ("busy", 2)], []),
        ([("idle", 1)], []),
    ],
)
def test_the_kernel_that_is_idle_longest_makes_room(
    monkeypatch: pytest.MonkeyPatch, states: list[tuple[str, float]], gone: list[int]
) -> None:
    """With kernels of 0.45 GB each beside a server of 0.1 GB; what runs is never shut down."""
    names = settings(monkeypatch)
    manager = names["RoomyKernels"]()
    manager._kernels = {str(number): OpenKernel(*state) for number, state in enumerate(states)}
    shut: list[int] = []

    async def shut_down(name: str) -> None:
        shut.append(int(name))
        del manager._kernels[name]

    manager.shutdown_kernel = shut_down
    monkeypatch.setitem(names, "used", lambda: 0.1e9 + 0.45e9 * len(manager._kernels))
    asyncio.run(manager.make_room())
    assert shut == gone


def test_without_a_limit_no_kernel_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    names = settings(monkeypatch)
    for value in ("", "much"):
        monkeypatch.setenv("MEM_LIMIT", value)
        assert names["limit"]() == float("inf")
    assert 1e6 < names["used"]() < 1e12


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is given no share")
def test_a_process_without_a_banner_keeps_to_its_share() -> None:
    code = "import torch; from vgg_lesson import fit; print(torch.get_num_threads())"
    outside = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment = {**outside, "CPU_LIMIT": "1.0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


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
