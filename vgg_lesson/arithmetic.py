"""Shapes, parameters, multiplications, memory and receptive fields of a VGG, counted without building it.

Pure Python: no torch. The notebooks count by hand first and let this module confirm it.
Sources: the layouts are Table 1 of arXiv:1409.1556; the receptive-field recurrence is that of Araujo, Norris and
Sim, "Computing Receptive Fields of Convolutional Neural Networks", https://distill.pub/2019/computing-receptive-fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, Any

from vgg_lesson.configs import Config, Conv, Network, VGGConfig
from vgg_lesson.support.arguments import Count, Index, check_record, checked, one_of, says, spells_out

KINDS = ("input", "conv", "lrn", "batch_norm", "pool", "gap", "linear")
COUNTED_OUTPUTS = ("input", "conv", "pool", "linear")
# Kept for the way back. A convolution's output stays as the input of its normalisation; a ReLU works in place.
KEPT_OUTPUTS = (*COUNTED_OUTPUTS, "lrn", "batch_norm")
FLOAT32_BYTES = 4
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


@checked
@spells_out(Network)
def trace(config: Config = "VGG-11", **network: Any) -> LayerTrace:
    """Count a VGG layer by layer; the arguments are the fields of `Network`, of which dropout and init cost nothing.

    Raises:
        ValueError, TypeError: an argument out of range, named with its value and what would be accepted.
    """
    asked = Network(config, **network)
    side, channels, layout = asked.image_size, asked.in_channels, asked.layout
    rows = [LayerRow("input", "input", (channels, side, side), 0, 0, channels * side**2, 1, 1, "")]
    for number, block in enumerate(layout.blocks, 1):
        rows.extend(_block_rows(rows[-1], number, block, asked))
    rows.extend(_head_rows(rows[-1], len(layout.blocks) + 1, asked))
    return LayerTrace(layout, tuple(rows))


Counted = Annotated[LayerTrace, says("a LayerTrace such as trace('VGG-11')")]


@checked
def memory(
    counted: Counted, batch_size: Count, *, optimizer: Annotated[str, one_of(tuple(OPTIMIZER_COPIES))] = "momentum"
) -> MemoryBill:
    """Float32 bytes of one training step: weights, gradients, optimiser state, activations kept for backward.

    ``optimizer`` is "sgd" (no state), "momentum" (one value per weight) or "adam" (two). A lower bound: work space
    of the library and the gradients of activations come on top.
    """
    weights = FLOAT32_BYTES * counted.total_params
    kept = sum(row.activations for row in counted.rows if row.kind in KEPT_OUTPUTS)
    return MemoryBill(weights, weights, OPTIMIZER_COPIES[optimizer] * weights, FLOAT32_BYTES * batch_size * kept)


@checked
def fits(
    bill: Annotated[MemoryBill, says("a MemoryBill such as memory(trace('VGG-11'), 128)")],
) -> dict[str, str]:
    """Whether a training step with this bill fits: machine → "yes", "tight" or "no".

    "tight" is a bill that fits, but not with a third of the activations more, which pooling and work space take.
    """
    needed = bill.total + bill.activations / 3
    return {
        machine: "yes" if needed <= free else "tight" if bill.total <= free else "no"
        for machine, free in FREE_BYTES.items()
    }


@checked
def window(counted: Counted, layer: str, cell: Index) -> tuple[int, int]:
    """What cell number ``cell`` of ``layer`` can depend on, along one axis: (first pixel, side), in input pixels.

    The first pixel is negative where the window hangs over into the padding.

    Raises:
        ValueError: no such layer, one behind flattening, or no such cell. TypeError: ``cell`` is no whole number.
    """
    if layer not in (names := [row.name for row in counted.rows]):
        raise ValueError(f"layer={layer!r} is not a layer here; the layers are {', '.join(names)}")
    asked = counted.row(layer)
    if asked.receptive_field is None or asked.jump is None:
        raise ValueError(f"layer={layer!r} has no grid and so no window; choose one before flattening")
    side = asked.output_shape[1]
    if cell >= side:
        raise ValueError(f"cell={cell} is out of range; {layer} has cells 0 to {side - 1} along each side")
    rows = counted.rows[1 : counted.rows.index(asked) + 1]
    # A padded convolution starts as many pixels earlier as it ends later; a pool starts where its first cell does.
    reached = zip(rows, counted.rows, strict=False)
    first = -sum((_grid(row)[0] - _grid(before)[0]) // 2 for row, before in reached if row.kind == "conv")
    return first + cell * asked.jump, asked.receptive_field


def _block_rows(before: LayerRow, number: int, block: tuple[Conv, ...], network: Network) -> Iterator[LayerRow]:
    for index, conv in enumerate(block, 1):
        before = _conv_row(f"conv{number}_{index}", before, network.channels(conv), conv.kernel)
        yield before
        if network.batch_norm:
            yield _same_grid(f"bn{number}_{index}", "batch_norm", before, 2 * before.output_shape[0])
        if network.layout.lrn and number == index == 1:
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
    return replace(before, name=name, kind=kind, params=params, macs=0, formula=formula)


def _pool_row(name: str, before: LayerRow) -> LayerRow:
    (channels, height, width_), (field, jump) = before.output_shape, _grid(before)
    shape = (channels, height // 2, width_ // 2)
    return LayerRow(name, "pool", shape, 0, 0, prod(shape), field + jump, 2 * jump, "")


def _head_rows(before: LayerRow, number: int, network: Network) -> Iterator[LayerRow]:
    incoming, factors = prod(before.output_shape), "·".join(map(str, before.output_shape))
    outputs: tuple[int, ...] = (network.hidden, network.hidden, network.num_classes)
    if network.head == "gap":
        incoming = before.output_shape[0]
        factors, outputs = str(incoming), (network.num_classes,)
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
