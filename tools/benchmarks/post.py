"""The post's own training step, as its text describes it: float32, channels first, plain SGD, images through PIL."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

import torch
from torch import Tensor, nn

from vgg_lesson import VGG, build_vgg, data_loaders

IMAGE_SIZE, BATCH, LR = 224, 128, 0.1
EPOCHS, TRAIN_IMAGES = 10, 60_000
STEPS_PER_EPOCH = -(-TRAIN_IMAGES // BATCH)


def post_network(width: float) -> VGG:
    """VGG-11 for 10 classes of 224×224 grey pictures, PyTorch's own initialisation; 0.25 is its published log's."""
    torch.manual_seed(0)
    return build_vgg("VGG-11", in_channels=1, num_classes=10, width=width, init="pytorch")


def post_batches(batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches from the classic loader."""
    return chain.from_iterable(data_loaders(batch_size, IMAGE_SIZE)[0] for _ in repeat(None))


class PostLoop:
    """One call is one step of the post's loop, loading included."""

    def __init__(self, width: float, batch_size: int = BATCH):
        self.model = post_network(width).train()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR)
        self.loss = nn.CrossEntropyLoss()
        self.batches = post_batches(batch_size)

    def __call__(self) -> float:
        images, labels = next(self.batches)
        self.optimizer.zero_grad()
        loss = self.loss(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return float(loss.item())
