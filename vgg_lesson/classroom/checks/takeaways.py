"""Exercises and predictions of notebook 12, takeaways; its closing quiz is `QUIZ`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import choice, code, number
from vgg_lesson.classroom.checks.takeaways_quiz import QUIZ
from vgg_lesson.classroom.checks.train_it_well import standard_error
from vgg_lesson.classroom.takeaways import INPUTS, MODULE_3A, SIDE, Cell, conv_params, module_convs, module_params
from vgg_lesson.configs import VGGConfig
from vgg_lesson.records.published import HUMAN_IMAGES, published


def block_params(inputs: int = INPUTS, channels: int = 256, convs: int = 2) -> int:
    """Parameters of a VGG block on the grid of module (3a)."""
    block = VGGConfig.stack("one block", [(convs, channels)])
    return trace(block, in_channels=inputs, image_size=SIDE).conv_params


def human_error(images: int = HUMAN_IMAGES) -> float:
    """How far the table's human accuracy typically strays, measured on so many pictures."""
    accuracy = published("fashion_mnist_accuracy")["human"]
    return standard_error(accuracy, images)


def _params_of(
    kernels: Sequence[int] = (1, 1, 3, 1, 5, 1), *, biases: bool = True, reduced: bool = True
) -> Callable[[int, Cell], int]:
    def function(inputs: int, cell: Cell) -> int:
        total = 0
        for kernel, (_, read, written) in zip(kernels, module_convs(inputs, cell).values(), strict=True):
            total += (kernel * kernel * (read if reduced else inputs) + biases) * written
        return total

    return function


def _without(*names: str) -> Callable[[int, Cell], int]:
    def function(inputs: int, cell: Cell) -> int:
        return sum(conv_params(*conv) for name, conv in module_convs(inputs, cell).items() if name not in names)

    return function


EXERCISES = [
    choice(
        "unmeasured_claim_guess",
        "c",
        why="Notebooks 00 to 07 never use VGG's features for another task; that takes elective 10.",
        hints={
            "a": "Eleven layers were trained with several recipes and seeds in 05 and 06: something was measured.",
            "b": "Notebook 01 counted the weights of stacks and melted two kernels into one: something was measured.",
            "d": "For one of the three no network of ours was ever used. Which other task did our features serve?",
        },
    ),
    choice(
        "rank_guess",
        "c",
        why="One epoch of a small network passes the people of that survey, not a careful classical method.",
        hints={
            "a": "The class network trained for one epoch on a laptop. The 26M entry has more of everything but hurry.",
            "b": "Compare the class's 90 to 91 percent with the row HOG+SVM.",
            "d": "The people of that survey agree with the labels on 83.5 percent.",
        },
    ),
    number(
        "human_row_error",
        human_error,
        why="A row that may be off by more than a point is no finishing line for anybody.",
        mistakes=lambda: {
            human_error() ** 2: "That is the variance; its square root has the unit of accuracy.",
            human_error(10_000): "People saw 1,000 of the 10,000 test images.",
            human_error(3 * HUMAN_IMAGES): "Three people per image make one majority label: n counts images.",
            2 * human_error(): "Once is asked for; twice is where a difference deserves attention.",
            100 * human_error(): "Right in percentage points; give it as a share, like 0.835.",
            human_error(1): "That is how far a single image strays. What do 1,000 of them do?",
        },
        otherwise="The formula of notebook 06: the square root of p(1 - p)/n. What are p and n here?",
        relative=0.03,
    ),
    number(
        "five_path",
        lambda: conv_params(1, INPUTS, 16) + conv_params(5, 16, 32),
        why="The 1×1 convolution in front is what makes a 5×5 kernel affordable.",
        mistakes=lambda: {
            conv_params(5, INPUTS, 32): "That is a 5×5 kernel on all 192 channels. A 1×1 convolution stands in front.",
            conv_params(5, 16, 32): "That is the 5×5 convolution alone; the 1×1 in front has weights as well.",
            conv_params(1, INPUTS, 16): "That is the 1×1 alone; behind it stands the 5×5.",
            16 * INPUTS + 25 * 16 * 32: "Nearly: each convolution also has one bias per channel that it writes.",
            conv_params(1, INPUTS, 16) + conv_params(3, 16, 32): "You counted a 3×3 kernel; this path has 5×5.",
            conv_params(1, INPUTS, 16) + conv_params(5, INPUTS, 32): "The 5×5 reads what the 1×1 writes: 16 channels.",
            (16 * INPUTS + 25 * 16 * 32) * SIDE**2: "That is multiplications: parameters do not depend on the grid.",
        },
        otherwise="Two convolutions: 1×1 from 192 to 16, then 5×5 from 16 to 32. Each has (k·k·in + 1)·out parameters.",
    ),
    choice(
        "module_guess",
        "a",
        why="Its kernels read few channels, because 1×1 convolutions hand them few.",
        hints={
            "b": "Count the 3×3 path: it reads 96 channels, not 192, and writes 128, not 256.",
            "c": "The block reads 192 and 256 channels through nine cells. How many does the 5×5 kernel read?",
            "d": "Its 3×3 path alone has more than 100,000 weights.",
        },
    ),
    code(
        "inception_params",
        module_params,
        [(INPUTS, MODULE_3A), (256, (128, (128, 192), (32, 96), 64)), (3, (1, (2, 3), (4, 5), 6))],
        why="Six convolutions side by side are six times the same rule; the pool and the joining cost no parameter.",
        mistakes={
            "Each convolution also has one bias per channel that it writes.": _params_of(biases=False),
            "The 3×3 and the 5×5 read what the 1×1 before them writes, not all channels.": _params_of(reduced=False),
            "The 1×1 convolutions in front of 3×3 and 5×5 have weights as well.": _without(
                "1×1 before 3×3", "1×1 before 5×5"
            ),
            "The path with the pool ends in a 1×1 convolution: it has weights.": _without("1×1 after the pool"),
            "The path with the single 1×1 convolution is missing.": _without("1×1"),
            "A kernel of 5×5 has 25 cells.": _params_of((1, 1, 3, 1, 3, 1)),
        },
        otherwise="Add up six times (k·k·in + 1)·out. Print the six terms: which one differs from the figure's?",
    ),
    choice(
        "library_slip",
        "b",
        why="A name in a library is a claim about a paper, and counting checks it in a minute.",
        hints={
            "a": "The biases of the six are 368 numbers. The difference is larger, and both sums leave them out.",
            "c": "Without the 1×1 in front, the kernel would read 192 channels: more weights, not fewer.",
            "d": "Batch norm's factors are no convolution weights, and the sum is of those alone.",
        },
    ),
    choice(
        "equal_work_guess",
        "b",
        why="The interval reaches 12.7/2 gaps to either side, more than six: hardly any pair of seeds can settle it.",
        hints={
            "a": "Take +1 and +3: their mean is 2. How far does the interval reach with a factor of 12.7?",
            "c": "Take +1.0 and +1.1: the gap is 0.1. How far does the interval reach to either side?",
        },
    ),
    choice(
        "what_pairs_show",
        "d",
        why="A result belongs to its data, its budget and its recipe; nothing else was varied.",
        hints={
            "a": "Nothing was trained for 300 steps. May the order change when training goes on?",
            "b": "GoogLeNet has nine modules, a head of its own and millions of other images. What did we train?",
            "c": "The recipe was chosen in 06 on networks like one of the two. Did anybody tune it for the other?",
        },
    ),
    *QUIZ,
]  # fmt: skip
