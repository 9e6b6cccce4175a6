"""Several processes that train as one: each takes its share of every batch, and their gradients are averaged.

``torchrun`` starts the processes and tells each in its environment which one it is; `init_distributed` brings them
together over gloo (CPU) or nccl (GPUs); PyTorch's ``DistributedDataParallel`` averages the gradients while they are
computed: https://docs.pytorch.org/docs/stable/notes/ddp.html. `fit` asks `ProcessGroup.current` and is the same loop
for one process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from vgg_lesson.support.environment import count_from

SEED_STEP, SEED_RANK = 1_000_003, 10_007


class PeerLostError(ConnectionError):
    """Another process of the group has gone, so that nothing can be averaged any more."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a run: this one is number ``rank`` of ``size``, counted from 0. Alone it changes nothing."""

    rank: int = 0
    size: int = 1  # its world size

    @classmethod
    def current(cls) -> ProcessGroup:
        """The group that `init_distributed` has formed, else one of a single process."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def is_main(self) -> bool:
        """Whether this is the main process, which shows progress, evaluates and writes files."""
        return self.rank == 0

    def share(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, float]:
        """This process's part of a batch of B images, and what its mean loss weighs in the average of all processes.

        The parts follow one another in the order of the ranks, and their sizes differ by one at most. The weight is
        the size of the part times the number of processes over B, so 1 where all parts are equal. A process that is
        left without an image, where B is below ``size``, gets the first one with weight 0: it must take part in the
        averaging all the same.
        """
        if self.size == 1:
            return images, labels, 1.0
        count = len(labels)
        start, end = self.rank * count // self.size, (self.rank + 1) * count // self.size
        weight = (end - start) * self.size / count
        part = slice(start, end) if weight else slice(0, 1)
        return images[part], labels[part], weight

    def parallel(self, model: nn.Module) -> nn.Module:
        """``model`` itself, or wrapped so that ``backward`` leaves the averaged gradients in every process.

        All start from the weights of process 0, and use its running means of batch norm.
        """
        if self.size == 1:
            return model
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(model, gradient_as_bucket_view=True)

    def sums(self, *numbers: float) -> tuple[float, ...]:
        """Each number summed over all processes, which must all ask for it."""
        if self.size == 1:
            return numbers
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        summed = torch.tensor(numbers, dtype=torch.float64, device=device)
        dist.all_reduce(summed)
        return tuple(summed.tolist())

    def any(self, flag: bool) -> bool:
        """Whether one of the processes says so, which must all ask."""
        return self.sums(float(flag))[0] > 0

    def share_buffers(self, model: nn.Module) -> None:
        """Give every process the buffers of the main one: each has seen its own share, and only one is kept."""
        if self.size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)

    def check_same(self, name: str, number: int) -> None:
        """Raise ValueError unless all processes have the same ``number``, which is called ``name``."""
        total, squares = self.sums(number, number**2)
        if squares * self.size != total**2:
            raise ValueError(f"{name}={number} in process {self.rank} differs from the others'; it must be the same")

    def seed_step(self, epoch_seed: int, step: int) -> None:
        """In a group, give every step and process dropout masks of its own, which a resumed run draws again."""
        if self.size > 1:
            torch.manual_seed((epoch_seed * SEED_STEP + step * SEED_RANK + self.rank) % 2**63)


@contextmanager
def init_distributed() -> Iterator[ProcessGroup]:
    """Form the group that torchrun's environment describes; without torchrun, or with one process, there is none.

    Raises:
        PeerLostError: another process ended early; the run can be resumed from its checkpoint.
        ValueError: fewer GPUs than processes on this machine, or a variable that holds no number.
    """
    if "RANK" not in os.environ or count_from("WORLD_SIZE", 1) < 2:
        yield ProcessGroup()
        return
    backend = _take_gpu() if torch.cuda.is_available() else "gloo"
    store, rank, size = _meeting_place()
    dist.init_process_group(backend, store=store, rank=rank, world_size=size)
    group = ProcessGroup.current()
    # One write: print would send the end of the line by itself, and processes share the screen.
    sys.stderr.write(f"process {group.rank} of {group.size}: {backend}, pid {os.getpid()}\n")
    try:
        yield group
    except RuntimeError as error:
        if _is_lost_connection(error):
            raise PeerLostError(f"process {group.rank} of {group.size} has lost a peer") from error
        raise
    finally:
        dist.destroy_process_group()


def group_device() -> torch.device | None:
    """Where a process of a group trains: its GPU, else the CPU, the only two that can average; None without a group."""
    if ProcessGroup.current().size == 1:
        return None
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")


def _meeting_place() -> tuple[dist.Store, int, int]:
    """Where the processes find one another's addresses; this one's rank; and their number."""
    store, rank, size = next(dist.rendezvous("env://"))
    # torchrun keeps the store when it restarts its processes: without a name for each attempt, a new process may find
    # the address of a dead one and wait there for ever.
    return dist.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store), rank, size


def _take_gpu() -> str:
    number, there = count_from("LOCAL_RANK", 0), torch.cuda.device_count()
    if number >= there:
        raise ValueError(f"LOCAL_RANK={number} is too high for {there} GPU(s); start at most {there} processes here")
    torch.cuda.set_device(number)
    return "nccl"


def _is_lost_connection(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, dist.DistError) or "gloo" in text or "connection" in text
