"""The static site: every executed notebook and guide as a page, with all they need and nothing from elsewhere.

``python -m tools site`` writes ``build/site/``, which opens from disk, from a USB stick or from any web server. Stored
outputs are shown, nothing is run. Links between notebooks and guides lead to their pages, links to other files of the
repository to its address in pyproject.toml.
"""

from __future__ import annotations

import argparse
import re
import shutil
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import unquote

import nbformat
from bs4 import BeautifulSoup

from tools import links, pages
from tools.paths import NOTEBOOKS, ROOT, notebooks
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build" / "site"
README = ROOT / "README.md"
STYLE = "vgg-lesson-site.css"  # also the mark by which an earlier site is known
EXTERNAL = re.compile(r"[a-z][a-z+.-]*:", re.IGNORECASE)


@dataclass
class Site:
    """The pages to be, by source file, and the pictures that they show, by name in the site."""

    pages: dict[Path, str]
    series: list[Path]
    pictures: dict[str, Path] = field(default_factory=dict)

    def link(self, source: Path, target: str) -> str:
        """Where ``target``, as written in ``source``, is found in the site.

        Raises:
            ValueError: it names a file that does not exist.
        """
        name, _, fragment = target.partition("#")
        anchor = f"#{pages.slug(fragment)}" if fragment else ""
        if EXTERNAL.match(target) or not name:
            return target if name else anchor
        file = (source.parent / unquote(name)).resolve()
        if not file.exists():
            raise ValueError(f"{pages.relative(source)} links to {target}, which is not there")
        if file in self.pages:
            return self.pages[file] + anchor
        if file.suffix.lower() in (".png", ".jpg", ".svg", ".gif"):
            self.pictures[f"images/{file.name}"] = file
            return f"images/{file.name}"
        return f"https://github.com/{links.repository()}/blob/main/{pages.relative(file)}{anchor}"


def plan() -> Site:
    """Which pages there are: the start page, one per notebook, the README and the guides beside the notebooks."""
    series = notebooks()
    guides = sorted(NOTEBOOKS.glob("*.md"))
    return Site({README: "readme.html", **{path: f"{path.stem}.html" for path in [*series, *guides]}}, series)


def build(folder: Path = FOLDER) -> list[Path]:
    """Write the site into a fresh ``folder``; returns the pages.

    Raises:
        ValueError: a link that leads nowhere, or a ``folder`` that holds something else than a site.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / STYLE).exists():
        raise ValueError(f"folder={str(folder)!r} holds other files; name an empty one or an earlier site")
    shutil.rmtree(folder, ignore_errors=True)
    site = plan()
    written = [_write(folder / name, _page(site, source, _body(source))) for source, name in site.pages.items()]
    written.append(_write(folder / "index.html", _page(site, README, _start(site), start=True)))
    _write(folder / STYLE, pages.asset("site/site.css") + pages.code_colors())
    for name, picture in site.pictures.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(picture, folder / name)
    return written


def _body(source: Path) -> str:
    if source.suffix == ".md":
        return pages.markdown(source.read_text(encoding="utf-8"))
    body, _ = pages.PlainExporter().from_notebook_node(nbformat.read(source, as_version=4))
    return str(body)


def _start(site: Site) -> str:
    """The README's first words and its section on the series, and the list of the other pages."""
    text = README.read_text(encoding="utf-8")
    definitions = "\n".join(re.findall(r"^\[[\w-]+\]: .*$", text, re.MULTILINE))
    series = re.search(r"^## The series\n.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    if not series:
        raise ValueError(f"{README.name} has no section '## The series'")
    others = "\n".join(
        f"- [{pages.title_of(path.read_text(encoding='utf-8'), path.stem)}]({pages.relative(path)})"
        for path in site.pages
        if path.suffix == ".md" and path != README
    )
    more = f"## More\n\n- [Install it, run it, take part](README.md)\n{others}"
    return pages.markdown("\n\n".join([text.partition("\n## ")[0], series[0], more, definitions]))


def _page(site: Site, source: Path, body: str, start: bool = False) -> str:
    soup = pages.accessible(BeautifulSoup(body, "html.parser"), lambda target: site.link(source, target))
    for picture in soup.select("img[src^=http]"):
        picture.replace_with(str(picture.get("alt", "")))
    heading = soup.find("h1")
    sections = [(str(h["id"]), h.get_text()) for h in soup.find_all("h2")]
    return pages.filled(
        "site/page.html",
        title=escape(heading.get_text() if heading else source.stem),
        series=" ".join(_entry(path, name, path == source and not start) for path, name in _numbered(site)),
        sections="" if start else _sections(sections),
        content=str(soup),
        neighbours=_neighbours(site, source),
        source=f"https://github.com/{links.repository()}/blob/main/{pages.relative(source)}",
    )


def _numbered(site: Site) -> list[tuple[Path, str]]:
    return [(path, site.pages[path]) for path in site.series]


def _entry(path: Path, name: str, current: bool) -> str:
    mark = ' aria-current="page"' if current else ""
    return f'<a href="{name}"{mark} aria-label="{_words(path)}">{path.stem[:2]}</a>'


def _words(path: Path) -> str:
    return path.stem.replace("_", " ")


def _sections(sections: list[tuple[str, str]]) -> str:
    if len(sections) < 3:
        return ""
    entries = "".join(f'<li><a href="#{name}">{escape(text)}</a></li>' for name, text in sections)
    listed = f'<nav aria-label="Sections"><ol>{entries}</ol></nav>'
    return f"<details><summary>Sections of this page</summary>{listed}</details>"


def _neighbours(site: Site, source: Path) -> str:
    if source not in site.series:
        return '<a href="index.html">Start page</a>'
    place = site.series.index(source)
    before = [f'<a href="{site.pages[p]}">← {_words(p)}</a>' for p in site.series[max(place - 1, 0) : place]]
    after = [f'<a href="{site.pages[p]}">{_words(p)} →</a>' for p in site.series[place + 1 : place + 2]]
    return " ".join([*before, *after])


def _write(path: Path, text: str) -> Path:
    write_atomically(path, text.encode())
    return path


def main(arguments: list[str]) -> int:
    """``python -m tools site [--to DIR]``"""
    parser = argparse.ArgumentParser(prog="python -m tools site", description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="DIR", help="where to write; default: build/site")
    folder = parser.parse_args(arguments).to.resolve()
    print(f"wrote {len(build(folder))} pages; open {pages.relative(folder / 'index.html')}")
    return 0
