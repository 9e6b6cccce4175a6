"""The page "VGG, live" as one file: what it carries is what the package ships, and its sources are sound."""

from __future__ import annotations

import re
import shutil
import subprocess
import webbrowser
from pathlib import Path

import pytest

from tools import live as export
from vgg_lesson import live
from vgg_lesson.__main__ import main
from vgg_lesson.classroom.live import FOLDER, MODULES, PARTS, page

SOURCES = FOLDER / "page"
MEGABYTES, LINES = 3.0, 1600
SCRIPT = re.compile(r'<script type="module">\n(.*?)</script>', re.DOTALL)


def test_weights_and_data_are_those_that_are_shipped() -> None:
    assert (FOLDER / "weights.bin").read_bytes() == export.weights(), "run python -m tools live"
    stored, made = export.stored_data(), export.data()
    assert stored.keys() == made.keys()
    for key in stored:
        if key != "bright":
            assert stored[key] == made[key], f"{key}: run python -m tools live"
    assert stored["bright"] == pytest.approx(made["bright"], rel=0.02)


def test_the_page_stays_small() -> None:
    assert len(page().encode()) < MEGABYTES * 1e6
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.suffix != ".pyc") < MEGABYTES * 1e6
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES.iterdir()) <= LINES


def test_one_file_holds_every_module_and_nothing_is_left_to_fill_in() -> None:
    assert {path.stem for path in SOURCES.glob("*.js")} == set(MODULES)
    text = page("stall&depth=19")
    code = SCRIPT.search(text)
    assert code and 'data-address="stall&amp;depth=19"' in text
    assert not re.search(r"^(import|export) |\{\{\w+\}\}", code[1] + text[: text.index("<script")], re.MULTILINE)
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text), "something is fetched"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_stands_before_it(name: str) -> None:
    text = (SOURCES / f"{name}.js").read_text(encoding="utf-8")
    imported = re.findall(r'from "\./(\w+)\.js"', text)
    assert set(imported) <= set(MODULES[: MODULES.index(name)])
    assert len(imported) == len(re.findall(r"^import .*;$", text, re.MULTILINE)), "an import spans lines"


def test_types_hold() -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("tsc is not installed; npm install -g typescript brings it")
    done = subprocess.run([compiler, "--noEmit", "-p", str(SOURCES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("part", PARTS)
def test_a_notebook_shows_it_in_a_frame_that_needs_nothing_else(part: str) -> None:
    shown = live(part, height=500)
    text = shown._repr_html_()
    assert 'sandbox="allow-scripts' in text and "height: 500px" in text and "srcdoc=" in text
    assert "Scripts are not allowed here" in text and "data:image/png;base64," in text
    assert f"#{part}" in repr(shown)


@pytest.mark.parametrize("bad", ["look", "", "seeing&map=1", 3, None])
def test_a_wrong_address_is_named(bad: object) -> None:
    with pytest.raises((ValueError, TypeError), match="address="):
        live(bad)  # type: ignore[arg-type]


def test_the_command_writes_and_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    path = tmp_path / "pages" / "live.html"
    assert main(["live", "--to", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == page() and opened == [path.as_uri()]
    assert str(path) in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert main(["live", "--to", str(tmp_path / "file" / "live.html")]) == 1
    assert "choose another folder" in capsys.readouterr().err
