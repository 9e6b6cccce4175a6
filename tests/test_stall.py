"""The stall: what padding does to a window, the stored logs and how they are made, the figures that show them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import conv2d

from tools import runs
from tools.trials import FIXES, STALL
from vgg_lesson import History, check, class_vgg, fit
from vgg_lesson.classroom import figures as fig
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.records.stored_runs import StoredRun, stored_run

LOGS = [name for group in ("stall", "fixes", "suspects") for name, _, _ in runs.runs_of(group)]


@pytest.fixture
def noise() -> ImageSet:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (200, 28, 28), generator=generator, dtype=torch.uint8)
    return ImageSet(images, torch.randint(0, 10, (200,), generator=generator))


def test_a_window_over_a_tiny_map_reads_as_much_padding_as_the_exercise_says() -> None:
    taps = conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3), padding=1).mean().item() / 9
    assert check.taps_on_the_map(taps).status == "right"


def test_a_log_is_made_by_fit_and_says_what_was_seen(noise: ImageSet) -> None:
    experiment = FIXES["fix_he"].vary(steps=50, batch_size=16, lr=0.01)
    text = runs.plain_log("trial", experiment, 0, noise, noise)
    torch.manual_seed(0)
    model = class_vgg(batch_norm=False, hidden=1024, init="he")
    losses = fit(model, noise, steps=50, batch_size=16, lr=0.01, show=False, device="cpu").step_losses
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    assert rows[0] == ["step", "loss", "spread", "accuracy"] and len(rows) == 6
    assert float(rows[1][1]) == pytest.approx(sum(losses[:10]) / 10, abs=1e-5)
    assert float(rows[5][2]) > 0 and 0 <= float(rows[5][3]) <= 1 and "init he, seed 0, lr 0.01" in text


def test_a_stalled_log_ends_some_steps_after_its_escape(noise: ImageSet) -> None:
    watch = runs.Watch(noise, ends_after_escape=True)
    fallen = History("fallen", [2.3] * 100 + [1.0] * 400)
    assert not watch._is_over(fallen, 100) and watch._is_over(fallen, 500)


@pytest.mark.parametrize("name", LOGS)
def test_stored_log_is_complete(name: str) -> None:
    log = stored_run(name)
    steps = [step for step, _ in log.losses]
    assert steps == list(range(10, steps[-1] + 1, 10))
    assert "seed" in log.about and "lr" in log.about and len(log.spreads) == len(steps) // 5
    assert log.accuracies[-1][0] == steps[-1] and 0 < log.accuracies[-1][1] < 1
    assert all(math.isfinite(loss) for _, loss in log.losses)


def test_stalled_logs_end_at_the_escape_or_at_their_limit() -> None:
    for seed in STALL["stall"].seeds:
        log = stored_run(f"stall_seed{seed}")
        escape = log.escape
        limit = STALL["stall"].recipe.steps or 0
        assert log.steps == (min(limit, escape + runs.STEPS_AFTER_ESCAPE) if escape else limit)


def test_an_unknown_log_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="fix_he_seed0"):
        stored_run("stall_seed99")


def test_labels_at_line_ends_keep_apart() -> None:
    figure = fig.loss_curves({"one": [2.3] * 50, "two": [2.3] * 50, "three": [2.29] * 50})
    heights = sorted(text.xy[1] for text in figure.axes[0].texts if hasattr(text, "xy"))
    low, high = figure.axes[0].get_ylim()
    assert len(heights) == 3
    assert all(b - a > 0.05 * (high - low) for a, b in pairwise(heights))


def test_the_plateau_is_told_in_words() -> None:
    fallen = tuple((10 * k, 2.303 if k < 50 else 0.9) for k in range(1, 101))
    still = tuple((10 * k, 2.303) for k in range(1, 101))
    long_runs = {
        name: StoredRun(name, "", losses, ((50, 1e-5), (1000, 1e-4)), ())
        for name, losses in (("a", fallen), ("b", still))
    }
    alt = fig.plateau(long_runs).alt
    assert "a: escapes at step 510" in alt and "b: still on the plateau after 1,000 steps" in alt


def test_the_posts_network_stands_still_and_learns_with_one_line_changed() -> None:
    default, freed, short = (stored_run(name) for name in ("post_pytorch", "post_he", "post_pytorch_fp32"))
    assert default.steps == freed.steps == 4 * 469 and short.steps == 50
    assert [accuracy for _, accuracy in default.accuracies] == [0.1] * 4, "10% four times"
    assert freed.accuracies[-1][1] > 0.9015, "past the published ten epochs after four"
    step, lowest = min(default.losses, key=lambda pair: pair[1])
    assert 2.5 * 469 < step < 3 * 469 and lowest < 2.0, "late in its third epoch it broke out"
    assert all(abs(loss - math.log(10)) < 0.01 for at, loss in default.losses if at > 3 * 469), "and was thrown back"
    assert "bf16" in default.about and "fp32" in freed.about and "fp32" in short.about
