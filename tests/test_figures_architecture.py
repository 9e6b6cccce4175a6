"""The drawings of the architecture: nothing leaves the sheet, labels stay apart, sizes are to scale."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Bbox

from vgg_lesson import CONFIGS, VGGConfig, trace
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.figures.architecture_network import KIND_COLORS, WIDTH, lighter
from vgg_lesson.support.style import LessonFigure

CLASS: dict[str, Any] = {"in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.25, "hidden": 512}
NETWORKS: list[tuple[str | VGGConfig, dict[str, Any]]] = [
    *((name, {}) for name in CONFIGS),
    ("VGG-11", CLASS),
    ("VGG-19", {**CLASS, "batch_norm": True, "head": "gap"}),
    (VGGConfig.stack("shallow", [(1, 32), (1, 64)]), {"image_size": 28, "in_channels": 1}),
]


def text_boxes(figure: LessonFigure) -> list[tuple[str, Bbox]]:
    """Every text of the first axes with its place in inches."""
    FigureCanvasAgg(figure).draw()
    to_inches = figure.dpi_scale_trans.inverted()
    return [(t.get_text(), t.get_window_extent().transformed(to_inches)) for t in figure.axes[0].texts if t.get_text()]


@pytest.mark.parametrize(("config", "options"), NETWORKS, ids=str)
def test_labels_stay_on_the_sheet_and_apart(config: str | VGGConfig, options: dict[str, Any]) -> None:
    figure = fig.draw_network(config, **options)
    boxes = text_boxes(figure)
    assert all(box.x0 >= 0 and box.x1 <= WIDTH for _, box in boxes), boxes
    lines = {round(box.y0, 1) for _, box in boxes}
    for line in lines:
        in_line = sorted((box.x0, box.x1, text) for text, box in boxes if round(box.y0, 1) == line)
        assert all(one[1] < other[0] for one, other in pairwise(in_line)), in_line


def test_slabs_and_columns_are_to_scale() -> None:
    figure = fig.draw_network("VGG-11")
    fronts: list[Bbox] = [
        patch.get_path().get_extents()
        for patch in figure.axes[0].patches
        if isinstance(patch, Polygon) and patch.get_facecolor()[:3] == lighter(KIND_COLORS["conv"], 0.0)
    ]
    rows = [row for row in trace("VGG-11").rows if row.kind == "conv"]
    assert len(fronts) == len(rows)
    assert len({round(front.height / row.output_shape[1], 6) for front, row in zip(fronts, rows, strict=True)}) == 1
    per_channel = {round(front.width / row.output_shape[0], 6) for front, row in zip(fronts, rows, strict=True)}
    columns = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and p.get_height() > 0.5]
    assert {round(c.get_height() / n, 6) for c, n in zip(columns, (4096, 4096, 1000), strict=True)} == per_channel


def test_the_table_has_a_tile_for_every_convolution() -> None:
    figure = fig.draw_table()
    words = [text for text, _ in text_boxes(figure)]
    tiles = [word for word in words if word in ("64", "128", "256", "512")]
    assert len(tiles) == sum(config.conv_layers for config in CONFIGS.values()) + 2  # two in the legend
    assert "C 13 + 3, D 13 + 3, E 16 + 3" in figure.alt


def test_windows_know_what_they_write() -> None:
    assert [fig.Window("", 224, k, p, s).output for k, p, s in ((3, 0, 1), (3, 1, 1), (2, 0, 2), (7, 1, 2))] == [
        222, 224, 112, 110,
    ]  # fmt: skip
    assert "6×6 in, 4×4 out" in fig.draw_windows([fig.Window("plain", 6, 3)]).alt
