"""A bad argument is answered with its name, its value and what would be accepted, wherever it is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from vgg_lesson.arithmetic import memory, trace
from vgg_lesson.configs import Conv, VGGConfig, get_config
from vgg_lesson.data.batches import Preprocessing, batches, to_batch
from vgg_lesson.data.datasets import ImageSet, data_loaders, load_fashion_mnist
from vgg_lesson.records.published import published, source
from vgg_lesson.records.stored_runs import stored_run
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.machine import fast_precision

RAW = torch.arange(20 * 28 * 28).reshape(20, 28, 28).to(torch.uint8)
DATA = ImageSet(RAW, torch.arange(20) % 10)
TRACE = trace("VGG-11", image_size=32)

BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: DATA.split(math.nan), ValueError, "validation=nan .*finite"),
    (lambda: DATA.split(math.inf), ValueError, "validation=inf .*finite"),
    (lambda: DATA.split(5, seed="x"), TypeError, "seed='x' .*whole number"),  # type: ignore[arg-type]
    (lambda: DATA.split(5, seed=2**64), ValueError, "seed=18446744073709551616 .*expected"),
    (lambda: DATA.subset("abc"), TypeError, "chosen='abc' .*indices"),  # type: ignore[arg-type]
    (lambda: DATA.subset(3.0), TypeError, "chosen=3.0 .*number of images"),  # type: ignore[arg-type]
    (lambda: DATA.subset(object()), TypeError, "chosen=.*number of images"),  # type: ignore[arg-type]
    (lambda: batches(None, 4), TypeError, "data=None is NoneType; an ImageSet"),  # type: ignore[arg-type]
    (lambda: batches(RAW, 4), TypeError, "data=.* is a torch.uint8 Tensor"),  # type: ignore[arg-type]
    (lambda: batches(DATA, 0), ValueError, "batch_size=0 .*at least 1"),
    (lambda: batches(DATA, 4, seed="x"), TypeError, "seed='x' .*whole number"),  # type: ignore[arg-type]
    (lambda: batches(DATA, 4, augment="flip"), TypeError, "augment='flip' .*random_flip"),  # type: ignore[arg-type]
    (lambda: batches(DATA, 4, device="gpu"), ValueError, "device='gpu' .*cpu"),
    (lambda: batches(DATA, 4, preprocessing=32), TypeError, "preprocessing=32 .*expected"),  # type: ignore[arg-type]
    (lambda: to_batch(RAW, device="gpu"), ValueError, "device='gpu' .*cpu"),
    (lambda: to_batch(RAW, std=0), ValueError, "std=0 .*above 0"),
    (lambda: to_batch(RAW, mean=math.nan), ValueError, "mean=nan .*finite"),
    (lambda: Preprocessing(mean=math.nan), ValueError, "mean=nan .*finite"),
    (lambda: Preprocessing(std=math.inf), ValueError, "std=inf .*above 0"),
    (lambda: Preprocessing(std="x"), TypeError, "std='x' .*number"),  # type: ignore[arg-type]
    (lambda: Preprocessing(std=-1.0), ValueError, "std=-1.0 .*above 0"),
    (lambda: data_loaders(seed="x"), TypeError, "seed='x' .*whole number"),  # type: ignore[arg-type]
    (lambda: data_loaders(num_workers=-1), ValueError, "num_workers=-1 .*at least 0"),
    (lambda: load_fashion_mnist(["train"]), ValueError, r"split=\['train'\] .*'test'"),
    (lambda: get_budget(["class"]), ValueError, r"name=\['class'\] .*smoke"),  # type: ignore[arg-type]
    (lambda: fast_precision(3), ValueError, "device=3 .*cpu"),  # type: ignore[arg-type]
    (lambda: trace(width=1e308), ValueError, r"width=1e\+308 .*above 0"),
    (lambda: trace(width=1e30), ValueError, r"width=1e\+30 .*above 0"),
    (lambda: trace(head=["fc"]), TypeError, r"head=\['fc'\] .*gap"),
    (lambda: get_config(["VGG-11"]), TypeError, "config=.*name or a VGGConfig"),  # type: ignore[arg-type]
    (lambda: VGGConfig("a", 5), TypeError, r"blocks=5 .*Conv\(64\)"),  # type: ignore[arg-type]
    (lambda: VGGConfig("a", (64,)), TypeError, r"blocks\[0\]=64 .*a tuple"),  # type: ignore[arg-type]
    (lambda: VGGConfig("a", ((64,),)), TypeError, r"blocks\[0\]\[0\]=64 .*a Conv is"),  # type: ignore[arg-type]
    (lambda: VGGConfig("a", ()), ValueError, r"blocks=\(\) is empty; at least one"),
    (lambda: VGGConfig("a", ((Conv(1),),), lrn="no"), TypeError, "lrn='no' .*True"),  # type: ignore[arg-type]
    (lambda: VGGConfig(1, ((Conv(1),),)), TypeError, "name=1 .*string"),  # type: ignore[arg-type]
    (lambda: VGGConfig.stack("a", 5), TypeError, "blocks=5 .*list"),  # type: ignore[arg-type]
    (lambda: VGGConfig.stack("a", [64]), TypeError, r"blocks\[0\]=64 .*a tuple of 2"),  # type: ignore[list-item]
    (lambda: memory(None, 3), TypeError, "counted=None is NoneType; .*trace"),  # type: ignore[arg-type]
    (lambda: memory(TRACE, 3, optimizer=["sgd"]), TypeError, r"optimizer=\['sgd'\] .*adam"),  # type: ignore[arg-type]
    (lambda: TRACE.row(3), ValueError, "name=3 .*conv1_1"),  # type: ignore[arg-type]
    (lambda: published(["key"]), ValueError, r"key=\['key'\] .*ilsvrc"),  # type: ignore[arg-type]
    (lambda: source({}), ValueError, "key={} .*ilsvrc"),  # type: ignore[arg-type]
    (lambda: stored_run("class_seed9"), ValueError, "name='class_seed9' .*stall_seed0"),
    (lambda: stored_run("../runs/stall_seed0"), ValueError, "name='../runs/stall_seed0' .*stall_seed0"),
    (lambda: stored_run(["stall_seed0"]), ValueError, "name=.*stall_seed0"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_a_bad_argument_is_named(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_what_is_offered_is_accepted() -> None:
    with pytest.raises(ValueError) as caught:
        stored_run("nothing")
    offered = str(caught.value).partition("choose one of ")[2].split(", ")
    assert offered and all(stored_run(name).losses for name in offered)


def test_indices_of_any_whole_type_pick_the_same_images() -> None:
    for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        assert torch.equal(DATA.subset(torch.tensor([3, 0, 3], dtype=kind)).images, RAW[[3, 0, 3]])
    mask = torch.tensor([1, 0] * 10, dtype=torch.uint8)
    assert torch.equal(DATA.subset(mask).images, RAW[mask.long()])
    assert torch.equal(DATA.subset(mask.bool()).images, RAW[::2])


def test_lists_make_the_same_layout_as_tuples() -> None:
    layout = VGGConfig("a", [[Conv(4), Conv(4)], [Conv(8)]])  # type: ignore[arg-type]
    assert layout == VGGConfig("a", ((Conv(4), Conv(4)), (Conv(8),))) and hash(layout)


def test_preprocessing_replaces_size_mean_and_spread() -> None:
    wanted = Preprocessing(image_size=48, mean=0.5, std=0.25)
    ((images, labels),) = batches(DATA, 20, image_size=32, preprocessing=wanted)
    assert torch.equal(images, wanted(RAW)) and images.shape[-1] == 48 and torch.equal(labels, DATA.labels)
    assert next(batches(DATA, 20, preprocessing=Preprocessing(image_size=16)))[0].shape == (20, 1, 16, 16)
