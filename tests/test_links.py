"""The repository's address stands in one place, and one command carries a change everywhere."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import links
from tools.paths import ROOT

TEXT = {".md", ".cff", ".toml", ".txt", ".yml", ".yaml", ".py", ".ipynb", ".json", ".csv", ""}


def files() -> list[Path]:
    """The repository's own text files, relative to its root."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git does not list the files here: {error}")
    return [Path(name) for name in listed if Path(name).suffix in TEXT and (ROOT / name).is_file()]


def copy(folder: Path) -> Path:
    """A copy of the text files, in which a test may write."""
    for name in files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


def holding(root: Path, address: str) -> list[str]:
    """The files with the address in them."""
    return [name.as_posix() for name in files() if address in (root / name).read_text(encoding="utf-8")]


def test_links_are_written(tmp_path: Path) -> None:
    assert links.write(copy(tmp_path)) == [], "run python -m tools links"


def test_a_new_address_reaches_every_place(tmp_path: Path) -> None:
    root, old, new = copy(tmp_path), links.repository(), "/".join(["someone", "their-lesson"])
    links.write(root)
    before = holding(root, old)
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    assert text.count(old) == 1
    project.write_text(text.replace(old, new), encoding="utf-8")
    links.write(root)
    assert holding(root, old) == []
    assert sorted(holding(root, new)) == sorted(before)
    assert (root / "README.md").read_text(encoding="utf-8").count("cd their-lesson") == 1


def test_an_address_inside_an_address_is_quoted_and_an_empty_block_filled(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nversion = "2.0"\n[project.urls]\nRepository = "https://github.com/some.one/their_lesson"\n'
    )
    (tmp_path / "CITATION.cff").write_text("")
    empty = "<!-- links:{} -->\n<!-- /links -->\n"
    page = tmp_path / "README.md"
    page.write_text(empty.format("nbgitpuller") + "between\n" + empty.format("binder") + "end\n", encoding="utf-8")
    links.write(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "repo=https%3A%2F%2Fgithub.com%2Fsome.one%2Ftheir_lesson&branch=main" in text
    assert "urlpath=lab%2Ftree%2Ftheir_lesson%2Fnotebooks%2F00_start_here.ipynb" in text
    assert "between" in text and "gh/some.one/their_lesson/HEAD" in text and text.endswith("end\n")
    assert links.write(tmp_path) == []


@pytest.mark.parametrize("address", ["http://example.org/a/b", "https://github.com/OWNER", "git@github.com:a/b"])
def test_another_kind_of_address_is_refused(tmp_path: Path, address: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{address}"\n')
    with pytest.raises(ValueError, match=r"https://github\.com/owner/name"):
        links.repository(tmp_path)


def alone(missing: set[str]) -> list[str]:
    """What a setup cell asks of pip in a kernel that lacks some packages."""
    asked: list[str] = []
    shell = SimpleNamespace(run_line_magic=lambda name, line: asked.append(f"{name} {line}"))
    cell = links.fetching("import torch\n", {"repository": "some.one/lesson", "version": "2.0"})
    cell = cell.replace("from importlib.util import find_spec", "").replace("import torch", "")
    exec(cell, {"find_spec": lambda name: name not in missing, "get_ipython": lambda: shell})
    return asked


def test_a_notebook_opened_alone_fetches_a_version_of_the_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    address = "git+https://github.com/some.one/lesson@v2.0"
    assert alone(set()) == [] and capsys.readouterr().out == ""
    assert [word for asked in alone({"vgg_lesson"}) for word in asked.split()] == [
        "pip", "install", "-q", "--no-deps", address,
    ]  # fmt: skip
    assert "Fetching the lesson" in capsys.readouterr().out
    assert alone({"vgg_lesson", "torch"})[0].split() == ["pip", "install", "-q", address]


def test_a_setup_cell_keeps_its_imports_and_is_written_once() -> None:
    facts = {"repository": "some.one/lesson", "version": "2.0"}
    source = "import math\n\nimport torch\n\nfrom vgg_lesson import check"
    once = links.fetching(source, facts)
    assert once.endswith("\n\n" + source) and links.fetching(once, facts) == once
    assert "@v3.0" in links.fetching(once, {**facts, "version": "3.0"})
    assert max(map(len, once.splitlines())) <= 79
