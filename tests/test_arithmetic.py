"""The counting module against published totals, hand counts and the recurrence; no network is built."""

from __future__ import annotations

import re
from typing import Any

import pytest

from vgg_lesson.arithmetic import LayerTrace, memory, trace
from vgg_lesson.configs import CONFIGS, VGGConfig
from vgg_lesson.records.published import published

GREY: dict[str, Any] = {"in_channels": 1, "num_classes": 10}
TOTALS = {
    "VGG-11": (132_863_336, 128_806_154),
    "VGG-11-LRN": (132_863_336, 128_806_154),
    "VGG-13": (133_047_848, 128_990_666),
    "VGG-16-1x1": (133_638_952, 129_581_770),
    "VGG-16": (138_357_544, 134_300_362),
    "VGG-19": (143_667_240, 139_610_058),
}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"head": "gap"},
    {"width": 0.25, "batch_norm": True},
    {"image_size": 32, "hidden": 512},
    {"in_channels": 1, "num_classes": 10, "width": 0.01},
]
FIELDS = {
    "VGG-11": [3, 4, 8, 10, 18, 26, 30, 46, 62, 70, 102, 134, 150],
    "VGG-16": [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212],
}


def post(**changes: Any) -> LayerTrace:
    """The network of the post's text, with changes."""
    return trace("VGG-11", **{**GREY, **changes})


@pytest.mark.parametrize("name", CONFIGS)
def test_every_column_of_the_paper_has_its_exact_total(name: str) -> None:
    colour, grey = trace(name), trace(name, **GREY)
    assert (colour.total_params, grey.total_params) == TOTALS[name]
    assert colour.fc_params == 123_642_856
    key = "paper_params_millions_" + CONFIGS[name].column.replace("-", "_")
    assert round(colour.total_params / 1e6) == published(key)


def test_the_posts_network_block_by_block() -> None:
    counted = post()
    blocks = [sum(r.params for r in counted.rows if r.name.startswith(f"conv{n}_")) for n in range(1, 6)]
    assert blocks == [640, 73_856, 885_248, 3_539_968, 4_719_616]
    assert [r.params for r in counted.rows if r.kind == "linear"] == [102_764_544, 16_781_312, 40_970]
    assert (counted.conv_params, counted.fc_params) == (9_219_328, 119_586_826)
    assert (published("post_conv_params"), published("post_fc_params")) == (9_219_328, 119_586_826)
    assert counted.total_params == published("post_params") == 128_806_154


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
@pytest.mark.parametrize("name", CONFIGS)
def test_a_formula_comes_to_the_number_it_states(name: str, changes: dict[str, Any]) -> None:
    for row in trace(name, **changes).rows:
        if not row.params:
            assert row.formula == ""
            continue
        product, _, stated = row.formula.partition(" = ")
        assert re.fullmatch(r"[\d·+ ()]+", product)
        assert eval(product.replace("·", "*")) == row.params
        assert stated == f"{row.params:,}"


@pytest.mark.parametrize(
    ("name", "billions"), [("VGG-11", 7.609), ("VGG-13", 11.308), ("VGG-16", 15.470), ("VGG-19", 19.632)]
)
def test_macs_are_what_torchvision_lists_as_gflops(name: str, billions: float) -> None:
    assert round(trace(name).total_macs / 1e9, 3) == billions
    assert published(f"torchvision_{name.lower().replace('-', '')}")["gmacs"] == billions


def test_macs_and_activations_of_the_posts_network() -> None:
    counted = post()
    assert counted.total_macs == 7_547_232_256
    assert counted.total_activations == 9_014_794
    assert counted.row("conv1_1").activations == 64 * 224 * 224
    assert counted.row("conv3_2").macs == counted.row("conv4_2").macs == 1_849_688_064


def test_batch_norm_and_lrn_add_rows_but_no_counted_outputs() -> None:
    plain, normed, lrn = trace("VGG-11"), trace("VGG-11", batch_norm=True), trace("VGG-11-LRN")
    assert normed.total_params - plain.total_params == 2 * (64 + 128 + 2 * 256 + 4 * 512)
    assert normed.fc_params == plain.fc_params
    assert lrn.row("lrn1_1").params == 0
    assert {t.total_activations for t in (plain, normed, lrn)} == {plain.total_activations}
    assert {t.total_macs for t in (plain, normed, lrn)} == {plain.total_macs}


def test_smaller_networks_of_the_lesson() -> None:
    assert post(image_size=112).total_params == 44_920_074
    assert post(image_size=112).conv_params == post().conv_params
    assert post(head="gap").total_params == 9_224_458
    assert post(width=0.25).total_params == 43_093_322
    assert round(post(width=0.25).fc_params / 43_093_322, 4) == 0.9866
    assert post(image_size=32, width=0.25, hidden=512).total_params == 910_666


