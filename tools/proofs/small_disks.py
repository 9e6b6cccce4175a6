"""Fetching, copying, training and saving on a disk that takes nothing; see `tools.proofs.thirty`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOM = 4_000_000  # bytes of the small disk
LEFT = 16_384  # bytes left on one that is full
WORDS = {"full": "the disk is full", "read-only": "the disk is read-only"}
SAVE = """
import sys
from vgg_lesson import History, class_vgg
from vgg_lesson.training.checkpoints import save_weights
model = class_vgg(width=0.2, hidden=64)
history = History("run", step_losses=[1.0] * 20_000)
try:
    {call}
except OSError as error:
    sys.exit(str(error))
"""
TRAIN = ["train", "--budget", "smoke", "--width", "0.1", "--hidden", "64", "--out"]
CASES: dict[str, list[str]] = {
    "fetch the data": ["-m", "vgg_lesson", "data", "--to", "{disk}/data"],
    "copy the notebooks": ["-m", "vgg_lesson", "copy", "{disk}/my-lesson"],
    "train": ["-m", "vgg_lesson", *TRAIN, "{disk}/new.safetensors"],
    "save weights": ["-c", SAVE.format(call="save_weights(model, sys.argv[1], {})"), "{disk}/old.safetensors"],
    "save a history": ["-c", SAVE.format(call="history.to_csv(sys.argv[1])"), "{disk}/old.csv"],
}


def on_a_small_disk(place: Path, case: str, kind: str) -> dict[str, Any]:
    """What was said, and what was wrong: no clear word, a traceback, a draft left, an old file changed."""
    with small_disk(place, kind) as before:
        command = [sys.executable, *(part.replace("{disk}", str(place)) for part in CASES[case])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        after = {path.name: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        folders = [path.name for path in place.rglob("*") if path.is_dir()]
    said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    wrong = []
    if done.returncode != 1 or WORDS[kind] not in done.stderr:
        wrong.append(f"status {done.returncode}, {done.stderr[-300:]!r}")
    if "Traceback" in done.stderr:
        wrong.append("a traceback instead of a sentence")
    if changed := [name for name, content in before.items() if after.get(name) != content]:
        wrong.append(f"changed: {', '.join(changed)}")
    # Of the notebooks each one is whole or not there; nothing else may be begun.
    if begun := [name for name in {*after, *folders} - {*before} if case != "copy the notebooks" or name[0] == "."]:
        wrong.append(f"left behind: {', '.join(begun)}")
    return {"said": said.replace(str(place), "DISK"), "wrong": wrong}


@contextmanager
def small_disk(place: Path, kind: str) -> Iterator[dict[str, bytes]]:
    """A disk of its own at ``place``, "full" or "read-only", with old files on it, which are returned."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)], check=True)
    try:
        for name in ("old.safetensors", "old.json", "old.csv", "old.steps.csv"):
            (place / name).write_bytes(f"what {name} held".encode())
        if kind == "full":
            _fill(place / "filler")
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield {path.name: path.read_bytes() for path in place.iterdir()}
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - LEFT)
