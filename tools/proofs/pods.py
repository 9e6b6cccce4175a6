"""A Binder pod's bounds on this machine: a control group of either version with 2 GB of memory and one processor."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds
SAMPLE_EVERY = 0.1  # seconds


class Pod:
    """A control group; `join` puts a process into it, whatever it starts stays there.

    ``memory`` is the limit in bytes, file cache included, and no swap beside it. ``cpus`` is a quota.

    Raises:
        OSError, LookupError: no such group can be made here.
    """

    def __init__(self, name: str, memory: int, cpus: float = 1.0):
        self.memory_limit = memory
        self.is_v2 = (CGROUPS / "cgroup.controllers").exists()
        controllers = ("",) if self.is_v2 else ("memory", "cpu", "cpuacct")
        self.folders = {controller: CGROUPS / controller / name for controller in controllers}
        self.highest_anonymous = 0
        try:
            for folder in self.folders.values():
                folder.mkdir()
            self._bound(memory, int(cpus * PERIOD))
        except BaseException:
            self.remove()
            raise

    def join(self) -> None:
        """Put this process into the group; for `subprocess.Popen`'s ``preexec_fn``."""
        for folder in self.folders.values():
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def peak(self) -> int:
        """Bytes: the most that was charged to the group at once, file cache included."""
        return int(self._read("memory", "memory.peak", "memory.max_usage_in_bytes"))

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all that ran in the group."""
        if self.is_v2:
            return self._field("cpu", "cpu.stat", "usage_usec") / 1e6
        return int(self._read("cpuacct", "", "cpuacct.usage")) / 1e9

    @property
    def killed(self) -> int:
        """How many processes were killed because the group was out of memory."""
        return self._field("memory", "memory.events" if self.is_v2 else "memory.oom_control", "oom_kill")

    @property
    def anonymous(self) -> int:
        """Bytes in use now that the system cannot take back: everything but file cache."""
        return self._field("memory", "memory.stat", "anon" if self.is_v2 else "total_rss")

    def remove(self) -> None:
        """End what is left in the group and take it away."""
        for folder in self.folders.values():
            for _ in range(50):
                with suppress(OSError):
                    folder.rmdir()
                if not folder.exists():
                    break
                _kill(folder / "cgroup.procs")
                time.sleep(0.1)

    def _bound(self, memory: int, quota: int) -> None:
        if self.is_v2:
            missing = {"memory", "cpu"} - set((CGROUPS / "cgroup.subtree_control").read_text().split())
            if missing:
                (CGROUPS / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(missing)))
            self._write("memory", "memory.max", memory)
            self._write("memory", "memory.swap.max", 0)
            self._write("cpu", "cpu.max", f"{quota} {PERIOD}")
            return
        self._write("memory", "memory.limit_in_bytes", memory)
        with suppress(OSError):  # a system without accounts of swap
            self._write("memory", "memory.memsw.limit_in_bytes", memory)
        self._write("cpu", "cpu.cfs_period_us", PERIOD)
        self._write("cpu", "cpu.cfs_quota_us", quota)

    def _folder(self, controller: str) -> Path:
        return self.folders["" if self.is_v2 else controller]

    def _write(self, controller: str, name: str, value: int | str) -> None:
        (self._folder(controller) / name).write_text(str(value))

    def _read(self, controller: str, name_v2: str, name_v1: str) -> str:
        return (self._folder(controller) / (name_v2 if self.is_v2 else name_v1)).read_text()

    def _field(self, controller: str, name: str, field: str) -> int:
        lines = (self._folder(controller) / name).read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.split()[0] == field))


@contextmanager
def pod(memory: int, cpus: float = 1.0) -> Iterator[Pod]:
    """A pod whose anonymous memory is sampled into ``highest_anonymous`` until the block ends.

    Raises:
        OSError, LookupError: no such group can be made here.
    """
    made, over = Pod(f"vgg-lesson-{os.getpid()}-{time.monotonic_ns()}", memory, cpus), threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_EVERY):
            with suppress(OSError):
                made.highest_anonymous = max(made.highest_anonymous, made.anonymous)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield made
    finally:
        over.set()
        sampler.join()
        made.remove()


def reason_against(make: Callable[[int], Pod] = lambda memory: Pod(f"vgg-lesson-try-{os.getpid()}", memory)) -> str:
    """Why no such group can be made here, or its peak not be read (Linux before 5.19); empty if all is well."""
    try:
        made = make(100_000_000)
        try:
            int(made.peak)
        finally:
            made.remove()
    except (OSError, LookupError) as error:
        return f"no control group can be made here: {error}"
    return ""


def _kill(members: Path) -> None:
    with suppress(OSError):
        for process in members.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(process), 9)
