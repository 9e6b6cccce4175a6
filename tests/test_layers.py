"""Imports within the package run one way, downwards, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tools.paths import ROOT

PACKAGE = ROOT / "vgg_lesson"
# From top to bottom; a module imports from its own tier or from those below. A folder counts as one module.
TIERS = (
    ("__main__",),
    ("doctor", "train_command", "working_copy"),
    ("checks",),
    ("widgets",),
    ("figures",),
    ("inspection", "attribution", "experiments", "factors", "pictures"),
    ("training", "checkpoints", "progress", "recipes"),
    ("datasets", "models", "sources", "history"),
    ("arithmetic", "download", "inception", "scaling"),
    (
        "arguments",
        "configs",
        "budgets",
        "machine",
        "augmentation",
        "distributed",
        "files",
        "idx",
        "published",
        "stored_runs",
        "style",
        "homework",
    ),
)
RANKS = {name: rank for rank, tier in enumerate(reversed(TIERS)) for name in tier}
WITHOUT_TORCH = (
    "arguments", "arithmetic", "inception", "configs", "budgets", "files", "published", "stored_runs", "homework",
)  # fmt: skip


def modules() -> list[Path]:
    """Every module of the package; its ``__init__`` gathers names for the notebooks and stands above all."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def dotted(path: Path) -> str:
    """``figures.data`` for vgg_lesson/figures/data.py, ``figures`` for the folder's ``__init__``."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """What a module imports, at its top or inside functions, by full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}: a relative import"
            # Of `from vgg_lesson import style` only the full name says what is meant.
            yield from (
                f"{node.module}.{alias.name}" if node.module == "vgg_lesson" else str(node.module)
                for alias in node.names
            )


def inner(path: Path) -> set[str]:
    """The modules of the package that a module imports, without ``vgg_lesson.``."""
    return {name.partition(".")[2] for name in imports(path) if name.partition(".")[0] == "vgg_lesson"}


def test_every_module_has_its_tier() -> None:
    there = {dotted(path).partition(".")[0] for path in modules()}
    assert there <= set(RANKS) and set(RANKS) - there <= {"widgets"}


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_run_downwards(path: Path) -> None:
    own = dotted(path).partition(".")[0]
    for name in inner(path):
        top = name.partition(".")[0]
        assert top in RANKS, f"{dotted(path)} imports {name!r} from the package itself, which stands above it"
        assert RANKS[top] <= RANKS[own], f"{dotted(path)} imports {name}, which stands above it"


def test_no_module_needs_itself() -> None:
    known = {dotted(path) for path in modules()}
    graph = {dotted(path): {name for name in inner(path) if name in known} for path in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(known)


def test_the_package_needs_neither_tools_nor_tests_and_its_arithmetic_no_torch() -> None:
    for path in modules():
        outer = {name.partition(".")[0] for name in imports(path)}
        assert not outer & {"tools", "tests"}, dotted(path)
        assert dotted(path) not in WITHOUT_TORCH or "torch" not in outer, dotted(path)
