"""What the scripts beside it are measured with: their lines that end in ``# clock`` are no part of what one reads.

The clock runs from the call that trains, stands still while the test images are looked at, and counts to the last step.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

# Arguments of every script: epochs, steps between two looks, training images.
EPOCHS, EVERY, IMAGES = (*map(int, sys.argv[1:4]), *(1, 117, 60_000)[len(sys.argv[1:4]) :])
RAW = Path("data", "FashionMNIST", "raw")
BATCH = 250


class Clock:
    """Seconds of training, losses and looks at the test set; ``scores`` maps images (B, 1, 32, 32) to (B, 10)."""

    def __init__(self, scores: Callable[[Tensor], Tensor]):
        self.scores = scores
        self.images, self.labels = test_set()
        self.seconds, self.losses = 0.0, list[float]()
        self.looks: list[tuple[int, float, float]] = []
        torch.optim.SGD([nn.Parameter(torch.zeros(1))])  # the first optimizer imports for seconds: in nobody's time
        self.start()

    def start(self) -> None:
        """Go on."""
        self.since = perf_counter()

    def stop(self) -> None:
        """Stand still."""
        self.seconds += perf_counter() - self.since

    def tick(self, loss: Any) -> None:
        """A step is done."""
        self.stop()
        self.losses.append(float(loss))
        if len(self.losses) % EVERY == 0:
            self.look()
        self.start()

    def look(self) -> None:
        """Note the accuracy on the test images."""
        with torch.no_grad():
            right = [
                (self.scores(images).argmax(1) == labels).sum().item()
                for images, labels in zip(self.images.split(BATCH), self.labels.split(BATCH), strict=True)
            ]
        self.looks.append((len(self.losses), self.seconds, sum(right) / len(self.labels)))

    def finish(self, told: float) -> None:
        """Look once more and print everything as one line of JSON; ``told`` is the accuracy the script found."""
        if not self.looks or self.looks[-1][0] < len(self.losses):
            self.look()
        peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        assert peak
        measured = {
            "epochs": EPOCHS, "seconds": self.seconds, "looks": self.looks, "losses": self.losses, "told": told,
            "peak_gigabytes": int(peak[1]) * 1024 / 1e9,
        }  # fmt: skip
        print(f"\n{json.dumps(measured)}", flush=True)


def test_set() -> tuple[Tensor, Tensor]:
    """The test images as the networks read them, and their labels."""
    images, labels = (np.fromfile(RAW / f"t10k-{kind}-ubyte", np.uint8) for kind in ("images-idx3", "labels-idx1"))
    pixels = torch.from_numpy(images[16:]).reshape(-1, 1, 28, 28)
    return (pad(pixels, (2, 2, 2, 2)) / 255 - 0.2860) / 0.3530, torch.from_numpy(labels[8:]).long()


def of_module(model: nn.Module) -> Clock:
    """A clock that looks at a PyTorch module, which goes on training afterwards."""

    def scores(images: Tensor) -> Tensor:
        model.eval()
        found: Tensor = model(images)
        model.train()
        return found

    return Clock(scores)


def for_lightning(clock: Clock) -> Any:
    """Lightning's callback."""
    from lightning.pytorch.callbacks import Callback

    class Ticks(Callback):
        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int) -> None:
            clock.tick(outputs["loss"])

    return Ticks()


def for_fastai(clock: Clock) -> Any:
    """fastai's callback; its validation at the end of every epoch is left out of the time."""
    from fastai.callback.core import Callback

    class Ticks(Callback):
        def after_batch(self) -> None:
            if self.training:
                clock.tick(self.loss)

        def before_validate(self) -> None:
            clock.stop()

        def after_validate(self) -> None:
            clock.start()

    return Ticks()


def for_keras(clock: Clock) -> Any:
    """Keras's callback; the loss that it is told is the mean of its epoch so far."""
    from keras.callbacks import Callback

    class Ticks(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            clock.tick(logs["loss"])

    return Ticks()
