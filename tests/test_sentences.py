"""What a kernel says of an unquoted letter, a name that was lost, and an error like any other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from tools.refresh import ThisEnvironment

# A port that was free for the manager may be another process's by the time the kernel binds it; a file may not.
TRANSPORT = "tcp" if os.name == "nt" else "ipc"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A kernel after the first two cells of a notebook."""
    # Not in pytest's own folder: the path of a socket has at most about 100 characters.
    with TemporaryDirectory() as folder:
        manager = KernelManager(
            kernel_name="python3", kernel_spec_manager=ThisEnvironment(), transport=TRANSPORT,
            connection_file=str(Path(folder) / "kernel.json"),
        )  # fmt: skip
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        said(client, "from vgg_lesson import check\nfrom vgg_lesson.classroom import figures as fig\ncheck.guess_gap()")
        yield client
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def said(client: Any, cell: str) -> str:
    """All text that a cell shows, tracebacks included."""
    parts: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        content = message["content"]
        parts.extend([content.get("text", ""), content.get("data", {}).get("text/plain", "")])
        parts.extend(content.get("traceback", []))

    client.execute_interactive(cell, output_hook=keep, timeout=60)
    return "\n".join(parts)


@pytest.mark.parametrize(
    ("cell", "sentence", "traceback"),
    [
        ("answer = b\ncheck.guess_gap(answer)", 'Put the letter in quotes: "b".', False),
        ('check.guess("guess_gap", d)', 'Put the letter in quotes: "d".', False),
        ("train[0]", "Nothing is called train yet in this kernel: run the notebook's first two cells", False),
        ("undefined_name", "NameError", True),
        ("fig = (1, 2)\nfig.series_map()", "The name fig now stands for something else, of type tuple.", True),
        ("check.guess_gapp", "there is no exercise called 'guess_gapp'; did you mean guess_gap", True),
        ("check = 1\ncheck.guess_gap()", "The name check now stands for something else, of type int.", True),
    ],
)
def test_an_error_gets_its_sentence(client: Any, cell: str, sentence: str, traceback: bool) -> None:
    shown = said(client, cell)
    assert sentence in shown and ("Traceback" in shown) == traceback, shown
