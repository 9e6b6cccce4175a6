"""Figures that others published, kept as data with their source in ``assets/published.json``."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from vgg_lesson.support.files import asset

HUMAN_IMAGES = 1000  # that people named for the accuracy "human" of Fashion-MNIST's table


def published(key: str) -> Any:
    """The published value called ``key``: a number, or a list or dict of them, in the unit its source names.

    Raises:
        ValueError: an unknown key.
    """
    return _entry(key)["value"]


def source(key: str) -> str:
    """Where the published value called ``key`` stands: authors, title, address, table or section.

    Raises:
        ValueError: an unknown key.
    """
    return str(_entry(key)["source"])


def _entry(key: str) -> dict[str, Any]:
    if not isinstance(key, str) or key not in _all():
        raise ValueError(f"key={key!r} is not a published figure here; the keys are {', '.join(_all())}")
    return _all()[key]


@cache
def _all() -> dict[str, dict[str, Any]]:
    text = asset("published.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
