"""A data folder or a network that is almost right: each near miss is named for what it is, or simply read."""

from __future__ import annotations

import gzip
import http.server
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.data_fixtures import alone_fixture, idx_files_fixture, mirror_fixture, sample_fixture, write  # noqa: F401
from vgg_lesson.__main__ import main
from vgg_lesson.data import download, sources
from vgg_lesson.data.datasets import load_fashion_mnist
from vgg_lesson.data.idx import FILES

IMAGES, LABELS = FILES["test"]
Files = dict[str, bytes]


def packed(content: bytes) -> bytes:
    return gzip.compress(content, 1)


# --- what is read all the same


@pytest.mark.parametrize(
    "make",
    [
        lambda f: {IMAGES.replace("-idx", ".idx"): f[IMAGES], LABELS.replace("-idx", ".idx"): f[LABELS]},
        lambda f: {IMAGES.replace("-idx", ".idx") + ".gz": packed(f[IMAGES]), LABELS: f[LABELS]},
        lambda f: {f"{IMAGES}/{IMAGES}": f[IMAGES], f"{LABELS}/{LABELS}": f[LABELS]},
    ],
)
def test_other_ways_in_which_programs_unpack_it(
    tmp_path: Path, idx_files: Files, make: Callable[[Files], Files]
) -> None:
    for name, content in make(idx_files).items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(content)
    assert len(load_fashion_mnist("test", root=tmp_path)) == 2_000


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda content: content[:-5],
    "empty": lambda content: b"",
    "one wrong byte": lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
    "something else": lambda content: b"<html>log in</html>",
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("which", [IMAGES, LABELS])
def test_a_whole_file_beside_a_broken_one_is_used(tmp_path: Path, idx_files: Files, which: str, damage: str) -> None:
    broken = DAMAGED[damage](idx_files[which])
    write(tmp_path, {IMAGES: idx_files[IMAGES], LABELS: idx_files[LABELS], which: broken})
    write(tmp_path, {which + ".gz": packed(idx_files[which])})
    with pytest.warns(UserWarning, match=rf"left aside, and .*{which}\.gz.* in the same folder are read"):
        assert len(load_fashion_mnist("test", root=tmp_path)) == 2_000


def test_a_whole_folder_beside_a_broken_one_is_used(tmp_path: Path, idx_files: Files) -> None:
    write(tmp_path / "FashionMNIST" / "raw", {IMAGES: idx_files[IMAGES][:-1], LABELS: idx_files[LABELS]})
    write(tmp_path, {IMAGES: idx_files[IMAGES], LABELS: idx_files[LABELS]})
    with pytest.warns(UserWarning, match="cut short or damaged.*left aside"):
        assert len(load_fashion_mnist("test", root=tmp_path)) == 2_000


# --- what is named


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["fashion-mnist_test.csv", "fashion-mnist_train.csv"], "fashion-mnist_test.csv is a table .* as Kaggle"),
        (["archive.zip"], "archive.zip is an archive: unpack it first"),
        (["fashion-mnist-master.tar.gz"], "is an archive"),
        ([IMAGES + ".gz.crdownload"], "is a download that did not end"),
        (["t10k-images.idx3-ubyte (1)"], r"t10k-images.idx3-ubyte \(1\) has another name"),
        (["Test-Images.bin"], "Test-Images.bin has another name"),
        (["train-images-idx3-ubyte"], "train-images-idx3-ubyte has another name .it is of the other split"),
        ([f"class/data/FashionMNIST/raw/{IMAGES}"], "class/data/.* lies deeper: name the folder"),
        ([f"data/{IMAGES}.gz"], r"data/t10k-images-idx3-ubyte\.gz lies deeper: name the folder"),
        ([], r"nor does FashionMNIST/raw in it\. Name a folder"),
    ],
)
def test_what_is_there_instead_is_named(tmp_path: Path, names: list[str], told: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=f"^root=.*{told}") as caught:
        load_fashion_mnist("test", root=tmp_path)
    assert sources.ADVICE in str(caught.value) and "permission" not in str(caught.value)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / IMAGES).mkdir()
    (tmp_path / LABELS).mkdir()
    with pytest.raises(ValueError, match=f"{IMAGES} is a folder") as caught:
        load_fashion_mnist("test", root=tmp_path)
    assert "permission" not in str(caught.value)


