"""What this machine offers, as far as it may be used: device, processors, memory, precision.

A container sees all processors and all memory of its host and is only given a share of them, so that share is read
from the control groups (versions 1 and 2, https://docs.kernel.org/admin-guide/cgroup-v2.html) and from the variables
that JupyterHub sets, ``CPU_LIMIT`` and ``MEM_LIMIT``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from vgg_lesson.support.arguments import Count, checked

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60  # version 1 writes "no limit" as a number near 2**63
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # parameters of glibc's mallopt
_KEEP, _GIVE_BACK = {_TRIM_THRESHOLD: 2**31 - 1, _MMAP_MAX: 0}, {_TRIM_THRESHOLD: 128 * 1024, _MMAP_MAX: 65536}


def as_device(device: torch.device | str | None) -> torch.device:
    """The torch device that ``device`` names: the CPU for None.

    Raises:
        ValueError: no device's name, or a device that this machine does not have.
    """
    if device is None:
        return torch.device("cpu")
    there = _devices_there()
    try:
        named = torch.device(device) if isinstance(device, str | torch.device) else None
    except RuntimeError:
        named = None
    if named is None or named.type not in there or (named.type == "cuda" and not _has_gpu(named.index)):
        raise ValueError(f"device={device!r} is not available here; choose one of {', '.join(there)}")
    return named


def pick_device() -> torch.device:
    """The fastest device there is: CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def cpu_count() -> int:
    """How many processors this process may keep busy: the least of affinity, quota and ``CPU_LIMIT``; at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([affinity, *_cpu_quotas(), *_number_from("CPU_LIMIT")])))


def memory_limit() -> int | None:
    """Bytes of memory this process may use: the least of what is built in, control group and ``MEM_LIMIT``.

    None where the system does not tell (Windows).
    """
    limits = [*_physical_memory(), *_memory_quotas(), *_number_from("MEM_LIMIT")]
    return int(min(limits)) if limits else None


@checked
def set_threads(n: Count | None = None) -> int:
    """Let torch use ``n`` threads; by default its own choice, but no more than `cpu_count`. Returns the number.

    torch's own choice respects ``OMP_NUM_THREADS`` but not a container's quota.
    """
    threads = n or min(torch.get_num_threads(), cpu_count())
    torch.set_num_threads(threads)
    return threads


def fast_precision(device: torch.device | str | None = None) -> str:
    """ "bf16" where the hardware multiplies bfloat16 faster than float32, else "fp32".

    ``device`` is the one to be used, by default that of `pick_device`.
    """
    device = as_device(device) if device is not None else pick_device()
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and _cpu_multiplies_bf16()
    return "bf16" if fast else "fp32"


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold a press of Ctrl-C or ■ back until the block has ended.

    It changes nothing outside the main thread, and where presses are ignored, as behind ``nohup``.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def memory_kept() -> Iterator[None]:
    """Inside, memory that is freed stays with the process, and is given back at the end; only glibc does this.

    Every training step frees and asks for the same large blocks. Left to itself, glibc returns them to the system each
    time, and the fresh pages cost the class network about a quarter of its step
    (https://man7.org/linux/man-pages/man3/mallopt.3.html).
    """
    library = _glibc()
    if library is None:
        yield
        return
    for parameter, value in _KEEP.items():
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in _GIVE_BACK.items():
            library.mallopt(parameter, value)
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # TypeError is what Windows says
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def _devices_there() -> list[str]:
    """Types of device; "meta" holds shapes without values."""
    found = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
    return ["cpu", *(name for name, there in found if there), "meta"]


def _has_gpu(index: int | None) -> bool:
    return index is None or index < torch.cuda.device_count()


def _cpu_multiplies_bf16() -> bool:
    # By instruction set, so that the answer is the same every time. Processors without these emulate bf16, and lose by
    # it. The checks are not public, so a torch without them counts as a no.
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, check, bool)() for check in checks)


def _cpu_quotas() -> Iterator[float]:
    for folder in _control_groups("cpu"):
        with suppress(ValueError, ZeroDivisionError):  # whatever a container writes there, nothing depends on it
            if (text := _read(folder / "cpu.max")) and not text.startswith("max"):
                quota, period = map(float, text.split())
                yield quota / period
            quota_us, period_us = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
            if quota_us and period_us and int(quota_us) > 0:
                yield int(quota_us) / int(period_us)


def _memory_quotas() -> Iterator[float]:
    for folder in _control_groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            if text.isdigit() and int(text) < _UNLIMITED:
                yield int(text)


def _control_groups(controller: str) -> Iterator[Path]:
    """This process's group and the groups around it, each of which may set a limit; of both versions."""
    for line in _read(MEMBERSHIP).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            mounts = [CGROUPS, CGROUPS / "unified"]
        elif controller in controllers.split(","):
            mounts = [CGROUPS / controller, CGROUPS / controllers]
        else:
            continue
        own = Path(path.lstrip("/"))
        for mount in mounts:
            yield from (mount / group for group in (own, *own.parents))


def _physical_memory() -> Iterator[float]:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _number_from(variable: str) -> Iterator[float]:
    try:
        number = float(os.environ.get(variable, ""))
    except ValueError:
        return
    if 0 < number < _UNLIMITED:
        yield number


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
