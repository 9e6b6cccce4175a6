"""A notebook opened alone on a hosted kernel: older ipywidgets and ipykernel, no JupyterLab, no lesson. It runs.

The kernel's environment borrows this one's packages, all but those that a hosted kernel has in older releases or lacks.
The setup cell fetches the lesson as it does there, from a wheel in place of the address.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest

from tools import links
from tools.paths import ROOT, notebooks

pytestmark = [
    pytest.mark.skipif("VGG_LESSON_PROOFS" not in os.environ, reason="takes long and needs a package registry"),
    pytest.mark.skipif(os.name == "nt", reason="hosted kernels are Linux; packages are borrowed by links"),
]
OLDER = ("ipywidgets==7.7.1", "ipykernel==6.29.5", "widgetsnbextension==3.6.10", "jupyterlab_widgets==1.1.11")
LACKING = (
    "jupyterlab", "notebook", "ipywidgets", "widgetsnbextension", "ipykernel", "vgg_lesson", "_vgg", "__editable__",
)  # fmt: skip
COLAB = "Metadata-Version: 2.1\nName: google-colab\nVersion: 1.0.0\n"
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=400, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.fixture(name="python", scope="module")
def python_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of such a kernel."""
    folder = tmp_path_factory.mktemp("hosted")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    query = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    own = Path(subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip())
    install = ["pip", "--python", str(python), "install", "--quiet", "--no-deps", *OLDER]
    subprocess.run([sys.executable, "-m", *install], check=True)
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not (path.name.lower().startswith(LACKING) or path.suffix == ".pth" or (own / path.name).exists()):
            (own / path.name).symlink_to(path)
    (own / "google_colab-1.0.0.dist-info").mkdir()
    (own / "google_colab-1.0.0.dist-info" / "METADATA").write_text(COLAB)
    subprocess.run([python, "-m", "ipykernel", "install", "--prefix", str(folder)], check=True, capture_output=True)
    return python


@pytest.fixture(name="wheel", scope="module")
def wheel_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_it_fetches_the_lesson_and_runs(path: Path, python: Path, wheel: Path, tmp_path: Path) -> None:
    facts = {"repository": links.repository(), "version": links.version()}
    address = f"git+https://github.com/{facts['repository']}@v{facts['version']}"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "setup" in cell.metadata.get("tags", []):
            cell.source = links.fetching(cell.source, facts).replace(address, str(wheel))
    nbformat.write(notebook, tmp_path / path.name)
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    search = os.pathsep.join([str(python.parent), clean["PATH"]])
    done = subprocess.run(
        [python, "-c", RUN, path.name], cwd=tmp_path, env={**clean, "PATH": search, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    shown = [str(cell.outputs) for cell in nbformat.read(tmp_path / path.name, as_version=4).cells if "outputs" in cell]
    assert not [text for text in shown if "model not found" in text]
