"""What the code of a cell does, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

TRAINERS = {"fit", "train_plain"}
SHOWING = {"check", "fig", "print"}  # calls whose value or effect stands under the cell


def shows_something(source: str) -> bool:
    """Whether a cell's last statement is an expression that Jupyter would show; of calls, those that always do."""
    body = _parsed(source).body
    if not body or not isinstance(body[-1], ast.Expr):
        return False
    last = body[-1].value
    return not isinstance(last, ast.Call) or _called(last).partition(".")[0] in SHOWING


def trains_what_it_did_not_build(source: str) -> Iterator[str]:
    """The calls that train a network which neither they nor an assignment in the same cell makes."""
    tree = _parsed(source)
    built = set(_built(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in TRAINERS):
        model = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "model"), None)
        if not (isinstance(model, ast.Call) or (isinstance(model, ast.Name) and model.id in built)):
            yield ast.unparse(call)


def _called(call: ast.Call) -> str:
    """What stands before the bracket: ``fit``, ``check.name``."""
    return ast.unparse(call.func)


def _built(tree: ast.Module) -> Iterator[str]:
    """The names that a cell gives to what a call returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(part, ast.Call) for part in ast.walk(node.value)):
            yield from (part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name))


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:  # a line of magic
        return ast.Module([], [])
