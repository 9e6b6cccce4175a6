"""Facts of the instructor's guide and its test: answers to questions, the tempting wrong ones, and exam keys."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import cache, partial

from tools.measured import time_fact
from vgg_lesson.arithmetic import LayerTrace, memory, trace
from vgg_lesson.classroom.checks.train_it_well import ACCURACY, IMAGES, standard_error

Number = int | float
GPU_BYTES, EXAM_SEPARATE = 8e9, 5000
POD_GIGABYTES, SHARED_BY, ROOMS = 2, 4, (10, 30, 60)
# An exam's calibration table: mean confidence, pictures, of them right.
BINS = ((0.6, 10, 7), (0.8, 40, 30), (0.95, 50, 49))


@cache
def exam_network() -> LayerTrace:
    """VGG-16 for 64×64 grey pictures and twenty classes."""
    return trace("VGG-16", in_channels=1, num_classes=20, image_size=64)


@cache
def post_log() -> LayerTrace:
    """The network of the post's published log."""
    return trace("VGG-11", in_channels=1, num_classes=10, width=0.25)


def largest_batch() -> int:
    """Pictures that fit beside weights, gradients and velocities on the exam's card, by the bill of notebook 03."""
    empty, one = (memory(post_log(), size, optimizer="momentum").total for size in (1, 2))
    per_picture = one - empty
    return int((GPU_BYTES - (empty - per_picture)) // per_picture)


def calibration_error() -> float:
    """The expected calibration error of the exam's table."""
    pictures = sum(count for _, count, _ in BINS)
    return sum(count / pictures * abs(confidence - right / count) for confidence, count, right in BINS)


def field_after(*layers: tuple[int, int]) -> int:
    """The receptive field after layers given as (window, stride)."""
    field, jump = 1, 1
    for size, stride in layers:
        field, jump = field + (size - 1) * jump, jump * stride
    return field


def cores_shared(users: int) -> int:
    """Cores for a room in which so many share one that the slowest cell waits `SHARED_BY` times."""
    return math.ceil(users / SHARED_BY)


CONV, POOL = (3, 1), (2, 2)
FACTS: Mapping[str, Callable[[], Number]] = {
    # The test before and after: each number of a question and the ways to miss it.
    "test.conv": lambda: (9 * 64 + 1) * 128,
    "test.conv_no_bias": lambda: 9 * 64 * 128,
    "test.conv_one_channel": lambda: (9 + 1) * 128,
    "test.conv_bias_inside": lambda: (9 + 1) * 64 * 128,
    "test.field": lambda: field_after(CONV, POOL, CONV),
    "test.field_no_jump": lambda: field_after(CONV, (2, 1), CONV),
    "test.field_doubled": lambda: 2 * field_after(CONV) + 2 * 2,
    "test.field_last": lambda: field_after(CONV),
    "test.questions": lambda: 10,
    # The exam
    "exam.flattened": lambda: exam_network().row("fc6").macs // exam_network().row("fc6").output_shape[0],
    "exam.fc6": lambda: exam_network().row("fc6").params,
    "exam.params": lambda: exam_network().total_params,
    "exam.ln100": lambda: math.log(100),
    "exam.spread15": lambda: 6 ** (-15 / 2),
    "exam.he256": lambda: math.sqrt(2 / (9 * 256)),
    "exam.batch": largest_batch,
    "exam.batch_fixed": lambda: memory(post_log(), 1, optimizer="momentum").weights * 3,
    "exam.picture": lambda: memory(post_log(), 1).activations,
    "exam.separate": lambda: EXAM_SEPARATE,
    "exam.error": lambda: standard_error(0.91, EXAM_SEPARATE),
    "exam.error_difference": lambda: math.sqrt(2) * standard_error(0.91, EXAM_SEPARATE),
    "exam.calibration": calibration_error,
    "exam.lasting_step": lambda: 0.02 / (1 - 0.95),
    "exam.lasting_factor": lambda: 1 / (1 - 0.95),
    # A room on one server: 2 GB each, as the proof of pods has them; cores shared by four at the slowest cell of 05
    "room.slowest_seconds": lambda: SHARED_BY * time_fact("05", "one", "slowest_seconds"),
    **{f"room.memory.{users}": partial(operator.mul, POD_GIGABYTES, users) for users in ROOMS},
    **{f"room.cores.{users}": partial(cores_shared, users) for users in ROOMS},
    # Quoted beside other courses
    "guide.vgg16_megabytes": lambda: memory(trace("VGG-16"), 1).activations / 1e6,
    "guide.judge_error": lambda: standard_error(ACCURACY, IMAGES),
}
