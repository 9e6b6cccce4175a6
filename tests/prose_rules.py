"""What holds for all prose of the lesson, in notebooks and in Markdown files: numbers, links, alt text, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat

from tools.numbers import ANY_MARKER, FENCE, rewritten, unmarked

UNWANTED = re.compile(
    r"\b(simply|obviously|note that|powerful|leverag(?:e[sd]?|ing)|as we can see|as you can see)\b", re.IGNORECASE
)
IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*([^)\s]+)[^)]*\)")
HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
MIN_ALT_WORDS = 3


def numbers(text: str, path: Path) -> Iterator[str]:
    """Every number of weight comes from a fact and is what the fact says; no marker in a heading."""
    yield from (f"the number {figure} has no fact behind it" for figure in unmarked(text))
    try:
        yield from map(str, rewritten(text)[1])
    except ValueError as error:
        yield str(error)
    yield from (f"a marker in the heading {h!r}" for h in _headings(text) if ANY_MARKER.search(h))


def links(text: str, path: Path) -> Iterator[str]:
    """Relative links point at files that are there, and fragments at headings that are there."""
    for target in (next(filter(None, match.groups())) for match in LINK.finditer(FENCE.sub("", text))):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = path.parent / name if name else path
        if name and not file.exists():
            yield f"the link {target} leads nowhere"
        elif anchor and anchor.lower() not in (_anchors(_text(file)) if name else _anchors(text)):
            yield f"the link {target} names no heading of {file.name}"


def alt_text(text: str, path: Path) -> Iterator[str]:
    """Pictures in Markdown have alt text that is more than a file name."""
    alts = [(match[1], match[2]) for match in IMAGE.finditer(text)]
    for tag in HTML_IMAGE.findall(text):
        alt = re.search(r"alt=\"([^\"]*)\"", tag)
        alts.append((alt[1] if alt else "", tag))
    for alt_words, picture in alts:
        if len(alt_words.split()) < MIN_ALT_WORDS:
            yield f"the picture {picture} has the alt text {alt_words!r}"


def wording(text: str, path: Path) -> Iterator[str]:
    """Words that talk down to the reader or say nothing."""
    yield from (f"the word {match[0]!r}" for match in UNWANTED.finditer(FENCE.sub("", text)))


PROSE_RULES: Sequence[Callable[[str, Path], Iterator[str]]] = (numbers, links, alt_text, wording)


def words(text: str) -> int:
    """Words of running text: no comments, fences, tags or table rules."""
    text = re.sub(r"<!--.*?-->|<[^>\n]+>", "", FENCE.sub("", text), flags=re.DOTALL)
    return sum(any(map(str.isalnum, word)) for word in text.split())


@cache
def _text(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8") if path.suffix == ".md" else ""
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def _headings(text: str) -> list[str]:
    return [match[1] for match in HEADING.finditer(FENCE.sub("", text))]


def _anchors(text: str) -> set[str]:
    """Fragments as Jupyter makes them (blanks to hyphens) and as GitHub does (punctuation dropped), lower case."""
    headings = [ANY_MARKER.sub("", heading).replace("`", "").lower() for heading in _headings(text)]
    jupyter = {heading.replace(" ", "-") for heading in headings}
    github = {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}
    return jupyter | github | set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text.lower()))
