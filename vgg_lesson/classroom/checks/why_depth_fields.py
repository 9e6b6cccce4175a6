"""The exercises on receptive fields of notebook 01: the recurrence, a wrong list, a pool less, a corner, a detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import UNANSWERED, Exercise, Mistake, choice, code, number
from vgg_lesson.configs import CONFIGS
from vgg_lesson.records.published import published

Layers = list[tuple[int, int]]
Step = Callable[[int, int, int, int], tuple[int, int]]
POOL = (2, 2)
POOLS_TO_TAKE = {"a": 1, "b": 3, "c": 5}
_DOUBLING = "Your field leaps at a stride. Which of the two numbers, field or jump, does a stride multiply?"
SUSPECTS = {"a": "conv1_2", "b": "pool1", "c": "conv2_1", "d": "pool5"}


def layers_of(name: str) -> Layers:
    """A network of the paper up to its last pool, as (window, stride) pairs."""
    return [layer for block in CONFIGS[name].blocks for layer in [*((conv.kernel, 1) for conv in block), POOL]]


def detector_layers() -> Layers:
    """ZFNet up to conv5 as (window, stride), and the 3×3 window that Faster R-CNN slides over it."""
    return [(size, stride) for name, size, stride in published("zfnet_layers") if name != "pool5"] + [(3, 1)]


def walk(layers: Layers, step: Step) -> tuple[int, int]:
    """Field and jump after ``layers``, in pixels, if each layer does ``step(field, jump, window, stride)``."""
    field, jump = 1, 1
    for window, stride in layers:
        field, jump = step(field, jump, window, stride)
    return field, jump


def _step(field: int, jump: int, window: int, stride: int) -> tuple[int, int]:
    return field + (window - 1) * jump, jump * stride


def field_of(layers: Layers) -> int:
    """The receptive field after ``layers``, in pixels."""
    return walk(layers, _step)[0]


def _stepping(step: Step) -> Callable[[Layers], int]:
    return lambda layers: walk(layers, step)[0]


def _doubled(field: int, jump: int, window: int, stride: int) -> tuple[int, int]:
    return (field + window - 1, jump) if stride == 1 else (field * stride, jump)


field_doubled = _stepping(_doubled)
field_without_strides = _stepping(lambda field, jump, window, stride: (field + window - 1, jump))
field_stride_first = _stepping(
    lambda field, jump, window, stride: (field + (window - 1) * jump * stride, jump * stride)
)
field_whole_windows = _stepping(lambda field, jump, window, stride: (field + window * jump, jump * stride))
OTHER_WAYS_TO_DOUBLE: Sequence[Step] = (
    lambda field, jump, window, stride: (field * stride + window - 1, jump),
    lambda field, jump, window, stride: ((field + window - 1) * stride, jump),
    lambda field, jump, window, stride: ((field + (window - 1) * jump) * stride, jump * stride),
    lambda field, jump, window, stride: (field * stride + (window - 1) * jump, jump * stride),
)


def fields_by_layer(name: str, field: Callable[[Layers], int] = field_of) -> dict[str, int]:
    """Layer name → ``field`` of the layers up to it, for a network of the paper."""
    layers = layers_of(name)
    names = [row.name for row in trace(name).rows if row.kind in ("conv", "pool")]
    return {name: field(layers[:depth]) for depth, name in enumerate(names, start=1)}


def first_wrong_field() -> str:
    """The letter of the first layer of VGG-16 where a field that doubles at each pool leaves the right one."""
    right, wrong = fields_by_layer("VGG-16"), fields_by_layer("VGG-16", field_doubled)
    first = next(name for name in right if right[name] != wrong[name])
    (letter,) = (letter for letter, name in SUSPECTS.items() if name == first)
    return letter


def without_pool(number: int) -> int:
    """The field after the last layer of VGG-11, in pixels, if one of its five pools is taken out."""
    layers = layers_of("VGG-11")
    del layers[[index for index, layer in enumerate(layers) if layer == POOL][number - 1]]
    return field_of(layers)


def costliest_pool() -> str:
    """The letter of the pool without which VGG-11 sees least; "d" if all were worth the same."""
    left = {letter: without_pool(number) for letter, number in POOLS_TO_TAKE.items()}
    return "d" if len(set(left.values())) == 1 else min(left, key=lambda letter: left[letter])


def corner_of_pool4(name: str = "pool4") -> int:
    """Pixels of picture, from side to side, in the window of the corner cell of a layer of VGG-11."""
    return (trace("VGG-11").row(name).receptive_field or 0) - sum(_paddings(name))


def _paddings(name: str) -> list[int]:
    """How far, in pixels, the padding of each convolution up to the layer moves the start of a window."""
    rows = trace("VGG-11").rows
    last = next(index for index, row in enumerate(rows) if row.name == name)
    return [row.jump or 0 for row in rows[: last + 1] if row.kind == "conv"]


def _mistaken_corners() -> dict[float, str]:
    field, over = trace("VGG-11").row("pool4").receptive_field or 0, _paddings("pool4")
    return {
        field: "That is the whole field. Part of it hangs over the edge.",
        sum(over): "That is the part over the edge. What is left?",
        field - 2 * sum(over): "In a corner the field hangs over on one side only: the far side lies in the image.",
        field - sum(set(over)): "You counted one convolution per block. How many do blocks 3 and 4 hold?",
        field - len(over): "You counted one pixel per padding. How many pixels apart are the cells of its grid?",
        field - sum(2**k for k in range(5)): "You moved the start by 31 pixels. Which convolutions come before "
        "pool4, and which jump does each of them find?",
        field / 2: "Not half: add up how far each convolution's padding moves the start, one jump each.",
        corner_of_pool4("pool5"): "That is pool5. Stop one block earlier.",
    }


def _mistaken_views() -> dict[float, str]:
    layers = detector_layers()
    doubled: dict[float, str] = {walk(layers, step)[0]: _DOUBLING for step in (_doubled, *OTHER_WAYS_TO_DOUBLE)}
    return {
        **doubled,
        field_of(layers[:-1]): "That is conv5. The detector slides one more 3×3 kernel over it.",
        field_without_strides(layers): "The kernels are right, but the strides are missing: the jump never grew.",
        field_of(layers[:-2]): "Count the 3×3 layers again: ZFNet has three, and the detector adds one.",
        field_of([layer for layer in layers if layer != (3, 2)]): "A pool reads several cells, too, and strides.",
        field_of(layers[:-1]) + 16: "One jump more for the last layer: has a kernel of three cells one gap?",
        field_of(layers[:-1])
        + 3 * 16: "That moves out by a whole width for the last layer. How many jumps lie between "
        "the first and the last of three cells?",
        field_whole_windows(layers): "A kernel of three cells reaches out by how many jumps? Count the gaps.",
        field_stride_first(layers): "A layer reaches out with the jump it finds. When does its stride count?",
    }


def _mistaken_recurrences() -> list[Mistake]:
    wrong: list[tuple[Callable[[Layers], Any], str]] = [
        (field_doubled, _DOUBLING),
        *((_stepping(step), _DOUBLING) for step in OTHER_WAYS_TO_DOUBLE),
        (field_without_strides, "The kernels add up, but no stride ever counts. What is the jump for?"),
        (field_stride_first, "A layer looks out with the jump it finds. Which of your two lines has to come first?"),
        (field_whole_windows, "Right for no layer at all: how many jumps lie between the first and last of k cells?"),
        (
            _stepping(lambda field, jump, window, stride: (field + (window - 1) * jump, jump + stride)),
            "The field is updated well. Two strides of 2 in a row: are neighbours then 3, 4 or 5 pixels apart?",
        ),
        (
            _stepping(lambda field, jump, window, stride: (field + (window - 1) * jump, stride)),
            "The field is updated well, but each layer forgets the strides before the last one.",
        ),
        (
            _stepping(lambda field, jump, window, stride: ((window - 1) * jump, jump * stride)),
            "Each layer starts from nothing. What did the cells it reads see already?",
        ),
        (
            _stepping(lambda field, jump, window, stride: (field + (window - 1) * stride, jump * stride)),
            "Each layer steps by its own stride. But who set its cells apart: itself, or the layers before it?",
        ),
        (
            _stepping(lambda field, jump, window, stride: (field + window - jump, jump * stride)),
            "Mind the brackets: Python multiplies before it subtracts.",
        ),
        (
            _stepping(lambda field, jump, window, stride: (field * window, jump * stride)),
            "Kernels in a row overlap, so they do not multiply: two of 3 see 5 pixels, not 9.",
        ),
        (
            lambda layers: field_of(layers) - 1,
            "One too small everywhere: how much does a cell of the input see?",
        ),
        (lambda layers: walk(layers, _step)[1], "That is the jump. The other number is asked for."),
        (lambda layers: field_of(layers[:1]), "It stops after the first layer: how far in does your return stand?"),
    ]
    return [Mistake(function, hint) for function, hint in wrong]


def _several(answer: Any) -> str | None:
    if isinstance(answer([(3, 1)]), list | tuple):
        return "Your function returns several values; one is asked for, the field after the last layer."
    return None


RECURRENCE = code(
    "recurrence",
    field_of,
    [(layers,) for layers in ([(3, 1)], [POOL, (5, 1)], layers_of("VGG-11"), layers_of("VGG-16"), detector_layers())],
    why="Two lines answer for any stack of convolutions and pools, and tell a detector how large an object it can see.",
    mistakes=_mistaken_recurrences(),
    otherwise="Let it run on [(3, 1), (2, 2), (3, 1), (2, 2)] and compare with the lines of the table above.",
    complaint=_several,
)

FIELD_AFTER_POOL5 = choice(
    "field_after_pool5",
    value=lambda: field_of(layers_of("VGG-11")),
    options={"a": 17, "b": 150, "c": 184, "d": 224},
    why="So no cell of the last grid sees the whole image: putting it together is left to the fully connected layers.",
    hints={
        "a": "That forgets the strides: after pool1 two neighbouring cells look two pixels apart.",
        "c": "A pooling doubles something, but not the field. Compare pool1's line in the table with conv1_1's.",
        "d": "Deep is not the same as far. Add it up: two jumps for a convolution, one for a pooling.",
    },
)

FIRST_WRONG_FIELD = choice(
    "first_wrong_field",
    first_wrong_field,
    why="A stride widens the steps of the layers after it, never what a cell sees already.",
    hints={
        "a": "Two 3-wide kernels in a row: slide one along the other and count the pixels. The 5 stands.",
        "c": "Wrong it is. But is it the first? Let your function check what stands before it.",
        "d": "Wrong it is, and so is much before it. Run your function on the first two layers, the first three, …",
    },
    unanswered=UNANSWERED,
)

CORNER_OF_POOL4 = number(
    "corner_of_pool4",
    corner_of_pool4,
    why="The deeper the layer, the larger the share of padding in what its border cells see.",
    mistakes=_mistaken_corners,
    otherwise="Where does the field start? Each convolution so far moves it one jump to the left.",
)

POOL_TAKEN_OUT = choice(
    "pool_taken_out",
    costliest_pool,
    why="An early stride widens every step after it: that is how a network sees far with few layers.",
    hints={
        "b": "It is worth much, but not the most. Take the others out in turn and let your function run.",
        "c": "Its own step is the longest of the five. But how many layers still profit from its stride?",
        "d": "Each halves the grid once, true. But which layers look out with the jump that it doubles?",
    },
    unanswered=UNANSWERED,
)

DETECTOR_VIEW = number(
    "detector_view",
    lambda: field_of(detector_layers()),
    why="It is the number in the Faster R-CNN paper: a detector must know how large an object it can see whole.",
    mistakes=_mistaken_views,
    otherwise="Keep field and jump side by side in a table, one line per layer, as for VGG-11.",
)

EXERCISES_ON_FIELDS: Sequence[Exercise] = (
    RECURRENCE, FIELD_AFTER_POOL5, FIRST_WRONG_FIELD, CORNER_OF_POOL4, POOL_TAKEN_OUT, DETECTOR_VIEW,
)  # fmt: skip
