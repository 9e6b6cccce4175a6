"""Damaged and foreign files for everything that reads a file: what it makes of them is a value or an error with a name.

`READERS` holds, by name, a strategy for inputs and a function that reads one; `run` lets hypothesis try many.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import struct
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_output
from PIL import Image
from safetensors.torch import load, save

from tools.grading import handed_in, judged
from vgg_lesson import History, build_vgg, load_weights, save_weights
from vgg_lesson.classroom import working_copy
from vgg_lesson.data.idx import FILES, near_misses, read_split
from vgg_lesson.data.pictures import garment_and_remark, open_picture
from vgg_lesson.training.checkpoints import load_checkpoint, save_checkpoint
from vgg_lesson.training.history import EpochRecord

HANDED_IN = "handed in: "  # how a submission prints its answers
TOKENS = (
    b"\0", b"\xff" * 8, b"\n", b",", b";", b'"', b"{", b"}", b"[", b"]", b"null", b"NaN", b"-1", b"1e999", b"9" * 40,
    b"\xef\xbb\xbf", b"\xff\xfe", b"inf", b"<html>", b"\x7f\xff\xff\xff", b"{}", b"[" * 2000,
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 31, 10**9, 10**30, 0.5, float("nan"), float("inf"), "", "x", [], {}, [[]], [1], {"a": 1},
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, wholes: Callable[[], tuple[bytes, ...]]) -> bytes:
    """One of ``wholes`` with up to four damages, or nothing but noise."""
    content = draw(st.sampled_from(wholes()))
    for _ in range(draw(st.integers(0, 4))):
        place, end = (draw(st.integers(0, len(content))) for _ in range(2))
        kind = draw(st.sampled_from(("cut", "bit", "bytes", "token", "again", "gone", "noise")))
        if kind == "cut":
            content = content[:place]
        elif kind == "bit" and place < len(content):
            content = content[:place] + bytes([content[place] ^ 1 << end % 8]) + content[place + 1 :]
        elif kind == "bytes":
            content = content[:place] + draw(st.binary(max_size=8)) + content[place + end % 9 :]
        elif kind == "token":
            content = content[:place] + draw(st.sampled_from(TOKENS)) + content[place:]
        elif kind == "again":
            content = content[:place] + content[min(place, end) : max(place, end)] + content[place:]
        elif kind == "gone":
            content = content[: min(place, end)] + content[max(place, end) :]
        elif kind == "noise" and draw(st.integers(0, 9)) == 0:
            content = draw(st.binary(max_size=64))
    return content


@st.composite
def changed(draw: st.DrawFn, whole: Callable[[], Any]) -> Any:
    """A JSON value with up to three parts exchanged, left out or put in."""
    value = json.loads(json.dumps(whole()))
    for _ in range(draw(st.integers(1, 3))):
        value = _with_change(draw, value)
    return value


def _with_change(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 9)) == 0:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: _with_change(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _with_change(draw, value[place]), *value[place + 1 :]]
    return draw(st.sampled_from(LEAVES))


# --- whole files


@cache
def idx_files() -> tuple[bytes, ...]:
    """Images and labels of three pictures, and headers that promise other things."""
    images = struct.pack(">IIII", 0x803, 3, 28, 28) + bytes(3 * 28 * 28)
    labels = struct.pack(">II", 0x801, 3) + bytes([1, 2, 3])
    wrong = struct.pack(">IIII", 0x803, 2**31, 28, 28)
    plain = (images, labels, wrong, b"")
    return (*plain, *map(gzip.compress, plain), *map(lzma.compress, plain))


@cache
def tables() -> tuple[bytes, ...]:
    """What to_csv writes, and what a spreadsheet program makes of it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "log.csv"
        History("log", [2.5], [EpochRecord(1, 3, 2.25, 0.1, None, 0.5, 0.5, 0.1)] * 2).to_csv(path)
        plain = path.read_bytes()
    german = plain.replace(b",", b";").replace(b".", b",")
    return (
        plain,
        b"\xef\xbb\xbf" + plain,
        german,
        plain.decode().replace(",", "\t").encode("utf-16"),
    )


def step_tables() -> tuple[bytes, ...]:
    """The losses beside it."""
    return b"step,loss\n1,2.5\n2,nan\n", b"step;loss\r\n1;2,5\r\n"


@cache
def weights() -> tuple[bytes, ...]:
    """A small network with its card."""
    with tempfile.TemporaryDirectory() as name:
        torch.manual_seed(0)
        model = build_vgg("VGG-11", in_channels=1, num_classes=2, image_size=32, width=0.01, hidden=2)
        save_weights(model, Path(name) / "net.safetensors", {"seed": 0})
        return ((Path(name) / "net.safetensors").read_bytes(),)


@cache
def card() -> dict[str, Any]:
    """What the file says of its network."""
    content = weights()[0]
    (length,) = struct.unpack("<Q", content[:8])
    network: dict[str, Any] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["network"])
    return network


@cache
def tensors() -> dict[str, torch.Tensor]:
    """The weights behind the card."""
    return load(weights()[0])


@cache
def checkpoints() -> tuple[bytes, ...]:
    """A checkpoint of a run."""
    with tempfile.TemporaryDirectory() as name:
        save_checkpoint(Path(name) / "run.pt", {"step": 1, "model": torch.zeros(2)}, {"lr": 0.1})
        return ((Path(name) / "run.pt").read_bytes(),)


