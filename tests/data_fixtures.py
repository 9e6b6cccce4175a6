"""FashionMNIST for tests: the sample as files, a machine without data, a mirror on this machine."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vgg_lesson.data import download, sources
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.data.idx import FILES, FULL_COUNTS, SAMPLE_COUNTS, encode_split


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files, given by name, into a folder made for them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(name="sample", scope="session")
def sample_fixture() -> dict[str, ImageSet]:
    return {split: ImageSet(*sources._read_sample(split)) for split in FILES}


@pytest.fixture(name="idx_files", scope="session")
def idx_files_fixture(sample: dict[str, ImageSet]) -> dict[str, bytes]:
    """The sample as plain idx files, by name."""
    pairs = (encode_split(split, data.images, data.labels) for split, data in sample.items())
    return {name: content for pair in pairs for name, content in pair.items()}


@pytest.fixture(name="alone")
def alone_fixture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without data: no folder has any, nothing is named, a download would go to the folder returned."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(sources.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(sources, "_failed_download", "")
    monkeypatch.setattr(sources, "REPOSITORY", tmp_path / "nowhere")
    monkeypatch.setattr(sources, "DEBIAN", tmp_path / "nowhere")
    return tmp_path / "data"


@pytest.fixture(name="full", scope="session")
def full_fixture() -> dict[str, ImageSet]:
    found = {split: sources.find_here(split) for split in FILES}
    if any(data is None or len(data.images) != FULL_COUNTS[split] for split, data in found.items()):
        pytest.skip("the full data set is not on this machine")
    return {split: ImageSet(*data) for split, data in found.items() if data}


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(name="mirror")
def mirror_fixture(
    alone: Path, idx_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Path]:
    """A mirror of our own that serves the sample as if it were everything; the folder it serves."""
    torchvision_class = pytest.importorskip("torchvision").datasets.FashionMNIST
    packed = {name + ".gz": gzip.compress(content, 1) for name, content in idx_files.items()}
    folder = write(tmp_path / "mirror", packed)
    monkeypatch.delenv(sources.OFFLINE_VARIABLE, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "FULL_COUNTS", SAMPLE_COUNTS)
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    monkeypatch.setattr(torchvision_class, "resources", sums)
    with serving(folder) as url:
        monkeypatch.setattr(torchvision_class, "mirrors", [url])
        yield folder
