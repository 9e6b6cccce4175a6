"""One step of training, an exercise of notebook 05: judged by where it takes the weights, not by how it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vgg_lesson.classroom.checks.forms import is_unanswered
from vgg_lesson.classroom.checks.shared import NO_RETURN, Exercise, Mistake, as_function, stopped, without_return
from vgg_lesson.classroom.checks.student import Student, TooSlow

Step = Callable[[nn.Module, Tensor, Tensor, torch.optim.Optimizer], Any]
SIZES = (4, 6, 3)  # pictures in the batches that follow each other
SETTINGS = ((0.5, 0.0), (0.1, 0.9))  # learning rate and momentum of each trial
NOT_A_NUMBER = (
    "Your step returns {kind}; a plain number is expected. A tensor would keep everything that was needed to compute "
    "it in memory, batch after batch."
)
MOVES_ONLY = f"{NO_RETURN} The weights do change; who draws the curve needs the loss as a number."


@dataclass(frozen=True)
class Trace:
    """What a step does over several batches and trials: the results, and how it came by them."""

    returned: tuple[Any, ...]
    weights: tuple[Tensor, ...]
    moved: bool
    left: bool
    training: bool
    steps: int
    backwards: int

    def moves_like(self, other: Trace) -> bool:
        """Whether the weights agree after every batch."""
        pairs = zip(self.weights, other.weights, strict=True)
        return all(torch.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True) for a, b in pairs)

    def ends_like(self, other: Trace) -> bool:
        """Whether losses and weights agree."""
        mine, theirs = ([float(loss) for loss in trace.returned] for trace in (self, other))
        alike = torch.allclose(torch.tensor(mine), torch.tensor(theirs), rtol=1e-4, atol=1e-5)
        return alike and self.moves_like(other)

    def goes_like(self, other: Trace) -> bool:
        """Whether results, updates, passes backward and the gradients that remain agree."""
        counts = [(trace.steps, trace.backwards, trace.left) for trace in (self, other)]
        return counts[0] == counts[1] and self.ends_like(other)


def follow(step: Step) -> Trace:
    """Let a step run over a few batches of two small networks."""
    returned: list[Any] = []
    weights: list[Tensor] = []
    counts = {"steps": 0, "backwards": 0}

    def count(what: str) -> Callable[..., None]:
        def add(*_: Any) -> None:
            counts[what] += 1

        return add

    moved = False
    for lr, momentum in SETTINGS:
        model, batches = _trial()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
        optimizer.register_step_post_hook(count("steps"))
        list(model.parameters())[-1].register_post_accumulate_grad_hook(count("backwards"))
        start = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        for images, labels in batches:
            returned.append(step(model, images, labels, optimizer))
            weights.append(nn.utils.parameters_to_vector(model.parameters()).detach().clone())
        moved = moved or not torch.equal(start, weights[-1])
    left = any(parameter.grad is not None for parameter in model.parameters())
    return Trace(tuple(returned), tuple(weights), moved, left, model.training, **counts)


def _trial() -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    draw = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        model = nn.Sequential(nn.Flatten(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 2)
    shapes = [(size, 2, 2, 2) for size in SIZES]
    return model, [
        (torch.randn(shape, generator=draw), torch.randint(3, shape[:1], generator=draw)) for shape in shapes
    ]


def training_step(model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """The reference: one update of the weights from one batch; returns its loss."""
    optimizer.zero_grad()
    loss = cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def _variant(order: str, loss_of: Callable[[Tensor, Tensor], Tensor] = cross_entropy) -> Step:
    """A step that does some of z(ero_grad), l(oss), b(ackward), s(tep), in the order given."""

    def step(model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
        loss = torch.zeros(())
        for letter in order:
            if letter == "z":
                optimizer.zero_grad()
            elif letter == "l":
                loss = loss_of(model(images), labels)
            elif letter == "b":
                loss.backward()
            else:
                optimizer.step()
        return loss.item()

    return step


def _on_probabilities(scores: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(scores.softmax(dim=1), labels)


def _summed(scores: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(scores, labels, reduction="sum")


def _own_optimizer(model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
    settings = {key: optimizer.param_groups[0][key] for key in ("lr", "momentum")}
    return training_step(model, images, labels, torch.optim.SGD(model.parameters(), **settings))


def _clipped(model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
    optimizer.zero_grad()
    loss = cross_entropy(model(images), labels)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


_EARLY = "Your optimiser steps before this batch has told it where to: which line brings the new gradients?"
_NO_WAY_BACK = (
    "From your loss no way leads back to the weights: was it computed under no_grad, or from something else than the "
    "model's scores?"
)
ADVICE_BY_TEXT = {
    "inplace operation": _EARLY,
    "does not require grad": _NO_WAY_BACK,
    "backward through the graph a second time": "You call backward() twice on one loss: once is enough.",
    "log_softmax": "cross_entropy reads the scores first, then the labels. Which came first in your call?",
}
_WIPED = "The gradients are there for a moment only: you forget them before the optimiser has used them."
MISTAKES: Sequence[tuple[Step, str]] = (
    (_variant("lbs"), "The first batch goes well. In the second, what happens to the gradients of the first?"),
    (_variant("zlsb"), _EARLY),
    (_variant("slzb"), _EARLY),
    (_variant("szlb"), _EARLY),
    (_variant("lbzs"), _WIPED),
    (_variant("zls"), "No gradient is ever computed, so the optimiser has nothing to follow."),
    (_variant("zlb"), "The gradients are computed, and then nobody uses them: the weights never move."),
    (_variant("zl"), "Your weights never move. Is every one of your lines a call, with its parentheses?"),
    (
        _variant("zlbs", _on_probabilities),
        "Your loss is another one: cross_entropy starts from scores and makes probabilities by itself. "
        "What has been done to your scores before?",
    ),
    (_variant("zlbs", _summed), "Your loss grows with the batch: a mean over its images is expected, not a sum."),
    (_variant("zlbss"), "Your optimiser steps twice for one batch: which line is there once too often?"),
    (
        _clipped,
        "Your gradients are changed between backward() and step(), by clipping perhaps: leave them as they are.",
    ),
    (_own_optimizer, "Use the optimiser you are given. A new one in every step remembers nothing of the last."),
)


def read_step(answer: Any) -> Student:
    """The student's function; what it does to the network is the answer, so no call is remembered."""
    return as_function(answer, once=False)


