"""Two printed pages: one A4 sheet each, no answer on the page for the door, the package's numbers on the other."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from torch import nn

from tests.notebook_rules import read
from tools import handout
from tools.deck import OPTION
from tools.paths import notebooks
from vgg_lesson import CONFIGS, build_vgg, class_vgg


@cache
def words(page: str) -> str:
    """The text of a page."""
    body = BeautifulSoup(handout.html(page), "html.parser").select_one("body")
    assert body is not None
    return body.get_text(" ", strip=True)


def test_notebooks_name_the_files_that_are_written() -> None:
    text = "".join(cell.source for path in notebooks() for cell in read(path).cells)
    named = set(re.findall(r"build/\w+\.pdf", text))
    assert named and named <= {f"build/{page}.pdf" for page in handout.PAGES}, named


def test_the_page_for_the_door_gives_nothing_away() -> None:
    """None of the counts and names of the other page, no shape that an exercise asks for."""
    answers = ("2.303", "2.3026", "1/6", "fan_{in}", "He,", "one class for every picture", "11 layers", "102,764,544")
    for answer in (*answers, "224", "112", "7×7", "16 + 3", "13 + 3", "%", "√"):
        assert answer not in words("door"), answer
    numbers = set(re.findall(r"\d[\d,.]*\d", words("door")))
    assert numbers <= {"64", "128", "256", "512", "4096", *(path.stem[:2] for path in notebooks())}, numbers


def test_the_page_for_the_door_has_room_for_every_guess_of_the_half_day() -> None:
    asked = [
        path.stem[:2]
        for path in notebooks(handout.HALF_DAY)
        for cell in read(path).cells
        if cell.cell_type == "markdown" and OPTION.search(cell.source)
    ]
    assert [number for number, _ in handout.questions()] == asked and len(asked) >= 12
    rows = BeautifulSoup(handout.html("door"), "html.parser").select(".guesses tbody tr")
    assert len(rows) == len(asked)


@pytest.mark.skipif(not any(map(shutil.which, handout.BROWSERS)), reason="no browser here")
def test_each_is_one_a4_page(tmp_path: Path) -> None:
    for path in handout.write(tmp_path):
        content = path.read_bytes()
        assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1, path.name
        box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", content)
        assert box and [round(float(edge) / 72 * 25.4) for edge in box.groups()] == [210, 297]


def test_without_a_browser_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handout, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(handout.write, "__defaults__", (tmp_path,))
    assert handout.main([]) == 1
    assert "print it" in capsys.readouterr().out and (tmp_path / "door.html").exists()


def test_layers_are_those_that_torch_builds() -> None:
    network = build_vgg("VGG-11", device="meta")
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    counted = [sum(tensor.numel() for tensor in layer.parameters()) for layer in layers]
    rows = handout.layer_rows(handout.vgg11())
    shown = [int(row[3].replace(",", "")) for row in rows if row[3]]
    assert shown == [*counted, sum(counted)]
    assert all(row[0] in words("end") and row[1] in words("end") for row in rows)


def test_the_family_and_the_namesakes_are_what_the_package_counts() -> None:
    for name, row in zip(handout.SHOWN, handout.family_rows(), strict=True):
        network = build_vgg(name, device="meta")
        assert row[3] == f"{sum(tensor.numel() for tensor in network.parameters()):,}"
        assert row[1].split() == [str(len(block)) for block in CONFIGS[name].blocks]
    ours = handout.namesake_rows()[-1]
    assert ours[2] == f"{sum(tensor.numel() for tensor in class_vgg().parameters()):,}"
