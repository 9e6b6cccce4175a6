"""The setup banner of every notebook, and the check-up behind ``python -m vgg_lesson doctor``."""

from __future__ import annotations

import difflib
import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import torch
from packaging.requirements import Requirement

from vgg_lesson.classroom.checks.memory import VARIABLE as PROGRESS_VARIABLE
from vgg_lesson.data.datasets import SIDE, ImageSet, load_fashion_mnist
from vgg_lesson.data.idx import FULL_COUNTS
from vgg_lesson.data.sources import (
    ADVICE,
    FOLDER_VARIABLE,
    OFFLINE_VARIABLE,
    REPOSITORY,
    is_offline,
    is_repository,
    shown,
)
from vgg_lesson.models import class_vgg
from vgg_lesson.support.budgets import VARIABLE as BUDGET_VARIABLE
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.files import write_atomically
from vgg_lesson.support.machine import cpu_count, fast_precision, memory_limit, pick_device, set_threads
from vgg_lesson.support.streams import setting
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import fit
from vgg_lesson.training.progress import loss_curve

DISTRIBUTION = "vgg-lesson"
GIB = 1 << 30
COMFORTABLE_MEMORY, LEAST_MEMORY = 2 * GIB, 1 * GIB
LEAST_DISK = GIB // 2
INSTALL = "run `python -m pip install -r requirements.txt` in the lesson's folder"
WIDGETS = "run `python -m pip install --upgrade ipywidgets jupyterlab`, then restart JupyterLab"
WITHOUT_GPU = f"`{setting('CUDA_VISIBLE_DEVICES', '-1')}`"
OK, WARN, FAIL = "OK", "WARN", "FAIL"
PREFIX = "VGG_LESSON_"
VARIABLES = (BUDGET_VARIABLE, FOLDER_VARIABLE, OFFLINE_VARIABLE, PROGRESS_VARIABLE, "VGG_LESSON_PROOFS")
TRIAL_BATCH = 128
LONGEST_REASON = 240


class Finding(NamedTuple):
    """One line of the check-up: ``status`` is OK, WARN or FAIL; ``advice`` says what to do unless all is well."""

    status: str
    subject: str
    value: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{f'[{self.status}]':<7}{self.subject}: {self.value}"
        return f"{line} → {self.advice}" if self.advice else line


def banner() -> None:
    """Limit torch's threads to what this machine allows and print what the notebook is about to run on."""
    budget, device, threads = get_budget(), pick_device(), set_threads()
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    packages = " · ".join(f"{name} {_version(name) or 'missing'}" for name in ("torch", "torchvision", DISTRIBUTION))
    print(f"budget     {budget.name}  (smoke, class or full, from VGG_LESSON_BUDGET)")
    print(f"device     {_device_name(device)}, {threads} thread{'s' * (threads > 1)}")
    print(f"precision  {_precision(device)}")
    print(f"data       FashionMNIST: {_counts(train, test)}")
    print(f"versions   python {platform.python_version()} · {packages}")


def doctor() -> int:
    """Print one line per requirement of the lesson; returns 1 if one of them fails, else 0.

    ``[OK]`` is fine, ``[WARN]`` works with less comfort, ``[FAIL]`` must be mended; the arrow says how. What the
    notebooks do first is tried: settings read, data opened, a training step made, a figure drawn, a view shown, a file
    written.
    """
    findings = []
    for check in CHECKS:
        for finding in map(_judged, _carried_out(check)):
            findings.append(finding)
            print(finding, flush=True)
    failed = sum(finding.status == FAIL for finding in findings)
    print(f"{failed} to mend." if failed else "Ready.")
    return 1 if failed else 0


def _judged(finding: Finding) -> Finding:
    """Colab has its own page and widgets in place of those of JupyterLab; without them it only warns."""
    is_page = finding.subject.partition(" ")[0] in ("jupyterlab", "nbval", "ipywidgets", "widgets", "views")
    missed = is_page and finding.status == FAIL and _version("google-colab") is not None
    return finding._replace(status=WARN) if missed else finding


