"""Small wrong changes of the taught code and of the checks, one at a time: does a test notice?

A sample, drawn with a fixed seed: a comparison turned, a sum made a difference, a number larger, a condition
reversed. Each runs in a clone of the repository, with the tests of its room, until one fails. What was noticed is kept
in ``build/mutants.json``, so that the command given again tries the others alone. `EQUAL` names changes that change
nothing, and why.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tools.paths import ROOT
from tools.proofs.report import Proof
from vgg_lesson.support.files import write_atomically

EACH = 15
SEED = 0
KEPT = ROOT / "build" / "mutants.json"
# Room → the tests that look at it, as patterns, in the order in which they are tried.
ROOMS: dict[str, tuple[str, ...]] = {
    "vgg_lesson/arithmetic.py": ("test_arithmetic*.py", "test_cell_and_pair.py"),
    "vgg_lesson/data/*.py": (
        "test_near_misses.py", "test_pictures.py", "test_batches.py", "test_datasets.py", "test_unreadable_data.py",
        "test_open_engine.py", "test_training.py",
    ),
    "vgg_lesson/training/*.py": (
        "test_training.py", "test_open_engine.py", "test_kept_files.py", "test_damaged_checkpoints.py",
        "test_signal_and_progress.py", "test_full_disk.py", "test_distributed.py",
    ),
    "vgg_lesson/classroom/checks/*.py": (
        "test_known_mistakes.py", "test_*check*.py", "test_choices.py", "test_sentences.py", "test_answer_forms.py",
        "test_notebooks.py",
    ),
}  # fmt: skip
TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip
# (line as it stands, change) → why no test could notice it.
EQUAL: dict[tuple[str, str], str] = {
    ("side = asked.output_shape[1]", "1 becomes 2"): "grids are square",
    ('return {1: "a", 2: "b", 4: "c"}[prod(block5) // _flat(POOLS[-1][1])]', "1 becomes 2"): "the key 4 alone is met",
    (
        "(found := read_split(folder, split)) is not None and len(found[0]) == FULL_COUNTS[split] for split in FILES",
        "0 becomes 1",
    ): "images and labels are as many",
    (
        "if not points and 0 < abs(key()) <= 1 and _close(answer, 100 * key(), max(relative, 5e-3)):",
        "Lt becomes LtE",
    ): "near a key of 0 lies 0 alone, which is right",
    ("while part := response.read1(1 << 16):", "1 becomes 2"): "a download may be read in parts of any size",
    (
        "torch.manual_seed((epoch_seed * SEED_STEP + step * SEED_RANK + self.rank) % 2**63)",
        "Add becomes Sub",
    ): "every step and process has a seed of its own either way",
    ("WHITE, BLACK, LIGHT = 255, 0, 128", "128 becomes 129"): "a middle grey stands out from black and white alike",
}  # fmt: skip


class Mutant(NamedTuple):
    """A changed file: where the change is, the line as it was, what the change is, and the whole text with it."""

    path: Path
    line: int
    before: str
    change: str
    text: str

    @property
    def key(self) -> str:
        """What stands for the changed file among those that were tried."""
        return hashlib.sha256(f"{self.path}\n{self.text}".encode()).hexdigest()

    @property
    def equal(self) -> str:
        """Why the change changes nothing; "" if it does."""
        return EQUAL.get((self.before, self.change), "")


def run(names: Sequence[str] = ()) -> Proof:
    """`EACH` mutants of every room, or of those whose path holds one of ``names``."""
    columns = ("room", "noticed", "changes nothing", "not noticed")
    proof = Proof("mutants", "Small wrong changes of the code", columns)
    proof.unfit = "only a part was run" if names else ""
    sums = {"noticed": 0, "equal": 0, "missed": 0}
    for room, patterns in ROOMS.items():
        if names and not any(name in room for name in names):
            continue
        sampled = sample(room, EACH)
        noticed = tried(sampled, patterns)
        equal = [each for each in sampled if each.equal]
        missed = [each for each in sampled if not each.equal and each not in noticed]
        counts = {"noticed": len(noticed), "equal": len(equal), "missed": len(missed)}
        proof.rows.append((room, *map(str, counts.values())))
        proof.notes += [f"Changes nothing: {_where(each)} ({each.equal})." for each in equal]
        proof.notes += [f"Not noticed: {_where(each)}." for each in missed]
        key = room.removeprefix("vgg_lesson/").removesuffix("/*.py").removesuffix(".py").rpartition("/")[2]
        proof.figures[key] = counts
        proof.lines.append((f"`{room}`", _told(key)))
        sums = {name: sums[name] + count for name, count in counts.items()}
    proof.figures["all"] = sums
    proof.lines.append(("all together", _told("all")))
    proof.verdicts["what no test notices changes nothing"] = not sums["missed"]
    return proof


def tried(mutants: Sequence[Mutant], patterns: Sequence[str]) -> list[Mutant]:
    """Those that a test notices, now or when they were tried before."""
    kept: dict[str, str] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if new := [each for each in mutants if each.key not in kept and not each.equal]:
        files = [path.relative_to(ROOT) for pattern in patterns for path in sorted((ROOT / "tests").glob(pattern))]
        tests = list(dict.fromkeys(files))
        with tempfile.TemporaryDirectory() as name:
            subprocess.run(["git", "clone", "--quiet", str(ROOT), name], check=True)
            started = time.monotonic()
            if told := _failing(Path(name), tests, None):
                raise SystemExit(f"these tests fail without any change: {told}")
            patience = 60 + 5 * (time.monotonic() - started)
            for mutant in new:
                if found := _noticing(mutant, Path(name), tests, patience):
                    kept[mutant.key] = found
                    write_atomically(KEPT, json.dumps(kept, indent=1).encode())
                print(f"{_where(mutant)}: {found or 'NOT NOTICED'}", flush=True)
    return [each for each in mutants if each.key in kept]


def _noticing(mutant: Mutant, place: Path, tests: Sequence[Path], patience: float) -> str:
    """The test that notices a mutant in this clone, or ""."""
    whole = (place / mutant.path).read_text(encoding="utf-8")
    (place / mutant.path).write_text(mutant.text, encoding="utf-8")
    found = _failing(place, tests, patience)
    (place / mutant.path).write_text(whole, encoding="utf-8")
    return found


def _where(mutant: Mutant) -> str:
    return f"`{mutant.path}`, `{mutant.before}`, {mutant.change}"


def _told(key: str) -> str:
    return f"{{{key}.noticed}} noticed by a test, {{{key}.equal}} change nothing, {{{key}.missed}} not noticed"


def _failing(place: Path, tests: Sequence[Path], patience: float | None) -> str:
    """The first test that fails in ``place``, or that takes too long; "" if all pass."""
    command = [sys.executable, "-m", "pytest", *map(str, tests), "-x", "-q", "-p", "no:cacheprovider", "-p", "no:nbval",
               "-o", "addopts="]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired:
        return "runs on"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return "" if done.returncode == 0 else (failed or [(done.stdout + done.stderr)[-200:] or "breaks off"])[0]


def sample(room: str, count: int) -> list[Mutant]:
    """``count`` mutants of the files of a room, drawn evenly from all of them."""
    found = [mutant for path in sorted(ROOT.glob(room)) for mutant in mutants(path.relative_to(ROOT))]
    return random.Random(SEED).sample(found, min(count, len(found)))  # noqa: S311  nothing secret is drawn


def mutants(path: Path) -> Iterator[Mutant]:
    """Every small change of a file that this knows how to make."""
    text = (ROOT / path).read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    words = {id(node) for node in _only_words(tree)}
    for number, node in enumerate(nodes):
        for change, apply in _changes(node) if id(node) not in words else ():
            other = copy.deepcopy(tree)
            apply([each for each in ast.walk(other) if isinstance(each, ast.expr)][number])
            yield Mutant(path, node.lineno, lines[node.lineno - 1].strip(), change, ast.unparse(other))


def _only_words(tree: ast.AST) -> Iterator[ast.AST]:
    """Annotations: they say something and do nothing that a test of values could notice."""
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.AST):
                yield from ast.walk(part)


def _changes(node: ast.expr) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What may be changed about a node, in words, and how."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        turned = TURNED[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} becomes {turned.__name__}", lambda n: n.ops.__setitem__(0, turned())
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in TURNED:
        other = TURNED[type(node.op)]
        yield f"{type(node.op).__name__} becomes {other.__name__}", lambda n: setattr(n, "op", other())
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} becomes {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = node.value + 1 if isinstance(node.value, int) else 2 * node.value or 1.0
        yield f"{node.value} becomes {value}", lambda n: setattr(n, "value", value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "a not is left out", lambda n: setattr(n, "operand", ast.UnaryOp(op=ast.Not(), operand=n.operand))
