"""The handout: one A4 page, black on white, with VGG-11's layers, the formulas and the numbers of the series.

``python -m tools handout`` writes ``build/handout.pdf`` and, to look at, ``build/handout.png``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style

from tools import handout_content as content
from tools.paths import ROOT
from tools.sheet import A4, DARK, MIDDLE, PALE, Panel, Sheet
from vgg_lesson.arithmetic import LayerRow, LayerTrace
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build"
LEFT, TOP = 0.5, 0.42
WIDTH = A4[0] - 2 * LEFT
STYLE: Any = {"font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans", "pdf.fonttype": 42}
SHADES = {"input": "1.0", "conv": PALE, "pool": DARK}
TALLEST, SLANT, THICKNESS = 1.12, (0.22, 0.12), 0.0005  # inches; shares; inches per channel
SLOTS = (0.72, 0.86, 0.82, 0.84, 1.0, 1.0)  # inches for the input and each block
BAR = 0.62  # inches of a share of 100%
LAYERS = (
    ("layer", 0, "left"),
    ("output", 0.72, "left"),
    ("parameters by pencil", 1.68, "left"),
    ("parameters", 4.22, "right"),
    ("multiplications", 5.76, "right"),
    ("sees / jump (pixels)", WIDTH, "right"),
)
FAMILY = (
    ("", 0, "left"),
    ("convs per block", 0.62, "left"),
    ("layers", 1.62, "left"),
    ("parameters", 2.83, "right"),
    ("10⁹ MACs", 3.44, "right"),
    ("sees", 3.83, "right"),
    ("top-5", 4.25, "right"),
)
NAMESAKES = (
    ("“VGG-11” is", 0, "left"),
    ("input", 0.98, "left"),
    ("parameters", 2.5, "right"),
    ("10⁶ MACs", 3.18, "right"),
    ("in head", 3.68, "right"),
    ("GB", 4.25, "right"),
)
LOG = (("The log shows", 0, "left"), ("It means", 2.42, "left"), ("Try", 4.62, "left"))


def main(arguments: list[str]) -> int:
    """``python -m tools handout``"""
    for path in write():
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def write(folder: Path = FOLDER) -> list[Path]:
    """Write the handout as PDF and as PNG (200 dots per inch) into ``folder``; returns the two files."""
    sheet, written = draw(), []
    about = {"Title": "VGG-11 on one page", "Creator": "vgg-lesson", "CreationDate": None}
    for name, options in (("handout.pdf", {"metadata": about}), ("handout.png", {"dpi": 200})):
        drawn = io.BytesIO()
        with mpl.rc_context(STYLE):
            sheet.figure.savefig(drawn, format=name[-3:], **options)
        write_atomically(folder / name, drawn.getvalue())
        written.append(folder / name)
    return written


def draw() -> Sheet:
    """The page, ready to be saved."""
    with matplotlib.style.context("default"), mpl.rc_context(STYLE):
        sheet, counted = Sheet(), content.vgg11()
        _headline(sheet)
        _architecture(sheet, counted)
        _layers(sheet, counted)
        _formulas(sheet)
        _networks(sheet)
        _log(sheet)
        _foot(sheet)
    return sheet


def _headline(sheet: Sheet) -> None:
    panel = sheet.panel("headline", LEFT, TOP, WIDTH, 0.36)
    sheet.write(panel, 0, 0.16, "VGG-11 on one page", size=17, weight="bold")
    sheet.write(panel, 2.88, 0.13, "light: convolution, 3×3, ReLU", size=7)
    sheet.write(panel, 2.88, 0.26, "dark: 2×2 max-pool  ·  hatched: linear", size=7)
    sheet.write(panel, WIDTH, 0.2, "name: ________________________", size=9, ha="right")


def _architecture(sheet: Sheet, counted: LayerTrace) -> None:
    panel = sheet.panel("architecture", LEFT, TOP + 0.46, WIDTH, 1.84)
    stages = _stages([row for row in counted.rows if row.kind in SHADES])
    left, middle = 0.0, panel.top + 0.7
    for stage, room in zip(stages, SLOTS, strict=True):
        x = panel.left + left + (room - sum(_extent(row)[0] for row in stage)) / 2
        for row in stage:
            x = _slab(sheet, row, x, middle)
        label = "input" if stage[0].kind == "input" else f"block {stage[0].name[4]}"
        _labels(sheet, panel, left + room / 2, label, content.shape(stage[-1]))
        left += room
    _head(sheet, panel, counted, left, middle)


def _extent(row: LayerRow) -> tuple[float, float, float]:
    """Inches that a layer's box takes from left to right, its thickness, and the side of its face."""
    side = row.output_shape[1] * TALLEST / 224
    thickness = max(0.03, row.output_shape[0] * THICKNESS)
    return thickness + max(0.05, SLANT[0] * side * 0.8), thickness, side


