"""The numbers of each student's homework, drawn from the student's id, and how answers are handed in.

This file stands beside the notebook of a homework, which imports it. Every number is
``options[sha256("topic:id") mod len(options)]``: the same on every machine, different from student to student.
Nothing here computes an answer; the keys stand in the hidden tests.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

Option = TypeVar("Option")

PLACEHOLDER = "type your id here"
ID = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
HANDED_IN = "handed in: "
CLASS_LIST = Path("class_list.txt")  # beside the notebook, if the instructor listed the ids
MOST_CHARACTERS = 20_000
RUNS = "ABCDEFGH"
PICTURES = 1000  # of the first 2,000 test images, which the shipped sample holds as well
DIAGNOSES = ("healthy", "guessing", "learning rate too high", "overfitting", "eval() forgotten")

_VARIANTS = ("VGG-11", "VGG-13", "VGG-16", "VGG-16-1x1", "VGG-19")
_WINDOWS = ((3, 1), (5, 1), (3, 2), (2, 2), (5, 2), (7, 1), (4, 2))
_OPTIMIZERS = {"sgd": "plain SGD", "momentum": "SGD with momentum", "adam": "Adam"}
_TOPS = ("Shirt", "T-shirt/top", "Pullover", "Coat")
_PAIRS = tuple((one, two) for one in _TOPS for two in _TOPS if one != two)


@dataclass(frozen=True)
class Counting:
    """Homework 1. ``network`` are arguments of `vgg_lesson.trace`; ``pool`` names one of its layers.

    ``cases`` are convolutions (window, channels in, channels out), ``stack`` is a small network of (window, stride)
    pairs, ``gigabytes`` (of 10⁹ bytes) and ``optimizer`` belong to the question on memory.
    """

    student_id: str
    network: Mapping[str, Any]
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
                ("id", about_id(self.student_id)),
                ("layout", f"{n['config']}, every convolution with {n['width']:g} of the paper's channels"),
                ("input", f"{n['in_channels']} channels, {side}×{side} pixels"),
                ("head", f"{n['hidden']} and {n['hidden']} hidden units, {n['num_classes']} classes"),
                ("your pool", self.pool),
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

    ``shapes`` are those of weights, ``share`` what a layer shall keep of the variance. ``logs`` by letter, each
    kind of `DIAGNOSES` once or twice. ``seed``, ``lr`` and ``batch_size`` are the recipe of the experiment; the test
    images at ``pictures``, the two classes of ``pair`` and ``bins`` belong to the predictions.
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
    pictures: tuple[int, ...]
    pair: tuple[str, str]
    bins: int

    def __str__(self) -> str:
        return _table(
            (
                ("student", self.student_id),
                ("id", about_id(self.student_id)),
                ("initial weights", f"drawn evenly between ±{self.spread:g}/√fan_in, {self.depth} layers with ReLU"),
                ("to keep", f"{self.share:g} of the variance, per layer"),
                ("logs", f"{len(self.logs)} runs with {self.classes} classes"),
                ("experiment", f"seed {self.seed}, learning rate {self.lr:g}, batches of {self.batch_size}"),
                ("test images", f"{len(self.pictures)} of your own: {', '.join(map(str, self.pictures[:4]))}, …"),
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
        "in_channels": _draw(student, "in_channels", range(2, 42)),
        "num_classes": _draw(student, "num_classes", range(11, 98)),
        "image_size": _draw(student, "image_size", range(96, 322, 2)),
        "width": _draw(student, "width", range(250, 1250)) / 1000,
        "hidden": _draw(student, "hidden", range(500, 4000)),
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
        pool=_draw(student, "pool", ("pool1", "pool2", "pool3")),
        cases=cases,
        stack=tuple(_draw(student, f"stack {k}", _WINDOWS) for k in range(6)),
        gigabytes=_draw(student, "gigabytes", range(6, 49)),
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
        spread=_draw(student, "spread", range(400, 3200)) / 1000,
        depth=_draw(student, "depth", range(6, 19)),
        share=_draw(student, "share", (0.25, 0.5, 0.75, 0.9, 1.1)),
        shapes=shapes,
        classes=classes,
        logs={
            letter: _log(student, letter, diagnosis, classes)
            for letter, diagnosis in zip(RUNS, _order(student), strict=True)
        },
        seed=_draw(student, "seed", range(1, 1000)),
        lr=_draw(student, "lr", range(10, 31)) / 1000,
        batch_size=_draw(student, "batch_size", (40, 48, 56, 64, 72, 80)),
        pictures=tuple(sorted(_shuffled(student, "pictures", range(2 * PICTURES))[:PICTURES])),
        pair=_draw(student, "pair", _PAIRS),
        bins=_draw(student, "bins", (5, 8, 12, 15, 20)),
    )


def plain(value: object, name: str = "answer") -> Any:
    """``value`` as numbers, strings, lists and dictionaries of exactly these types; tensors become lists, stubs None.

    Raises:
        TypeError: anything else, such as a class of one's own that equals everything.
    """
    if value is ... or value is None:
        return None
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

    An answer that is missing is handed in as None, so that the others count.

    Raises:
        ValueError: answers are missing (said after the line is printed), they take over 20,000 characters, or as
            `owner`. TypeError: no plain data.
    """
    filled = {name: plain(value, name) for name, value in answers.items()}
    text = json.dumps({"student_id": owner(student_id), **filled})
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the answers take {len(text)} characters; {MOST_CHARACTERS} at most can be handed in")
    print(f"{HANDED_IN}{text}")
    missing = [name for name, value in filled.items() if _has_gap(value)]
    if missing:
        raise ValueError(f"{', '.join(missing)}: not answered yet")
    return dict(json.loads(text))