def _carried_out(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a check finds; one that breaks off has found something, too."""
    try:
        yield from check()
    except Exception as error:  # whatever may be wrong with a machine
        subject = check.__name__.removeprefix("check_").replace("_", " ")
        yield Finding(FAIL, subject, f"could not be looked at: {_in_a_line(error)}")


def check_python() -> Iterator[Finding]:
    """The interpreter's version against the package's metadata."""
    required = metadata.metadata(DISTRIBUTION)["Requires-Python"] if _version(DISTRIBUTION) else ""
    yield _compare("python", platform.python_version(), required, f"install Python {required}")
    if "t" in getattr(sys, "abiflags", ""):
        yield Finding(FAIL, "python", "a free-threaded build", "install the ordinary one: safetensors needs it")


def check_packages() -> Iterator[Finding]:
    """Every requirement in the installed package's metadata against what is installed."""
    if _version(DISTRIBUTION) is None:
        yield Finding(FAIL, DISTRIBUTION, "not installed", INSTALL)
        return
    for requirement in map(Requirement, metadata.requires(DISTRIBUTION) or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _compare(requirement.name, _version(requirement.name), str(requirement.specifier), INSTALL)


def check_torch_pair() -> Iterator[Finding]:
    """torch and torchvision must be built for each other, or the import of torchvision fails."""
    try:
        required = next(r for r in map(Requirement, metadata.requires("torchvision") or ()) if r.name == "torch")
        yield _compare("torchvision's torch", _version("torch"), str(required.specifier), "install both together")
    except (metadata.PackageNotFoundError, StopIteration):
        return


def check_machine() -> Iterator[Finding]:
    """Device, threads, memory and free disk."""
    device = pick_device()
    yield Finding(OK, "device", _device_name(device))
    yield Finding(OK, "precision", _precision(device))
    yield Finding(OK, "threads", f"{min(torch.get_num_threads(), cpu_count())} of {cpu_count()} usable processors")
    limit = memory_limit()
    if limit is None:
        yield Finding(OK, "memory", "unknown on this system")
    elif limit < COMFORTABLE_MEMORY:
        status = FAIL if limit < LEAST_MEMORY else WARN
        yield Finding(status, "memory", _gib(limit), "close other notebooks' kernels; 2 GiB are comfortable")
    else:
        yield Finding(OK, "memory", _gib(limit))
    free = shutil.disk_usage(Path.cwd()).free
    advice = "" if free > LEAST_DISK else "make room: data and checkpoints need about 0.5 GiB"
    yield Finding(WARN if advice else OK, "disk", f"{_gib(free)} free", advice)


def check_data() -> Iterator[Finding]:
    """Which FashionMNIST the notebooks will get, and what was skipped on the way."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    except ValueError as error:
        yield Finding(FAIL, "data", str(error))
        return
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        yield Finding(WARN, "data", text)
    counts = _counts(train, test)
    if len(train) == FULL_COUNTS["train"] and len(test) == FULL_COUNTS["test"]:
        yield Finding(OK, "data", counts)
    else:
        yield Finding(WARN, "data", counts, f"that is enough to run; for all of it, {ADVICE}: set VGG_LESSON_DATA=DIR")


def check_widgets() -> Iterator[Finding]:
    """ipywidgets in the kernel and the JupyterLab extension that draws them must be of matching versions."""
    if (kernel := _version("ipywidgets")) is None:
        yield Finding(FAIL, "widgets", "ipywidgets is missing", WIDGETS)
        return
    for requirement in map(Requirement, metadata.requires("ipywidgets") or ()):
        if re.sub(r"[-_.]+", "-", requirement.name) == "jupyterlab-widgets":
            subject = f"widgets (jupyterlab_widgets for ipywidgets {kernel})"
            yield _compare(subject, _version("jupyterlab_widgets"), str(requirement.specifier), WIDGETS)


def check_settings() -> Iterator[Finding]:
    """The variables of the lesson, read by the functions that the notebooks use; a name that nobody reads is told."""
    try:
        network = "no download" if is_offline() else "downloads allowed"
        yield Finding(OK, "settings", f"budget {get_budget().name}, {network}")
    except ValueError as error:
        yield Finding(FAIL, "settings", str(error), "correct the variable, or unset it")
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in VARIABLES):
        meant = ", ".join(difflib.get_close_matches(name, VARIABLES, n=1)) or "one of " + ", ".join(VARIABLES)
        yield Finding(WARN, "settings", f"{name} is set, and nothing reads it", f"is {meant} meant?")


def check_training() -> Iterator[Finding]:
    """One step of the class network on the device that the notebooks will take."""
    device = pick_device()
    try:
        with torch.random.fork_rng(devices=[]):
            pictures = torch.randint(0, 256, (TRIAL_BATCH, SIDE, SIDE), dtype=torch.uint8)
            trial = ImageSet(pictures, torch.arange(TRIAL_BATCH) % 10, "made up")
            (loss,) = fit(class_vgg(), trial, steps=1, show=False).step_losses
    except Exception as error:  # a driver, a library or a device may fail in any way
        advice = INSTALL if device.type == "cpu" else f"{WITHOUT_GPU} lets the notebooks use the CPU"
        yield Finding(FAIL, "training", f"a step on {device.type} fails: {_in_a_line(error)}", advice)
        return
    if not isfinite(loss):
        advice = f"{WITHOUT_GPU}, or {INSTALL}"
        yield Finding(FAIL, "training", f"a step on {device.type} gives the loss {loss}", advice)
    else:
        yield Finding(OK, "training", f"one step of the class network on {device.type}")


def check_figure() -> Iterator[Finding]:
    """One picture, drawn and turned to bytes as a cell shows it."""
    try:
        drawn = loss_curve(History("a trial", [2.3, 2.2]), 2).png()
    except Exception as error:  # fonts, caches, settings of matplotlib
        advice = "look at matplotlib's settings (MPLBACKEND, MPLCONFIGDIR, matplotlibrc), or " + INSTALL
        yield Finding(FAIL, "figure", f"cannot be drawn: {_in_a_line(error)}", advice)
        return
    yield Finding(OK, "figure", f"drawn, {len(drawn) / 1024:.0f} kB")


def check_view() -> Iterator[Finding]:
    """One view with one control, made as a cell makes it."""
    try:
        from vgg_lesson.classroom.widgets.shared import LessonView, Panel, slider  # with matplotlib, so not before

        view = LessonView("A trial", lambda: Panel({"n": slider("n", 0, 1, 0)}, lambda n: [f"<p>{n}</p>"]))
        is_there = len(view._repr_mimebundle_()) > 1
    except Exception as error:  # packages that do not fit together
        yield Finding(FAIL, "views", f"cannot be shown: {_in_a_line(error)}", WIDGETS)
        return
    if is_there:
        yield Finding(OK, "views", "one made")
    else:
        version = _version("ipywidgets") or "that is missing"
        yield Finding(FAIL, "views", f"become a sentence with ipywidgets {version}", WIDGETS)


def check_files() -> Iterator[Finding]:
    """One file where copies and checkpoints will go: here, and beside the notebooks."""
    folders = [Path.cwd(), *([REPOSITORY / "notebooks"] if is_repository() else [])]
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        trial = folder / f".vgg-lesson-{os.getpid()}"
        try:
            write_atomically(trial, b"a trial")
            trial.unlink()
        except OSError as error:
            told = f"{shown(folder)} takes none: {error.strerror or error}"
            yield Finding(FAIL, "files", told, "work in a copy: python -m vgg_lesson copy DIR")
            return
    yield Finding(OK, "files", f"can be written in {shown(folders[0])}")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python, check_packages, check_torch_pair, check_settings, check_machine, check_data, check_training,
    check_figure, check_widgets, check_view, check_files,
)  # fmt: skip


def _in_a_line(error: Exception) -> str:
    """What an exception says, cut to one line."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]}…"


def _compare(subject: str, installed: str | None, specifier: str, advice: str) -> Finding:
    if installed is None:
        return Finding(FAIL, subject, "missing", advice)
    wanted = f"{installed} ({specifier} is needed)" if specifier else installed
    # A local version such as 2.14.1+cpu must satisfy ==2.14.1, which the full string does under PEP 440.
    fits = Requirement(f"package{specifier}").specifier.contains(installed, prereleases=True)
    return Finding(OK, subject, installed) if fits else Finding(FAIL, subject, wanted, advice)


def _counts(train: ImageSet, test: ImageSet) -> str:
    if train.source == test.source:
        return f"{len(train):,} training and {len(test):,} test images from {train.source}"
    return f"{len(train):,} training images from {train.source}, {len(test):,} test images from {test.source}"


def _precision(device: torch.device) -> str:
    return "fp32" if fast_precision(device) == "fp32" else "fp32; bf16 where a cell asks for the fastest"


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"{device.type} ({platform.machine()}, {sys.platform})"


def _gib(count: float) -> str:
    return f"{count / GIB:.1f} GiB"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
