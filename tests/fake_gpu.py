"""A GPU that is not there: fake tensors follow shapes, types and devices without computing, and refuse to mix devices.

Numbers that Python would read from a fake tensor are replaced by stand-ins, so that code goes on; what is tested is
where tensors lie, and nothing else. https://docs.pytorch.org/docs/stable/torch.compiler_fake_tensor.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import fake_tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

MIXED = ("found two different devices", "Expected all tensors to be on the same device", "on CPU but", "is on cpu")


def is_mix(error: BaseException) -> bool:
    """Whether an error says that tensors of two devices met."""
    seen: BaseException | None = error
    while seen is not None:
        if any(words in str(seen) for words in MIXED):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _standing_in(name: str, value: Callable[[Tensor], Any], patch: pytest.MonkeyPatch) -> None:
    real = getattr(torch.Tensor, name)

    def wrapper(self: Tensor, *arguments: Any, **options: Any) -> Any:
        return value(self) if isinstance(self, FakeTensor) else real(self, *arguments, **options)

    patch.setattr(torch.Tensor, name, wrapper)


def _nested(shape: tuple[int, ...], value: Any) -> Any:
    return value if not shape else [_nested(shape[1:], value) for _ in range(shape[0])]


def _number(tensor: Tensor) -> float | int | bool:
    return 0.5 if tensor.is_floating_point() else True if tensor.dtype == torch.bool else 0


def _apply(self: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """`nn.Module._apply` without the swap of tensors that fake ones do not bear: new parameters instead."""
    for module in self.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(function(parameter.detach()), parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = function(buffer)
    return self


def _backward(self: Tensor, *_: Any, **__: Any) -> None:
    """Gradients of the right shape and device for every leaf: the engine itself would look for a real GPU."""
    pending, seen = [self.grad_fn], set()
    while pending:
        node: Any = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            node.variable.grad = torch.zeros_like(node.variable)
        pending += [following for following, _ in node.next_functions]


def _grad(outputs: Any, inputs: Any, *_: Any, **__: Any) -> tuple[Tensor, ...]:
    return tuple(torch.zeros_like(part) for part in (inputs if isinstance(inputs, tuple | list) else [inputs]))


def _everywhere(tensor: Tensor) -> Tensor:
    """The places of all values of a row, as if none were zero; of a table a place per row."""
    return torch.arange(len(tensor), device=tensor.device)[:, None].repeat(1, tensor.ndim)


def _bincount(values: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    kind = torch.int64 if weights is None else weights.dtype
    return torch.ones(max(minlength, 1), dtype=kind, device=values.device)


@contextmanager
def fake_gpu() -> Iterator[FakeTensorMode]:
    """Inside, this machine seems to have one GPU, and every tensor that is made is a fake one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "device_count", lambda: 1)
        patch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
        patch.setattr(torch.cuda, "manual_seed_all", lambda seed: None)
        patch.setattr(fake_tensor, "init_gpu_context", lambda *_: None)
        patch.setattr(FakeTensorMode, "avoid_device_init", property(lambda self: True))
        patch.setattr(nn.Module, "_apply", _apply)
        patch.setattr(torch, "_fused_sgd_", lambda *_, **__: None)
        patch.setattr(torch.Tensor, "backward", _backward)
        patch.setattr(torch.autograd, "grad", _grad)
        patch.setattr(torch, "allclose", lambda *_, **__: True)
        patch.setattr(torch, "equal", lambda *_, **__: True)
        for name in ("item", "__float__", "__bool__", "__int__", "__index__"):
            kind = {"__float__": float, "__bool__": bool, "__int__": int, "__index__": int}.get(name, lambda v: v)
            _standing_in(name, lambda tensor, kind=kind: kind(_number(tensor)), patch)  # type: ignore[misc]
        _standing_in("tolist", lambda tensor: _nested(tuple(tensor.shape), _number(tensor)), patch)
        _standing_in("__format__", lambda tensor: str(_number(tensor)), patch)
        _standing_in("nonzero", _everywhere, patch)
        _standing_in("unique", lambda tensor: tensor.new_zeros(1), patch)
        patch.setattr(torch, "bincount", _bincount)
        _standing_in("numpy", lambda tensor: np.zeros(tuple(tensor.shape)), patch)
        with FakeTensorMode(allow_non_fake_inputs=True) as mode:
            yield mode
