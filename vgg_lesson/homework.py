"""The numbers of each student's homework, drawn from the student's id, and how answers are handed in.

Every number is ``options[sha256("topic:id") mod len(options)]``: the same on every machine, different from student to
student. Nothing here computes an answer; the keys stand in the hidden tests of ``notebooks/homework/source``.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from typing import Any, TypeVar

Option = TypeVar("Option")

PLACEHOLDER = "type your id here"
ID = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
HANDED_IN = "handed in: "
MOST_CHARACTERS = 20_000
DIAGNOSES = ("healthy", "guessing", "learning rate too high", "overfitting", "eval() forgotten")

_VARIANTS = ("VGG-11", "VGG-13", "VGG-16", "VGG-16-1x1", "VGG-19")
_WINDOWS = ((3, 1), (5, 1), (3, 2), (2, 2), (5, 2), (7, 1), (4, 2))
_OPTIMIZERS = {"sgd": "plain SGD", "momentum": "SGD with momentum", "adam": "Adam"}
_PAIRS = (("Shirt", "T-shirt/top"), ("Shirt", "Pullover"), ("Shirt", "Coat"), ("Pullover", "Coat"))


@dataclass(frozen=True)
class Counting:
    """Homework 1. ``network`` are arguments of `vgg_lesson.trace`; ``layer`` and ``pool`` name two of its layers.

    ``cases`` are convolutions (window, channels in, channels out), ``stack`` is a small network of (window, stride)
    pairs, ``gigabytes`` (of 10⁹ bytes) and ``optimizer`` belong to the question on memory.
    """

    student_id: str
    network: Mapping[str, Any]
    layer: str
    pool: str
    cases: tuple[tuple[int, int, int], ...]
    stack: tuple[tuple[int, int], ...]
    gigabytes: int
    optimizer: str

    def __str__(self) -> str:
        n = self.network
        side = n["image_size"]
        return _table(
            (
                ("student", self.student_id),
                ("layout", f"{n['config']}, every convolution with {n['width']:g} of the paper's channels"),
                ("input", f"{n['in_channels']} channels, {side}×{side} pixels"),
                ("head", f"{n['hidden']} and {n['hidden']} hidden units, {n['num_classes']} classes"),
                ("your pool", self.pool),
                ("your layer", self.layer),
                ("your stack", ", ".join(f"({window}, {stride})" for window, stride in self.stack)),
                ("your machine", f"{self.gigabytes} GB, training with {_OPTIMIZERS[self.optimizer]}"),
            )
        )


@dataclass(frozen=True)
class Log:
    """A training log made by a formula: one row (epoch, training loss, validation loss, validation accuracy, again).

    The last two are shares of right answers on the same pictures, measured twice with the same weights.
    """

    rows: tuple[tuple[int, float, float, float, float], ...]

    def __str__(self) -> str:
        head = f"{'epoch':>5}{'train loss':>12}{'val. loss':>11}{'val. acc.':>11}{'once more':>11}"
        return "\n".join([head, *(f"{e:5}{a:12.3f}{b:11.3f}{c:11.3f}{d:11.3f}" for e, a, b, c, d in self.rows)])


@dataclass(frozen=True)
class Training:
    """Homework 2. ``spread`` is a in weights drawn evenly from ±a/√fan_in, in a network of ``depth`` layers.

    ``shapes`` are those of weights, ``share`` what a layer shall keep of the variance. ``logs`` by letter, one
    of each kind in `DIAGNOSES`. ``seed``, ``lr`` and ``batch_size`` are the recipe of the experiment; pictures
    ``first`` to ``first + 999`` of the test set, the two classes of ``pair`` and ``bins`` belong to the predictions.
    """

    student_id: str
    spread: float
    depth: int
    share: float
    shapes: tuple[tuple[int, ...], ...]
    classes: int
    logs: Mapping[str, Log]
    seed: int
    lr: float
    batch_size: int
    first: int
    pair: tuple[str, str]
    bins: int

    def __str__(self) -> str:
        return _table(
            (
                ("student", self.student_id),
                ("initial weights", f"drawn evenly between ±{self.spread:g}/√fan_in, {self.depth} layers with ReLU"),
                ("to keep", f"{self.share:g} of the variance, per layer"),
                ("logs", f"five runs with {self.classes} classes"),
                ("experiment", f"seed {self.seed}, learning rate {self.lr:g}, batches of {self.batch_size}"),
                ("test pictures", f"{self.first} to {self.first + 999}"),
                ("classes", " and ".join(self.pair)),
                ("bins", str(self.bins)),
            )
        )


def checked_id(student_id: object) -> str:
    """The id in lower case, without blanks around it.

    Raises:
        TypeError: no string. ValueError: empty, still the placeholder, or with characters that no id has.
    """
    if type(student_id) is not str:
        raise TypeError(f"student_id={student_id!r} is {type(student_id).__name__}; a string such as 's123456' is due")
    cleaned = student_id.strip().lower()
    if cleaned in ("", PLACEHOLDER, "..."):
        raise ValueError("student_id is not filled in; type the id under which you hand in, such as 's123456'")
    if not ID.fullmatch(cleaned):
        raise ValueError(
            f"student_id={student_id!r} is no id; 2 to 64 letters, digits and . _ @ + - are accepted, as in 's123456'"
        )
    return cleaned


def counting(student_id: str) -> Counting:
    """The numbers of homework 1; raises as `checked_id`."""
    student = checked_id(student_id)
    network = {
        "config": _draw(student, "config", _VARIANTS),
        "in_channels": _draw(student, "in_channels", (1, 2, 3, 4, 5, 6)),
        "num_classes": _draw(student, "num_classes", range(11, 98)),
        "image_size": _draw(student, "image_size", (96, 128, 160, 192, 256, 288)),
        "width": _draw(student, "width", (0.25, 0.375, 0.5, 0.625, 0.75, 1.25)),
        "hidden": _draw(student, "hidden", (512, 768, 1024, 1536, 2048, 3072)),
    }
    cases = tuple(
        (
            _draw(student, f"window {k}", (1, 3, 5, 7)),
            _draw(student, f"in {k}", range(3, 300)),
            _draw(student, f"out {k}", range(3, 300)),
        )
        for k in range(4)
    )
    return Counting(
        student,
        network,
        layer=f"conv{_draw(student, 'layer', (3, 4, 5))}_2",
        pool=_draw(student, "pool", ("pool2", "pool3", "pool4")),
        cases=cases,
        stack=tuple(_draw(student, f"stack {k}", _WINDOWS) for k in range(6)),
        gigabytes=_draw(student, "gigabytes", (6, 8, 10, 12)),
        optimizer=_draw(student, "optimizer", tuple(_OPTIMIZERS)),
    )


def training(student_id: str) -> Training:
    """The numbers of homework 2; raises as `checked_id`."""
    student = checked_id(student_id)
    classes = _draw(student, "classes", (5, 6, 8, 12, 16, 20, 25, 40))
    shapes = tuple(
        (_draw(student, f"out {k}", range(8, 300)), _draw(student, f"in {k}", range(8, 300)), *window)
        for k, window in enumerate(((3, 3), (5, 5), ()))
    )
    return Training(
        student,
        spread=_draw(student, "spread", (0.5, 0.75, 1.25, 1.5, 2.0, 3.0)),
        depth=_draw(student, "depth", range(6, 19)),
        share=_draw(student, "share", (0.25, 0.5, 0.75, 0.9, 1.1)),
        shapes=shapes,
        classes=classes,
        logs={
            letter: _log(student, diagnosis, classes)
            for letter, diagnosis in zip("ABCDE", _order(student), strict=True)
        },
        seed=_draw(student, "seed", range(1, 1000)),
        lr=_draw(student, "lr", (0.01, 0.015, 0.02, 0.03)),
        batch_size=_draw(student, "batch_size", (40, 48, 56, 64, 72, 80)),
        first=_draw(student, "first", range(1001)),
        pair=_draw(student, "pair", _PAIRS),
        bins=_draw(student, "bins", (5, 8, 12, 15, 20)),
    )


def plain(value: object, name: str = "answer") -> Any:
    """``value`` as numbers, strings, lists and dictionaries of exactly these types; tensors become lists.

    Raises:
        ValueError: a stub. TypeError: anything else, such as a class of one's own that equals everything.
    """
    if value is ... or value is None:
        raise ValueError(f"{name} is not answered yet")
    if type(value) in (bool, int, float, str):
        return value
    if type(value).__module__ == "torch" and isinstance(value, tuple):  # torch.Size
        return [plain(item, name) for item in tuple(value)]
    if type(value).__module__ == "torch" and hasattr(value, "tolist"):
        return plain(value.tolist(), name)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return [plain(item, name) for item in value]
    if isinstance(value, dict) and type(value) is dict:
        return {str(plain(key, name)): plain(item, name) for key, item in value.items()}
    raise TypeError(f"{name} is {type(value).__name__}; a number, a string, or a list of these is expected")


def hand_in(student_id: str, **answers: object) -> dict[str, Any]:
    """Print the answers, as plain data, in the line that is graded; returns them with the id.

    Raises:
        ValueError: an answer is missing, they take over 20,000 characters, or as `owner`. TypeError: no plain data.
    """
    given = {"student_id": owner(student_id), **{name: plain(value, name) for name, value in answers.items()}}
    text = json.dumps(given)
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the answers take {len(text)} characters; {MOST_CHARACTERS} at most can be handed in")
    print(f"{HANDED_IN}{text}")
    return dict(json.loads(text))


def owner(student_id: str) -> str:
    """The id, after comparing it with the folder of the submission while nbgrader grades it.

    Raises:
        ValueError: the submission lies in another student's folder, or as `checked_id`.
    """
    student = checked_id(student_id)
    folder = Path.cwd().parent.name.lower()
    if os.environ.get("NBGRADER_EXECUTION") == "autograde" and folder != student:
        raise ValueError(f"student_id={student!r} is not {folder!r}, who hands this in")
    return student


def _draw(student: str, topic: str, options: Sequence[Option]) -> Option:
    digest = sha256(f"{topic}:{student}".encode()).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]


def _order(student: str) -> tuple[str, ...]:
    return _draw(student, "order", tuple(permutations(DIAGNOSES)))


def _log(student: str, diagnosis: str, classes: int, epochs: int = 8) -> Log:
    """A log of the kind that a ``diagnosis`` stands for, from formulas and the student's own wobble."""
    guessing = math.log(classes)
    rows = []
    for epoch in range(1, epochs + 1):
        wobble = [_draw(student, f"{diagnosis} {epoch} {k}", range(-9, 10)) / 1000 for k in range(4)]
        falling = guessing * 0.62**epoch
        train, validation = 0.2 + falling, 0.27 + falling
        accuracy = again = 0.91 - 0.5 * 0.62**epoch + wobble[2]
        if diagnosis == "guessing":
            train, validation, accuracy = guessing + wobble[0] / 20, guessing + wobble[1] / 20, 1 / classes
            wobble, again = [0.0] * 4, 1 / classes
        elif diagnosis == "learning rate too high":
            train = validation = math.nan if epoch > 2 else guessing * 3.0 ** (2 * epoch)
            accuracy = again = 1 / classes
        elif diagnosis == "overfitting":
            train, validation = guessing * 0.5**epoch, 0.45 + guessing * 0.5**epoch + 0.12 * max(0, epoch - 3)
            accuracy = again = 0.82 - 0.5 * 0.5**epoch - 0.004 * max(0, epoch - 4) + wobble[2]
        elif diagnosis == "eval() forgotten":
            validation = 0.45 + falling
            accuracy, again = accuracy - 0.06 + 2 * wobble[2], accuracy - 0.06 + 2 * wobble[3] + 0.004
        rows.append((epoch, train + wobble[0], validation + wobble[1], accuracy, again))
    return Log(tuple(rows))


def _table(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)
