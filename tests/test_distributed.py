"""Two processes train as one: the same batches, gradients and weights; killed and resumed; lean; clean when stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.marks import long
from vgg_lesson import VGG, History, class_vgg, evaluate, fit, load_fashion_mnist
from vgg_lesson.models import build_vgg
from vgg_lesson.training.checkpoints import load_weights
from vgg_lesson.training.distributed import ProcessGroup, group_device, init_distributed

WORKER = """
import json, os, sys
from vgg_lesson.training import loop as training
from vgg_lesson.__main__ import main
training.SAVE_EVERY = float(os.environ["SAVE_EVERY"])
code = main(sys.argv[1:])
rollup = open("/proc/self/smaps_rollup").read() if sys.platform == "linux" else ""
memory = {line.split(":")[0]: int(line.split()[1]) / 1e3 for line in rollup.splitlines()[1:]}
with open(f"told{os.environ.get('RANK')}.json", "w") as file:
    json.dump({"modules": list(sys.modules), "megabytes": memory.get("Anonymous")}, file)
sys.exit(code)
"""
NETWORK = ["--width", "0.05", "--hidden", "16", "--no-batch-norm", "--init", "he", "--precision", "fp32"]
# The last batch of an epoch, of one image, leaves the first process without any.
PLAIN = [*NETWORK, "--dropout", "0", "--images", "65", "--batch-size", "32", "--epochs", "2", "--lr", "0.005"]
RANDOM = [*NETWORK, "--dropout", "0.5", "--augment", "flip+shift", "--images", "90", "--batch-size", "32",
          "--epochs", "60", "--lr", "0.02"]  # fmt: skip
RECIPE: dict[str, Any] = {
    "epochs": 2, "batch_size": 32, "lr": 0.005, "momentum": 0.9, "schedule": "one-cycle",
    "label_smoothing": 0.1, "show": False, "device": "cpu",
}  # fmt: skip
PATIENCE = 240
posix = pytest.mark.skipif(os.name != "posix", reason="this system has no such signals")


def start(
    folder: Path, out: str, options: list[str], *torchrun: str, save_every: float = 60.0
) -> subprocess.Popen[str]:
    """torchrun with two processes, in a group of its own as a terminal would give it."""
    (folder / "worker.py").write_text(WORKER, encoding="utf-8")
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *torchrun, "worker.py",
        "train", "--budget", "smoke", "--no-test", *options, "--out", f"{out}.safetensors", "--history", f"{out}.csv",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SAVE_EVERY": str(save_every)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def finished(job: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    try:
        printed, _ = job.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        for process in (*psutil.Process(job.pid).children(recursive=True), job):
            process.kill()
        raise
    return job.returncode, printed


def workers(job: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that torchrun has started."""
    return [child for child in psutil.Process(job.pid).children() if "worker.py" in " ".join(child.cmdline())]


def wait_for(there: Callable[[], bool], job: subprocess.Popen[str]) -> None:
    """Until something is there; the job must not be over before."""
    end = time.monotonic() + PATIENCE
    while not there():
        assert job.poll() is None and time.monotonic() < end, finished(job)
        time.sleep(0.01)


def weights(path: Path) -> dict[str, Tensor]:
    return load_weights(path).state_dict()


def same(first: Path, second: Path) -> bool:
    a, b = weights(first), weights(second)
    return all(torch.equal(a[name], b[name]) for name in a)


@given(st.integers(1, 40), st.integers(1, 9))
def test_the_shares_are_the_batch_in_its_order(count: int, size: int) -> None:
    images, labels = torch.arange(float(count))[:, None, None, None], torch.arange(count)
    parts = [ProcessGroup(rank, size).share(images, labels) for rank in range(size)]
    taken = [part for part in parts if part[2] > 0]
    assert torch.equal(torch.cat([part[0] for part in taken]), images)
    assert torch.equal(torch.cat([part[1] for part in taken]), labels)
    assert all(len(part[0]) == len(part[1]) >= 1 for part in parts)
    assert max(len(p[1]) for p in taken) - min(len(p[1]) for p in taken) <= 1
    assert sum(part[2] for part in parts) == pytest.approx(size)
    average_of_means = sum(weight * part.mean().item() for part, _, weight in parts) / size
    assert average_of_means == pytest.approx(images.mean().item())


@pytest.mark.parametrize(("count", "size"), [(8, 2), (7, 2), (7, 4), (2, 3)])
def test_averaged_gradients_are_those_of_the_whole_batch(count: int, size: int) -> None:
    torch.manual_seed(0)
    model = class_vgg(width=0.05, hidden=8, batch_norm=False, dropout=0.0).double()
    images, labels = torch.randn(count, 1, 32, 32, dtype=torch.float64), torch.arange(count) % 10

    def gradients(group: ProcessGroup) -> list[Tensor]:
        inputs, targets, weight = group.share(images, labels)
        loss = weight * nn.functional.cross_entropy(model(inputs), targets)
        return list(torch.autograd.grad(loss, list(model.parameters())))

    whole = gradients(ProcessGroup())
    parts = [gradients(ProcessGroup(rank, size)) for rank in range(size)]
    for index, gradient in enumerate(whole):
        average = sum(part[index] for part in parts) / size
        assert torch.allclose(torch.as_tensor(average), gradient, rtol=1e-9, atol=1e-12)


