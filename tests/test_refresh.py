"""The refresh command on small notebooks: what it stores, what it strips, and when it refuses to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import refresh
from vgg_lesson.data.idx import FULL_COUNTS

CELLS = [
    "import os\nfrom IPython.display import display",
    "for step in range(3):\n    print(f'step {step}', end='\\r')\nprint()",
    "shown = display('start', display_id=True)\nfor step in range(3):\n    shown.update(step)",
    "import ipywidgets\nipywidgets.IntSlider()",
    "answer = 4\nanswer",
    "from vgg_lesson import check\ncheck.images_per_class(6000)\ncheck.progress('start_here').count()['right']",
]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write 00_small.ipynb with these cells and, if asked, its claims; the budget is class."""
    monkeypatch.setenv("VGG_LESSON_BUDGET", "class")
    monkeypatch.delenv("VGG_LESSON_PROGRESS")
    monkeypatch.setattr(refresh, "CLAIMS", tmp_path)

    def written(*sources: str, claims: str | None = None) -> Path:
        path = tmp_path / "00_small.ipynb"
        cells = [new_markdown_cell("0<!--=paper.classes-->"), *map(new_code_cell, sources)]
        nbformat.write(new_notebook(cells=cells, metadata={"widgets": {}}), path)
        if claims:
            (tmp_path / "00_small.py").write_text(claims, encoding="utf-8")
        return path

    return written


def outputs(path: Path) -> list[list[str]]:
    """The text outputs of each code cell."""
    cells = nbformat.read(path, as_version=4).cells
    return [[refresh.output_text(output).strip() for output in c.outputs] for c in cells if c.cell_type == "code"]


def test_outputs_and_numbers_are_stored_and_the_rest_is_not(write: Callable[..., Path]) -> None:
    path = write(*CELLS, claims="assert answer == 4 and os.getcwd()")
    run = refresh.refresh(path)
    assert outputs(path) == [[], ["step 2"], ["2"], ["IntSlider(value=0)"], ["4"], ["1"]]
    assert not [*path.parent.glob(".vgg_lesson*")]
    node = nbformat.read(path, as_version=4)
    assert node.metadata == refresh.METADATA
    assert "widget-view" not in path.read_text(encoding="utf-8")
    assert node.cells[0].source == "1,000<!--=paper.classes-->"
    assert [cell.execution_count for cell in node.cells[1:]] == [1, 2, 3, 4, 5, 6]
    assert run.claims == "held" and run.seconds > 0 and run.peak_mb > 10
    once = path.read_bytes()
    refresh.refresh(path)
    assert path.read_bytes() == once


def test_the_folder_that_a_notebook_ran_in_is_not_stored(write: Callable[..., Path]) -> None:
    path = write("import os\nprint('files go to', os.getcwd())")
    refresh.refresh(path)
    assert outputs(path) == [["files go to notebooks"]]


@pytest.mark.parametrize(
    ("cell", "claims", "message"),
    [
        ("1 / 0", None, "ZeroDivisionError"),
        ("answer = 4", "assert answer == 5, 'it is not five'", "it is not five"),
        ("print('/home/' + 'me/data')", None, "show this machine"),
        ("object()", None, "show this machine"),
    ],
)
def test_nothing_is_written_when_something_is_wrong(
    write: Callable[..., Path], cell: str, claims: str | None, message: str
) -> None:
    path = write(cell, claims=claims)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match=message):
        refresh.refresh(path)
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1 + bool(claims)


def test_check_writes_nothing_and_claims_can_be_left_out(write: Callable[..., Path]) -> None:
    path = write("answer = 4", claims="assert answer == 5")
    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        refresh.refresh(path, keep=False)
    assert refresh.refresh(path, claims=False, keep=False).claims == "not checked"
    assert path.read_bytes() == before


@pytest.mark.parametrize(("budget", "images"), [("smoke", 60_000), ("full", 60_000), ("class", 8_000)])
def test_outputs_of_another_budget_or_of_the_sample_are_not_stored(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, budget: str, images: int, capsys: pytest.CaptureFixture
) -> None:
    path = write("answer = 4\nanswer")
    before = path.read_bytes()
    monkeypatch.setattr(refresh, "notebooks", lambda names: [path])
    monkeypatch.setattr(refresh, "load_fashion_mnist", lambda split: range(images if split == "train" else 10_000))
    monkeypatch.setenv("VGG_LESSON_BUDGET", budget)
    with pytest.raises(SystemExit) as stopped:
        refresh.main(["00"])
    assert stopped.value.code == 1 and "--draft" in capsys.readouterr().err
    assert refresh.main(["--check", "00"]) == 0 and path.read_bytes() == before
    assert refresh.main(["--draft", "00"]) == 0 and outputs(path) == [["4"]]


def test_a_class_run_on_the_full_data_is_stored(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("answer = 4\nanswer")
    monkeypatch.setattr(refresh, "notebooks", lambda names: [path])
    monkeypatch.setattr(refresh, "load_fashion_mnist", lambda split: range(FULL_COUNTS[split]))
    assert refresh.main(["00"]) == 0 and outputs(path) == [["4"]]


def test_a_smoke_run_claims_nothing(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("answer = 4", claims="assert answer == 5")
    monkeypatch.setenv("VGG_LESSON_BUDGET", "smoke")
    assert refresh.refresh(path, keep=False).claims == "not checked"
