"""Calls that are odd but legal work; those that cannot work say why."""

from __future__ import annotations

import pytest
import torch

from vgg_lesson import (
    Conv,
    ImageSet,
    VGGConfig,
    build_vgg,
    class_vgg,
    evaluate,
    fit,
    memory,
    predict,
    signal_by_layer,
    to_batch,
    trace,
)

THIN = VGGConfig("thin", ((Conv(1),), (Conv(1, kernel=1), Conv(1))))
PICTURES = torch.randint(0, 256, (5, 28, 28), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
ONE_CLASS = ImageSet(PICTURES, torch.zeros(5, dtype=torch.int64))


def test_one_class_is_learnt_at_once() -> None:
    """The only class has probability 1, so the loss is 0 from the start, and nothing divides by it."""
    model = class_vgg(num_classes=1, width=0.05, hidden=4, dropout=0.0)
    history = fit(model, ONE_CLASS, ONE_CLASS, epochs=1, batch_size=2, lr=0.1, show=False)
    assert history.step_losses == [0.0, 0.0, 0.0] and evaluate(model, ONE_CLASS) == (0.0, 1.0)
    predictions = predict(model, ONE_CLASS)
    assert predictions.probabilities.shape == (5, 1) and predictions.accuracy == 1.0


@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_channel_in_every_block(batch_norm: bool) -> None:
    options = {"in_channels": 1, "num_classes": 2, "image_size": 32, "hidden": 1, "batch_norm": batch_norm}
    model = build_vgg(THIN, **options, dropout=0.0)
    assert model(to_batch(PICTURES)).shape == (5, 2)
    counted = trace(THIN, **options)
    assert counted.total_params == sum(p.numel() for p in model.parameters())
    assert memory(counted, 1).total > 0
    assert all(signal.rms >= 0 for signal in signal_by_layer(model, to_batch(PICTURES)))


def test_a_width_that_leaves_one_channel() -> None:
    assert all(row.output_shape[0] == 1 for row in trace("VGG-19", width=1e-6).rows if row.kind == "conv")


def test_512_pixels() -> None:
    model = build_vgg("VGG-11", in_channels=1, num_classes=10, image_size=512, width=1 / 64, hidden=4).eval()
    assert model(to_batch(PICTURES[:1], 512)).shape == (1, 10)
    counted = trace("VGG-11", in_channels=1, num_classes=10, image_size=512)
    assert counted.row("pool5").output_shape == (512, 16, 16) and counted.row("fc6").params == (512 * 256 + 1) * 4096


@pytest.mark.parametrize("size", [32, 33, 63])
def test_a_batch_of_one_trains_with_batch_norm(size: int) -> None:
    """The last grid is 1×1, yet batch norm stands before the pool, where every channel still has four values."""
    model = class_vgg(image_size=size, width=0.05, hidden=4).train()
    scores = model(to_batch(PICTURES[:1], size))
    scores.sum().backward()
    assert scores.shape == (1, 10) and trace("VGG-11", image_size=size).row("pool5").output_shape[1:] == (1, 1)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_last_batch_may_hold_one_picture() -> None:
    model = class_vgg(width=0.05, hidden=4)
    history = fit(model, ONE_CLASS, epochs=1, batch_size=4, lr=0.1, show=False)
    assert len(history.step_losses) == 2 and all(loss == loss for loss in history.step_losses)


def test_the_smallest_picture_works_and_a_smaller_one_is_told_the_smallest() -> None:
    assert class_vgg(image_size=32, width=0.05, hidden=4)(to_batch(PICTURES)).shape == (5, 10)
    with pytest.raises(ValueError, match="the smallest legal size is 32"):
        class_vgg(image_size=31)


def test_an_empty_batch_gives_no_scores_and_an_empty_set_is_refused() -> None:
    model = class_vgg(width=0.05, hidden=4).eval()
    assert model(to_batch(PICTURES[:0])).shape == (0, 10)
    with pytest.raises(ValueError, match="data holds no image"):
        evaluate(model, ImageSet(PICTURES[:0], ONE_CLASS.labels[:0]))
