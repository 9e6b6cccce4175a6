"""Files are replaced as a careful editor does: links followed, modes and umask respected, all or nothing."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vgg_lesson import History
from vgg_lesson.support import files
from vgg_lesson.support.files import PACKAGE, as_json, named_beside, remove_drafts, write_atomically, write_together

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor links for everybody")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@posix
@pytest.mark.parametrize("relative", [True, False])
def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path, relative: bool) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "target").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/target" if relative else folder / "target")
    write_atomically(link, b"new")
    assert link.is_symlink() and (folder / "target").read_bytes() == b"new"
    assert names(folder) == ["target"] and names(tmp_path) == ["elsewhere", "link"]


@posix
def test_links_to_nothing_and_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to("not/there")
    write_atomically(tmp_path / "first", b"new")
    assert (tmp_path / "not" / "there").read_bytes() == b"new" and (tmp_path / "first").is_symlink()
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="leads to itself"):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").is_symlink() and (tmp_path / "b").is_symlink()


@posix
@pytest.mark.parametrize(("mask", "wanted"), [(0o077, 0o600), (0o002, 0o664), (0o022, 0o644), (0o027, 0o640)])
def test_a_new_file_gets_what_the_umask_allows(tmp_path: Path, mask: int, wanted: int) -> None:
    with umask(mask):
        write_atomically(tmp_path / "new", b"new")
    assert mode(tmp_path / "new") == wanted


@posix
@pytest.mark.parametrize("kept", [0o600, 0o640, 0o444, 0o755])
def test_a_file_keeps_its_mode_and_is_never_readable_to_more(
    tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "file", []
    path.write_text("old")
    path.chmod(kept)
    sync = os.fsync

    def watched(handle: int) -> None:
        seen.append(os.fstat(handle).st_mode & 0o077)
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(path, b"new")
    assert mode(path) == kept and path.read_bytes() == b"new" and seen == [0]


def fails(code: int) -> Any:
    def call(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize(
    ("call", "code"),
    [
        *((call, code) for call in ("chmod", "chown") for code in (errno.EPERM, errno.ENOTSUP, errno.EINVAL)),
        *(("fsync", code) for code in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)),
    ],
)
def test_a_disk_without_modes_owners_or_syncing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(os, call, fails(code), raising=False)
    if call == "chmod":
        monkeypatch.setattr(Path, "chmod", fails(code))
    write_atomically(path, b"new")
    write_atomically(tmp_path / "another", b"new")
    assert path.read_bytes() == b"new" and names(tmp_path) == ["another", "file"]


def test_a_disk_that_is_found_full_when_it_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", fails(errno.ENOSPC))
    with pytest.raises(OSError, match="the disk is full"):
        write_atomically(tmp_path / "new", b"new")
    assert names(tmp_path) == []


@pytest.mark.parametrize("length", [1, 200, 244, 246, 250, 255])
@pytest.mark.parametrize("letter", ["a", "ü"])
def test_names_of_every_length_that_the_disk_allows(tmp_path: Path, length: int, letter: str) -> None:
    path = tmp_path / (letter * max(1, length // len(letter.encode())))
    for content in (b"old", b"new"):
        write_atomically(path, content)
    assert path.read_bytes() == b"new" and names(tmp_path) == [path.name]
    (draft := files._fresh(path)).touch()
    remove_drafts(path)
    assert not draft.exists() and path.exists()
    beside = named_beside(path, ".previous")
    beside.touch()
    assert beside.name.endswith(".previous")


def test_a_name_that_no_disk_allows_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the name is too long"):
        write_atomically(tmp_path / ("a" * 300), b"new")
    assert names(tmp_path) == []


@posix
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"new")
    assert os.read(reader, 10) == b"new" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout here")
def test_the_screen_is_written_to() -> None:
    script = "from vgg_lesson.support.files import write_atomically; write_atomically('/dev/stdout', b'new')"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"new"


@pytest.mark.parametrize("existing", [[], ["a"], ["a", "c"]])
def test_all_or_nothing(tmp_path: Path, existing: list[str]) -> None:
    """The second of three targets is a folder; whether it is found early or while replacing, all stays as it was."""
    for name in existing:
        (tmp_path / name).write_text("old")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "inside").touch()
    with pytest.raises(OSError, match="that is a folder"):
        write_together({tmp_path / name: b"new" for name in "abc"})
    assert names(tmp_path) == sorted({*existing, "b"})
    assert all((tmp_path / name).read_text() == "old" for name in existing)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_all_or_nothing_when_a_replacement_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, links: bool
) -> None:
    for name in "ac":
        (tmp_path / name).write_text("old")
    replace, calls = Path.replace, [0]

    def failing(draft: Path, target: Path) -> Path:
        calls[0] += 1
        if calls[0] == at + 1:
            raise OSError(errno.EACCES, "no")
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", failing)
    if not links:
        monkeypatch.setattr(os, "link", fails(errno.EPERM))
    with pytest.raises(OSError, match="may not write"):
        write_together({tmp_path / name: b"new" for name in "abc"})
    assert names(tmp_path) == ["a", "c"] and {(tmp_path / name).read_text() for name in "ac"} == {"old"}


def test_files_that_belong_together_leave_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    write_together({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert names(tmp_path) == ["a", "b"] and (tmp_path / "a").read_text() == "new"


def test_a_tilde_is_the_home_folder_wherever_a_path_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_atomically("~/folder/file", b"new")
    History("run", [1.0]).to_csv("~/log.csv")
    assert History.from_csv("~/log.csv").step_losses == [1.0]
    assert names(tmp_path) == ["folder", "log.csv", "log.steps.csv"]


def test_a_folder_called_tilde_is_no_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    write_atomically("./~/log.csv", b"1")
    assert files.user_path(files.user_path("./~")) == tmp_path / "~"
    assert (tmp_path / "~" / "log.csv").read_bytes() == b"1" and not (tmp_path / "home").exists()


def test_json_of_numbers_that_json_does_not_know() -> None:
    assert as_json({"a": [float("nan"), 1.5], "b": {"c": float("inf")}, "d": (1, "x", None, True)}) == (
        '{"a": [null, 1.5], "b": {"c": null}, "d": [1, "x", null, true]}'
    )


def test_a_package_inside_an_archive_says_so(tmp_path: Path) -> None:
    archive = tmp_path / "lesson.zip"
    with zipfile.ZipFile(archive, "w") as into:
        for path in (*PACKAGE.glob("__init__.py*"), *(PACKAGE / "support").glob("*.py")):
            into.write(path, path.relative_to(PACKAGE.parent))
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(archive)!r}); import vgg_lesson.support.files",
    ]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path).stderr.splitlines()[-1]
    assert told.endswith(f"vgg_lesson cannot run from inside {archive}; unpack it, or install it with pip")
