"""The server in a pod: before a kernel starts that would not fit, the one that is idle longest is shut down.

People leave notebooks open. A kernel of this lesson keeps some hundred megabytes for its imports alone, so that the
fourth notebook of a half-day would end the pod. `binder/start` switches this on, and so does a hub that puts this file
into /etc/jupyter. ``MEM_LIMIT``, in bytes, is what JupyterHub tells a pod; without it nothing happens here.
"""

import os

import psutil
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

ROOM_FOR_ONE = 1.15e9  # bytes that a notebook of this lesson takes at its peak, beside what is shared


def limit():
    """Bytes that this pod may use, or infinity if nobody says."""
    try:
        return float(os.environ.get("MEM_LIMIT", "inf")) or float("inf")
    except ValueError:
        return float("inf")


def used():
    """Bytes that the server and all that it started keep for themselves."""
    total, server = 0, psutil.Process()
    for process in (server, *server.children(recursive=True)):
        try:
            memory = process.memory_info()
            total += memory.rss - getattr(memory, "shared", 0)
        except psutil.Error:  # it ended meanwhile
            pass
    return total


class RoomyKernels(AsyncMappingKernelManager):
    """Kernels that make room for one another; one that is running is never touched."""

    async def start_kernel(self, *args, **options):
        """Start a kernel as usual, after making room for it."""
        await self.make_room()
        return await super().start_kernel(*args, **options)

    async def make_room(self):
        """Shut idle kernels down, the longest idle first, until one more fits."""
        idle = [name for name in self.list_kernel_ids() if self._kernels[name].execution_state == "idle"]
        for name in sorted(idle, key=lambda name: self._kernels[name].last_activity):
            if limit() - used() >= ROOM_FOR_ONE:
                return
            self.log.warning("Shutting down the kernel %s, idle the longest, to make room for a new one", name)
            await self.shutdown_kernel(name)


c = get_config()  # noqa: F821
c.ServerApp.kernel_manager_class = RoomyKernels
