"""Budgets, and the share of the machine that is read from files and variables like those of a container."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from vgg_lesson.support import machine
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.machine import as_device, cpu_count, fast_precision, memory_limit, pick_device, set_threads


def test_budget_from_name_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG_LESSON_BUDGET", "full")
    assert get_budget().name == "full" and get_budget("smoke").name == "smoke"
    monkeypatch.setenv("VGG_LESSON_BUDGET", "")
    assert get_budget().name == "class"
    monkeypatch.delenv("VGG_LESSON_BUDGET")
    assert get_budget().name == "class"


def test_only_smoke_shortens() -> None:
    smoke = get_budget("smoke")
    assert (smoke.steps(300), smoke.steps(2), smoke.epochs(5)) == (4, 2, 1)
    assert 128 < (smoke.train_images or 0) < 1000 and 128 < (smoke.test_images or 0) < 1000
    for name in ("class", "full"):
        budget = get_budget(name)
        assert (budget.steps(300), budget.epochs(5), budget.train_images, budget.test_images) == (300, 5, None, None)


def test_bad_budget_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG_LESSON_BUDGET", "quick")
    with pytest.raises(ValueError, match="VGG_LESSON_BUDGET='quick' is not a budget; choose one of smoke, class, full"):
        get_budget()
    with pytest.raises(ValueError, match="name='Full'"):
        get_budget("Full")


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty control-group tree on a machine of 16 processors and 64 GiB; returns its mount point."""
    for variable in ("CPU_LIMIT", "MEM_LIMIT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr(machine, "_physical_memory", lambda: iter([64 << 30]))
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "MEMBERSHIP", tmp_path / "membership")
    return tmp_path


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="ascii")


def test_no_limits(container: Path) -> None:
    assert (cpu_count(), memory_limit()) == (16, 64 << 30)


@pytest.mark.parametrize(("quota", "expected"), [("max 100000", 16), ("200000 100000", 2), ("50000 100000", 1)])
def test_version_2(container: Path, quota: str, expected: int) -> None:
    put(container / "membership", "0::/pod/lesson")
    put(container / "pod" / "cpu.max", quota)
    put(container / "pod" / "lesson" / "cpu.max", "max 100000")
    put(container / "pod" / "memory.max", str(2 << 30))
    put(container / "pod" / "lesson" / "memory.max", "max")
    assert (cpu_count(), memory_limit()) == (expected, 2 << 30)


def test_version_1_seen_from_inside_the_container(container: Path) -> None:
    put(container / "membership", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/")
    put(container / "cpu,cpuacct" / "cpu.cfs_quota_us", "300000")
    put(container / "cpu,cpuacct" / "cpu.cfs_period_us", "100000")
    put(container / "memory" / "memory.limit_in_bytes", str(3 << 30))
    assert (cpu_count(), memory_limit()) == (3, 3 << 30)


def test_version_1_unlimited(container: Path) -> None:
    put(container / "membership", "4:memory:/\n3:cpu:/")
    put(container / "cpu" / "cpu.cfs_quota_us", "-1")
    put(container / "cpu" / "cpu.cfs_period_us", "100000")
    put(container / "memory" / "memory.limit_in_bytes", "9223372036854771712")
    assert (cpu_count(), memory_limit()) == (16, 64 << 30)


def test_variables_of_jupyterhub(container: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPU_LIMIT", "1.5")
    monkeypatch.setenv("MEM_LIMIT", str(1 << 30))
    assert (cpu_count(), memory_limit()) == (1, 1 << 30)
    monkeypatch.setenv("CPU_LIMIT", "none")
    monkeypatch.setenv("MEM_LIMIT", "0")
    assert (cpu_count(), memory_limit()) == (16, 64 << 30)


@pytest.mark.parametrize("text", ["", "many", "100000", "1 0", "-1 x", "::", "no colons", "0::/pod"])
def test_whatever_a_container_writes_there_ends_nothing(container: Path, text: str) -> None:
    put(container / "membership", f"{text}\n0::/pod\n3:cpu:/")
    for name in ("pod/cpu.max", "pod/memory.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"):
        put(container / name, text)
    assert cpu_count() >= 1 and (memory_limit() or 0) > 0


def test_set_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        assert set_threads(3) == torch.get_num_threads() == 3
        monkeypatch.setattr(machine, "cpu_count", lambda: 2)
        assert set_threads() == torch.get_num_threads() == 2
        monkeypatch.setattr(machine, "cpu_count", lambda: 8)
        assert set_threads() == 2  # never more than torch chose
    finally:
        torch.set_num_threads(before)
    with pytest.raises(ValueError, match="n=0"):
        set_threads(0)


def test_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device() == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device() == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device() == torch.device("cuda")


def test_fast_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    assert fast_precision("cuda") == fast_precision("mps") == "fp32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert fast_precision(torch.device("cuda")) == "bf16"
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    for there in checks:
        for check in checks:
            monkeypatch.setattr(torch.cpu, check, lambda found=check == there: found, raising=False)
        assert fast_precision("cpu") == "bf16", there
    monkeypatch.setattr(torch.cpu, there, lambda: False)
    assert fast_precision("cpu") == "fp32"
    for check in checks:
        monkeypatch.delattr(torch.cpu, check)
    assert fast_precision("cpu") == "fp32"


def test_as_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert as_device(None) == as_device("cpu") == torch.device("cpu")
    assert as_device("meta") == as_device(torch.device("meta")) == torch.device("meta")
    for wrong in ("gpu", "cuda", "", "cuda:0", 0, True, ["cpu"]):
        with pytest.raises(ValueError, match=rf"device={re.escape(repr(wrong))} .*choose one of cpu,.*meta"):
            as_device(wrong)  # type: ignore[arg-type]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert as_device("cuda") == torch.device("cuda") and as_device("cuda:0").index == 0
    with pytest.raises(ValueError, match="device='cuda:1'"):
        as_device("cuda:1")
    with pytest.raises(ValueError, match="device='gpu'"):
        fast_precision("gpu")
