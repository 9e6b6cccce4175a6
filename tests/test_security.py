"""Nothing is unpickled, nothing unchecked is decoded, and no cell runs a shell line that it does not need."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook_rules import read
from tools.paths import NOTEBOOKS, ROOT

UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
# Calls that unpickle, whatever they are given; torch.load is another matter, since it can be told not to.
FORBIDDEN = {
    "torch.jit.load", "torch.hub.load", "torch.package", "read_pickle", "broadcast_object_list", "all_gather_object",
    "gather_object", "scatter_object_list", "os.system", "os.popen", "yaml.load", "tempfile.mktemp",
}  # fmt: skip
# Code that is run from a string, and why that is no risk.
RUNS_STRINGS = {
    "tools/grading.py": "the instructor's own graded cells; what students hand in is read as JSON, never run here",
    "tools/inception.py": "the cells of the repository's own notebook",
}
# Notebooks whose cells start other programs, and what for.
STARTS_PROGRAMS = {"11_scale_up": "torchrun starts one process per device: that is what the lesson is about"}
SHELL = re.compile(
    r"^\s*(!|%%?(bash|sh|system|sx|script|cmd|pip|conda)\b)|get_ipython\(\)\.(system|run_line_magic)", re.M
)
MAGICS = re.compile(r"^\s*%%?\w+.*$", re.M)


def sources() -> Iterator[tuple[str, str]]:
    """(path, Python) of every module, and of every notebook's code cells together, magics left out."""
    for folder in ("vgg_lesson", "tools", "tests", "binder"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted(NOTEBOOKS.rglob("*.ipynb")):
        cells = (cell.source for cell in read(path).cells if cell.cell_type == "code")
        yield path.relative_to(ROOT).as_posix(), "\n".join(MAGICS.sub("", cell) for cell in cells)


SOURCES = dict(sources())


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def faults(source: str) -> Iterator[str]:
    """What in a piece of Python could run code that came in with data."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            yield from (f"imports {name}" for name in names if name.partition(".")[0] in UNPICKLERS)
    for name, call in calls(source):
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name == "torch.load" and given.get("weights_only") != "True":
            yield "torch.load without weights_only=True"
        if given.get("allow_pickle", "False") != "False" or given.get("shell", "False") != "False":
            yield f"{name} with allow_pickle or shell"
        if any(name == forbidden or name.endswith("." + forbidden) for forbidden in FORBIDDEN):
            yield name


@pytest.mark.parametrize("path", SOURCES)
def test_nothing_is_unpickled_and_no_shell_is_started(path: str) -> None:
    assert not list(faults(SOURCES[path]))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import pickle", "imports pickle"),
        ("from joblib import load", "imports joblib"),
        ("import torch\ntorch.load('x')", "without weights_only"),
        ("torch.load('x', weights_only=False)", "without weights_only"),
        ("np.load('x', allow_pickle=True)", "allow_pickle"),
        ("subprocess.run('ls', shell=True)", "shell"),
        ("dist.broadcast_object_list(x)", "broadcast_object_list"),
        ("os.system('ls')", "os.system"),
    ],
)
def test_a_fault_would_be_found(source: str, told: str) -> None:
    assert told in " ".join(faults(source))
    assert not list(faults("torch.load(path, weights_only=True)\nnp.load(path)"))


def test_code_from_strings_is_run_only_where_it_is_our_own() -> None:
    lesson = {path: text for path, text in SOURCES.items() if not path.startswith("tests/")}
    running = {path for path, text in lesson.items() if any(name in ("eval", "exec") for name, _ in calls(text))}
    assert running <= set(RUNS_STRINGS), running - set(RUNS_STRINGS)


def test_every_file_of_weights_is_safetensors() -> None:
    try:
        tracked = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    assert not [name for name in tracked if name.endswith((".pt", ".pth", ".pkl", ".pickle", ".npy", ".npz", ".bin"))]
    assert any(name.endswith(".safetensors") for name in tracked)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_no_cell_runs_a_shell_line(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert not SHELL.search(cell.source), cell.source
            starts = re.search(r"\bsubprocess\b|\bPopen\b|\bos\.(exec|spawn|fork)", cell.source)
            assert not starts or path.stem in STARTS_PROGRAMS, cell.source


def test_a_shell_line_would_be_found() -> None:
    for line in ("!ls", "  !pip install x", "%%bash\nls", "%pip install x", "get_ipython().system('ls')"):
        assert SHELL.search(line), line
    for line in ("%env VGG_LESSON_BUDGET=smoke", "if a != b:\n    pass", "x = 5 % 3"):
        assert not SHELL.search(line), line


def test_bandit_finds_nothing_that_is_not_explained() -> None:
    """Silenced lines say which finding and why; whole kinds are silenced in pyproject.toml, with the reason."""
    pytest.importorskip("bandit")
    command = [sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-r", "vgg_lesson", "tools", "-f", "json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(ran.stdout)
    found = [f"{r['filename']}:{r['line_number']}: {r['test_id']} {r['issue_text']}" for r in report["results"]]
    assert not found and not report["errors"], "\n".join([*found, *map(str, report["errors"])])
    assert report["metrics"]["_totals"]["loc"] > 1000
    for path, text in SOURCES.items():
        if path.startswith(("vgg_lesson", "tools")):
            for silenced in re.findall(r"#\s*nosec.*", text):
                assert re.fullmatch(r"# nosec B\d{3} .{15,}", silenced), f"{path}: say which and why: {silenced}"
