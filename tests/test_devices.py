"""Nothing mixes devices: the public functions, and the cells of notebooks 05 to 12, on a GPU that is not there.

A cell that needs real values may stop for that reason, which is no failure here; a mix of devices is one, in any cell.
"""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import nbformat
import pytest
import torch
from torch import nn

import vgg_lesson
from tests.fake_gpu import fake_gpu, is_mix
from tools.paths import notebooks
from vgg_lesson import ImageSet, class_vgg, evaluate, fit, initialize, predict, signal_by_layer
from vgg_lesson.analysis.attribution import cover_hottest, grad_cam, occlusion
from vgg_lesson.models import VGG
from vgg_lesson.training.checkpoints import trained_card

IMAGES = 256
# Notebook → the least share of its cells that go through to their end without real values.
JUDGED = {"05": 0.8, "06": 0.65, "07": 0.7, "08": 0.7, "09": 0.8, "10": 0.7, "11": 0.5, "12": 0.7}


def garments(count: int = IMAGES, *_: Any, **__: Any) -> ImageSet:
    """Images without values."""
    return ImageSet(torch.zeros(count, 28, 28, dtype=torch.uint8), torch.zeros(count, dtype=torch.int64))


def untrained(name: str = "vgg11-class") -> VGG:
    """A network of the shipped one's shape, without its weights."""
    card = trained_card(name)
    return class_vgg(**{**card["network"], "dropout": 0.0}).eval() if name != "vgg-full" else class_vgg().eval()


def test_a_mix_of_devices_is_found() -> None:
    with fake_gpu():
        model = class_vgg(width=0.1).to("cuda")
        with pytest.raises(RuntimeError) as caught:
            model(torch.zeros(2, 1, 32, 32))
    assert is_mix(caught.value)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_and_judging_stay_on_the_gpu(precision: str) -> None:
    with fake_gpu():
        model, data = class_vgg(width=0.1), garments()
        recipe: dict[str, Any] = {"momentum": 0.9, "augment": "flip+shift", "schedule": "one-cycle"}
        history = fit(model, data, data, steps=2, batch_size=64, precision=precision, show=False, **recipe)
        assert len(history.step_losses) == 2 and next(model.parameters()).device.type == "cuda"
        evaluate(model, data, views="flip+shift")
        assert predict(model, data).probabilities.device.type == "cpu"


def test_other_data_and_frozen_parts_follow_the_model_to_the_gpu() -> None:
    with fake_gpu():
        model: Any = class_vgg(width=0.1)
        model.features.requires_grad_(False)
        floats = (torch.zeros(64, 1, 32, 32), torch.zeros(64, dtype=torch.int64))
        fit(model, floats, floats, steps=2, batch_size=16, show=False, optimizer=torch.optim.AdamW)
        fit(nn.Sequential(nn.Flatten(), nn.Linear(1024, 10)), garments(), steps=1, show=False)


def test_looking_inside_stays_on_the_gpu() -> None:
    with fake_gpu():
        model = initialize(class_vgg(width=0.1).to("cuda")).eval()
        inputs = model.preprocessing(garments(4).images, "cuda")
        labels = torch.zeros(4, dtype=torch.int64, device="cuda")
        assert grad_cam(model, inputs, labels, "conv5_2").device.type == "cuda"
        assert occlusion(model, inputs[0], 1).shape == (14, 14)
        assert cover_hottest(model, garments(8), model, "conv5_2").shape == (2, 8)
        assert len(signal_by_layer(model, inputs)) == 11


class Lesson(MagicMock):
    """Stands in for figures, checks and views, which look at values."""


def names_of(path: Path) -> dict[str, Any]:
    """What the package offers a notebook, with everything that needs values or files replaced."""
    offered = {name: getattr(vgg_lesson, name) for name in vgg_lesson.__all__}
    replaced = {
        "fig": Lesson(), "check": Lesson(), "widgets": Lesson(), "banner": Lesson(), "load_trained": untrained,
        "load_fashion_mnist": lambda split="train", **_: garments(), "save_weights": Lesson(),
    }  # fmt: skip
    return {"__name__": "lesson", "__file__": str(path), **offered, **replaced}


def run_cells(path: Path) -> tuple[int, int, list[str]]:
    """Run a notebook's code cells; how many there are, how many went through, and the mixes of devices that showed."""
    names, done, mixed = names_of(path), 0, []
    kept = dict(names)
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells):
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith(("%", "!")))
        file = f"<{path.stem} {number}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            exec(compile(source, file, "exec"), names)
            done += 1
        except Exception as error:
            if is_mix(error):
                mixed.append("".join(traceback.format_exception_only(error)) + source)
        names.update({name: kept[name] for name in ("fig", "check", "widgets", "banner", "load_trained")})
        names["load_fashion_mnist"] = kept["load_fashion_mnist"]
    return len(cells), done, mixed


def refused(*_: object, **__: object) -> None:
    """Stands in for a process."""
    raise OSError("no process here")


@pytest.mark.parametrize("number", JUDGED)
def test_no_cell_mixes_devices(number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG_LESSON_BUDGET", "smoke")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: SimpleNamespace(returncode=1, stdout="", stderr=""))
    monkeypatch.setattr("subprocess.Popen", refused)  # another process has no fake GPU
    (path,) = notebooks([number])
    with fake_gpu():
        cells, done, mixed = run_cells(path)
    assert not mixed, "\n\n".join(mixed)
    assert done >= JUDGED[number] * cells, f"only {done} of {cells} cells went through"
