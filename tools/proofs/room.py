"""A room full of readers, and some who fetch at once; see `tools.proofs.thirty`."""

from __future__ import annotations

import gzip
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from tests.data_fixtures import serving
from vgg_lesson.data.datasets import load_fashion_mnist
from vgg_lesson.data.download import is_complete
from vgg_lesson.data.idx import FILES, FULL_COUNTS, encode_split
from vgg_lesson.data.sources import find_here, usual_folders

FETCH = """
import sys
from pathlib import Path
from torchvision.datasets import FashionMNIST
FashionMNIST.mirrors = [sys.argv[1]]
FashionMNIST.resources = [tuple(pair.split("=")) for pair in sys.argv[3:]]
from vgg_lesson.data import command
command._files_of_this_machine = dict
print("ready", flush=True)
sys.stdin.readline()
sys.exit(command.fetch_data(Path(sys.argv[2])))
"""
KILLED_AFTER = 0.3  # seconds


def find_full_set() -> Path:
    """The folder of this machine that holds all of FashionMNIST.

    Raises:
        LookupError: none does.
    """
    for folder in usual_folders():
        if folder.is_dir() and is_complete(folder):
            return folder
    raise LookupError("the full data set is not on this machine; `python -m vgg_lesson data` fetches it")


def load_together(folder: Path, readers: int) -> dict[str, Any]:
    """``readers`` processes load both splits from ``folder`` at the same moment.

    They are forked from one that has imported the lesson, so that their memory is that of the loading alone.
    """
    context = multiprocessing.get_context("fork")
    go, results = context.Barrier(readers + 1), context.Queue()

    def read() -> None:
        torch.set_num_threads(1)  # as in the workers of a loader: threads of the parent are missing after a fork
        go.wait()
        splits = [load_fashion_mnist(split, root=folder) for split in FILES]
        digest = hashlib.sha256()
        for split in splits:
            digest.update(split.images.numpy().tobytes())
            digest.update(split.labels.numpy().tobytes())
        results.put((digest.hexdigest(), _own_memory()))

    processes = [context.Process(target=read) for _ in range(readers)]
    for process in processes:
        process.start()
    go.wait()
    started = time.perf_counter()
    answers = [results.get(timeout=600) for _ in processes]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    return {
        "loaded": sum(process.exitcode == 0 for process in processes),
        "different": len({digest for digest, _ in answers}), "seconds": round(seconds, 1),
        "megabytes_each": round(max(memory for _, memory in answers) / 1e6),
    }  # fmt: skip


def fetch_together(folder: Path, source: Path, fetchers: int) -> dict[str, Any]:
    """``fetchers`` processes fetch into ``folder`` at once from a mirror here; one more begins and is killed."""
    mirror = folder.with_name("mirror")
    mirror.mkdir()
    sums = []
    for name, content in _files(source).items():
        packed = gzip.compress(content, 1)
        (mirror / f"{name}.gz").write_bytes(packed)
        sums.append(f"{name}.gz={hashlib.md5(packed, usedforsecurity=False).hexdigest()}")
    with serving(mirror) as address:
        command = [sys.executable, "-c", FETCH, address, str(folder), *sums]
        everyone = [_ready(command) for _ in range(fetchers + 1)]
        for process in everyone:
            process.stdin.write("go\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        *kept, unlucky = everyone
        time.sleep(KILLED_AFTER)
        unlucky.send_signal(signal.SIGKILL)
        codes = [process.wait(300) for process in kept]
        unlucky.wait()
    said = [process.stderr.read()[-200:] for process in kept if process.returncode]  # type: ignore[union-attr]
    hidden = [path.name for path in folder.iterdir() if path.name != "FashionMNIST"]
    # What a killed one leaves goes an hour later, when nobody can be at work in it any more.
    left = [name for name in hidden if not name.startswith(".fashion-mnist-")]
    return {
        "succeeded": codes.count(0),
        "whole": is_complete(folder),
        "left": left,
        "drafts": len(hidden),
        "said": said,
    }


def _files(source: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for split in FULL_COUNTS:
        found = find_here(split)
        assert found is not None and len(found.images) == FULL_COUNTS[split], source
        files |= encode_split(split, found.images, found.labels)
    return files


def _ready(command: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "no_proxy": "127.0.0.1", "VGG_LESSON_OFFLINE": "0"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload]
    assert process.stdout.readline() == "ready\n"
    return process


def _own_memory() -> int:
    """Bytes that this process has for itself (private pages)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))
