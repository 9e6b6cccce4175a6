"""Guesses that no exercise judges: they are drawn beside what was measured. Name → how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from vgg_lesson.classroom.checks import forms
from vgg_lesson.data.datasets import CLASSES

TOPS = 8  # garments to name in notebook 04

GUESSES: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "first_accuracy": forms.share,
        "name_the_tops": partial(forms.class_numbers, count=TOPS, classes=CLASSES),
        "feeding_speedup": forms.number,
        "depth_gain": forms.points,
        "gain_64_pixels": forms.points,
        "gain_dropout": forms.points,
        "gain_gap": forms.points,
        "gain_4096": forms.points,
        "my_gain": forms.points,
    }
)


def shown(name: str, guess: Any) -> str:
    """The noted guess as a person writes it: ``b``, ``55%``, ``30``, ``0, 2, 4``."""
    if isinstance(guess, tuple | list):
        return ", ".join(f"{part:g}" for part in guess)
    if GUESSES.get(name) is forms.share:
        return f"{100 * guess:g}%"
    return guess if isinstance(guess, str) else f"{guess:,g}" if abs(guess) < 1e6 else f"{guess:,}"
