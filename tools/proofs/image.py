"""The Binder image's steps as repo2docker would take them: requirements, `postBuild`, `start`, in a clean environment.

A clone of the last commit, a virtual environment of the Python that `binder/runtime.txt` names, its own home folder.
PyTorch's own index is asked for the CPU builds; where it cannot be reached the same releases come from where pip looks
anyway, and the report says that this line was not verified.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.browser.lab import Server, free_port, running
from tests.test_requirements import lines
from tools.paths import ROOT, notebooks
from tools.proofs.kernels import kernel, run_all
from tools.proofs.report import Proof
from tools.proofs.series import code, command
from tools.proofs.versions import interpreter

BINDER = ROOT / "binder"
INDEX_OPTION = "--extra-index-url "
NOTEBOOK = "00"
STEPS = 4


def run(names: Sequence[str] = ()) -> Proof:
    """Build and try the image; ``names`` is not used."""
    wanted = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    python = interpreter(wanted)
    proof = Proof("image", "The Binder image, step by step, in a clean environment", ("step", "seconds", "result"))
    index = next(line.removeprefix(INDEX_OPTION) for line in lines(BINDER / "requirements.txt") if INDEX_OPTION in line)
    reached = _reaches(index)
    if not reached:
        proof.notes.append(f"Not verified: `{INDEX_OPTION}{index}`, which cannot be reached from here.")
    if not python:
        proof.notes.append(f"Not verified: Python `{wanted}` of `runtime.txt`, which is not on this machine.")
    with tempfile.TemporaryDirectory(prefix="vgg-lesson-image-") as folder:
        _build(proof, Path(folder), python or sys.executable, reached)
    proof.figures = {name.replace(" ", "_"): float(seconds) for name, seconds, _ in proof.rows}
    proof.verdicts = {
        "every step succeeds": all(result == "done" for *_, result in proof.rows) and len(proof.rows) == STEPS
    }
    proof.lines = [
        (f"the image builds with Python `{wanted if python else sys.version.split()[0]}`",
         "requirements {requirements:.0f} s, `postBuild` {postBuild:.0f} s"),
        ("`start` opens a copy without outputs, and its first notebook runs", "{start:.0f} s and {notebook:.0f} s"),
    ]  # fmt: skip
    return proof


def _build(proof: Proof, folder: Path, python: str, with_index: bool) -> None:
    clone, venv, home = folder / "repository", folder / "venv", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run([python, "-m", "venv", str(venv)], check=True)
    if not with_index:
        _without_index(clone / "binder" / "requirements.txt")
    own = {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "CPU_LIMIT": "1.0",
        "MEM_LIMIT": "2000000000", "VGG_LESSON_BUDGET": "smoke", **_for_pip(),
    }  # fmt: skip
    pip = ["python", "-m", "pip", "install", "--no-cache-dir", "-r", "binder/requirements.txt"]
    for name, step in (("requirements", pip), ("postBuild", ["./binder/postBuild"])):
        if not _step(proof, name, step, clone, own):
            return
    _start(proof, clone, venv, own)


def _step(proof: Proof, name: str, step: Sequence[str], folder: Path, variables: dict[str, str]) -> bool:
    started = time.perf_counter()
    done = subprocess.run(step, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    result = "done" if done.returncode == 0 else (done.stdout + done.stderr)[-500:]
    proof.rows.append((name, f"{time.perf_counter() - started:.0f}", result))
    print(*proof.rows[-1], done.stdout.strip()[-200:], flush=True)
    return done.returncode == 0


def _start(proof: Proof, clone: Path, venv: Path, variables: dict[str, str]) -> None:
    """`start` hands over to a server; the page it opens is the copy's first notebook, which then runs."""
    place, (path,) = Server("jupyterlab", free_port(), secrets.token_hex(16)), notebooks([NOTEBOOK])
    _, *arguments = command(place, clone)
    started = time.perf_counter()
    here = ["./binder/start", str(venv / "bin" / "python"), *arguments]
    with running(place, here, clone / "server.log", cwd=clone, env=variables):
        with urlopen(f"http://127.0.0.1:{place.port}/?token={place.token}", timeout=30) as answer:
            opened = answer.url.partition("?")[0]
        wanted = f"/lab/tree/my-lesson/{path.name}"
        result = "done" if opened.endswith(wanted) else f"opens {opened}, not {wanted}"
        proof.rows.append(("start", f"{time.perf_counter() - started:.0f}", result))
        cells = code(clone / "my-lesson" / path.name)
        spoiled = [cell for cell in cells if cell.outputs]
        started = time.perf_counter()
        with kernel(place, f"my-lesson/{path.name}") as used:
            last = run_all(used, cells)[-1]
        result = last.error or ("the copy has outputs" if spoiled else "done")
        proof.rows.append(("notebook", f"{time.perf_counter() - started:.0f}", result))
    print(*proof.rows[-2:], sep="\n", flush=True)


def _without_index(path: Path) -> None:
    kept = (line.replace("+cpu", "") for line in lines(path) if not line.startswith(INDEX_OPTION))
    path.write_text("\n".join(kept) + "\n")


def _reaches(address: str) -> bool:
    try:
        urlopen(address, timeout=10).close()
        return True
    except (URLError, OSError):
        return False


def _for_pip() -> dict[str, str]:
    """What tells pip here where to look; nothing of it on most machines."""
    kept = ("PIP_", "SSL_", "REQUESTS_", "HTTP_", "HTTPS_", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.upper().startswith(kept)}
