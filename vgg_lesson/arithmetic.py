"""Shapes, parameters, multiplications, memory and receptive fields of a VGG, counted without building it.

Pure Python: no torch. The notebooks count by hand first and let this module confirm it.
Sources: the layouts are Table 1 of arXiv:1409.1556; the receptive-field recurrence is that of Araujo, Norris and
Sim, "Computing Receptive Fields of Convolutional Neural Networks", https://distill.pub/2019/computing-receptive-fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Annotated

from vgg_lesson.configs import Conv, VGGConfig, get_config
from vgg_lesson.support.arguments import (
    Index,
    check_bool,
    check_choice,
    check_kind,
    check_positive_int,
    check_record,
    one_of,
)

HEADS = ("fc", "gap")
KINDS = ("input", "conv", "lrn", "batch_norm", "pool", "gap", "linear")
COUNTED_OUTPUTS = ("input", "conv", "pool", "linear")
FLOAT32_BYTES = 4
MAX_WIDTH = 1000  # a block of 64 channels would have 64,000: past that, a mistake
OPTIMIZER_COPIES = {"sgd": 0, "momentum": 1, "adam": 2}
# What is left of a machine's memory once Python, PyTorch and the lesson (0.7 GB), and on a laptop the system and a
# browser (3 GB), have theirs; a GPU's driver and kernels take about 1 GB.
FREE_BYTES = {"Binder pod, 2 GB": 1.3e9, "laptop, 8 GB": 4.3e9, "GPU, 24 GB": 23e9}


@dataclass(frozen=True)
class LayerRow:
    """One layer of a trace, for a single image.

    ``output_shape`` is (channels, height, width), or (features,) once the grid is flattened. ``macs`` counts
    multiply-accumulates, ``activations`` the output values. ``receptive_field`` and ``jump`` are in input pixels
    and None after flattening. ``formula`` spells the parameter count out.
    """

    name: str
    kind: Annotated[str, one_of(KINDS)]
    output_shape: tuple[Index, ...]
    params: Index
    macs: Index
    activations: Index
    receptive_field: Index | None
    jump: Index | None
    formula: str

    def __post_init__(self) -> None:
        check_record(self)


@dataclass(frozen=True)
class LayerTrace:
    """Every layer of a network, from the input to the class scores, and the totals."""

    config: VGGConfig
    rows: tuple[LayerRow, ...]

    def __post_init__(self) -> None:
        check_record(self)

    def row(self, name: str) -> LayerRow:
        """The layer called ``name``, such as ``"conv3_2"``; ValueError lists the names if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise ValueError(f"name={name!r} is not a layer here; the layers are {', '.join(r.name for r in self.rows)}")

    @property
    def total_params(self) -> int:
        """All trainable values."""
        return sum(row.params for row in self.rows)

    @property
    def fc_params(self) -> int:
        """Trainable values of the fully connected layers."""
        return sum(row.params for row in self.rows if row.kind == "linear")

    @property
    def conv_params(self) -> int:
        """Trainable values of the convolutions, batch norm included."""
        return self.total_params - self.fc_params

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of one image's forward pass: convolutions and linear layers only."""
        return sum(row.macs for row in self.rows)

    @property
    def total_activations(self) -> int:
        """Output values of input, convolution, pooling and linear layers for one image."""
        return sum(row.activations for row in self.rows if row.kind in COUNTED_OUTPUTS)

    def __str__(self) -> str:
        header = ("layer", "output", "parameters", "MACs", "receptive field")
        lines = [header, *(_cells(row) for row in self.rows)]
        lines.append(("total", "", f"{self.total_params:,}", f"{self.total_macs:,}", ""))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(_aligned, line, widths, "<<>>>")) for line in lines)


@dataclass(frozen=True)
class MemoryBill:
    """Bytes that one training step keeps in float32, by what they are for."""

    weights: Index
    gradients: Index
    optimizer: Index
    activations: Index

    def __post_init__(self) -> None:
        check_record(self)

    @property
    def total(self) -> int:
        """The sum, in bytes."""
        return self.weights + self.gradients + self.optimizer + self.activations


