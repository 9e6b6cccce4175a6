"""The surroundings of a test run: smoke budget, no download; and how many outputs were compared at all.

Tests use the data they find in the usual places, else the shipped sample, whatever ``VGG_LESSON_DATA`` says.
``VGG_LESSON_TEST_DATA=DIR`` makes them use DIR, so ``vgg_lesson/assets/sample`` runs all with the sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before any kernel starts: kernels inherit this environment.
os.environ["VGG_LESSON_BUDGET"] = "smoke"
os.environ["VGG_LESSON_OFFLINE"] = "1"
os.environ["VGG_LESSON_PROGRESS"] = "memory"
os.environ.pop("VGG_LESSON_DATA", None)
if "PYTEST_XDIST_WORKER" in os.environ:  # threads of several workers would wait for each other's processors
    os.environ["OMP_NUM_THREADS"] = "1"
if folder := os.environ.get("VGG_LESSON_TEST_DATA"):
    os.environ["VGG_LESSON_DATA"] = str(Path(folder).resolve())

import pytest
from hypothesis import settings
from nbval.plugin import IPyNbCell, IPyNbFile

from tests import figure_rules
from tests.notebook_rules import read, strict_share
from tools.paths import notebooks
from tools.proofs.outputs import outdated
from vgg_lesson.support.style import LessonFigure

LONG = {
    "test_homework.py", "test_package.py", "11_scale_up.ipynb", "10_reuse_the_backbone.ipynb", "test_devices.py",
    "test_widgets.py", "test_answer_forms.py", "test_world.py", "08_look_inside.ipynb", "test_widgets_training.py",
}  # fmt: skip

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")


@pytest.fixture(autouse=True)
def figures_can_be_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every finished figure that a test of figures draws keeps the rules for its words."""
    drawn: list[LessonFigure] = []
    begin = LessonFigure.__init__

    def recorded(self: LessonFigure, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        drawn.append(self)

    monkeypatch.setattr(LessonFigure, "__init__", recorded)
    yield
    complaints = {figure.alt: list(figure_rules.complaints(figure)) for figure in drawn if figure.alt}
    assert not any(complaints.values()), {alt: said for alt, said in complaints.items() if said}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let libraries write to stderr on one machine and not on another; everything else is compared.

    Long files come early, behind those that share a browser, so that no worker is left with one at the end.
    """
    items.sort(key=lambda item: 0 if item.path.parent.name == "browser" else 1 if item.path.name in LONG else 2)
    for file in {item.parent for item in items if isinstance(item.parent, IPyNbFile)}:
        file.skip_compare += ("stderr",)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A cell whose code uses what is about to go fails, as tests of the package do by ``filterwarnings``."""
    yield
    if isinstance(item, IPyNbCell) and (warned := outdated(item.test_outputs or [])):
        pytest.fail("\n".join(warned))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the share of output-bearing cells whose stored text is compared strictly; of a figure, its alt text."""
    shares = [strict_share(read(path)) for path in notebooks()]
    strict, bearing = (sum(column) for column in zip(*shares, strict=True)) if shares else (0, 0)
    if bearing:
        share = f"{strict} of {bearing} cells ({strict / bearing:.0%})"
        terminalreporter.write_line(f"outputs compared strictly, figures by their alt text: {share}")