def _slab(sheet: Sheet, row: LayerRow, left: float, middle: float) -> float:
    """A box whose height and depth are the grid, its thickness the channels; returns where the next one starts."""
    room, width, side = _extent(row)
    across, up = SLANT[0] * side, SLANT[1] * side
    bottom, top, right = middle + (side + up) / 2, middle + (up - side) / 2, left + width
    shade = SHADES[row.kind]
    sheet.shape([(left, top), (right, top), (right + across, top - up), (left + across, top - up)], shade)
    sheet.shape([(right, top), (right + across, top - up), (right + across, bottom - up), (right, bottom)], shade)
    sheet.shape([(left, top), (right, top), (right, bottom), (left, bottom)], shade)
    return left + room


def _head(sheet: Sheet, panel: Panel, counted: LayerTrace, left: float, middle: float) -> None:
    """The flattened row and the linear layers, the root of their lengths to scale."""
    linear = [(row.name, row.output_shape[0]) for row in counted.rows if row.kind == "linear"]
    rows = [("flatten", prod(counted.row("pool5").output_shape)), *linear]
    room = (panel.width - left) / len(rows)
    for number, (name, units) in enumerate(rows):
        x, half = panel.left + left + (number + 0.5) * room, TALLEST * 0.55 * (units / rows[0][1]) ** 0.5
        corners = [(x - 0.05, middle - half), (x + 0.05, middle - half), (x + 0.05, middle + half)]
        sheet.shape([*corners, (x - 0.05, middle + half)], "1.0", hatch="////" if number else None)
        _labels(sheet, panel, x - panel.left, name, f"{units:,}")


def _labels(sheet: Sheet, panel: Panel, x: float, name: str, output: str) -> None:
    sheet.write(panel, x, 1.54, name, size=8, weight="bold", ha="center")
    sheet.write(panel, x, 1.7, output, size=7.4, ha="center")


def _stages(rows: Sequence[LayerRow]) -> list[list[LayerRow]]:
    stages: list[list[LayerRow]] = [[]]
    for row in rows:
        stages[-1].append(row)
        if row.kind in ("input", "pool"):
            stages.append([])
    return stages[:-1]


def _layers(sheet: Sheet, counted: LayerTrace) -> None:
    title = "Layer by layer: 3×224×224 pictures, 1,000 classes"
    panel = sheet.panel("layers", LEFT, TOP + 2.42, WIDTH, 3.36, title)
    start, step = 0.31, 0.158
    sheet.table(panel, start, LAYERS, content.layer_rows(counted), step=step, last_bold=True)
    for number, row in enumerate(counted.rows, 1):
        y = panel.top + start + number * step
        for x, share in ((4.28, row.params / counted.total_params), (5.82, row.macs / counted.total_macs)):
            if share:
                sheet.box(panel.left + x, y - 0.045, max(0.008, BAR * share), 0.09, MIDDLE)
            if share >= 0.02:
                sheet.write(panel, x + BAR * share + 0.04, (number * step) + start, f"{share:.0%}", size=7)
        if row.kind in ("input", "pool"):
            sheet.rule(panel.left, y + step / 2, panel.width, 0.25)
    sheet.rule(panel.left, panel.top + start + (len(counted.rows) + 0.5) * step, panel.width, 0.5)


def _formulas(sheet: Sheet) -> None:
    panel = sheet.panel("formulas", LEFT, TOP + 5.84, 2.86, 3.18, "Formulas")
    for number, (what, formula, remark) in enumerate(content.formulas()):
        y = 0.31 + 0.293 * number
        sheet.write(panel, 0, y, what, size=7.2, weight="bold")
        sheet.write(panel, 2.86, y, formula, size=8.4, ha="right")
        sheet.write(panel, 0, y + 0.135, remark, size=7, color="0.2")


def _networks(sheet: Sheet) -> None:
    left, width = LEFT + 3.02, WIDTH - 3.02
    family = sheet.panel("family", left, TOP + 5.84, width, 1.34, "One table, a family")
    end = sheet.table(family, 0.31, FAMILY, content.family_rows(), step=0.168)
    sheet.write(
        family,
        0,
        end + 0.09,
        "sees: pixels of 224 after pool5. top-5: error in %, one scale (the paper, Table 3).",
        size=7,
    )
    names = sheet.panel("namesakes", left, TOP + 7.3, width, 1.72, "Which one do you mean?")
    end = sheet.table(names, 0.31, NAMESAKES, content.namesake_rows(), step=0.168)
    for number, line in enumerate(
        (
            "GB: one step in float32 with momentum, batch 128: weights, gradients, velocities,",
            "activations. The post's log and ours: quarter width; ours also 512 hidden units and",
            "batch norm. Expensive depends on what you count: file, clock or memory.",
        )
    ):
        sheet.write(names, 0, end + 0.09 + 0.135 * number, line, size=7)


def _log(sheet: Sheet) -> None:
    panel = sheet.panel("log", LEFT, TOP + 9.14, WIDTH, 1.42, "Read your log before you turn a knob")
    sheet.table(panel, 0.31, LOG, content.log_rows(), step=0.158, size=7.4)


def _foot(sheet: Sheet) -> None:
    panel = sheet.panel("foot", LEFT, TOP + 10.68, WIDTH, 0.16)
    line = "Network, errors: Simonyan and Zisserman, arXiv:1409.1556. Counts: the package vgg_lesson. Text: CC BY 4.0."
    sheet.write(panel, 0, 0.08, line, size=7, color="0.2")
