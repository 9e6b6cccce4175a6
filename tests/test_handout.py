"""The handout is one A4 page in black and white on which every text fits, and its numbers are the package's."""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from torch import nn

from tools import handout, handout_content
from tools.sheet import A4, SMALLEST, Panel, Sheet
from vgg_lesson import CONFIGS, build_vgg, class_vgg

TOUCH = 0.5  # points by which two boxes may overlap: rounding of glyphs


@cache
def sheet() -> Sheet:
    """The page, drawn once."""
    return handout.draw()


@cache
def words() -> list[tuple[str, Panel, tuple[float, float, float, float]]]:
    """Each text with its panel and its place: left, top, right, bottom in inches from the page's top left corner."""
    figure = sheet().figure
    figure.canvas.draw()
    found = []
    for text, panel in sheet().texts:
        box = text.get_window_extent()
        left, right, top, bottom = box.x0, box.x1, figure.bbox.height - box.y1, figure.bbox.height - box.y0
        found.append((text.get_text(), panel, tuple(edge / figure.dpi for edge in (left, top, right, bottom))))
    return found


def outside(sheet: Sheet) -> list[str]:
    """Texts that leave their panel."""
    sheet.figure.canvas.draw()
    found, height = [], sheet.figure.bbox.height
    for text, panel in sheet.texts:
        box, dpi, slack = text.get_window_extent(), sheet.figure.dpi, TOUCH / 72
        fits = (
            box.x0 / dpi >= panel.left - slack
            and box.x1 / dpi <= panel.left + panel.width + slack
            and (height - box.y1) / dpi >= panel.top - slack
            and (height - box.y0) / dpi <= panel.top + panel.height + slack
        )
        if not fits:
            found.append(text.get_text())
    return found


def test_it_is_one_a4_page(tmp_path: Path) -> None:
    pdf, png = handout.write(tmp_path)
    content = pdf.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    box = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", content)
    assert box and (round(float(box[1])), round(float(box[2]))) == (595, 842)
    with Image.open(png) as picture:
        assert picture.size == (1653, 2338)
        low, high = picture.convert("L").getextrema()
        assert low == 0 and high == 255
        red, green, blue = picture.convert("RGB").resize((1, 1)).split()
        assert red.getextrema() == green.getextrema() == blue.getextrema()
    assert handout.write(tmp_path / "again")[0].read_bytes() == content


def test_every_text_stays_in_its_panel_and_panels_on_the_page() -> None:
    assert outside(sheet()) == []
    for panel in sheet().panels.values():
        assert panel.left > 0.3 and panel.left + panel.width < A4[0] - 0.3, panel
        assert panel.top > 0.3 and panel.top + panel.height < A4[1] - 0.3, panel


def test_a_text_that_is_too_long_is_found() -> None:
    page = Sheet()
    panel = page.panel("small", 1, 1, 1, 0.2)
    page.write(panel, 0, 0.1, "short")
    assert outside(page) == []
    page.write(panel, 0, 0.1, "much longer than an inch of paper")
    assert outside(page) == ["much longer than an inch of paper"]


def test_no_two_texts_overlap() -> None:
    slack = TOUCH / 72
    for (first, _, a), (second, _, b) in itertools.combinations(words(), 2):
        apart = a[2] <= b[0] + slack or b[2] <= a[0] + slack or a[3] <= b[1] + slack or b[3] <= a[1] + slack
        assert apart, f"{first!r} and {second!r} overlap"


def test_panels_do_not_overlap() -> None:
    for a, b in itertools.combinations(sheet().panels.values(), 2):
        beside = a.left + a.width <= b.left + 1e-9 or b.left + b.width <= a.left + 1e-9
        assert beside or a.top + a.height <= b.top + 1e-9 or b.top + b.height <= a.top + 1e-9, (a.name, b.name)


def test_it_is_black_on_white_and_large_enough() -> None:
    for text, _ in sheet().texts:
        red, green, blue = to_rgb(text.get_color())
        assert red == green == blue <= 0.25
        assert float(text.get_fontsize()) >= SMALLEST
    for patch in sheet().axes.patches:
        red, green, blue = to_rgb(patch.get_facecolor())
        assert red == green == blue


def shown() -> set[str]:
    """Every text of the page."""
    return {text for text, _, _ in words()}


def test_parameters_are_those_of_the_network() -> None:
    network = build_vgg("VGG-11", device="meta")
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert f"{sum(tensor.numel() for tensor in layer.parameters()):,}" in shown()
    for name in handout_content.SHOWN:
        total = sum(p.numel() for p in build_vgg(name, device="meta").parameters())
        assert f"{total:,}" in shown(), name
    for width in (1.0, 0.25):
        network = build_vgg("VGG-11", in_channels=1, num_classes=10, width=width, device="meta")
        assert f"{sum(p.numel() for p in network.parameters()):,}" in shown()
    assert f"{sum(p.numel() for p in class_vgg(device='meta').parameters()):,}" in shown()


def test_formulas_by_pencil_give_the_parameters() -> None:
    rows = [row for row in handout_content.layer_rows(handout_content.vgg11()) if row[2][:1] == "("]
    assert len(rows) == 11
    for _, _, formula, params, _, _ in rows:
        assert f"{eval(formula.replace('·', '*')):,}" == params


def test_multiplications_follow_from_the_shapes_on_the_page() -> None:
    side, channels, total = 224, 3, 0
    page = {row[0]: row for row in handout_content.layer_rows(handout_content.vgg11())}
    for number, block in enumerate(CONFIGS["VGG-11"].blocks, 1):
        for index, conv in enumerate(block, 1):
            row = page[f"conv{number}_{index}"]
            macs = 9 * channels * conv.channels * side * side
            assert row[1] == f"{conv.channels}×{side}×{side}" and row[4] == f"{macs:,}"
            channels, total = conv.channels, total + macs
        side //= 2
        assert page[f"pool{number}"][1] == f"{channels}×{side}×{side}"
    inputs = channels * side * side
    for name, outputs in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)):
        assert page[name][4] == f"{inputs * outputs:,}"
        inputs, total = outputs, total + inputs * outputs
    assert page["total"][4] == f"{total:,}"


def test_receptive_fields_follow_the_recurrence_on_the_page() -> None:
    field, jump = 1, 1
    for name, _, _, _, _, sees in handout_content.layer_rows(handout_content.vgg11())[:-4]:
        kernel, stride = {"conv": (3, 1), "pool": (2, 2)}.get(name[:4], (1, 1))
        field, jump = field + (kernel - 1) * jump, jump * stride
        assert sees == f"{field} / {jump}"


def test_errors_are_the_papers() -> None:
    assert [row[-1] for row in handout_content.family_rows()] == ["10.4", "9.9", "8.8", "9.0"]
    assert "2.3026 for 10 classes, 6.9078 for 1000" in shown()


@pytest.mark.parametrize("number", ["2.303", "0.3%", "25,088"])
def test_other_numbers_are_shown(number: str) -> None:
    assert any(number in text for text in shown())
