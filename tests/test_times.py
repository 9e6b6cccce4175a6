"""Running times: measured in a fresh kernel on the cores named, kept with the machine, and written into the guide."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools import facts, measured, numbers, times
from tools.paths import notebooks

RUN = {
    "cores": 2, "threads": 2, "seconds": 1234.5, "slowest_seconds": 55.4, "slowest_cell": "history = fit(network)",
    "peak_mb": 1234,
}  # fmt: skip
MACHINE = {"processor": "a chip", "system": "Linux x", "cores": 2, "memory_gb": 8.0, "python": "3.12.1", "torch": "2.9"}
TIMES: dict[str, Any] = {
    "budget": "class",
    "machine": MACHINE,
    "notebooks": {"05": {"all": RUN, "one": RUN | {"cores": 1, "seconds": 2000.4, "slowest_seconds": 90.6}}},
}
BLOCKS = (
    "# Guide\n\n<!-- times:table -->\n<!-- /times -->\n\nbetween\n\n<!-- times:05 -->\nold\n<!-- /times -->\n\nend\n"
)
needs_pinning = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process")


def notebook(folder: Path, *sources: str) -> Path:
    """A notebook of code cells."""
    path = folder / "05_tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]), path)
    return path


@needs_pinning
def test_a_notebook_is_measured_on_the_cores_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before, core = os.sched_getaffinity(0), max(os.sched_getaffinity(0))
    path = notebook(
        tmp_path,
        "import os, time",
        f"assert os.sched_getaffinity(0) == {{{core}}} and 'OMP_NUM_THREADS' not in os.environ\nprint('3 threads')",
        "block = bytearray(60_000_000)\ntime.sleep(1.0)",
    )
    written = path.read_bytes()
    found = times.measure(path, [core])
    assert (found["cores"], found["threads"], found["slowest_cell"]) == (1, 3, "block = bytearray(60_000_000)")
    assert 1.0 <= found["slowest_seconds"] < found["seconds"] < 60
    assert found["peak_mb"] > 90
    assert path.read_bytes() == written
    assert os.sched_getaffinity(0) == before and os.environ["OMP_NUM_THREADS"] == "7"


@needs_pinning
def test_a_cell_that_stops_is_reported_and_cores_are_given_back(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(RuntimeError, match=r"05_tiny\.ipynb(.|\n)*ZeroDivisionError"):
        times.measure(notebook(tmp_path, "1 / 0"), [max(before)])
    assert os.sched_getaffinity(0) == before


def test_no_core_is_refused() -> None:
    with pytest.raises(ValueError, match="cores="), times.pinned_to([]):
        pass


def test_labels_fit_a_table() -> None:
    assert times.label("\n  x = `a` | b\ny") == "x = 'a' / b"
    assert len(times.label("long " * 30)) <= times.LABEL and times.label("long " * 30).endswith("…")
    assert times.label("") == ""


def test_figures_are_written_with_markers_that_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = times.rendered(BLOCKS, TIMES)
    assert "between" in text and text.endswith("end\n") and text.startswith("# Guide") and "old" not in text
    assert "| 50 | 1234<!--=times.05.all.seconds:.0f--> s | 55<" in text
    assert "2000<!--=times.05.one.seconds:.0f--> s on one" in text and "`history = fit(network)`" in text
    assert "1.2<!--=times.05.all.peak_mb/1e3:.1f--> GB" in text and "two cores" in text
    assert times.rendered(text, TIMES) == text
    monkeypatch.setattr(facts, "time_fact", lambda number, cores, field: TIMES["notebooks"][number][cores][field])
    assert numbers.rewritten(text) == (text, [])
    assert numbers.unmarked(text) == []


def test_what_was_not_measured_is_said() -> None:
    text = times.rendered(BLOCKS, {})
    assert times.UNMEASURED in text and "between" in text and text.count("| – | – | – | – | – |") == len(notebooks())
    assert times.rendered(text, {}) == text
    with pytest.raises(ValueError, match="times:99 is unknown"):
        times.rendered(BLOCKS.replace("times:05", "times:99"), {})


def test_the_machine_is_described_without_a_name() -> None:
    line = times.rendered("<!-- times:machine -->\n<!-- /times -->\n", TIMES)
    assert "a chip" in line and "2.9" in line and numbers.unmarked(line) == []
    assert set(times.machine()) == set(MACHINE)
    assert platform.node() not in json.dumps(times.machine())


def test_times_of_another_machine_are_not_mixed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "times.json"
    monkeypatch.setattr(times, "TIMES", kept)
    monkeypatch.setattr(times, "measured", lambda: measured.measured(kept))
    monkeypatch.setattr(times, "not_for_readers", lambda: "")
    monkeypatch.setattr(times, "machine", lambda: MACHINE)
    times._keep("05", {"all": RUN, "one": RUN})
    times._keep("04", {"all": RUN, "one": RUN})
    assert list(measured.measured(kept)["notebooks"]) == ["04", "05"]
    assert times._not_to_be_kept(["04"]) == ""
    monkeypatch.setattr(times, "machine", lambda: MACHINE | {"cores": 64})
    assert "another machine" in times._not_to_be_kept(["04"]) and times._not_to_be_kept([]) == ""
    times._keep("06", {"all": RUN, "one": RUN})
    assert list(measured.measured(kept)["notebooks"]) == ["06"]


def test_nothing_is_kept_under_another_budget(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VGG_LESSON_BUDGET", "smoke")
    monkeypatch.setattr(times, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit) as stopped:
        times.main(["05"])
    assert stopped.value.code == 1 and "budget smoke" in capsys.readouterr().err


def test_the_facts_of_a_measurement(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "times.json"
    kept.write_text(json.dumps(TIMES), encoding="utf-8")
    monkeypatch.setattr(measured, "measured", lambda path=kept: json.loads(path.read_text(encoding="utf-8")))
    assert facts.fact("times.05.one.seconds") == 2000.4
    with pytest.raises(ValueError, match=r"no fact called 'times\.04\.one\.seconds'"):
        facts.fact("times.04.one.seconds")


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_each_notebook_tells_its_minutes(path: Path) -> None:
    in_class, alone = times.planned(path)
    assert 5 <= in_class < alone <= 120
