"""A kernel of a Jupyter server, driven as a page drives it: by the server's own addresses and one websocket."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any
from urllib.request import Request, urlopen

import websocket
from nbformat import NotebookNode, from_dict

from tests.browser.lab import Server

SECONDS_FOR_A_REPLY = 60.0


@dataclass
class Ran:
    """What running a cell came to: its outputs in nbformat, seconds, how often it was interrupted, its error."""

    source: str
    outputs: list[NotebookNode] = field(default_factory=list)
    seconds: float = 0.0
    interrupts: int = 0

    @property
    def error(self) -> str:
        """``Name: message`` of the error that the cell stopped with; empty if none."""
        raised = (output for output in self.outputs if output.output_type == "error")
        return next((f"{output.ename}: {output.evalue}" for output in raised), "")

    @property
    def name(self) -> str:
        """The first line of the cell."""
        return next((line for line in self.source.splitlines() if line.strip()), "")[:60]


class KernelDiedError(RuntimeError):
    """The kernel is gone, as it is when a pod has no memory left."""


class Kernel:
    """One kernel; its working directory is the folder of ``path``, relative to the server's root."""

    def __init__(self, place: Server, path: str):
        self.place = place
        self.socket: websocket.WebSocket
        session = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        answer = self._ask("POST", "sessions", session)
        self.id, self.session = str(answer["kernel"]["id"]), str(answer["id"])
        self._connect()

    def run(self, source: str, *, interrupt_every: float | None = None) -> Ran:
        """Run a cell to its end; ``interrupt_every`` presses ■ again and again after so many seconds.

        Raises:
            KernelDiedError: the kernel ended before the cell did.
        """
        ran, over, started = Ran(source), Event(), time.perf_counter()
        message = self._send("execute_request", {"code": source, "store_history": True, "allow_stdin": False})
        presses = Thread(target=self._interrupt, args=(ran, over, interrupt_every or 0.0), daemon=True)
        if interrupt_every is not None:
            presses.start()
        try:
            for kind, content in self._answers(message):
                _add(ran.outputs, kind, content)
        finally:
            over.set()
            if interrupt_every is not None:  # a late one must not hit the next cell
                presses.join()
        ran.seconds = time.perf_counter() - started
        return ran

    def value(self, expression: str) -> str:
        """What the kernel prints of an expression, as text."""
        shown = self.run(f"print({expression}, end='')")
        if shown.error:
            raise RuntimeError(shown.error)
        return "".join(output.text for output in shown.outputs if output.get("name") == "stdout")

    def restart(self) -> None:
        """*Restart Kernel*."""
        self.socket.close()
        self._ask("POST", f"kernels/{self.id}/restart")
        self._connect()

    def close(self) -> None:
        """*Close and Shut Down*."""
        with suppress(OSError):
            self.socket.close()
            self._ask("DELETE", f"sessions/{self.session}")

    def _interrupt(self, ran: Ran, over: Event, seconds: float) -> None:
        while not over.wait(seconds):
            ran.interrupts += 1
            self._ask("POST", f"kernels/{self.id}/interrupt")

    def _ask(self, method: str, path: str, content: object = None) -> Any:
        headers = {"Authorization": f"token {self.place.token}", "Content-Type": "application/json"}
        data = None if content is None else json.dumps(content).encode()
        address = f"http://127.0.0.1:{self.place.port}/api/{path}"
        with urlopen(Request(address, data, headers, method=method), timeout=SECONDS_FOR_A_REPLY) as answer:
            return json.loads(answer.read() or b"null")

    def _connect(self) -> None:
        address = f"ws://127.0.0.1:{self.place.port}/api/kernels/{self.id}/channels?token={self.place.token}"
        self.socket = websocket.create_connection(address, timeout=SECONDS_FOR_A_REPLY)
        waiting = self._send("kernel_info_request", {})
        for _ in self._answers(waiting):
            pass

    def _send(self, kind: str, content: object) -> str:
        message = uuid.uuid4().hex
        header = {
            "msg_id": message, "msg_type": kind, "username": "", "session": self.id, "version": "5.3",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }  # fmt: skip
        content = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(content))
        return message

    def _answers(self, message: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the kernel says about a request, until it has replied and is idle again."""
        replied = idle = False
        while not (replied and idle):
            try:
                answer = _message(self.socket.recv())
            except websocket.WebSocketTimeoutException:
                self._still_there()
                continue
            except (websocket.WebSocketException, ValueError, OSError) as error:
                raise KernelDiedError(f"the connection to the kernel ended: {error}") from error
            kind, content = answer["header"]["msg_type"], answer["content"]
            if kind == "status" and content["execution_state"] in ("dead", "restarting", "autorestarting"):
                raise KernelDiedError(f"the kernel is {content['execution_state']}")
            if answer["parent_header"].get("msg_id") != message:
                continue
            replied |= answer["channel"] == "shell"
            idle |= kind == "status" and content["execution_state"] == "idle"
            yield kind, content

    def _still_there(self) -> None:
        try:
            self._ask("GET", f"kernels/{self.id}")
        except OSError as error:
            raise KernelDiedError(f"the server no longer has the kernel: {error}") from error


@contextmanager
def kernel(place: Server, path: str) -> Iterator[Kernel]:
    """A kernel that is shut down in the end."""
    started = Kernel(place, path)
    try:
        yield started
    finally:
        started.close()


def run_all(kernel: Kernel, cells: Sequence[NotebookNode]) -> list[Ran]:
    """Run cells in order, to the end or to the first error, as *Run All* does."""
    done = []
    for cell in cells:
        done.append(kernel.run(cell.source))
        if done[-1].error:
            break
    return done


def _message(frame: str | bytes) -> Any:
    """A message of the default protocol; one with buffers, as views send, begins with the number and places of all."""
    if isinstance(frame, bytes):
        first, second = (int.from_bytes(frame[at : at + 4], "big") for at in (4, 8))
        frame = frame[first:second]
    return json.loads(frame)


def _add(outputs: list[NotebookNode], kind: str, content: dict[str, Any]) -> None:
    if kind == "clear_output":
        outputs.clear()
    elif kind in ("stream", "display_data", "execute_result", "error"):
        outputs.append(from_dict({"output_type": kind, **content}))
