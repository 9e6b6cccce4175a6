"""Nothing is unpickled and no cell runs a shell line that it does not need; ruff holds it, and is shown to bite."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebook_rules import read
from tools.links import FETCHED
from tools.paths import NOTEBOOKS, ROOT

# Notebooks whose cells start other programs, and what for.
STARTS_PROGRAMS = {"11_scale_up": "torchrun starts one process per device: that is what the lesson is about"}
PLAIN_NUMBERS = {"vgg_lesson/classroom/live/weights.bin"}  # half-precision numbers and nothing else, for a page to read
SHELL = re.compile(
    r"^\s*(!|%%?(bash|sh|system|sx|script|cmd|pip|conda)\b)|get_ipython\(\)\.(system|run_line_magic)", re.M
)
BANNED = re.compile(r"# noqa:.*\b(?:S\d{3}|TID251)\b(.*)")


def told(source: str) -> str:
    """What ruff says of a module of the package with this source, its imports unused."""
    command = [sys.executable, "-m", "ruff", "check", "--ignore", "F401", "--stdin-filename", "vgg_lesson/x.py", "-"]
    return subprocess.run(command, cwd=ROOT, input=source, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("import pickle", "TID251"),
        ("from joblib import load", "TID251"),
        ("import torch\n\ntorch.load('x')", "TID251"),
        ("import numpy as np\n\nnp.load('x')", "TID251"),
        ("from torch import distributed as dist\n\ndist.broadcast_object_list([])", "TID251"),
        ("import subprocess\n\nsubprocess.run('ls', shell=True)", "S602"),
        ("import os\n\nos.system('ls')", "S605"),
        ("import yaml\n\nyaml.load('x')", "S506"),
        ("exec('x')", "S102"),
        ("eval('x')", "S307"),
        ("import tempfile\n\ntempfile.mktemp()", "S306"),
    ],
)
def test_what_could_run_code_from_data_is_refused(source: str, rule: str) -> None:
    assert rule in told(source)


def test_what_is_silenced_says_why() -> None:
    for folder in ("vgg_lesson", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            for reason in BANNED.findall(path.read_text(encoding="utf-8")):
                assert len(reason.strip()) >= 12, f"{path.name}: say why: {reason}"


def test_every_file_of_weights_is_safetensors() -> None:
    try:
        tracked = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    kinds = (".pt", ".pth", ".pkl", ".pickle", ".npy", ".npz", ".bin")
    assert {name for name in tracked if name.endswith(kinds)} <= PLAIN_NUMBERS
    assert any(name.endswith(".safetensors") for name in tracked)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_no_cell_runs_a_shell_line(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "code":
            source = FETCHED.sub("", cell.source)  # the lines that fetch the lesson where it is missing
            assert not SHELL.search(source), source
            starts = re.search(r"\bsubprocess\b|\bPopen\b|\bos\.(exec|spawn|fork)", source)
            assert not starts or path.stem in STARTS_PROGRAMS, source
            assert source.count("torch.load(") == source.count("weights_only=True"), source


def test_a_shell_line_would_be_found() -> None:
    for line in ("!ls", "  !pip install x", "%%bash\nls", "%pip install x", "get_ipython().system('ls')"):
        assert SHELL.search(line), line
    for line in ("%env VGG_LESSON_BUDGET=smoke", "if a != b:\n    pass", "x = 5 % 3"):
        assert not SHELL.search(line), line
