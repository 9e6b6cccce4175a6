"""The signal in the layers against forward hooks, and the line of progress in a notebook and in a terminal."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vgg_lesson import VGG, History, build_vgg, signal_by_layer, trace
from vgg_lesson.training import progress
from vgg_lesson.training.history import EpochRecord

SMALL: dict[str, Any] = {"in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.1, "hidden": 16}


def after_each_weight_layer(model: VGG, images: Tensor) -> list[Tensor]:
    """What hooks see: the outputs of all ReLUs and of the last layer, in the order in which they are made."""
    seen: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
        for module in (*(m for m in model.modules() if isinstance(m, nn.ReLU)), model.classifier[-1])
    ]
    with torch.no_grad():
        model.eval()(images)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize(
    ("config", "changes"),
    [("VGG-11", {}), ("VGG-11", {"batch_norm": True}), ("VGG-11-LRN", {}), ("VGG-16-1x1", {"head": "gap"}),
     ("VGG-11-LRN", {"head": "gap", "batch_norm": True})],
)  # fmt: skip
def test_signal_by_layer_is_what_hooks_see(config: str, changes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model, images = build_vgg(config, **{**SMALL, **changes}), torch.randn(6, 1, 32, 32)
    model.train()(images)  # so that batch norm's running statistics are not its initial ones
    signals = signal_by_layer(model, images)
    assert model.training
    counted = trace(config, **{**SMALL, **changes})
    assert [signal.name for signal in signals] == [row.name for row in counted.rows if row.kind in ("conv", "linear")]
    seen = after_each_weight_layer(model, images)
    assert [s.rms for s in signals] == pytest.approx([v.square().mean().sqrt().item() for v in seen], rel=1e-4)
    spreads = [(v - v.mean(dim=0)).square().mean().sqrt().item() for v in seen]
    assert [s.spread for s in signals] == pytest.approx(spreads, rel=1e-3)


def test_equal_pictures_have_no_spread_and_one_picture_is_refused() -> None:
    model = build_vgg(**SMALL)
    twice = torch.randn(1, 1, 32, 32).repeat(4, 1, 1, 1)
    assert all(signal.spread == pytest.approx(0, abs=1e-6) for signal in signal_by_layer(model, twice))
    for wrong, told in ((twice[:1], "at least two"), (twice[0], "four axes")):
        with pytest.raises(ValueError, match=rf"images has shape .*{told}"):
            signal_by_layer(model, wrong)


class Display:
    """Stands for IPython's display: remembers what every handle was last given."""

    def __init__(self) -> None:
        self.shown: list[list[Any]] = []

    def __call__(self, thing: Any, display_id: bool) -> SimpleNamespace:
        states = [thing]
        self.shown.append(states)
        return SimpleNamespace(update=states.append)


@pytest.fixture(name="display")
def display_fixture(monkeypatch: pytest.MonkeyPatch) -> Display:
    """A notebook whose clock moves on by one second at every look."""
    import IPython.display

    shown, seconds = Display(), iter(range(10_000))
    monkeypatch.setattr(IPython.display, "display", shown)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(seconds)))
    return shown


def trained(view: Any, steps: int, history: History | None = None) -> History:
    """Take steps whose loss is 2, and finish."""
    history = history or History("deep")
    for _ in range(steps):
        history.step_losses.append(2.0)
        view(history, False)
    view(history, True)
    return history


def test_a_notebook_gets_one_line_and_one_curve_each_updated_in_place(display: Display) -> None:
    trained(progress.progress_view(40, "deep", True), 40)
    line, curve = display.shown
    assert re.match(r"deep.*\b0/40|deep: starting", repr(line[0])) and len(line) > 20
    halfway = next(repr(text) for text in line if "20/40" in repr(text))
    assert "50%" in halfway and "<00:" in halfway and "loss 2.000" in halfway
    assert "40/40" in repr(line[-1]) and "100%" in repr(line[-1]) and "\n" not in repr(line[-1])
    assert all(figure.alt and len(figure.axes) == 1 for figure in curve)
    assert tuple(curve[-1].axes[0].get_xlim()) == (0, 40)


def test_a_bar_has_no_curve_and_silence_shows_nothing(display: Display) -> None:
    trained(progress.progress_view(10, "", "bar"), 10)
    (line,) = display.shown
    assert "10/10" in repr(line[-1])
    trained(progress.progress_view(10, "", False), 10)
    assert len(display.shown) == 1


def test_an_interrupted_and_a_diverged_run_are_shown_too(display: Display) -> None:
    view = progress.progress_view(10, "short", True)
    history = History("short", interrupted=True)
    history.step_losses += [2.0, float("nan"), float("inf")]
    history.epochs.append(EpochRecord(1, 3, 2.0, 0.1, None, None, 1.0, 0.1))
    view(history, True)
    assert "3/10" in repr(display.shown[0][-1]) and "(interrupted)" in repr(display.shown[0][-1])
    bottom, top = progress.loss_curve(history, 10).axes[0].get_ylim()
    assert bottom == 0 and top == pytest.approx(2.2)


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "in_notebook", lambda: False)
    trained(progress.progress_view(12, "deep", True), 12)
    written = capsys.readouterr().err
    assert "deep" in written and "12/12" in written and written.endswith("\n")
