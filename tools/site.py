"""The site: the notebooks with their stored outputs, the glossary and the guides, as pages to search and to read.

``python -m tools site`` writes ``build/site/``, which opens from disk, from a USB stick or from any web server, and
loads nothing from elsewhere. Nothing is run. The sources are laid out in ``build/site-source/`` first: without the
markers behind numbers, with links that Sphinx can follow, and with each figure's words as its alternative text.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

from tools import links, pages
from tools.live import write_page
from tools.numbers import ANY_MARKER
from tools.paths import NOTEBOOKS, ROOT, notebooks
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build" / "site"
SETTINGS = pages.ASSETS / "site"
README = ROOT / "README.md"
MARK = "searchindex.js"  # by which an earlier site is known
FOR_STUDENTS = ("installing.md", "glossary.md")  # of the pages beside the notebooks; the others are for instructors
LINK = re.compile(r"(?P<open>\]\()(?P<target>[^)\s]+)(?P<close>(?:\s+\"[^\"]*\")?\))")
EXTERNAL = re.compile(r"[a-z][a-z+.-]*:", re.IGNORECASE)


def build(folder: Path = FOLDER) -> list[Path]:
    """Write the site into a fresh ``folder``; returns the pages. A warning of Sphinx is an error.

    Raises:
        ValueError: a link that leads nowhere, a ``folder`` that holds something else than a site, or a warning.
    """
    from sphinx.cmd.build import build_main  # takes a second to import

    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ValueError(f"folder={str(folder)!r} holds other files; name an empty one or an earlier site")
    shutil.rmtree(folder, ignore_errors=True)
    source = folder.with_name(f"{folder.name}-source")
    lay_out(source)
    doctrees = source / ".doctrees"
    options = ["-b", "html", "-q", "-W", "--keep-going", "-c", str(SETTINGS), "-d", str(doctrees)]
    if build_main([*options, str(source), str(folder)]):
        raise ValueError("Sphinx warned, see above; a warning is a mistake in a page")
    shutil.rmtree(source)
    write_page(folder / pages.LIVE_PAGE)
    return sorted(folder.glob("*.html"))


def lay_out(folder: Path) -> None:
    """Write what Sphinx reads into a fresh ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(NOTEBOOKS / "images", folder / "images")
    for path in notebooks():
        notebook = _for_sphinx(nbformat.read(path, as_version=4), path)
        write_atomically(folder / path.name, nbformat.writes(notebook).encode())
    for path in _guides():
        write_atomically(folder / path.name, _text(path.read_text(encoding="utf-8"), path).encode())
    write_atomically(folder / "live.md", (SETTINGS / "live.md").read_bytes())
    write_atomically(folder / "index.md", _start().encode())


def link(source: Path, target: str) -> str:
    """Where ``target``, as written in ``source``, is found from a page of the site.

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
    if file in sources() or file.parent == NOTEBOOKS / "images":
        return file.relative_to(NOTEBOOKS).as_posix() + anchor
    return f"https://github.com/{links.repository()}/blob/main/{pages.relative(file)}{anchor}"


def sources() -> list[Path]:
    """What has a page of its own: the notebooks in order, then the texts beside them."""
    return [*notebooks(), *_guides()]


def _guides() -> list[Path]:
    return sorted(NOTEBOOKS.glob("*.md"))


def _text(markdown: str, source: Path) -> str:
    """Markdown without markers and comments, its links as they are in the site; code stays as it is."""
    markdown = re.sub(r"<!--.*?-->\n?", "", ANY_MARKER.sub("", markdown), flags=re.DOTALL)
    markdown = pages.live_links(markdown)
    parts = re.split(r"(^```.*?^```|`[^`\n]*`)", markdown, flags=re.MULTILINE | re.DOTALL)
    changed = (
        part if index % 2 else LINK.sub(lambda m: m["open"] + link(source, m["target"]) + m["close"], part)
        for index, part in enumerate(parts)
    )
    return "".join(changed)


def _for_sphinx(notebook: NotebookNode, source: Path) -> NotebookNode:
    """The notebook as a page: nothing to launch in a kernel, alternative texts where myst-nb looks for them."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _text(cell.source, source)
            continue
        alts = [output.metadata.get("image/png", {}).get("alt") for output in cell.outputs if "metadata" in output]
        if any(alts):
            cell.metadata["mystnb"] = {"image": {"alt": " ".join(filter(None, alts))}}
    return notebook


def _start() -> str:
    """The README's first words, its section on the series, and the order of the pages."""
    text = README.read_text(encoding="utf-8")
    series = re.search(r"^## The series\n.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    if not series:
        raise ValueError(f"{README.name} has no section '## The series'")
    opening = re.sub(r"^\[!\[.*\n", "", text.partition("\n## ")[0], flags=re.MULTILINE)
    students = [path.stem for path in _guides() if path.name in FOR_STUDENTS]
    instructors = [path.stem for path in _guides() if path.name not in FOR_STUDENTS]
    orders = (
        _order("VGG, live", ["live"]),
        _order("The lesson", [f"{_words(path)} <{path.stem}>" for path in notebooks()]),
        _order("Beside it", students),
        _order("For instructors", instructors),
    )
    return "\n\n".join([_text(opening + "\n\n" + series[0], README), *orders])


def _words(path: Path) -> str:
    """ "05 Why it stalls": number and name, as the notebooks call each other."""
    number, _, name = path.stem.partition("_")
    return f"{number} {name.replace('_', ' ').capitalize()}"


def _order(caption: str, names: list[str]) -> str:
    listed = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n:maxdepth: 1\n\n{listed}\n```"


def main(arguments: list[str]) -> int:
    """``python -m tools site [--to DIR] [--hub ADDRESS]``"""
    parser = argparse.ArgumentParser(prog="python -m tools site", description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="DIR", help="where to write; default: build/site")
    parser.add_argument("--hub", metavar="ADDRESS", help="your JupyterHub, for one more button on every notebook")
    options = parser.parse_args(arguments)
    if options.hub:
        os.environ["VGG_LESSON_HUB"] = options.hub
    folder = options.to.resolve()
    print(f"wrote {len(build(folder))} pages; open {pages.relative(folder / 'index.html')}")
    return 0