@dataclass(frozen=True)
class Part:
    """A part of a question: what it asks for, its points, what was handed in and what was expected.

    ``accepts`` compares the two; by default they must be equal. An error in it counts as a no.
    """

    asks: str
    points: float
    given: Any
    expected: Any
    accepts: Callable[[Any, Any], bool] | None = None

    @property
    def is_right(self) -> bool:
        """Whether the part gets its points."""
        with suppress(Exception):
            return bool((self.accepts or _same)(self.given, self.expected))
        return False

    def __str__(self) -> str:
        if self.is_right:
            return f"✔ {self.asks}: right, {self.points:g} of {self.points:g}"
        handed = "nothing" if self.given is None else _brief(self.given)
        return f"✘ {self.asks}: 0 of {self.points:g}. Handed in: {handed}. Expected: {_brief(self.expected)}"


def score(*parts: Part) -> float:
    """Print a line for each part and return the points in all; the last value of a graded cell is its score."""
    print(*parts, sep="\n")
    return round(sum(part.points for part in parts if part.is_right), 2)


def near(tolerance: float) -> Callable[[float, float], bool]:
    """A comparison for `Part` that accepts a relative error up to ``tolerance``."""
    return lambda given, expected: math.isclose(given, expected, rel_tol=tolerance)


def within(tolerance: float) -> Callable[[float, float], bool]:
    """A comparison for `Part` that accepts an absolute error up to ``tolerance``."""
    return lambda given, expected: abs(given - expected) <= tolerance


def owner(student_id: str) -> str:
    """The id, after comparing it with the folder of the submission while nbgrader grades it.

    Raises:
        ValueError: the submission lies in another student's folder, or as `checked_id`.
    """
    student = checked_id(student_id)
    folder = Path.cwd().parent.name.lower()
    if _is_graded() and folder != student:
        raise ValueError(
            f"student_id={student!r} is not {folder!r}, who hands this in; the numbers of a homework belong to one id,"
            f" so with the other id nothing counts"
        )
    return student


def about_id(student_id: str) -> str:
    """One line on whether this id is the one under which the instructor files the work.

    The list, if one was handed out, holds no ids but their fingerprints; on a JupyterHub the login decides.
    """
    student = checked_id(student_id)
    login = "" if _is_graded() else os.environ.get("JUPYTERHUB_USER", "").lower()
    listed = CLASS_LIST.read_text(encoding="ascii").split() if CLASS_LIST.exists() else []
    if listed and fingerprint(student) not in listed:
        return f"NOT on your instructor's list: nothing would count. Compare {student!r} with the id you were given"
    if login and login != student:
        return f"NOT your login here, which is {login!r}: nothing would count. Type the login"
    if listed or login:
        return "as your instructor has it" if listed else "the same as your login here"
    return "no list came with this homework: ask your instructor whether your work is filed under exactly this id"


def fingerprint(student: str) -> str:
    """What stands for an id on the class list: it can be compared, and does not show the id."""
    return sha256(f"class list:{student}".encode()).hexdigest()[:16]


def class_list(ids: Iterable[str]) -> str:
    """The class list to hand out, from the instructor's ids; raises as `checked_id`."""
    return "".join(f"{line}\n" for line in sorted(fingerprint(checked_id(name)) for name in ids if name.strip()))


def _is_graded() -> bool:
    """Whether nbgrader runs this, on the instructor's machine."""
    return os.environ.get("NBGRADER_EXECUTION") == "autograde"


def _has_gap(value: object) -> bool:
    """Whether None stands in plain data."""
    if isinstance(value, list | dict):
        return any(map(_has_gap, value.values() if isinstance(value, dict) else value))
    return value is None


def _same(given: object, expected: object) -> bool:
    """Equal, where True is not 1, and a list is equal to a tuple."""
    if isinstance(expected, list | tuple):
        return isinstance(given, list) and len(given) == len(expected) and all(map(_same, given, expected))
    return isinstance(given, bool) == isinstance(expected, bool) and given == expected


def _brief(value: object) -> str:
    """A value in at most 120 characters."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _draw(student: str, topic: str, options: Sequence[Option]) -> Option:
    digest = sha256(f"{topic}:{student}".encode()).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]


def _shuffled(student: str, topic: str, options: Iterable[Option]) -> list[Option]:
    """The options in an order of the student's own, the same in every version of Python."""
    keyed = [(sha256(f"{topic} {place}:{student}".encode()).digest(), option) for place, option in enumerate(options)]
    return [option for _, option in sorted(keyed, key=lambda pair: pair[0])]


def _order(student: str) -> list[str]:
    """A diagnosis for each of `RUNS`: all five, three of them twice, in an order of the student's own."""
    twice = _shuffled(student, "twice", DIAGNOSES)[: len(RUNS) - len(DIAGNOSES)]
    return _shuffled(student, "order", [*DIAGNOSES, *twice])


def _log(student: str, letter: str, diagnosis: str, classes: int, epochs: int = 8) -> Log:
    """A log of the kind that a ``diagnosis`` stands for, from formulas and the student's own wobble."""
    guessing = math.log(classes)
    rows = []
    for epoch in range(1, epochs + 1):
        wobble = [_draw(student, f"{letter} {diagnosis} {epoch} {k}", range(-9, 10)) / 1000 for k in range(4)]
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
