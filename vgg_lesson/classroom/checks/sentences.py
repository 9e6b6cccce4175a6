"""One sentence for an error that Python raises before a check is asked: an unquoted letter, a name that was lost."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

LETTERS = "abcdef"
TAKEN = ("check", "fig", "train", "test")


def explain_errors() -> None:
    """In a notebook's kernel, let a sentence follow an error of the kinds above; the error is shown as ever."""
    shell = _shell()
    if shell is not None and not getattr(shell, "vgg_lesson_explains", False):
        shell.vgg_lesson_explains = True
        shell.set_custom_exc((NameError, AttributeError, TypeError, ValueError), _explained)


def _shell() -> Any:
    core = sys.modules.get("IPython")
    return core.get_ipython() if core is not None else None


def _explained(shell: Any, kind: type[Exception], error: Exception, trace: Any, tb_offset: int | None = None) -> Any:
    sentence = ""
    try:
        sentence = explanation(kind, error, str(shell.user_ns["In"][-1]), shell.user_ns)
    except Exception:  # an explanation that fails must not hide the error it was for
        sentence = ""
    if isinstance(error, NameError) and sentence:
        print(sentence)
        return None
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    if sentence:
        print(sentence)
    return None


def explanation(kind: type[Exception], error: Exception, cell: str, names: Any) -> str:
    """The sentence for an error of a ``cell`` that ran with these ``names``; "" for an error like any other."""
    if issubclass(kind, NameError):
        name = str(getattr(error, "name", None) or "")
        if len(name) == 1 and name.lower() in LETTERS and re.search(r"\b(check\.|answer\b)", cell):
            return f'Put the letter in quotes: "{name}". Without quotes Python looks for something called {name}.'
        if name in (*TAKEN, "np", "torch", "nn"):
            return f"Nothing is called {name} yet in this kernel: run the notebook's first two cells, then this one."
        return ""
    for name in TAKEN:
        if re.search(rf"\b{name}\b", cell) and (lost := _lost(name, names.get(name))):
            return f"{lost} Run the notebook's first two cells again to get it back."
    return ""


def _lost(name: str, value: Any) -> str:
    """A sentence if this value is not what the lesson calls by this name; "" if it is, or if it may be."""
    kind = type(value).__name__
    data = hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, str)
    kept = {"check": kind == "Checks", "fig": isinstance(value, ModuleType), "train": data, "test": data}
    return "" if kept[name] or value is None else f"The name {name} now stands for something else, of type {kind}."
