"""The exercises' checks: ``check.<exercise>(answer)`` says right, wrong and why, or not answered yet.

``check.progress("topic")`` at the end of a notebook shows what has been answered since its kernel started.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from vgg_lesson.classroom.checks.progress import Progress
from vgg_lesson.classroom.checks.shared import Exercise, Verdict

__all__ = ["Checks", "Exercise", "Progress", "Verdict", "check"]


class Checks:
    """All exercises of the series as attributes; ``EXERCISES`` maps each name to its `Exercise`.

    A module named after a topic holds the list ``EXERCISES`` of one notebook; the others help them.
    """

    def __init__(self) -> None:
        self._verdicts: dict[str, Verdict] = {}

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

    def progress(self, topic: str) -> Progress:
        """A table of the exercises of one ``topic`` and what came of them since the kernel started.

        Raises:
            ValueError: no topic of this name.
        """
        if topic not in self.topics:
            raise ValueError(f"topic={topic!r} is unknown; choose one of {', '.join(self.topics)}")
        return Progress([(exercise.name, self._verdicts.get(exercise.name)) for exercise in self.topics[topic]])

    def __getattr__(self, name: str) -> Callable[..., Verdict]:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.EXERCISES:
            near = difflib.get_close_matches(name, self.EXERCISES, n=3, cutoff=0.4)
            advice = f"; did you mean {' or '.join(near)}?" if near else ""
            raise AttributeError(f"there is no exercise called {name!r}{advice}")
        return partial(self._judge, name)

    def _judge(self, name: str, answer: Any = ...) -> Verdict:
        verdict = self._verdicts[name] = self.EXERCISES[name](answer)
        return verdict

    def __dir__(self) -> list[Any]:
        return [*super().__dir__(), *self.EXERCISES]


check = Checks()
