"""Take the README's pictures of JupyterLab: the browser tests run, and two of their screenshots are kept."""

from __future__ import annotations

import io
import subprocess
import sys

from PIL import Image

from tools.paths import NOTEBOOKS, ROOT
from vgg_lesson.support.files import write_atomically

TAKEN = ROOT / "build" / "browser"
FILES = ["tests/browser/test_jupyterlab.py", "tests/browser/test_by_hand.py"]
TESTS = [*FILES, "-k", "01_why or exercise", "-p", "no:nbval", "-o", "addopts="]
KEPT = {
    "01_why_depth-receptive_field": "jupyterlab_receptive_field",
    "exercise": "jupyterlab_exercise",
}


def main(arguments: list[str]) -> int:
    """``python -m tools screenshots``"""
    command = [sys.executable, "-m", "pytest", "-q", *TESTS]
    status = subprocess.run(command, cwd=ROOT).returncode
    if status:
        return status
    for taken, kept in KEPT.items():
        path = NOTEBOOKS / "images" / f"{kept}.png"
        with Image.open(TAKEN / f"{taken}.png") as picture:
            content = io.BytesIO()
            picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
        write_atomically(path, content.getvalue())
        print(f"wrote {path.relative_to(ROOT)}")
    return 0
