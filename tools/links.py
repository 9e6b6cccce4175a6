"""The repository's address stands once, in pyproject.toml; badges, links and clone lines are written from it.

In Markdown they stand between ``<!-- links:NAME -->`` and ``<!-- /links -->``, NAME being one of ``BLOCKS``; in
``CITATION.cff`` it is the line ``repository-code``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import quote

from tools.paths import NOTEBOOKS, ROOT
from vgg_lesson.support.files import write_atomically

BLOCK = re.compile(r"(<!-- links:(\w+) -->\n)(?:(?!<!-- links:).)*?(<!-- /links -->)", re.DOTALL)
CITED = re.compile(r"^repository-code: .*$", re.MULTILINE)
BLOCKS = {
    "clone": "```bash\ngit clone https://github.com/{repository} && cd {name}\n```",
    "colab": "```python\n%pip install -q --no-deps git+https://github.com/{repository}\n```",
    # For the instructor's guide: HUB is the class's own JupyterHub, %2F a slash within an address within an address.
    "nbgitpuller": (
        "```text\nhttps://HUB/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2F{quoted}&branch=main"
        "&urlpath=lab%2Ftree%2F{name}%2Fnotebooks%2F00_start_here.ipynb\n```"
    ),
    "binder": (
        "```text\nhttps://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/my-lesson/05_why_it_stalls.ipynb\n```"
    ),
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
    """Write the address into every place that shows it; returns the files that changed."""
    address = repository(root)
    return [path for path in _places(root) if _rewrite(path, address)]


def main(arguments: list[str]) -> int:
    """``python -m tools links``"""
    changed = write()
    print(f"{repository()}:", ", ".join(path.name for path in changed) or "nothing to change")
    return 0


def _places(root: Path) -> list[Path]:
    return [root / "README.md", root / "CITATION.cff", *sorted((root / NOTEBOOKS.name).glob("*.md"))]


def _rewrite(path: Path, address: str) -> bool:
    def block(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:
            raise ValueError(f"{path.name}: links:{match[2]} is unknown; choose one of {', '.join(BLOCKS)}")
        text = BLOCKS[match[2]].format(
            repository=address, quoted=quote(address, safe=""), name=address.partition("/")[2]
        )
        return f"{match[1]}{text}\n{match[3]}"

    old = path.read_text(encoding="utf-8")
    new = BLOCK.sub(block, old)
    if path.name == "CITATION.cff":
        new = CITED.sub(f'repository-code: "https://github.com/{address}"', new)
    if new != old:
        write_atomically(path, new.encode())
    return new != old
