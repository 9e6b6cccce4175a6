"""View 1: network, layer and cell → what the cell sees of a garment, and what acts on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vgg_lesson.analysis.signal import cell_influence
from vgg_lesson.arithmetic import LayerTrace, trace, window
from vgg_lesson.classroom.figures import cell_window
from vgg_lesson.classroom.figures.why_depth_cell import span
from vgg_lesson.classroom.widgets.garments import enlarged, first_garments
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, choice, menu, slider
from vgg_lesson.configs import CONFIGS
from vgg_lesson.data.datasets import CLASSES

SIZES = (32, 64, 96, 112, 128, 160, 192, 224, 256)


def receptive_field() -> LessonView:
    """Choose a network, a layer and one of its cells: its window on a garment, and the pixels that act on it.

    The window is arithmetic. What acts on the cell is the gradient through a network an eighth as wide, with He's
    weights, shown four images of noise.
    """
    return LessonView("Receptive field", _panel)


def _panel() -> Panel:
    layers = gridded("VGG-11", 224)
    controls = {
        "config": menu("network", list(CONFIGS), "VGG-11", "a column of Table 1 of the paper"),
        "image_size": choice("image side", SIZES, 224, "pixels along one side of the image"),
        "layer": menu("layer", layers, "pool5", "a convolution, a pool or a normalisation"),
        "row": slider("row", 0, 6, 3, "the cell's row, from the top"),
        "column": slider("column", 0, 6, 3, "the cell's column, from the left"),
        "garment": menu("garment", list(CLASSES), "Ankle boot", "which image lies under the field"),
    }
    return Panel(controls, show_cell, fit_controls)


def show_cell(config: str, image_size: int, layer: str, row: int, column: int, garment: str) -> Iterator[Part]:
    """The arithmetic in words, then the picture."""
    counted = trace(config, image_size=image_size)
    side = counted.row(layer).output_shape[1]
    cell = (min(row, side - 1), min(column, side - 1))
    yield _in_words(counted, layer, cell)
    influence = cell_influence(config, layer, cell, image_size=image_size)
    yield cell_window(enlarged(first_garments()[garment], image_size), counted, layer, cell, influence)


def fit_controls(controls: Mapping[str, Any]) -> None:
    """Offer the network's own layers, and as many rows and columns as the layer has."""
    config, image_size = controls["config"].value, controls["image_size"].value
    layers = gridded(config, image_size)
    layer = controls["layer"]
    if list(layer.options) != layers:
        kept = nearest(layer.value, layers)
        layer.options = layers
        layer.value = kept
    side = trace(config, image_size=image_size).row(layer.value).output_shape[1]
    for control in (controls["row"], controls["column"]):
        _set_cells(control, side)


def gridded(config: str, image_size: int) -> list[str]:
    """The layers of a network that have cells, the input left out."""
    rows = trace(config, image_size=image_size).rows
    return [row.name for row in rows if row.receptive_field is not None and row.kind != "input"]


def nearest(layer: str, layers: Sequence[str]) -> str:
    """``layer`` if another network has it too, else its last layer of the same kind in the same block."""
    kind, _, _ = layer.partition("_")
    block = [name for name in layers if name.partition("_")[0] == kind]
    return layer if layer in layers else (block or list(layers))[-1]


def _set_cells(control: Any, side: int) -> None:
    """Offer cells 0 to ``side`` - 1 and stay at the same place of the picture; a slider needs two ends."""
    last = max(side - 1, 1)
    if control.max != last:
        # The middle stays the middle: pool5's cell 3 of 7 and pool4's 7 of 14 lie on the same spot.
        value = min(side - 1, (2 * control.value + 1) * side // (2 * (control.max + 1)))
        control.value = min(control.value, last)
        control.max = last
        control.value = value
    control.disabled = side == 1
    if side == 1:
        control.value = 0


def _in_words(counted: LayerTrace, layer: str, cell: tuple[int, int]) -> str:
    size, found = counted.rows[0].output_shape[1], counted.row(layer)
    (top, side), (left, _) = (window(counted, layer, place) for place in cell)
    grid = found.output_shape[1]
    outside = [
        f"{pixels} pixels past the {edge}"
        for edge, pixels in (
            ("top", -top), ("bottom", top + side - size), ("left", -left), ("right", left + side - size),
        )
        if pixels > 0
    ]  # fmt: skip
    return (
        f"<p><b>{layer}</b> of {counted.config.name}: {grid}×{grid} cells, {found.jump} pixels apart. This one sees "
        f"<b>{side}×{side}</b> pixels: rows {span(top, side)}, columns {span(left, side)}. "
        f"{'It reaches ' + ', '.join(outside) + '.' if outside else 'No padding is among them.'}</p>"
    )
