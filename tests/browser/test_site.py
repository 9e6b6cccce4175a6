"""The static site: complete, without a dead link, and without anything from elsewhere."""

from __future__ import annotations

import re
from copy import copy
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup, Tag

from tests.browser.conftest import OfflinePage
from tools import links, site
from tools.pages import LIVE_PAGE
from tools.paths import NOTEBOOKS, notebooks
from vgg_lesson.support.files import write_atomically

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
            named = {fragment}
            if (target or name) == LIVE_PAGE:  # an address of a state begins with the part's name
                named.add(f"{fragment.partition('&')[0]}-part")
            if not there or (fragment and not named & ids.get(target or name, set())):
                dead.append(f"{name}: {anchor['href']}")
    return dead


def from_elsewhere(text: str, soup: BeautifulSoup) -> list[str]:
    """What a page or a style sheet would load from another place than the site's folder; a sheet's soup is empty."""
    wanted = [str(e[a]) for tag, a in LOADING.items() for e in soup.find_all(tag) if e.get(a)]
    wanted += re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)
    return [target for target in wanted if re.match(r"(https?:)?//", target)]


def poor_pictures(soup: BeautifulSoup) -> list[str]:
    """The text alternatives that say nothing."""
    alts = [str(image.get("alt", "")) for image in soup.select("article img")]
    return [alt for alt in alts if PLACEHOLDER in alt or len(alt.split()) < 5]


def test_there_is_a_page_for_every_notebook_and_guide(site_folder: Path) -> None:
    wanted = {path.stem for path in [*notebooks(), *NOTEBOOKS.glob("*.md")]} | {
        "index",
        "search",
        "genindex",
        "live",
        "vgg-live",
    }
    assert wanted == {path.stem for path in site_folder.glob("*.html")}
    index = soups(site_folder)["index.html"]
    linked = [str(anchor["href"]) for anchor in index.select("article table a[href]")]
    assert linked == [f"{path.stem}.html" for path in notebooks()]


def test_the_guide_stands_apart_from_the_way_of_students(site_folder: Path) -> None:
    parts = {}
    for heading in soups(site_folder)["search.html"].select(".bd-sidebar-primary [role=heading]"):
        below = heading.find_next("ul")
        assert isinstance(below, Tag)
        parts[heading.get_text(strip=True)] = [str(anchor["href"]) for anchor in below.select("a[href]")]
    assert parts["The lesson"] == [f"{path.stem}.html" for path in notebooks()]
    assert "instructor_guide.html" in parts["For instructors"] and "installing.html" in parts["Beside it"]
    assert not {*parts["Beside it"], *parts["The lesson"]} & {*parts["For instructors"]}


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_buttons_open_a_notebook_where_it_can_be_run(site_folder: Path, path: Path) -> None:
    addresses = [
        str(anchor["href"]) for anchor in soups(site_folder)[f"{path.stem}.html"].select(".dropdown-item[href]")
    ]
    (binder,) = [address for address in addresses if "mybinder.org" in address]
    (colab,) = [address for address in addresses if "colab" in address]
    assert binder.endswith(f"my-lesson/{path.name}") and links.repository() in binder  # a copy without results
    assert colab.endswith(f"{links.repository()}/blob/main/notebooks/{path.name}")


def test_solutions_are_folded(site_folder: Path) -> None:
    pages = soups(site_folder)
    for path in notebooks():
        folded = pages[f"{path.stem}.html"].select("article details")
        assert len(folded) == path.read_text(encoding="utf-8").count("<summary>Solution")
        assert not [part for part in folded if part.has_attr("open")]


def test_every_link_within_the_site_leads_somewhere(site_folder: Path) -> None:
    pages = soups(site_folder)
    assert sum(len(soup.select("a[href]")) for soup in pages.values()) > 100
    assert dead_links(pages, site_folder) == []