def test_a_width_rounds_and_keeps_at_least_one_channel() -> None:
    assert [r.output_shape[0] for r in post(width=0.3).rows if r.kind == "conv"][:3] == [19, 38, 77]
    assert {r.output_shape[0] for r in post(width=1e-6).rows if r.kind == "conv"} == {1}


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_field_layer_by_layer(name: str) -> None:
    grid = [row for row in trace(name).rows if row.kind in ("conv", "pool")]
    assert [row.receptive_field for row in grid] == FIELDS[name]
    assert grid[-1].jump == 32


@pytest.mark.parametrize(("name", "field"), [("VGG-11", 150), ("VGG-13", 156), ("VGG-16", 212), ("VGG-19", 268)])
def test_receptive_field_after_the_last_pooling(name: str, field: int) -> None:
    counted = trace(name)
    assert counted.row("pool5").receptive_field == field
    assert counted.row("input").receptive_field == counted.row("input").jump == 1
    assert counted.row("fc6").receptive_field is None and counted.row("fc6").jump is None


def test_one_by_one_convolutions_do_not_widen_the_field() -> None:
    counted = trace("VGG-16-1x1")
    assert counted.row("conv3_3").receptive_field == counted.row("conv3_2").receptive_field
    assert counted.row("conv3_3").output_shape == (256, 56, 56)


def test_an_odd_side_loses_its_last_row_in_the_pool() -> None:
    assert post(image_size=112).row("pool5").output_shape == (512, 3, 3)
    assert post(image_size=225).total_params == post().total_params


@pytest.mark.parametrize(("blocks", "smallest"), [(5, 32), (3, 8), (1, 2)])
def test_too_small_an_image_is_refused_with_the_smallest_size(blocks: int, smallest: int) -> None:
    config = VGGConfig.stack("own", [(1, 4)] * blocks)
    assert trace(config, image_size=smallest).row(f"pool{blocks}").output_shape == (4, 1, 1)
    with pytest.raises(ValueError, match=rf"image_size={smallest - 1} .*smallest legal size is {smallest}"):
        trace(config, image_size=smallest - 1)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, {"config": "VGG-12"}, "config='VGG-12' .*VGG-11"),
        (TypeError, {"config": 11}, "config=11 .*name or a VGGConfig"),
        (ValueError, {"in_channels": 0}, "in_channels=0 .*at least 1"),
        (TypeError, {"num_classes": 10.0}, "num_classes=10.0 .*whole number"),
        (TypeError, {"image_size": True}, "image_size=True .*whole number"),
        (ValueError, {"head": "gap", "hidden": 0}, "hidden=0 .*at least 1"),
        (ValueError, {"width": 0}, "width=0 .*above 0"),
        (ValueError, {"width": float("nan")}, "width=nan .*above 0"),
        (TypeError, {"width": "half"}, "width='half' .*above 0"),
        (TypeError, {"batch_norm": 1}, "batch_norm=1 .*True or False"),
        (ValueError, {"head": "mlp"}, "head='mlp' .*fc, gap"),
    ],
)
def test_a_bad_argument_is_named_with_what_would_do(
    error: type[Exception], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(error, match=message):
        trace(**arguments)


def test_an_unknown_layer_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"name='conv9' .*conv1_1, pool1.*fc8"):
        post().row("conv9")


def test_memory_bill_of_the_posts_training() -> None:
    bill = memory(post(), 128, optimizer="sgd")
    assert (bill.weights, bill.gradients, bill.optimizer) == (515_224_616, 515_224_616, 0)
    assert bill.activations == 4 * 128 * 9_014_794
    assert bill.total == 5_646_023_760
    assert memory(post(), 128, optimizer="momentum").optimizer == bill.weights
    assert memory(post(), 128, optimizer="adam").optimizer == 2 * bill.weights


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, {"batch_size": 0}, "batch_size=0 .*at least 1"),
        (TypeError, {"batch_size": 1.5}, "batch_size=1.5 .*whole number"),
        (ValueError, {"batch_size": 1, "optimizer": "lion"}, "optimizer='lion' .*sgd, momentum, adam"),
    ],
)
def test_a_bad_bill_is_refused(error: type[Exception], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(error, match=message):
        memory(post(), **arguments)


def test_the_printed_table_has_a_line_per_layer_and_the_totals() -> None:
    lines = str(post()).splitlines()
    assert len(lines) == len(post().rows) + 2
    assert len({len(line) for line in lines}) == 1
    assert "128,806,154" in lines[-1] and "7,547,232,256" in lines[-1]


def test_the_table_is_printed_with_a_field_where_there_is_one() -> None:
    lines = str(trace("VGG-11")).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "MACs", "receptive", "field"]
    assert lines[2].split() == ["conv1_1", "64×224×224", "1,792", "86,704,128", "3"]
    assert lines[15].split() == ["fc6", "4096", "102,764,544", "102,760,448"]
