"""How hard the prose is to read: Flesch's reading ease and the Flesch-Kincaid grade of each notebook.

Reading ease runs from 100 (very easy) down to 0; plain English is 60 to 70. The grade is a school year. Both are
formulas over words per sentence and syllables per word (Flesch 1948; Kincaid and others 1975). Syllables are counted by
the groups of vowels in a word, which is right for most words; headings, code, formulas, tables, links' targets and
solutions are left out.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools.numbers import ANY_MARKER, FENCE
from tools.paths import notebooks

LEFT_OUT = (
    FENCE,
    ANY_MARKER,
    re.compile(r"<details>.*?</details>|\$\$.+?\$\$", re.DOTALL),
    re.compile(r"^#+ .*$|^\s*\|.*$|^.*\.ipynb\)[^.]*$", re.MULTILINE),
    re.compile(r"<[^>\n]+>|(?<=\])\([^)\s]*\)|\$[^$\n]+\$|`[^`\n]*`"),
)
WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
END = re.compile(r"(?<=[.?!])[\"')*]*\s+|\n{2,}|\n(?=\s*[-*] )")
SILENT = re.compile(
    r"[a-z](?<![aeiouy])(?<![^aeiouy]l)e$|(?<![aeioutdy])ed$|(?<![aeioucgsxyz])(?<!ch)(?<!sh)(?<![^aeiouy]l)es$"
)


@dataclass(frozen=True)
class Readability:
    """Counts of one text and the two figures that follow from them."""

    words: int
    sentences: int
    syllables: int

    @property
    def ease(self) -> float:
        """Flesch's reading ease, 206.835 − 1.015 words per sentence − 84.6 syllables per word."""
        return 206.835 - 1.015 * self.words / self.sentences - 84.6 * self.syllables / self.words

    @property
    def grade(self) -> float:
        """The Flesch-Kincaid grade, 0.39 words per sentence + 11.8 syllables per word − 15.59."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59


def readability(text: str) -> Readability:
    """Count the words, sentences and syllables of a Markdown text.

    Raises:
        ValueError: a text without a word.
    """
    for pattern in LEFT_OUT:
        text = pattern.sub(" ", text)
    sentences = [found for part in END.split(text) if (found := WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        raise ValueError("text has no words; Markdown prose is expected")
    return Readability(len(words), len(sentences), sum(map(syllables, words)))


def syllables(word: str) -> int:
    """Syllables of an English word: its groups of vowels, a silent e, es or ed at the end not counted."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", letters)) - bool(SILENT.search(letters)))


def prose(path: Path) -> str:
    """The Markdown of a notebook, or of a Markdown file."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def main(arguments: list[str]) -> int:
    """``python -m tools readability [NAME …]``"""
    parser = argparse.ArgumentParser(prog="python -m tools readability", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help='notebooks, such as "05"; default: all')
    print(f"{'notebook':<26}{'words':>7}{'per sentence':>14}{'reading ease':>14}{'grade':>7}")
    for path in notebooks(parser.parse_args(arguments).names):
        found = readability(prose(path))
        per_sentence = found.words / found.sentences
        print(f"{path.stem:<26}{found.words:>7}{per_sentence:>14.1f}{found.ease:>14.0f}{found.grade:>7.1f}")
    return 0
