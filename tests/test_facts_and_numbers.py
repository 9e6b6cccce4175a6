"""Facts have values and sources; numbers in prose are written from them, and wrong ones are found."""

from __future__ import annotations

import json
import math
from pathlib import Path

import nbformat
import pytest

from tools import numbers
from tools.facts import FACTS, fact, known_names
from tools.paths import ASSETS, documents

PUBLISHED = json.loads((ASSETS / "published.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FACTS)
def test_fact_is_a_finite_number(name: str) -> None:
    assert math.isfinite(fact(name))


@pytest.mark.parametrize("key", PUBLISHED)
def test_published_figure_names_its_source(key: str) -> None:
    assert set(PUBLISHED[key]) == {"value", "source"}
    assert len(PUBLISHED[key]["source"].split()) >= 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vgg11.params", 132_863_336),
        ("vgg13.params", 133_047_848),
        ("vgg16_1x1.params", 133_638_952),
        ("vgg16.params", 138_357_544),
        ("vgg19.params", 143_667_240),
        ("post.params", 128_806_154),
        ("post_log.params", 43_093_322),
        ("post_gap.params", 9_224_458),
        ("post_at_112.params", 44_920_074),
        ("post.conv3_2.macs", 1_849_688_064),
        ("post.pool5.receptive_field", 150),
        ("published.post_test_accuracy.9", 0.9015),
        ("published.post_test_accuracy.-1", 0.9015),
        ("published.ilsvrc2014_classification_error.vgg", 7.3),
    ],
)
def test_known_facts(name: str, value: float) -> None:
    assert fact(name) == value


def test_names_are_all_good() -> None:
    scalars = [name for name in known_names() if not name.startswith("published.")]
    assert all(math.isfinite(fact(name)) for name in scalars)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("post.parms", "post.params"),
        ("published.post_test_acuracy", "published.post_test_accuracy"),
        ("published.post_test_accuracy", "add an index"),
        ("published.post_test_accuracy.10", "there is no fact"),
        ("runs.nothing.loss.last", "there is no fact"),
        ("nonsense", "there is no fact"),
    ],
)
def test_unknown_names_get_advice(name: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        fact(name)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0<!--=post.params-->", "128,806,154<!--=post.params-->"),
        ("1%<!--=post.fc_share:.1%--> of", "92.8%<!--=post.fc_share:.1%--> of"),
        ("1<!--=post.params/1e6:.1f--> million", "128.8<!--=post.params/1e6:.1f--> million"),
        ("`1`<!--=paper.hidden:d-->", "`4096`<!--=paper.hidden:d-->"),
        ("0%<!--=published.ilsvrc2014_classification_error.vgg:.1f-->", None),
        ("**1e-3<!--=stall.rms_ten_layers:.1e-->**", "**1.3e-04<!--=stall.rms_ten_layers:.1e-->**"),
        ("3-1<!--=chance-->", "3-0.1<!--=chance-->"),
    ],
)
def test_numbers_are_written(before: str, after: str | None) -> None:
    new, changes = numbers.rewritten(before)
    assert new == (after or "7.3%<!--=published.ilsvrc2014_classification_error.vgg:.1f-->")
    assert len(changes) == 1 and numbers.rewritten(new) == (new, [])


def test_stale_number_names_its_sentence() -> None:
    text = "First. It has **5<!--=paper.classes--> classes** (not 2). Last.\n\n| a | 6<!--=paper.classes--> |\n"
    _, changes = numbers.rewritten(text)
    assert [change.sentence for change in changes] == ["It has **5 classes** (not 2).", "| a | 6 |"]
    assert str(changes[0]) == ("5 should be 1,000 (<!--=paper.classes-->) in: It has **5 classes** (not 2).")


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.stem)
def test_changed_facts_point_at_every_sentence_that_uses_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number can only be right because its fact is: with other facts, each of the document's numbers is stale."""
    marked = numbers.ANY_MARKER.findall(_prose(path))
    monkeypatch.setattr(numbers, "fact", lambda name: 7 * fact(name) + 1_234_567)
    assert [change.marker for change in numbers.stale(path)] == marked


def _prose(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("text", ["many<!--=post.params-->", "1<!--=post.params:-->", "1<!--=-->", "1<!--=no.such-->"])
def test_bad_markers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"post\.params|<!--|no\.such"):
        numbers.rewritten(text)


def test_files_are_checked_and_written(tmp_path: Path) -> None:
    page, notebook = tmp_path / "page.md", tmp_path / "notebook.ipynb"
    page.write_text("1<!--=paper.classes-->", encoding="utf-8")
    cells = [
        nbformat.v4.new_markdown_cell("2<!--=paper.classes-->"),
        nbformat.v4.new_code_cell("'3<!--=paper.classes-->'"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    for path in (page, notebook):
        text = path.read_text(encoding="utf-8")
        assert [str(change)[:17] for change in numbers.stale(path)] == [f"{text.split('<')[0][-1]} should be 1,000"]
        assert path.read_text(encoding="utf-8") == text
        assert len(numbers.write(path)) == 1 and numbers.stale(path) == []
    assert "'3<!--=" in notebook.read_text(encoding="utf-8")
    assert numbers.main(["--check", str(page)]) == 0
    page.write_text("1<!--=paper.classes-->", encoding="utf-8")
    assert numbers.main(["--check", str(page)]) == 1
    assert numbers.main([str(page)]) == 0 and page.read_text(encoding="utf-8").startswith("1,000")
