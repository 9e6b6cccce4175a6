"""A student's function, called with care: quiet, within a time limit, once per case, leaving no trace behind."""

from __future__ import annotations

import contextlib
import ctypes
import dis
import io
import pickle  # noqa: TID251  only written, to compare; nothing is read
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import torch

SECONDS = 5.0  # of computing that one call may take
PATIENCE = 3.0  # times as long, where it waits instead
AGAIN = 0.2  # seconds until a function that swallowed the interruption is interrupted again
NO_LINES = frozenset({"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"})  # what a body of ... is made of


class TooSlow(BaseException):
    """The call took longer than `SECONDS`; no ``except Exception`` of a student's function stops it."""


class Student:
    """A callable that answers like ``function`` and remembers each answer, so that no case is computed twice.

    With ``once=False`` nothing is remembered, for functions whose effect on their arguments is the answer.
    ``overwrites`` says whether a call has changed one of its arguments, ``printed`` whether one has printed.
    """

    def __init__(self, function: Callable[..., Any], *, once: bool = True):
        self.function = function
        self.once = once
        self.overwrites = False
        self.printed = False
        self._known: dict[bytes, tuple[Any, BaseException | None]] = {}
        self._too_slow = False

    @property
    def __name__(self) -> str:
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def empty(self) -> bool:
        """Whether the body is still ``...`` or nothing but a text."""
        code = getattr(self.function, "__code__", None)
        return code is not None and {step.opname for step in dis.get_instructions(code)} <= NO_LINES

    def __call__(self, *case: Any, **options: Any) -> Any:
        mark = _mark((case, options)) if self.once else None
        if mark is None or mark not in self._known:
            outcome = self._outcome(case, options, mark)
            if mark is None:
                return _told(*outcome)
            self._known[mark] = outcome
        value, error = self._known[mark]
        return _told(deepcopy(value) if _mark(value) else value, error)

    def _outcome(self, case: Any, options: Any, mark: bytes | None) -> tuple[Any, BaseException | None]:
        if self._too_slow:
            return None, TooSlow()
        printed = io.StringIO()
        try:
            with same_random_state(), _quiet(printed), time_limit(SECONDS):
                value = self.function(*case, **options)
        except (Exception, TooSlow) as error:
            self._too_slow = isinstance(error, TooSlow)
            return None, error.with_traceback(None)
        finally:
            self.printed |= bool(printed.getvalue())
        self.overwrites |= mark is not None and _mark((case, options)) != mark
        return value, None


def _told(value: Any, error: BaseException | None) -> Any:
    if error is not None:
        raise error
    return value


def _mark(value: Any) -> bytes | None:
    """What tells this value from others; None for what cannot be told, such as a function made on the spot."""
    try:
        return pickle.dumps(value)
    except Exception:
        return None


@contextlib.contextmanager
def _quiet(printed: io.StringIO) -> Iterator[None]:
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield


@contextlib.contextmanager
def same_random_state() -> Iterator[None]:
    """Leave the global random numbers of Python, NumPy and torch (on the CPU) as they were."""
    python, legacy, tensors = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(tensors)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` in the block once its thread has computed for ``seconds``, or waited `PATIENCE` times as long.

    So a machine that many share makes no right answer late. In the main thread of Linux and macOS a signal does it,
    even in the middle of a wait. Elsewhere (Windows, other threads) the exception is set from a second thread and
    arrives with the next line of Python: a loop ends, a single call into a library that never returns does not.
    """
    in_main = threading.current_thread() is threading.main_thread()
    limit = _by_signal if in_main and hasattr(signal, "setitimer") else _by_thread
    with limit(seconds, _overdue(seconds)):
        yield


def _overdue(seconds: float) -> Callable[[], bool]:
    """Whether the thread that asks for this has had its time; where its processor time is unknown, always."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return lambda: True
    clock, started = time.pthread_getcpuclockid(threading.get_ident()), time.monotonic()
    before = time.clock_gettime(clock)
    return lambda: time.clock_gettime(clock) - before >= seconds or time.monotonic() - started >= PATIENCE * seconds


@contextlib.contextmanager
def _by_signal(seconds: float, overdue: Callable[[], bool]) -> Iterator[None]:
    def stop(*_: Any) -> None:
        if overdue():
            raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _by_thread(seconds: float, overdue: Callable[[], bool]) -> Iterator[None]:
    target = ctypes.c_ulong(threading.get_ident())
    done = threading.Event()

    def stop() -> None:
        wait = seconds
        while not done.wait(wait):
            if overdue():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(TooSlow))
            wait = AGAIN

    watch = threading.Thread(target=stop, daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(target, None)


def missing_brackets(error: Exception) -> bool:
    """True where an error comes from a class or function that was written without its ``()``."""
    signs = ("type object", "'function' object", "'builtin_function_or_method'", "is not a Module subclass")
    return any(sign in str(error) for sign in signs)
