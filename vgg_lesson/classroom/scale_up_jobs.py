"""Processes that notebook 11 starts: what they print is shown, and one that fails says why instead of passing for done.

Nothing is judged by what an earlier run left behind: a run counts once it has ended well, see `FinishedRuns`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subprocess import Popen

WIDTH = 90  # of a line that a progress bar is to overwrite
_OF_TORCHRUN = re.compile(r"[EWI]\d{4} |Traceback ")
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|Interrupt)\b")
_GREETING = re.compile(r"process \d+ of \d+: \w+, pid")


class FinishedRuns(dict[str, Any]):
    """What runs left, by name. A run that has not ended well is not in it, and asking for it says what to do."""

    def __missing__(self, name: str) -> Any:
        raise RuntimeError(f"there is no finished run called {name!r}: run the cell that starts it once more")


def follow(job: Popen[str], *, show: bool = True) -> str:
    """Print what ``job`` prints until it ends, except the card of the weights; returns all of it.

    Raises:
        RuntimeError: it ended with a status other than 0; the message gives the status and the reason.
    """
    said: list[str] = []
    card = False
    for line in job.stdout or ():
        said.append(line.rstrip())
        card = card or line.rstrip() == "{"
        if show and not card:
            print(f"{line.rstrip():<{WIDTH}}", end="\r" if "%|" in line else "\n")
        card = card and line.rstrip() != "}"
    text = "\n".join(said)
    if job.wait():
        raise RuntimeError(f"the run failed with exit status {job.returncode}: {reason(text)}")
    return text


def await_file(path: Path, jobs: Sequence[Popen[str]], seconds: float = 120.0) -> None:
    """Return as soon as ``path`` is there. If it does not come, all ``jobs`` are ended.

    Raises:
        RuntimeError: one of the jobs ended before, or ``seconds`` are over; the message gives the reason.
    """
    end = time.monotonic() + seconds
    try:
        while not path.exists():
            for job in jobs:
                if job.poll() is not None:
                    told = reason(job.communicate()[0] or "")
                    raise RuntimeError(f"a process ended with status {job.returncode} before {path.name} came: {told}")
            if time.monotonic() > end:
                raise RuntimeError(f"{path.name} has not come in {seconds:.0f} seconds")
            time.sleep(0.005)
    except BaseException:
        for job in jobs:
            job.kill()
        raise


def reason(text: str) -> str:
    """Of what a failed job printed, the line that says why: its own last words, before torchrun's about them."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    own = []
    for line in lines:
        if _OF_TORCHRUN.match(line):
            break
        if "%|" not in line and not _GREETING.match(line):
            own.append(line.strip())
    raised = [line.strip() for line in lines if _EXCEPTION.match(line)]
    return next(iter([*own[-1:], *raised[-1:], *lines[-1:]]), "it printed nothing")
