"""What decides a training run besides the network and the data, and the plan of each budget."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import CodeType, MappingProxyType
from typing import Annotated, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from vgg_lesson.configs import CLASS_NETWORK, Network, VGGConfig
from vgg_lesson.data.augmentation import AUGMENTATIONS
from vgg_lesson.data.batches import Augmentation
from vgg_lesson.support.arguments import Count, Positive, Seed, accept, between, check_record, check_takes, one_of, says
from vgg_lesson.training.muon import Muon

WARM_UP = 0.25
FINAL_LR = 0.01
ADDRESS = re.compile(" at 0x[0-9a-f]+")  # of an object in memory, other in every process
PRECISIONS = ("fp32", "bf16", "auto")
Fraction = Annotated[float, between(0, below=1)]
Schedule = Annotated[str, one_of(("constant", "one-cycle"))] | Callable[[float], float]
Augment = Annotated[str, one_of(tuple(AUGMENTATIONS))] | Augmentation
Precision = Annotated[str, one_of(PRECISIONS)]
MakeOptimizer = Annotated[
    Callable[[Iterable[nn.Parameter]], Optimizer], says("a function from parameters to an optimizer, such as Adam,")
]
Loss = Callable[[Tensor, Tensor], Tensor]
# Field → what the function that may stand there is called with.
CALLED_WITH = {
    "schedule": ("the share of the run done",), "loss": ("scores", "labels"), "optimizer": ("parameters",),
    "augment": ("raw images", "a generator"),
}  # fmt: skip


def _one_cycle(share: float) -> float:
    if share < WARM_UP:
        return share / WARM_UP
    return 1 - (1 - FINAL_LR) * (share - WARM_UP) / (1 - WARM_UP)


SCHEDULES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {"constant": lambda share: 1.0, "one-cycle": _one_cycle}
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run besides the model and the data; ``**recipe`` are arguments of `fit`.

    ``epochs`` are passes over the data; ``steps`` batches end the run instead, whatever ``epochs`` says. ``lr``,
    ``momentum`` (Nesterov where positive) and ``weight_decay`` (L2) belong to the SGD that `fit` makes, or
    ``optimizer`` makes another one from the parameters, with a learning rate of its own. ``schedule`` is "constant",
    "one-cycle" (up to the learning rate in a quarter of the run, then down to a hundredth of it, both linear), or a
    function: share of the run done, this step included (above 0 to 1) → factor of the learning rate. ``loss`` is a
    function: scores, labels → scalar tensor; cross-entropy with ``label_smoothing`` by default. ``augment`` is "flip",
    "flip+shift", "flip+shift+erase", or a function: raw images, generator → images, drawn anew for every batch.
    ``precision`` is "fp32", "bf16" (autocast), or "auto", which takes bf16 where the hardware is built for it. ``seed``
    decides the order of the images, augmentation and dropout; torch's global seed is set from it.
    """

    epochs: Count = 1
    steps: Count | None = None
    batch_size: Count = 128
    lr: Positive = 0.1
    momentum: Fraction = 0.0
    weight_decay: Annotated[float, between(0)] = 0.0
    schedule: Schedule = "constant"
    label_smoothing: Fraction = 0.0
    loss: Loss | None = None
    optimizer: MakeOptimizer | None = None
    augment: Augment | None = None
    precision: Precision = "fp32"
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_record(self)
        for name, arguments in CALLED_WITH.items():
            if callable(self[name]):
                check_takes(name, self[name], arguments)
        for owner, mine in (("optimizer", ("lr", "momentum", "weight_decay")), ("loss", ("label_smoothing",))):
            changed = [f.name for f in fields(self) if f.name in mine and getattr(self, f.name) != f.default]
            if getattr(self, owner) is not None and changed:
                raise ValueError(
                    f"{changed[0]}={getattr(self, changed[0])} is given beside {owner}, which decides that itself; "
                    f"set it there, or leave {owner} out"
                )

    def factor(self, share: float) -> float:
        """What the learning rate is multiplied by when ``share`` of the run is done."""
        schedule = self.schedule if callable(self.schedule) else SCHEDULES[self.schedule]
        return float(accept(f"schedule({share:.3g})", schedule(share), float))

    def keys(self) -> list[str]:
        """The fields' names, so that ``**recipe`` unpacks the record."""
        return [field.name for field in fields(self)]

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def described(self) -> dict[str, Any]:
        """The fields as JSON values: a function by its name."""
        return {name: self[name].__qualname__ if callable(self[name]) else self[name] for name in self.keys()}

    def identity(self) -> dict[str, Any]:
        """`described`, with what a function does instead of its name: two that differ are told apart."""
        return {name: _identity_of(self[name]) if callable(self[name]) else self[name] for name in self.keys()}


@dataclass(frozen=True)
class Experiment:
    """A network trained by a recipe, once for each of ``seeds``; ``change`` says in words what is tried.

    ``network`` is a record, or a function without arguments that builds a module. ``views`` is the argument of
    `evaluate` for the one look at held-out images at the end.
    """

    network: Network | Callable[[], nn.Module]
    recipe: Recipe
    seeds: tuple[int, ...] = (0,)
    change: str = ""
    views: str = "one"

    def __post_init__(self) -> None:
        check_record(self)

    @property
    def architecture(self) -> Network:
        """The network's record; TypeError where a function builds it."""
        if not isinstance(self.network, Network):
            raise TypeError(f"network of {self.change!r} is built by a function and has no record")
        return self.network

    def vary(self, change: str = "", seeds: Sequence[int] | None = None, **fields_: Any) -> Experiment:
        """The same with other fields of the network or of the recipe.

        Raises:
            TypeError: neither of the two has such a field, or a function builds the network.
        """
        of_a_recipe = self.recipe.keys()
        of_recipe = {name: value for name, value in fields_.items() if name in of_a_recipe}
        of_network = {name: value for name, value in fields_.items() if name not in of_recipe}
        network = replace(self.architecture, **of_network) if of_network else self.network
        return Experiment(
            network, replace(self.recipe, **of_recipe), tuple(seeds or self.seeds), change or self.change, self.views
        )


_CLASS = Experiment(
    replace(CLASS_NETWORK, dropout=0.0),
    Recipe(batch_size=64, momentum=0.9, schedule="one-cycle", label_smoothing=0.1, precision="auto"),
    seeds=(0, 1, 2, 3, 4),
    change="the class plan",
)
_FULL = Experiment(
    Network(
        VGGConfig.stack("four blocks", [(2, 48), (2, 96), (2, 192), (2, 384)]),
        in_channels=1, num_classes=10, image_size=28, batch_norm=True, head="gap",
    ),
    replace(_CLASS.recipe, epochs=28, batch_size=256, momentum=0.0, optimizer=Muon, augment="flip+shift+erase"),
    seeds=(0, 1, 2),
    change="the full plan",
    views="flip+shift",
)  # fmt: skip

# What each budget trains. Chosen on a validation split of the training images; the candidates for "full" are
# tools/records/full_search.csv.
PLANS: Mapping[str, Experiment] = MappingProxyType({"smoke": _CLASS, "class": _CLASS, "full": _FULL})


def _identity_of(function: Any) -> str:
    """The function's name and a digest of its code, or what an object that is called says of itself."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ADDRESS.sub("", repr(function))
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    parts = (code.co_code, code.co_names, [c for c in code.co_consts if not isinstance(c, CodeType)], held)
    digest = hashlib.sha256(ADDRESS.sub("", repr(parts)).encode()).hexdigest()
    return f"{function.__qualname__} {digest[:16]}"
