"""The static site: complete, without a dead link, and without anything from elsewhere."""

from __future__ import annotations

import re
from copy import copy
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from tests.browser.conftest import OfflinePage
from tools import site
from tools.paths import NOTEBOOKS, notebooks

LOADING = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
}
PLACEHOLDER = "No description has been provided"


@cache
def soups(folder: Path) -> dict[str, BeautifulSoup]:
    """All pages of a site, by file name; not to be changed."""
    return {path.name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in folder.glob("*.html")}


def dead_links(pages: dict[str, BeautifulSoup], folder: Path) -> list[str]:
    """Links within the site whose page, file or fragment does not exist."""
    ids = {name: {str(element["id"]) for element in soup.select("[id]")} for name, soup in pages.items()}
    dead = []
    for name, soup in pages.items():
        for anchor in soup.select("a[href]"):
            target, _, fragment = unquote(str(anchor["href"])).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (folder / target).is_file() if target else True
            if not there or (fragment and fragment not in ids.get(target or name, set())):
                dead.append(f"{name}: {anchor['href']}")
    return dead


def from_elsewhere(text: str) -> list[str]:
    """What a page or a style sheet would load from another place than the site's folder."""
    soup = BeautifulSoup(text, "html.parser")
    wanted = [str(e[a]) for tag, a in LOADING.items() for e in soup.find_all(tag) if e.get(a)]
    wanted += re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)
    return [target for target in wanted if re.match(r"(https?:)?//", target)]


def poor_pictures(soup: BeautifulSoup) -> list[str]:
    """The text alternatives that say nothing."""
    alts = [str(image.get("alt", "")) for image in soup.find_all("img")]
    return [alt for alt in alts if PLACEHOLDER in alt or len(alt.split()) < 5]


def test_there_is_a_page_for_every_notebook_and_guide(site_folder: Path) -> None:
    sources = {*notebooks(), *NOTEBOOKS.glob("*.md")}
    assert {path.stem for path in sources} | {"index", "readme"} == {path.stem for path in site_folder.glob("*.html")}
    index = soups(site_folder)["index.html"]
    linked = [str(anchor["href"]) for anchor in index.select("table a[href]")]
    assert linked == [f"{path.stem}.html" for path in notebooks()]


def test_every_link_within_the_site_leads_somewhere(site_folder: Path) -> None:
    pages = soups(site_folder)
    assert sum(len(soup.select("a[href]")) for soup in pages.values()) > 100
    assert dead_links(pages, site_folder) == []


def test_nothing_is_loaded_from_elsewhere(site_folder: Path) -> None:
    for path in [*site_folder.glob("*.html"), *site_folder.glob("*.css")]:
        assert from_elsewhere(path.read_text(encoding="utf-8")) == [], path.name


def test_every_picture_says_what_it_shows(site_folder: Path) -> None:
    pages = soups(site_folder)
    assert sum(len(soup.find_all("img")) for soup in pages.values()) > 40
    assert {name: poor_pictures(soup) for name, soup in pages.items() if poor_pictures(soup)} == {}


def test_no_formula_is_left_as_latex(site_folder: Path) -> None:
    assert sum(len(soup.find_all("math")) for soup in soups(site_folder).values()) > 20
    for name, parsed in soups(site_folder).items():
        soup = copy(parsed)
        for code in soup.select("pre, code, annotation"):
            code.decompose()
        assert not re.findall(r"\\(?:frac|text|cdot|mathrm|sqrt)|\$[^$\n]{1,60}\$", soup.get_text()), name


def test_what_is_wrong_is_noticed(tmp_path: Path) -> None:
    bad = '<a href="gone.html">x</a><a href="#gone">x</a>'
    bad += '<img src="https://example.org/a.png"><script src="//example.org/a.js"></script>'
    soup = BeautifulSoup(bad, "html.parser")
    assert len(dead_links({"page.html": soup}, tmp_path)) == 2
    assert len(from_elsewhere(bad)) == 2
    assert len(from_elsewhere("a { background: url(https://example.org/a.png) }")) == 1
    assert poor_pictures(soup) == [""]
    assert poor_pictures(BeautifulSoup(f'<img alt="{PLACEHOLDER} for this image">', "html.parser"))


def test_links_are_rewritten_or_refused() -> None:
    plan = site.plan()
    first, second = notebooks()[:2]
    assert plan.link(first, f"{second.name}#What-the-stack-costs") == f"{second.stem}.html#what-the-stack-costs"
    assert plan.link(first, "../README.md") == "readme.html"
    assert plan.link(site.README, "notebooks/images/vgg11.png") == "images/vgg11.png"
    assert plan.link(first, "../LICENSE").endswith("/blob/main/LICENSE")
    assert plan.link(first, "https://example.org/#x") == "https://example.org/#x"
    with pytest.raises(ValueError, match=r"gone\.ipynb"):
        plan.link(first, "gone.ipynb")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="folder="):
        site.build(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_the_pages_open_without_internet(site_folder: Path, offline: OfflinePage) -> None:
    for path in sorted(site_folder.glob("*.html")):
        page = offline.open(path)
        assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)"), (
            path.name
        )
    assert offline.left == offline.errors == []
