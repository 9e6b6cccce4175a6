"""Whatever happens to the newest checkpoint on the disk, it is recognised, told, and the one before it is used."""

from __future__ import annotations

import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vgg_lesson.training.checkpoints import MAGIC, forget_checkpoint, load_checkpoint, save_checkpoint

RUN = {"seed": 0, "lr": 0.1}
HEADER = len(MAGIC) + 32  # the first line and the checksum


def saved(folder: Path) -> Path:
    """A checkpoint of step 2 with that of step 1 beside it."""
    path = folder / "run.checkpoint"
    for step in (1, 2):
        save_checkpoint(path, {"step": step, "weights": torch.full((3,), float(step))}, RUN)
    return path


def read(path: Path) -> tuple[dict[str, Any] | None, str]:
    """The state, and what was warned about."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = load_checkpoint(path, RUN)
    return state, " ".join(str(warning.message) for warning in caught)


def damaged(content: bytes, kind: str, place: int, bit: int) -> bytes:
    """``content`` cut off, with one bit turned, or with zeros from a place on, as a power cut leaves them."""
    place %= len(content)
    if kind == "cut short":
        return content[:place]
    if kind == "zeros":
        return content[:place] + bytes(len(content) - place)
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


# Every second place lies in the header, which a place drawn from the whole file would seldom hit.
places = st.integers(0, HEADER - 1) | st.integers(0, 100_000)


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(st.sampled_from(["cut short", "bit", "zeros"]), places, st.integers(0, 7))
def test_any_damage_to_the_newest_gives_way_to_the_one_before(kind: str, place: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder))
        whole = path.read_bytes()
        path.write_bytes(content := damaged(whole, kind, place, bit))
        state, told = read(path)
        if content == whole:
            assert state is not None and state["step"] == 2 and not told
            return
        assert state is not None and state["step"] == 1, (kind, place)
        assert re.search(r"run.checkpoint is damaged or cut short .* the one before it, run.checkpoint.previous,", told)


def test_two_damaged_checkpoints_are_told_and_the_run_starts_anew(tmp_path: Path) -> None:
    path = saved(tmp_path)
    for name in (path.name, path.name + ".previous"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    state, told = read(path)
    assert state is None and "run.checkpoint.previous is damaged" in told and told.endswith("the run starts anew")


def test_a_damaged_checkpoint_never_takes_the_place_of_the_good_one_before(tmp_path: Path) -> None:
    path = saved(tmp_path)
    for content in (path.read_bytes()[:-1], bytes(500), b""):
        path.write_bytes(content)
        save_checkpoint(path, {"step": 3}, RUN)
        before, _ = read(path.with_name(path.name + ".previous"))
        assert before is not None and before["step"] == 1
        assert read(path) == ({"step": 3}, "")


def test_a_file_of_another_kind_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "diary.txt"
    path.write_text("Dear diary")
    for use in (lambda: load_checkpoint(path, RUN), lambda: save_checkpoint(path, {}, RUN)):
        with pytest.raises(ValueError, match="is no checkpoint; choose another file"):
            use()
    assert path.read_text() == "Dear diary"


def test_a_finished_run_leaves_nothing_of_its_checkpoints_and_harms_no_neighbour(tmp_path: Path) -> None:
    path = saved(tmp_path)
    neighbours = [
        ".run.checkpoint",
        "run.checkpoint.abcdefgh",
        ".run.checkpoint.abcdefghi",
        ".other.checkpoint.abcdefgh",
    ]
    for name in (".run.checkpoint.ee74r1dz", *neighbours):  # the first is what a kill amid writing leaves
        (tmp_path / name).touch()
    forget_checkpoint(path)
    assert sorted(left.name for left in tmp_path.iterdir()) == sorted(neighbours)
