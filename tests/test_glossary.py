"""The glossary: every notebook links to it, and no notebook uses one of its terms before one has explained it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from tests.prose_rules import FENCE
from tools.paths import NOTEBOOKS, notebooks

ROW = re.compile(r"^\| (?!term |---)(?P<term>[^|]+?) \| (?P<meaning>[^|]+?) \| (?P<where>\[[^|]+?) \|$", re.MULTILINE)
NO_TEXT = re.compile(r"\$[^$]*\$|<!--.*?-->|\[\d\d[^]]*\]|\]\([^)]*\)", re.DOTALL)
FEWEST = 40


@dataclass(frozen=True)
class Term:
    """A term and the notebooks that explain it, the first of them first."""

    name: str
    explained_in: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The term as a whole word, in singular and plural, capitalised or not."""
        return re.compile(rf"(?<![\w-]){re.escape(self.name)}(?:s|es)?(?![\w-])", 0 if self.name.isupper() else re.I)

    @property
    def emphasised(self) -> re.Pattern[str]:
        """The term between asterisks or as a heading, or code, as notebooks set a word that they explain."""
        term = self.pattern.pattern
        return re.compile(rf"\*{{1,2}}{term}[.:]?\*|^#+ {term}$|`{term}\(\)`", self.pattern.flags | re.MULTILINE)


def read_terms(text: str) -> list[Term]:
    """The rows of the glossary's table."""
    return [
        Term(row["term"].strip("`"), tuple(re.findall(r"\((\w+)\.ipynb\)", row["where"]))) for row in ROW.finditer(text)
    ]


def cells(path: Path) -> list[str]:
    """The Markdown cells after the title's, without blocks of code, formulas, links to notebooks."""
    found = [cell.source for cell in nbformat.read(path, as_version=4).cells[1:] if cell.cell_type == "markdown"]
    return [NO_TEXT.sub(" ", FENCE.sub("", source)) for source in found]


def used_too_early(terms: list[Term], series: Mapping[str, list[str]]) -> Iterator[str]:
    """Each use of a term before the place that explains it, where it stands between asterisks."""
    order = list(series)
    for term in terms:
        first = order.index(term.explained_in[0])
        for stem in order[:first]:
            if any(term.pattern.search(text) for text in series[stem]):
                yield f"{stem} uses {term.name!r}, which {order[first]} explains"
        uses = [text for text in series[order[first]] if term.pattern.search(text)]
        if not uses:
            yield f"{order[first]} does not use {term.name!r}"
        elif not term.emphasised.search(uses[0]):
            yield f"{order[first]} uses {term.name!r} before it explains it between asterisks: {uses[0][:60]!r}"


TERMS = read_terms((NOTEBOOKS / "glossary.md").read_text(encoding="utf-8"))


def test_the_glossary_is_long_enough_in_order_and_points_at_notebooks() -> None:
    names = [term.name.lower() for term in TERMS]
    assert len(names) >= FEWEST and names == sorted(set(names))
    stems = {path.stem for path in notebooks()}
    assert all(term.explained_in and {*term.explained_in} <= stems for term in TERMS)
    assert all(list(term.explained_in) == sorted(term.explained_in) for term in TERMS)


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_every_notebook_links_to_the_glossary(path: Path) -> None:
    links = nbformat.read(path, as_version=4).cells[0].source.splitlines()[-1]
    assert "](glossary.md)" in links


def test_no_term_is_used_before_it_is_explained() -> None:
    series = {path.stem: cells(path) for path in notebooks()}
    assert list(used_too_early(TERMS, series)) == []


@pytest.mark.parametrize(("first", "second", "complaints"), [
    (["a"], ["The *stride* is two."], 0),
    (["Strides are long."], ["The *stride* is two."], 1),
    (["a"], ["Stride 2.", "The *stride* is two."], 1),
    (["a"], ["b"], 1),
    (["a stridency"], ["**Stride** and stride"], 0),
])  # fmt: skip
def test_an_early_use_is_found(first: list[str], second: list[str], complaints: int) -> None:
    series = {"00_one": first, "01_two": second}
    assert len(list(used_too_early([Term("stride", ("01_two",))], series))) == complaints
