"""The exercises' checks: ``check.<exercise>(answer)`` says right, wrong and why, or not answered yet."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from vgg_lesson.checks.base import Exercise, Verdict

__all__ = ["Checks", "Exercise", "Verdict", "check"]


class Checks:
    """All exercises of the series as attributes; ``EXERCISES`` maps each name to its `Exercise`.

    Every module of this package but ``base`` holds a list ``EXERCISES`` for one notebook.
    """

    @cached_property
    def EXERCISES(self) -> Mapping[str, Exercise]:
        """Name → exercise, in the order of the notebooks' modules."""
        modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
        found = [exercise for module in modules for exercise in getattr(module, "EXERCISES", [])]
        names = [exercise.name for exercise in found]
        assert len(set(names)) == len(names), "two exercises share a name"
        return MappingProxyType({exercise.name: exercise for exercise in found})

    def __getattr__(self, name: str) -> Exercise:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.EXERCISES:
            near = difflib.get_close_matches(name, self.EXERCISES, n=3, cutoff=0.4)
            advice = f"; did you mean {' or '.join(near)}?" if near else ""
            raise AttributeError(f"there is no exercise called {name!r}{advice}")
        return self.EXERCISES[name]

    def __dir__(self) -> list[Any]:
        return [*super().__dir__(), *self.EXERCISES]


check = Checks()