def test_a_file_in_place_of_the_folder(tmp_path: Path, idx_files: Files) -> None:
    write(tmp_path, {IMAGES: idx_files[IMAGES]})
    with pytest.raises(ValueError, match="is a file; the folder that it lies in is expected"):
        load_fashion_mnist("test", root=tmp_path / IMAGES)


@pytest.mark.parametrize("form", ["~/fm", "~/./fm", "{}"])
@pytest.mark.parametrize("around", ["{}", " {} ", '"{}"'])
def test_the_home_folder_and_blanks(
    alone: Path, tmp_path: Path, idx_files: Files, monkeypatch: pytest.MonkeyPatch, form: str, around: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    folder = write(tmp_path / "fm", {name: idx_files[name] for name in (IMAGES, LABELS)})
    monkeypatch.setenv(sources.FOLDER_VARIABLE, around.format(form.format(folder)))
    assert load_fashion_mnist("test").source == "~/fm"
    assert len(load_fashion_mnist("test", root="~/fm")) == 2_000


def test_the_home_folder_is_not_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nobody(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr(Path, "expanduser", nobody)
    assert sources.shown(tmp_path) == str(tmp_path)
    with pytest.raises(ValueError, match="'~/x' is missing"):
        load_fashion_mnist(root="~/x")


# --- the network


@contextmanager
def answering(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def half(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"\x1f\x8b" + bytes(5_000))


def login(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"\n<!DOCTYPE html><title>Welcome to the hotel</title>")


def noise(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(bytes(range(256)))


def missing(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_error(404, "Not Found")


@pytest.mark.parametrize(
    ("answer", "told", "not_told"),
    [
        (half, "the connection was dropped after 5,002 of 100,000 bytes", "login"),
        (login, "a login page of the network", "damaged"),
        (noise, "or it was damaged on its way", "login"),
        (missing, "Not Found", "login"),
    ],
)
def test_what_a_network_does_instead(
    mirror: Path, alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answer: Callable[[http.server.BaseHTTPRequestHandler], None], told: str, not_told: str,
) -> None:  # fmt: skip
    from torchvision.datasets import FashionMNIST

    with answering(answer) as url:
        monkeypatch.setattr(FashionMNIST, "mirrors", [url])
        assert main(["data", "--to", str(alone)]) == 1
    said = capsys.readouterr().err
    assert told in said and not_told not in said and "Traceback" not in said
    assert not alone.exists()


@pytest.mark.parametrize("proxy", ["http://.proxy.de:80", "http://proxy:port", "//", "http://[::1", "socks9://x:1"])
def test_a_proxy_that_cannot_be_understood(
    mirror: Path, alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], proxy: str
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setattr(download, "_SILENCE", 2.0)
    assert main(["data", "--to", str(alone)]) == 1
    said = capsys.readouterr().err
    assert "cannot be downloaded" in said and "http_proxy" in said and "Traceback" not in said and not alone.exists()


def test_ctrl_c_in_a_download_leaves_nothing(
    mirror: Path, alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_get", pressed)
    assert main(["data", "--to", str(alone / "deep" / "down")]) == 130
    assert capsys.readouterr().err.strip().endswith("interrupted") and not alone.exists()


def test_ctrl_c_while_it_is_put_in_place_leaves_nothing(
    alone: Path, idx_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "is_complete", pressed)
    with pytest.raises(KeyboardInterrupt):
        download.install(idx_files, alone / "deep")
    assert not alone.exists()