@cache
def pictures() -> tuple[bytes, ...]:
    """One small picture in every format and in 1 to 16 bits."""
    image = Image.fromarray(np.arange(24 * 16 * 3, dtype=np.uint8).reshape(16, 24, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: list[tuple[Image.Image, str]] = [(image, format) for format in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")]
    kinds += [(image.convert(mode), "PNG") for mode in ("1", "P", "RGBA")]
    kinds += [
        (Image.fromarray(np.arange(384, dtype=np.uint16).reshape(16, 24)), "PNG"),
        (image.convert("CMYK"), "JPEG"),
    ]
    contents = []
    for each, format in kinds:
        file = io.BytesIO()
        each.save(file, format=format, **({"exif": exif} if format in ("PNG", "JPEG", "WEBP", "TIFF") else {}))
        contents.append(file.getvalue())
    return tuple(contents)


@cache
def notebooks() -> tuple[bytes, ...]:
    """A notebook of three cells."""
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# A title"]},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "1", "outputs": [], "execution_count": 1},
        {
            "cell_type": "code",
            "id": "c",
            "metadata": {"tags": ["x"]},
            "source": [],
            "outputs": [],
            "execution_count": None,
        },
    ]
    return (
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode(),
        b"plain text",
        b"",
    )


@cache
def answers() -> tuple[bytes, ...]:
    """What a submission prints."""
    return (
        (HANDED_IN + json.dumps({"student_id": "ada", "value": 3})).encode(),
        HANDED_IN.encode(), b"no answer", b"",
    )  # fmt: skip


# --- readers


def read_idx(folder: Path, pair: tuple[str, bytes, bytes]) -> None:
    """The data folder."""
    suffix, images, labels = pair
    for name, content in zip(FILES["test"], (images, labels), strict=True):
        (folder / (name + suffix)).write_bytes(content)
    near_misses(folder, "train")
    read_split(folder, "test")


def read_table(folder: Path, pair: tuple[bytes, bytes]) -> None:
    """A history."""
    (folder / "log.csv").write_bytes(pair[0])
    (folder / "log.steps.csv").write_bytes(pair[1])
    History.from_csv(folder / "log.csv")


def read_weights(folder: Path, content: bytes) -> None:
    """A file of weights."""
    (folder / "net.safetensors").write_bytes(content)
    load_weights(folder / "net.safetensors")


def read_card(folder: Path, network: Any) -> None:
    """The same with a card that says other things."""
    metadata = {"network": json.dumps(network), "card": "{}"}
    read_weights(folder, save(tensors(), metadata=metadata))


def read_checkpoint(folder: Path, content: bytes) -> None:
    """A checkpoint, with or without one before it."""
    (folder / "run.pt").write_bytes(content)
    load_checkpoint(folder / "run.pt", {"lr": 0.1})


def read_picture(folder: Path, content: bytes) -> None:
    """A photograph."""
    garment_and_remark(open_picture(content))


def read_notebook(folder: Path, pair: tuple[bytes, bytes]) -> None:
    """A notebook that lies where a copy goes, and the record of what was copied."""
    source, target = folder / "notebooks", folder / "copy"
    source.mkdir(exist_ok=True)
    target.mkdir(exist_ok=True)
    (source / "00_start_here.ipynb").write_bytes(notebooks()[0])
    (target / "00_start_here.ipynb").write_bytes(pair[0])
    (target / ".copied.json").write_bytes(pair[1])
    working_copy.copy_notebooks(target, source=source)


def read_answer(folder: Path, content: bytes) -> None:
    """What a submission printed, judged."""
    outputs: list[NotebookNode] = [new_output("stream", name="stdout", text=content.decode("utf-8", errors="replace"))]
    handed_in(outputs)
    judged("assert given['value'] == 3", outputs, "ada")


READERS: Mapping[str, tuple[Callable[[], st.SearchStrategy[Any]], Callable[[Path, Any], None]]] = {
    "idx": (lambda: st.tuples(st.sampled_from(("", ".gz", ".xz")), damaged(idx_files), damaged(idx_files)), read_idx),
    "csv": (lambda: st.tuples(damaged(tables), damaged(step_tables)), read_table),
    "safetensors": (lambda: damaged(weights), read_weights),
    "cards": (lambda: changed(card), read_card),
    "checkpoints": (lambda: damaged(checkpoints), read_checkpoint),
    "pictures": (lambda: damaged(pictures), read_picture),
    "notebooks": (lambda: st.tuples(damaged(notebooks), damaged(notebooks)), read_notebook),
    "answers": (lambda: damaged(answers), read_answer),
}


def run(name: str, count: int) -> tuple[int, int]:
    """Let the reader called ``name`` read ``count`` inputs; returns how many it read and how many it refused.

    Raises:
        Exception: what a reader raised that is no ValueError, which is how this package names what is wrong.
    """
    strategy, read = READERS[name]
    counted = [0, 0]
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)

        @settings(
            max_examples=count, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy())
        def tried(content: Any) -> None:
            for left in [path for path in folder.rglob("*") if path.is_file()]:
                left.unlink()
            try:
                read(folder, content)
            except ValueError as error:
                assert str(error), "an error without a word"
                counted[1] += 1
            else:
                counted[0] += 1

        tried()
    return counted[0], counted[1]
