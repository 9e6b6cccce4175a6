"""Data that may not be read, and plain MNIST: named, refused, and what to do; wherever the folder was named."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.data_fixtures import alone_fixture, idx_files_fixture, sample_fixture, write  # noqa: F401
from vgg_lesson.__main__ import main
from vgg_lesson.classroom.doctor import check_data
from vgg_lesson.data import idx, sources
from vgg_lesson.data.datasets import load_fashion_mnist
from vgg_lesson.data.idx import FILES, read_split

NOBODY = 65_534
IMAGES, LABELS = FILES["test"]
permissions = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, so a test that is run by root steps down for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(name="reachable")
def reachable_fixture(tmp_path: Path, idx_files: dict[str, bytes]) -> Iterator[Path]:
    """A folder with good data, in folders that everybody may enter."""
    folder = write(tmp_path / "data", idx_files)
    changed = [place for place in (tmp_path, *tmp_path.parents) if place.stat().st_uid == os.getuid()]
    before = [(place, place.stat().st_mode) for place in changed]
    for place, mode in before:
        place.chmod(mode | 0o011)
    yield folder
    folder.chmod(0o755)
    for place, mode in before:
        place.chmod(mode)


@permissions
@pytest.mark.parametrize("locked", ["", "..", IMAGES, LABELS])
def test_a_folder_or_file_without_permission(locked: str, reachable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = (reachable / locked).resolve()
    mode = place.stat().st_mode
    assert read_split(reachable, "test") is not None
    place.chmod(0)
    try:
        with without_privileges():
            with pytest.raises(
                ValueError, match=rf"^root='{reachable}'.* cannot be read \(Permission denied\)"
            ) as caught:
                load_fashion_mnist("test", root=reachable)
            monkeypatch.setenv(sources.FOLDER_VARIABLE, str(reachable))
            with pytest.raises(ValueError, match=r"^VGG_LESSON_DATA=.*Permission denied"):
                load_fashion_mnist("test")
    finally:
        place.chmod(mode)
    assert "needs permission to be read" in str(caught.value) and sources.ADVICE in str(caught.value)
    assert place.name in str(caught.value)


@permissions
def test_a_usual_folder_without_permission_is_skipped_with_a_warning(
    reachable: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "DEBIAN", reachable)
    monkeypatch.setenv(sources.OFFLINE_VARIABLE, "1")
    reachable.chmod(0)
    with (
        without_privileges(),
        pytest.warns(UserWarning, match=r"is skipped: .* needs permission to be read.*data --to"),
    ):
        assert sources.find_here("test") is None
    assert alone == reachable


@pytest.mark.parametrize("digits", [(5, 0, 4, 1, 9, 2, 1, 3, 1, 4), (7, 2, 1, 0, 4, 1, 4, 9, 5, 9)])
def test_plain_mnist_is_told_by_its_first_labels(
    alone: Path, idx_files: dict[str, bytes], digits: tuple[int, ...]
) -> None:
    write(alone / "digits", {IMAGES: idx_files[IMAGES], LABELS: idx_files[LABELS][:8] + bytes(digits) + bytes(1990)})
    with pytest.raises(ValueError, match="this is MNIST, the handwritten digits"):
        load_fashion_mnist("test", root=alone / "digits")


def test_plain_mnist_is_told_wherever_it_lies(
    alone: Path, idx_files: dict[str, bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digits under the same names: as an argument, in a usual folder, and for the check-up."""
    digits = bytes([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    labels = idx_files[LABELS][:8] + digits + idx_files[LABELS][18:]
    files = {IMAGES + ".gz": gzip.compress(idx_files[IMAGES], 1), LABELS + ".gz": gzip.compress(labels, 1)}
    write(alone / "MNIST-by-mistake", files)
    with pytest.raises(ValueError, match=r"this is MNIST, the handwritten digits.*fetches it into DIR"):
        load_fashion_mnist("test", root=alone / "MNIST-by-mistake")
    write(alone, files)
    monkeypatch.setenv(sources.OFFLINE_VARIABLE, "1")
    with pytest.warns(UserWarning, match="data is skipped: this is MNIST"):
        assert load_fashion_mnist("test").source == "the shipped sample"
    found = [str(finding) for finding in check_data()]
    assert any("[WARN]" in line and "this is MNIST" in line for line in found), found
    assert main(["data", "--to", str(alone)]) != 0
    assert "MNIST" in capsys.readouterr().err


def test_the_longest_file_is_read_whole_and_one_byte_more_is_noticed(
    alone: Path, idx_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idx, "_LONGEST", len(idx_files[IMAGES]))
    write(alone, idx_files)
    found = read_split(alone, "test")
    assert found is not None and len(found[0]) == 2000
    write(alone, {IMAGES: idx_files[IMAGES] + b"\0"})
    with pytest.raises(idx.BadDataError, match=IMAGES):
        read_split(alone, "test")
