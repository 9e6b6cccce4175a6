"""``python -m tools live``: what the page "VGG, live" carries, made from the package and never edited by hand.

Into ``vgg_lesson/classroom/live/`` go ``weights.bin`` (the shipped class network in half precision) and ``data.json``
(its layout, test images, the brightness of each layer's maps, the stored losses that are played back); into
``build/live/`` the page as one file and ``vectors.json``: images, and what PyTorch computes for them.
"""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tools.paths import ROOT
from vgg_lesson import CLASSES, VGG, ImageSet, load_fashion_mnist, load_trained, stored_run, to_batch
from vgg_lesson.classroom.live import FOLDER, page
from vgg_lesson.models import evaluating
from vgg_lesson.support.files import write_atomically, write_together

BUILD = ROOT / "build" / "live"
NETWORK = "vgg11-class"
PER_CLASS, REFERENCE, SHOWN = 10, 16, 0.995
RECORDINGS = {"stalled": "stall_seed0", "freed": "fix_he_seed0"}
VECTORS = 200


def half_trained() -> VGG:
    """The shipped class network, its weights rounded to half precision and computed with in single precision."""
    return load_trained(NETWORK).half().float()


def weights() -> bytes:
    """Every weight and every statistic of a batch norm, in the order of the state dict, as little-endian halves."""
    state = load_trained(NETWORK).state_dict()
    tensors = [tensor for tensor in state.values() if tensor.is_floating_point()]
    return b"".join(tensor.contiguous().numpy().astype("<f2").tobytes() for tensor in tensors)


def gallery(test: ImageSet) -> list[int]:
    """The places of the first ten test images of each class, class by class."""
    return [int(i) for k in range(len(CLASSES)) for i in (test.labels == k).nonzero().flatten()[:PER_CLASS]]


def layers(model: VGG, images: Tensor) -> dict[str, Tensor]:
    """What every layer with a name on the page gives for uint8 ``images`` (B, 28, 28); the last one's are scores."""
    found: dict[str, Tensor] = {}
    with evaluating(model):
        values = to_batch(images)
        for number, block in enumerate(model.features, 1):
            index = 0
            for layer in block.children():
                values = layer(values).clone()
                index += isinstance(layer, nn.Conv2d)
                found[f"pool{number}" if isinstance(layer, nn.MaxPool2d) else f"conv{number}_{index}"] = values
        fc = len(model.features)
        for layer in model.classifier.children():
            values = layer(values).clone()
            fc += isinstance(layer, nn.Linear)
            if isinstance(layer, nn.Linear | nn.ReLU):
                found[f"fc{fc}"] = values
    return found


def data() -> dict[str, Any]:
    """Everything on the page that is neither code nor weights."""
    test = load_fashion_mnist("test")
    chosen = gallery(test)
    model = half_trained()
    maps = layers(model, test.images[chosen])
    shape = {name: model.network[name] for name in ("in_channels", "num_classes", "image_size", "width", "hidden")}
    return {
        "network": {"depth": 11, "batch_norm": True, **shape},
        "mean": model.preprocessing.mean, "std": model.preprocessing.std,
        "classes": list(CLASSES), "indices": chosen, "labels": test.labels[chosen].tolist(),
        "images": base64.b64encode(test.images[chosen].numpy().tobytes()).decode(),
        "reference": base64.b64encode(test.images[:REFERENCE].numpy().tobytes()).decode(),
        "bright": {name: round(float(np.quantile(v.numpy(), SHOWN)), 4) for name, v in maps.items()},
        "recordings": {name: _recording(file) for name, file in RECORDINGS.items()},
    }  # fmt: skip


def stored_data() -> dict[str, Any]:
    """What `data` gave when it was exported last."""
    found: dict[str, Any] = json.loads((FOLDER / "data.json").read_text(encoding="utf-8"))
    return found


def _recording(name: str) -> dict[str, Any]:
    run = stored_run(name)
    pairs = {"losses": run.losses, "accuracies": run.accuracies}
    return {"about": run.about, **{key: [list(pair) for pair in values] for key, values in pairs.items()}}


def vectors(count: int = VECTORS) -> dict[str, Any]:
    """``count`` test images, base64 of (count, 28, 28) bytes, and the scores of the network on the page for them."""
    images = load_fashion_mnist("test").images[:count]
    scores = layers(half_trained(), images)["fc8"]
    return {"images": base64.b64encode(images.numpy().tobytes()).decode(), "scores": scores.tolist()}


def write_page(path: Path) -> Path:
    """Write the page as one file; returns its path."""
    write_atomically(path, page().encode())
    return path


def main(arguments: list[str]) -> int:
    """Export, then write the page and the test vectors."""
    parser = argparse.ArgumentParser(prog="python -m tools live", description=__doc__)
    parser.add_argument("--page", action="store_true", help="only write the page, from what was exported before")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if not options.page:
        text = json.dumps(data(), separators=(",", ":"), ensure_ascii=False)
        write_together({FOLDER / "weights.bin": weights(), FOLDER / "data.json": text.encode()})
        write_atomically(BUILD / "vectors.json", json.dumps(vectors()).encode())
    print(f"written: {write_page(BUILD / 'live.html')}")
    return 0
