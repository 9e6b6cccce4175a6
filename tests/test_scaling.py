"""The cost of several processes: bytes of a ring, the step model against the paper, the fit, figures and the view."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tools.facts import fact
from vgg_lesson import History, build_vgg, trace, widgets
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.checks.scale_up import convolutions_only, sent_by_each, waiting_share
from vgg_lesson.classroom.scale_up import (
    Measured,
    StepModel,
    fit_waits,
    gradient_bytes,
    paper_model,
    ring_bytes,
    stored_scaling,
)
from vgg_lesson.records.published import published


def ring(values: list[list[float]]) -> tuple[list[list[float]], list[int]]:
    """A ring all-reduce played out, n pieces for n processes: what each ends with, and the pieces each has sent."""
    count = len(values)
    held, sent = [list(row) for row in values], [0] * count
    for adding in (True, False):
        for turn in range(count - 1):
            packets = []
            for rank in range(count):
                piece = (rank - turn + (0 if adding else 1)) % count
                packets.append(((rank + 1) % count, piece, held[rank][piece]))
                sent[rank] += 1
            for receiver, piece, value in packets:
                held[receiver][piece] = held[receiver][piece] + value if adding else value
    return held, sent


@given(st.integers(2, 7), st.integers(0, 1000))
def test_ring_bytes_are_those_of_a_ring_played_out(count: int, seed: int) -> None:
    values = torch.randint(0, 100, (count, count), generator=torch.Generator().manual_seed(seed)).tolist()
    held, sent = ring(values)
    assert held == [[sum(column) for column in zip(*values, strict=True)]] * count
    assert {pieces * 8 for pieces in sent} == {ring_bytes(8 * count, count)}


def test_gradients_have_a_float_for_every_parameter() -> None:
    model = build_vgg("VGG-16", device="meta")
    assert gradient_bytes(trace("VGG-16")) == sum(p.numel() * p.element_size() for p in model.parameters())
    assert ring_bytes(100.0, 1) == 0
    assert sent_by_each() == pytest.approx(553.430176 * 1.5)
    assert convolutions_only() == pytest.approx(138_357_544 / 14_714_688)


@pytest.mark.parametrize(("size", "processes", "name"), [(0.0, 2, "size"), (1.0, 0, "processes")])
def test_bad_arguments_are_named(size: float, processes: int, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        ring_bytes(size, processes)
    with pytest.raises(ValueError, match="bandwidth"):
        StepModel(1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="faster"):
        paper_model(faster=0)


def test_the_model_gives_back_what_the_paper_says() -> None:
    model, gpus = paper_model(), published("paper_gpus")
    assert model.speedup(gpus) == pytest.approx(published("paper_gpu_speedup"))
    weeks = model.seconds(gpus) * published("paper_iterations") / (7 * 24 * 3600)
    assert published("paper_training_weeks")[0] < weeks < published("paper_training_weeks")[1]
    assert model.wait(1) == 0 and model.speedup(1) == 1
    assert model.wait(gpus) / model.seconds(gpus) == pytest.approx(waiting_share())
    assert paper_model(faster=10).speedup(4) == pytest.approx(1 / (1 / 4 + 1 / 6)) == pytest.approx(2.4)
    assert paper_model(faster=10).wait(4) == pytest.approx(model.wait(4))
    assert all(model.speedup(n) < n for n in range(2, 9))


@given(st.floats(1e8, 1e11), st.floats(-0.01, 0.1))
def test_a_line_of_waits_gives_back_bandwidth_and_latency(bandwidth: float, latency: float) -> None:
    rows = [Measured(0, size, 1.0, 0.5, 0.5 + latency + size / bandwidth) for size in (10**6, 10**7, 10**8)]
    found = fit_waits(rows)
    assert found[0] == pytest.approx(bandwidth, rel=1e-3)
    assert found[1] == pytest.approx(latency, abs=1e-6)
    with pytest.raises(ValueError, match="rows"):
        fit_waits(rows[:1])
    with pytest.raises(ValueError, match="do not grow"):
        fit_waits([Measured(0, 2 * row.size, 1, 1, 2 - row.size / 1e9) for row in rows])


def test_the_stored_log_is_whole() -> None:
    rows, content = stored_scaling()
    assert [row.hidden for row in rows] == [512, 2048, 4096] and content["machine"]
    assert content["command"] == "python -m tools.benchmarks scaling"
    for row in rows:
        network = trace("VGG-11", in_channels=1, num_classes=10, image_size=32, width=0.25, hidden=row.hidden,
                        batch_norm=True)  # fmt: skip
        assert row.size == gradient_bytes(network)
        assert 0 < row.half < row.one
    assert fit_waits(rows) == pytest.approx((content["figures"]["bandwidth"], content["figures"]["latency"]))
    assert math.isclose(fact("scaling.bandwidth_gb"), fit_waits(rows)[0] / 1e9)


def test_figures_say_what_they_show() -> None:
    images = torch.zeros(5, 28, 28, dtype=torch.uint8)
    assert "2 for process 0, then 3 for process 1" in fig.batch_shares(images, (2, 3)).alt
    assert "99% of the multiplications and hold 11%" in fig.work_and_bytes(trace("VGG-16")).alt
    assert fig.waits_fitted(stored_scaling()[0], 1e9, 0.0).alt
    drawn = fig.speedups({"paper": paper_model(), "fast": paper_model(faster=10)}, {"known": (4, 3.75)})
    assert "paper 6.9 times; fast 3.1 times; ideal 8 times" in drawn.alt
    assert "conv, pool" in fig.step_time({"forward": 2.0, "backward": 4.0}, {"conv": 3.0, "pool": 1.0}).alt
    history = History(step_losses=[2.0, 1.5, 1.0])
    same, other = (fig.killed_and_resumed(history, run, 1) for run in (history, History(step_losses=[2.0, 1.5, 1.4])))
    assert "nobody can tell" in same.axes[0].get_title(loc="left") and "lie on each other" in same.alt
    assert "0.40 apart" in other.axes[0].get_title(loc="left") and "part by up to 0.40" in other.alt


@pytest.mark.parametrize("sent", ["all", "conv", "gap"])
def test_the_view_calculates_what_it_says(sent: str) -> None:
    panel = widgets.scaling().panel
    panel.controls["sent"].value = sent
    panel.controls["link"].value = 300.0
    assert not panel.error and len(panel.pictures) == 1
    counted = trace("VGG-16", head="gap" if sent == "gap" else "fc")
    size = 4 * (counted.conv_params if sent == "conv" else counted.total_params)
    assert f"{size / 1e6:.0f} MB" in panel.texts[0]
    model = paper_model(size=size, bandwidth=300e9)
    assert f"wait for <b>{model.wait(4):.2f} s" in panel.texts[0]
