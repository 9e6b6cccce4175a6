"""The README fits one screen's patience, and opens with two commands that set up all they need."""

from __future__ import annotations

import re

import pytest

from tools.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
REPOSITORY_FILES = (
    "CONTRIBUTING.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "SECURITY.md", ".editorconfig", ".gitattributes",
    ".pre-commit-config.yaml", ".devcontainer/devcontainer.json", ".github/dependabot.yml",
    ".github/PULL_REQUEST_TEMPLATE.md", ".github/ISSUE_TEMPLATE/wrong_sentence.yml",
    ".github/ISSUE_TEMPLATE/right_answer_refused.yml", ".github/ISSUE_TEMPLATE/class_report.yml",
)  # fmt: skip
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)\s]*)?\)")


def test_it_has_at_most_900_words_and_one_picture() -> None:
    assert len(README.split()) <= 900
    assert len(re.findall(r"^!\[", README, re.MULTILINE)) == 1


def test_each_of_its_commands_sets_up_on_its_own() -> None:
    lines = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    _clone, opening, testing, _uvx = lines
    assert opening == (
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/vgg-lesson open"
    )
    assert "-r requirements.txt -r tests/requirements.txt && .venv/bin/pytest" in testing
    assert testing.endswith((ROOT / ".ci" / "run").read_text().split("grep -m1 '&& \\")[1].split("$'")[0])


@pytest.mark.parametrize("name", REPOSITORY_FILES)
def test_what_a_repository_needs_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100


@pytest.mark.parametrize("name", ["README.md", *(name for name in REPOSITORY_FILES if name.endswith(".md"))])
def test_files_that_it_links_to_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not [target for target in LINK.findall(text) if not (ROOT / name).parent.joinpath(target).exists()]


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_actions_are_pinned_by_digest(path: str) -> None:
    used = re.findall(r"uses: (.*)", (ROOT / path).read_text(encoding="utf-8"))
    assert used and not [action for action in used if not PINNED.match(action)]


def test_ten_steps_lead_from_idea_to_outputs() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Changing a notebook")[2].partition("\n## ")[0]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", section, re.MULTILINE)] == list(range(1, 11))
