"""Muon: its steps by other means, its plain half against torch's SGD, a run that stops and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.data_fixtures import sample_fixture  # noqa: F401
from vgg_lesson import ImageSet, Muon, class_vgg, fit
from vgg_lesson.training.muon import orthogonalized

RECIPE: dict[str, Any] = {"steps": 6, "batch_size": 16, "optimizer": Muon, "schedule": "one-cycle", "show": False}
SCALES = st.sampled_from((1e-9, 1.0, 1e6))


@given(st.integers(1, 40), st.integers(1, 12), st.sampled_from((1, 3)), st.integers(0, 9), SCALES)
def test_a_step_keeps_its_directions_and_makes_them_equally_long(
    out: int, inputs: int, kernel: int, seed: int, scale: float
) -> None:
    step = scale * torch.randn(out, inputs, kernel, kernel, generator=torch.Generator().manual_seed(seed))
    left, values, right = torch.linalg.svd(step.double().flatten(1), full_matrices=False)
    turned = left.T @ orthogonalized(step).double().flatten(1) @ right.T
    lengths = turned.diagonal()
    assert (turned - lengths.diag()).abs().max() < 2e-3
    assert (lengths[values > 0.01 * values[0]] - 0.95).abs().max() < 0.3


def test_nothing_to_follow_is_no_step() -> None:
    assert torch.equal(orthogonalized(torch.zeros(4, 2, 3, 3)), torch.zeros(4, 2, 3, 3))


def gradients(model: nn.Module, seed: int) -> None:
    """Give every parameter a gradient, the same for models of one layout."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_what_is_no_convolution_takes_the_steps_of_sgd() -> None:
    models = []
    for make in (
        lambda parameters: Muon(parameters, plain_lr=0.1, plain_momentum=0.9, weight_decay=0.01),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    ):
        torch.manual_seed(0)
        models.append(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4)))
        optimizer = make(models[-1].parameters())
        for seed in range(4):
            gradients(models[-1], seed)
            optimizer.step()
    for ours, theirs in zip(*(model.parameters() for model in models), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_kernels_step_is_its_orthogonalized_momentum() -> None:
    conv = nn.Conv2d(3, 8, 3, bias=False)
    optimizer, before = Muon(conv.parameters(), lr=0.02, momentum=0.8), conv.weight.detach().clone()
    conv.weight.grad = torch.randn(8, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    assert optimizer.step(lambda: 3) == 3
    assert torch.allclose(before - conv.weight, 0.02 * orthogonalized(1.8 * conv.weight.grad), atol=1e-6)
    after = conv.weight.detach().clone()
    optimizer.zero_grad()
    optimizer.step()
    assert torch.equal(conv.weight, after), "a parameter without a gradient stays"


def weights(train: ImageSet, checkpoint: Path | None, steps: int) -> list[Tensor]:
    """Those of the class network after a run of Muon that an earlier call may have begun."""
    torch.manual_seed(0)
    model = class_vgg()
    stop = [lambda run: len(run.history.step_losses) < steps]
    history = fit(model, train, checkpoint=checkpoint, callbacks=stop, **RECIPE)
    assert len(history.step_losses) == steps
    return list(model.state_dict().values())


def test_a_run_that_is_stopped_goes_on_to_the_same_weights(tmp_path: Path, sample: dict[str, ImageSet]) -> None:
    train = sample["train"].subset(64)
    weights(train, tmp_path / "run.pt", steps=3)
    resumed, whole = weights(train, tmp_path / "run.pt", steps=6), weights(train, None, steps=6)
    assert all(torch.equal(one, other) for one, other in zip(resumed, whole, strict=True))


def test_it_learns_in_a_few_steps(sample: dict[str, ImageSet]) -> None:
    torch.manual_seed(0)
    history = fit(class_vgg(), sample["train"], **{**RECIPE, "steps": 20, "batch_size": 64})
    assert history.mean_loss(16, 20) < 0.6 * history.step_losses[0]
