"""Muon: momentum for convolutions whose steps go equally far in every direction.

Source: Jordan and others, Muon: An optimizer for hidden layers in neural networks (2024),
https://kellerjordan.github.io/posts/muon/; the iteration's coefficients are from there. ``torch.optim.Muon`` takes
matrices alone and refuses the kernels of convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(Optimizer):
    """SGD with Nesterov's momentum that orthogonalizes every step of a convolution; other parameters take plain steps.

    Args:
        parameters: of any module. Kernels of convolutions, (out, in, height, width), count as matrices (out, the rest).
        lr, momentum: of the kernels. Such a step of a kernel has about the same length at any time, whatever the
            gradient's: the square root of its rank, times ``lr``.
        plain_lr, plain_momentum, weight_decay: of everything else; the last is an L2 penalty, which kernels go without.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float = 0.08, momentum: float = 0.8, plain_lr: float = 0.2,
        plain_momentum: float = 0.9, weight_decay: float = 5e-4,
    ):  # fmt: skip
        every = list(parameters)
        kernels, others = [p for p in every if p.ndim == 4], [p for p in every if p.ndim != 4]
        groups: list[dict[str, Any]] = [
            {"params": kernels, "lr": lr, "momentum": momentum, "weight_decay": 0.0, "orthogonalize": True},
            {
                "params": others, "lr": plain_lr, "momentum": plain_momentum, "weight_decay": weight_decay,
                "orthogonalize": False,
            },
        ]  # fmt: skip
        super().__init__([group for group in groups if group["params"]], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step along the gradients that are there; returns what ``closure`` does, if it is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                slope = p.grad + group["weight_decay"] * p
                velocity = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                velocity.mul_(group["momentum"]).add_(slope)
                ahead = slope + group["momentum"] * velocity
                p.sub_(group["lr"] * (orthogonalized(ahead) if group["orthogonalize"] else ahead))
        return loss


def orthogonalized(step: Tensor) -> Tensor:
    """``step``, seen as a matrix (its first dimension, the rest), with singular values of about 1 (0.7 to 1.2).

    Those below a few thousandths of the largest stay smaller. An odd polynomial is applied ``ITERATIONS`` times to the
    singular values, without computing them: the even factor is worked out on the small matrix A Aᵀ.
    """
    matrix = step.reshape(len(step), -1)
    matrix = matrix / matrix.norm().clamp(min=torch.finfo(matrix.dtype).tiny)
    gram = matrix @ matrix.T
    whole = factor = _even_factor(gram)
    for _ in range(ITERATIONS - 1):
        gram = factor @ gram @ factor
        factor = _even_factor(gram)
        whole = factor @ whole
    return (whole @ matrix).reshape(step.shape)


def _even_factor(gram: Tensor) -> Tensor:
    a, b, c = COEFFICIENTS
    factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
    factor.diagonal().add_(a)
    return factor
