"""The means of the proofs, and of each proof as much as fits into a test run; see ``python -m tools.proofs``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from packaging.requirements import Requirement

from tests.browser.lab import Server
from tests.marks import long
from tools import proof_guide
from tools.paths import ROOT, notebooks
from tools.proofs import offline, small_disks, suite, versions
from tools.proofs.__main__ import PROOFS as COMMANDS
from tools.proofs.kernels import Kernel, KernelDiedError, kernel, run_all
from tools.proofs.outputs import counted, differences
from tools.proofs.pods import pod, reason_against
from tools.proofs.report import Proof
from tools.proofs.series import code, judged, jupyterlab

LINUX_ROOT = sys.platform == "linux" and os.geteuid() == 0
needs_mounts = pytest.mark.skipif(not LINUX_ROOT, reason="mounts and namespaces need Linux and root")


# --- what is compared


def cell(*outputs: NotebookNode, tags: tuple[str, ...] = ()) -> NotebookNode:
    """A code cell with these outputs stored."""
    return new_code_cell("1", outputs=list(outputs), metadata={"tags": list(tags)})


def stream(text: str, name: str = "stdout") -> NotebookNode:
    """Something printed."""
    return new_output("stream", name=name, text=text)


def figure(alt: str, pixels: str) -> NotebookNode:
    """A picture with its alternative text."""
    return new_output("display_data", {"text/plain": alt, "image/png": pixels})


@pytest.mark.parametrize(
    ("stored", "now", "same"),
    [
        ([stream("1\n2\n")], [stream("1\n"), stream("2\n")], True),
        ([stream("1\n")], [stream("2\n")], False),
        ([], [stream("1\n")], False),
        ([stream("1\n")], [], False),
        ([], [stream("a library warns", "stderr")], True),
        ([stream("done\n")], [stream("10 %\rdone\n")], True),
        ([figure("Figure: a line", "AA")], [figure("Figure: a line", "BB")], True),
        ([figure("Figure: a line", "AA")], [figure("Figure: a curve", "AA")], False),
    ],
)
def test_outputs_are_compared_as_nbval_does(stored: list[NotebookNode], now: list[NotebookNode], same: bool) -> None:
    assert (differences(cell(*stored), now) == "") is same
    assert differences(cell(*stored, tags=("nbval-ignore-output",)), now) == ""


# --- a server and a kernel


@pytest.fixture(name="place", scope="module")
def place_fixture() -> Iterator[Server]:
    with jupyterlab({"VGG_LESSON_BUDGET": "smoke"}) as place:
        yield place


@pytest.fixture(name="used")
def used_fixture(place: Server) -> Iterator[Kernel]:
    with kernel(place, "notebooks/none.ipynb") as used:
        yield used


@long
def test_a_kernel_runs_shows_fails_and_starts_anew(used: Kernel) -> None:
    assert used.run("x = 3\nprint(x)\nx + 1").outputs == [
        stream("3\n"),
        new_output("execute_result", {"text/plain": "4"}, execution_count=1),
    ]
    assert used.run("x / 0").error == "ZeroDivisionError: division by zero"
    assert Path(used.value("__import__('os').getcwd()")) == ROOT / "notebooks"
    used.restart()
    assert used.run("x").error.startswith("NameError")


@long
def test_a_cell_is_interrupted_as_often_as_it_takes(used: Kernel) -> None:
    loop = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass\n"
    ran = used.run(loop * 2, interrupt_every=0.5)
    assert ran.interrupts == 2 and not ran.error and ran.seconds < 20
    assert used.run("time.sleep(60)", interrupt_every=0.5).error.startswith("KeyboardInterrupt")
    assert used.value("'still there'") == "still there"


@long
def test_a_kernel_that_dies_is_noticed(used: Kernel) -> None:
    with pytest.raises(KernelDiedError):
        used.run("import os; os._exit(1)")


@long
def test_every_cell_twice_from_the_repository(place: Server) -> None:
    (path,) = notebooks(["00"])
    doubled = [each for each in code(path) for _ in range(2)]
    with kernel(place, path.name) as used:
        assert judged(doubled, run_all(used, doubled)) == []
        assert Path(used.value("__import__('os').getcwd()")) == ROOT


# --- pods, networks, disks, versions


def test_a_pod_has_bounds() -> None:
    if reason := reason_against():
        pytest.skip(reason)
    hungry = "held = [bytearray(b'x' * 1_000_000) for _ in range(int(__import__('sys').argv[1]))]"
    with pod(100_000_000, cpus=0.5) as bounds:
        busy = "import time; s = time.monotonic()\nwhile time.monotonic() - s < 1: pass"
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", busy], check=True, preexec_fn=bounds.join)
        assert 0.1 < bounds.cpu_seconds < 0.8 * (time.monotonic() - started)
        subprocess.run([sys.executable, "-c", hungry, "30"], check=True, preexec_fn=bounds.join)
        assert bounds.killed == 0 and 30e6 < bounds.peak < 100e6
        done = subprocess.run([sys.executable, "-c", hungry, "200"], check=False, preexec_fn=bounds.join)
        assert done.returncode == -9 and bounds.killed == 1
        folders = list(bounds.folders.values())
    assert not any(folder.exists() for folder in folders)


@long
@needs_mounts
def test_without_network_and_data_the_sample_stands_in() -> None:
    try:
        (found,) = offline.inside("unplugged", notebooks(["00"]), "smoke").values()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespace can be made here: {error}")
    assert found["said"] == [] and found["asleep"] <= offline.LONGEST_WAIT


@long
@needs_mounts
@pytest.mark.parametrize("kind", small_disks.WORDS)
def test_a_disk_that_takes_nothing(tmp_path: Path, kind: str) -> None:
    try:
        result = small_disks.on_a_small_disk(tmp_path / "disk", "save a history", kind)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    assert result["wrong"] == [] and small_disks.WORDS[kind] in result["said"]


def test_oldest_is_what_the_requirements_allow() -> None:
    assert all((ROOT / path).exists() for path in versions.CHECKED)
    pinned = versions.pinned("oldest")
    assert {"torch==2.6", "torchvision==0.21", "ipywidgets==8.1"} <= set(pinned)
    newest = [Requirement(line).name for line in versions.pinned("newest")]
    assert [Requirement(line).name for line in pinned] == newest
    assert versions.interpreter("2.0") is None


# --- again and again


def test_runs_of_the_suite_add_up_until_the_code_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "KEPT", tmp_path / "suite.json")
    monkeypatch.setattr(suite, "once", lambda busy: {"busy": busy, "seconds": 60, **PASSED})
    monkeypatch.setattr(suite, "code_state", lambda: "one")
    first = suite.run(["3"])
    assert first.figures["runs"] == 3 and first.notes and not all(first.verdicts.values())
    whole = suite.run()
    assert (whole.figures["runs"], whole.figures["busy"]) == (20, 5) and not whole.notes
    assert all(whole.verdicts.values()) and whole.figures["passed"] == 40
    monkeypatch.setattr(suite, "code_state", lambda: "another")
    assert suite.run(["1"]).figures["runs"] == 1
    monkeypatch.setattr(suite, "code_state", lambda: "one")
    monkeypatch.setattr(suite.Proof, "kept", lambda proof: first.figures)
    assert suite.run(["1"]).figures["runs"] == 4


@pytest.mark.parametrize(("code", "kept"), [(0, False), (1, True)])
def test_what_a_failing_run_of_the_suite_printed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kept: bool
) -> None:
    monkeypatch.setattr(suite, "KEPT", tmp_path / "build" / "suite.json")
    printed = "E  why it failed\nERROR tests/test_a.py::test_b\n1 error in 1s\n"
    monkeypatch.setattr(suite.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], code, printed))
    assert suite.once(busy=False)["failed"] == 1
    output = tmp_path / "build" / "suite.txt"
    assert output.exists() is kept and (not kept or output.read_text() == printed)


def test_the_suite_is_run_as_the_readme_says() -> None:
    assert f"&& .venv/bin/pytest {' '.join(suite.IN_PAIRS)}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


PASSED = {"passed": 2, "failed": 0, "skipped": 1, "said": ""}


@pytest.mark.parametrize(
    ("last", "status", "counts"),
    [
        ("2 passed, 1 skipped in 3.00s", 0, PASSED),
        (
            "1 failed, 2 passed, 1 error in 3.00s",
            1,
            {"passed": 2, "failed": 2, "skipped": 0, "said": "FAILED a::b - x"},
        ),
    ],
)
def test_a_test_run_is_counted(last: str, status: int, counts: dict[str, object]) -> None:
    named = "FAILED a::b - x\n" if status else ""
    assert counted(subprocess.CompletedProcess([], status, f"..\n{named}{last}\n", "")) == counts


def test_a_test_run_that_breaks_off_is_a_failure() -> None:
    broken = counted(subprocess.CompletedProcess([], 4, "", "no such folder"))
    assert broken["failed"] == 1 and "no such folder" in broken["said"]


# --- what the guide says of them


def test_the_guide_says_what_was_proved() -> None:
    text = proof_guide.GUIDE.read_text(encoding="utf-8")
    assert proof_guide.rendered(text) == text, "run python -m tools proofs"
    assert {match[2] for match in proof_guide.BLOCK.finditer(text)} >= set(COMMANDS)
    assert not [match[2] for match in proof_guide.BLOCK.finditer(text) if re.search(r"\{\w", match[0])]


def test_figures_stand_with_their_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_guide, "PROOFS", tmp_path)
    block = "<!-- proofs:pod -->\nold\n<!-- /proofs -->"
    assert "Not measured yet" in proof_guide.rendered(block)
    content = {
        "command": "python -m tools.proofs pod", "machine": "a machine", "notes": ["One note."],
        "figures": {"peak_bytes": 1_234_000_000, "of": {"05": 7}}, "goals": {},
        "lines": [["memory", "{peak_bytes/1e9:.2f} GB, {of.05} times"]],
    }  # fmt: skip
    (tmp_path / "pod.json").write_text(json.dumps(content))
    shown = proof_guide.rendered(block)
    assert "| memory | 1.23<!--=proofs.pod.peak_bytes/1e9:.2f--> GB, 7<!--=proofs.pod.of.05--> times |" in shown
    assert "One note." in shown and "old" not in shown and proof_guide.rendered(shown) == shown
    assert proof_guide.proof_fact("pod", "of", "05") == 7


def test_which_proofs_are_of_an_older_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof_guide, "PROOFS", tmp_path)
    Proof("rough", "", ()).store(tmp_path)
    assert proof_guide.older() == []
    assert proof_guide.older("another state") == ["rough"]
    (tmp_path / "pod.json").write_text("{}")
    assert proof_guide.main(["--older"]) == 0
    assert capsys.readouterr().out == "of an older state of the code: pod\n"