def test_alone_there_is_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    model = nn.Linear(1, 1)
    with init_distributed() as group:
        assert (
            group == ProcessGroup.current() == ProcessGroup(0, 1) and group.is_main and group.parallel(model) is model
        )
        assert group.sums(0.1, 2) == (0.1, 2) and not group.any(False) and group_device() is None
    for variables in ({"WORLD_SIZE": "4"}, {"RANK": "0", "WORLD_SIZE": "1"}):  # Slurm's, and torchrun's with one
        with monkeypatch.context() as patched, init_distributed() as group:
            for name, value in variables.items():
                patched.setenv(name, value)
            assert group == ProcessGroup()


def test_alone_no_random_number_is_touched() -> None:
    before = torch.get_rng_state()
    ProcessGroup().seed_step(3, 4)
    assert torch.equal(torch.get_rng_state(), before)
    drawn = []
    for rank, step in ((0, 0), (1, 0), (0, 1), (1, 0)):
        ProcessGroup(rank, 2).seed_step(3, step)
        drawn.append(torch.rand(1).item())
    assert len(set(drawn)) == 3 and drawn[1] == drawn[3]


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "2", "WORLD_SIZE": "3", "LOCAL_RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"LOCAL_RANK=2.*at most 2"), init_distributed():
        pass


@pytest.fixture(scope="module", name="pair")
def pair_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A plain run by two processes: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("pair")
    code, printed = finished(start(folder, "two", PLAIN))
    assert code == 0, printed
    yield folder, printed


def alone() -> tuple[VGG, History]:
    """The same run by this process."""
    torch.manual_seed(0)
    model = build_vgg(
        "VGG-11", in_channels=1, num_classes=10, image_size=32, width=0.05, hidden=16, dropout=0.0, batch_norm=False
    )
    return model, fit(model, load_fashion_mnist("train").subset(65), **RECIPE)


def test_two_processes_end_with_the_weights_of_one(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    model, history = alone()
    found = History.from_csv(folder / "two.csv")
    assert len(found.step_losses) == len(history.step_losses) == 6
    assert found.step_losses == pytest.approx(history.step_losses, rel=1e-4)
    assert [e.train_accuracy for e in found.epochs] == [e.train_accuracy for e in history.epochs]
    assert [e.train_loss for e in found.epochs] == pytest.approx([e.train_loss for e in history.epochs], rel=1e-5)
    for name, value in weights(folder / "two.safetensors").items():
        assert torch.allclose(value, model.state_dict()[name], rtol=1e-4, atol=1e-4), name
    test = load_fashion_mnist("test").subset(100)
    assert evaluate(load_weights(folder / "two.safetensors"), test) == pytest.approx(evaluate(model, test), rel=1e-4)


def test_only_the_first_process_shows_and_writes(pair: tuple[Path, str]) -> None:
    folder, printed = pair
    assert {path.name for path in folder.iterdir()} == {
        "worker.py", "told0.json", "told1.json", "two.safetensors", "two.json", "two.csv", "two.steps.csv",
    }  # fmt: skip
    # A bar draws its beginning once, its end again when it is closed.
    assert printed.count('"processes": 2') == 1 and printed.count(" 0/6 ") == 1 and " 6/6 " in printed
    assert all(printed.count(f"process {rank} of 2: gloo") == 1 for rank in (0, 1))
    assert json.loads((folder / "two.json").read_text())["processes"] == 2
    assert "Warning" not in printed


def test_workers_are_lean(pair: tuple[Path, str]) -> None:
    told = [json.loads((pair[0] / f"told{rank}.json").read_text()) for rank in (0, 1)]
    for worker in told:
        assert not {"torchvision", "matplotlib", "nbformat", "ipywidgets", "IPython"} & {*worker["modules"]}
        assert worker["megabytes"] is None or worker["megabytes"] < 450


@long
@posix
def test_a_killed_worker_is_started_again_and_the_end_is_the_same(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    code, printed = finished(start(tmp_path, "whole", RANDOM))
    assert code == 0, printed
    job = start(tmp_path, "killed", RANDOM, "--max-restarts=1", save_every=0.05)
    wait_for((tmp_path / "killed.checkpoint.previous").exists, job)  # the first is written before the first step
    workers(job)[1].send_signal(signal.SIGKILL)
    code, printed = finished(job)
    assert code == 0, printed
    assert printed.count("process 1 of 2") == 2, "it was not started again"
    assert same(whole, killed)
    assert not list(tmp_path.glob("*.checkpoint*"))
    _stopped_by_signals(tmp_path, whole)


def _newer(path: Path, time_ns: int) -> bool:
    return path.exists() and path.stat().st_mtime_ns > time_ns


def _stopped_by_signals(folder: Path, whole: Path) -> None:
    """A dead worker without a restart, ctrl-c, and a kill of torchrun: nothing is left running, and the run goes on."""
    out = folder / "stopped.safetensors"
    checkpoint = out.with_suffix(".checkpoint")

    def one_worker(job: subprocess.Popen[str]) -> None:
        workers(job)[1].send_signal(signal.SIGKILL)

    def everyone(job: subprocess.Popen[str]) -> None:
        os.killpg(job.pid, signal.SIGINT)

    for stop in (one_worker, everyone, subprocess.Popen.terminate):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        job = start(folder, "stopped", RANDOM, save_every=0.05)
        wait_for(partial(_newer, checkpoint, before), job)
        wait_for((folder / "stopped.checkpoint.previous").exists, job)
        started = workers(job)
        assert len(started) == 2
        stop(job)
        code, printed = finished(job)
        assert code != 0 and not out.exists(), printed
        _, left = psutil.wait_procs(started, timeout=20)
        assert not left
    code, printed = finished(start(folder, "stopped", RANDOM))
    assert code == 0, printed
    assert same(whole, out)
