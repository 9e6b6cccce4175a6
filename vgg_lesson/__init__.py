"""Helpers of the VGG lesson: build, count, train and look inside a VGG, on a laptop, in seconds.

Notebooks import from here and from nowhere deeper: the names of ``__init__.pyi``, among them ``figures`` (usually
``as fig``), ``widgets`` and ``check``. Each is imported when it is first asked for, so that whoever only counts waits
neither for torch nor for matplotlib.
"""

import ast
import importlib
import pkgutil
import sys
from functools import cache
from typing import Any

_STUB = ast.parse(pkgutil.get_data(__name__, "__init__.pyi") or b"")
_HOMES = {name.name: node.module for node in _STUB.body if isinstance(node, ast.ImportFrom) for name in node.names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("figures", "widgets"):
        found = importlib.import_module(f"{__name__}.{_HOMES[name]}.{name}")
    else:
        found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if "torch" in sys.modules:
        _limit_threads()
    return globals().setdefault(name, found)


def __dir__() -> list[str]:
    return [*globals(), *__all__]


@cache
def _limit_threads() -> None:
    """A process that prints no banner, such as homework, keeps to what a container gives it as well."""
    importlib.import_module(f"{__name__}.support.machine").set_threads()
