"""The exercises' checks: ``check.<exercise>(answer)`` says right, wrong and why, or not answered yet.

``check.guess("name", answer)`` notes a guess before the result, ``check.name()`` judges it afterwards,
``check.hint("5.2")`` helps step by step, ``check.progress("topic")`` shows what has been answered so far. With
``count=False`` an answer is judged and not counted.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, overload

from vgg_lesson.classroom.checks.forms import Unreadable, is_unanswered
from vgg_lesson.classroom.checks.guesses import GUESSES, shown
from vgg_lesson.classroom.checks.memory import Memory, mark_of
from vgg_lesson.classroom.checks.progress import Overview, Progress
from vgg_lesson.classroom.checks.sentences import explain_errors
from vgg_lesson.classroom.checks.shared import MARKS, Exercise, Verdict
from vgg_lesson.classroom.checks.titles import TITLES, name_of, number_of

__all__ = ["Checks", "Exercise", "Progress", "Verdict", "check"]


TOPICS = (
    "start_here", "why_depth", "architecture", "parameter_arithmetic", "data", "why_it_stalls", "train_it_well",
    "predictions", "look_inside", "does_depth_help", "reuse_the_backbone", "scale_up", "takeaways",
)  # fmt: skip


class Checks:
    """All exercises of the series as attributes; ``EXERCISES`` maps each name to its `Exercise`.

    A module named after a topic holds the list ``EXERCISES`` of one notebook; the others help them.
    """

    def __init__(self) -> None:
        self._memory = Memory()

    @cached_property
    def EXERCISES(self) -> Mapping[str, Exercise]:
        """Name → exercise, topic by topic."""
        found = [exercise for exercises in self.topics.values() for exercise in exercises]
        names = [exercise.name for exercise in found]
        assert len(set(names)) == len(names), "two exercises share a name"
        return MappingProxyType({exercise.name: exercise for exercise in found})

    @cached_property
    def topics(self) -> Mapping[str, Sequence[Exercise]]:
        """Topic (a module of this package, one per notebook) → its exercises in the notebook's order."""
        modules = {m.name: importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)}
        return MappingProxyType({n: m.EXERCISES for n, m in modules.items() if hasattr(m, "EXERCISES")})

    @property
    def guess(self) -> Callable[..., None]:
        """``check.guess("name", answer)`` notes a guess in any sensible form and says what was understood.

        Raises:
            ValueError: no question of this name takes a guess.
        """
        explain_errors()
        return self._note

    def guessed(self, name: str) -> Any:
        """The noted guess: a letter, a number (a share between 0 and 1) or a tuple of numbers; None if there is none.

        Raises:
            ValueError: no question of this name takes a guess.
        """
        self._reader(name)
        return self._memory.entry(name).guess

    def hint(self, exercise: str | float) -> None:
        """Print a small hint for an ``exercise``, such as "5.2"; when it is asked for again, a larger one.

        Raises:
            ValueError: no exercise has this number or name.
        """
        name = name_of(exercise)
        if name not in self.EXERCISES:
            numbers = [number for number, _ in TITLES.values()]
            raise ValueError(f"exercise={exercise!r} is no exercise{_near(name, [*numbers, *self.EXERCISES])}")
        if name not in TITLES:
            print("A guess comes before its result, so there is no hint: note what you expect, then run on.")
            return
        entry, hints = self._memory.entry(name), self.EXERCISES[name].hints()
        more = f' (check.hint("{number_of(name)}") again gives more)' * (entry.hints == 0 and len(hints) > 1)
        print(f"{hints[min(entry.hints, len(hints) - 1)]}{more}")
        entry.hints += 1
        self._memory.save(name)

    @overload
    def progress(self, topic: str) -> Progress: ...

    @overload
    def progress(self, topic: None = None) -> Overview: ...

    def progress(self, topic: str | None = None) -> Progress | Overview:
        """A table of the exercises of one ``topic`` and what came of them; without a topic, of the whole series.

        Raises:
            ValueError: no topic of this name.
        """
        if topic is None:
            order = sorted(self.topics, key=lambda name: TOPICS.index(name) if name in TOPICS else len(TOPICS))
            return Overview({name: self._progress(name) for name in order})
        if topic not in self.topics:
            raise ValueError(f"topic={topic!r} is unknown; choose one of {', '.join(self.topics)}")
        return self._progress(topic)

    def _progress(self, topic: str) -> Progress:
        return Progress({exercise.name: self._memory.entry(exercise.name) for exercise in self.topics[topic]})

    def __getattr__(self, name: str) -> Callable[..., Verdict]:
        if name.startswith("_"):
            raise AttributeError(name)
        explain_errors()
        if name not in self.EXERCISES:
            raise AttributeError(f"there is no exercise called {name!r}{_near(name, self.EXERCISES)}")
        return partial(self._judge, name)

    def _judge(self, name: str, *answers: Any, count: bool = True) -> Verdict:
        """Judge an answer, or the noted guess; with ``count=False`` as a demonstration, of which nothing is noted."""
        answer = answers[0] if len(answers) == 1 else answers
        if not answers:
            noted = self._memory.entry(name).guess
            answer = ... if noted is None else noted
        verdict = self.EXERCISES[name](answer)
        if count and verdict.status != "not answered yet" and verdict.judged:
            self._count(name, answer, verdict)
        return verdict

    def _count(self, name: str, answer: Any, verdict: Verdict) -> None:
        """Note a judged answer: right once is right for good, and the same answer again is no further try."""
        entry, mark = self._memory.entry(name), mark_of(answer)
        changed = mark not in entry.tries or (verdict.status == "right" and not entry.right)
        entry.tries += [mark] * (mark not in entry.tries)
        entry.right |= verdict.status == "right"
        if changed:
            self._memory.save(name)

    def _note(self, name: str, *answers: Any) -> None:
        read = self._reader(name)
        answer = answers[0] if len(answers) == 1 else answers or ...
        entry = self._memory.entry(name)
        if is_unanswered(answer):
            before = f" Noted before: {shown(name, entry.guess)}." if entry.guess is not None else ""
            print(f"{MARKS['not answered yet']} Put your guess in place of the ... and run this cell.{before}")
            return
        try:
            guess = read(answer)
        except Unreadable as unclear:
            print(f"… Not noted. {unclear}")
            return
        entry.guess = float(guess) if isinstance(guess, float) else guess
        self._memory.save(name)
        print(f"Noted: {shown(name, guess)}.")

    def _reader(self, name: str) -> Callable[[Any], Any]:
        if name in GUESSES:
            return GUESSES[name]
        if name in self.EXERCISES:
            return self.EXERCISES[name].read
        raise ValueError(f"name={name!r} is no question of this series{_near(name, [*GUESSES, *self.EXERCISES])}")

    def __dir__(self) -> list[Any]:
        return [*super().__dir__(), *self.EXERCISES]


def _near(name: str, names: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(str(name), list(names), n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(near)}?" if near else ""


check = Checks()