def trace(
    config: str | VGGConfig = "VGG-11",
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int = 224,
    width: float = 1.0,
    batch_norm: bool = False,
    hidden: int = 4096,
    head: str = "fc",
) -> LayerTrace:
    """Count a VGG layer by layer.

    Args:
        config: a name in `CONFIGS` or a `VGGConfig`.
        in_channels, image_size: the input is (in_channels, image_size, image_size).
        num_classes: outputs of the last layer. hidden: units of the two hidden FC layers.
        width: scales every convolution's channels, ``max(1, round(width * channels))``.
        batch_norm: a batch norm after every convolution (which keeps its bias).
        head: "fc" for three fully connected layers, "gap" for global average pooling and one linear layer.

    Raises:
        ValueError, TypeError: an argument out of range; an image too small for the pools is answered with the
            smallest legal size.
    """
    layout = get_config(config)
    check_network(
        layout, in_channels=in_channels, num_classes=num_classes, image_size=image_size, width=width,
        batch_norm=batch_norm, hidden=hidden, head=head,
    )  # fmt: skip
    start = LayerRow(
        "input", "input", (in_channels, image_size, image_size), 0, 0, in_channels * image_size**2, 1, 1, ""
    )
    rows = [start]
    for number, block in enumerate(layout.blocks, 1):
        rows.extend(_block_rows(rows[-1], number, block, width, batch_norm, layout.lrn and number == 1))
    rows.extend(_head_rows(rows[-1], len(layout.blocks) + 1, head, hidden, num_classes))
    return LayerTrace(layout, tuple(rows))


def memory(counted: LayerTrace, batch_size: int, *, optimizer: str = "momentum") -> MemoryBill:
    """Float32 bytes of one training step: weights, gradients, optimiser state, activations kept for backward.

    ``optimizer`` is "sgd" (no state), "momentum" (one value per weight) or "adam" (two). A lower bound: work space
    of the library and the gradients of activations come on top.
    """
    _check_counted(counted)
    check_positive_int("batch_size", batch_size)
    check_choice("optimizer", optimizer, OPTIMIZER_COPIES)
    weights = FLOAT32_BYTES * counted.total_params
    activations = FLOAT32_BYTES * batch_size * counted.total_activations
    return MemoryBill(weights, weights, OPTIMIZER_COPIES[optimizer] * weights, activations)


def fits(bill: MemoryBill) -> dict[str, str]:
    """Whether a training step with this bill fits: machine → "yes", "tight" or "no".

    "tight" is a bill that fits, but not with a third of the activations more, which pooling and work space take.
    """
    check_kind("bill", bill, MemoryBill, "a MemoryBill such as memory(trace('VGG-11'), 128)")
    needed = bill.total + bill.activations / 3
    return {
        machine: "yes" if needed <= free else "tight" if bill.total <= free else "no"
        for machine, free in FREE_BYTES.items()
    }


