"""View 2: build a network on paper → its drawing to scale, every formula filled in, and where it would train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vgg_lesson.arithmetic import FREE_BYTES, OPTIMIZER_COPIES, LayerRow, LayerTrace, MemoryBill, fits, memory, trace
from vgg_lesson.classroom.figures import draw_network
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, choice, menu, number, slider, switch
from vgg_lesson.configs import CONFIGS

WIDTHS = (("1/16", 1 / 16), ("1/8", 1 / 8), ("1/4", 1 / 4), ("1/2", 1 / 2), ("3/4", 3 / 4), ("1", 1.0), ("2", 2.0))
HIDDEN = (64, 128, 256, 512, 1024, 2048, 4096)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
HEADS = (("three fully connected", "fc"), ("average, one linear", "gap"))
MARKS = {"yes": "✔ fits", "tight": "~ tight", "no": "✘ does not fit"}
CELL = "padding:1px 10px"


def network_builder() -> LessonView:
    """Choose layout, width, input, head and batch: drawing, layer table, parameters, MACs, memory, and what it fits.

    All of it is arithmetic; no network is built and no memory taken.
    """
    return LessonView("Build a network", _panel)


def _panel() -> Panel:
    controls = {
        "config": menu("variant", list(CONFIGS), "VGG-11", "a column of Table 1 of the paper"),
        "width": choice("width", WIDTHS, 1.0, "factor on the channels of every convolution"),
        "image_size": slider("image side", 32, 448, 224, "pixels along one side of the input", step=16),
        "in_channels": slider("input channels", 1, 16, 1, "1 for grey images, 3 for colour"),
        "num_classes": number("classes", 1, 21_841, 10, "outputs of the last layer, 1 to 21,841"),
        "head": menu("head", HEADS, "fc", "what follows the last pool"),
        "hidden": choice("hidden units", HIDDEN, 4096, "of each hidden fully connected layer"),
        "batch_norm": switch("batch norm", False, "after every convolution"),
        "batch_size": choice("batch", BATCHES, 128, "images in one training step"),
        "optimizer": menu("optimiser", list(OPTIMIZER_COPIES), "sgd", "what it remembers takes memory, too"),
    }
    return Panel(controls, show_network, only_what_counts, order=(0, 2, 1))


def only_what_counts(controls: Mapping[str, Any]) -> None:
    """Average pooling has no hidden layers, so their units cannot be chosen."""
    controls["hidden"].disabled = controls["head"].value == "gap"


def show_network(config: str, batch_size: int, optimizer: str, **options: Any) -> Iterator[Part]:
    """The totals, the layer table, and last, because it takes longest, the drawing."""
    counted = trace(config, **options)
    yield totals(counted, memory(counted, batch_size, optimizer=optimizer), batch_size)
    yield layer_table(counted)
    yield draw_network(config, **options)


def totals(counted: LayerTrace, bill: MemoryBill, batch_size: int) -> str:
    """Parameters, MACs and memory as an HTML table, and which machines could train it."""
    share = counted.fc_params / counted.total_params
    parts = {
        "weights": bill.weights, "gradients": bill.gradients, "optimiser": bill.optimizer,
        "activations": bill.activations,
    }  # fmt: skip
    listed = ", ".join(f"{name} {_size(value)}" for name, value in parts.items())
    rows = {
        "parameters": f"<b>{counted.total_params:,}</b>, {share:.1%} of them fully connected",
        "MACs, one picture": f"<b>{counted.total_macs:,}</b>",
        f"training step, {batch_size} images": f"<b>{_size(bill.total)}</b>: {listed}",
        "trains in": " · ".join(f"{machine}: <b>{MARKS[answer]}</b>" for machine, answer in fits(bill).items()),
    }
    body = "".join(f'<tr><th scope="row" {_left()}>{name}</th><td>{words}</td></tr>' for name, words in rows.items())
    *first, last = (f"{value / 1e9:g}" for value in FREE_BYTES.values())
    return (
        f"<table>{body}</table><p>Float32. What the system leaves free is {', '.join(first)} and {last} GB. "
        "<i>Tight</i>: it fits, but not with a third of the activations more, for pooling and work space.</p>"
    )


def layer_table(counted: LayerTrace) -> str:
    """Every layer with its formula filled in, as an HTML table that scrolls."""
    names = ("layer", "output", "parameters", "MACs", "values put out")
    head = "".join(f'<th scope="col" {_left() if n < 3 else _right()}>{name}</th>' for n, name in enumerate(names))
    body = "".join(map(_table_row, counted.rows))
    return (
        '<div tabindex="0" role="region" aria-label="layer table" style="max-height:22em;overflow:auto">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _table_row(row: LayerRow) -> str:
    shape = "×".join(map(str, row.output_shape))
    return (
        f'<tr><th scope="row" {_left()}>{row.name}</th><td style="{CELL}">{shape}</td>'
        f'<td style="{CELL}">{row.formula}</td><td {_right()}>{f"{row.macs:,}" if row.macs else ""}</td>'
        f"<td {_right()}>{row.activations:,}</td></tr>"
    )


def _size(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB" if size else "nothing"


def _left() -> str:
    return f'style="{CELL};text-align:left"'


def _right() -> str:
    return f'style="{CELL};text-align:right"'
