"""The class network trained with other tools, each as its own documentation writes it, against the lesson's ``fit``.

The scripts stand in the folder of the same name. Each runs in a process of its own and is looked at on the test set
after every ``EVERY`` steps and at its end; the clock stands still meanwhile. A script that has not reached the last
level after one epoch is run again for two, because its schedule decides when a level is reached. Linux only.

Lightning, fastai and Keras are not among the lesson's requirements: uv makes an environment for them in the system's
folder for temporary files and deletes it after use. The variable ``VGG_LESSON_ECOSYSTEM_PYTHON`` names the Python of
an environment that has them, and the lesson, already. What was measured before an interruption is read from ``build``.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from packaging.version import Version

from tools.benchmarks.report import Report
from tools.paths import ROOT
from vgg_lesson import ImageSet, load_fashion_mnist
from vgg_lesson.data.idx import encode_split
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import cpu_count, set_threads

SCRIPTS = Path(__file__).with_suffix("")
KEPT = ROOT / "build" / "ecosystem"
VARIABLE = "VGG_LESSON_ECOSYSTEM_PYTHON"
PINNED = ("lightning==2.6.6", "fastai==2.8.12", "keras==3.15.1")
SHOWN = ("torch", "torchvision", "lightning", "fastai", "keras")
VERSIONS = f"import importlib.metadata as m, json; print(json.dumps({{n: m.version(n) for n in {SHOWN!r}}}))"
MEASURING = "# clock"  # ends a line that only measures
NETWORK = "class_vgg"
LEVELS = (0.88, 0.9015)
MOST_EPOCHS = 2
EVERY = 117  # steps, an eighth of an epoch
THREADS = 2
LIMIT = 30.0  # seconds, as in time_to_post


@dataclass(frozen=True)
class Tool:
    """A script: what the table calls it, how its recipe differs from the class plan, and where its form is from."""

    name: str
    script: str
    differs: str
    source: str

    @property
    def path(self) -> Path:
        """The script."""
        return SCRIPTS / f"{self.script}.py"


OURS = Tool(
    "the lesson's fit", "with_fit", "the class plan in float32; the network is imported",
    "notebook 06 builds its recipe line by line",
)  # fmt: skip
TOOLS = (
    Tool(
        "plain PyTorch", "plain_pytorch", "OneCycleLR falls along a cosine",
        "https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html",
    ),
    Tool(
        "Lightning", "with_lightning", "OneCycleLR falls along a cosine",
        "https://lightning.ai/docs/pytorch/stable/common/lightning_module.html",
    ),
    Tool(
        "fastai", "with_fastai", "fit_one_cycle rises and falls along a cosine",
        "https://docs.fast.ai/examples/migrating_pytorch.html",
    ),
    Tool(
        "Keras", "with_keras",
        "CosineDecay with a linear warm-up; He's normal distribution cut off at two deviations; on PyTorch, images "
        "prepared once, in memory",
        "https://keras.io/getting_started/intro_to_keras_for_engineers/",
    ),
    OURS,
)  # fmt: skip


def run() -> Report:
    """Run every script for one epoch, and for two where one was not enough."""
    set_threads(min(THREADS, cpu_count()))
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="vgg-lesson-ecosystem-") as name:
        folder = Path(name)
        python = os.environ.get(VARIABLE) or environment(folder / "venv")
        versions = json.loads(subprocess.run([python, "-c", VERSIONS], check=True, capture_output=True).stdout)
        prepare(folder, train, test)
        for tool in TOOLS:
            own = runs[tool.name] = [kept(python, tool, 1, folder, versions)]
            while seconds_to(own[-1], LEVELS[-1]) is None and len(own) < MOST_EPOCHS:
                own.append(kept(python, tool, len(own) + 1, folder, versions))
            print(f"{tool.name}: {own[-1]['seconds']:.0f} s, {own[-1]['looks'][-1][-1]:.2%}", flush=True)
    shutil.rmtree(KEPT)
    return summary(runs, versions)


def environment(folder: Path) -> str:
    """A new environment with every tool, the lesson and this process's torch; returns its Python."""
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    if uv is None:
        raise FileNotFoundError(f"uv is not on the path; install it, or name a Python in {VARIABLE}")
    torch = [f"{name}=={Version(version(name)).public}" for name in ("torch", "torchvision")]
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, *torch, *PINNED, "-e", str(ROOT)], check=True)
    return python


def prepare(folder: Path, train: ImageSet, test: ImageSet) -> None:
    """Write the images where torchvision and Keras look for them, so that none is downloaded."""
    raw, keras = folder / "data" / "FashionMNIST" / "raw", folder / "keras" / "datasets" / "fashion-mnist"
    for place in (raw, keras):
        place.mkdir(parents=True)
    for split, data in (("train", train), ("test", test)):
        for name, content in encode_split(split, data.images, data.labels).items():
            (raw / name).write_bytes(content)
            (keras / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))


def kept(python: str, tool: Tool, epochs: int, folder: Path, versions: Mapping[str, str]) -> dict[str, Any]:
    """`measured`, or what an interrupted benchmark left of the same script under the same versions."""
    path = KEPT / f"{tool.script}_{epochs}.json"
    texts = [tool.path.read_bytes(), (SCRIPTS / "clock.py").read_bytes(), json.dumps(versions).encode()]
    identity = hashlib.sha256(b"".join(texts)).hexdigest()
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["identity"] == identity:
            return found
    made = {"identity": identity, **measured(python, tool, folder, epochs=epochs)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(made).encode())
    return made


