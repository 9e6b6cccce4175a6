"""The repository's address and version stand once, in pyproject.toml; what shows them is written from there.

In Markdown it stands between ``<!-- links:NAME -->`` and ``<!-- /links -->``, NAME being one of ``BLOCKS``; in
``CITATION.cff`` the lines ``repository-code`` and ``version``; in a notebook the first lines of the setup cell, which
fetch the lesson where a notebook was opened alone.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import nbformat

from tools.paths import NOTEBOOKS, ROOT
from vgg_lesson.support.files import write_atomically

BLOCK = re.compile(r"(<!-- links:(\w+) -->\n)(?:(?!<!-- links:).)*?(<!-- /links -->)", re.DOTALL)
CITED = re.compile(r"^(repository-code|version): .*$", re.MULTILINE)
# In plain Python, so that the cell can be compiled; a version and not a branch, so that it stays what was tested.
# Hosted kernels bring torch and its kin, often with a widget manager of their own: there nothing else is touched.
FETCH = """\
from importlib.util import find_spec

if not find_spec("vgg_lesson"):  # this notebook was opened alone
    print("Fetching the lesson: a minute, or several without torch.")
    lesson = "git+https://github.com/{repository}@v{version}"
    bare = "--no-deps" if find_spec("torch") else ""
    get_ipython().run_line_magic("pip", f"install -q {{bare}} {{lesson}}")

"""
FETCHED = re.compile(r"from importlib\.util import find_spec\n\nif not find_spec\(\"vgg_lesson\"\):.*?\n\n", re.DOTALL)
BLOCKS = {
    "clone": "```bash\ngit clone https://github.com/{repository} && cd {name}\n```",
    "pip": (
        "```bash\npython3 -m venv .venv && .venv/bin/pip install git+https://github.com/{repository}@v{version}"
        " && .venv/bin/vgg-lesson open\n```"
    ),
    "uvx": (
        "```bash\nuvx --torch-backend cpu --from git+https://github.com/{repository}@v{version} vgg-lesson open\n```"
    ),
    "tools": (
        "```bash\nuvx --torch-backend cpu --from git+https://github.com/{repository}@v{version} vgg-lesson open\n"
        "pipx run --spec git+https://github.com/{repository}@v{version} vgg-lesson open\n```"
    ),
    # For the instructor's guide: HUB is the class's own JupyterHub, %2F a slash within an address within an address.
    "nbgitpuller": (
        "```text\nhttps://HUB/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2F{quoted}&branch=main"
        "&urlpath=lab%2Ftree%2F{name}%2Fnotebooks%2F00_start_here.ipynb\n```"
    ),
    "binder": (
        "```text\nhttps://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/my-lesson/05_why_it_stalls.ipynb\n```"
    ),
    "issues": "[issues]: https://github.com/{repository}/issues",
    "definitions": """\
[tests]: https://github.com/{repository}/actions/workflows/tests.yml
[tests-badge]: https://github.com/{repository}/actions/workflows/tests.yml/badge.svg
[binder]: https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/my-lesson/00_start_here.ipynb
[binder-badge]: https://mybinder.org/badge_logo.svg
[colab]: https://colab.research.google.com/github/{repository}/blob/main/notebooks/00_start_here.ipynb
[colab-badge]: https://colab.research.google.com/assets/colab-badge.svg
[issues]: https://github.com/{repository}/issues""",
}


def repository(root: Path = ROOT) -> str:
    """``owner/name`` out of ``[project.urls] Repository`` in pyproject.toml.

    Raises:
        ValueError: it is not an address of the form https://github.com/owner/name.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Repository"]
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", address)
    if not match:
        raise ValueError(f"Repository = {address!r} in pyproject.toml; https://github.com/owner/name is expected")
    return match[1]


def write(root: Path = ROOT) -> list[Path]:
    """Write address and version into every place that shows them; returns the files that changed."""
    facts = {"repository": repository(root), "version": version(root)}
    return [path for path in _places(root) if _rewrite(path, facts)]


def version(root: Path = ROOT) -> str:
    """The version in pyproject.toml."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def fetching(source: str, facts: Mapping[str, str]) -> str:
    """The source of a setup cell that begins with the lines which fetch the lesson where it is missing."""
    return FETCH.format(**facts) + FETCHED.sub("", source, count=1)


def main(arguments: list[str]) -> int:
    """``python -m tools links``"""
    argparse.ArgumentParser(prog="python -m tools links", description=__doc__).parse_args(arguments)
    changed = write()
    print(f"{repository()} {version()}:", ", ".join(path.name for path in changed) or "nothing to change")
    return 0


def _places(root: Path) -> list[Path]:
    folder = root / NOTEBOOKS.name
    texts = [root / "README.md", root / "CONTRIBUTING.md", root / "SECURITY.md", root / "CITATION.cff"]
    return [*filter(Path.is_file, texts), *sorted(folder.glob("*.md")), *sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


def _rewrite(path: Path, facts: Mapping[str, str]) -> bool:
    old = path.read_text(encoding="utf-8")
    new = _notebook(old, facts) if path.suffix == ".ipynb" else _text(old, path.name, facts)
    if new != old:
        write_atomically(path, new.encode())
    return new != old


def _notebook(text: str, facts: Mapping[str, str]) -> str:
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if "setup" in cell.metadata.get("tags", []):
            cell.source = fetching(cell.source, facts)
    return str(nbformat.writes(notebook)) + "\n"


def _text(text: str, name: str, facts: Mapping[str, str]) -> str:
    owner_name = facts["repository"]
    names = {**facts, "quoted": quote(owner_name, safe=""), "name": owner_name.partition("/")[2]}

    def block(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:
            raise ValueError(f"{name}: links:{match[2]} is unknown; choose one of {', '.join(BLOCKS)}")
        return f"{match[1]}{BLOCKS[match[2]].format(**names)}\n{match[3]}"

    def cited(match: re.Match[str]) -> str:
        value = facts["version"] if match[1] == "version" else f"https://github.com/{owner_name}"
        return f'{match[1]}: "{value}"'

    text = BLOCK.sub(block, text)
    return CITED.sub(cited, text) if name == "CITATION.cff" else text
