"""HTML that needs no internet and that everyone can use: what slides and site have in common.

Formulas become MathML, which browsers draw themselves; code is coloured with 4.5:1 contrast; headings have the
fragments that GitHub gives them.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from tools.numbers import ANY_MARKER
from tools.paths import ROOT

ASSETS = ROOT / "tools" / "assets"
CODE_STYLE = "default"
LIVE_PAGE, LIVE_CALL = "vgg-live.html", re.compile(r'`live\("([^"`]+)"\)`')
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Renderer(IPythonRenderer):
    """nbconvert's Markdown renderer, with formulas as MathML."""

    def inline_math(self, body: str) -> str:
        """A formula in a line."""
        return formula(body)

    def block_math(self, body: str) -> str:
        """A formula of its own."""
        return formula(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        """``\\begin{name} … \\end{name}``"""
        return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


def formula(latex: str, display: str = "inline") -> str:
    """A formula as MathML; ``display`` is "inline" or "block"."""
    latex = re.sub(r"\\mathrm(?=\{)", r"\\text", latex)  # the converter sets single letters in italics otherwise
    latex = re.sub(r"\\[bB]igg?[lr]?(?![A-Za-z])", "", latex)  # browsers stretch brackets themselves
    latex = re.sub(r"\\text\{[^}]*\}", lambda match: match[0].replace("\\_", "_"), latex)
    return convert(latex, display=display)


def markdown(source: str, images: Path | None = None) -> str:
    """Markdown with formulas as HTML, without the markers behind numbers; pictures under ``images`` are put inside."""
    renderer = Renderer(
        escape=False, embed_images=images is not None, path=str(images or ""), exclude_anchor_links=True
    )
    return MarkdownWithMath(renderer=renderer).render(ANY_MARKER.sub("", source))


def live_links(source: str) -> str:
    """Markdown whose calls of `vgg_lesson.live` lead to the page itself, which lies beside the pages that we write."""
    return LIVE_CALL.sub(lambda call: f'<a href="{LIVE_PAGE}#{escape(call[1])}">{call[0]}</a>', source)


def slug(heading: str) -> str:
    """The fragment of a heading, as GitHub makes it; of Jupyter's (blanks as hyphens) the same comes out."""
    return re.sub(r"[^\w\- ]", "", unquote(heading).strip().lower()).replace(" ", "-")


def code_colors() -> str:
    """CSS for highlighted code."""
    return str(HtmlFormatter(style=CODE_STYLE).get_style_defs(".highlight"))


def accessible(soup: BeautifulSoup) -> BeautifulSoup:
    """Improve the page in place: fragments of headings, headers of tables; returns it."""
    _name_headings(soup)
    for table in soup.find_all("table"):
        _label_table(table)
    return soup


def asset(name: str) -> str:
    """The text of a file under ``tools/assets``."""
    return (ASSETS / name).read_text(encoding="utf-8")


def filled(name: str, **values: str) -> str:
    """The file ``tools/assets/NAME`` with each ``{{ KEY }}`` replaced.

    Raises:
        ValueError: the file has other keys than were given.
    """
    template = asset(name)
    keys = set(re.findall(r"\{\{ (\w+) \}\}", template))
    if keys != set(values):
        raise ValueError(f"{name} has the keys {sorted(keys)}, given are {sorted(values)}")
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: values[match[1]], template)


def title_of(markdown_text: str, otherwise: str) -> str:
    """The first heading of a Markdown text."""
    match = re.search(r"^# (.+)$", ANY_MARKER.sub("", markdown_text), re.MULTILINE)
    return match[1].strip() if match else otherwise


def relative(path: Path) -> str:
    """A path of the repository as it is shown to readers."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def _name_headings(soup: BeautifulSoup) -> None:
    taken: set[str] = set()
    for heading in soup.find_all(HEADINGS):
        name = base = slug(heading.get_text()) or "section"
        number = 0
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        heading["id"] = name
        for anchor in heading.select("a.anchor-link"):
            anchor.decompose()


def _label_table(table: Tag) -> None:
    """Name the headers; a head row without words goes, and the first column becomes the header of its row."""
    head = table.find("thead")
    if isinstance(head, Tag) and not head.get_text(strip=True):
        head.decompose()
        for row in table.find_all("tr"):
            if isinstance(first := row.find("td"), Tag):
                first.name = "th"
                first["scope"] = "row"
    for cell in table.select("thead th"):
        cell["scope"] = "col"
        if not cell.get_text(strip=True):
            cell.name = "td"
            del cell["scope"]