def measured(
    python: str, tool: Tool, folder: Path, *, epochs: int = 1, every: int = EVERY, images: int = 60_000,
    threads: int = THREADS,
) -> dict[str, Any]:  # fmt: skip
    """What a script's clock printed; ``folder`` holds the data, see `prepare`, and takes what the tool writes.

    Raises:
        RuntimeError: the script failed; the message ends with what it said.
    """
    settings = {
        "OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": "", "KERAS_HOME": str(folder / "keras"),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [python, str(tool.path), *map(str, (epochs, every, images))]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{tool.path.name} failed:\n{done.stderr[-2000:]}")
    line: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return line


def lines(path: Path) -> tuple[int, int]:
    """Lines of a script that one reads to understand it, and how many of these write out the network.

    Blank lines, comments, docstrings and lines that only measure are not counted.
    """
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    skipped: set[int] = set()
    network: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            skipped |= _span(node.body[0])
        if isinstance(node, ast.FunctionDef) and node.name == NETWORK:
            network |= _span(node)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or line.endswith(MEASURING):
            skipped.add(number)
    counted = set(range(1, len(text.splitlines()) + 1)) - skipped
    return len(counted), len(counted & network)


def seconds_to(measured_run: Mapping[str, Any], level: float) -> float | None:
    """Seconds of training at the first look that found ``level``; None if no look did."""
    return next((seconds for _, seconds, accuracy in measured_run["looks"] if accuracy >= level), None)


def summary(runs: Mapping[str, Sequence[Mapping[str, Any]]], versions: Mapping[str, str]) -> Report:
    """The table of what was measured: name of a tool → its run of one epoch and, where there was one, of two."""
    report = Report(
        "ecosystem",
        f"The class network by other tools, float32, {THREADS} threads: training seconds to a test accuracy, seed 0",
        ("tool", "seconds an epoch", *(f"{level:.2%}" for level in LEVELS), "after one epoch", "lines to read",
         "of them the network", "peak memory, GB"),
    )  # fmt: skip
    figures = {tool.name: _figures(tool, runs[tool.name]) for tool in TOOLS}
    for name, own in figures.items():
        report.rows.append(
            (name, f"{own['seconds_per_epoch']:.1f}", *(_shown(own, level) for level in LEVELS),
             f"{own['accuracy']:.2%}", str(own["lines"]), str(own["network_lines"]), f"{own['peak_gigabytes']:.2f}")
        )  # fmt: skip
    last = f"{LEVELS[-1]:.4f}"
    taken = {name: own["seconds_to"].get(last) for name, own in figures.items()}
    ours = taken.pop(OURS.name)
    report.figures = {"versions": dict(versions), "tools": figures}
    report.verdicts = {
        f"the lesson's fit is at {LEVELS[-1]:.2%} within one epoch": figures[OURS.name]["epochs_to"].get(last) == 1,
        f"the lesson's fit is at {LEVELS[-1]:.2%} within {LIMIT:.0f} s": ours is not None and ours <= LIMIT,
        f"no other tool is at {LEVELS[-1]:.2%} sooner": ours is not None
        and all(other is None or ours <= other for other in taken.values()),
    }
    report.notes = [
        "Batches of 64, SGD with Nesterov's momentum 0.9, one cycle of the learning rate to 0.1, label smoothing 0.1, "
        "He's weights; looked at every eighth of an epoch, the clock standing still. Seconds to a level are those of "
        "the shortest run, of one epoch or of two, that reaches it, from the call that trains; peak memory is that of "
        "the run of one epoch.",
        "PyTorch, Lightning and fastai load and transform image by image, without worker processes, as the pages named "
        "below do; the other two take batches from memory.",
        "Lines leave out blanks, comments and what only measures. The lesson's script imports the network that the "
        "others write out.",
        *(f"{tool.name}: {tool.differs}; {tool.source}" for tool in TOOLS),
        ", ".join(f"{name} {number}" for name, number in versions.items()),
    ]
    return report


def _figures(tool: Tool, own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = own[0]
    seconds, epochs = {}, {}
    for level in LEVELS:
        for one in own:
            if (taken := seconds_to(one, level)) is not None:
                seconds[f"{level:.4f}"], epochs[f"{level:.4f}"] = taken, one["epochs"]
                break
    read, network = lines(tool.path)
    return {
        "seconds_per_epoch": first["seconds"], "seconds_to": seconds, "epochs_to": epochs,
        "accuracy": first["looks"][-1][-1], "lines": read, "network_lines": network,
        "peak_gigabytes": first["peak_gigabytes"], "looks": {one["epochs"]: one["looks"] for one in own},
    }  # fmt: skip


def _shown(own: Mapping[str, Any], level: float) -> str:
    key = f"{level:.4f}"
    if key not in own["seconds_to"]:
        return "not in two epochs"
    return f"{own['seconds_to'][key]:,.0f} s" + (" of two epochs" if own["epochs_to"][key] == 2 else "")


def _span(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
