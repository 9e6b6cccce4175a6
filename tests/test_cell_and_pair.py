"""What views 1 to 3 stand on: the window of a cell, what acts on it, what fits where, two pictures told apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vgg_lesson import (
    CLASSES,
    CONFIGS,
    build_vgg,
    class_vgg,
    load_fashion_mnist,
    memory,
    signal_by_layer,
    to_batch,
    trace,
)  # fmt: skip
from vgg_lesson.analysis.signal import SMALL_STD, cell_influence, pair_signal
from vgg_lesson.arithmetic import FREE_BYTES, MemoryBill, fits, window
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.figures.why_depth_cell import half_of

SIZE = 64


def reached(config: str, layer: str, cell: tuple[int, int]) -> Tensor:
    """Which pixels a cell depends on, found by a gradient through positive weights and average pools."""
    model = build_vgg(config, in_channels=1, image_size=SIZE, width=1 / 32, head="gap", batch_norm=False).double()
    values = start = torch.ones(1, 1, SIZE, SIZE, dtype=torch.float64, requires_grad=True)
    for number, block in enumerate(model.features, 1):
        index = 0
        for module in block.children():
            pool = isinstance(module, nn.MaxPool2d)
            index += isinstance(module, nn.Conv2d)
            if isinstance(module, nn.Conv2d):
                nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            values = nn.functional.avg_pool2d(values, 2) if pool else module(values)
            if layer == (f"pool{number}" if pool else f"conv{number}_{index}"):
                (gradient,) = torch.autograd.grad(values[0, :, cell[0], cell[1]].sum(), start)
                return gradient[0, 0] > 0
    raise AssertionError(layer)


@pytest.mark.parametrize("config", ["VGG-11", "VGG-16-1x1", "VGG-19"])
def test_the_window_is_what_a_gradient_reaches(config: str) -> None:
    counted = trace(config, image_size=SIZE)
    for row in counted.rows[1:]:
        if row.receptive_field is None:
            continue
        side = row.output_shape[1]
        for cell in {(0, 0), (side // 2, side - 1)}:
            expected = torch.zeros(SIZE, SIZE, dtype=torch.bool)
            (top, field), (left, _) = (window(counted, row.name, place) for place in cell)
            expected[max(top, 0) : top + field, max(left, 0) : left + field] = True
            assert torch.equal(reached(config, row.name, cell), expected), (row.name, cell)


def test_windows_by_hand() -> None:
    vgg11 = trace("VGG-11")
    assert window(vgg11, "input", 5) == (5, 1)
    assert window(vgg11, "pool4", 0) == (-27, 70)
    assert window(vgg11, "pool5", 0) == (-59, 150) and window(vgg11, "pool5", 3) == (37, 150)
    assert window(trace("VGG-11", batch_norm=True), "bn1_1", 0) == (-1, 3)


@pytest.mark.parametrize(
    ("layer", "cell", "error", "words"),
    [
        ("fc6", 0, ValueError, "no grid"), ("conv9_9", 0, ValueError, "conv1_1"), ("pool5", 7, ValueError, "0 to 6"),
        ("pool5", -1, ValueError, "at least 0"), ("pool5", 1.0, TypeError, "whole number"),
    ],
)  # fmt: skip
def test_windows_that_are_none(layer: str, cell: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        window(trace("VGG-11"), layer, cell)
    with pytest.raises(error, match=words):
        cell_influence("VGG-11", layer, (0, cell))


def test_what_fits_where() -> None:
    assert fits(memory(trace("VGG-16"), 128)) == dict(zip(FREE_BYTES, ("no", "no", "yes"), strict=True))
    binder = next(iter(FREE_BYTES))
    for activations, answer in ((900_000_000, "yes"), (1_000_000_000, "tight"), (1_300_000_001, "no")):
        assert fits(MemoryBill(0, 0, 0, activations))[binder] == answer
    for machine, free in FREE_BYTES.items():  # to the last byte
        assert fits(MemoryBill(int(free), 0, 0, 0))[machine] == "yes"
        assert fits(MemoryBill(int(free) - 3, 0, 0, 3))[machine] == "tight"
        assert fits(MemoryBill(int(free) + 1, 0, 0, 0))[machine] == "no"
    assert [*FREE_BYTES.values()] == [1.3e9, 4.3e9, 23e9]


@pytest.mark.parametrize(("config", "layer", "cell"), [("VGG-11", "pool4", (0, 3)), ("VGG-11-LRN", "lrn1_1", (9, 60))])
def test_influence_ends_with_the_window_and_is_strongest_inside(config: str, layer: str, cell: tuple[int, int]) -> None:
    before = torch.random.get_rng_state()
    influence = cell_influence(config, layer, cell, image_size=SIZE)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(influence, cell_influence(config, layer, cell, image_size=SIZE))
    counted = trace(config, image_size=SIZE)
    (top, side), (left, _) = (window(counted, layer, place) for place in cell)
    inside = influence[max(top, 0) : top + side, max(left, 0) : left + side]
    assert inside.sum() == pytest.approx(influence.sum().item(), rel=1e-4) and influence.sum() > 0


def test_an_input_cell_is_moved_by_its_own_pixel_only() -> None:
    influence = cell_influence("VGG-11", "input", (3, 5), image_size=32)
    assert influence.nonzero().tolist() == [[3, 5]]


def test_half_of_an_even_influence_is_half_of_the_area() -> None:
    even = torch.zeros(40, 40)
    even[10:30, 5:25] = 1
    assert half_of(even, (5, 10, 20)) == 16  # 14² is 49% of 20², 16² is 64%
    assert half_of(torch.zeros(40, 40), (5, 10, 20)) == 0
    point = torch.zeros(40, 40)
    point[15, 15] = 1
    assert half_of(point, (11, 11, 9)) == 1


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return load_fashion_mnist("test").images[:64]


def test_the_pair_goes_through_the_network_that_its_seed_names(pictures: Tensor) -> None:
    before = torch.random.get_rng_state()
    signals, scores = pair_signal(pictures[:2], pictures, init="he", seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(3)
    model = class_vgg(batch_norm=False, hidden=1024, dropout=0.0, init="he")
    assert signals[1:] == signal_by_layer(model, to_batch(pictures[:2]))
    assert torch.equal(scores, model.eval()(to_batch(pictures[:2])))
    assert signals[0].name == "input" and [s.name for s in signals[1:3]] == ["conv1_1", "conv2_1"]


def test_a_tenth_of_the_spread_is_lost_anew_in_every_layer(pictures: Tensor) -> None:
    large, _ = pair_signal(pictures[:2], pictures, init="paper")
    small, _ = pair_signal(pictures[:2], pictures, init=SMALL_STD)
    for layer, (one, other) in enumerate(zip(large, small, strict=True)):
        assert other.spread / one.spread == pytest.approx(10.0**-layer, rel=1e-3)


def test_batch_norm_brings_the_size_back_whatever_the_weights(pictures: Tensor) -> None:
    plain, _ = pair_signal(pictures[:2], pictures, "VGG-19", init="pytorch")
    normed, _ = pair_signal(pictures[:2], pictures, "VGG-19", init="pytorch", batch_norm=True)
    convs = [signal for signal in normed if signal.name.startswith("conv")]
    assert all(0.3 < signal.rms < 1.5 for signal in convs), "a normal value behind a ReLU has rms 0.7"
    assert normed[-1].spread > 1e4 * plain[-1].spread
    assert all(after.spread > before.spread / 2 for before, after in pairwise(convs))


def test_the_same_picture_twice_is_no_error(pictures: Tensor) -> None:
    twice = pictures[[0, 0]]
    signals, scores = pair_signal(twice, pictures)
    figure = fig.tell_apart(twice, ("boot", "boot"), signals, scores, CLASSES)
    assert figure.get_suptitle() == "Their scores are the same to the last digit"
    assert "the same image" in figure.alt and figure.png().startswith(b"\x89PNG")


def test_the_pictures_finding_follows_the_numbers(pictures: Tensor) -> None:
    said = {}
    for init in ("xavier", "paper"):
        signals, scores = pair_signal(pictures[:2], pictures, "VGG-19", init=init)
        said[init] = fig.tell_apart(pictures[:2], ("boot", "pullover"), signals, scores, CLASSES).alt
    assert "shrinks by about 4 powers of ten" in said["xavier"] and "grows by about 3 powers" in said["paper"]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_cell_without_influence_is_drawn_too(config: str) -> None:
    counted = trace(config, image_size=32)
    figure = fig.cell_window(torch.zeros(32, 32), counted, "pool5", (0, 0))
    assert "row 0 and column 0 of pool5" in figure.alt and "−" in figure.alt
    assert "dashed" not in figure.alt and figure.png().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="image has shape"):
        fig.cell_window(torch.zeros(28, 28), counted, "pool5", (0, 0))
