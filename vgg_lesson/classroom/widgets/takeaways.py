"""View of notebook 12: the channels of an Inception module → its paths, and its parameters beside a VGG block's."""

from __future__ import annotations

from collections.abc import Iterator

from vgg_lesson.classroom.figures import inception_module as draw_module
from vgg_lesson.classroom.figures import module_costs
from vgg_lesson.classroom.takeaways import INPUTS, MODULE_3A, SIDE, block_convs, conv_params, module_convs
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, slider

STEP, MOST = 8, 256


def inception_module() -> LessonView:
    """Choose the channels of an Inception module that reads 192: what does each path cost, and what all four?"""
    return LessonView("An Inception module of your own", _panel)


def _panel() -> Panel:
    one, three, five, pool = MODULE_3A
    controls = {
        "one": _channels("1×1", one, "channels of the path with the single 1×1"),
        "three_before": _channels("before the 3×3", three[0], "channels that the 3×3 reads"),
        "three": _channels("3×3", three[1], "channels that the 3×3 writes"),
        "five_before": _channels("before the 5×5", five[0], "channels that the 5×5 reads"),
        "five": _channels("5×5", five[1], "channels that the 5×5 writes"),
        "pool": _channels("after the pool", pool, "channels of the 1×1 behind the pool"),
    }
    return Panel(controls, show_module)


def _channels(label: str, value: int, tip: str) -> object:
    return slider(label, STEP, MOST, value, tip, step=STEP)


def show_module(one: int, three_before: int, three: int, five_before: int, five: int, pool: int) -> Iterator[Part]:
    """The costs beside those of two 3×3 convolutions that write as many channels; then the module."""
    cell = (one, (three_before, three), (five_before, five), pool)
    written = one + three + five + pool
    block = {name: conv_params(*conv) for name, conv in block_convs(INPUTS, written).items()}
    module = {name: conv_params(*conv) for name, conv in module_convs(INPUTS, cell).items()}
    ratio = sum(block.values()) / sum(module.values())
    title = f"{written} channels: the block has {ratio:.1f} times the module's parameters"
    yield module_costs({"two 3×3\nof a VGG block": block, "the module": module}, title)
    yield draw_module(INPUTS, cell, SIDE)