def test_the_lesson_leads_to_the_live_page_and_each_address_is_one(site_folder: Path, offline: OfflinePage) -> None:
    pages = soups(site_folder)
    (first, *_) = pages["index.html"].select(".bd-sidebar-primary li a[href]")
    assert first["href"] == "live.html"
    lessons = {name: soup for name, soup in pages.items() if name[:2].isdigit()}
    wanted = "article a[href*='live.html#']"
    led = {name: str(link["href"]) for name, soup in lessons.items() for link in soup.select(wanted)}
    assert sorted(name[:2] for name in led) == ["01", "02", "05", "08"]
    for target in led.values():
        page = offline.page
        page.goto("about:blank")
        page.goto(f"{site_folder.as_uri()}/{target}")
        page.wait_for_function("globalThis.vggLive?.opened !== undefined")
        page.evaluate("globalThis.vggLive.opened")
        assert page.locator("#notice").inner_text() == "" and page.url.endswith(target)
    assert offline.left == offline.errors == []


def test_nothing_is_loaded_from_elsewhere(site_folder: Path) -> None:
    pages = soups(site_folder)
    for path in [*site_folder.glob("*.html"), *site_folder.glob("_static/**/*.css")]:
        soup = pages.get(path.name, BeautifulSoup())
        assert from_elsewhere(path.read_text(encoding="utf-8"), soup) == [], path.name


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
    assert len(from_elsewhere(bad, BeautifulSoup(bad, "html.parser"))) == 2
    assert len(from_elsewhere("a { background: url(https://example.org/a.png) }", BeautifulSoup())) == 1
    said = f'<article><img><img alt="{PLACEHOLDER} for this image"></article>'
    assert len(poor_pictures(BeautifulSoup(said, "html.parser"))) == 2


def test_links_are_rewritten_or_refused() -> None:
    first, second = notebooks()[:2]
    assert site.link(first, f"{second.name}#What-the-stack-costs") == f"{second.name}#what-the-stack-costs"
    assert site.link(site.README, "notebooks/images/vgg11.png") == "images/vgg11.png"
    assert site.link(site.README, "notebooks/00_start_here.ipynb") == first.name
    assert site.link(first, "../LICENSE").endswith("/blob/main/LICENSE")
    assert site.link(first, "https://example.org/#x") == "https://example.org/#x"
    with pytest.raises(ValueError, match=r"gone\.ipynb"):
        site.link(first, "gone.ipynb")


def test_a_warning_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_dead_link(folder: Path) -> None:
        write_atomically(folder / "index.md", b"# Start\n\n[nowhere](gone.md)\n")

    monkeypatch.setattr(site, "lay_out", with_a_dead_link)
    with pytest.raises(ValueError, match="Sphinx warned"):
        site.build(tmp_path / "site")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="folder="):
        site.build(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_the_pages_open_without_internet(site_folder: Path, offline: OfflinePage) -> None:
    for path in sorted(site_folder.glob("*.html")):
        page = offline.open(path)
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        broken = "[...document.images].filter((image) => image.complete && !image.naturalWidth).length"
        assert page.evaluate(broken) == 0, path.name
    assert offline.left == offline.errors == []


def test_a_word_is_found_from_disk(site_folder: Path, offline: OfflinePage) -> None:
    page = offline.open(site_folder / "search.html")
    page.goto(f"{(site_folder / 'search.html').as_uri()}?q=Grad-CAM")
    page.wait_for_selector("ul.search li a")
    found = page.eval_on_selector_all("ul.search li a", "all => all.map((one) => one.getAttribute('href'))")
    assert any("08_look_inside.html" in str(address) for address in found)
    assert offline.left == offline.errors == []


def test_dark_and_light_follow_the_reader(site_folder: Path, offline: OfflinePage) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    seen = []
    for scheme in ("light", "dark"):
        offline.page.emulate_media(color_scheme=scheme)
        seen.append(offline.open(site_folder / "index.html").evaluate(background))
    assert seen[0] == "rgb(255, 255, 255)" and seen[1] != seen[0]
    offline.page.locator("button.theme-switch-button:visible").first.click()
    assert offline.page.evaluate("document.documentElement.dataset.theme") in ("light", "dark")