def window(counted: LayerTrace, layer: str, cell: int) -> tuple[int, int]:
    """What cell number ``cell`` of ``layer`` can depend on, along one axis: (first pixel, side), in input pixels.

    The first pixel is negative where the window hangs over into the padding.

    Raises:
        ValueError: no such layer, one behind flattening, or no such cell. TypeError: ``cell`` is no whole number.
    """
    _check_counted(counted)
    if layer not in (names := [row.name for row in counted.rows]):
        raise ValueError(f"layer={layer!r} is not a layer here; the layers are {', '.join(names)}")
    asked = counted.row(layer)
    if asked.receptive_field is None or asked.jump is None:
        raise ValueError(f"layer={layer!r} has no grid and so no window; choose one before flattening")
    side = asked.output_shape[1]
    if isinstance(cell, bool) or not isinstance(cell, int):
        raise TypeError(f"cell={cell!r} is {type(cell).__name__}; a whole number from 0 to {side - 1} is expected")
    if not 0 <= cell < side:
        raise ValueError(f"cell={cell} is out of range; {layer} has cells 0 to {side - 1} along each side")
    rows = counted.rows[1 : counted.rows.index(asked) + 1]
    # A padded convolution starts as many pixels earlier as it ends later; a pool starts where its first cell does.
    reached = zip(rows, counted.rows, strict=False)
    first = -sum((_grid(row)[0] - _grid(before)[0]) // 2 for row, before in reached if row.kind == "conv")
    return first + cell * asked.jump, asked.receptive_field


def _check_counted(counted: object) -> None:
    check_kind("counted", counted, LayerTrace, "a LayerTrace such as trace('VGG-11')")


def scaled(channels: int, width: float) -> int:
    """Channels of a layer after scaling by ``width``: at least one."""
    return max(1, round(width * channels))


def check_network(
    config: VGGConfig,
    *,
    in_channels: int,
    num_classes: int,
    image_size: int,
    width: float,
    batch_norm: bool,
    hidden: int,
    head: str,
) -> None:
    """Raise ValueError or TypeError for the first argument that describes no network; see `trace`."""
    for name, value in (
        ("in_channels", in_channels), ("num_classes", num_classes), ("image_size", image_size), ("hidden", hidden),
    ):  # fmt: skip
        check_positive_int(name, value)
    if isinstance(width, bool) or not isinstance(width, int | float):
        raise TypeError(f"width={width!r} is {type(width).__name__}; a positive number such as 0.25 is expected")
    if not 0 < width <= MAX_WIDTH:
        raise ValueError(
            f"width={width} is out of range; a positive number such as 0.25, {MAX_WIDTH:,} at most, is expected"
        )
    check_bool("batch_norm", batch_norm)
    check_choice("head", head, HEADS)
    smallest = 2 ** len(config.blocks)
    if image_size < smallest:
        raise ValueError(
            f"image_size={image_size} is too small: {len(config.blocks)} poolings halve it to nothing; "
            f"the smallest legal size is {smallest}"
        )


def _block_rows(
    before: LayerRow, number: int, block: tuple[Conv, ...], width: float, batch_norm: bool, lrn: bool
) -> Iterator[LayerRow]:
    for index, conv in enumerate(block, 1):
        before = _conv_row(f"conv{number}_{index}", before, scaled(conv.channels, width), conv.kernel)
        yield before
        if batch_norm:
            yield _same_grid(f"bn{number}_{index}", "batch_norm", before, 2 * before.output_shape[0])
        if lrn and index == 1:
            yield _same_grid(f"lrn{number}_{index}", "lrn", before, 0)
    yield _pool_row(f"pool{number}", before)


def _grid(row: LayerRow) -> tuple[int, int]:
    assert row.receptive_field is not None and row.jump is not None
    return row.receptive_field, row.jump


def _conv_row(name: str, before: LayerRow, channels: int, kernel: int) -> LayerRow:
    (incoming, height, width_), (field, jump) = before.output_shape, _grid(before)
    weights = kernel * kernel * incoming * channels
    params = weights + channels
    formula = f"({kernel}·{kernel}·{incoming} + 1)·{channels} = {params:,}"
    outputs = channels * height * width_
    return LayerRow(
        name, "conv", (channels, height, width_), params, weights * height * width_, outputs,
        field + (kernel - 1) * jump, jump, formula,
    )  # fmt: skip


def _same_grid(name: str, kind: str, before: LayerRow, params: int) -> LayerRow:
    formula = f"2·{before.output_shape[0]} = {params:,}" if params else ""
    return LayerRow(
        name,
        kind,
        before.output_shape,
        params,
        0,
        before.activations,
        before.receptive_field,
        before.jump,
        formula,
    )


def _pool_row(name: str, before: LayerRow) -> LayerRow:
    (channels, height, width_), (field, jump) = before.output_shape, _grid(before)
    shape = (channels, height // 2, width_ // 2)
    return LayerRow(name, "pool", shape, 0, 0, prod(shape), field + jump, 2 * jump, "")


def _head_rows(before: LayerRow, number: int, head: str, hidden: int, num_classes: int) -> Iterator[LayerRow]:
    incoming, factors = prod(before.output_shape), "·".join(map(str, before.output_shape))
    outputs: tuple[int, ...] = (hidden, hidden, num_classes)
    if head == "gap":
        incoming = before.output_shape[0]
        factors, outputs = str(incoming), (num_classes,)
        yield LayerRow("gap", "gap", (incoming,), 0, 0, incoming, None, None, "")
    for offset, units in enumerate(outputs):
        params = (incoming + 1) * units
        formula = f"({factors} + 1)·{units} = {params:,}"
        yield LayerRow(f"fc{number + offset}", "linear", (units,), params, incoming * units, units, None, None, formula)
        incoming, factors = units, str(units)


def _aligned(text: str, width: int, side: str) -> str:
    return f"{text:{side}{width}}"


def _cells(row: LayerRow) -> tuple[str, str, str, str, str]:
    shape = "×".join(map(str, row.output_shape))
    field = "" if row.receptive_field is None else f"{row.receptive_field}"
    return (
        row.name,
        shape,
        f"{row.params:,}" if row.params else "",
        f"{row.macs:,}" if row.macs else "",
        field,
    )
