"""Numbers in prose: each stands before an invisible marker naming the fact it comes from.

``128,806,154<!--=post.params-->``, ``92.8%<!--=post.fc_share:.1%-->`` and
``128.8<!--=post.params/1e6:.1f--> million`` show the form: a name, then optionally
a divisor and a Python format (default: thousands separators).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat

from tools.facts import Number, fact
from tools.paths import documents
from vgg_lesson.support.files import write_atomically

NUMBER = r"(?<![\w.,])[-−+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?%?"
MARKED = re.compile(
    rf"(?P<value>{NUMBER})(?P<tick>`?)"
    r"(?P<marker><!--=\s*(?P<name>[\w.-]+?)(?:/(?P<divisor>[\d.e+]+))?(?::(?P<format>[^>]+?))?\s*-->)"
)
ANY_MARKER = re.compile(r"<!--=.*?-->")
SENTENCE_END = re.compile(r"[.?!:][)\]*\"”]*\s+(?=\S)")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1\s*$", re.MULTILINE | re.DOTALL)

# What is not prose, in the order in which it is taken out.
NOT_PROSE = (
    FENCE,
    re.compile(f"`?{MARKED.pattern}"),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL),
    re.compile(r"\]\([^)\s]*(?:\s+\"[^\"]*\")?\)|^\s*\[[^\]]+\]:.*$", re.MULTILINE),
    re.compile(r"<[^<>\n]+>|(?:https?://|arXiv:|doi:)\S+", re.IGNORECASE),
    re.compile(r"`[^`\n]*[A-Za-z(\[=][^`\n]*`"),
)
YEAR = re.compile(r"(?:19|20)\d\d")
TIMES = r"(?:\s?×(?!\s?\d|[A-Za-z])|\s?times\b|\s%)"
FIGURE = re.compile(rf"{NUMBER}(?:{TIMES})?(?![\w]|\.\d)")


@dataclass(frozen=True)
class Stale:
    """A marked number that is not what its fact says, and the sentence (or table row) in which it stands."""

    marker: str
    stands: str
    should_be: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.stands} should be {self.should_be} ({self.marker}) in: {self.sentence}"


def rendered(value: Number, divisor: str | None, form: str | None, suffix: str = "") -> str:
    """A fact as it stands in a sentence; ``suffix`` "%" stays behind figures that are percentages already."""
    if divisor:
        value = value / float(divisor)
    if form is None:
        form = "," if isinstance(value, int) or value.is_integer() else ",.6g"
    if isinstance(value, float) and form in (",", "d", ",d"):
        value = round(value)
    return format(value, form) + (suffix if "%" not in form else "")


def rewritten(text: str) -> tuple[str, list[Stale]]:
    """The Markdown text with every marked number as its fact has it, and what had to change.

    Raises:
        ValueError: a marker that names no fact, or that follows no number.
    """
    changes: list[Stale] = []

    def replace(match: re.Match[str]) -> str:
        value = fact(match["name"])
        new = rendered(value, match["divisor"], match["format"], "%" if match["value"].endswith("%") else "")
        if new != match["value"]:
            changes.append(Stale(match["marker"], match["value"], new, _sentence(text, match.start())))
        return f"{new}{match['tick']}{match['marker']}"

    for marker in ANY_MARKER.finditer(MARKED.sub("", text)):
        raise ValueError(f"{marker[0]} follows no number, or is not of the form <!--=name/divisor:format-->")
    return MARKED.sub(replace, text), changes


def _sentence(text: str, position: int) -> str:
    """The sentence of the Markdown text around this position, without markers; it does not go past its line."""
    line_start = text.rfind("\n", 0, position) + 1
    line = text[line_start:].split("\n", 1)[0]
    ends = [0, *(match.end() for match in SENTENCE_END.finditer(line)), len(line)]
    start, end = next((a, b) for a, b in pairwise(ends) if b > position - line_start)
    return ANY_MARKER.sub("", line[start:end]).strip()


def write(path: Path) -> list[Stale]:
    """Write the numbers of a Markdown file or notebook; returns what was stale."""
    return _each_text(path, keep=True)


def stale(path: Path) -> list[Stale]:
    """The marked numbers of a Markdown file or notebook that differ from their facts."""
    return _each_text(path, keep=False)


def write_cells(notebook: nbformat.NotebookNode) -> list[Stale]:
    """Write the numbers of a notebook's Markdown cells in place; returns what was stale."""
    changes: list[Stale] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, found = rewritten(cell.source)
            changes.extend(found)
    return changes


def unmarked(text: str) -> list[str]:
    """The figures of a Markdown text without a fact: four digits and more, percentages, "3 times" and "3×".

    Code, comments, link targets, math and years are not looked at.
    """
    for pattern in NOT_PROSE:
        text = pattern.sub(" ", text)
    return [match[0] for match in FIGURE.finditer(text) if _needs_a_fact(match[0])]


def _needs_a_fact(figure: str) -> bool:
    if YEAR.fullmatch(figure):
        return False
    return sum(map(str.isdigit, figure)) >= 4 or figure[-1] in "%×s"


def _each_text(path: Path, *, keep: bool) -> list[Stale]:
    try:
        if path.suffix == ".ipynb":
            notebook = nbformat.read(path, as_version=4)
            changes = write_cells(notebook)
            text = nbformat.writes(notebook) + "\n"
        else:
            text, changes = rewritten(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    if keep and changes:
        write_atomically(path, text.encode())
    return changes


def _all_stale(paths: list[Path], keep: bool) -> Iterator[str]:
    for path in paths:
        yield from (f"{path.name}: {change}" for change in (write if keep else stale)(path))


def main(arguments: list[str]) -> int:
    """``python -m tools numbers [--check] [FILE …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools numbers", description=__doc__)
    parser.add_argument("--check", action="store_true", help="list what is stale and write nothing")
    parser.add_argument("files", nargs="*", type=Path, help="default: the README, the notebooks and their guides")
    options = parser.parse_args(arguments)
    found = list(_all_stale(options.files or documents(), not options.check))
    print(*found, f"{len(found)} stale", sep="\n")
    return int(options.check and bool(found))