def _complaint(answer: Any) -> str | None:
    try:
        trace = follow(answer)
    except (Exception, TooSlow) as error:
        known = (advice for part, advice in ADVICE_BY_TEXT.items() if part in str(error))
        return next(known, stopped(error, ()))
    if any(is_unanswered(loss) for loss in trace.returned):
        return MOVES_ONLY if trace.moved else without_return(answer)
    if not trace.training:
        return "Your step leaves the network in evaluation mode: no line of a training step calls eval()."
    unusable = next((text for text in map(_not_a_number, trace.returned) if text), None)
    if unusable is None and trace.moves_like(reference := _known(training_step)) and not trace.ends_like(reference):
        return "Your weights go where they should. What you return is not the loss of this batch."
    return unusable


def _not_a_number(loss: Any) -> str | None:
    if isinstance(loss, Tensor) and loss.requires_grad:
        return NOT_A_NUMBER.format(kind="a tensor with its history")
    if isinstance(loss, Tensor) and loss.numel() != 1:
        return NOT_A_NUMBER.format(kind=f"a tensor of shape {tuple(loss.shape)}")
    return None if hasattr(loss, "__float__") else NOT_A_NUMBER.format(kind=f"a {type(loss).__name__}")


@cache
def _known(step: Step) -> Trace:
    """What the reference or a known mistake does, followed once."""
    return follow(step)


def _matches(answer: Step, expected: Step) -> bool:
    mine, theirs = follow(answer), _known(expected)
    return mine.ends_like(theirs) if expected is training_step else mine.goes_like(theirs)


def _blank(*_: Any) -> Any:
    return ...


TRAINING_STEP = Exercise(
    "training_step",
    lambda: training_step,
    _matches,
    why="Every network of this series, and nearly every one outside it, is trained by repeating these six lines.",
    otherwise="Compare two things: how the first loss comes about, and which gradients are there when the optimiser "
    "steps for the second batch.",
    mistakes=lambda: [Mistake(step, hint) for step, hint in MISTAKES],
    complaint=_complaint,
    read=read_step,
    stub=_blank,
)
