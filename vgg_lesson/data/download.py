"""Fetch FashionMNIST and put it in place in one step, so that nothing half-written is ever read.

Addresses and MD5 sums are torchvision's. Its own downloader has no time-out, which leaves a class without network
waiting, so the bytes are fetched here.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import build_opener, getproxies

from tqdm.auto import tqdm

from vgg_lesson.data.idx import FILES, FULL_COUNTS, BadDataError, read_split

DOWNLOAD_BYTES = 30_878_645
_TEMPORARY = ".fashion-mnist-"
_SILENCE = 8.0  # seconds without an answer after which the network counts as absent
_ABANDONED = 3600.0  # seconds after which a killed process's temporary folder may go


def download(folder: Path, *, seconds: float = 180.0, show: bool = True) -> None:
    """Fetch both splits into ``folder/FashionMNIST/raw``, torchvision's layout, verified.

    Gives up after 8 seconds without an answer, and after ``seconds`` in all. Two processes may do it at once.

    Raises:
        ConnectionError: no network, or too slow. OSError: ``folder`` cannot be written.
        BadDataError: the server sent something else.
    """
    from torchvision.datasets import FashionMNIST

    deadline = time.monotonic() + seconds
    files = {}
    with tqdm(
        total=DOWNLOAD_BYTES, unit="B", unit_scale=True, desc="FashionMNIST", leave=False, disable=not show
    ) as bar:
        for name, md5 in FashionMNIST.resources:
            content = _get(FashionMNIST.mirrors[0] + name, deadline, bar.update)
            if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
                is_page = content.lstrip()[:1] == b"<"
                reason = "; a login page of the network?" if is_page else ", or it was damaged on its way"
                raise BadDataError(f"the server sent something else than {name}{reason}")
            files[name.removesuffix(".gz")] = gzip.decompress(content)
    install(files, folder)


def is_complete(folder: Path) -> bool:
    """Whether ``folder`` holds both splits, whole and verified.

    Raises:
        BadDataError: it holds something else under their names.
    """
    return all(
        (found := read_split(folder, split)) is not None and len(found[0]) == FULL_COUNTS[split] for split in FILES
    )


def install(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the four idx files, given by name, to ``folder/FashionMNIST/raw``: all of them, verified, or none.

    Raises:
        OSError: ``folder`` cannot be written or the disk is full. BadDataError: the files are not FashionMNIST.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=_TEMPORARY) as temporary:
            raw = Path(temporary) / "FashionMNIST" / "raw"
            raw.mkdir(parents=True)
            for name, content in files.items():
                (raw / name).write_bytes(content)
            if not is_complete(Path(temporary)):
                raise BadDataError("the files do not make up both splits of FashionMNIST")
            _publish(raw, folder / "FashionMNIST" / "raw")
    except BaseException:
        for place in missing:
            with suppress(OSError):  # another process has put something there
                place.rmdir()
        raise


def _publish(draft: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    try:
        draft.rename(target)
    except OSError:
        # Another process was faster, or an earlier download was broken off there: each file is replaced whole.
        if not target.is_dir():
            raise
        for file in draft.iterdir():
            file.replace(target / file.name)


def _remove_abandoned(folder: Path) -> None:
    for left in folder.glob(_TEMPORARY + "*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                shutil.rmtree(left)


def _get(url: str, deadline: float, progress: Callable[[int], Any]) -> bytes:
    parts, received = [], 0
    try:
        with _answer_within(_SILENCE, lambda: _opened(url)) as response:
            while part := response.read1(1 << 16):
                parts.append(part)
                progress(len(part))
                if (received := received + len(part)) > DOWNLOAD_BYTES:
                    raise BadDataError(f"the server sends more than all of FashionMNIST as {url.rpartition('/')[2]}")
                if time.monotonic() > deadline:
                    raise TimeoutError("the network is too slow")
            promised = response.headers.get("Content-Length", "")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, BadDataError):
            raise
        raise ConnectionError(_reason(error)) from error
    if promised.isdecimal() and int(promised) > received:  # http.client does not say so when it is read in parts
        raise ConnectionError(f"the connection was dropped after {received:,} of {int(promised):,} bytes")
    return b"".join(parts)


def _reason(error: Exception) -> str:
    """What went wrong, with the name of the setting if it goes through a proxy, whose address may hold a password."""
    told = str(getattr(error, "reason", "") or error) or repr(error)
    if "http" not in getproxies():
        return told
    if isinstance(error, ValueError | http.client.InvalidURL):
        told = "its address cannot be understood"
    return f"{told} (the setting http_proxy of this machine leads through a proxy)"


def _opened(url: str) -> Any:
    # urlopen would keep the proxies of its first call. What comes from torchvision's address must have its MD5.
    return build_opener().open(url, timeout=_SILENCE)


def _answer_within(seconds: float, call: Callable[[], Any]) -> Any:
    """The result of ``call``, which may hang where no socket time-out reaches, as in looking up a name."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["result"] = call()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in outcome:
        raise outcome["error"]
    if "result" not in outcome:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return outcome["result"]
